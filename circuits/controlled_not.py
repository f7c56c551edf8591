"""The controlled-NOT in a device's own two-qubit gate, with one-qubit Cliffords around it.

Exact up to global phase, signs included. cx, cz, cp(pi), ecr, rzz(pi/2) and rxx(pi/2) are all a
controlled-NOT up to turns of single qubits; iswap, swap and sqrt_iswap are not.

Source: D. Gottesman, arXiv:quant-ph/9807006 (a Clifford is fixed by its images of X and Z).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from itertools import product

from circuits.cliffords import CLIFFORDS, ENTANGLERS, IDENTITY
from circuits.errors import FamilyError

Pair = tuple[int, int]

_GENERATORS = (1, 2, 4, 8)  # X and Z on operand 0, X and Z on operand 1


@dataclass(frozen=True, slots=True)
class Recipe:
    """One-qubit Cliffords (indices) that make a native gate a controlled-NOT, by its operands.

    Attributes:
        before: On operand 0 and operand 1, before the gate.
        behind: Likewise, after it.
    """

    before: Pair
    behind: Pair


@lru_cache(maxsize=64)
def controlled_not(gate: str, control: int) -> Recipe:
    """Find the recipe with the fewest one-qubit gates.

    Args:
        gate: Name of the native gate, at the angle that `circuits.native.two_qubit` gives it.
        control: Which of the gate's operands is the control, 0 or 1.

    Raises:
        FamilyError: The gate is no controlled-NOT up to one-qubit Cliffords.

    Example:
        >>> controlled_not("cx", 0)
        Recipe(before=(0, 0), behind=(0, 0))
    """
    if gate in ENTANGLERS:
        kinds = {c.images: k for k, c in reversed(list(enumerate(CLIFFORDS)))}.values()
        options = product(kinds, kinds, kinds, kinds)
        for a, b, c, d in sorted(options, key=lambda o: (sum(k != IDENTITY for k in o), o)):
            recipe = Recipe((a, b), (c, d))
            if all(_image(gate, recipe, p)[0] == _wanted(control, p)[0] for p in _GENERATORS):
                return _signed(gate, control, recipe)
    raise FamilyError(f"need a controlled-NOT up to one-qubit Cliffords, got {gate}")


def _signed(gate: str, control: int, recipe: Recipe) -> Recipe:
    """Add the Paulis behind that mend the signs."""
    for p, q in product(range(4), repeat=2):
        c, d = (CLIFFORDS[k].then[pauli] for k, pauli in zip(recipe.behind, (p, q), strict=True))
        mended = Recipe(recipe.before, (c, d))
        if all(_image(gate, mended, g) == _wanted(control, g) for g in _GENERATORS):
            return mended
    raise AssertionError("Paulis reach every choice of signs")


def _wanted(control: int, pair: int) -> Pair:
    """Image and sign of a pair of Paulis under the controlled-NOT."""
    cx = ENTANGLERS["cx"]
    if control == 0:
        return cx.images[pair], cx.signs[pair]
    turned = pair % 4 * 4 + pair // 4
    image = cx.images[turned]
    return image % 4 * 4 + image // 4, cx.signs[turned]


def _image(gate: str, recipe: Recipe, pair: int) -> Pair:
    """Image and sign of a pair of Paulis under the recipe with its gate."""
    pair, sign = _turned(recipe.before, pair)
    sign ^= ENTANGLERS[gate].signs[pair]
    pair, last = _turned(recipe.behind, ENTANGLERS[gate].images[pair])
    return pair, sign ^ last


def _turned(cliffords: Pair, pair: int) -> Pair:
    first, second = CLIFFORDS[cliffords[0]], CLIFFORDS[cliffords[1]]
    a, b = pair % 4, pair // 4
    return first.images[a] + 4 * second.images[b], first.signs[a] ^ second.signs[b]
