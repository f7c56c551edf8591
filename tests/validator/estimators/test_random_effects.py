"""Random effects: coverage of mean and spread, agreement with a published meta-analysis."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pytest

from validator.estimators.random_effects import Effect, effect_of, random_effects
from validator.interval import NO_SHOTS, Interval


@pytest.mark.parametrize(("circuits", "spread"), [(8, 0.0), (8, 0.1), (12, 0.05)])
def test_mean_and_spread_are_covered(
    circuits: int, spread: float, tolerance: Callable[[float, int], float]
) -> None:
    rng, trials = np.random.default_rng(681), 800
    sds = rng.uniform(0.03, 0.08, (trials, circuits))
    values = 0.5 + np.hypot(spread, sds) * rng.standard_normal((trials, circuits))
    covered = np.zeros(2)
    for row, own in zip(values.tolist(), sds.tolist(), strict=True):
        result = random_effects([Effect(y, s * s) for y, s in zip(row, own, strict=True)])
        covered += [
            result.mean.low <= 0.5 <= result.mean.high,
            result.spread.low <= spread <= result.spread.high,
        ]
    assert covered[0] / trials == pytest.approx(0.95, abs=tolerance(0.95, trials))
    # At spread 0 only the lower end can err: 97.5 %.
    level = 0.975 if spread == 0.0 else 0.95
    assert covered[1] / trials == pytest.approx(level, abs=tolerance(level, trials))


def test_a_normal_quantile_would_not_cover() -> None:
    # The comparison that the t quantile is there for: about 90 % with z at 8 circuits.
    rng, trials, covered = np.random.default_rng(682), 800, 0
    for row in (0.5 + 0.3 * rng.standard_normal((trials, 8))).tolist():
        mean = random_effects([Effect(y, 1e-6) for y in row]).mean
        half = (mean.high - mean.estimate) * 1.96 / 2.3646
        covered += abs(mean.estimate - 0.5) <= half
    assert 0.87 < covered / trials < 0.94


def test_equal_variances_give_the_closed_form() -> None:
    # Paule-Mandel: tau^2 = s^2 - v; mean and interval those of Student.
    values, v = [0.1, 0.5, 0.3, 0.9], 0.01
    result = random_effects([Effect(y, v) for y in values])
    s2 = float(np.var(values, ddof=1))
    assert result.mean.estimate == pytest.approx(0.45)
    assert result.mean.high - 0.45 == pytest.approx(3.182446 * math.sqrt(s2 / 4), rel=1e-5)
    assert result.spread.estimate == pytest.approx(math.sqrt(s2 - v))


def test_the_spread_solves_the_generalised_q_statistic() -> None:
    effects = [Effect(y, v) for y, v in ((0.2, 0.01), (0.9, 0.04), (0.5, 0.02), (0.1, 0.01))]
    result = random_effects(effects)

    def q(tau: float) -> float:
        w = np.array([1 / (e.variance + tau * tau) for e in effects])
        y = np.array([e.value for e in effects])
        return float((w * (y - (w @ y) / w.sum()) ** 2).sum())

    assert q(result.spread.estimate) == pytest.approx(3.0)
    # Quantiles of chi-squared with 3 degrees of freedom, from the table.
    assert q(result.spread.high) == pytest.approx(0.2158, abs=1e-4)


def test_precise_circuits_weigh_more() -> None:
    result = random_effects([Effect(0.0, 1e-4), Effect(0.02, 1e-2)])
    assert result.mean.estimate < 0.001


def test_agreement_beyond_chance_does_not_make_an_exact_mean() -> None:
    mean = random_effects([Effect(0.5, 0.01)] * 8).mean
    assert mean.high - mean.low > 0.05


def test_few_circuits_say_what_is_not_known() -> None:
    assert random_effects([]).mean == NO_SHOTS
    alone = random_effects([Effect(0.4, 0.01)])
    assert alone.mean.high == pytest.approx(0.4 + 1.959964 * 0.1)
    assert alone.spread.high == math.inf
    assert effect_of(alone.mean).variance == pytest.approx(0.01)


@pytest.mark.parametrize(("value", "variance"), [(math.nan, 1.0), (0.5, 0.0), (0.5, math.inf)])
def test_an_effect_without_a_variance_is_refused(value: float, variance: float) -> None:
    with pytest.raises(ValueError, match="variance above 0"):
        Effect(value, variance)


def test_an_interval_is_read_back_as_an_effect() -> None:
    assert effect_of(Interval(0.0, 0.5, 1.0)).value == 0.5
