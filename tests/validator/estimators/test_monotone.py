"""Lower bounds that may be paid: monotone in every circuit, and still covering."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from validator.estimators.monotone import monotone_mean, shot_spread
from validator.interval import Interval, over_circuits

_VALUES = st.lists(st.floats(-1, 1), min_size=2, max_size=8)


@settings(deadline=None)
@given(_VALUES, st.data())
def test_the_lower_bound_never_rises_when_a_circuit_gets_worse(
    values: list[float], data: st.DataObject
) -> None:
    index = data.draw(st.integers(0, len(values) - 1))
    worse = list(values)
    worse[index] -= data.draw(st.floats(0, 1))
    before = monotone_mean(values, least_spread=0.01).low
    assert monotone_mean(worse, least_spread=0.01).low <= before + 1e-12


def test_a_plain_t_bound_does_rise_so_this_one_is_needed() -> None:
    good, spoiled = [0.5] * 7 + [0.9], [0.5] * 7 + [0.55]
    assert over_circuits(spoiled).low > over_circuits(good).low
    assert monotone_mean(spoiled, least_spread=0.0).low <= monotone_mean(good, least_spread=0.0).low


@settings(deadline=None)
@given(_VALUES)
def test_the_bound_is_the_least_t_bound_over_all_corners(values: list[float]) -> None:
    # Brute force over which circuits are lifted to the ceiling.
    corners = itertools.product(*((value, 1.0) for value in values))
    least = min(over_circuits(corner, shot_variance=0.0016).low for corner in corners)
    assert monotone_mean(values, least_spread=0.02).low == pytest.approx(least, abs=1e-9)


@pytest.mark.parametrize(("mean", "spread", "circuits"), [(0.6, 0.1, 12), (0.9, 0.05, 30)])
def test_it_errs_at_most_as_often_as_promised(
    mean: float, spread: float, circuits: int, tolerance: Callable[[float, int], float]
) -> None:
    rng, trials = np.random.default_rng(601), 2000
    drawn = np.minimum(1.0, mean + spread * rng.standard_normal((trials, circuits)))
    truth = float(np.minimum(1.0, mean + spread * rng.standard_normal(1_000_000)).mean())
    lows = [monotone_mean(list(row), least_spread=0.0).low for row in drawn]
    held = float(np.mean([low <= truth for low in lows]))
    assert held >= 0.975 - tolerance(0.975, trials)


def test_the_spread_of_shots_is_half_the_largest_possible() -> None:
    # A fair coin on the ends of the range has a standard deviation of half the range.
    assert shot_spread(400, span=2.0) == pytest.approx(0.5 * 1.0 / math.sqrt(400))


def test_few_circuits_and_wrong_values() -> None:
    assert monotone_mean([], least_spread=0.1) == Interval(0.0, 0.5, 1.0)
    assert monotone_mean([0.7], floor=-1.0, least_spread=0.1) == Interval(-1.0, 0.7, 1.0)
    with pytest.raises(ValueError, match=r"values <= 1.0"):
        monotone_mean([1.2, 0.3], least_spread=0.1)
    with pytest.raises(ValueError, match="shots >= 1"):
        shot_spread(0, span=1.0)


def test_perfect_circuits_are_not_error_0() -> None:
    assert monotone_mean([1.0] * 10, least_spread=shot_spread(1000, span=1.5)).low < 0.992
