"""GHZ: one Schroedinger cat over the chosen qubits, and a random stabilizer of it to check.

The cat grows from a qubit in the middle: in each step every qubit that is in takes in one coupled
neighbour, so a line of n needs about n / 2 steps and a complete graph log2 n. What is measured is
a uniformly random one of the 2^n - 1 stabilizers other than the identity, each known up to a sign,
which is a fair coin: half of them hold X or Y on every qubit (the cat's coherence), the others Z
on an even number (its populations). The mean over circuits gives the fidelity,

    F = (1 + (2^n - 1) E[(-1)^wrong]) / 2^n,

and F > 1/2 means that all n qubits are entangled.

Assumes: nothing about the noise; readout error counts as infidelity.
Blind spot: a Clifford circuit, easy to simulate at any width: a report, never a proof.
Source: direct fidelity estimation, Flammia and Liu, PRL 106, 230501 (2011); Mooney et al., J. Phys.
Commun. 5, 095004 (2021) for growing cats on sparse graphs.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from itertools import product
from typing import Final

from circuits.case import Case
from circuits.cliffords import CLIFFORDS, ENTANGLERS, IDENTITY, composed
from circuits.draws import Draws
from circuits.errors import FamilyError
from circuits.layout import connected_qubits
from circuits.native import two_qubit
from circuits.parity import SignedPauli, turned_to_z
from circuits.program import Operation
from circuits.topology import Edge, Topology
from circuits.verbatim import clifford_on_qubit, verbatim_program

_MIN_WIDTH = 2
_X, _Z = 1, 2

Recipe = tuple[int, int, int, int]
"""Cliffords before the gate on the qubit that is in and the new one, then after it likewise."""


class GHZ:
    """Cat states with one stabilizer measured; the depth is always 0: the graph decides it."""

    name: Final = "ghz"

    def generate(self, key: bytes, *, width: int, depth: int, topology: Topology) -> Case:
        """Draw a connected set of qubits and a stabilizer of the cat over it.

        Args:
            key: Secret until the answer is in.
            width: Qubits, 2 .. the largest connected part of the device.
            depth: Always 0.
            topology: The device.

        Returns:
            A case with `ParityAnswer`.

        Raises:
            FamilyError: Another depth, width out of range, no supported one-qubit gates, or no
                two-qubit gate that is an entangling Clifford.

        Example:
            >>> line = Topology(5, ((0, 1), (1, 2), (2, 3), (3, 4)), ("cz", "rz", "sx", "x"))
            >>> case = GHZ().generate(b"key", width=5, depth=0, topology=line)
            >>> case.program.two_qubit_gates, case.answer.mask, case.answer.sign
            (4, '11111', 1)
        """
        if depth != 0:
            raise FamilyError(f"ghz has depth 0 only, got {depth}")
        if width < _MIN_WIDTH:
            raise FamilyError(f"ghz needs at least {_MIN_WIDTH} qubits, got {width}")
        draws = Draws(key, self.name, width)
        qubits = connected_qubits(topology, width, draws.child("qubits"))
        root, steps = growth(topology, qubits)
        growing = _Growing(topology, qubits, _random_subset(qubits, draws.child("stabilizer")))
        growing.turn(root, _TO_X)
        layers = [layer for step in steps for layer in growing.step(step)]
        last = turned_to_z((growing.code(q) for q in qubits), draws.child("measured"))
        for qubit, clifford in zip(qubits, last, strict=True):
            growing.turn(qubit, clifford)
        program = verbatim_program(topology, qubits, [*layers, growing.due(qubits)])
        return Case(self.name, width, depth, qubits, program, growing.pauli.answer(qubits))


_TO_X = next(k for k, c in enumerate(CLIFFORDS) if (c.images[_X], c.images[_Z]) == (_Z, _X))


def _random_subset(qubits: tuple[int, ...], draws: Draws) -> list[int]:
    """Draw a set that is not empty; the cat's stabilizers are what becomes of Z on it."""
    while True:
        chosen = [q for q, bit in zip(qubits, draws.bits(len(qubits)), strict=True) if bit]
        if chosen:
            return chosen


def growth(
    topology: Topology, qubits: tuple[int, ...]
) -> tuple[int, tuple[tuple[tuple[int, int], ...], ...]]:
    """Plan how a cat grows: where it starts, and the steps of disjoint (inside, new) pairs.

    It starts at a qubit from which the farthest is nearest, the lowest of those.

    Example:
        >>> line = Topology(5, ((0, 1), (1, 2), (2, 3), (3, 4)), ("cz",))
        >>> growth(line, (0, 1, 2, 3, 4))
        (2, (((2, 1),), ((1, 0), (2, 3)), ((3, 4),)))
    """
    inside = set(qubits)
    root = min(qubits, key=lambda qubit: (_farthest(topology, inside, qubit), qubit))
    reached, steps = [root], []
    while len(reached) < len(qubits):
        taken: list[tuple[int, int]] = []
        new: set[int] = set()
        for qubit in sorted(reached):
            free = (q for q in topology.neighbours(qubit) if q in inside - new)
            neighbour = next((q for q in free if q not in reached), None)
            if neighbour is not None:
                taken.append((qubit, neighbour))
                new.add(neighbour)
        reached += sorted(new)
        steps.append(tuple(taken))
    return root, tuple(steps)


def _farthest(topology: Topology, inside: set[int], start: int) -> int:
    """How many couplings away the farthest qubit is."""
    seen, ring, distance = {start}, {start}, -1
    while ring:
        seen |= ring
        ring = {q for near in ring for q in topology.neighbours(near) if q in inside} - seen
        distance += 1
    return distance


class _Growing:
    """A cat while it grows: gates due on each qubit, and the stabilizer carried along."""

    def __init__(self, topology: Topology, qubits: tuple[int, ...], support: list[int]) -> None:
        self._topology = topology
        self._edges = set(topology.edges)
        self._due = dict.fromkeys(qubits, IDENTITY)
        self.pauli = SignedPauli(support, qubits=qubits)

    def turn(self, qubit: int, clifford: int) -> None:
        """Put off a gate until the qubit's next two-qubit gate or the end."""
        self._due[qubit] = composed(self._due[qubit], clifford)
        self.pauli.pass_clifford(qubit, clifford)

    def code(self, qubit: int) -> int:
        """The stabilizer's letter on a qubit."""
        return self.pauli.codes[qubit]

    def due(self, qubits: tuple[int, ...]) -> list[Operation]:
        """Write what is due on `qubits`, trivial or not."""
        native, due = self._topology.native_gates, self._due
        written = [op for q in qubits for op in clifford_on_qubit(native, due[q], q)]
        self._due.update(dict.fromkeys(qubits, IDENTITY))
        return written

    def step(self, pairs: tuple[tuple[int, int], ...]) -> Iterator[list[Operation]]:
        """Take in the new qubit of each pair."""
        gate, angles = two_qubit(self._topology)
        edges: list[Edge] = []
        recipes = []
        for inside, new in pairs:
            forwards = (inside, new) in self._edges
            edges.append((inside, new) if forwards else (new, inside))
            recipes.append(_recipe(gate, 0 if forwards else 1))
            for qubit, clifford in zip((inside, new), recipes[-1][:2], strict=True):
                self.turn(qubit, clifford)
        busy = tuple(sorted(q for pair in pairs for q in pair if self._due[q] != IDENTITY))
        if busy:
            yield self.due(busy)
        self.pauli.pass_entanglers(ENTANGLERS[gate], edges)
        yield [Operation(gate, edge, angles) for edge in sorted(edges)]
        for pair, recipe in zip(pairs, recipes, strict=True):
            for qubit, clifford in zip(pair, recipe[2:], strict=True):
                self.turn(qubit, clifford)


@lru_cache(maxsize=64)
def _recipe(gate: str, inside: int) -> Recipe:
    """Find one-qubit gates that let a cat take in a qubit in state 0; signs do not matter.

    Args:
        gate: Name of the native gate.
        inside: Which of its operands, 0 or 1, is in the cat already.

    Returns:
        The first with the fewest gates, such that Z on the new one becomes Z Z, X inside X X or
        Y Y (equal up to Z Z), and Z inside Z on either (likewise).

    Raises:
        FamilyError: The gate is no entangling Clifford.
    """
    if gate not in ENTANGLERS:
        raise FamilyError(f"ghz needs a Clifford among {', '.join(ENTANGLERS)}, got {gate}")
    kinds = {c.images: k for k, c in reversed(list(enumerate(CLIFFORDS)))}.values()
    wanted = ((0, _Z, {(_Z, _Z)}), (_X, 0, {(1, 1), (3, 3)}), (_Z, 0, {(_Z, 0), (0, _Z)}))
    options = product(kinds, kinds, kinds, kinds)
    for recipe in sorted(options, key=lambda r: (sum(k != IDENTITY for k in r), r)):
        if all(_image(gate, inside, recipe, (a, b)) in allowed for a, b, allowed in wanted):
            return recipe
    raise FamilyError(f"ghz needs a two-qubit gate that entangles, got {gate}")


def _image(gate: str, inside: int, recipe: Recipe, pauli: tuple[int, int]) -> tuple[int, int]:
    """Carry (inside, new) Pauli codes through a recipe and its gate."""
    a, b = (CLIFFORDS[k].images[code] for k, code in zip(recipe[:2], pauli, strict=True))
    pair = ENTANGLERS[gate].images[a + 4 * b if inside == 0 else b + 4 * a]
    a, b = (pair % 4, pair // 4) if inside == 0 else (pair // 4, pair % 4)
    return CLIFFORDS[recipe[2]].images[a], CLIFFORDS[recipe[3]].images[b]
