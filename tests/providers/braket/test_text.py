"""Our OpenQASM for Braket, read by Braket's own interpreter.

Expected values: exact laws of `providers.dense` (tested against Qiskit's Statevector) against the
exact law of Braket's simulator on the text; closed forms for the flips.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

import pytest

from circuits.draws import Draws
from circuits.errors import ProgramError
from circuits.gates import GATES
from circuits.program import RESET, Operation, Program, barrier, measure
from providers.braket_results import read_result
from providers.braket_text import SPELLINGS, Dialect, braket_text
from providers.dense import probabilities
from providers.errors import AdapterFault

RandomProgram = Callable[..., Program]

EVERYTHING = frozenset(
    {spelt.lower() for spellings in SPELLINGS.values() for spelt, _, _ in spellings} | set(GATES)
)
ELDER = EVERYTHING - {"u", "prx", "gpi", "gpi2", "ms"}
SPARSE = (1, 4, 5, 9, 12)


def read_by_braket(text: str, *, shots: int = 0) -> dict[str, Any]:
    """What Braket's interpreter and simulator make of a text, as its results.json."""
    from braket.devices import LocalSimulator
    from braket.ir.openqasm import Program as Source

    if shots:
        done = LocalSimulator().run(Source(source=text), shots=shots).result()
        outcomes = {"measurements": done.measurements.tolist()}
        qubits = [int(qubit) for qubit in done.measured_qubits]
        return {**outcomes, "measuredQubits": qubits, "taskMetadata": {"shots": shots}}
    lines = text.splitlines()
    measured = [line.split()[-1].rstrip(";") for line in lines if " = measure " in line]
    kept = [line for line in lines if " = measure " not in line and not line.startswith("bit")]
    exact = "\n".join([*kept, "#pragma braket result probability all"])
    law = LocalSimulator().run(Source(source=exact), shots=0).result().values[0]
    return {"measured": measured, "law": law}


def law(text: str, program: Program) -> dict[str, float]:
    """The exact law of a text that measures all its qubits, in our bit order.

    Braket's index has the lowest qubit first; b[k] is the k-th measured qubit, ascending.
    """
    read = read_by_braket(text)
    width = len(read["measured"])
    assert len(read["law"]) == 2**width
    place = {qubit: k for k, qubit in enumerate(sorted(program.used_qubits))}
    table: dict[str, float] = {}
    for index, p in enumerate(read["law"]):
        bits = f"{index:0{width}b}"
        word = ["0"] * program.num_bits
        for op in program.operations:
            if op.bit is not None:
                word[-1 - op.bit] = bits[place[op.qubits[0]]]
        table["".join(word)] = table.get("".join(word), 0.0) + float(p)
    return table


def assert_same(got: Mapping[str, float], expected: Mapping[str, float]) -> None:
    assert {key: round(p, 9) for key, p in got.items() if p > 1e-9} == pytest.approx(
        {key: p for key, p in expected.items() if p > 1e-9}, abs=1e-8
    )


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize(
    "dialect",
    [
        Dialect(EVERYTHING),
        Dialect(ELDER, barriers=True),
        Dialect(EVERYTHING, physical=SPARSE, barriers=True),
    ],
    ids=["new simulator", "older simulator", "machine"],
)
def test_braket_reads_every_gate_as_it_is_defined(
    seed: int, dialect: Dialect, random_program: RandomProgram
) -> None:
    program = random_program(f"text {seed}", width=5, gates=60)
    assert_same(law(braket_text(program, dialect), program), probabilities(program))


@pytest.mark.parametrize("name", [name for name in GATES if GATES[name].num_qubits < 3])
def test_each_gate_alone_on_permuted_sparse_qubits(name: str) -> None:
    gate = GATES[name]
    angles = (0.7, 1.1, -2.3)[: gate.num_angles]
    before = tuple(Operation("prx", (q,), (0.4 + 0.5 * q, 0.3)) for q in range(2))
    after = tuple(Operation("prx", (q,), (1.1 - 0.4 * q, 1.9)) for q in range(2))
    operands = (1, 0)[: gate.num_qubits]
    middle = Operation(name, operands, angles)
    program = Program(2, 2, (*before, middle, *after, measure(0, 1), measure(1, 0)))
    text = braket_text(program, Dialect(EVERYTHING, physical=(3, 8)))
    assert_same(law(text, program), probabilities(program))


def test_without_the_ms_gate_an_xx_rotation_is_xx_and_with_it_alone_is_ms() -> None:
    program = Program(2, 1, (Operation("rxx", (0, 1), (1.25,)), measure(0, 0)))
    assert "xx(1.25) $0, $1;" in braket_text(program, Dialect(frozenset({"xx"}), (0, 1)))
    alone = braket_text(program, Dialect(frozenset({"ms"}), (0, 1)))
    assert "ms(0.0, 0.0, 1.25) $0, $1;" in alone


@pytest.mark.parametrize(
    ("reads", "expected"),
    [
        ({0: 4, 1: 2, 2: 0}, "001"),  # c[0] reads the flipped qubit
        ({0: 0, 1: 2, 2: 4}, "100"),
        ({2: 4}, "100"),  # partial: c[0] and c[1] are never written
        ({1: 4, 0: 4}, "011"),  # one qubit into two bits
        ({0: 0, 1: 1, 2: 2}, "000"),
    ],
)
def test_permuted_and_partial_measurement_on_sparse_qubits(
    reads: dict[int, int], expected: str
) -> None:
    ends = tuple(measure(qubit, bit) for bit, qubit in reads.items())
    program = Program(5, 3, (Operation("x", (4,)), *ends))
    text = braket_text(program, Dialect(EVERYTHING, physical=SPARSE))
    data = json.dumps(read_by_braket(text, shots=11)).encode()
    answer, _ = read_result(data, program, memory=False)
    assert answer.counts.table == {expected: 11}


def test_columns_in_another_order_are_read_by_the_qubit_they_name() -> None:
    program = Program(5, 2, (Operation("x", (4,)), measure(4, 0), measure(1, 1)))
    told = {"measurements": [[1, 0]] * 3, "measuredQubits": [12, 4], "taskMetadata": {"shots": 3}}
    answer, _ = read_result(json.dumps(told).encode(), program, memory=True)
    assert answer.counts.table == {"01": 3}
    assert answer.memory == ("01",) * 3


def test_a_device_that_measures_all_used_qubits_gives_the_same_counts() -> None:
    program = Program(3, 1, (Operation("x", (1,)), Operation("x", (0,)), measure(1, 0)))
    text = braket_text(program, Dialect(EVERYTHING, (2, 6, 7), measure_all=True))
    assert text.count("measure") == 2
    answer, _ = read_result(
        json.dumps(read_by_braket(text, shots=4)).encode(), program, memory=False
    )
    assert answer.counts.table == {"1": 4}


def test_shares_become_counts_of_all_shots_also_where_they_do_not_divide() -> None:
    program = Program(2, 2, (Operation("h", (0,)), measure(0, 0), measure(1, 1)))
    draws = Draws(b"shares")
    for shots in (1, 7, 100, 999):
        counts = [draws.integer(50) + 1 for _ in range(4)]
        shares = {f"{k:02b}": n / sum(counts) for k, n in enumerate(counts)}
        told = {
            "measurementProbabilities": shares,
            "measuredQubits": [0, 1],
            "taskMetadata": {"shots": shots},
        }
        answer, _ = read_result(json.dumps(told).encode(), program, memory=False)
        assert answer.counts.shots == shots
        for key, n in answer.counts.table.items():
            assert abs(n - shares[key[::-1]] * shots) < 1


def test_shares_are_of_the_shots_that_succeeded() -> None:
    program = Program(1, 1, (measure(0, 0),))
    told = {
        "measurementProbabilities": {"0": 0.75, "1": 0.25},
        "measuredQubits": [0],
        "taskMetadata": {"shots": 1_000},
    }
    answer, _ = read_result(json.dumps(told).encode(), program, memory=False, shots=8)
    assert answer.counts.table == {"0": 6, "1": 2}


@pytest.mark.parametrize(
    ("shares", "words"),
    [
        ({"0": 0.5, "1": 0.4}, "add up to 0.9000, need 1"),
        ({"00": 1.0}, "outcomes like '00' of 1 qubits"),
        ({"2": 1.0}, "outcomes like '2'"),
    ],
)
def test_shares_that_are_no_shares_are_reported(shares: dict[str, float], words: str) -> None:
    told = {
        "measurementProbabilities": shares,
        "measuredQubits": [0],
        "taskMetadata": {"shots": 10},
    }
    with pytest.raises(AdapterFault, match=words):
        read_result(json.dumps(told).encode(), Program(1, 1, (measure(0, 0),)), memory=False)


def test_a_barrier_is_written_where_the_device_reads_it_and_left_out_elsewhere() -> None:
    program = Program(2, 1, (Operation("x", (0,)), barrier((0, 1)), measure(0, 0)))
    assert "barrier $3, $7;" in braket_text(program, Dialect(EVERYTHING, (3, 7), barriers=True))
    assert "barrier" not in braket_text(program, Dialect(EVERYTHING, (3, 7)))


@pytest.mark.parametrize(
    ("operations", "words"),
    [
        ((Operation(RESET, (0,)), measure(0, 0)), "reset"),
        ((measure(0, 0), Operation("x", (0,))), "after its measurement"),
        ((Operation("x", (0,)),), "measures nothing"),
        ((Operation("h", (0,)), measure(0, 0)), "has no h, it has cz, x"),
        ((measure(2, 0),), r"outside q\[0\] .. q\[1\]"),
    ],
)
def test_what_can_not_be_written_is_refused(operations: tuple[Operation, ...], words: str) -> None:
    program = Program(3, 1, operations)
    with pytest.raises(ProgramError, match=words):
        braket_text(program, Dialect(frozenset({"x", "cz"}), (1, 2)))
