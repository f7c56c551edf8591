"""The gates of the profile: their operands, definitions and matrices.

`u`, `sxdg`, `ecr`, `rzz` and the vendors' native gates are not in OpenQASM 3's `stdgates.inc`;
each has one fixed definition line that a program text carries when it uses the gate. Angles are
radians throughout (IonQ's own texts write `gpi` in turns).

Matrices are little-endian: operand k of a gate is bit k of the row and column index, so operand 0
is the least significant, as in Qiskit. Global phase is not part of the contract.

Source: OpenQASM 3 specification, `stdgates.inc`; IonQ's native gate definitions for gpi and gpi2.
"""

from __future__ import annotations

import cmath
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Matrix = NDArray[np.complex128]


@dataclass(frozen=True, slots=True)
class Gate:
    """One gate of the profile.

    Attributes:
        name: As in the text.
        num_qubits: Operands, 1 to 3.
        num_angles: Angles in radians, 0 to 3.
        definition: The line that a text must carry before it uses the gate, or '' for gates that
            `stdgates.inc` has.
    """

    name: str
    num_qubits: int
    num_angles: int
    definition: str = ""


_ECR = (
    "h q1; cx q0, q1; rz(pi/4) q1; cx q0, q1; h q1; x q0; "
    "h q1; cx q0, q1; rz(-pi/4) q1; cx q0, q1; h q1;"
)
_SQRT_ISWAP = (
    "h q0; h q1; cx q0, q1; rz(-pi/4) q1; cx q0, q1; h q0; h q1; "
    "rx(pi/2) q0; rx(pi/2) q1; cx q0, q1; rz(-pi/4) q1; cx q0, q1; rx(-pi/2) q0; rx(-pi/2) q1;"
)

GATES: dict[str, Gate] = {
    gate.name: gate
    for gate in (
        *(Gate(name, 1, 0) for name in ("id", "x", "y", "z", "h", "s", "sdg", "t", "tdg", "sx")),
        Gate("sxdg", 1, 0, "gate sxdg q0 { h q0; sdg q0; h q0; }"),
        *(Gate(name, 1, 1) for name in ("rx", "ry", "rz", "p")),
        Gate("u", 1, 3, "gate u(a, b, c) q0 { U(a, b, c) q0; }"),
        Gate("gpi", 1, 1, "gate gpi(a) q0 { rz(-a) q0; x q0; rz(a) q0; }"),
        Gate("gpi2", 1, 1, "gate gpi2(a) q0 { rz(-a) q0; rx(pi/2) q0; rz(a) q0; }"),
        Gate("prx", 1, 2, "gate prx(a, b) q0 { rz(-b) q0; rx(a) q0; rz(b) q0; }"),
        *(Gate(name, 2, 0) for name in ("cx", "cz", "swap")),
        Gate("ecr", 2, 0, f"gate ecr q0, q1 {{ {_ECR} }}"),
        Gate(
            "iswap",
            2,
            0,
            "gate iswap q0, q1 { s q0; s q1; h q0; cx q0, q1; cx q1, q0; h q1; }",
        ),
        Gate("sqrt_iswap", 2, 0, f"gate sqrt_iswap q0, q1 {{ {_SQRT_ISWAP} }}"),
        Gate("cp", 2, 1),
        Gate("rzz", 2, 1, "gate rzz(a) q0, q1 { cx q0, q1; rz(a) q1; cx q0, q1; }"),
        Gate(
            "rxx",
            2,
            1,
            "gate rxx(a) q0, q1 { h q0; h q1; cx q0, q1; rz(a) q1; cx q0, q1; h q0; h q1; }",
        ),
        Gate("ccx", 3, 0),
    )
}

_HALF = math.sqrt(0.5)


def _u(theta: float, phi: float, lam: float) -> list[list[complex]]:
    c, s = math.cos(theta / 2), math.sin(theta / 2)
    return [
        [c, -cmath.exp(1j * lam) * s],
        [cmath.exp(1j * phi) * s, cmath.exp(1j * (phi + lam)) * c],
    ]


def euler_angles(name: str, angles: tuple[float, ...] = ()) -> tuple[float, float, float]:
    """Express a one-qubit gate by the general rotation U(theta, phi, lambda), up to phase.

    Returns:
        (theta, phi, lambda) in radians: Rz(phi) Ry(theta) Rz(lambda).

    Example:
        >>> euler_angles("rz", (0.25,))
        (0.0, 0.0, 0.25)
    """
    half, whole = math.pi / 2, math.pi
    fixed = {
        "id": (0.0, 0.0, 0.0),
        "x": (whole, 0.0, whole),
        "y": (whole, half, half),
        "z": (0.0, 0.0, whole),
        "h": (half, 0.0, whole),
        "s": (0.0, 0.0, half),
        "sdg": (0.0, 0.0, -half),
        "t": (0.0, 0.0, whole / 4),
        "tdg": (0.0, 0.0, -whole / 4),
        "sx": (half, -half, half),
        "sxdg": (half, half, -half),
    }
    if name in fixed:
        return fixed[name]
    a = angles[0]
    b = angles[1] if len(angles) > 1 else 0.0
    turned = {
        "rx": (a, -half, half),
        "ry": (a, 0.0, 0.0),
        "rz": (0.0, 0.0, a),
        "p": (0.0, 0.0, a),
        "gpi": (whole, a, whole - a),
        "gpi2": (half, a - half, half - a),
        "prx": (a, b - half, half - b),
    }
    return turned[name] if name in turned else (a, b, angles[2])


def _two_qubit(name: str, angles: tuple[float, ...]) -> list[list[complex]]:
    a = angles[0] if angles else 0.0
    if name in ("cz", "cp", "rzz"):
        minus, plus = cmath.exp(-0.5j * a), cmath.exp(0.5j * a)
        diagonals: dict[str, list[complex]] = {
            "cz": [1, 1, 1, -1],
            "cp": [1, 1, 1, cmath.exp(1j * a)],
            "rzz": [minus, plus, plus, minus],
        }
        return [[diagonals[name][r] if r == c else 0 for c in range(4)] for r in range(4)]
    c, s = math.cos(a / 2), -1j * math.sin(a / 2)
    i = 1j * _HALF
    full: dict[str, list[list[complex]]] = {
        "cx": [[1, 0, 0, 0], [0, 0, 0, 1], [0, 0, 1, 0], [0, 1, 0, 0]],
        "swap": [[1, 0, 0, 0], [0, 0, 1, 0], [0, 1, 0, 0], [0, 0, 0, 1]],
        "ecr": [[0, _HALF, 0, i], [_HALF, 0, -i, 0], [0, i, 0, _HALF], [-i, 0, _HALF, 0]],
        "iswap": [[1, 0, 0, 0], [0, 0, 1j, 0], [0, 1j, 0, 0], [0, 0, 0, 1]],
        "sqrt_iswap": [[1, 0, 0, 0], [0, _HALF, i, 0], [0, i, _HALF, 0], [0, 0, 0, 1]],
        "rxx": [[c, 0, 0, s], [0, c, s, 0], [0, s, c, 0], [s, 0, 0, c]],
    }
    return full[name]


def matrix(name: str, angles: tuple[float, ...] = ()) -> Matrix:
    """Give a gate's unitary, up to global phase.

    Args:
        name: A key of `GATES`.
        angles: As many radians as the gate has.

    Returns:
        Complex (2**k x 2**k) array for k operands, operand 0 least significant.

    Raises:
        KeyError: No such gate.
        ValueError: Too few or too many angles.

    Example:
        >>> matrix("cx")[:, 1].real  # operand 0 is the control: |01> becomes |11>
        array([0., 0., 0., 1.])
    """
    import numpy as np

    gate = GATES[name]
    if len(angles) != gate.num_angles:
        raise ValueError(f"{name} has {gate.num_angles} angles, got {len(angles)}")
    if gate.num_qubits == 1:
        return np.array(_u(*euler_angles(name, angles)), dtype=np.complex128)
    if gate.num_qubits == 2:
        return np.array(_two_qubit(name, angles), dtype=np.complex128)
    flips = np.eye(8, dtype=np.complex128)
    return flips[[0, 1, 2, 7, 4, 5, 6, 3]]
