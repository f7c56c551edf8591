"""Fidelity of recorded circuits: a known truth comes back, and intervals cover it."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from validator.estimators.random_effects import Effect
from validator.recorded.fidelity import circuit_fidelity, in_words, mean_fidelity
from validator.recorded.laws import CertainLaw, DenseLaw

ONE = CertainLaw((0, 1), (0, 1), "01")


def _dense(values: np.ndarray) -> DenseLaw:
    width = len(values).bit_length() - 1
    return DenseLaw(tuple(range(width)), tuple(range(width)), values / values.sum())


def test_one_certain_answer_is_scored_by_its_hits() -> None:
    found = circuit_fidelity(ONE, {"01": 70, "00": 10, "11": 20}, shots=100)
    # (.7 - 1/4)/(1 - 1/4), by hand.
    assert found is not None
    assert found.value == pytest.approx(0.6)


def test_white_noise_of_every_strength_comes_back(sampled: Callable[..., dict[str, int]]) -> None:
    rng = np.random.default_rng(2)
    law = _dense(rng.exponential(size=32))
    for truth in (0.0, 0.4, 0.9):
        values = [
            circuit_fidelity(law, sampled(rng, law.values, fidelity=truth), shots=1000)
            for _ in range(200)
        ]
        effects = [effect for effect in values if effect]
        mean = np.mean([effect.value for effect in effects])
        error = np.sqrt(np.mean([effect.variance for effect in effects]) / 200)
        assert mean == pytest.approx(truth, abs=5 * error)
        scatter = np.var([effect.value for effect in effects])
        assert scatter == pytest.approx(np.mean([e.variance for e in effects]), rel=0.4)


def test_a_flat_law_says_nothing() -> None:
    flat = _dense(np.ones(4))
    assert circuit_fidelity(flat, {"00": 500, "01": 500}, shots=1000) is None
    nearly = _dense(np.array([1.0, 1.0, 1.0, 1.05]))
    assert circuit_fidelity(nearly, {"00": 500, "01": 500}, shots=1000) is None


def test_a_one_where_nothing_is_measured_counts_as_a_miss() -> None:
    law = CertainLaw((0,), (0,), "1")
    found = circuit_fidelity(law, {"01": 50, "11": 50}, shots=100)
    assert found is not None
    assert found.value == pytest.approx(0.0)


def test_shares_and_counts_give_one_estimate() -> None:
    counts = circuit_fidelity(ONE, {"01": 70, "00": 30}, shots=100)
    shares = circuit_fidelity(ONE, {"01": 0.7, "00": 0.3}, shots=100)
    assert counts == shares


def test_the_interval_over_programs_covers_the_mean_of_what_they_come_from() -> None:
    rng = np.random.default_rng(4)
    covered = 0
    for _ in range(300):
        truths = 0.7 + 0.1 * rng.standard_normal(8)
        programs = [
            [Effect(float(truth + 0.05 * rng.standard_normal()), 0.05**2) for _ in range(3)]
            for truth in truths
        ]
        bounds = mean_fidelity(programs)
        covered += bounds.low <= 0.7 <= bounds.high
    # Binomial: 95 % of 300 with a standard deviation of 3.8.
    assert 270 <= covered <= 297


def test_a_program_counts_once_however_often_it_ran() -> None:
    often = [Effect(0.2, 1e-4)] * 50
    assert mean_fidelity([often, [Effect(0.8, 1e-4)]]).estimate == pytest.approx(0.5, abs=0.02)


def test_the_estimator_says_what_it_is() -> None:
    assert in_words([True, True]).startswith("success probability")
    assert in_words([False]).startswith("normalised linear XEB, of 1")
    assert "success probability where" in in_words([True, False])
    assert in_words([]).startswith("none")
