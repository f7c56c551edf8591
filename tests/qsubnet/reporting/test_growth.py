"""Lines of e-values, against the evidence that the verdict was reached by."""

from __future__ import annotations

from dataclasses import replace

import pytest

from providers.base import DeviceClass
from qsubnet.reporting.growth import accusation_figure, hardware_figure, stretched
from qsubnet.reporting.material import Material
from qsubnet.reporting.words import ACCUSATIONS, CLASSES, GRADES, OUTCOMES
from validator.hardware import SimulatorClass
from validator.score import Grade
from validator.sequential import Accusation
from validator.verdict import Outcome


def test_every_class_accusation_grade_and_outcome_has_words() -> None:
    assert set(CLASSES) == set(SimulatorClass)
    assert set(ACCUSATIONS) == set(Accusation)
    assert set(GRADES) == set(Grade)
    assert set(OUTCOMES) == set(Outcome)
    names = [word.name for word in (*CLASSES.values(), *ACCUSATIONS.values())]
    assert len(set(names)) == len(names)


def test_each_tested_class_is_a_line_that_ends_at_the_verdicts_evidence(material: Material) -> None:
    plot = hardware_figure(material).plot
    assert plot is not None
    ends = [line["y"][-1] for line in plot["data"]]
    now = material.verdict.evidence.hardware
    assert ends == [now[name] for name in SimulatorClass if name in now]
    assert all(line["x"] == [0, 1, 2] for line in plot["data"])


def test_thresholds_are_lines_at_6_for_classes_and_at_3_and_above_6_5_for_accusations(
    material: Material,
) -> None:
    classes, accusations = hardware_figure(material).plot, accusation_figure(material).plot
    assert classes is not None
    assert accusations is not None
    assert [shape["y0"] for shape in classes["layout"]["shapes"]] == [6.0]
    heights = [round(shape["y0"], 3) for shape in accusations["layout"]["shapes"]]
    assert heights == [3.0, 6.517, 6.915, 7.216]  # -log10(6e-6/pi^2 * share): .5, .2, .1


def test_evidence_far_above_its_threshold_is_drawn_on_a_stretched_axis(material: Material) -> None:
    epoch, last = material.steps[-1]
    far = {**last.accusations, Accusation.BELOW_CLAIM: 999.0}
    steps = (*material.steps[:-1], (epoch, replace(last, accusations=far)))
    figure = accusation_figure(replace(material, steps=steps))
    assert figure.plot is not None
    assert figure.plot["data"][0]["y"][-1] == pytest.approx(3.0)  # log10(1 + 999)
    assert "1,000" not in figure.plot["layout"]["yaxis"]["ticktext"]  # no tick past the data
    assert "300" in figure.plot["layout"]["yaxis"]["ticktext"]
    assert "below claim" in figure.reading
    assert figure.table is not None
    assert figure.table.rows[0][2:] == ("999", "6.5", "2")


def test_minus_infinity_is_a_gap_and_never_a_number(material: Material) -> None:
    epoch, last = material.steps[-1]
    steps = (*material.steps[:-1], (epoch, replace(last, reversed_bits=float("-inf"))))
    figure = accusation_figure(replace(material, steps=steps))
    assert figure.plot is not None
    assert [line["y"][-1] for line in figure.plot["data"]][5] is None


def test_a_simulator_has_no_disguise_to_rule_out(material: Material) -> None:
    simulator = replace(material.device, device_class=DeviceClass.SIMULATOR)
    assert hardware_figure(replace(material, device=simulator)).plot is None


def test_stretching_keeps_order_and_sign() -> None:
    values = [-1e6, -5.0, 0.0, 0.1, 6.0, 7.2, 1e4]
    assert [stretched(v) for v in values] == sorted(stretched(v) for v in values)
    assert stretched(-3.0) == -stretched(3.0)
