"""Native forms: one-qubit rotations and the two-qubit gate, in a device's own gates.

The shape of a rotation depends on the device alone, never on the angles: a rotation by nothing is
written as long as any other, so that the text does not tell a trivial layer from a random one.

Assumes: `rx` is calibrated at pi/2 only (true of some superconducting machines, harmless on
others); z rotations may be virtual. Up to global phase.
Source: U = Rz(phi) Ry(theta) Rz(lambda); McKay et al., Phys. Rev. A 96, 022330 (2017) for the form
with two sx; the others follow from gpi(a) = Rz(2a) X and prx(a, b) = Rz(b) Rx(a) Rz(-b).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Collection
from functools import lru_cache

from circuits.cliffords import CLIFFORDS
from circuits.errors import FamilyError
from circuits.topology import Topology

Step = tuple[str, tuple[float, ...]]
"""A gate's name and its angles in radians, without operands."""

_PI = math.pi
_EIGHTH = _PI / 4
_SNAP = 1e-12


def wrap(angle: float) -> float:
    """Bring an angle into (-pi, pi], and multiples of pi/4 to one spelling each.

    Sums of quarter turns miss their float by an ulp; a simulator of Clifford circuits must
    recognise them, and one circuit must have one text.

    Example:
        >>> wrap(3 * math.pi / 2) == -math.pi / 2, wrap(-math.pi) == math.pi, wrap(0.25)
        (True, True, 0.25)
    """
    turned = math.remainder(angle, 2 * _PI)
    if abs(math.remainder(turned, _EIGHTH)) > 2 * _SNAP:  # nearly always, and fast
        return turned
    eighths = round(turned / _EIGHTH)
    if abs(turned - eighths * _EIGHTH) < _SNAP:
        turned = (4 if eighths == -4 else eighths) * _EIGHTH
    return turned


def _u(theta: float, phi: float, lam: float) -> list[Step]:
    return [("u", (theta, phi, lam))]


def _rz_sx(theta: float, phi: float, lam: float) -> list[Step]:
    middle, last = ("rz", (theta + _PI,)), ("rz", (phi + _PI,))
    return [("rz", (lam,)), ("sx", ()), middle, ("sx", ()), last]


def _rz_rx(theta: float, phi: float, lam: float) -> list[Step]:
    quarter, middle, last = ("rx", (_PI / 2,)), ("rz", (theta + _PI,)), ("rz", (phi + _PI,))
    return [("rz", (lam,)), quarter, middle, quarter, last]


def _gpi_gpi2(theta: float, phi: float, lam: float) -> list[Step]:
    return [("gpi2", (-lam,)), ("gpi", ((phi - lam - theta) / 2,)), ("gpi2", (phi,))]


def _prx_rz(theta: float, phi: float, lam: float) -> list[Step]:
    return [("prx", (theta, _PI / 2 - lam)), ("rz", (phi + lam,))]


def _prx(theta: float, phi: float, lam: float) -> list[Step]:
    return [("prx", (theta - _PI, _PI / 2 - lam)), ("prx", (_PI, (phi - lam + _PI) / 2))]


_FORMS: tuple[tuple[frozenset[str], Callable[[float, float, float], list[Step]]], ...] = (
    (frozenset({"u"}), _u),
    (frozenset({"rz", "sx"}), _rz_sx),
    (frozenset({"gpi", "gpi2"}), _gpi_gpi2),
    (frozenset({"prx", "rz"}), _prx_rz),
    (frozenset({"prx"}), _prx),
    (frozenset({"rx", "rz"}), _rz_rx),
)

_ANGLES: dict[str, tuple[float, ...]] = {"cp": (_PI,), "rzz": (_PI / 2,), "rxx": (_PI / 2,)}


def rotation(
    native_gates: Collection[str], *, theta: float, phi: float, lam: float
) -> tuple[Step, ...]:
    """Write U(theta, phi, lambda) in native gates.

    Args:
        native_gates: Names from `circuits.gates.GATES`.
        theta: Radians, finite, like `phi` and `lam`.
        phi: Rotation about z after the one by `theta` about y.
        lam: Rotation about z before it.

    Returns:
        Gates in order of time, angles in (-pi, pi]; equal up to global phase.

    Raises:
        FamilyError: No supported set of one-qubit gates is native.

    Example:
        >>> [name for name, _ in rotation(("rz", "sx", "x"), theta=0.0, phi=0.0, lam=0.0)]
        ['rz', 'sx', 'rz', 'sx', 'rz']
    """
    steps = _form(tuple(native_gates))(theta, phi, lam)
    return tuple([(name, tuple(map(wrap, angles))) for name, angles in steps])


@lru_cache(maxsize=256)
def _form(native_gates: tuple[str, ...]) -> Callable[[float, float, float], list[Step]]:
    """Pick the first form whose gates are native."""
    for needed, form in _FORMS:
        if needed.issubset(native_gates):
            return form
    allowed = ", ".join("{" + ", ".join(sorted(needed)) + "}" for needed, _ in _FORMS)
    raise FamilyError(f"need one of {allowed} among the native gates, got {sorted(native_gates)}")


@lru_cache(maxsize=64)
def clifford_forms(native_gates: tuple[str, ...]) -> tuple[tuple[Step, ...], ...]:
    """Write each of `circuits.cliffords.CLIFFORDS` in native gates, in that table's order.

    Raises:
        FamilyError: As `rotation`.

    Example:
        >>> clifford_forms(("u",))[0]
        (('u', (0.0, 0.0, 0.0)),)
    """
    quarter = _PI / 2
    return tuple(
        rotation(native_gates, theta=t * quarter, phi=p * quarter, lam=m * quarter)
        for t, p, m in (clifford.turns for clifford in CLIFFORDS)
    )


def flip(native_gates: Collection[str]) -> tuple[Step, ...]:
    """Write X in native gates: `x` itself where it is native, else as a rotation.

    Raises:
        FamilyError: Neither `x` nor a supported set of one-qubit gates is native.

    Example:
        >>> flip(("rz", "sx", "x")), flip(("u",))
        ((('x', ()),), (('u', (3.141592653589793, 0.0, 3.141592653589793)),))
    """
    if "x" in native_gates:
        return (("x", ()),)
    return rotation(native_gates, theta=_PI, phi=0.0, lam=_PI)


def two_qubit(topology: Topology) -> Step:
    """Name the native two-qubit gate, with the angle that entangles most where it has one.

    Raises:
        FamilyError: The device has no two-qubit gate.

    Example:
        >>> two_qubit(Topology(2, ((0, 1),), ("rz", "rzz", "sx")))
        ('rzz', (1.5707963267948966,))
    """
    name = topology.two_qubit_gate
    if not name:
        raise FamilyError(f"need a native gate on two qubits, got {list(topology.native_gates)}")
    return name, _ANGLES.get(name, ())
