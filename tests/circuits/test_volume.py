"""Expected values: matrices; moments of Haar-random unitaries; mean heavy outputs of the paper.

Cross et al., Phys. Rev. A 100, 032328 (2019): the ideal heavy output probability of square model
circuits is .793, .819 and .831 on average at 2, 3 and 4 qubits.
"""

import itertools
from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.linalg import expm

from circuits.case import SimulatedAnswer
from circuits.cliffords import CLIFFORDS
from circuits.controlled_not import controlled_not
from circuits.draws import Draws
from circuits.errors import FamilyError
from circuits.gates import matrix
from circuits.native import two_qubit
from circuits.program import Operation, Program
from circuits.topology import Topology, complete
from circuits.volume import Volume, _step_closer, _together, haar_invariants

Law = dict[str, float]
Matrix = NDArray[np.complex128]
BASIS = ("cz", "rz", "sx", "x")
GATES = ["cx", "cz", "cp", "ecr", "rzz", "rxx"]


def line(width: int, gates: tuple[str, ...] = BASIS) -> Topology:
    return Topology(width, tuple((q, q + 1) for q in range(width - 1)), gates)


def law(program: Program, distribution: Callable[[Program], Law]) -> NDArray[np.float64]:
    found = np.zeros(2**program.num_bits)
    for bits, weight in distribution(program).items():
        found[int(bits, 2)] = weight
    return found


def draw(key: bytes, width: int, depth: int, topology: Topology) -> Program:
    case = Volume().generate(key, width=width, depth=depth, topology=topology)
    assert isinstance(case.answer, SimulatedAnswer)
    return case.program


def clifford(index: int) -> Matrix:
    theta, phi, lam = (turns * np.pi / 2 for turns in CLIFFORDS[index].turns)
    return matrix("u", (theta, phi, lam))


@pytest.mark.parametrize("gate", GATES)
@pytest.mark.parametrize("control", [0, 1])
def test_a_recipe_makes_the_native_gate_a_controlled_not(gate: str, control: int) -> None:
    recipe = controlled_not(gate, control)
    before = np.kron(clifford(recipe.before[1]), clifford(recipe.before[0]))
    behind = np.kron(clifford(recipe.behind[1]), clifford(recipe.behind[0]))
    made = behind @ matrix(*two_qubit(complete(2, [gate]))) @ before
    swap = matrix("swap")
    wanted = matrix("cx") if control == 0 else swap @ matrix("cx") @ swap
    assert abs(np.vdot(wanted, made)) == pytest.approx(4)


@pytest.mark.parametrize("gate", ["iswap", "swap", "sqrt_iswap"])
def test_gates_that_make_no_controlled_not_are_refused(gate: str) -> None:
    with pytest.raises(FamilyError, match=f"need a controlled-NOT .* got {gate}"):
        Volume().generate(b"key", width=2, depth=2, topology=line(2, (gate, "rz", "sx")))


def invariants(unitary: Matrix) -> tuple[complex, complex]:
    """Makhlin's two numbers, which fix a two-qubit gate up to one-qubit gates."""
    bell = np.array([[1, 0, 0, 1j], [0, 1j, 1, 0], [0, 1j, -1, 0], [1, 0, 0, -1j]]) / np.sqrt(2)
    turned = bell.conj().T @ unitary @ bell
    m = turned.T @ turned
    det, trace = np.linalg.det(unitary), np.trace(m)
    return trace**2 / (16 * det), (trace**2 - np.trace(m @ m)) / (4 * det)


@pytest.mark.parametrize("gate", GATES)
def test_three_gates_make_any_interaction(gate: str, unitary: Callable[[Program], Matrix]) -> None:
    paulis = [np.array(p) for p in ([[0, 1], [1, 0]], [[0, -1j], [1j, 0]], [[1, 0], [0, -1]])]
    for angles in ((0.3, 1.1, 2.5), (0.0, 0.7, 0.1), (1.9, 1.9, 0.4)):
        generator = sum(a * np.kron(p, p) for a, p in zip(angles, paulis, strict=True))
        topology = Topology(2, ((1, 0),), (gate, "rz", "sx"))
        layers = list(_together([((0, 1), angles)], topology))
        made = unitary(Program(2, 1, tuple(op for layer in layers for op in layer)))
        assert invariants(made) == pytest.approx(invariants(expm(0.5j * generator)), abs=1e-9)


def test_a_pair_is_left_in_a_haar_random_state(distribution: Callable[[Program], Law]) -> None:
    # E sum p^2 = 2 / (D + 1); without entanglement it would be (2/3)^2.
    topology = complete(2, ["cx", "u"])
    laws = [law(draw(b"haar %d" % k, 2, 1, topology), distribution) for k in range(300)]
    assert np.mean([np.sum(p**2) for p in laws]) == pytest.approx(0.4, abs=0.03)


def test_interactions_have_the_density_of_haar_random_unitaries() -> None:
    # Purity of one half of U|00>, averaged over local gates, is 1 - e with the entangling power
    # e = 2/9 (1 - |G1|): over Haar-random U the mean purity is 4/5, so the mean |G1| is 1/10.
    paulis = [np.array(p) for p in ([[0, 1], [1, 0]], [[0, -1j], [1j, 0]], [[1, 0], [0, -1]])]
    pairs = [np.kron(p, p) for p in paulis]
    draws, sizes = Draws(b"density"), []
    for _ in range(400):
        angles = haar_invariants(draws)
        generator = sum(a * pair for a, pair in zip(angles, pairs, strict=True))
        sizes.append(abs(invariants(expm(0.5j * generator))[0]))
    assert np.mean(sizes) == pytest.approx(0.1, abs=4 * float(np.std(sizes)) / 20)


@pytest.mark.parametrize(("width", "mean"), [(2, 0.793), (3, 0.819), (4, 0.831)])
def test_heavy_outputs_come_as_often_as_in_the_paper(
    width: int, mean: float, distribution: Callable[[Program], Law]
) -> None:
    heavy = []
    for index in range(80):
        p = law(draw(b"heavy %d" % index, width, width, complete(width, ["cx", "u"])), distribution)
        heavy.append(p[p > np.median(p)].sum())
    deviation = np.std(heavy, ddof=1) / np.sqrt(len(heavy))
    assert deviation < 0.02
    assert np.mean(heavy) == pytest.approx(mean, abs=3 * deviation)


def permuted(p: NDArray[np.float64], order: tuple[int, ...]) -> NDArray[np.float64]:
    return np.asarray(p.reshape([2] * len(order)).transpose(order).ravel())


def test_moving_qubits_about_changes_nothing_but_their_order(
    distribution: Callable[[Program], Law],
) -> None:
    # cz has no direction, so that the same interactions come out on every coupling.
    star = Topology(5, ((0, 2), (2, 1), (3, 2), (2, 4)), BASIS)
    for index, device in enumerate((line(5), star)):
        key = b"route %d" % index
        free = law(draw(key, 5, 4, complete(5, BASIS)), distribution)
        moved = law(draw(key, 5, 4, device), distribution)
        orders = itertools.permutations(range(5))
        assert any(np.allclose(permuted(free, order), moved, atol=1e-8) for order in orders)


@pytest.mark.parametrize("gate", GATES)
@pytest.mark.parametrize("edge", [(0, 1), (1, 0)])
def test_a_step_is_a_swap_on_the_way_to_the_other(
    gate: str, edge: tuple[int, int], unitary: Callable[[Program], Matrix]
) -> None:
    topology = Topology(3, (edge, (1, 2)), (gate, "rz", "sx"))
    where = [2, 0, 1]
    layers = list(_step_closer(where, (1, 0), (0, 1, 2), topology))
    assert where == [2, 1, 0]
    made = unitary(Program(3, 1, tuple(op for layer in layers for op in layer)))
    assert abs(np.vdot(np.kron(np.eye(2), matrix("swap")), made)) == pytest.approx(8)


def test_a_swap_takes_three_gates_and_pairs_go_together_where_they_can() -> None:
    free = draw(b"count", 6, 3, complete(6, ["cx", "u"]))
    assert free.two_qubit_gates == 3 * 3 * 3
    fences = sum(op.name == "barrier" for op in free.operations)
    assert fences == 3 * (1 + 3 + 2) + 1
    moved = draw(b"count", 6, 3, line(6))
    assert moved.two_qubit_gates > 27
    assert moved.two_qubit_gates % 3 == 0


def test_an_odd_qubit_is_left_out_of_a_pairing() -> None:
    program = draw(b"odd", 3, 1, complete(3, ["cx", "u"]))
    pairs = {frozenset(op.qubits) for op in program.operations if op.name == "cx"}
    assert len(pairs) == 1
    assert isinstance(program.operations[0], Operation)


@pytest.mark.parametrize("depth", [0, 129])
def test_a_depth_out_of_range_is_refused(depth: int) -> None:
    with pytest.raises(FamilyError, match=rf"depth 1 \.\. 128, got {depth}"):
        draw(b"key", 2, depth, line(2))


def test_a_width_beyond_simulation_is_refused() -> None:
    with pytest.raises(FamilyError, match=r"needs 2 \.\. 20 qubits, got 21"):
        draw(b"key", 21, 2, line(25))
