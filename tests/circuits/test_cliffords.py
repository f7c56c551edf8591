"""Expected values: matrix products with the gates' own unitaries."""

import math

import numpy as np
import pytest
from numpy.typing import NDArray

from circuits.cliffords import CLIFFORDS, ENTANGLERS, IDENTITY, PAULIS, Clifford
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
