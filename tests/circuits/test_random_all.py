"""Expected values: counting gates and pairs; moments of random states; an entanglement bound."""

from collections import Counter

import numpy as np
import pytest
from numpy.typing import NDArray

from circuits.case import Case, SimulatedAnswer
from circuits.errors import FamilyError
from circuits.gates import GATES, matrix
from circuits.program import Program
from circuits.random_all import RandomAll
from circuits.topology import Topology, complete


def draw(key: bytes, width: int, depth: int = 16) -> Case:
    topology = complete(width, ["cx", "u"])
    return RandomAll().generate(key, width=width, depth=depth, topology=topology)


def pairings(case: Case) -> list[list[tuple[int, ...]]]:
    """The two-qubit layers, each as its edges."""
    layers: list[list[tuple[int, ...]]] = [[]]
    for op in case.program.operations:
        if op.name == "barrier":
            layers.append([])
        elif op.name == "cx":
            layers[-1].append(op.qubits)
    return [layer for layer in layers if layer]


def state(program: Program) -> NDArray[np.complex128]:
    n = program.num_qubits
    amplitudes = np.zeros((2,) * n, dtype=complex)
    amplitudes[(0,) * n] = 1
    for op in program.operations:
        if op.name in GATES:
            axes = [n - 1 - q for q in reversed(op.qubits)]
            gate = matrix(op.name, op.angles).reshape((2,) * (2 * len(axes)))
            amplitudes = np.tensordot(
                gate, amplitudes, axes=(range(len(axes), 2 * len(axes)), axes)
            )
            amplitudes = np.moveaxis(amplitudes, range(len(axes)), axes)
    return amplitudes.ravel()


def test_every_cycle_pairs_all_qubits() -> None:
    layers = pairings(draw(b"pairs", 8))
    assert len(layers) == 16
    for layer in layers:
        assert sorted(q for edge in layer for q in edge) == list(range(8))


def test_an_odd_width_leaves_one_qubit_out_each_time_another() -> None:
    left_out = [
        set(range(7)) - {q for edge in layer for q in edge} for layer in pairings(draw(b"odd", 7))
    ]
    assert {len(one) for one in left_out} == {1}
    assert len(set.union(*left_out)) > 3


def test_pairings_are_uniform_over_all_perfect_ones() -> None:
    # Four qubits have three perfect pairings; 40 circuits x 16 cycles: sd of each share .019.
    seen = Counter(
        tuple(layer) for k in range(40) for layer in pairings(draw(b"uniform %d" % k, 4))
    )
    assert len(seen) == 3
    for times in seen.values():
        assert times / 640 == pytest.approx(1 / 3, abs=5 * 0.019)


def test_probabilities_are_porter_thomas() -> None:
    # A Haar-random state has E[D sum p^2] = 2 D / (D + 1); spread over 20 circuits about .06.
    moments = [
        64 * float(np.sum(np.abs(state(draw(b"pt %d" % k, 6).program)) ** 4)) for k in range(20)
    ]
    assert np.mean(moments) == pytest.approx(2 * 64 / 65, abs=0.25)


def test_half_the_qubits_are_as_entangled_as_in_a_random_state() -> None:
    # Page: the mean entropy of m = n / 2 qubits is m ln 2 - 1/2.
    halves = np.linalg.svd(state(draw(b"page", 10).program).reshape(32, 32), compute_uv=False) ** 2
    assert -np.sum(halves * np.log(halves)) == pytest.approx(5 * np.log(2) - 0.5, abs=0.1)
    # Keeping a quarter of the bond dimension keeps less than two thirds of the weight.
    assert np.sort(halves)[::-1][:8].sum() < 0.7


def test_the_answer_is_left_to_a_reference() -> None:
    assert isinstance(draw(b"answer", 4).answer, SimulatedAnswer)


def test_the_widest_circuit_is_drawn() -> None:
    case = draw(b"wide", 34)
    assert case.program.two_qubit_gates == 16 * 17
    assert case.program.used_qubits == tuple(range(34))


@pytest.mark.parametrize("width", [-1, 1, 35])
def test_a_width_out_of_range_is_refused(width: int) -> None:
    topology = complete(40, ["cx", "u"])
    with pytest.raises(FamilyError, match=rf"needs 2 \.\. 34 qubits, got {width}"):
        RandomAll().generate(b"key", width=width, depth=16, topology=topology)


@pytest.mark.parametrize("depth", [-1, 15, 1025])
def test_a_depth_out_of_range_is_refused(depth: int) -> None:
    with pytest.raises(FamilyError, match=rf"depth 16 \.\. 1024, got {depth}"):
        draw(b"key", 4, depth)


def test_a_gate_that_does_not_entangle_is_refused() -> None:
    line = Topology(2, ((0, 1),), ("rz", "swap", "sx"))
    with pytest.raises(FamilyError, match="entangles, got swap"):
        RandomAll().generate(b"key", width=2, depth=16, topology=line)


def test_programs_are_frozen() -> None:
    # Golden digest: banks made by one validator are read by another.
    assert draw(b"golden", 6).program.digest[:16] == "39786ea37a872c04"
