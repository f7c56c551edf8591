"""Tallies of wrong bits beside what the bits see."""

from __future__ import annotations

import pytest

from circuits.program import Operation, Program, measure
from validator.estimators.correctness import LayerCircuit, observe

FLIPS = Program(2, 2, (Operation("x", (0,)), measure(0, 0), measure(1, 1)))


def test_wrong_bits_are_counted_bit_by_bit() -> None:
    seen = observe(LayerCircuit(FLIPS, "01", {"01": 70, "00": 20, "10": 10}))
    assert seen is not None
    assert seen.wrong == (30, 10)
    assert seen.correct == pytest.approx(1 - 2 * (30 + 10) / 200)
    assert seen.answer.histogram == (70, 20, 10)


def test_the_variance_is_that_of_the_mean_correctness_over_shots() -> None:
    # 1 - 2 d/n over shots with d = 0, 1, 2 in 70, 20, 10 of 100: variance of d is 0.44.
    seen = observe(LayerCircuit(FLIPS, "01", {"01": 70, "00": 20, "10": 10}))
    assert seen is not None
    assert seen.variance == pytest.approx(4 * 0.44 / 4 / 100)


def test_a_perfect_record_keeps_some_variance() -> None:
    seen = observe(LayerCircuit(FLIPS, "01", {"01": 100}))
    assert seen is not None
    assert seen.correct == 1.0
    assert seen.variance > 0.0


def test_what_has_no_known_answer_or_no_shot_is_set_aside() -> None:
    turned = Program(1, 1, (Operation("rx", (0,), (0.3,)), measure(0, 0)))
    random = Program(1, 1, (Operation("h", (0,)), measure(0, 0)))
    assert observe(LayerCircuit(turned, "0", {"0": 1})) is None
    assert observe(LayerCircuit(random, "0", {"0": 1})) is None
    assert observe(LayerCircuit(FLIPS, "01", {})) is None


def test_counts_of_another_width_are_refused() -> None:
    with pytest.raises(ValueError, match="need"):
        observe(LayerCircuit(FLIPS, "01", {"011": 1}))
