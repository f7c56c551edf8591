"""The 24 one-qubit Cliffords, and how Pauli operators pass through Clifford gates.

A Pauli is the code x + 2 z: I = 0, X = 1, Z = 2, Y = 3, so that the product of two Paulis is the
exclusive or of their codes up to phase. A target bitstring needs no phase; a parity needs the sign
of the image of a Hermitian Pauli, which stands beside it. Integers only, so every machine agrees.

Source: D. Gottesman, arXiv:quant-ph/9807006 (a Clifford is fixed by its images of X and Z); the
images below are checked against the gates' matrices by a test.
"""

from __future__ import annotations

from dataclasses import dataclass

PAULIS = "IXZY"
IDENTITY = 0
"""Index of the identity in `CLIFFORDS`."""

_Rotation = tuple[tuple[int, int, int], ...]
_COS, _SIN = (1, 0, -1, 0), (0, 1, 0, -1)


@dataclass(frozen=True, slots=True)
class Clifford:
    """One of the 24 one-qubit Cliffords; indices are places in `CLIFFORDS`.

    Attributes:
        turns: (theta, phi, lambda) of U(theta, phi, lambda), in quarter turns.
        inverse: Index of the inverse.
        images: Pauli code P -> code of C P C^-1.
        signs: Pauli code P -> 1 if C P C^-1 is minus that image, else 0.
        then: Pauli code P -> index of "this, then P", the product P C.
    """

    turns: tuple[int, int, int]
    inverse: int
    images: tuple[int, int, int, int]
    signs: tuple[int, int, int, int]
    then: tuple[int, int, int, int]


def _product(left: _Rotation, right: _Rotation) -> _Rotation:
    return tuple(
        (
            sum(row[k] * right[k][0] for k in range(3)),
            sum(row[k] * right[k][1] for k in range(3)),
            sum(row[k] * right[k][2] for k in range(3)),
        )
        for row in left
    )


def _about_z(turns: int) -> _Rotation:
    c, s = _COS[turns % 4], _SIN[turns % 4]
    return ((c, -s, 0), (s, c, 0), (0, 0, 1))


def _about_y(turns: int) -> _Rotation:
    c, s = _COS[turns % 4], _SIN[turns % 4]
    return ((c, 0, s), (0, 1, 0), (-s, 0, c))


def _rotation(turns: tuple[int, int, int]) -> _Rotation:
    """Rotation of the Bloch sphere by U = Rz(phi) Ry(theta) Rz(lambda)."""
    theta, phi, lam = turns
    return _product(_about_z(phi), _product(_about_y(theta), _about_z(lam)))


def _image(axis: int, rotation: _Rotation) -> tuple[int, int]:
    """Pauli code of the axis to which `axis` (0, 1, 2 = x, y, z) is turned, and 1 if backwards."""
    turned = next(row for row in range(3) if rotation[row][axis])
    return (1, 3, 2)[turned], int(rotation[turned][axis] < 0)


def _all_turns() -> list[tuple[int, int, int]]:
    """One triple of Euler angles for each Clifford: poles need one angle, the equator two."""
    poles = [(theta, phi, 0) for theta in (0, 2) for phi in range(4)]
    return poles + [(1, phi, lam) for phi in range(4) for lam in range(4)]


def _build() -> tuple[Clifford, ...]:
    turns = _all_turns()
    rotations = [_rotation(t) for t in turns]
    place = {rotation: index for index, rotation in enumerate(rotations)}
    paulis = [_rotation(t) for t in ((0, 0, 0), (2, 2, 0), (0, 2, 0), (2, 0, 0))]
    built = []
    for own, rotation in zip(turns, rotations, strict=True):
        transposed = tuple((rotation[0][k], rotation[1][k], rotation[2][k]) for k in range(3))
        x, y, z = (_image(axis, rotation) for axis in range(3))
        after = [place[_product(pauli, rotation)] for pauli in paulis]
        built.append(
            Clifford(
                own,
                place[transposed],
                (0, x[0], z[0], y[0]),
                (0, x[1], z[1], y[1]),
                (after[0], after[1], after[2], after[3]),
            )
        )
    return tuple(built)


CLIFFORDS = _build()


def _signature(first: Clifford, second: Clifford | None = None) -> tuple[int, ...]:
    """Images of X and Z with their signs, under `first` and then `second`: no two are alike."""
    images: list[int] = []
    for code in (1, 2):
        image, sign = first.images[code], first.signs[code]
        if second:
            image, sign = second.images[image], sign ^ second.signs[image]
        images += [image, sign]
    return tuple(images)


_BY_SIGNATURE = {_signature(clifford): index for index, clifford in enumerate(CLIFFORDS)}


def composed(first: int, second: int) -> int:
    """Give the index of the Clifford that does `first`, then `second`.

    Example:
        >>> composed(5, CLIFFORDS[5].inverse) == IDENTITY
        True
    """
    return _BY_SIGNATURE[_signature(CLIFFORDS[first], CLIFFORDS[second])]


# For operands (0, 1): the images of X on 0, Z on 0, X on 1, Z on 1, and the gate's own square. A
# leading minus counts in the image's sign.
_IMAGES = {
    "cx": ("XX", "ZI", "IX", "ZZ", "II"),
    "cz": ("XZ", "ZI", "ZX", "IZ", "II"),
    "cp": ("XZ", "ZI", "ZX", "IZ", "II"),
    "swap": ("IX", "IZ", "XI", "ZI", "II"),
    "ecr": ("-YX", "-ZI", "IX", "ZY", "II"),
    "iswap": ("ZY", "IZ", "YZ", "ZI", "ZZ"),
    "rzz": ("YZ", "ZI", "ZY", "IZ", "ZZ"),
    "rxx": ("XI", "-YX", "IX", "-XY", "XX"),
}


# The product of Paulis P and Q is i^k times the Pauli of code P ^ Q: k by codes, as in X Y = i Z.
_PHASES = ((0, 0, 0, 0), (0, 0, 3, 1), (0, 1, 0, 3), (0, 3, 1, 0))


@dataclass(frozen=True, slots=True)
class Entangler:
    """A two-qubit Clifford gate that is its own inverse up to a Pauli.

    Pairs of Paulis are codes a + 4 b, with a on operand 0 and b on operand 1.

    Attributes:
        images: Pair P -> code of G P G^-1.
        signs: Pair P -> 1 if G P G^-1 is minus that image, else 0.
        square: Code of G G, so that G^-1 = (G G) G up to phase.
    """

    images: tuple[int, ...]
    signs: tuple[int, ...]
    square: int


def _pair(letters: str) -> int:
    return PAULIS.index(letters[-2]) + 4 * PAULIS.index(letters[-1])


def _times(left: tuple[int, int], right: tuple[int, int]) -> tuple[int, int]:
    """Multiply (pair, k), each standing for i^k times the Hermitian pair; k is modulo 4."""
    (a, power), (b, other) = left, right
    power += other
    for shift in (0, 2):
        p, q = a >> shift & 3, b >> shift & 3
        power += _PHASES[p][q]
    return a ^ b, power % 4


def _entangler(letters: tuple[str, ...]) -> Entangler:
    *generators, square = letters
    images, signs = [], []
    for pair in range(16):
        plain, image = (0, 0), (0, 0)
        for bit, generator in enumerate(generators):
            if pair >> bit & 1:
                plain = _times(plain, (1 << bit, 0))
                image = _times(image, (_pair(generator), 2 * generator.startswith("-")))
        images.append(image[0])
        signs.append((image[1] - plain[1]) % 4 // 2)
    return Entangler(tuple(images), tuple(signs), _pair(square))


ENTANGLERS: dict[str, Entangler] = {name: _entangler(row) for name, row in _IMAGES.items()}
"""By gate name; cp at angle pi, rzz and rxx at pi/2, as `circuits.native` writes them.

Example:
    >>> cx = ENTANGLERS["cx"]  # X on the control (code 1) becomes X on both (1 + 4)
    >>> cx.images[1], cx.square
    (5, 0)
"""
