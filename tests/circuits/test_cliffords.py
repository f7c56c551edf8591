"""Expected values: matrix products with the gates' own unitaries."""

import math

import numpy as np
import pytest
from numpy.typing import NDArray

from circuits.cliffords import CLIFFORDS, ENTANGLERS, IDENTITY, PAULIS, Clifford, composed
from circuits.gates import matrix
from circuits.native import two_qubit
from circuits.topology import complete

Matrix = NDArray[np.complex128]

UNITARIES = {"I": matrix("id"), "X": matrix("x"), "Y": matrix("y"), "Z": matrix("z")}


def same_up_to_phase(left: Matrix, right: Matrix) -> bool:
    return bool(abs(abs(np.vdot(left, right)) - len(left)) < 1e-9)


def unitary(clifford: Clifford) -> Matrix:
    theta, phi, lam = (turns * math.pi / 2 for turns in clifford.turns)
    return matrix("u", (theta, phi, lam))


def pauli_pair(code: int) -> Matrix:
    return np.asarray(np.kron(UNITARIES[PAULIS[code // 4]], UNITARIES[PAULIS[code % 4]]))


def test_the_24_cliffords_are_24_different_unitaries() -> None:
    distinct: list[Matrix] = []
    for clifford in CLIFFORDS:
        if not any(same_up_to_phase(unitary(clifford), other) for other in distinct):
            distinct.append(unitary(clifford))
    assert len(CLIFFORDS) == len(distinct) == 24


def test_the_identity_is_where_its_name_says() -> None:
    assert same_up_to_phase(unitary(CLIFFORDS[IDENTITY]), matrix("id"))


@pytest.mark.parametrize("clifford", CLIFFORDS, ids=lambda c: str(c.turns))
def test_a_clifford_table_agrees_with_its_matrix(clifford: Clifford) -> None:
    own = unitary(clifford)
    assert same_up_to_phase(unitary(CLIFFORDS[clifford.inverse]) @ own, matrix("id"))
    for code, letter in enumerate(PAULIS):
        pauli = UNITARIES[letter]
        image = UNITARIES[PAULIS[clifford.images[code]]]
        assert same_up_to_phase(own @ pauli @ own.conj().T, image)
        assert same_up_to_phase(unitary(CLIFFORDS[clifford.then[code]]), pauli @ own)


@pytest.mark.parametrize("name", ENTANGLERS)
def test_a_two_qubit_table_agrees_with_the_native_gate(name: str) -> None:
    gate = matrix(*two_qubit(complete(2, [name])))
    entangler = ENTANGLERS[name]
    assert same_up_to_phase(gate @ gate, pauli_pair(entangler.square))
    for code, image in enumerate(entangler.images):
        assert same_up_to_phase(gate @ pauli_pair(code) @ gate.conj().T, pauli_pair(image))


def hermitian(letter: str) -> Matrix:
    """The Pauli itself, without the freedom of phase that `matrix` has."""
    exact = {"I": [[1, 0], [0, 1]], "X": [[0, 1], [1, 0]], "Y": [[0, -1j], [1j, 0]]}
    return np.array(exact.get(letter, [[1, 0], [0, -1]]), dtype=np.complex128)


def hermitian_pair(code: int) -> Matrix:
    return np.asarray(np.kron(hermitian(PAULIS[code // 4]), hermitian(PAULIS[code % 4])))


@pytest.mark.parametrize("clifford", CLIFFORDS, ids=lambda c: str(c.turns))
def test_a_clifford_turns_paulis_with_the_sign_of_its_matrix(clifford: Clifford) -> None:
    own = unitary(clifford)
    for code, letter in enumerate(PAULIS):
        image = (-1) ** clifford.signs[code] * hermitian(PAULIS[clifford.images[code]])
        np.testing.assert_allclose(own @ hermitian(letter) @ own.conj().T, image, atol=1e-9)


@pytest.mark.parametrize("name", ENTANGLERS)
def test_a_native_gate_turns_pairs_with_the_sign_of_its_matrix(name: str) -> None:
    gate = matrix(*two_qubit(complete(2, [name])))
    entangler = ENTANGLERS[name]
    for code, image in enumerate(entangler.images):
        expected = (-1) ** entangler.signs[code] * hermitian_pair(image)
        turned = gate @ hermitian_pair(code) @ gate.conj().T
        np.testing.assert_allclose(turned, expected, atol=1e-9)


def test_two_cliffords_compose_as_their_matrices_do() -> None:
    for first in range(24):
        for second in range(0, 24, 5):
            product = unitary(CLIFFORDS[second]) @ unitary(CLIFFORDS[first])
            assert same_up_to_phase(unitary(CLIFFORDS[composed(first, second)]), product)
