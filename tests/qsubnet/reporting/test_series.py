"""Fidelity, sizes and repeated probes over time, from answers whose truth is known."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from circuits.case import Case, KnownAnswer
from circuits.counts import Counts
from qsubnet.reporting.fidelity import fidelity_figure, fidelity_points
from qsubnet.reporting.material import Material, answered_tests
from qsubnet.reporting.repeats import (
    WINDOW,
    dispersion_figure,
    reads_by_epoch,
    steps,
    wander_figure,
)
from qsubnet.reporting.volume import cells, volume_figure
from validator.estimators.dispersion import Reading
from validator.record import Record
from validator.references.reference import Reference

Make = Callable[[Any], list[Record]]


def test_fidelity_has_a_point_an_epoch_and_a_line_that_ends_at_the_verdict(
    material: Material,
) -> None:
    plot = fidelity_figure(material).plot
    assert plot is not None
    *_, line, dots = plot["data"]
    assert dots["x"] == line["x"] == [0, 1, 2]
    assert line["y"][-1] == material.verdict.evidence.fidelity.estimate


def test_perfect_answers_are_at_1_in_every_epoch(material: Material, reference: Reference) -> None:
    right = [
        replace(r, counts=Counts(r.program.num_bits, {r.case.answer.bits: r.shots_asked}))
        for r in material.records
        if r.case and isinstance(r.case.answer, KnownAnswer)
    ]
    points = fidelity_points(right, is_qpu=True, reference=reference)
    assert [point.epoch for point in points] == [0, 1, 2]
    assert {point.fidelity.estimate for point in points} == {1.0}


def test_answers_of_a_wrong_width_are_in_no_figure(material: Material) -> None:
    one = material.records[0]
    wrong = replace(one, counts=Counts(1, {"0": 5}))
    assert answered_tests([one, wrong]) == [one]


def test_cells_are_the_sizes_that_were_run_and_the_frontier_follows_them(
    material: Material,
) -> None:
    ran = {
        (r.case.width, r.case.depth)
        for r in material.records
        if r.case and r.case.family == "mirror"
    }
    found = cells(material)
    assert {(cell.width, cell.depth) for cell in found} == ran
    figure = volume_figure(material)
    assert figure.table is not None
    reached = {row[0] for row in figure.table.rows if row[4] == "yes"}
    assert reached == {str(cell.width) for cell in found if cell.reached}


def test_wrong_reads_are_counted_by_qubit(readout: Make) -> None:
    records = readout(lambda _e, case: [1.0 if qubit == 7 else 0.0 for qubit in case.qubits])
    reads = reads_by_epoch(records)
    assert [epoch for epoch, _ in reads] == list(range(10))
    for _, table in reads:
        assert {(q, wrong) for (_, q), (wrong, _) in table.items() if wrong} == {(7, 2000)}


def test_a_law_that_never_changes_scatters_as_chance_does(readout: Make) -> None:
    found = steps(reads_by_epoch(readout(lambda _e, case: [0.05] * case.width)))
    assert [step.epochs for step in found] == [2, 3, 4, 5, 6, 7, 8, 8, 8]
    # 30 rates over 8 epochs: 210 degrees of freedom, so 5 sigma of chi2/df are 5 sqrt(2/210).
    assert abs(found[-1].found.ratio.estimate - 1.0) < 5.0 * (2.0 / 210) ** 0.5


def test_drift_of_a_fifth_of_the_rate_shows(readout: Make, material: Material) -> None:
    def flips(epoch: int, case: Case) -> list[float]:
        return [0.1 * (1.2 if (epoch + qubit) % 2 else 0.8) for qubit in case.qubits]

    records = readout(flips)
    last = steps(reads_by_epoch(records))[-1].found
    assert last.reading is Reading.DRIFT
    assert last.sigma.low < 0.2 * (WINDOW / (WINDOW - 1)) ** 0.5 < last.sigma.high
    figure = dispersion_figure(replace(material, records=tuple(records)))
    assert "the device drifts" in figure.reading


def test_one_epoch_has_nothing_to_compare_with(readout: Make, material: Material) -> None:
    first = tuple(r for r in readout(lambda _e, case: [0.1] * case.width) if not r.epoch)
    assert dispersion_figure(replace(material, records=first)).plot is None


def test_the_map_over_time_has_a_row_a_qubit_in_percent(readout: Make, material: Material) -> None:
    records = readout(lambda _e, case: [0.5 if qubit == 7 else 0.0 for qubit in case.qubits])
    plot = wander_figure(replace(material, records=tuple(records))).plot
    assert plot is not None
    (heat,) = plot["data"]
    assert heat["y"] == list(range(10))
    # Three probes of 2000 shots: 5 sigma of a fair coin are 5 * 50 %/sqrt(6000) = 3.2 %.
    assert heat["z"][7] == pytest.approx([50.0] * 10, abs=3.3)
    assert heat["z"][6] == [0.0] * 10
