"""Brickwork: random one-qubit gates and the native two-qubit gate in turn, for cross-entropy.

Test T4 in its first form. Each of `depth` cycles is a layer of independent Haar-random one-qubit
gates on all qubits, then the native two-qubit gate on one layer of the edge colouring of the
chosen qubits' graph, the colours in turn; a last one-qubit layer follows. No closed form: the
ideal distribution is simulated, so the width ends at 20.

The angles are exact multiples of 1e-12 rad, computed with +, -, *, / and square root alone,
which IEEE 754 rounds in one way only: the C library's sine or arccosine, which differ between
machines, have no part in them.

Assumes: depth of about 2 n or more on a line before the outcome probabilities are exponentially
distributed (Porter-Thomas); shallower circuits are fine for estimators that use their own ideal
sums. Blind spot: a classical computer simulates these widths, so they show fidelity, not hardware.
Source: Arute et al., Nature 574, 505 (2019); U(theta, phi, lambda) is Haar-random when cos(theta),
phi and lambda are uniform (Zyczkowski and Kus, J. Phys. A 27, 4235 (1994)).
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Final

from circuits.case import Case, SimulatedAnswer
from circuits.draws import Draws
from circuits.errors import FamilyError
from circuits.layout import connected_qubits, edge_layers
from circuits.native import rotation, two_qubit
from circuits.program import Operation
from circuits.topology import Topology
from circuits.turns import small_arctangent
from circuits.verbatim import Layer, on_qubit, verbatim_program

MAX_WIDTH = 20
MAX_DEPTH = 1024
DECIMALS = 12

_MIN_WIDTH = 2
_HALF_TURN = 3_141_592_653_590  # pi in units of 1e-12
_STEPS = 10**DECIMALS


class Brickwork:
    """Haar-random one-qubit gates between layers of the native two-qubit gate."""

    name: Final = "brickwork"

    def generate(self, key: bytes, *, width: int, depth: int, topology: Topology) -> Case:
        """Draw a circuit on a random connected set of qubits.

        Args:
            key: Secret until the answer is in.
            width: Qubits, 2 .. 20 and at most the largest connected part of the device.
            depth: Cycles, each with one two-qubit layer, 1 .. 1024.
            topology: The device.

        Returns:
            A case with `SimulatedAnswer`.

        Raises:
            FamilyError: Width or depth out of range, no supported one-qubit gates, or no two-qubit
                gate that entangles.

        Example:
            >>> line = Topology(3, ((0, 1), (1, 2)), ("cz", "rz", "sx", "x"))
            >>> case = Brickwork().generate(b"key", width=3, depth=4, topology=line)
            >>> case.program.two_qubit_gates, sum(op.name == "sx" for op in case.program.operations)
            (4, 30)
        """
        _check(topology, width, depth)
        draws = Draws(key, self.name, width, depth)
        qubits = connected_qubits(topology, width, draws.child("qubits"))
        program = verbatim_program(
            topology, qubits, brickwork_layers(draws, qubits, depth, topology)
        )
        return Case(self.name, width, depth, qubits, program, SimulatedAnswer())


def _check(topology: Topology, width: int, depth: int) -> None:
    if not _MIN_WIDTH <= width <= MAX_WIDTH:
        raise FamilyError(f"brickwork needs {_MIN_WIDTH} .. {MAX_WIDTH} qubits, got {width}")
    if not 1 <= depth <= MAX_DEPTH:
        raise FamilyError(f"brickwork needs a depth 1 .. {MAX_DEPTH}, got {depth}")
    gate, _ = two_qubit(topology)
    if gate == "swap":
        raise FamilyError("brickwork needs a two-qubit gate that entangles, got swap")


def brickwork_layers(
    draws: Draws, qubits: tuple[int, ...], depth: int, topology: Topology
) -> Iterator[Layer]:
    """Draw the layers of a brickwork on `qubits`, one-qubit and two-qubit layers in turn.

    Raises:
        FamilyError: No supported one-qubit gates, or no two-qubit gate.
    """
    colours = edge_layers(topology.edges_within(qubits))
    gate, angles = two_qubit(topology)
    for cycle in range(depth + 1):
        stream = draws.child("angles", cycle)
        yield [op for qubit in qubits for op in random_gate(stream, qubit, topology)]
        if cycle < depth:
            yield [Operation(gate, edge, angles) for edge in colours[cycle % len(colours)]]


def random_gate(draws: Draws, qubit: int, topology: Topology) -> list[Operation]:
    """Draw a Haar-random gate on `qubit` in native gates.

    Raises:
        FamilyError: No supported set of one-qubit gates is native.

    Example:
        >>> line = Topology(2, ((0, 1),), ("cz", "rz", "sx"))
        >>> [op.name for op in random_gate(Draws(b"key"), 1, line)]
        ['rz', 'sx', 'rz', 'sx', 'rz']
    """
    theta, phi, lam = haar_angles(draws)
    return on_qubit(rotation(topology.native_gates, theta=theta, phi=phi, lam=lam), qubit)


def haar_angles(draws: Draws) -> tuple[float, float, float]:
    """Draw (theta, phi, lambda) of a Haar-random one-qubit gate, up to global phase.

    Returns:
        Radians in steps of 1e-12; theta in [0, pi], phi and lambda in [-pi, pi], the same
        floats on every machine.

    Example:
        >>> [round(angle, 3) for angle in haar_angles(Draws(b"key"))]
        [1.438, -1.136, -2.542]
    """
    theta = round(polar_angle(draws.random()), DECIMALS)
    phi = (draws.integer(2 * _HALF_TURN) - _HALF_TURN) / _STEPS
    lam = (draws.integer(2 * _HALF_TURN) - _HALF_TURN) / _STEPS
    return theta, phi, lam


def polar_angle(share: float) -> float:
    """Return arccos(1 - 2 `share`), to about 1e-15, without the C library.

    The angle is 16 arctan(t) with t = tan(angle / 16) from half-angle formulas, and t < 0.2.

    Args:
        share: Part of the sphere's area above the angle, 0 .. 1.

    Example:
        >>> abs(polar_angle(0.5) - math.pi / 2) < 1e-14
        True
    """
    tangent = math.sqrt(share) / (1 + math.sqrt(1 - share))  # of a quarter of the angle
    for _ in ("an eighth", "a sixteenth"):
        tangent = tangent / (1 + math.sqrt(1 + tangent * tangent))
    return 16 * small_arctangent(tangent)
