"""Expected values: definitions of connected, disjoint, maximal and colouring; degree bounds."""

import itertools
from collections import Counter

import pytest

from circuits.draws import Draws
from circuits.errors import FamilyError
from circuits.layout import connected_qubits, disjoint_edges, edge_layers
from circuits.topology import Edge, Topology, complete


def line(width: int) -> Topology:
    return Topology(width, tuple((q, q + 1) for q in range(width - 1)), ("cz",))


def grid(side: int) -> Topology:
    right = [(r * side + c, r * side + c + 1) for r in range(side) for c in range(side - 1)]
    down = [((r + 1) * side + c, r * side + c) for r in range(side - 1) for c in range(side)]
    return Topology(side * side, tuple(sorted(right + down)), ("cz",))


TOPOLOGIES = [line(2), line(9), grid(4), complete(7, ["cx"])]


def is_connected(qubits: tuple[int, ...], edges: tuple[Edge, ...]) -> bool:
    reached = {qubits[0]}
    for _ in qubits:
        reached |= {q for edge in edges if reached & set(edge) for q in edge}
    return reached == set(qubits)


@pytest.mark.parametrize("topology", TOPOLOGIES, ids=lambda t: str(t.num_qubits))
def test_drawn_qubits_are_connected_and_ascending_at_every_width(topology: Topology) -> None:
    for width, index in itertools.product(range(1, topology.num_qubits + 1), range(5)):
        qubits = connected_qubits(topology, width, Draws(b"layout", width, index))
        assert len(set(qubits)) == width
        assert list(qubits) == sorted(qubits)
        assert is_connected(qubits, topology.edges_within(qubits))


def test_every_connected_set_of_a_small_device_is_drawn() -> None:
    drawn = {connected_qubits(line(5), 2, Draws(b"all", k)) for k in range(200)}
    assert drawn == {(0, 1), (1, 2), (2, 3), (3, 4)}


def test_qubits_come_from_the_part_that_is_wide_enough() -> None:
    parts = Topology(6, ((0, 1), (2, 3), (3, 4)), ("cz",))
    assert {connected_qubits(parts, 3, Draws(b"parts", k)) for k in range(50)} == {(2, 3, 4)}


@pytest.mark.parametrize("width", [-1, 0, 4, 7])
def test_a_width_that_no_connected_part_has_is_refused(width: int) -> None:
    parts = Topology(6, ((0, 1), (2, 3), (3, 4)), ("cz",))
    with pytest.raises(FamilyError, match=rf"need 1 \.\. 3 connected qubits .* got {width}"):
        connected_qubits(parts, width, Draws(b"key"))


def test_drawn_layouts_are_frozen() -> None:
    # Golden values: validators must agree on them.
    assert connected_qubits(grid(4), 6, Draws(b"golden", 1)) == (4, 8, 12, 13, 14, 15)
    assert disjoint_edges(line(7).edges, Draws(b"golden", 2)) == ((0, 1), (2, 3), (4, 5))


@pytest.mark.parametrize("topology", TOPOLOGIES, ids=lambda t: str(t.num_qubits))
def test_a_drawn_matching_is_disjoint_and_maximal(topology: Topology) -> None:
    for index in range(20):
        taken = disjoint_edges(topology.edges, Draws(b"matching", index))
        used = [q for edge in taken for q in edge]
        assert len(used) == len(set(used))
        assert set(taken) <= set(topology.edges)
        assert all(set(edge) & set(used) for edge in topology.edges)


def test_every_maximal_matching_of_a_line_of_four_is_drawn() -> None:
    drawn = Counter(disjoint_edges(line(4).edges, Draws(b"m", k)) for k in range(300))
    # The middle edge comes first in one order of three.
    assert set(drawn) == {((0, 1), (2, 3)), ((1, 2),)}
    assert drawn[((1, 2),)] == pytest.approx(100, abs=5 * (300 * 2 / 9) ** 0.5)


def test_the_order_of_the_given_edges_does_not_matter() -> None:
    edges = list(grid(4).edges)
    assert disjoint_edges(edges, Draws(b"k")) == disjoint_edges(edges[::-1], Draws(b"k"))
    assert edge_layers(edges) == edge_layers(edges[::-1])


@pytest.mark.parametrize("topology", TOPOLOGIES, ids=lambda t: str(t.num_qubits))
def test_edge_layers_hold_every_edge_once_and_are_disjoint(topology: Topology) -> None:
    layers = edge_layers(topology.edges)
    degree = max(Counter(q for edge in topology.edges for q in edge).values())
    assert sorted(edge for layer in layers for edge in layer) == sorted(topology.edges)
    assert all(len({q for edge in layer for q in edge}) == 2 * len(layer) for layer in layers)
    assert degree <= len(layers) <= 2 * degree - 1
    assert [len(layer) for layer in layers] == sorted(map(len, layers), reverse=True)


def test_a_line_needs_two_layers_and_no_edges_need_none() -> None:
    assert len(edge_layers(line(9).edges)) == 2
    assert edge_layers([]) == ()
