"""Layout: where on a device a circuit lies: connected qubits, and sets of disjoint edges.

Everything iterates in sorted order and draws from `Draws`, so that every machine gets the same.

Blind spot: neither the connected sets nor the matchings are uniform over all that exist; see each.
"""

from __future__ import annotations

from bisect import bisect_left, insort
from collections.abc import Iterable

from circuits.draws import Draws
from circuits.errors import FamilyError
from circuits.topology import Edge, Topology


def _component_sizes(topology: Topology) -> list[int]:
    """For each qubit, how many qubits can be reached from it, itself included."""
    sizes = [0] * topology.num_qubits
    for start in range(topology.num_qubits):
        if sizes[start]:
            continue
        reached, waiting = {start}, [start]
        while waiting:
            new = set(topology.neighbours(waiting.pop())) - reached
            reached |= new
            waiting.extend(new)
        for qubit in reached:
            sizes[qubit] = len(reached)
    return sizes


def largest_part(topology: Topology) -> int:
    """Count the qubits of the largest connected part.

    Example:
        >>> largest_part(Topology(4, ((0, 1), (1, 3)), ("cz",)))
        3
    """
    return max(_component_sizes(topology))


def connected_qubits(topology: Topology, width: int, draws: Draws) -> tuple[int, ...]:
    """Draw a connected set of qubits, ascending.

    It grows from a uniform start by a uniform choice among all neighbours of what it has, which
    favours compact sets and the middle of the device.

    Args:
        topology: Where; directions of edges do not matter.
        width: How many qubits, 1 .. the largest connected part.
        draws: Stream to draw from; it advances.

    Raises:
        FamilyError: No connected set is that wide.

    Example:
        >>> line = Topology(5, ((0, 1), (1, 2), (2, 3), (3, 4)), ("cz",))
        >>> connected_qubits(line, 3, Draws(b"key"))
        (1, 2, 3)
    """
    sizes = _component_sizes(topology)
    if not 1 <= width <= max(sizes):
        raise FamilyError(f"need 1 .. {max(sizes)} connected qubits on this device, got {width}")
    chosen = {draws.choice([q for q, size in enumerate(sizes) if size >= width])}
    frontier = sorted(q for start in chosen for q in topology.neighbours(start))
    while len(chosen) < width:
        qubit = draws.choice(frontier)
        chosen.add(qubit)
        frontier.pop(bisect_left(frontier, qubit))
        for near in topology.neighbours(qubit):
            place = bisect_left(frontier, near)
            if near not in chosen and (place == len(frontier) or frontier[place] != near):
                insort(frontier, near)
    return tuple(sorted(chosen))


def disjoint_edges(edges: Iterable[Edge], draws: Draws) -> tuple[Edge, ...]:
    """Draw a maximal set of edges that share no qubit, sorted, directions kept.

    Greedy over a uniform order of the edges: every maximal set can come, not equally often.

    Example:
        >>> disjoint_edges([(0, 1), (1, 2), (2, 3)], Draws(b"key"))
        ((0, 1), (2, 3))
    """
    ordered = sorted(edges)
    used: set[int] = set()
    taken = []
    for place in draws.permutation(len(ordered)):
        a, b = ordered[place]
        if a not in used and b not in used:
            used |= {a, b}
            taken.append(ordered[place])
    return tuple(sorted(taken))


def edge_layers(edges: Iterable[Edge]) -> tuple[tuple[Edge, ...], ...]:
    """Split edges into layers of disjoint edges, the fullest layer first.

    Greedy edge colouring in sorted order: at most 2 d - 1 layers at largest degree d (the best
    possible is d or d + 1). A line gives 2.

    Example:
        >>> edge_layers([(0, 1), (1, 2), (2, 3)])
        (((0, 1), (2, 3)), ((1, 2),))
    """
    layers: list[list[Edge]] = []
    busy: list[set[int]] = []
    for a, b in sorted(edges):
        place = next((k for k, qubits in enumerate(busy) if not qubits & {a, b}), len(layers))
        if place == len(layers):
            layers.append([])
            busy.append(set())
        layers[place].append((a, b))
        busy[place] |= {a, b}
    return tuple(sorted((tuple(layer) for layer in layers), key=lambda layer: (-len(layer), layer)))
