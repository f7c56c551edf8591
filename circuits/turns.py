"""Turns: one-qubit gates as quaternions, multiplied and taken apart the same on every machine.

A turn (w, x, y, z) is the unitary w - i (x X + y Y + z Z), the sum of squares 1; its negative is
the same gate. Products with Paulis and inverses only move and negate numbers, so they are exact.
Sine, cosine and arctangent are computed here with +, -, *, / and square root, which IEEE 754
rounds in one way only: the C library's differ between machines, and a circuit's text must not.

Assumes: angles of a few turns at most, or 1e-12 rad is out of reach.
Source: W. R. Hamilton's product; U(theta, phi, lambda) = Rz(phi) Ry(theta) Rz(lambda).
"""

from __future__ import annotations

import math

from circuits.gates import euler_angles

Turn = tuple[float, float, float, float]

STILL: Turn = (1.0, 0.0, 0.0, 0.0)
"""The identity."""

DECIMALS = 12

# 1/25 .. 1/3, 1/1: the arctangent's argument is below 0.2, so the next term is below 1e-18.
_ODD_PARTS = tuple(1 / power for power in range(25, 0, -2))
_SINE_TERMS = 14  # the argument is below pi / 2: the next term is below 1e-22
_POLE = 1e-10


def small_arctangent(tangent: float) -> float:
    """Return arctan of |`tangent`| <= 0.2 by its power series, to about 1e-17."""
    total = 0.0
    for part in _ODD_PARTS:
        total = part - tangent * tangent * total
    return tangent * total


def arctangent(y: float, x: float) -> float:
    """Return the angle of the point (x, y), in [-pi, pi], to about 1e-15; 0 at the origin.

    Example:
        >>> abs(arctangent(1.0, -1.0) - 3 * math.pi / 4) < 1e-14
        True
    """
    radius = math.sqrt(x * x + y * y)
    if radius == 0.0:
        return 0.0
    tangent = abs(y) / (radius + abs(x))  # of half the angle to the x axis
    for _ in ("a quarter", "an eighth"):
        tangent = tangent / (1 + math.sqrt(1 + tangent * tangent))
    angle = 8 * small_arctangent(tangent)
    angle = math.pi - angle if x < 0 else angle
    return -angle if y < 0 else angle


def sine_and_cosine(angle: float) -> tuple[float, float]:
    """Return sine and cosine of an angle in radians, to about 1e-15.

    Example:
        >>> sine, cosine = sine_and_cosine(math.pi / 6)
        >>> abs(sine - 0.5) < 1e-15, abs(cosine * cosine - 0.75) < 1e-15
        (True, True)
    """
    left = math.remainder(angle, math.pi)  # exact; within a quarter turn, off by half turns
    sign = 1.0 if round((angle - left) / math.pi) % 2 == 0 else -1.0
    square, sine, cosine = left * left, 1.0, 1.0
    for k in range(2 * _SINE_TERMS, 0, -2):
        sine = 1 - sine * square / (k * (k + 1))
        cosine = 1 - cosine * square / (k * (k - 1))
    return sign * left * sine, sign * cosine


def after(second: Turn, first: Turn) -> Turn:
    """Multiply: the turn that does `first`, then `second`."""
    a, b, c, d = second
    w, x, y, z = first
    return (
        a * w - b * x - c * y - d * z,
        a * x + b * w + c * z - d * y,
        a * y - b * z + c * w + d * x,
        a * z + b * y - c * x + d * w,
    )


def inverse(turn: Turn) -> Turn:
    """Turn back."""
    w, x, y, z = turn
    return (w, -x, -y, -z)


def framed(turn: Turn, *, before: int, behind: int) -> Turn:
    """Put Paulis around a turn: first `before`, then the turn, then `behind`; exact.

    Args:
        turn: The gate between.
        before: Pauli code as in `circuits.cliffords`: I 0, X 1, Z 2, Y 3.
        behind: Likewise.

    Example:
        >>> framed(STILL, before=1, behind=1) == tuple(-part for part in STILL)
        True
    """
    return after(_PAULIS[behind], after(turn, _PAULIS[before]))


_PAULIS: tuple[Turn, ...] = (
    STILL,
    (0.0, 1.0, 0.0, 0.0),
    (0.0, 0.0, 0.0, 1.0),
    (0.0, 0.0, 1.0, 0.0),
)


def turn_of(name: str, angles: tuple[float, ...] = ()) -> Turn:
    """Give the turn of a one-qubit gate of `circuits.gates`.

    Example:
        >>> [round(part, 3) for part in turn_of("h")]
        [0.0, 0.707, 0.0, 0.707]
    """
    theta, phi, lam = euler_angles(name, angles)
    s, c = sine_and_cosine(theta / 2)
    s_sum, c_sum = sine_and_cosine((phi + lam) / 2)
    s_gap, c_gap = sine_and_cosine((lam - phi) / 2)
    return (c * c_sum, s * s_gap, s * c_gap, c * s_sum)


def angles_of(turn: Turn) -> tuple[float, float, float]:
    """Give (theta, phi, lambda) of a turn, in steps of 1e-12 rad.

    Returns:
        theta in [0, pi]; lambda is 0 where theta is 0 or pi (to 1e-10), where only a sum or a
        difference of phi and lambda matters.

    Example:
        >>> angles_of(turn_of("sx"))
        (1.570796326795, -1.570796326795, 1.570796326795)
    """
    w, x, y, z = turn
    upright, flat = math.sqrt(w * w + z * z), math.sqrt(x * x + y * y)
    theta = 2 * arctangent(flat, upright)
    whole, gap = 2 * arctangent(z, w), 2 * arctangent(x, y)
    phi, lam = (whole - gap) / 2, (whole + gap) / 2
    if flat < _POLE:
        theta, phi, lam = 0.0, whole, 0.0
    elif upright < _POLE:
        theta, phi, lam = math.pi, -gap, 0.0
    return round(theta, DECIMALS), round(phi, DECIMALS), round(lam, DECIMALS)
