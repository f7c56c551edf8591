"""How well the device runs circuits, epoch by epoch, and as judged by everything so far.

A single epoch holds few circuits of several widths, so its interval is wide; the line is what the
verdict rests on. Blind spot: a drop that lasts less than an epoch is inside that epoch's interval.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from circuits.case import SimulatedAnswer
from providers.base import DeviceClass
from qsubnet.reporting.figures import (
    BLUE,
    INK,
    Figure,
    Plot,
    Table,
    band,
    epoch_axis,
    layout,
    level,
    spread,
)
from qsubnet.reporting.material import Material, answered_tests, by_epoch, known_circuits
from validator.estimators.mirror import mirror_answer, mirror_polarization
from validator.estimators.xeb import likelihood_xeb, xeb_circuit
from validator.folding import WIDEST_SCORED
from validator.verdict import EXACTNESS

if TYPE_CHECKING:
    from validator.interval import Interval
    from validator.record import Record
    from validator.references.reference import Reference

__all__ = ["Point", "fidelity_figure", "fidelity_points"]

_QPU = (
    "Each test circuit has one right answer. The scale says how much of that answer survived: 1 "
    "is a perfect machine, 0 is coin flips (the mirror polarization). Dots are single epochs, the "
    "line is the mean over all circuits up to then; bars and band are 95 % intervals."
)
_SIMULATOR = (
    "Random circuits are compared with their exact outcome probabilities: 1 is an exact "
    "simulator, 0 is coin flips (the cross-entropy, or XEB, fidelity). Dots are single epochs, "
    "the line is everything up to then; bars and band are 95 % intervals."
)


@dataclass(frozen=True, slots=True)
class Point:
    """One epoch by itself: how many circuits, and their fidelity."""

    epoch: int
    circuits: int
    fidelity: Interval


def fidelity_points(
    records: Sequence[Record], *, is_qpu: bool, reference: Reference
) -> tuple[Point, ...]:
    """Measure every epoch by itself, with the estimator that the class is judged by.

    Epochs without such a circuit are left out.
    """
    points = []
    for epoch, mine in by_epoch(records):
        if is_qpu:
            narrow = [r for r in mine if r.case and r.case.width <= WIDEST_SCORED]
            mirrors = [
                mirror_answer(circuit.counts, target=circuit.target)
                for circuit in known_circuits(narrow, "mirror")
            ]
            if mirrors:
                points.append(Point(epoch, len(mirrors), mirror_polarization(mirrors)))
            continue
        random = [
            xeb_circuit(record.counts.table, ideal=reference.probabilities(record.program))
            for record in answered_tests(mine)
            if record.case and record.counts and isinstance(record.case.answer, SimulatedAnswer)
        ]
        if random:
            points.append(Point(epoch, len(random), likelihood_xeb(random)))
    return tuple(points)


def fidelity_figure(material: Material) -> Figure:
    """Draw fidelity over time."""
    is_qpu = material.device.device_class is DeviceClass.QPU
    points = fidelity_points(material.records, is_qpu=is_qpu, reference=material.reference)
    title, shows = "Fidelity over time", _QPU if is_qpu else _SIMULATOR
    if not points:
        return Figure("fidelity", title, shows, "No circuit of this kind was answered yet.")
    told = material.verdict.evidence
    reading = f"All epochs together: {told.estimator} {spread(told.fidelity)}."
    if not is_qpu:
        reading += f" A simulator is verified where the lower bound reaches {EXACTNESS}."
    word = "mirror polarization" if is_qpu else "XEB fidelity"
    return Figure(
        "fidelity",
        title,
        shows,
        reading,
        plot=_plot(material, points, word=word, is_qpu=is_qpu),
        table=_table(material, points),
    )


def _plot(material: Material, points: Sequence[Point], *, word: str, is_qpu: bool) -> Plot:
    first = points[0].epoch
    steps = [(epoch, found.fidelity) for epoch, found in material.steps if epoch >= first]
    epochs = [epoch for epoch, _ in steps]
    line = {
        "x": epochs,
        "y": [bounds.estimate for _, bounds in steps],
        "mode": "lines",
        "name": "all epochs so far",
        "line": {"color": BLUE, "width": 2.5},
        "text": [spread(bounds) for _, bounds in steps],
        "hovertemplate": "up to epoch %{x}: %{text}<extra></extra>",
    }
    dots = {
        "x": [point.epoch for point in points],
        "y": [point.fidelity.estimate for point in points],
        "mode": "markers",
        "name": "one epoch",
        "marker": {"color": INK, "size": 7},
        "error_y": {
            "type": "data",
            "symmetric": False,
            "array": [p.fidelity.high - p.fidelity.estimate for p in points],
            "arrayminus": [p.fidelity.estimate - p.fidelity.low for p in points],
            "color": INK,
            "thickness": 1,
            "width": 3,
        },
        "text": [f"{p.circuits} circuits, {spread(p.fidelity)}" for p in points],
        "hovertemplate": "epoch %{x}: %{text}<extra></extra>",
    }
    bounds = band(epochs, [b.low for _, b in steps], [b.high for _, b in steps], colour=BLUE)
    frame = layout(x="epoch", y=f"{word} (1 = perfect)", legend=True)
    frame["xaxis"] |= epoch_axis(epochs)
    if is_qpu:  # above 1 there is nothing; a bar of few circuits is cut at the frame
        least = min(p.fidelity.estimate for p in points)
        frame["yaxis"]["range"] = [min(-0.02, least - 0.1), 1.05]
    else:
        shape, label = level(EXACTNESS, text=f"verified from {EXACTNESS}", above=False)
        frame |= {"shapes": [shape], "annotations": [label]}
    return {"data": [*bounds, line, dots], "layout": frame}


def _table(material: Material, points: Sequence[Point]) -> Table:
    alone = {point.epoch: point for point in points}
    rows = []
    for epoch, found in material.steps:
        point = alone.get(epoch)
        single = (str(point.circuits), spread(point.fidelity)) if point else ("0", "no circuit")
        rows.append((str(epoch), *single, spread(found.fidelity)))
    head = ("epoch", "circuits", "this epoch [95 %]", "all epochs so far [95 %]")
    return Table(head, tuple(rows))
