"""The two filters against the normal law written out in full, with numpy's linear algebra."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from validator.simulators.drift_filter import Alone, Beside, Hypothesis

Reals = NDArray[np.float64]

EPOCHS = 6
NOISES = np.array([0.01, 0.04, 0.02, 0.02, 0.05, 0.01])
LAWS = (Hypothesis(0.0, 0.03), Hypothesis(0.9, 0.02))


def covariance(law: Hypothesis) -> Reals:
    """Covariance of a first-order autoregression's own values, from its definition."""
    ages = np.abs(np.subtract.outer(np.arange(EPOCHS), np.arange(EPOCHS)))
    return np.asarray(law.drift * np.power(law.memory, ages), dtype=np.float64)


def log_density(values: Reals, mean: Reals, spread: Reals) -> float:
    """Log density of the multivariate normal law, without its ln(2 pi)/2 a dimension."""
    away = values - mean
    _, log_det = np.linalg.slogdet(spread)
    return float(-0.5 * (log_det + away @ np.linalg.solve(spread, away)))


@pytest.fixture
def series() -> Reals:
    return np.random.default_rng(4).normal(0.3, 0.2, size=EPOCHS)


@pytest.mark.parametrize("law", LAWS)
def test_alone_gives_the_likelihood_at_the_best_level(law: Hypothesis, series: Reals) -> None:
    filtered = Alone.start(law)
    for value, noise in zip(series, NOISES, strict=True):
        filtered = filtered.after(float(value), float(noise), law=law, scored=1)
    spread = covariance(law) + np.diag(NOISES)
    one = np.ones(EPOCHS)
    best = one @ np.linalg.solve(spread, series) / (one @ np.linalg.solve(spread, one))
    assert filtered.best() == pytest.approx(log_density(series, best * one, spread))
    assert all(
        filtered.best() >= log_density(series, level * one, spread) - 1e-12
        for level in (best - 0.1, best + 0.1)
    )
    # A flat prior over the level integrates exp(-J (level - best)^2/2) to sqrt(2 pi/J).
    information = one @ np.linalg.solve(spread, one)
    assert filtered.marginal() == pytest.approx(filtered.best() - 0.5 * np.log(information))


@pytest.mark.parametrize("law", LAWS)
def test_an_epoch_that_is_not_scored_is_conditioned_on(law: Hypothesis, series: Reals) -> None:
    filtered = Alone.start(law)
    for epoch, (value, noise) in enumerate(zip(series, NOISES, strict=True)):
        filtered = filtered.after(float(value), float(noise), law=law, scored=int(epoch > 0))
    spread = covariance(law) + np.diag(NOISES)

    def later_given_first(level: float) -> float:
        mean = np.full(EPOCHS, level)
        whole = log_density(series, mean, spread)
        return whole - log_density(series[:1], mean[:1], spread[:1, :1])

    levels = np.linspace(-2.0, 2.0, 40_001)
    highest = max(later_given_first(level) for level in levels[::40])
    assert filtered.best() == pytest.approx(highest, abs=1e-3)


@pytest.mark.parametrize("law", LAWS)
def test_beside_gives_the_joint_density_of_two_machines(law: Hypothesis, series: Reals) -> None:
    other = series + np.random.default_rng(5).normal(0.0, 0.1, size=EPOCHS)
    filtered, logs = Beside.start(law), []
    for first, second, noise in zip(other, series, NOISES, strict=True):
        for value in (first, second):
            filtered, log = filtered.after(float(value), float(noise))
            logs.append(log)
        filtered = filtered.next_epoch(law=law)
    # Both see one drift and one level, whose prior has variance 1; the noises are their own.
    shared = np.kron(covariance(law) + 1.0, np.ones((2, 2)))
    spread = np.asarray(shared + np.diag(np.repeat(NOISES, 2)), dtype=np.float64)
    values = np.ravel(np.column_stack([other, series]))
    assert sum(logs) == pytest.approx(log_density(values, np.zeros(2 * EPOCHS), spread))


def test_an_epoch_without_an_answer_only_passes_time() -> None:
    law = Hypothesis(0.9, 0.02)
    gone = Alone.start(law).after(0.4, 0.01, law=law, scored=1).unseen(law=law)
    seen = gone.after(0.1, 0.01, law=law, scored=1)
    # Two epochs apart: correlation .81.
    spread = np.array([[0.03, 0.02 * 0.81], [0.02 * 0.81, 0.03]])
    values, one = np.array([0.4, 0.1]), np.ones(2)
    best = one @ np.linalg.solve(spread, values) / (one @ np.linalg.solve(spread, one))
    assert seen.best() == pytest.approx(log_density(values, best * one, spread))
