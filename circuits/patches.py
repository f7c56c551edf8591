"""Patches: small random circuits side by side over a whole device, all at the same time.

Test T4 at any width. The qubits under test are split into connected patches of at most 10 qubits;
each patch is a brickwork of its own (`circuits.brickwork`): Haar-random one-qubit gates on all
qubits, then the native two-qubit gate on one colour of the patch's own edges, the colours in turn.
No gate crosses from one patch to another, so the ideal distribution is a product, and each factor
is small enough to be simulated alone (`patch_programs`). What the patches do to each other while
they run, crosstalk, lowers each one's fidelity against the same patch run alone.

Assumes: nothing about the noise; the product is exact for the ideal circuit.
Blind spot: no entanglement across patches, so each is easy to simulate: fidelity and crosstalk,
never hardware.
Source: simultaneous cross-entropy benchmarking, Arute et al., Nature 574, 505 (2019); the split is
a greedy cut of a random depth-first tree.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from circuits.brickwork import random_gate
from circuits.case import Case, PatchedAnswer
from circuits.draws import Draws
from circuits.errors import FamilyError, ProgramError
from circuits.layout import connected_qubits, edge_layers
from circuits.native import two_qubit
from circuits.program import BARRIER, MEASURE, Operation, Program, final_measurements, measure
from circuits.topology import Edge, Topology
from circuits.verbatim import Layer, verbatim_program

MAX_DEPTH = 1024
PATCH_LIMIT = 10
"""Qubits of the largest patch."""

_MIN_WIDTH = 2

Patch = tuple[int, ...]


class Patches:
    """Brickwork patches that cover the chosen qubits; the depth is the cycles of each patch.

    Args:
        limit: Qubits of the largest patch, 2 or more; the table's member has `PATCH_LIMIT`.
    """

    name: Final = "patches"

    def __init__(self, *, limit: int = PATCH_LIMIT) -> None:
        self._limit = limit

    def generate(self, key: bytes, *, width: int, depth: int, topology: Topology) -> Case:
        """Draw patches on a random connected set of qubits.

        Args:
            key: Secret until the answer is in.
            width: Qubits of all patches together, 2 .. the largest connected part of the device.
            depth: Cycles, each with one two-qubit layer in every patch, 1 .. 1024.
            topology: The device.

        Returns:
            A case with `PatchedAnswer`.

        Raises:
            FamilyError: Width or depth out of range, no supported one-qubit gates, or no two-qubit
                gate that entangles.

        Example:
            >>> line = Topology(25, tuple((q, q + 1) for q in range(24)), ("cz", "rz", "sx", "x"))
            >>> case = Patches().generate(b"key", width=25, depth=4, topology=line)
            >>> [len(patch) for patch in case.answer.patches]
            [5, 10, 10]
        """
        _check(topology, width, depth)
        draws = Draws(key, self.name, width, depth)
        qubits = connected_qubits(topology, width, draws.child("qubits"))
        patches = split(topology, qubits, draws.child("split"), limit=self._limit)
        layers = _layers(draws, qubits, patches, depth, topology)
        program = verbatim_program(topology, qubits, layers)
        place = {qubit: bit for bit, qubit in enumerate(qubits)}
        answer = PatchedAnswer(tuple(tuple(place[q] for q in patch) for patch in patches))
        return Case(self.name, width, depth, qubits, program, answer)


def _check(topology: Topology, width: int, depth: int) -> None:
    if width < _MIN_WIDTH:
        raise FamilyError(f"patches need at least {_MIN_WIDTH} qubits, got {width}")
    if not 1 <= depth <= MAX_DEPTH:
        raise FamilyError(f"patches need a depth 1 .. {MAX_DEPTH}, got {depth}")
    gate, _ = two_qubit(topology)
    if gate == "swap":
        raise FamilyError("patches need a two-qubit gate that entangles, got swap")


def split(
    topology: Topology, qubits: tuple[int, ...], draws: Draws, *, limit: int = PATCH_LIMIT
) -> tuple[Patch, ...]:
    """Split connected qubits into connected patches of at most `limit`.

    A random depth-first tree is cut from its leaves up: a qubit takes in its branches, the smallest
    first, as long as the limit allows; the others become patches. On a line or a complete graph
    all patches but two are full; with three neighbours at most, all but one have at least a third
    of the limit. A leaf of a star may be left alone.

    Returns:
        Patches of ascending qubits, sorted; together each qubit once.

    Example:
        >>> line = Topology(13, tuple((q, q + 1) for q in range(12)), ("cz",))
        >>> split(line, tuple(range(13)), Draws(b"key"))
        ((0, 1, 2), (3, 4, 5, 6, 7, 8, 9, 10, 11, 12))
    """
    order, parent = _depth_first(topology, qubits, draws)
    branches: dict[int, list[Patch]] = {qubit: [] for qubit in qubits}
    patches: list[Patch] = []
    for qubit in reversed(order):
        own: Patch = (qubit,)
        for branch in sorted(branches[qubit], key=lambda patch: (len(patch), patch)):
            if len(own) + len(branch) <= limit:
                own += branch
            else:
                patches.append(tuple(sorted(branch)))
        if qubit in parent:
            branches[parent[qubit]].append(own)
        else:
            patches.append(tuple(sorted(own)))
    return tuple(sorted(patches))


def _depth_first(
    topology: Topology, qubits: tuple[int, ...], draws: Draws
) -> tuple[list[int], dict[int, int]]:
    """Walk a random depth-first tree: qubits in the order of the walk, and each one's parent."""
    inside = set(qubits)
    parent: dict[int, int] = {}
    order: list[int] = []
    seen: set[int] = set()
    waiting = [draws.choice(qubits)]
    while waiting:
        qubit = waiting.pop()
        if qubit in seen:
            continue
        seen.add(qubit)
        order.append(qubit)
        near = [q for q in topology.neighbours(qubit) if q in inside and q not in seen]
        for place in draws.permutation(len(near)):
            parent[near[place]] = qubit  # the last to push it is the one it is walked from
            waiting.append(near[place])
    return order, parent


def _layers(
    draws: Draws,
    qubits: tuple[int, ...],
    patches: tuple[Patch, ...],
    depth: int,
    topology: Topology,
) -> Iterator[Layer]:
    colours = [edge_layers(topology.edges_within(patch)) for patch in patches]
    gate, angles = two_qubit(topology)
    for cycle in range(depth + 1):
        stream = draws.child("angles", cycle)
        yield [op for qubit in qubits for op in random_gate(stream, qubit, topology)]
        if cycle < depth:
            yield [Operation(gate, edge, angles) for edge in _coupled(colours, cycle)]


def _coupled(colours: list[tuple[tuple[Edge, ...], ...]], cycle: int) -> list[Edge]:
    """The edges of one cycle, of all patches that have any."""
    return sorted(edge for own in colours if own for edge in own[cycle % len(own)])


def patch_programs(program: Program, answer: PatchedAnswer) -> tuple[Program, ...]:
    """Give each patch its own small program, as a simulator wants it.

    Args:
        program: Of a case with `answer`; measurements at the end.
        answer: Which bits belong together.

    Returns:
        For each patch a program of as many qubits and bits as the patch has bits: its bit k is
        the patch's k-th bit. The law of `program` is the product of theirs. Barriers are left out.

    Raises:
        ProgramError: A gate crosses between patches or acts on a qubit of none, a bit that nothing
            measures, or a measurement or reset in the middle.

    Example:
        >>> both = Program(3, 2, (Operation("x", (0,)), Operation("h", (2,)),
        ...                       measure(0, 0), measure(2, 1)))
        >>> [p.operations[0].name for p in patch_programs(both, PatchedAnswer(((0,), (1,))))]
        ['x', 'h']
    """
    read = final_measurements(program)
    home: dict[int, tuple[int, int]] = {}  # qubit -> (patch, place in it)
    for index, patch in enumerate(answer.patches):
        for place, bit in enumerate(patch):
            if bit not in read:
                raise ProgramError(f"bit {bit} of patch {index} is never measured")
            home[read[bit]] = (index, place)
    gates: list[list[Operation]] = [[] for _ in answer.patches]
    for op in program.operations:
        if op.name not in (BARRIER, MEASURE):
            homes = [home[qubit] for qubit in op.qubits if qubit in home]
            if len(homes) < len(op.qubits) or len({index for index, _ in homes}) != 1:
                raise ProgramError(f"{op.name} on {list(op.qubits)} is not inside one patch")
            places = tuple(place for _, place in homes)
            gates[homes[0][0]].append(Operation(op.name, places, op.angles))
    return tuple(
        Program(len(patch), len(patch), (*own, *(measure(k, k) for k in range(len(patch)))))
        for patch, own in zip(answer.patches, gates, strict=True)
    )
