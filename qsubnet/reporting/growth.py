"""The e-values as they grew: one line per class of simulator, one per accusation or mistake.

All are log10. Large ones are drawn on an axis that is stretched around 0, with its true numbers.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from providers.base import DeviceClass
from qsubnet.reporting.figures import (
    COLOURS,
    DASHES,
    Figure,
    Plot,
    Table,
    epoch_axis,
    finite,
    layout,
    level,
    plain,
)
from qsubnet.reporting.words import ACCUSATIONS, CLASSES, PERMUTED, REVERSED
from validator.hardware import HARDWARE_LOG10, SimulatorClass
from validator.mistakes import MISTAKE_THRESHOLD
from validator.sequential import Accusation, accusation_threshold

if TYPE_CHECKING:
    from qsubnet.reporting.material import Material

__all__ = ["accusation_figure", "hardware_figure", "stretched"]

_WHAT_IS_E = (
    "An e-value is what a bet against a statement has multiplied its stake by: if the statement "
    "is true, 1,000,000 is reached with a chance of one in a million at most, however often one "
    "looks. The scale counts its zeros (log10): 6 means a million."
)
_HARDWARE = (
    f"{_WHAT_IS_E} Here each line bets against one way to fake a quantum machine; a line that has "
    f"reached {HARDWARE_LOG10:g} rules its way out. The "
    "legend has the values of now; lines that are equal hide each other."
)
_ACCUSATIONS = (
    f"{_WHAT_IS_E} Here each line bets against honesty or good order: low is good. A line keeps "
    "its highest point, because later luck takes no evidence back. The legend has the values of "
    "now."
)
_STRAIGHT = 30.0


def stretched(value: float) -> float:
    """Return sign(v) log10(1 + |v|): straight near 0, logarithmic far out.

    Example:
        >>> stretched(9.0), stretched(-99.0)
        (1.0, -2.0)
    """
    return math.copysign(math.log10(1.0 + abs(value)), value)


def hardware_figure(material: Material) -> Figure:
    """Draw the evidence against every class of simulator."""
    title = "Is it a simulator in disguise?"
    if material.device.device_class is not DeviceClass.QPU:
        none = "This device says that it is a simulator, so there is no disguise to rule out."
        return Figure("hardware", title, _HARDWARE, none)
    lines: dict[str, list[float | None]] = {}
    for name in SimulatorClass:
        values = [found.hardware.get(name) for _, found in material.steps]
        if any(value is not None for value in values):
            lines[CLASSES[name].name] = values
    epochs = [epoch for epoch, _ in material.steps]
    needed = dict.fromkeys(lines, HARDWARE_LOG10)
    shown = _plot(epochs, lines, levels=((HARDWARE_LOG10, "ruled out"),))
    now = material.verdict.evidence.hardware
    out = [CLASSES[name].name for name in SimulatorClass if now.get(name, 0.0) >= HARDWARE_LOG10]
    left = [CLASSES[n].name for n in SimulatorClass if n in now and now[n] < HARDWARE_LOG10]
    reading = (
        f"Ruled out: {', '.join(out) or 'none yet'}. Still possible: {', '.join(left) or 'none'}."
    )
    untested = [CLASSES[name].name for name in SimulatorClass if name not in now]
    if untested:
        reading += (
            f" Not tested: {', '.join(untested)}; a blend needs three qubits or more, the "
            "drifting twins a trusted run on the machine that the device says it is."
        )
    meanings = {word.name: word.meaning for word in CLASSES.values()}
    table = _table(epochs, lines, needed, meanings, crossed="ruled out in epoch")
    return Figure("hardware", title, _HARDWARE, reading, plot=shown, table=table)


def accusation_figure(material: Material) -> Figure:
    """Draw the evidence of every accusation, and of the mistakes that are only named."""
    title = "Does anything speak against it?"
    lines: dict[str, list[float | None]] = {
        ACCUSATIONS[name].name: [found.accusations[name] for _, found in material.steps]
        for name in Accusation
    }
    lines[REVERSED.name] = [found.reversed_bits for _, found in material.steps]
    lines[PERMUTED.name] = [found.permuted_bits for _, found in material.steps]
    needed = {
        ACCUSATIONS[name].name: accusation_threshold(name, registration=1) for name in Accusation
    }
    needed |= dict.fromkeys((REVERSED.name, PERMUTED.name), MISTAKE_THRESHOLD)
    words = (*ACCUSATIONS.values(), REVERSED, PERMUTED)
    epochs = [epoch for epoch, _ in material.steps]
    crossed = [name for name, values in lines.items() if _first(epochs, values, needed[name])]
    reading = (
        f"Crossed its threshold: {', '.join(crossed)}."
        if crossed
        else "Nothing crossed a threshold."
    )
    reading += (
        " The thresholds of accusations differ a little (6.5 to 7.2), since they share one chance "
        "in a million; a mistake, which costs pay and not honour, is named at "
        f"{MISTAKE_THRESHOLD:g}."
    )
    return Figure(
        "accusations",
        title,
        _ACCUSATIONS,
        reading,
        plot=_plot(epochs, lines, levels=_levels(needed)),
        table=_table(
            epochs,
            lines,
            needed,
            {word.name: word.meaning for word in words},
            crossed="crossed in epoch",
        ),
    )


def _levels(needed: Mapping[str, float]) -> tuple[tuple[float, str], ...]:
    """Give every threshold a line, and the lowest of each kind a word."""
    accusing = sorted({value for value in needed.values() if value != MISTAKE_THRESHOLD})
    lines = [(MISTAKE_THRESHOLD, "mistake named"), *((value, "") for value in accusing[:-1])]
    return (*lines, (accusing[-1], "fraud"))


def _plot(
    epochs: Sequence[int],
    lines: Mapping[str, Sequence[float | None]],
    *,
    levels: Sequence[tuple[float, str]],
) -> Plot:
    values = [v for line in lines.values() for v in line if v is not None and math.isfinite(v)]
    values += [value for value, _ in levels]
    is_far = max(map(abs, values)) > _STRAIGHT
    height = stretched if is_far else float
    frame = layout(x="epoch", y="log10 e-value", height=400, legend=True)
    frame["xaxis"] |= epoch_axis(epochs)
    if is_far:
        frame["yaxis"] |= _ticks(min(values), max(values))
        frame["yaxis"]["title"]["text"] = "log10 e-value (stretched axis)"
    low, high = height(min(0.0, *values)), height(max(values))
    frame["yaxis"]["range"] = [low - 0.04 * (high - low), high + 0.08 * (high - low)]
    top = max(value for value, _ in levels)
    marks = [level(height(v), text=text, above=v == top) for v, text in levels]
    frame["shapes"] = [shape for shape, _ in marks]
    frame["annotations"] = [label for _, label in marks if label["text"]]
    data = [
        {
            "x": list(epochs),
            "y": [None if v is None or finite(v) is None else height(v) for v in line],
            "text": ["no test" if v is None else plain(v) for v in line],
            "hovertemplate": f"epoch %{{x}}: %{{text}}<extra>{name}</extra>",
            **_look(place, f"{name}: {_now(line)}"),
        }
        for place, (name, line) in enumerate(lines.items())
    ]
    return {"data": data, "layout": frame}


def _look(place: int, name: str) -> Plot:
    """Give the lines of one figure colours, dashes and marks that tell them apart."""
    colour, dash = COLOURS[place % len(COLOURS)], DASHES[place % len(DASHES)]
    return {
        "name": name,
        "mode": "lines+markers",
        "line": {"color": colour, "dash": dash, "width": 2},
        "marker": {"size": 5},
    }


def _ticks(low: float, high: float) -> Plot:
    """Name round numbers on a stretched axis."""
    sizes = [1.0, 6.0, 30.0, 100.0, 300.0, 1e3, 1e4, 1e5, 1e6]
    marks = [-s for s in reversed(sizes) if -s >= low] + [0.0] + [s for s in sizes if s <= high]
    return {"tickvals": [stretched(m) for m in marks], "ticktext": [f"{m:,.0f}" for m in marks]}


def _now(values: Sequence[float | None]) -> str:
    return "no test" if values[-1] is None else plain(values[-1])


def _first(epochs: Sequence[int], values: Sequence[float | None], needed: float) -> str:
    """Name the epoch that reached a threshold; '' for none."""
    reached = (e for e, v in zip(epochs, values, strict=True) if v is not None and v >= needed)
    return next(map(str, reached), "")


def _table(
    epochs: Sequence[int],
    lines: Mapping[str, Sequence[float | None]],
    needed: Mapping[str, float],
    meanings: Mapping[str, str],
    *,
    crossed: str,
) -> Table:
    rows = []
    for name, values in lines.items():
        since = _first(epochs, values, needed[name]) or "not"
        rows.append((name, meanings[name], _now(values), f"{needed[name]:.1f}", since))
    head = ("line", "what it bets against", "log10 e now", "needs", crossed)
    return Table(head, tuple(rows))
