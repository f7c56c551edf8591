"""Quantum volume: Haar-random two-qubit unitaries on random pairings, in native gates.

A report that researchers expect. Each of `depth` layers pairs the qubits at random (one stays idle
if their number is odd) and does a Haar-random SU(4) on each pair; quantum volume itself is the
square case, depth = width. A Haar-random SU(4) is K1 exp(i/2 (a XX + b YY + c ZZ)) K2 with K1, K2
Haar-random one-qubit gates and (a, b, c) of density |(u-v)(u-w)(v-w)|, u = cos 2a, v = cos 2b,
w = cos 2c, uniform otherwise; the middle takes three controlled-NOTs and three turns. K1 of one
layer and K2 of the next are one Haar-random gate; so there is one layer of those before each
pairing, and one at the end.

Where a pair is not coupled, the first such pair moves one step closer along a shortest path by a
SWAP of three controlled-NOTs, then all pairs that are neighbours go first, again and again. It is
simple and the same everywhere, no good compiler: on sparse graphs a vendor's own reaches more.

Assumes: a native gate that is a controlled-NOT up to one-qubit Cliffords.
Blind spot: at these widths anyone can simulate the answer; heavy outputs are a pass mark, and a
fidelity only for white noise.
Source: Cross et al., Phys. Rev. A 100, 032328 (2019); Vatan and Williams, Phys. Rev. A 69, 032315
(2004) for the three controlled-NOTs; Watts, O'Connor and Vala, Entropy 15, 1963 (2013) for the
density.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Final

from circuits.brickwork import MAX_WIDTH, random_gate
from circuits.case import Case, SimulatedAnswer
from circuits.cliffords import CLIFFORDS
from circuits.controlled_not import controlled_not
from circuits.draws import Draws
from circuits.errors import FamilyError
from circuits.layout import connected_qubits
from circuits.native import rotation, two_qubit
from circuits.program import Operation
from circuits.topology import Topology
from circuits.turns import Turn, after, angles_of, sine_and_cosine, turn_of
from circuits.verbatim import Layer, on_qubit, verbatim_program

MAX_DEPTH = 128
_MIN_WIDTH = 2
_HALF = math.pi / 2
_DENSEST = 2.0  # of |(u-v)(u-w)(v-w)| on [-1, 1], at -1, 0, 1

Pair = tuple[int, int]
Invariants = tuple[float, float, float]


class Volume:
    """Quantum volume's model circuits; the depth is the number of pairings."""

    name: Final = "volume"

    def generate(self, key: bytes, *, width: int, depth: int, topology: Topology) -> Case:
        """Draw a circuit on a random connected set of qubits.

        Args:
            key: Secret until the answer is in.
            width: Qubits, 2 .. 20 and at most the largest connected part of the device.
            depth: Pairings, 1 .. 128; for quantum volume the same as `width`.
            topology: The device.

        Returns:
            A case with `SimulatedAnswer`.

        Raises:
            FamilyError: Width or depth out of range, no supported one-qubit gates, or no two-qubit
                gate that makes a controlled-NOT.

        Example:
            >>> from circuits.topology import complete
            >>> device = complete(5, ["cx", "u"])
            >>> case = Volume().generate(b"key", width=5, depth=5, topology=device)
            >>> case.program.two_qubit_gates
            30
        """
        _check(topology, width, depth)
        draws = Draws(key, self.name, width, depth)
        qubits = connected_qubits(topology, width, draws.child("qubits"))
        program = verbatim_program(topology, qubits, _layers(draws, qubits, depth, topology))
        return Case(self.name, width, depth, qubits, program, SimulatedAnswer())


def _check(topology: Topology, width: int, depth: int) -> None:
    if not _MIN_WIDTH <= width <= MAX_WIDTH:
        raise FamilyError(f"volume needs {_MIN_WIDTH} .. {MAX_WIDTH} qubits, got {width}")
    if not 1 <= depth <= MAX_DEPTH:
        raise FamilyError(f"volume needs a depth 1 .. {MAX_DEPTH}, got {depth}")
    controlled_not(two_qubit(topology)[0], 0)


def _layers(
    draws: Draws, qubits: tuple[int, ...], depth: int, topology: Topology
) -> Iterator[Layer]:
    where = list(qubits)  # the device qubit that holds each qubit of the model circuit
    for k in range(depth + 1):
        stream = draws.child("angles", k)
        turned = {place: random_gate(stream, place, topology) for place in where}
        yield [op for place in qubits for op in turned[place]]
        if k < depth:
            order = draws.child("pairs", k).permutation(len(qubits))
            waiting = list(zip(order[::2], order[1::2], strict=False))
            middle = draws.child("middle", k)
            meant = {pair: haar_invariants(middle) for pair in waiting}
            while waiting:
                near = [pair for pair in waiting if _coupled(topology, where, pair)]
                waiting = [pair for pair in waiting if pair not in near]
                if near:
                    blocks = [((where[a], where[b]), meant[a, b]) for a, b in near]
                    yield from _together(blocks, topology)
                if waiting:
                    yield from _step_closer(where, waiting[0], qubits, topology)


def _coupled(topology: Topology, where: list[int], pair: Pair) -> bool:
    return where[pair[1]] in topology.neighbours(where[pair[0]])


def haar_invariants(draws: Draws) -> Invariants:
    """Draw (a, b, c) of exp(i/2 (a XX + b YY + c ZZ)) in a Haar-random SU(4), each in [0, pi).

    Example:
        >>> [round(angle, 3) for angle in haar_invariants(Draws(b"key"))]
        [0.33, 1.656, 2.457]
    """
    while True:
        a, b, c = (draws.random() * math.pi for _ in "abc")
        u, v, w = (sine_and_cosine(2 * angle)[1] for angle in (a, b, c))
        if draws.random() * _DENSEST < abs((u - v) * (u - w) * (v - w)):
            return a, b, c


def _together(blocks: list[tuple[Pair, Invariants]], topology: Topology) -> Iterator[Layer]:
    """Do exp(i/2 (a XX + b YY + c ZZ)) on coupled pairs, up to one-qubit gates at both ends."""
    parts = []
    for (p, q), (a, b, c) in blocks:
        first = {p: turn_of("rz", (-c - _HALF,)), q: turn_of("ry", (a + _HALF,))}
        second = {q: turn_of("ry", (-b - _HALF,))}
        parts.append(_chain([(q, p), (p, q), (q, p)], [first, second], topology))
    for layers in zip(*parts, strict=True):
        yield [op for layer in layers for op in layer]


def _chain(
    pairs: list[Pair], between: list[dict[int, Turn]], topology: Topology
) -> list[list[Operation]]:
    """Write controlled-NOTs (control, target) on one coupling with turns between them.

    What the first needs before it and the last behind it is left out.
    """
    layers: list[list[Operation]] = []
    for k, (control, target) in enumerate(pairs):
        gate, before, _ = _native(control, target, topology)
        if k:
            _, _, behind = _native(*pairs[k - 1], topology)
            meant = between[k - 1]
            layers.append(
                [
                    op
                    for qubit in sorted((control, target))
                    for turn in [_joined(behind[qubit], meant.get(qubit), before[qubit])]
                    for op in _written(turn, qubit, topology)
                ]
            )
        layers.append([gate])
    return layers


def _native(
    control: int, target: int, topology: Topology
) -> tuple[Operation, dict[int, Turn], dict[int, Turn]]:
    """The native gate of a coupling, and the turns around it that make a controlled-NOT."""
    name, angles = two_qubit(topology)
    forwards = (control, target) in topology.edges
    edge = (control, target) if forwards else (target, control)
    recipe = controlled_not(name, 0 if forwards else 1)
    before, behind = (
        {qubit: _clifford_turn(k) for qubit, k in zip(edge, ks, strict=True)}
        for ks in (recipe.before, recipe.behind)
    )
    return Operation(name, edge, angles), before, behind


def _clifford_turn(index: int) -> Turn:
    theta, phi, lam = (turns * _HALF for turns in CLIFFORDS[index].turns)
    return turn_of("u", (theta, phi, lam))


def _joined(first: Turn, middle: Turn | None, last: Turn) -> Turn:
    return after(last, after(middle, first) if middle else first)


def _written(turn: Turn, qubit: int, topology: Topology) -> list[Operation]:
    theta, phi, lam = angles_of(turn)
    return on_qubit(rotation(topology.native_gates, theta=theta, phi=phi, lam=lam), qubit)


def _step_closer(
    where: list[int], pair: Pair, qubits: tuple[int, ...], topology: Topology
) -> Iterator[Layer]:
    """Swap the pair's first qubit with the next one on the way to the second."""
    start, goal = where[pair[0]], where[pair[1]]
    step = _first_step(topology, qubits, start, goal)
    ends = [(start, step), (step, start), (start, step)]
    _, before, behind = _native(start, step, topology)
    sides = sorted((start, step))
    yield [op for qubit in sides for op in _written(before[qubit], qubit, topology)]
    yield from _chain(ends, [{}, {}], topology)
    yield [op for qubit in sides for op in _written(behind[qubit], qubit, topology)]
    for model, place in enumerate(where):
        where[model] = {start: step, step: start}.get(place, place)


def _first_step(topology: Topology, qubits: tuple[int, ...], start: int, goal: int) -> int:
    """The lowest neighbour of `start` that is on a shortest path to `goal` inside `qubits`."""
    inside = set(qubits)
    ring, seen = {goal}, {goal}
    while not ring.intersection(topology.neighbours(start)):
        ring = {q for near in ring for q in topology.neighbours(near) if q in inside} - seen
        seen |= ring
    return min(ring.intersection(topology.neighbours(start)))
