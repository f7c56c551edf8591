"""The chip's picture: where qubits stand, and which colour they have."""

from __future__ import annotations

import itertools
import math
from dataclasses import replace

import pytest

from circuits.topology import Edge, Topology, complete
from qsubnet.reporting.chip import chip_figure
from qsubnet.reporting.material import Material
from qsubnet.reporting.placing import positions

GATES = ("cz", "rz", "sx")


def grid(rows: int, columns: int) -> Topology:
    edges = [
        (r * columns + c, r * columns + c + 1) for r in range(rows) for c in range(columns - 1)
    ]
    edges += [
        (r * columns + c, (r + 1) * columns + c) for r in range(rows - 1) for c in range(columns)
    ]
    return Topology(rows * columns, tuple(edges), GATES)


def ring(size: int, *, first: int = 0) -> list[Edge]:
    return [(first + i, first + (i + 1) % size) for i in range(size)]


@pytest.mark.parametrize(
    "topology",
    [
        grid(5, 7),
        Topology(12, tuple(ring(12)), GATES),
        Topology(20, tuple((q, q + 1) for q in range(19)), GATES),
        Topology(6, (), GATES),
        Topology(16, tuple(ring(9) + ring(6, first=9)), GATES),
        complete(9, ("cx", "u")),
        Topology(1, (), ("rz", "sx")),
    ],
)
def test_no_two_qubits_stand_on_each_other_and_the_picture_is_the_same_again(
    topology: Topology,
) -> None:
    places = positions(topology)
    assert len(places) == topology.num_qubits
    assert places == positions(topology)
    assert all(math.dist(a, b) > 0.5 for a, b in itertools.combinations(places, 2))


def test_a_grid_is_drawn_as_a_grid_along_its_axes() -> None:
    topology = grid(4, 6)
    places = positions(topology)
    for a, b in topology.edges:
        across, down = (abs(places[a][i] - places[b][i]) for i in (0, 1))
        assert max(across, down) == pytest.approx(1.0, abs=0.1)
        assert min(across, down) < 0.1


def test_parts_without_a_coupling_stand_beside_the_largest() -> None:
    places = positions(Topology(12, tuple(ring(8, first=4)), GATES))
    assert min(x for x, _ in places[:4]) > max(x for x, _ in places[4:])


def test_couplings_of_a_ring_are_equally_long() -> None:
    topology = Topology(10, tuple(ring(10)), GATES)
    places = positions(topology)
    lengths = [math.dist(places[a], places[b]) for a, b in topology.edges]
    assert max(lengths) - min(lengths) < 0.05


def test_the_qubit_that_reads_worst_is_the_darkest_and_says_why(material: Material) -> None:
    figure = chip_figure(material)
    assert figure.plot is not None
    circles = figure.plot["data"][-1]
    colours = circles["marker"]["color"]
    assert len(colours) == 10
    assert max(range(10), key=colours.__getitem__) == 4
    assert circles["customdata"][4].startswith("qubit 4<br>readout 1")
    assert "its sheet says 2 %" in circles["customdata"][4]


def test_every_coupling_that_ran_has_its_numbers(material: Material) -> None:
    figure = chip_figure(material)
    assert figure.plot is not None
    middles = figure.plot["data"][-3]
    assert len(middles["text"]) == len(material.device.topology.edges)
    assert middles["text"][0].startswith("pair 0-1<br>two-qubit gate ")
    assert "its sheet says 1.25 %" in middles["text"][0]  # 5r/4 in process units, r = .01
    assert figure.table is not None
    assert [row[1] for row in figure.table.rows if row[0] == "two-qubit gate"][-1] == "8-9"


def test_a_qubit_that_never_ran_stays_grey_and_says_so(material: Material) -> None:
    mirrors = [r for r in material.records if r.case and r.case.family == "mirror"]
    short = tuple(r for r in mirrors if r.case and r.case.width == 4)[:1]
    figure = chip_figure(replace(material, records=short))
    assert figure.plot is not None
    ran = set(short[0].case.qubits if short[0].case else ())
    circles = figure.plot["data"][-1]
    assert {q for q, seen in enumerate(circles["marker"]["opacity"]) if seen} == ran
    assert {q for q, text in enumerate(circles["customdata"]) if "never ran" in text} == (
        set(range(10)) - ran
    )


def test_buttons_switch_the_circles_colours(material: Material) -> None:
    figure = chip_figure(material)
    assert figure.plot is not None
    buttons = figure.plot["layout"]["updatemenus"][0]["buttons"]
    assert [button["label"] for button in buttons] == ["readout", "one-qubit gate", "waiting"]
    assert all(button["args"][1] == [len(figure.plot["data"]) - 1] for button in buttons)
