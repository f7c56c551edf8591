"""The error map on the chip's graph: every qubit and coupling coloured by its measured error.

Only the newest epochs enter, because a machine drifts; elements that never ran are grey. Where very
many pairs couple, as on a simulator, only the couplings that ran are drawn.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from qsubnet.reporting.figures import (
    GRID,
    INK,
    QUIET,
    Figure,
    Plot,
    Table,
    layout,
    percent,
    percents,
)
from qsubnet.reporting.material import Material, known_circuits
from qsubnet.reporting.placing import positions
from validator.estimators.error_map import ErrorMap, error_map

if TYPE_CHECKING:
    from circuits.topology import Edge
    from providers.base import Device
    from validator.interval import Interval

__all__ = ["MAP_EPOCHS", "chip_figure", "measured_map"]

MAP_EPOCHS = 24

_SHOWS = (
    "Circles are qubits, lines are the pairs that can interact. Their colours are the errors that "
    "fit the answers best: the darker, the worse. Point at a circle or at the middle of a line "
    "for its numbers and 95 % intervals; the buttons choose which error of a qubit is shown. The "
    "arrangement follows the couplings, not the chip's real floor plan."
)
_READING = (
    "Gate errors are the chance that anything happened that should not have (process error); "
    "readout is the chance of a wrong bit. Errors that always occur together are shared out in "
    "proportion to the device's own sheet, so single values are rough where intervals are wide."
)
_QUBIT_SCALE = ((0.0, "#eaf1f6"), (0.5, "#5a9bc4"), (1.0, "#0b2f52"))
_PAIR_SCALE = ((0.0, "#f3dfc4"), (0.5, "#d9822b"), (1.0, "#6b1f0f"))
_STEPS = 12
_MOST_LINES = 3000


@dataclass(frozen=True, slots=True)
class _Kind:
    """One error of a qubit: its button, its table, its claim by qubit."""

    name: str
    found: Mapping[int, Interval]
    claimed: Sequence[float]


def measured_map(material: Material) -> ErrorMap | None:
    """Fit the newest epochs under the newest claim; None where nothing fits."""
    newest = sorted({record.epoch for record in material.records})[-MAP_EPOCHS:]
    mine = [
        record
        for record in material.records
        if record.epoch in newest and record.device.topology == material.device.topology
    ]
    circuits = known_circuits(mine)
    if not circuits:
        return None
    try:
        return error_map(circuits, device=material.device)
    except (RuntimeError, np.linalg.LinAlgError):  # scipy's and numpy's words for "no solution"
        return None


def chip_figure(material: Material) -> Figure:
    """Draw the error map."""
    title = "Errors on the chip"
    found = measured_map(material)
    if found is None or not (found.readout or found.qubits or found.edges):
        none = "No answer tells the errors of single qubits and couplings yet."
        return Figure("chip", title, _SHOWS, none, wide=True)
    return Figure(
        "chip",
        title,
        _SHOWS,
        f"{_READING} From the newest epochs, {MAP_EPOCHS} at most.",
        plot=_plot(found, material.device),
        table=_table(found, material.device),
        wide=True,
    )


def _kinds(found: ErrorMap, device: Device) -> list[_Kind]:
    sheet = device.errors
    pulses = [1.5 * rate for rate in sheet.one_qubit] if sheet else []
    kinds = [
        _Kind("readout", found.readout, sheet.readout if sheet else []),
        _Kind("one-qubit gate", found.qubits, pulses),
        _Kind("waiting", found.waiting, []),
    ]
    return [kind for kind in kinds if kind.found]


def _claimed_pairs(device: Device) -> dict[Edge, float]:
    """Read the sheet in process units, 5r/4 a two-qubit gate; lower qubit first."""
    if device.errors is None:
        return {}
    listed = zip(device.topology.edges, device.errors.two_qubit, strict=True)
    return {(min(edge), max(edge)): 1.25 * rate for edge, rate in listed}


def _plot(found: ErrorMap, device: Device) -> Plot:
    places = positions(device.topology)
    width = 1.0 + max(x for x, _ in places) - min(x for x, _ in places)
    height = 1.0 + max(y for _, y in places) - min(y for _, y in places)
    kinds = _kinds(found, device)
    data = [*_lines(found, device, places), _middles(found, device, places)]
    data += [_ground(places), _circles(kinds, places)]
    frame = layout(x="", y="", height=int(min(820, max(380, 90 + 1000 * height / width))))
    hidden = {"visible": False, "fixedrange": False}
    frame["xaxis"], frame["yaxis"] = dict(hidden), {**hidden, "scaleanchor": "x"}
    frame["margin"] = {"l": 8, "r": 8, "t": 48, "b": 8}
    frame["hovermode"] = "closest"
    frame["updatemenus"] = [_menu(kinds, len(data) - 1, len(places))]
    return {"data": data, "layout": frame}


def _lines(found: ErrorMap, device: Device, places: Sequence[tuple[float, float]]) -> list[Plot]:
    """Draw couplings in a few colours, one trace a colour; grey where nothing ran."""
    edges = [(min(edge), max(edge)) for edge in device.topology.edges]
    still = [edge for edge in edges if edge not in found.edges]
    groups: dict[str, list[Edge]] = {}
    if len(edges) <= _MOST_LINES:
        groups[GRID] = still
    top = _top([bounds.estimate for bounds in found.edges.values()])
    for edge, bounds in sorted(found.edges.items()):
        share = round(min(1.0, bounds.estimate / top) * _STEPS) / _STEPS
        groups.setdefault(_mixed(_PAIR_SCALE, share), []).append(edge)
    return [
        {
            "x": [c for a, b in mine for c in (places[a][0], places[b][0], None)],
            "y": [c for a, b in mine for c in (places[a][1], places[b][1], None)],
            "mode": "lines",
            "line": {"color": colour, "width": 5 if colour != GRID else 2},
            "hoverinfo": "skip",
        }
        for colour, mine in sorted(groups.items())
        if mine
    ]


def _middles(found: ErrorMap, device: Device, places: Sequence[tuple[float, float]]) -> Plot:
    """Put a small mark on every coupling that ran, which has its numbers and the colour bar."""
    claimed = _claimed_pairs(device)
    pairs = sorted(found.edges)
    return {
        "x": [(places[a][0] + places[b][0]) / 2 for a, b in pairs],
        "y": [(places[a][1] + places[b][1]) / 2 for a, b in pairs],
        "mode": "markers",
        "marker": {
            "size": 8,
            "color": [100 * found.edges[pair].estimate for pair in pairs],
            "cmin": 0,
            "cmax": 100 * _top([bounds.estimate for bounds in found.edges.values()]),
            "colorscale": [list(stop) for stop in _PAIR_SCALE],
            "colorbar": _bar("two-qubit gate, %", x=1.12),
        },
        "text": [
            f"pair {a}-{b}<br>two-qubit gate {percents(found.edges[a, b])}"
            f"{_beside(claimed.get((a, b)))}"
            for a, b in pairs
        ],
        "hovertemplate": "%{text}<extra></extra>",
    }


def _size(count: int) -> int:
    return 26 if count <= 40 else 19 if count <= 160 else 9


def _ground(places: Sequence[tuple[float, float]]) -> Plot:
    """Draw grey circles, which show where a qubit has no colour."""
    return {
        "x": [x for x, _ in places],
        "y": [y for _, y in places],
        "mode": "markers",
        "marker": {
            "size": _size(len(places)),
            "color": GRID,
            "line": {"color": QUIET, "width": 1},
        },
        "hoverinfo": "skip",
    }


def _circles(kinds: Sequence[_Kind], places: Sequence[tuple[float, float]]) -> Plot:
    count = len(places)
    return {
        "x": [x for x, _ in places],
        "y": [y for _, y in places],
        "mode": "markers+text" if count <= 160 else "markers",
        "marker": {
            "size": _size(count),
            "line": {"color": QUIET, "width": 1},
            "cmin": 0,
            "colorscale": [list(stop) for stop in _QUBIT_SCALE],
            "colorbar": _bar(f"{kinds[0].name}, %" if kinds else "", x=1.0),
            **_colours(kinds[0], count),
        },
        "text": [str(qubit) for qubit in range(count)],
        "textfont": {"size": 11 if count <= 40 else 8, "color": _inks(kinds[0], count)},
        "customdata": [_told(kinds, qubit) for qubit in range(count)],
        "hovertemplate": "%{customdata}<extra></extra>",
    }


def _told(kinds: Sequence[_Kind], qubit: int) -> str:
    lines = [f"qubit {qubit}"]
    for kind in kinds:
        if qubit in kind.found:
            claim = kind.claimed[qubit] if kind.claimed else None
            lines.append(f"{kind.name} {percents(kind.found[qubit])}{_beside(claim)}")
    return "<br>".join(lines) if len(lines) > 1 else f"qubit {qubit}<br>never ran"


def _beside(claim: float | None) -> str:
    return "" if claim is None else f", its sheet says {percent(claim)}"


def _colours(kind: _Kind, count: int) -> Plot:
    """Give values in percent; a circle without one is seen through, to the grey below."""
    values = [kind.found.get(qubit) for qubit in range(count)]
    top = _top([bounds.estimate for bounds in kind.found.values()])
    return {
        "color": [0.0 if bounds is None else 100 * bounds.estimate for bounds in values],
        "opacity": [0 if bounds is None else 1 for bounds in values],
        "cmax": 100 * top,
    }


def _inks(kind: _Kind, count: int) -> list[str]:
    """Write the numbers light on dark circles."""
    top = _top([bounds.estimate for bounds in kind.found.values()])
    shares = [kind.found[q].estimate / top if q in kind.found else 0.0 for q in range(count)]
    return ["#ffffff" if share > 0.45 else INK for share in shares]


def _menu(kinds: Sequence[_Kind], trace: int, count: int) -> Plot:
    """Offer a button for each error of a qubit."""
    return {
        "type": "buttons",
        "direction": "right",
        "x": 0,
        "xanchor": "left",
        "y": 1.0,
        "yanchor": "bottom",
        "showactive": True,
        "bgcolor": "#ffffff",
        "bordercolor": GRID,
        "buttons": [
            {
                "label": kind.name,
                "method": "restyle",
                "args": [
                    {
                        "marker.color": [_colours(kind, count)["color"]],
                        "marker.opacity": [_colours(kind, count)["opacity"]],
                        "marker.cmax": _colours(kind, count)["cmax"],
                        "marker.colorbar.title.text": f"{kind.name}, %",
                        "textfont.color": [_inks(kind, count)],
                    },
                    [trace],
                ],
            }
            for kind in kinds
        ],
    }


def _bar(title: str, *, x: float) -> Plot:
    return {
        "title": {"text": title, "side": "right"},
        "thickness": 12,
        "outlinewidth": 0,
        "x": x,
        "len": 0.9,
        "ticksuffix": "",
    }


def _top(values: Sequence[float]) -> float:
    """Return the end of a colour scale: the greatest, or three times the median if that is less."""
    ordered = sorted(values)
    if not ordered:
        return 0.01
    return max(1e-4, min(ordered[-1], 3.0 * ordered[len(ordered) // 2]))


def _mixed(scale: Sequence[tuple[float, str]], share: float) -> str:
    """Return the colour at `share` (0 .. 1) of a scale, as `#rrggbb`."""
    for (start, first), (end, second) in pairwise(scale):
        if share <= end:
            part = (share - start) / (end - start)
            ends = [[int(c[i : i + 2], 16) for i in (1, 3, 5)] for c in (first, second)]
            mixed = [round(a + part * (b - a)) for a, b in zip(*ends, strict=True)]
            return "#" + "".join(f"{value:02x}" for value in mixed)
    return scale[-1][1]


def _table(found: ErrorMap, device: Device) -> Table:
    kinds = _kinds(found, device)
    rows = [
        (kind.name, str(qubit), percents(bounds), _claim(kind.claimed, qubit))
        for kind in kinds
        for qubit, bounds in sorted(kind.found.items())
    ]
    claimed = _claimed_pairs(device)
    rows += [
        ("two-qubit gate", f"{a}-{b}", percents(bounds), _percent_or_dash(claimed.get((a, b))))
        for (a, b), bounds in sorted(found.edges.items())
    ]
    return Table(("error of", "where", "estimate [95 %]", "its sheet says"), tuple(rows))


def _claim(claimed: Sequence[float], qubit: int) -> str:
    return _percent_or_dash(claimed[qubit] if claimed else None)


def _percent_or_dash(value: float | None) -> str:
    return "-" if value is None else percent(value)
