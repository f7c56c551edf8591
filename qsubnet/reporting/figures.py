"""What a figure of the report is, and the looks that all figures share.

A figure is plain data: plotly's own words for the drawing, sentences that say what it shows, and
the same numbers as a table for whoever cannot see it. Nothing here knows HTML or imports plotly.

Colours: M. Okabe and K. Ito, "Color Universal Design" (2008), told apart by colour-blind readers.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from validator.interval import Interval

__all__ = [
    "BLUE",
    "COLOURS",
    "DASHES",
    "GRID",
    "INK",
    "QUIET",
    "RED",
    "Figure",
    "Plot",
    "Table",
    "band",
    "epoch_axis",
    "finite",
    "layout",
    "level",
    "percent",
    "percents",
    "plain",
    "spread",
]

Plot = dict[str, Any]
"""plotly's `{"data": [...], "layout": {...}}`."""

INK, QUIET, GRID = "#24323d", "#5b6b78", "#e3e8ec"
BLUE, RED = "#0072b2", "#b3412c"
COLOURS = (BLUE, "#d55e00", "#009e73", "#cc79a7", "#56b4e9", "#e69f00", "#6a4c93", INK)
DASHES = ("solid", "dash", "dot", "dashdot", "longdash", "longdashdot")

_FONT = "system-ui, -apple-system, 'Segoe UI', Roboto, 'Helvetica Neue', Arial, sans-serif"


@dataclass(frozen=True, slots=True)
class Table:
    """The numbers behind a figure, as they are printed; every row is as long as the head."""

    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]

    def __post_init__(self) -> None:
        odd = next((row for row in self.rows if len(row) != len(self.head)), None)
        if odd is not None:
            raise ValueError(f"need rows of {len(self.head)} cells, got {odd}")


@dataclass(frozen=True, slots=True)
class Figure:
    """One figure with its words, all of them plain text.

    Attributes:
        name: Unique on the page; letters and hyphens.
        title: A few words.
        shows: What is drawn, for someone who never saw such a figure.
        reading: What to make of it, with the numbers; what it does not show.
        plot: None where there is nothing to draw yet; `reading` then says why.
        table: The numbers; None for none.
        wide: Whether it needs the page's whole width.
    """

    name: str
    title: str
    shows: str
    reading: str
    plot: Plot | None = None
    table: Table | None = None
    wide: bool = False


def layout(*, x: str, y: str, height: int = 360, legend: bool = False) -> Plot:
    """Return the frame of a figure with two titled axes; `height` in px."""
    axis = {
        "gridcolor": GRID,
        "zeroline": False,
        "linecolor": QUIET,
        "ticks": "outside",
        "tickcolor": QUIET,
        "automargin": True,
    }
    return {
        "height": height,
        "margin": {"l": 56, "r": 16, "t": 12, "b": 48},
        "paper_bgcolor": "#ffffff",
        "plot_bgcolor": "#ffffff",
        "font": {"family": _FONT, "size": 13, "color": INK},
        "hoverlabel": {
            "font": {"family": _FONT, "size": 13, "color": INK},
            "bgcolor": "#ffffff",
            "bordercolor": QUIET,
            "align": "left",
        },
        "xaxis": {**axis, "title": {"text": x, "standoff": 10}},
        "yaxis": {**axis, "title": {"text": y, "standoff": 8}},
        "showlegend": legend,
        "legend": {"orientation": "h", "x": 0, "xanchor": "left", "y": -0.2, "yanchor": "top"},
        "dragmode": False,
    }


def epoch_axis(epochs: Sequence[int]) -> Plot:
    """Return the range and whole-numbered ticks of an axis of epochs, ten at most.

    Example:
        >>> epoch_axis([3, 4, 5])
        {'range': [2.5, 5.5], 'tick0': 3, 'dtick': 1}
    """
    first, last = min(epochs), max(epochs)
    return {
        "range": [first - 0.5, last + 0.5],
        "tick0": first,
        "dtick": max(1, math.ceil((last - first) / 10)),
    }


def level(y: float, *, text: str, colour: str = RED, above: bool = True) -> tuple[Plot, Plot]:
    """Return a dashed line across the figure and its label, a shape and an annotation."""
    line = {
        "type": "line",
        "xref": "paper",
        "x0": 0,
        "x1": 1,
        "y0": y,
        "y1": y,
        "line": {"color": colour, "width": 1.5, "dash": "dash"},
    }
    label = {
        "xref": "paper",
        "x": 1,
        "xanchor": "right",
        "y": y,
        "yanchor": "bottom" if above else "top",
        "text": text,
        "showarrow": False,
        "font": {"size": 12, "color": colour},
    }
    return line, label


def band(
    x: Sequence[float], low: Sequence[float | None], high: Sequence[float | None], *, colour: str
) -> list[Plot]:
    """Return the two lines with the space between them filled; a gap where a bound is None.

    Args:
        x: Places.
        low: Lower bounds.
        high: Upper bounds.
        colour: `#rrggbb`.
    """
    kept = [
        (place, a, b)
        for place, a, b in zip(x, low, high, strict=True)
        if a is not None and b is not None
    ]
    fill = f"rgba({int(colour[1:3], 16)},{int(colour[3:5], 16)},{int(colour[5:7], 16)},0.15)"
    common = {"mode": "lines", "line": {"width": 0}, "hoverinfo": "skip", "showlegend": False}
    places = [place for place, _, _ in kept]
    return [
        {**common, "x": places, "y": [a for _, a, _ in kept]},
        {**common, "x": places, "y": [b for _, _, b in kept], "fill": "tonexty", "fillcolor": fill},
    ]


def finite(value: float) -> float | None:
    """Return the value, or None for what JSON has no number for.

    Example:
        >>> finite(1.5), finite(float("inf"))
        (1.5, None)
    """
    return value if math.isfinite(value) else None


def plain(value: float) -> str:
    """Write a number with three significant digits.

    Example:
        >>> plain(12.3456), plain(0.000123), plain(float("inf"))
        ('12.3', '0.000123', 'no bound')
    """
    if not math.isfinite(value):
        return "no bound"
    return f"{value:.0f}" if abs(value) >= 1000 else f"{value:.3g}"


def spread(bounds: Interval) -> str:
    """Write an estimate with its interval.

    Example:
        >>> from validator.interval import Interval
        >>> spread(Interval(0.5, 0.75, 1.0))
        '0.750 [0.500, 1.000]'
    """
    return f"{bounds.estimate:.3f} [{bounds.low:.3f}, {bounds.high:.3f}]"


def percent(value: float) -> str:
    """Write a probability as a percentage.

    Example:
        >>> percent(0.01234), percent(0.0)
        ('1.23 %', '0 %')
    """
    return f"{100 * value:.3g} %"


def percents(bounds: Interval) -> str:
    """Write a probability with its interval as percentages.

    Example:
        >>> from validator.interval import Interval
        >>> percents(Interval(0.0, 0.015, 0.02))
        '1.5 % [0, 2] %'
    """
    low, high = f"{100 * bounds.low:.3g}", f"{100 * bounds.high:.3g}"
    return f"{percent(bounds.estimate)} [{low}, {high}] %"
