"""Bounds of probabilities: against published values, and by coverage under a known truth."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from validator.interval import NO_SHOTS, Interval, clopper_pearson, over_circuits, wilson


def _exact_coverage(bound: Callable[[int, int], Interval], *, shots: int, truth: float) -> float:
    """Sum the binomial law over the outcomes whose interval holds the truth."""
    chances = [
        math.comb(shots, k) * truth**k * (1 - truth) ** (shots - k) for k in range(shots + 1)
    ]
    inside = [bound(k, shots).low <= truth <= bound(k, shots).high for k in range(shots + 1)]
    return math.fsum(c for c, held in zip(chances, inside, strict=True) if held)


def test_wilson_agrees_with_the_worked_example_of_newcombe() -> None:
    # R. G. Newcombe, Statist. Med. 17, 857 (1998), table I, method 3: 81 of 263, 15 of 148.
    assert wilson(81, 263).low == pytest.approx(0.2553, abs=5e-5)
    assert wilson(81, 263).high == pytest.approx(0.3662, abs=5e-5)
    assert wilson(15, 148).low == pytest.approx(0.0624, abs=5e-5)
    assert wilson(15, 148).high == pytest.approx(0.1605, abs=5e-5)


def test_clopper_pearson_agrees_with_the_worked_example_of_newcombe() -> None:
    # The same table, method 5.
    assert clopper_pearson(81, 263).low == pytest.approx(0.2527, abs=5e-5)
    assert clopper_pearson(81, 263).high == pytest.approx(0.3676, abs=5e-5)


def test_all_hits_leave_the_closed_form_of_the_lower_bound() -> None:
    assert clopper_pearson(40, 40).low == pytest.approx(0.025 ** (1 / 40))
    assert clopper_pearson(0, 40).high == pytest.approx(1 - 0.025 ** (1 / 40))


@pytest.mark.parametrize("truth", [0.01, 0.1, 0.37, 0.5, 0.93])
def test_clopper_pearson_never_covers_less_than_promised(truth: float) -> None:
    assert _exact_coverage(clopper_pearson, shots=60, truth=truth) >= 0.95


@pytest.mark.parametrize("truth", [0.1, 0.37, 0.5, 0.9])
def test_wilson_covers_about_as_promised(truth: float) -> None:
    assert 0.92 < _exact_coverage(wilson, shots=60, truth=truth) < 0.98


@pytest.mark.parametrize("bound", [wilson, clopper_pearson])
def test_without_shots_nothing_is_known(bound: Callable[[int, int], Interval]) -> None:
    assert bound(0, 0) == NO_SHOTS == Interval(0.0, 0.5, 1.0)


@pytest.mark.parametrize("hits", [-1, 4])
def test_contradicting_counts_are_refused(hits: int) -> None:
    with pytest.raises(ValueError, match="need 0 <= hits <= shots"):
        wilson(hits, 3)


@pytest.mark.parametrize("confidence", [0.0, 1.0, -1.0, 2.0])
def test_a_confidence_that_is_no_level_is_refused(confidence: float) -> None:
    with pytest.raises(ValueError, match="confidence"):
        clopper_pearson(1, 3, confidence=confidence)


@pytest.mark.parametrize("ends", [(0.5, 0.4, 0.6), (0.0, 2.0, 1.0), (math.nan, 0.0, 1.0)])
def test_an_interval_out_of_order_is_refused(ends: tuple[float, float, float]) -> None:
    with pytest.raises(ValueError, match="need low <= estimate <= high"):
        Interval(*ends)


@settings(deadline=None)
@given(shots=st.integers(1, 10_000), share=st.floats(0, 1))
def test_bounds_enclose_the_estimate_and_stay_probabilities(shots: int, share: float) -> None:
    hits = round(share * shots)
    for bound in (wilson(hits, shots), clopper_pearson(hits, shots)):
        assert 0.0 <= bound.low <= hits / shots <= bound.high <= 1.0
        assert bound.high > bound.low


@pytest.mark.parametrize("spread", [0.0, 0.02, 0.1])
@pytest.mark.parametrize("circuits", [8, 12])
def test_over_circuits_covers_where_pooled_shots_do_not(
    spread: float, circuits: int, tolerance: Callable[[float, int], float]
) -> None:
    rng, trials = np.random.default_rng(11), 2000
    truths = 0.5 + spread * rng.standard_normal((trials, circuits))
    means = rng.binomial(1000, truths) / 1000
    within = 0.25 / 1000
    bounds = [over_circuits(list(row), shot_variance=within) for row in means]
    covered = float(np.mean([b.low <= 0.5 <= b.high for b in bounds]))
    assert covered == pytest.approx(0.95, abs=tolerance(0.95, trials))
    if spread == 0.1:
        pooled = [wilson(int(sum(row) * 1000), 1000 * circuits) for row in means]
        assert np.mean([b.low <= 0.5 <= b.high for b in pooled]) < 0.35


def test_over_circuits_agrees_with_the_t_table() -> None:
    # Mean 2, variance 1, three values: 2 +- 4.3027/sqrt(3) (t table, 2 degrees of freedom).
    bound = over_circuits([1.0, 2.0, 3.0])
    assert bound.high == pytest.approx(2 + 4.302653 / math.sqrt(3), abs=1e-6)


def test_equal_circuits_do_not_pretend_to_be_exact() -> None:
    bound = over_circuits([0.7] * 10, shot_variance=0.21 / 100)
    assert bound.high - bound.low > 0.02


def test_few_circuits_say_what_is_not_known() -> None:
    assert over_circuits([]) == NO_SHOTS
    assert over_circuits([0.3]) == Interval(0.0, 0.3, 1.0)


def test_a_mean_that_is_not_a_number_is_refused() -> None:
    with pytest.raises(ValueError, match="finite"):
        over_circuits([0.1, math.nan])
