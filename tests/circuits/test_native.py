"""Expected values: the gates' own unitaries multiplied in order of time."""

import itertools
import math

import numpy as np
import pytest
from numpy.typing import NDArray

from circuits.errors import FamilyError
from circuits.gates import matrix
from circuits.native import Step, flip, rotation, two_qubit, wrap
from circuits.topology import Topology, complete

Matrix = NDArray[np.complex128]

SETS = [
    ("u",),
    ("rz", "sx"),
    ("rz", "sx", "x"),
    ("gpi", "gpi2"),
    ("prx", "rz"),
    ("prx",),
    ("rx", "rz"),
]
QUARTERS = [k * math.pi / 2 for k in range(-2, 4)]
CLIFFORD_ANGLES = list(itertools.product(QUARTERS, repeat=3))
ODD_ANGLES = [(0.3, -2.0, 1.1), (3.1, 0.001, -3.0), (1e-9, 5.0, 7.0), (-0.4, 100.0, 2.5)]


def product(steps: tuple[Step, ...]) -> Matrix:
    total = matrix("id")
    for name, angles in steps:
        total = matrix(name, angles) @ total
    return total


@pytest.mark.parametrize("native", SETS, ids=" ".join)
def test_a_rotation_is_u_up_to_phase_in_every_native_set(native: tuple[str, ...]) -> None:
    for theta, phi, lam in CLIFFORD_ANGLES + ODD_ANGLES:
        steps = rotation(native, theta=theta, phi=phi, lam=lam)
        overlap = abs(np.vdot(product(steps), matrix("u", (theta, phi, lam)))) / 2
        assert overlap == pytest.approx(1, abs=1e-12)
        assert {name for name, _ in steps} <= set(native)


@pytest.mark.parametrize("native", SETS, ids=" ".join)
def test_a_rotation_has_the_same_gates_whatever_its_angles(native: tuple[str, ...]) -> None:
    shapes = {
        tuple(name for name, _ in rotation(native, theta=theta, phi=phi, lam=lam))
        for theta, phi, lam in CLIFFORD_ANGLES + ODD_ANGLES
    }
    assert len(shapes) == 1


@pytest.mark.parametrize("native", SETS, ids=" ".join)
def test_clifford_angles_are_exact_multiples_of_an_eighth_turn(native: tuple[str, ...]) -> None:
    allowed = {k * math.pi / 4 for k in range(-3, 5)}
    for theta, phi, lam in CLIFFORD_ANGLES:
        steps = rotation(native, theta=theta, phi=phi, lam=lam)
        assert {angle for _, angles in steps for angle in angles} <= allowed


def test_angles_come_back_between_minus_pi_and_pi_with_one_spelling_of_half_a_turn() -> None:
    assert wrap(-math.pi) == wrap(math.pi) == wrap(3 * math.pi) == math.pi
    assert wrap(2 * math.pi) == 0.0
    assert wrap(7.0) == pytest.approx(7.0 - 2 * math.pi)


@pytest.mark.parametrize("native", [*SETS, ("x", "z")], ids=" ".join)
def test_a_flip_is_x_up_to_phase(native: tuple[str, ...]) -> None:
    assert abs(np.vdot(product(flip(native)), matrix("x"))) / 2 == pytest.approx(1, abs=1e-12)


def test_a_native_x_is_used_as_it_is() -> None:
    assert flip(("rz", "sx", "x")) == (("x", ()),)


@pytest.mark.parametrize("native", [("rz",), ("sx", "x"), ("gpi",), ("h", "t"), ()])
def test_an_unsupported_set_is_refused_with_the_supported_ones(native: tuple[str, ...]) -> None:
    with pytest.raises(FamilyError, match=r"need one of \{u\}, \{rz, sx\}"):
        rotation(native, theta=0.0, phi=0.0, lam=0.0)


@pytest.mark.parametrize(
    ("name", "angles"),
    [("cz", ()), ("ecr", ()), ("cp", (math.pi,)), ("rzz", (math.pi / 2,)), ("rxx", (math.pi / 2,))],
)
def test_the_two_qubit_gate_carries_its_clifford_angle(name: str, angles: tuple[float]) -> None:
    assert two_qubit(complete(2, [name, "u"])) == (name, angles)


def test_a_device_without_a_two_qubit_gate_is_refused() -> None:
    with pytest.raises(FamilyError, match="native gate on two qubits"):
        two_qubit(Topology(1, (), ("u",)))
