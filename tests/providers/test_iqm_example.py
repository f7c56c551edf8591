"""The program in examples/iqm: it reads our text and writes Qiskit's circuit, whatever runs it.

IQM's own client cannot be installed here; Aer stands in for its backend, with the same call.
Expected values: the programs that were written, and `providers.dense`.
"""

from __future__ import annotations

import importlib.util
import json
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest
from qiskit.circuit import Parameter
from qiskit.circuit.library import CZGate, Measure, RGate
from qiskit.transpiler import InstructionProperties, Target
from qiskit_aer import AerSimulator
from scipy.stats import chisquare

from circuits.draws import Draws
from circuits.families import FAMILIES
from circuits.program import BARRIER, Operation, Program, barrier, measure
from circuits.topology import Topology
from providers.dense import probabilities
from providers.sheet import device_from_sheet

SCRIPT = Path(__file__).parents[2] / "examples" / "iqm" / "iqm_device.py"
STAR = Topology(5, ((0, 2), (1, 2), (2, 3), (2, 4)), ("cz", "prx"))


@pytest.fixture(scope="module")
def script() -> ModuleType:
    spec = importlib.util.spec_from_file_location("iqm_device", SCRIPT)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def drawn(seed: str) -> Program:
    draws = Draws(seed.encode())
    operations: list[Operation] = []
    for _ in range(20):
        edge = STAR.edges[draws.integer(4)]
        angles = (6 * draws.random() - 3, 6 * draws.random() - 3)
        operations += [Operation("prx", (edge[draws.integer(2)],), angles), Operation("cz", edge)]
        operations.append(barrier(edge))
    ends = (measure(4, 0), measure(0, 6), measure(2, 3))
    return Program(5, 7, (*operations, *ends))


def asked(script: ModuleType, *programs: str, shots: int = 4_000) -> list[dict[str, Any]]:
    lines = [
        json.dumps(
            {
                "id": f"job-{k}",
                "program": {"format": "openqasm3", "source": text},
                "shots": shots,
                "verbatim": True,
                "epoch": 0,
            }
        )
        for k, text in enumerate(programs)
    ]
    return [json.loads(answer) for answer in script.answers(lines, AerSimulator(seed_simulator=3))]


def test_every_operation_is_read_as_it_was_written(script: ModuleType) -> None:
    program = drawn("read")
    num_qubits, num_bits, steps = script.read(program.text)
    assert (num_qubits, num_bits) == (5, 7)
    assert [tuple(step) for step in steps] == [tuple(op) for op in program.operations]


def test_counts_are_in_our_bit_order(script: ModuleType) -> None:
    programs = [drawn(seed) for seed in "abc"]
    for program, answer in zip(programs, asked(script, *(p.text for p in programs)), strict=True):
        law = probabilities(program)
        assert set(answer["counts"]) <= set(law)
        observed = [answer["counts"].get(key, 0) for key in law]
        expected = [4_000 * p / sum(law.values()) for p in law.values()]
        assert chisquare(observed, expected).pvalue > 1e-6


def test_a_mirror_keeps_its_two_qubit_gates(script: ModuleType) -> None:
    case = FAMILIES["mirror"].generate(b"key", width=4, depth=8, topology=STAR)
    circuit = script.circuit_of(case.program.text)
    assert circuit.count_ops()["cz"] == case.program.two_qubit_gates
    barriers = sum(op.name == BARRIER for op in case.program.operations)
    assert circuit.count_ops().get("barrier", 0) == barriers > 0


def test_a_foreign_gate_is_that_jobs_error_and_the_next_job_runs(script: ModuleType) -> None:
    foreign = Program(1, 1, (Operation("sx", (0,)), measure(0, 0)))
    fine = Program(1, 1, (measure(0, 0),))
    first, second = asked(script, foreign.text, fine.text, shots=10)
    assert "prx, cz, barrier and measure, got 'sx q[0];'" in first["error"]
    assert second == {"id": "job-1", "counts": {"0": 10}}


def test_what_a_server_publishes_makes_a_sheet_that_is_accepted(script: ModuleType) -> None:
    target = Target(num_qubits=5)
    angles = (Parameter("a"), Parameter("b"))
    singles = {(q,): InstructionProperties(error=0.001 * (q + 1)) for q in range(5)}
    target.add_instruction(RGate(*angles), singles)
    target.add_instruction(Measure(), singles)
    # The server lists a pair in either order.
    pairs = {edge[::-1]: InstructionProperties(error=0.01) for edge in STAR.edges}
    target.add_instruction(CZGate(), pairs)
    sheet = script.sheet_of(SimpleNamespace(target=target), "iqm-star")
    device = device_from_sheet(json.loads(json.dumps(sheet)), provider="exec")
    assert (device.name, device.topology) == ("iqm-star", STAR)
    assert device.errors is not None
    assert device.errors.one_qubit == pytest.approx((0.001, 0.002, 0.003, 0.004, 0.005))
    target.update_instruction_properties("cz", (2, 0), None)
    with pytest.raises(SystemExit, match=r"no error of cz on \(0, 2\): write the sheet by hand"):
        script.sheet_of(SimpleNamespace(target=target), "iqm-star")
