"""Topology: what is refused, and the graph by hand."""

from __future__ import annotations

import pytest

from circuits.errors import CircuitError
from circuits.topology import Topology, complete


def test_neighbours_ignore_direction_and_edges_keep_it() -> None:
    device = Topology(5, ((3, 1), (0, 1), (4, 3)), ("ecr", "rz", "sx", "x"))
    assert device.neighbours(1) == (0, 3)
    assert device.neighbours(2) == ()
    assert device.edges_within([3, 1, 4]) == ((3, 1), (4, 3))
    assert device.edges_within([0, 4]) == ()


def test_edges_and_gates_are_kept_sorted_so_that_equal_devices_are_equal() -> None:
    one = Topology(3, ((1, 2), (0, 1)), ("x", "cz", "rz"))
    assert one == Topology(3, ((0, 1), (1, 2)), ("cz", "rz", "x", "x"))
    assert one.edges == ((0, 1), (1, 2))


def test_the_two_qubit_gate_is_the_one_that_acts_on_two_qubits() -> None:
    assert Topology(2, ((0, 1),), ("x", "ccx", "iswap")).two_qubit_gate == "iswap"
    assert Topology(1, (), ("x",)).two_qubit_gate == ""


def test_complete_couples_every_pair_once() -> None:
    assert len(complete(7, ["cx"]).edges) == 7 * 6 // 2


@pytest.mark.parametrize(
    ("width", "edges", "gates", "message"),
    [
        (0, (), (), "num_qubits >= 1, got 0"),
        (2, ((0, 2),), (), r"edge \(0, 2\)"),
        (2, ((-1, 0),), (), r"edge \(-1, 0\)"),
        (2, ((1, 1),), (), r"edge \(1, 1\)"),
        (2, ((0, 1), (1, 0)), (), r"edge \(1, 0\) repeats"),
        (2, (), ("cx", "foo"), "unknown native gates"),
    ],
)
def test_a_topology_that_contradicts_itself_is_refused(
    width: int, edges: tuple[tuple[int, int], ...], gates: tuple[str, ...], message: str
) -> None:
    with pytest.raises(CircuitError, match=message):
        Topology(width, edges, gates)
