"""The volumetric plot: how wide and how deep circuits may be on this device.

Source: Blume-Kohout & Young, Quantum 4, 362 (2020); see `validator.estimators.frontier`.
"""

from __future__ import annotations

from collections.abc import Sequence

from circuits.case import KnownAnswer
from qsubnet.reporting.figures import INK, Figure, Plot, Table, layout, spread
from qsubnet.reporting.material import Material, answered_tests
from validator.estimators.frontier import THRESHOLD, Cell, frontier, volumes
from validator.estimators.mirror import mirror_answer

__all__ = ["cells", "volume_figure"]

_SHOWS = (
    "Every square is circuits of one size: how many qubits (width) and how many layers of "
    "two-qubit gates (depth). Its colour and number say how much of the right answer survived, "
    "from 1 (perfect) to 0 (coin flips). The dark line is the frontier: the deepest circuits that "
    f"each width reaches with a lower bound of at least 1/e = {THRESHOLD:.2f}."
)
_WIDE = (
    "Circuits as wide as a large chip end near 0 on every machine of today, because a single wrong "
    "bit counts against the whole answer; the error of one layer is measured there instead."
)
_WIDE_FROM = 20
_SCALE = [[0.0, "#f6f1e7"], [0.37, "#d9c8a0"], [0.6, "#7fb2b5"], [1.0, "#0b5c6b"]]


def cells(material: Material) -> tuple[Cell, ...]:
    """Average the answered mirrors by width and depth."""
    return volumes(
        (
            record.case.width,
            record.case.depth,
            mirror_answer(record.counts.table, target=record.case.answer.bits),
        )
        for record in answered_tests(material.records, "mirror")
        if record.case and record.counts and isinstance(record.case.answer, KnownAnswer)
    )


def volume_figure(material: Material) -> Figure:
    """Draw the cells and the frontier."""
    found = cells(material)
    title = "Width and depth"
    if not found:
        return Figure("volume", title, _SHOWS, "No mirror circuit was answered yet.")
    deepest = frontier(found)
    reached = [f"{width} qubits to depth {depth}" for width, depth in deepest.items() if depth]
    reading = f"Reached: {', '.join(reached)}." if reached else "No size reaches the line."
    return Figure(
        "volume",
        title,
        _SHOWS,
        f"{reading} {_WIDE}" if found[-1].width >= _WIDE_FROM else reading,
        plot=_plot(found),
        table=Table(
            ("width (qubits)", "depth (layers)", "circuits", "polarization [95 %]", "reached"),
            tuple(
                (
                    str(cell.width),
                    str(cell.depth),
                    str(cell.circuits),
                    spread(cell.polarization),
                    "yes" if cell.depth <= deepest[cell.width] else "no",
                )
                for cell in found
            ),
        ),
    )


def _plot(found: Sequence[Cell]) -> Plot:
    """Draw cells on a grid of the sizes that were tried, equally spaced."""
    widths = sorted({cell.width for cell in found})
    depths = sorted({cell.depth for cell in found})
    table = {(cell.width, cell.depth): cell for cell in found}
    rows = [[table.get((width, depth)) for depth in depths] for width in widths]
    heat = {
        "type": "heatmap",
        "x": list(range(len(depths))),
        "y": list(range(len(widths))),
        "z": [[_shown(cell) for cell in row] for row in rows],
        "text": [
            [f"{cell.polarization.estimate:.2f}" if cell else "" for cell in row] for row in rows
        ],
        "customdata": [[_told(cell) for cell in row] for row in rows],
        "texttemplate": "%{text}",
        "hovertemplate": "%{customdata}<extra></extra>",
        "hoverongaps": False,
        "zmin": 0,
        "zmax": 1,
        "colorscale": _SCALE,
        "xgap": 4,
        "ygap": 4,
        "colorbar": {"title": {"text": "polarization"}, "thickness": 12, "outlinewidth": 0},
    }
    frame = layout(x="depth (layers of two-qubit gates)", y="width (qubits)")
    for axis, sizes in (("xaxis", depths), ("yaxis", widths)):
        frame[axis] |= {
            "tickvals": list(range(len(sizes))),
            "ticktext": [str(size) for size in sizes],
            "range": [-0.5, len(sizes) - 0.5],
            "showgrid": False,
            "ticks": "",
        }
    return {"data": [heat, _line(found, widths, depths)], "layout": frame}


def _shown(cell: Cell | None) -> float | None:
    return min(1.0, max(0.0, cell.polarization.estimate)) if cell else None


def _told(cell: Cell | None) -> str:
    if cell is None:
        return ""
    size = f"{cell.width} qubits, depth {cell.depth}, {cell.circuits} circuits"
    return f"{size}<br>{spread(cell.polarization)}"


def _line(found: Sequence[Cell], widths: Sequence[int], depths: Sequence[int]) -> Plot:
    """Walk up along the right edge of each width's last cell that was reached."""
    deepest = frontier(found)
    x: list[float] = []
    y: list[float] = []
    for row, width in enumerate(widths):
        edge = depths.index(deepest[width]) + 0.5 if deepest[width] else -0.5
        x += [edge, edge]
        y += [row - 0.5, row + 0.5]
    return {
        "x": x,
        "y": y,
        "mode": "lines",
        "line": {"color": INK, "width": 3},
        "hoverinfo": "skip",
    }
