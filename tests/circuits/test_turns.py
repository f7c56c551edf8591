"""Expected values: the C library's functions; matrix products."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from circuits.gates import GATES, Gate, matrix
from circuits.turns import (
    Turn,
    after,
    angles_of,
    arctangent,
    framed,
    inverse,
    sine_and_cosine,
    turn_of,
)

ANGLES = st.floats(-7, 7)
ONE_QUBIT = [gate for gate in GATES.values() if gate.num_qubits == 1]
PAULIS = (matrix("id"), matrix("x"), matrix("z"), matrix("y"))  # by code


def unitary(turn: Turn) -> NDArray[np.complex128]:
    w, x, y, z = turn
    return np.array([[w - 1j * z, -1j * x - y], [-1j * x + y, w + 1j * z]])


def same_gate(left: NDArray[np.complex128], right: NDArray[np.complex128]) -> bool:
    return bool(abs(abs(np.vdot(left, right)) - 2) < 1e-11)


@given(ANGLES)
def test_sine_and_cosine_agree_with_the_c_library(angle: float) -> None:
    expected = (math.sin(angle), math.cos(angle))
    assert sine_and_cosine(angle) == pytest.approx(expected, abs=2e-15)


@given(st.floats(-2, 2), st.floats(-2, 2))
def test_arctangents_agree_with_the_c_library(y: float, x: float) -> None:
    if x * x + y * y > 1e-200:
        expected = math.atan2(y, x) if y else (math.pi if x < 0 else 0.0)
        assert arctangent(y, x) == pytest.approx(expected, abs=2e-15)


def test_the_origin_has_the_angle_zero() -> None:
    assert arctangent(0.0, 0.0) == 0.0


@pytest.mark.parametrize("gate", ONE_QUBIT, ids=lambda gate: gate.name)
def test_the_turn_of_a_gate_is_its_matrix(gate: Gate) -> None:
    angles = (0.3, -2.1, 4.4)[: gate.num_angles]
    assert same_gate(unitary(turn_of(gate.name, angles)), matrix(gate.name, angles))


@given(ANGLES, ANGLES, ANGLES)
def test_angles_give_the_gate_back(theta: float, phi: float, lam: float) -> None:
    own = matrix("u", (theta, phi, lam))
    assert same_gate(own, matrix("u", angles_of(turn_of("u", (theta, phi, lam)))))


@given(ANGLES, ANGLES, st.sampled_from([0.0, math.pi, 2 * math.pi, 1e-11]))
def test_poles_have_one_angle_only(phi: float, lam: float, theta: float) -> None:
    found = angles_of(turn_of("u", (theta, phi, lam)))
    assert found[0] in (0.0, round(math.pi, 12))
    assert found[2] == 0.0
    assert same_gate(matrix("u", found), matrix("u", (theta, phi, lam)))


@given(st.tuples(ANGLES, ANGLES, ANGLES), st.tuples(ANGLES, ANGLES, ANGLES))
def test_products_and_inverses_are_those_of_matrices(
    a: tuple[float, float, float], b: tuple[float, float, float]
) -> None:
    first, second = turn_of("u", a), turn_of("u", b)
    assert same_gate(unitary(after(second, first)), matrix("u", b) @ matrix("u", a))
    assert same_gate(unitary(inverse(first)), matrix("u", a).conj().T)


@pytest.mark.parametrize("before", range(4))
@pytest.mark.parametrize("behind", range(4))
def test_frames_put_paulis_around_a_gate_exactly(before: int, behind: int) -> None:
    own = turn_of("u", (0.4, 1.3, -0.6))
    around = framed(own, before=before, behind=behind)
    expected = PAULIS[behind] @ unitary(own) @ PAULIS[before]
    assert same_gate(unitary(around), expected)
    assert sorted(map(abs, around)) == sorted(map(abs, own))


def test_turns_and_angles_are_frozen() -> None:
    # Golden values: validators must agree on them to the last bit.
    both = after(turn_of("u", (0.4, 1.3, -0.6)), turn_of("u", (-2.2, 3.9, 5.1)))
    assert both == (
        0.06466452863685009,
        -0.25188240487213,
        -0.928993366681012,
        -0.26333453536269286,
    )
    assert angles_of(both) == (2.592401165928, 1.546822978885, -4.206823927642)
