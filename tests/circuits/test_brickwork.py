"""Expected values: a dense simulation with the gates' matrices; moments of random states."""

import math

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import stats

from circuits.brickwork import Brickwork, haar_angles, polar_angle
from circuits.case import Case, SimulatedAnswer
from circuits.draws import Draws
from circuits.errors import FamilyError
from circuits.gates import GATES, matrix
from circuits.layout import edge_layers
from circuits.program import Program
from circuits.topology import Topology, complete


def line(width: int, gate: str = "cz") -> Topology:
    return Topology(width, tuple((q, q + 1) for q in range(width - 1)), (gate, "rz", "sx", "x"))


def draw(key: bytes, width: int, depth: int, topology: Topology | None = None) -> Case:
    return Brickwork().generate(key, width=width, depth=depth, topology=topology or line(width))


def probabilities(program: Program) -> NDArray[np.float64]:
    """Ideal outcome probabilities by index, qubit 0 least significant."""
    small, _ = program.compacted()
    n = small.num_qubits
    state = np.zeros((2,) * n, dtype=complex)
    state[(0,) * n] = 1
    for op in small.operations:
        if op.name in GATES:
            axes = [n - 1 - q for q in reversed(op.qubits)]
            gate = matrix(op.name, op.angles).reshape((2,) * (2 * len(axes)))
            state = np.tensordot(gate, state, axes=(range(len(axes), 2 * len(axes)), axes))
            state = np.moveaxis(state, range(len(axes)), axes)
    return np.asarray(np.abs(state.ravel()) ** 2)


def second_moment(width: int, depth: int, topology: Topology | None = None) -> float:
    """D sum p^2, averaged over circuits."""
    circuits = [draw(b"moment %d" % k, width, depth, topology) for k in range(30)]
    return float(np.mean([2**width * np.sum(probabilities(c.program) ** 2) for c in circuits]))


@pytest.mark.parametrize("gate", ["cz", "ecr", "sqrt_iswap"])
def test_deep_circuits_are_porter_thomas(gate: str) -> None:
    # A Haar-random state has E[D sum p^2] = 2 D / (D + 1); spread of 30 circuits about .05.
    assert second_moment(6, 14, line(6, gate)) == pytest.approx(2 * 64 / 65, abs=0.2)


def test_shallow_circuits_are_not_yet() -> None:
    # One cycle on three pairs is close to a product of small random states: D sum p^2 is well
    # above 2 (uncoupled Haar qubits have (4/3)^6 = 5.6).
    assert second_moment(6, 1) > 2.5


def test_deep_circuits_give_exponential_probabilities() -> None:
    scaled = np.concatenate(
        [64 * probabilities(draw(b"pt %d" % k, 6, 14).program) for k in range(30)]
    )
    # Outcomes of one circuit sum to 1: the bound is loose, a uniform law would give 0.63.
    assert stats.kstest(scaled, "expon").statistic < 0.05


def test_one_qubit_layers_are_one_more_than_two_qubit_layers() -> None:
    case = draw(b"layers", 2, 5)
    assert case.program.two_qubit_gates == 5
    assert sum(op.name == "sx" for op in case.program.operations) == 2 * 2 * 6
    assert isinstance(case.answer, SimulatedAnswer)


def test_cycles_walk_through_the_edge_colouring_in_turn() -> None:
    case = draw(b"walk", 5, 5, complete(5, ["cx", "u"]))
    layers: list[list[tuple[int, ...]]] = [[]]
    for op in case.program.operations:
        if op.name == "barrier":
            layers.append([])
        elif op.name == "cx":
            layers[-1].append(op.qubits)
    colours = [list(colour) for colour in edge_layers(complete(5, ["cx"]).edges)]
    assert [layer for layer in layers if layer] == colours[:5]


def test_random_gates_are_haar() -> None:
    draws = Draws(b"haar")
    angles = np.array([haar_angles(draws) for _ in range(4000)])
    assert stats.kstest(np.cos(angles[:, 0]), "uniform", args=(-1, 2)).pvalue > 1e-4
    for column in (1, 2):
        uniform = stats.kstest(angles[:, column], "uniform", args=(-math.pi, 2 * math.pi))
        assert uniform.pvalue > 1e-4
    assert abs(np.corrcoef(angles.T) - np.eye(3)).max() < 5 / math.sqrt(4000)


def test_polar_angles_agree_with_the_arccosine() -> None:
    shares = np.concatenate([np.linspace(0, 1, 1001), 10.0 ** -np.arange(1, 16)])
    for share in shares:
        # asin of the square root keeps its digits near 0, where 1 - 2 share does not.
        expected = 2 * math.asin(math.sqrt(share))
        assert polar_angle(float(share)) == pytest.approx(expected, rel=1e-14, abs=1e-15)


def test_angles_are_multiples_of_the_stated_step() -> None:
    draws = Draws(b"step")
    for _ in range(200):
        assert all(angle == round(angle, 12) for angle in haar_angles(draws))


def test_angles_are_frozen() -> None:
    # Golden values: validators must agree on them to the last bit.
    assert haar_angles(Draws(b"golden")) == (0.673068717365, -0.899494269246, -2.060659436834)


@pytest.mark.parametrize("width", [-1, 0, 1, 21])
def test_a_width_beyond_simulation_or_without_a_pair_is_refused(width: int) -> None:
    with pytest.raises(FamilyError, match=rf"needs 2 \.\. 20 qubits, got {width}"):
        draw(b"key", width, 2, line(25))


@pytest.mark.parametrize("depth", [-1, 0, 1025])
def test_a_depth_out_of_range_is_refused(depth: int) -> None:
    with pytest.raises(FamilyError, match=rf"depth 1 \.\. 1024, got {depth}"):
        draw(b"key", 2, depth)


def test_a_gate_that_does_not_entangle_is_refused() -> None:
    with pytest.raises(FamilyError, match="entangles, got swap"):
        draw(b"key", 2, 2, line(2, "swap"))
