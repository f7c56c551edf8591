"""Expected values: a dense simulation and Qiskit's; stim's noise with a closed form.

Proctor et al., arXiv:2204.07568: gamma = E[S(M1)] / sqrt(E[S(M2)] E[S(M3)]) is the polarization of
the circuit's own error.
"""

import math
from collections.abc import Callable

import numpy as np
import pytest
import stim
from qiskit.quantum_info import Statevector
from scipy import stats

from circuits.case import Case, KnownAnswer
from circuits.draws import Draws
from circuits.emitters.qiskit import to_qiskit
from circuits.emitters.stim import stim_rows, to_stim
from circuits.errors import FamilyError, ProgramError
from circuits.frames import framed_layers, skeleton
from circuits.mcfe import Trap, Traps, traps
from circuits.program import BARRIER, Operation, Program, barrier, measure
from circuits.topology import Topology, complete
from circuits.verbatim import verbatim_program

Law = dict[str, float]
ANY = Topology(6, ((0, 1), (2, 1), (2, 3), (3, 5), (4, 5)), ("cx", "rz", "sx"))


def gate(name: str, *qubits: int, angles: tuple[float, ...] = ()) -> Operation:
    return Operation(name, qubits, angles)


def lopsided(name: str, angles: tuple[float, ...] = ()) -> tuple[Program, Topology]:
    """Gates of every kind, a barrier, idle qubit 0, bits out of order, qubit 4 not measured."""
    operations = (
        gate("h", 1),
        gate("t", 1),
        gate("u", 2, angles=(0.3, 1.1, -2.0)),
        gate(name, 2, 1, angles=angles),
        gate("prx", 3, angles=(0.7, 0.2)),
        gate(name, 2, 3, angles=angles),
        barrier((0, 1, 2, 3)),
        gate("gpi", 1, angles=(0.4,)),
        gate("gpi2", 5, angles=(1.9,)),
        gate(name, 3, 5, angles=angles),
        gate("sdg", 5),
        gate(name, 4, 5, angles=angles),
        gate("ry", 3, angles=(2.2,)),
        gate(name, 2, 1, angles=angles),
        gate("rx", 2, angles=(-0.9,)),
        *(measure(5, 0), measure(1, 3), measure(3, 1), measure(2, 2)),
    )
    native = ("prx", "rz") if name in ("cz", "rzz") else ("rz", "sx")
    return Program(6, 4, operations), Topology(6, ANY.edges, (*native, name))


GATES = [
    ("cx", ()),
    ("cz", ()),
    ("cp", (-math.pi,)),
    ("swap", ()),
    ("ecr", ()),
    ("iswap", ()),
    ("rzz", (math.pi / 2,)),
    ("rzz", (-math.pi / 2,)),
    ("rxx", (5 * math.pi / 2,)),
]


def kinds(found: Traps) -> tuple[Case, Case, Case]:
    return found.m1, found.m2, found.m3


def bits(case: Case) -> str:
    assert isinstance(case.answer, KnownAnswer)
    return case.answer.bits


@pytest.mark.parametrize(("name", "angles"), GATES)
def test_all_three_return_their_answers(
    name: str, angles: tuple[float, ...], distribution: Callable[[Program], Law]
) -> None:
    program, topology = lopsided(name, angles)
    for index in range(2):
        found = traps(b"answers %d" % index, program, topology)
        for case in kinds(found):
            assert case.qubits == (1, 2, 3, 4, 5)
            law = distribution(case.program.compacted()[0])
            assert law[bits(case)] == pytest.approx(1, abs=1e-9)


def test_qiskit_finds_the_same_string() -> None:
    program, topology = lopsided("ecr")
    for case in kinds(traps(b"qiskit", program, topology)):
        circuit = to_qiskit(case.program)
        circuit.remove_final_measurements()
        law = Statevector(circuit).probabilities_dict(qargs=list(case.qubits))
        assert law[bits(case)] == pytest.approx(1, abs=1e-9)


def two_qubit(program: Program) -> list[tuple[int, ...]]:
    return [op.qubits for op in program.operations if op.name == "cx"]


def test_m1_holds_the_circuit_as_it_is() -> None:
    program, topology = lopsided("cx")
    text = traps(b"as it is", program, topology).m1.program.text.splitlines()
    own = [line for line in program.text.splitlines()[5:] if "measure" not in line]
    first = text.index("h q[1];")
    shown = [line.replace("q[0], ", "") for line in own if not line.startswith("gate")]
    start = shown.index("h q[1];")
    assert text[first : first + len(shown) - start] == shown[start:]


def test_m1_and_m2_have_the_circuits_two_qubit_gates_and_back_and_m3_has_none() -> None:
    program, topology = lopsided("cx")
    found = traps(b"skeleton", program, topology)
    forward = [(2, 1), (2, 3), (3, 5), (4, 5), (2, 1)]
    assert two_qubit(program) == forward
    assert two_qubit(found.m1.program)[:5] == forward
    assert sorted(two_qubit(found.m1.program)[5:]) == sorted(forward)
    layers = [{(2, 1)}, {(2, 3)}, {(3, 5), (2, 1)}, {(4, 5)}]
    seen: list[set[tuple[int, ...]]] = [set()]
    for op in found.m2.program.operations:
        if op.name == "barrier":
            seen.append(set())
        elif op.name == "cx":
            seen[-1].add(op.qubits)
    assert [layer for layer in seen if layer] == layers + layers[::-1]
    assert two_qubit(found.m3.program) == []
    assert [case.depth for case in kinds(found)] == [4, 4, 4]
    assert [case.family for case in kinds(found)] == ["trap", "trap_m2", "trap_m3"]


def test_another_key_changes_frames_and_answers_but_not_the_circuit() -> None:
    program, topology = lopsided("cz")
    found = [traps(b"other %d" % k, program, topology) for k in range(12)]
    for which in range(3):
        cases = [kinds(one)[which] for one in found]
        assert len({case.program.digest for case in cases}) == 12
        assert len({bits(case) for case in cases}) > 4
    again = traps(b"other 3", program, topology)
    assert again == found[3]


@pytest.mark.parametrize("which", range(3))
def test_answers_are_uniform(which: int) -> None:
    program = Program(2, 1, (gate("h", 0), gate("t", 0), gate("cx", 0, 1), measure(0, 0)))
    line = complete(2, ["cx", "u"])
    seen = [bits(kinds(traps(b"uniform %d" % k, program, line))[which]) for k in range(200)]
    assert stats.chisquare([seen.count(key) for key in ("00", "01", "10", "11")]).pvalue > 1e-4


def test_a_frame_leaves_the_unitary_up_to_its_pauli(
    unitary: Callable[[Program], np.ndarray],
    same_up_to_phase: Callable[[np.ndarray, np.ndarray], bool],
) -> None:
    program, topology = lopsided("ecr")
    circuit = skeleton(program, topology)
    letters = ("id", "x", "z", "y")
    for index, frame in enumerate((dict.fromkeys(range(1, 6), 0), {1: 3, 2: 1, 3: 0, 4: 2, 5: 1})):
        incoming = [gate(letters[code], qubit) for qubit, code in frame.items() if code]
        layers = list(framed_layers(circuit, frame, Draws(b"frame %d" % index), topology))
        outgoing = [gate(letters[code], qubit) for qubit, code in frame.items() if code]
        written = verbatim_program(topology, circuit.qubits, [incoming, *layers, outgoing])
        assert same_up_to_phase(unitary(written), unitary(program))


def polarization(case: Case, circuit: stim.Circuit, seed: int) -> float:
    samples = circuit.compile_sampler(seed=seed).sample(100)
    answer = np.array([int(bit) for bit in reversed(bits(case))])
    wrong = (stim_rows(samples, case.program) != answer).sum(axis=1)
    scale = 4**case.width
    return float((scale * np.mean((-0.5) ** wrong) - 1) / (scale - 1))


def test_gamma_is_the_polarization_of_the_circuits_own_error() -> None:
    # DEPOLARIZE2(p) after each of m two-qubit gates leaves (1 - 16/15 p)^m of C's polarization;
    # readout and preparation errors cancel.
    p, m, circuits = 0.04, 3, 80
    line = complete(2, ["cx", "u"])
    body = [gate("h", 0), gate("cx", 0, 1), gate("s", 1), gate("cx", 0, 1), gate("sx", 0)]
    program = Program(2, 1, (*body, gate("cx", 0, 1), measure(0, 0)))
    found: list[list[float]] = [[], [], []]
    for index in range(circuits):
        for which, case in enumerate(kinds(traps(b"gamma %d" % index, program, line))):
            lines = []
            for text in str(to_stim(case.program)).splitlines():
                lines += ["X_ERROR(0.02) 0 1"] if text.startswith("M") else []
                # Neighbouring gates of one kind share a line in stim's text.
                lines += [text, *([f"DEPOLARIZE2({p}) 0 1"] * text.count("CX"))]
            noisy = stim.Circuit("\n".join(lines))
            found[which].append(polarization(case, noisy, seed=index))
    means = [float(np.mean(values)) for values in found]
    gamma = means[0] / math.sqrt(means[1] * means[2])
    relative = [float(np.std(v, ddof=1)) / math.sqrt(circuits) / np.mean(v) for v in found]
    deviation = gamma * math.sqrt(relative[0] ** 2 + (relative[1] ** 2 + relative[2] ** 2) / 4)
    assert deviation < 0.02
    assert gamma == pytest.approx((1 - 16 / 15 * p) ** m, abs=4 * deviation)


def refuse(operations: list[Operation], message: str, topology: Topology = ANY) -> None:
    with pytest.raises(FamilyError, match=message):
        traps(b"key", Program(6, 1, tuple(operations)), topology)


def test_circuits_that_have_no_traps_are_refused() -> None:
    refuse([], "need a program that uses a qubit")
    refuse([gate("ccx", 0, 1, 2)], "native gates on at most two qubits, got ccx")
    refuse([gate("cz", 0, 1)], "native gates on at most two qubits, got cz")
    refuse([gate("cx", 1, 0)], r"on an edge in native direction, got \[1, 0\]")
    rzz = Topology(6, ANY.edges, ("rz", "rzz", "sx"))
    refuse([gate("rzz", 0, 1, angles=(0.4,))], r"need a Clifford among .* got rzz\(0.4\)", rzz)
    refuse([gate("rzz", 0, 1, angles=(math.pi,))], "need a Clifford among", rzz)
    root = Topology(6, ANY.edges, ("rz", "sqrt_iswap", "sx"))
    refuse([gate("sqrt_iswap", 0, 1)], "got sqrt_iswap", root)
    refuse([gate("h", 0)], "on the device's 2 qubits, got 6", complete(2, ["cx", "u"]))


def test_a_measurement_in_the_middle_is_refused() -> None:
    program = Program(6, 1, (measure(0, 0), gate("h", 0)))
    with pytest.raises(ProgramError, match="after its measurement"):
        traps(b"key", program, ANY)


def test_a_planned_trap_has_no_barrier_as_users_circuits_have_none() -> None:
    line = Topology(4, ((0, 1), (1, 2), (2, 3)), ("cz", "rz", "sx", "x"))
    case = Trap("trap").generate(b"key", width=4, depth=3, topology=line)
    assert not [op for op in case.program.operations if op.name == BARRIER]
