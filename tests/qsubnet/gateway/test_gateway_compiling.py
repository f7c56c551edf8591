"""A compiled program does what the program does: distributions by Qiskit's exact state vector."""

from __future__ import annotations

import math

import numpy as np
import pytest

from circuits.emitters.qiskit import to_qiskit
from circuits.program import Operation, Program, final_measurements, measure
from circuits.topology import Topology, complete
from providers.admission import check_job
from providers.base import Device, DeviceClass, ErrorRates, Job
from qsubnet.errors import BadInput
from qsubnet.gateway.compiling import compile_for, load_compiler
from qsubnet.gateway.errors import TooWide

load_compiler()


def _qpu(gates: tuple[str, ...], num_qubits: int = 6) -> Device:
    """Qubits on a line; the couplings' native directions alternate."""
    edges = tuple((q, q + 1) if q % 2 else (q + 1, q) for q in range(num_qubits - 1))
    rates = ErrorRates((0.001,) * num_qubits, (0.01,) * len(edges), (0.02,) * num_qubits)
    return Device("qpu", DeviceClass.QPU, Topology(num_qubits, edges, gates), rates, "invented")


def _simulator(gates: tuple[str, ...], num_qubits: int = 6) -> Device:
    return Device("sim", DeviceClass.SIMULATOR, complete(num_qubits, gates), None, "invented")


DEVICES = {
    "cz line": _qpu(("cz", "id", "rz", "sx", "x")),
    "ecr line, directed": _qpu(("ecr", "rz", "sx", "x")),
    "cx line, directed": _qpu(("cx", "rz", "sx")),
    "ion words": _qpu(("gpi", "gpi2", "rxx")),
    "prx": _qpu(("cz", "prx")),
    "rx at a quarter turn": _qpu(("iswap", "rx", "rz")),
    "sqrt_iswap": _qpu(("prx", "rz", "sqrt_iswap")),
    "rzz": _qpu(("rz", "rzz", "sx")),
    "cp": _qpu(("cp", "u")),
    "cx and u on every pair": _simulator(("cx", "u")),
    "cz and u on every pair": _simulator(("cz", "u")),
}

# Every kind of gate, qubits 1 and 5 idle, bits in another order than qubits, bit 3 never written.
SAMPLE = Program(
    7,
    5,
    (
        Operation("h", (0,)),
        Operation("cx", (0, 4)),
        Operation("t", (4,)),
        Operation("ry", (2,), (0.7,)),
        Operation("ccx", (0, 4, 2)),
        Operation("iswap", (2, 3)),
        Operation("cp", (3, 0), (0.9,)),
        Operation("rxx", (6, 3), (0.4,)),
        Operation("u", (6,), (0.3, 0.2, 0.1)),
        Operation("swap", (0, 6)),
        measure(0, 4),
        measure(4, 0),
        measure(2, 2),
        measure(6, 1),
    ),
)


def _law(program: Program) -> dict[str, float]:
    """Exact probabilities by bitstring, c[0] rightmost."""
    from qiskit.quantum_info import Statevector

    small, _ = program.compacted()
    read = final_measurements(small)
    circuit = to_qiskit(small).remove_final_measurements(inplace=False)
    law = Statevector(circuit).probabilities(list(read.values()))
    named: dict[str, float] = {}
    for outcome, probability in enumerate(law):
        bits = {bit: outcome >> place & 1 for place, bit in enumerate(read)}
        key = "".join(str(bits.get(bit, 0)) for bit in reversed(range(program.num_bits)))
        named[key] = named.get(key, 0.0) + float(probability)
    return named


@pytest.mark.parametrize("name", DEVICES)
def test_compiling_keeps_the_distribution_over_the_user_s_own_bits(name: str) -> None:
    compiled = compile_for(DEVICES[name], SAMPLE)
    before, after = _law(SAMPLE), _law(compiled)
    keys = sorted(before)
    assert sorted(after) == keys
    np.testing.assert_allclose([after[k] for k in keys], [before[k] for k in keys], atol=1e-9)


@pytest.mark.parametrize("name", DEVICES)
def test_what_is_compiled_is_what_the_device_takes_verbatim(name: str) -> None:
    device = DEVICES[name]
    compiled = compile_for(device, SAMPLE)
    assert compiled.num_qubits == device.topology.num_qubits
    check_job(device, Job("0" * 64, device.name, (compiled,), 10))
    gates = {op.name for op in compiled.operations} - {"measure", "barrier", "reset"}
    assert gates <= set(device.topology.native_gates)


def test_the_same_program_and_device_give_the_same_text() -> None:
    device = DEVICES["ecr line, directed"]
    assert compile_for(device, SAMPLE).text == compile_for(device, SAMPLE).text


def test_measuring_in_the_middle_and_resetting_survive() -> None:
    program = Program(
        2,
        2,
        (
            Operation("h", (0,)),
            measure(0, 0),
            Operation("reset", (0,)),
            Operation("cx", (0, 1)),
            measure(1, 1),
        ),
    )
    names = [op.name for op in compile_for(DEVICES["cz line"], program).operations]
    assert (names.count("measure"), names.count("reset")) == (2, 1)


def test_angles_come_in_their_one_spelling_so_that_cliffords_stay_cliffords() -> None:
    bell = Program(
        2, 2, (Operation("h", (0,)), Operation("cx", (0, 1)), measure(0, 0), measure(1, 1))
    )
    quarter = math.pi / 2
    for op in compile_for(DEVICES["cz line"], bell).operations:
        assert all(angle / quarter == round(angle / quarter) for angle in op.angles)


def test_quieter_qubits_are_preferred() -> None:
    edges = ((0, 1), (1, 2), (2, 3))
    rates = ErrorRates((0.001,) * 4, (0.2, 0.2, 0.001), (0.2, 0.2, 0.01, 0.01))
    topology = Topology(4, edges, ("cz", "rz", "sx", "x"))
    device = Device("qpu", DeviceClass.QPU, topology, rates, "invented")
    bell = Program(
        2, 2, (Operation("h", (0,)), Operation("cx", (0, 1)), measure(0, 0), measure(1, 1))
    )
    assert compile_for(device, bell).used_qubits == (2, 3)


def test_a_thousand_coupled_qubits_need_no_list_of_pairs() -> None:
    wide = Program(
        300,
        300,
        (
            Operation("h", (0,)),
            *(Operation("cx", (q, q + 1)) for q in range(299)),
            *(measure(q, q) for q in range(300)),
        ),
    )
    compiled = compile_for(_simulator(("cx", "u"), 300), wide)
    assert compiled.two_qubit_gates == 299


@pytest.mark.parametrize(
    ("device", "error", "said"),
    [
        (_qpu(("cz", "rz", "sx"), 4), TooWide, "uses 5 qubits, device 'qpu' has 4"),
        (_qpu(("cz", "rz")), BadInput, "cannot compile for device 'qpu'"),
        (_qpu(("rz", "swap", "sx")), BadInput, "swap alone"),
    ],
)
def test_what_cannot_be_compiled_is_refused_with_a_reason(
    device: Device, error: type[Exception], said: str
) -> None:
    with pytest.raises(error, match=said):
        compile_for(device, SAMPLE)


def test_couplings_that_fall_apart_are_too_narrow() -> None:
    rates = ErrorRates((0.001,) * 6, (0.01,) * 3, (0.02,) * 6)
    topology = Topology(6, ((0, 1), (2, 3), (4, 5)), ("cz", "rz", "sx"))
    device = Device("pairs", DeviceClass.QPU, topology, rates, "invented")
    with pytest.raises(TooWide, match="does not fit the couplings"):
        compile_for(device, SAMPLE)


def test_who_submits_chooses_how_hard_to_compile() -> None:
    twice = Program(2, 2, (*[Operation("cx", (0, 1))] * 2, measure(0, 0), measure(1, 1)))
    found = {
        level: compile_for(DEVICES["cz line"], twice, level).two_qubit_gates
        for level in (0, 1, 2, 3)
    }
    # Two cx in a row are nothing: a mirror that must not be optimised away is sent at level 0.
    assert found == {0: 2, 1: 0, 2: 0, 3: 0}
    assert compile_for(DEVICES["cz line"], twice).two_qubit_gates == 0
