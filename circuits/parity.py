"""Signed Paulis carried through Clifford layers, and the parity that measures one of them.

A product state of the computational basis has every product of Z as a stabilizer, with sign plus.
Carried through a Clifford circuit it stays a stabilizer of what the circuit prepares; a last layer
of one-qubit Cliffords turns it into a product of Z, whose value is the parity of the bits read
there. Integers only, so every machine agrees; time is linear in the gates.

Source: D. Gottesman, arXiv:quant-ph/9807006.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from circuits.case import ParityAnswer
from circuits.cliffords import CLIFFORDS, Entangler
from circuits.draws import Draws
from circuits.topology import Edge

_Z = 2


class SignedPauli:
    """A Hermitian product of Paulis, changed in place as it passes gates.

    Args:
        support: Qubits that start with Z; every other has the identity.
        qubits: All qubits there are.

    Attributes:
        codes: Pauli code of each qubit, as in `circuits.cliffords`.
        sign: 0 for plus, 1 for minus.

    Example:
        >>> from circuits.cliffords import ENTANGLERS
        >>> pauli = SignedPauli([1], qubits=(0, 1))
        >>> pauli.pass_entanglers(ENTANGLERS["cx"], [(0, 1)])
        >>> pauli.codes, pauli.sign
        ({0: 2, 1: 2}, 0)
    """

    __slots__ = ("codes", "sign")

    def __init__(self, support: Iterable[int], *, qubits: Iterable[int]) -> None:
        self.codes = dict.fromkeys(qubits, 0)
        self.codes.update(dict.fromkeys(support, _Z))
        self.sign = 0

    def pass_clifford(self, qubit: int, clifford: int) -> None:
        """Pass the one-qubit Clifford of index `clifford` on `qubit`."""
        code, table = self.codes[qubit], CLIFFORDS[clifford]
        self.sign ^= table.signs[code]
        self.codes[qubit] = table.images[code]

    def pass_entanglers(self, gate: Entangler, edges: Iterable[Edge]) -> None:
        """Pass one two-qubit gate on each of some disjoint edges."""
        codes = self.codes
        for a, b in edges:
            pair = codes[a] + 4 * codes[b]
            self.sign ^= gate.signs[pair]
            codes[a], codes[b] = gate.images[pair] % 4, gate.images[pair] // 4

    def answer(self, qubits: Sequence[int]) -> ParityAnswer:
        """Say what reading `qubits[i]` into bit i gives, once only I and Z are left.

        Qubits that this Pauli does not know have the identity.

        Raises:
            CircuitError: Nothing but identities.
        """
        mask = "".join(str(int(self.codes.get(qubit, 0) != 0)) for qubit in reversed(qubits))
        return ParityAnswer(mask, self.sign)


def random_support(qubits: Sequence[int], draws: Draws) -> list[int]:
    """Draw where a uniformly random Pauli other than the identity is not the identity.

    Each qubit with probability 3/4, again if none is chosen; with a uniformly random Clifford on
    each chosen qubit, the product of Z there becomes a uniform non-identity Pauli.

    Example:
        >>> random_support((3, 5, 8), Draws(b"key"))
        [3, 5, 8]
    """
    while True:
        bits = draws.bits(2 * len(qubits))
        chosen = [q for q, a, b in zip(qubits, bits[::2], bits[1::2], strict=True) if a or b]
        if chosen:
            return chosen


def turned_to_z(codes: Iterable[int], draws: Draws) -> list[int]:
    """Draw a one-qubit Clifford for each Pauli that turns it into Z or -Z.

    Uniform over those there are: 8 of 24 for X, Y and Z, all for the identity.

    Example:
        >>> chosen = turned_to_z((0, 1, 3), Draws(b"key"))
        >>> [CLIFFORDS[c].images[code] for c, code in zip(chosen, (0, 1, 3))]
        [0, 2, 2]
    """
    return [draws.choice(_TO_Z[code]) for code in codes]


_TO_Z = tuple(
    tuple(k for k, clifford in enumerate(CLIFFORDS) if clifford.images[code] in (0, _Z))
    for code in range(4)
)
