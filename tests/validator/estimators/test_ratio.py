"""Means over circuits and Fieller's ratio, against closed forms and by coverage."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pytest

from validator.estimators.ratio import CircuitMean, circuit_mean, fieller, pooled_df, root_product
from validator.interval import over_circuits
from validator.special import t_quantile


def test_a_circuit_mean_has_the_spread_of_the_cluster_t_interval() -> None:
    values = [0.2, 0.4, 0.35, 0.5]
    mean, bounds = circuit_mean(values), over_circuits(values)
    half = t_quantile(0.975, df=mean.df) * math.sqrt(mean.variance)
    assert bounds.high - bounds.estimate == pytest.approx(half)
    with pytest.raises(ValueError, match="at least 2 circuits"):
        circuit_mean([1.0])


def test_satterthwaite_has_its_known_limits() -> None:
    # Equal variances of equal df add their df; a dominating one keeps its own.
    assert pooled_df([(2.0, 7), (2.0, 7), (2.0, 7)]) == 21
    assert pooled_df([(1.0, 7), (1e-9, 50)]) == 7
    assert pooled_df([]) == 1


def test_fieller_ends_are_where_the_t_test_of_the_difference_just_rejects() -> None:
    over, under = CircuitMean(0.4, 0.001, 40), CircuitMean(0.7, 0.002, 40)
    bounds = fieller(over, under)
    assert bounds is not None
    ratio = over.mean / under.mean
    df = pooled_df([(over.variance, 40), (ratio**2 * under.variance, 40)])
    for g in (bounds.low, bounds.high):
        t = abs(over.mean - g * under.mean) / math.sqrt(over.variance + g * g * under.variance)
        assert t == pytest.approx(t_quantile(0.975, df=df))


@pytest.mark.parametrize("under", [0.35, 2.0])
def test_fieller_covers_also_near_a_weak_denominator(
    under: float, tolerance: Callable[[float, int], float]
) -> None:
    rng, trials, covered, defined = np.random.default_rng(611), 3000, 0, 0
    draws = rng.standard_normal((trials, 2, 10)) * 0.3
    for a, b in draws:
        bounds = fieller(circuit_mean(list(0.2 + a)), circuit_mean(list(under + b)))
        defined += bounds is not None
        covered += bounds is not None and bounds.low <= 0.2 / under <= bounds.high
    assert defined > 0.8 * trials
    assert covered / defined == pytest.approx(0.95, abs=tolerance(0.95, defined))


def test_a_denominator_of_nothing_leaves_the_ratio_undefined() -> None:
    assert fieller(CircuitMean(1.0, 0.01, 9), CircuitMean(0.1, 0.01, 9)) is None
    assert fieller(CircuitMean(1.0, 0.01, 9), CircuitMean(0.0, 0.0, 9)) is None


def test_the_root_of_a_product_has_the_spread_of_repeated_runs() -> None:
    rng = np.random.default_rng(612)
    a, b = (m + 0.03 * rng.standard_normal(20_000) for m in (0.6, 0.9))
    stated = root_product(CircuitMean(0.6, 0.0009, 9), CircuitMean(0.9, 0.0009, 9))
    # A variance from 20,000 draws has a relative error of 1 %.
    assert np.var(np.sqrt(a * b)) == pytest.approx(stated.variance, rel=0.05)
