"""The probes that come back in every epoch: does each qubit's reading move more than shots do?

Every qubit of every repeated readout probe is one success rate measured again and again. The
scatter over a window of epochs, divided by what shots alone give, is 1 for a law that never
changes.

Blind spot: reading errors of neighbouring qubits are taken as independent, so the interval is a
little narrow on a chip with strong crosstalk of readout.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from circuits.case import KnownAnswer
from qsubnet.reporting.figures import (
    BLUE,
    Figure,
    Plot,
    Table,
    band,
    epoch_axis,
    finite,
    layout,
    level,
    percent,
    plain,
)
from qsubnet.reporting.material import Material, answered_tests, by_epoch
from validator.answers import AnswerKind, known_shots
from validator.estimators.dispersion import Dispersion, Probe, Reading, dispersion

if TYPE_CHECKING:
    from validator.record import Record

__all__ = [
    "WINDOW",
    "Reads",
    "Step",
    "dispersion_figure",
    "reads_by_epoch",
    "steps",
    "wander_figure",
]

WINDOW = 8
"""Epochs of one dispersion; a long past must not hide what moves now."""

SHOWN_EPOCHS = 48

_SHOWS = (
    "The same small circuits come back in every epoch. If nothing in the device changed, their "
    "results would differ from epoch to epoch only as coin tosses do, and the line would stay at "
    "1. Above 1 something drifts, as real machines do; far below 1 the counts are smoother than "
    f"chance allows. Each point looks at the last {WINDOW} epochs; the band is a 95 % interval."
)
_WANDER = (
    "How often each qubit was read wrongly in the repeated circuits, epoch by epoch. Read a row "
    "from left to right: a change of colour is a qubit whose readout moved."
)
_WORDS = {
    Reading.SHOTS: "nothing but chance is seen",
    Reading.DRIFT: "the device drifts",
    Reading.ROUNDED: "the counts are smoother than chance allows",
    Reading.UNKNOWN: "nothing can be said",
}

Reads = Mapping[tuple[str, int], tuple[int, int]]
"""(program digest, device qubit) -> (wrong reads, shots)."""


@dataclass(frozen=True, slots=True)
class Step:
    """The scatter over the epochs that end with one."""

    epoch: int
    epochs: int
    found: Dispersion


def reads_by_epoch(records: Sequence[Record]) -> tuple[tuple[int, Reads], ...]:
    """Count the wrong reads of every qubit in every repeated readout probe, by epoch."""
    return tuple(
        (epoch, _reads(mine)) for epoch, mine in by_epoch(answered_tests(records, "readout"))
    )


def _reads(records: Sequence[Record]) -> Reads:
    table: dict[tuple[str, int], tuple[int, int]] = {}
    for record in records:
        case, counts = record.case, record.counts
        if case is None or counts is None or not isinstance(case.answer, KnownAnswer):
            continue
        shots = known_shots(
            counts.table,
            target=case.answer.bits,
            qubits=case.qubits,
            kind=AnswerKind.READOUT,
            label="",
        )
        wrong = (shots.counts @ shots.errors.astype(np.int64)).tolist()
        for qubit, errors in zip(case.qubits, wrong, strict=True):
            before = table.get((record.program.digest, qubit), (0, 0))
            table[record.program.digest, qubit] = (before[0] + errors, before[1] + shots.shots)
    return table


def steps(reads: Sequence[tuple[int, Reads]], *, window: int = WINDOW) -> tuple[Step, ...]:
    """Measure the scatter over every run of at most `window` epochs, from the second epoch on."""
    found = []
    for last in range(2, len(reads) + 1):
        inside = reads[max(0, last - window) : last]
        found.append(Step(inside[-1][0], len(inside), dispersion(_probes([r for _, r in inside]))))
    return tuple(found)


def _probes(reads: Sequence[Reads]) -> list[Probe]:
    jobs: dict[tuple[str, int], list[tuple[int, int]]] = {}
    for table in reads:
        for key, read in table.items():
            jobs.setdefault(key, []).append(read)
    return [
        Probe(tuple(wrong for wrong, _ in mine), tuple(shots for _, shots in mine))
        for _, mine in sorted(jobs.items())
        if len(mine) > 1
    ]


def dispersion_figure(material: Material) -> Figure:
    """Draw the scatter over time."""
    title = "Do repeated circuits repeat?"
    found = steps(reads_by_epoch(material.records))
    known = [step for step in found if step.found.reading is not Reading.UNKNOWN]
    if not known:
        none = "No circuit came back in two epochs yet, or this kind of device gets none."
        return Figure("dispersion", title, _SHOWS, none)
    last = known[-1].found
    reading = (
        f"Over the last {known[-1].epochs} epochs the scatter is {plain(last.ratio.estimate)} "
        f"[{plain(last.ratio.low)}, {plain(last.ratio.high)}] times that of chance: "
        f"{_WORDS[last.reading]}."
    )
    if last.reading is Reading.DRIFT:
        share = percent(last.sigma.estimate)
        reading += f" Error rates that vary by about {share} of themselves would look like this."
    rows = tuple(
        (
            str(step.epoch),
            str(step.epochs),
            plain(step.found.ratio.estimate),
            f"{plain(step.found.ratio.low)} to {plain(step.found.ratio.high)}",
            _WORDS[step.found.reading],
        )
        for step in known
    )
    head = ("up to epoch", "epochs", "scatter / chance", "95 % interval", "in words")
    return Figure("dispersion", title, _SHOWS, reading, plot=_plot(known), table=Table(head, rows))


def _plot(known: Sequence[Step]) -> Plot:
    epochs = [step.epoch for step in known]
    ratios = [step.found.ratio for step in known]
    line = {
        "x": epochs,
        "y": [ratio.estimate for ratio in ratios],
        "mode": "lines+markers",
        "line": {"color": BLUE, "width": 2.5},
        "marker": {"size": 6},
        "text": [f"[{plain(r.low)}, {plain(r.high)}]" for r in ratios],
        "hovertemplate": "up to epoch %{x}: %{y:.3g} %{text}<extra></extra>",
    }
    low, high = [finite(r.low) for r in ratios], [finite(r.high) for r in ratios]
    frame = layout(x="epoch", y="scatter / chance (1 = no drift)")
    frame["xaxis"] |= epoch_axis(epochs)
    frame["yaxis"]["rangemode"] = "tozero"
    shape, label = level(1.0, text="chance alone", colour="#5b6b78", above=False)
    frame |= {"shapes": [shape], "annotations": [label]}
    return {"data": [*band(epochs, low, high, colour=BLUE), line], "layout": frame}


def wander_figure(material: Material) -> Figure:
    """Draw each qubit's readout error by epoch."""
    title = "Readout of each qubit over time"
    reads = reads_by_epoch(material.records)[-SHOWN_EPOCHS:]
    rates = [(epoch, _rates(table)) for epoch, table in reads]
    if not any(rates_of for _, rates_of in rates):
        none = "No readout circuit was answered, or this kind of device gets none."
        return Figure("readout", title, _WANDER, none)
    qubits = sorted({qubit for _, mine in rates for qubit in mine})
    z = [[_percentage(mine.get(qubit)) for _, mine in rates] for qubit in qubits]
    seen = sorted(value for row in z for value in row if value is not None)
    heat = {
        "type": "heatmap",
        "x": [epoch for epoch, _ in rates],
        "y": qubits,
        "z": z,
        "zmin": 0,
        "zmax": min(100.0, max(0.1, 1.25 * seen[int(0.95 * (len(seen) - 1))])),
        "colorscale": [[0, "#f4f6f8"], [0.35, "#9cc3dd"], [0.7, "#2b7bb0"], [1, "#0a2f52"]],
        "colorbar": {"title": {"text": "wrong, %"}, "thickness": 12, "outlinewidth": 0},
        "hovertemplate": "qubit %{y}, epoch %{x}: %{z:.2f} %<extra></extra>",
    }
    frame = layout(x="epoch", y="qubit", height=min(900, max(360, 5 * len(qubits))))
    frame["yaxis"] |= {"autorange": "reversed", "showgrid": False}
    frame["xaxis"] |= {**epoch_axis([epoch for epoch, _ in rates]), "showgrid": False}
    reading = "The darkest colour stands for that value and above."
    if len(rates) == SHOWN_EPOCHS:
        reading += f" The newest {SHOWN_EPOCHS} epochs are shown."
    return Figure(
        "readout",
        title,
        _WANDER,
        reading,
        plot={"data": [heat], "layout": frame},
        table=_wander_table(qubits, [mine for _, mine in rates]),
    )


def _wander_table(qubits: Sequence[int], rates: Sequence[Mapping[int, float]]) -> Table:
    rows = []
    for qubit in qubits:
        mine = [table[qubit] for table in rates if qubit in table]
        ends = percent(min(mine)), percent(max(mine))
        rows.append((str(qubit), *ends, percent(mine[0]), percent(mine[-1])))
    return Table(("qubit", "least", "most", "first epoch", "last epoch"), tuple(rows))


def _rates(table: Reads) -> dict[int, float]:
    """Pool the probes of one epoch by qubit."""
    pooled: dict[int, tuple[int, int]] = {}
    for (_, qubit), (wrong, shots) in table.items():
        before = pooled.get(qubit, (0, 0))
        pooled[qubit] = (before[0] + wrong, before[1] + shots)
    return {qubit: wrong / shots for qubit, (wrong, shots) in pooled.items() if shots}


def _percentage(rate: float | None) -> float | None:
    return None if rate is None else round(100.0 * rate, 3)
