"""Expected values: stim's run of the emitted program; closed forms of the polarization.

Proctor et al., PRL 129, 150502 (2022): with random local Cliffords at both ends and a random
target, E[(-1/2)^d] is the probability that the net error is the identity, apart from readout.
"""

import math
from collections.abc import Callable

import numpy as np
import pytest
import stim
from numpy.typing import NDArray
from scipy import stats

from circuits.case import Case, KnownAnswer
from circuits.emitters.stim import stim_rows, to_stim
from circuits.errors import FamilyError
from circuits.gates import matrix
from circuits.mirror import Mirror
from circuits.topology import Topology, complete

BASIS = ("cz", "rz", "sx", "x")
Floats = NDArray[np.float64]
Noise = Callable[[int], list[str]]


def line(width: int, gates: tuple[str, ...] = BASIS) -> Topology:
    return Topology(width, tuple((q, q + 1) for q in range(width - 1)), gates)


def draw(key: bytes, width: int, depth: int, topology: Topology | None = None) -> Case:
    return Mirror().generate(key, width=width, depth=depth, topology=topology or line(width))


def target(case: Case) -> NDArray[np.uint8]:
    """The answer as a row, column i = c[i]."""
    assert isinstance(case.answer, KnownAnswer)
    return np.array([int(bit) for bit in reversed(case.answer.bits)], dtype=np.uint8)


def with_noise(case: Case, noise: Noise) -> stim.Circuit:
    """Add the lines of `noise(k)` after the k-th layer (0, 1, ...; even ones are one-qubit)."""
    lines = []
    layer = 0
    for text in str(to_stim(case.program)).splitlines():
        lines.append(text)
        if text == "TICK":
            lines += noise(layer)
            layer += 1
    return stim.Circuit("\n".join(lines))


def distances(case: Case, circuit: stim.Circuit, shots: int, seed: int) -> Floats:
    """(-1/2)^d of every shot, d its Hamming distance to the answer."""
    samples = circuit.compile_sampler(seed=seed).sample(shots)
    wrong = stim_rows(samples, case.program) != target(case)
    return np.asarray((-0.5) ** wrong.sum(axis=1), dtype=np.float64)


def polarization(mean: float, width: int) -> float:
    return float((4**width * mean - 1) / (4**width - 1))


GATES = ["cx", "cz", "cp", "swap", "ecr", "iswap", "rzz", "rxx"]


@pytest.mark.parametrize("gate", GATES)
@pytest.mark.parametrize(("width", "depth"), [(2, 2), (5, 8), (9, 6)])
def test_a_noiseless_run_always_returns_the_answer(gate: str, width: int, depth: int) -> None:
    topology = line(9, (gate, "rz", "sx"))
    for index in range(5):
        case = draw(b"noiseless %d" % index, width, depth, topology)
        samples = to_stim(case.program).compile_sampler().sample(4)
        assert (stim_rows(samples, case.program) == target(case)).all()


def test_a_wide_mirror_returns_its_answer_too() -> None:
    case = draw(b"wide", 127, 16)
    samples = to_stim(case.program).compile_sampler().sample(4)
    assert (stim_rows(samples, case.program) == target(case)).all()


def test_depth_counts_two_qubit_layers_of_both_halves() -> None:
    case = draw(b"depth", 2, 6)  # one edge, so one gate a layer
    assert case.program.two_qubit_gates == 6
    assert sum(op.name == "barrier" for op in case.program.operations) == 6 + 7


def test_two_qubit_layers_of_the_second_half_undo_the_first_in_reverse_order() -> None:
    case = draw(b"order", 8, 10)
    layers: list[list[tuple[int, ...]]] = [[]]
    for op in case.program.operations:
        if op.name == "barrier":
            layers.append([])
        elif op.name == "cz":
            layers[-1].append(op.qubits)
    pairs = [layer for layer in layers if layer]
    assert len(pairs) == 10
    assert pairs == pairs[::-1]
    assert len({tuple(layer) for layer in pairs}) > 1


def test_answers_are_uniform_and_independent_of_the_drawn_edges() -> None:
    # A line of three has two maximal matchings, one edge each.
    table = np.zeros((2, 8))
    for index in range(1200):
        case = draw(b"uniform %d" % index, 3, 2)
        first = next(op.qubits for op in case.program.operations if op.name == "cz")
        table[first[0], int("".join(map(str, target(case))), 2)] += 1
    assert stats.chisquare(table.sum(axis=0)).pvalue > 1e-4
    assert stats.chisquare(table.sum(axis=1)).pvalue > 1e-4
    assert stats.chi2_contingency(table).pvalue > 1e-4


def end_gates(case: Case) -> list[tuple[NDArray[np.complex128], NDArray[np.complex128]]]:
    """For each qubit the unitaries of the first and the last one-qubit layer."""
    layers: list[list[NDArray[np.complex128]]] = [[np.eye(2, dtype=complex)] * case.width]
    for op in case.program.operations:
        if op.name == "barrier":
            layers.append([np.eye(2, dtype=complex)] * case.width)
        elif len(op.qubits) == 1 and op.name != "measure":
            place = case.qubits.index(op.qubits[0])
            layers[-1][place] = matrix(op.name, op.angles) @ layers[-1][place]
    return list(zip(layers[0], layers[-2], strict=True))


def test_both_ends_are_uniform_cliffords_inverse_up_to_an_independent_pauli() -> None:
    paulis = [matrix(name) for name in ("id", "x", "y", "z")]
    between, first = [0] * 4, []
    for index in range(60):
        for start, end in end_gates(draw(b"ends %d" % index, 10, 2)):
            overlaps = [abs(np.vdot(pauli, end @ start)) / 2 for pauli in paulis]
            assert max(overlaps) == pytest.approx(1, abs=1e-9)
            between[int(np.argmax(overlaps))] += 1
            phase = start.flat[int(np.argmax(np.abs(start) > 0.4))]
            first.append(tuple(np.round(start * abs(phase) / phase, 6).ravel() + 0.0))
    assert stats.chisquare(between).pvalue > 1e-4
    kinds = sorted(set(first), key=str)
    assert len(kinds) == 24
    assert stats.chisquare([first.count(kind) for kind in kinds]).pvalue > 1e-4


def depolarize(width: int, probability: float) -> list[str]:
    """A uniformly random Pauli other than the identity on all qubits, with `probability`."""
    lines, left = [], 1.0
    share = probability / (4**width - 1)
    for code in range(1, 4**width):
        letters = ["IXYZ"[code >> 2 * q & 3] for q in range(width)]
        word = "CORRELATED_ERROR" if code == 1 else "ELSE_CORRELATED_ERROR"
        targets = " ".join(f"{letter}{q}" for q, letter in enumerate(letters) if letter != "I")
        lines.append(f"{word}({share / left}) {targets}")
        left -= share
    return lines


@pytest.mark.parametrize(("width", "depth"), [(2, 2), (2, 8), (3, 6)])
def test_polarization_under_depolarizing_noise_follows_the_closed_form(
    width: int, depth: int
) -> None:
    # Depolarizing all qubits after each two-qubit layer multiplies the polarization by
    # 1 - p 4^n / (4^n - 1), for each circuit alike: shots of all circuits are one sample.
    p, circuits, shots = 0.06, 60, 200
    lines = depolarize(width, p)
    values = []
    for index in range(circuits):
        case = draw(b"depolarize %d" % index, width, depth)
        circuit = with_noise(case, lambda layer: lines if layer % 2 else [])
        values.append(distances(case, circuit, shots, seed=index))
    scale = 4**width / (4**width - 1)
    expected = (1 - p * scale) ** depth
    # A shot is right, or uniform over all strings: E[4^-d] = F + (1 - F) (5/8)^n.
    mean = (expected + scale - 1) / scale
    second = expected + (1 - expected) * (5 / 8) ** width
    deviation = scale * math.sqrt((second - mean**2) / (circuits * shots))
    assert deviation < 0.01
    got = polarization(float(np.mean(values)), width)
    assert got == pytest.approx(expected, abs=4 * deviation)


def test_local_noise_in_the_middle_costs_its_no_error_probability() -> None:
    # One layer of one-qubit depolarizing noise: E[A] = (1 - p)^n over circuits.
    width, depth, p = 10, 8, 0.05
    means = []
    for index in range(150):
        case = draw(b"local %d" % index, width, depth)
        every = " ".join(map(str, case.qubits))
        noise = [f"DEPOLARIZE1({p}) {every}"]
        circuit = with_noise(case, lambda k, n=noise: n if k == depth else [])  # type: ignore[misc]
        means.append(float(distances(case, circuit, 100, seed=index).mean()))
    error = float(np.std(means, ddof=1)) / math.sqrt(len(means))
    assert error < 0.01
    assert np.mean(means) == pytest.approx((1 - p) ** width, abs=4 * error)


@pytest.mark.parametrize("pauli", "XYZ")
def test_a_certain_error_leaves_no_polarization_thanks_to_the_random_ends(pauli: str) -> None:
    # The last uniform Clifford hides the error in one case of three: 1/3 - 1/2 * 2/3 = 0.
    values = []
    for index in range(600):
        case = draw(b"certain %d" % index, 2, 2)
        circuit = with_noise(case, lambda k: [f"{pauli} 0"] if k == 3 else [])
        values.append(float(distances(case, circuit, 1, seed=index)[0]))
    assert set(values) == {1.0, -0.5}
    # sd of one value: sqrt(1/3 + 2/3 * 1/4) = sqrt(1/2)
    assert np.mean(values) == pytest.approx(0, abs=4 * math.sqrt(0.5 / 600))


def test_readout_error_alone_averages_over_the_two_values_of_each_bit() -> None:
    width, up, down = 4, 0.02, 0.10  # 0 -> 1 and 1 -> 0
    rng = np.random.default_rng(5)
    values = []
    for index in range(300):
        case = draw(b"readout %d" % index, width, 2)
        samples = to_stim(case.program).compile_sampler(seed=index).sample(100)
        rows = stim_rows(samples, case.program)
        wrong = rng.random(rows.shape) < np.where(rows == 1, down, up)
        values.append(float(np.mean((-0.5) ** wrong.sum(axis=1))))
    expected = (4**width * (1 - 1.5 * (up + down) / 2) ** width - 1) / (4**width - 1)
    error = float(np.std(values, ddof=1)) / math.sqrt(len(values))
    assert error < 0.01
    assert polarization(float(np.mean(values)), width) == pytest.approx(expected, abs=4 * error)


@pytest.mark.parametrize("depth", [-2, 0, 1, 3, 1026])
def test_a_depth_that_has_no_two_halves_is_refused(depth: int) -> None:
    with pytest.raises(FamilyError, match=rf"even depth 2 \.\. 1024, got {depth}"):
        draw(b"key", 2, depth)


@pytest.mark.parametrize("width", [0, 1])
def test_a_mirror_needs_a_pair(width: int) -> None:
    with pytest.raises(FamilyError, match=f"at least 2 qubits, got {width}"):
        draw(b"key", width, 2, line(5))


def test_more_qubits_than_are_connected_are_refused() -> None:
    with pytest.raises(FamilyError, match=r"need 1 \.\. 5 connected qubits .* got 6"):
        draw(b"key", 6, 2, line(5))


@pytest.mark.parametrize("gate", ["sqrt_iswap"])
def test_a_native_gate_that_is_no_clifford_is_refused(gate: str) -> None:
    with pytest.raises(FamilyError, match=f"needs a Clifford among cx, cz, .* got {gate}"):
        draw(b"key", 2, 2, complete(2, [gate, "u"]))
