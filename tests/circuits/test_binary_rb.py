"""Expected values: stim's and Qiskit's runs of the emitted program; closed forms of the decay.

Hines et al., PRX Quantum 5, 030334 (2024): over random circuits E[+-1] falls as A r^m, with r the
polarization of a layer's error.
"""

import math

import numpy as np
import pytest
import stim
from numpy.typing import NDArray
from qiskit.quantum_info import Pauli, Statevector
from scipy import stats

from circuits.binary_rb import BinaryRB
from circuits.case import Case, ParityAnswer
from circuits.cliffords import CLIFFORDS
from circuits.draws import Draws
from circuits.emitters.qiskit import to_qiskit
from circuits.emitters.stim import stim_rows, to_stim
from circuits.errors import FamilyError
from circuits.parity import SignedPauli, random_support, turned_to_z
from circuits.topology import Topology, complete

GATES = ["cx", "cz", "cp", "swap", "ecr", "iswap", "rzz", "rxx"]


def line(width: int, gates: tuple[str, ...] = ("cz", "rz", "sx", "x")) -> Topology:
    return Topology(width, tuple((q, q + 1) for q in range(width - 1)), gates)


def draw(key: bytes, width: int, depth: int, topology: Topology | None = None) -> Case:
    return BinaryRB().generate(key, width=width, depth=depth, topology=topology or line(width))


def parity(case: Case) -> ParityAnswer:
    assert isinstance(case.answer, ParityAnswer)
    return case.answer


def wrong(case: Case, circuit: stim.Circuit, shots: int, seed: int = 0) -> NDArray[np.int64]:
    """1 for each shot whose parity is not the answer's."""
    rows = stim_rows(circuit.compile_sampler(seed=seed).sample(shots), case.program)
    mask = np.array([int(bit) for bit in reversed(parity(case).mask)])
    return np.asarray((rows.astype(np.int64) @ mask + parity(case).sign) % 2)


@pytest.mark.parametrize("gate", GATES)
@pytest.mark.parametrize(("width", "depth"), [(2, 1), (5, 8), (9, 6)])
def test_stim_always_finds_the_parity(gate: str, width: int, depth: int) -> None:
    topology = line(9, (gate, "rz", "sx"))
    for index in range(5):
        case = draw(b"noiseless %d" % index, width, depth, topology)
        assert not wrong(case, to_stim(case.program), 8).any()


def test_a_wide_circuit_keeps_its_parity_too() -> None:
    case = draw(b"wide", 127, 20)
    assert not wrong(case, to_stim(case.program), 8).any()


def test_qiskit_expects_the_same_pauli_value() -> None:
    for index in range(12):
        case = draw(b"qiskit %d" % index, 4, 3, line(4, ("ecr", "rz", "sx")))
        circuit = to_qiskit(case.program)
        circuit.remove_final_measurements()
        label = parity(case).mask.replace("0", "I").replace("1", "Z")
        value = Statevector(circuit).expectation_value(Pauli(label)).real
        assert value == pytest.approx((-1) ** parity(case).sign, abs=1e-9)


def test_only_the_one_parity_is_certain_and_not_the_string() -> None:
    # A random stabilizer state of 8 qubits gives one string with certainty in 2**-8 of all cases.
    spread = 0
    for index in range(20):
        case = draw(b"spread %d" % index, 8, 8)
        samples = to_stim(case.program).compile_sampler(seed=1).sample(50)
        spread += len({row.tobytes() for row in samples}) > 10
    assert spread >= 18


def test_signs_are_fair_and_each_bit_counts_in_three_of_four_cases() -> None:
    # The carried Pauli is uniform over the 4^3 - 1 that there are: a letter is not I with
    # probability 48/63, each sign with 1/2.
    answers = [parity(draw(b"uniform %d" % index, 3, 3)) for index in range(600)]
    signs = [sum(answer.sign == s for answer in answers) for s in (0, 1)]
    assert stats.chisquare(signs).pvalue > 1e-4
    for place in range(3):
        counted = sum(answer.mask[place] == "1" for answer in answers)
        assert stats.binomtest(counted, len(answers), 48 / 63).pvalue > 1e-4


def test_depth_counts_two_qubit_layers_without_a_way_back() -> None:
    case = draw(b"depth", 8, 10)
    layers: list[list[tuple[int, ...]]] = [[]]
    for op in case.program.operations:
        if op.name == "barrier":
            layers.append([])
        elif op.name == "cz":
            layers[-1].append(op.qubits)
    pairs = [layer for layer in layers if layer]
    assert len(pairs) == 10
    assert pairs != pairs[::-1]


def with_noise(case: Case, lines: list[str]) -> stim.Circuit:
    """Add noise after every two-qubit layer (every second TICK)."""
    text, layer = [], 0
    for instruction in str(to_stim(case.program)).splitlines():
        text.append(instruction)
        if instruction == "TICK":
            layer += 1
            text += [] if layer % 2 else lines
    return stim.Circuit("\n".join(text))


@pytest.mark.parametrize("depth", [2, 8])
def test_depolarizing_noise_lowers_the_parity_by_its_polarization(depth: int) -> None:
    # DEPOLARIZE2(p) on both qubits leaves 1 - 16/15 p of every non-identity Pauli: E = r^m.
    p, circuits, shots = 0.06, 60, 100
    rate = np.mean(
        [
            wrong(case, with_noise(case, [f"DEPOLARIZE2({p}) 0 1"]), shots, seed=index).mean()
            for index in range(circuits)
            for case in [draw(b"noise %d" % index, 2, depth)]
        ]
    )
    expected = (1 - 16 / 15 * p) ** depth
    deviation = math.sqrt((1 - expected**2) / (circuits * shots))
    assert 1 - 2 * rate == pytest.approx(expected, abs=4 * deviation)


def test_one_certain_local_error_averages_to_its_polarization() -> None:
    # X on one of two qubits commutes with 7 of the 15 non-identity Paulis and not with 8: the
    # mean is (7 - 8)/15 = (4^n F - 1)/(4^n - 1) at F = 0.
    values = []
    for index in range(500):
        case = draw(b"local %d" % index, 2, 1)
        values.append(1 - 2 * int(wrong(case, with_noise(case, ["X 0"]), 1)[0]))
    assert np.mean(values) == pytest.approx(-1 / 15, abs=4 / math.sqrt(500))


def test_supports_are_uniform_over_what_is_not_empty() -> None:
    # Weights 3, 3 and 9 of 15 for (0), (1) and (0, 1).
    draws = Draws(b"support")
    seen = [tuple(random_support((0, 1), draws)) for _ in range(600)]
    counts = [seen.count(kind) for kind in ((0,), (1,), (0, 1))]
    assert stats.chisquare(counts, [120, 120, 360]).pvalue > 1e-4


def test_every_letter_is_turned_to_z_by_each_clifford_that_can() -> None:
    draws = Draws(b"letters")
    for code, kinds in ((0, 24), (1, 8), (2, 8), (3, 8)):
        chosen = turned_to_z([code] * 600, draws)
        assert {CLIFFORDS[c].images[code] for c in chosen} == {2 if code else 0}
        assert len(set(chosen)) == kinds


def test_a_pauli_of_identities_answers_nothing() -> None:
    with pytest.raises(ValueError, match="need a mask"):
        SignedPauli([], qubits=(0, 1)).answer((0, 1))


@pytest.mark.parametrize("depth", [-1, 0, 1025])
def test_a_depth_out_of_range_is_refused(depth: int) -> None:
    with pytest.raises(FamilyError, match=rf"depth 1 \.\. 1024, got {depth}"):
        draw(b"key", 2, depth)


def test_a_native_gate_that_is_no_clifford_is_refused() -> None:
    with pytest.raises(FamilyError, match=r"needs a Clifford among cx, cz, .* got sqrt_iswap"):
        draw(b"key", 2, 2, complete(2, ["sqrt_iswap", "u"]))
