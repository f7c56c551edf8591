"""Decay rates against exact decays, another fitter, and edge cases."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from validator.estimators.exponential import (
    DecayPoint,
    fit_decay,
    fixed_amplitude_rate,
    log_rate,
    log_rate_slopes,
)
from validator.estimators.ratio import CircuitMean


def _points(
    means: list[float], *, lengths: tuple[int, ...], variance: float = 1e-4
) -> list[DecayPoint]:
    return [
        DecayPoint(m, 9, CircuitMean(y, variance, 8)) for m, y in zip(lengths, means, strict=True)
    ]


@settings(deadline=None, max_examples=40)
@given(st.floats(0.3, 1.0), st.floats(0.05, 0.9999))
def test_exact_decays_give_their_rate_back(amplitude: float, rate: float) -> None:
    lengths = (1, 4, 9)
    points = _points([amplitude * rate**m for m in lengths], lengths=lengths)
    fitted = log_rate(points)
    assert fitted is not None
    assert math.exp(fitted) == pytest.approx(rate, abs=1e-5)


def test_noisy_decays_agree_with_least_squares_of_scipy() -> None:
    from scipy.optimize import curve_fit

    rng, lengths = np.random.default_rng(631), (0, 2, 8, 20)
    for _ in range(20):
        y = 0.9 * 0.93 ** np.array(lengths) + 0.02 * rng.standard_normal(4)
        (_, rate), _ = curve_fit(lambda m, a, r: a * r**m, lengths, y, p0=(1.0, 0.9))
        fitted = log_rate(_points(list(y), lengths=lengths))
        assert fitted is not None
        assert math.exp(fitted) == pytest.approx(rate, abs=1e-6)


def test_slopes_are_the_finite_differences_of_the_fit() -> None:
    lengths, means = (1, 5, 20), [0.88, 0.75, 0.41]
    points = _points(means, lengths=lengths)
    fitted = log_rate(points)
    assert fitted is not None
    for i, slope in enumerate(log_rate_slopes(points, at=fitted)):
        moved = list(means)
        moved[i] += 1e-4
        other = log_rate(_points(moved, lengths=lengths))
        assert other is not None
        assert (other - fitted) / 1e-4 == pytest.approx(slope, rel=0.02)


def test_lost_long_circuits_leave_the_lower_end_open() -> None:
    bounds = fit_decay(_points([0.8, 0.01, 0.0], lengths=(1, 40, 80)))
    assert bounds is None or bounds.low == 0.0


@pytest.mark.parametrize("means", [[0.01, 0.0, 0.0], [-0.5, -0.2, -0.1], [0.2, 0.5, 0.9]])
def test_what_is_no_decay_is_undefined(means: list[float]) -> None:
    assert fit_decay(_points(means, lengths=(1, 4, 9))) is None


def test_one_length_or_none_is_no_decay() -> None:
    assert fit_decay([]) is None
    assert fit_decay(_points([0.5], lengths=(3,))) is None


def test_points_without_any_variance_are_refused() -> None:
    with pytest.raises(ValueError, match="variance above 0"):
        fit_decay(_points([0.9, 0.8], lengths=(1, 2), variance=0.0))


@settings(deadline=None)
@given(st.floats(0, 1), st.floats(0, 1))
def test_a_fixed_amplitude_makes_the_rate_rise_with_the_mean_alone(a: float, b: float) -> None:
    low, high = (
        fixed_amplitude_rate(mean, lengths=[1, 4, 16], amplitude=0.9) for mean in sorted((a, b))
    )
    assert 0.0 <= low <= high <= 2.0


@pytest.mark.parametrize(("lengths", "amplitude"), [([], 1.0), ([0, 3], 1.0), ([2], 0.3)])
def test_a_rate_that_cannot_be_told_is_refused(lengths: list[int], amplitude: float) -> None:
    with pytest.raises(ValueError, match="need lengths >= 1"):
        fixed_amplitude_rate(0.5, lengths=lengths, amplitude=amplitude)
