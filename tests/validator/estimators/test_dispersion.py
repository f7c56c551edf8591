"""Scatter from job to job: coverage under injected drift, and both sides of 1."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pytest

from validator.estimators.dispersion import Probe, Reading, dispersion, expected_dispersion


@pytest.mark.parametrize(
    ("jobs", "shots", "rate", "sigma", "probes"),
    [(20, 1000, 0.03, 0.1, 6), (24, 4000, 0.02, 0.0, 4), (8, 1000, 0.5, 0.03, 1)],
)
def test_the_interval_covers_an_injected_drift(
    jobs: int,
    shots: int,
    rate: float,
    sigma: float,
    probes: int,
    tolerance: Callable[[float, int], float],
) -> None:
    rng, trials, covered = np.random.default_rng(691), 1000, np.zeros(2)
    truth = expected_dispersion(rate, shots=shots, sigma=sigma)
    moved = rate * (1 + sigma * rng.standard_normal((trials, probes, jobs)))
    for rows in rng.binomial(shots, np.clip(moved, 0, 1)).tolist():
        result = dispersion([Probe(tuple(row), (shots,) * jobs) for row in rows])
        covered += [
            result.ratio.low <= truth <= result.ratio.high,
            result.sigma.low <= sigma <= result.sigma.high,
        ]
    assert covered[0] / trials == pytest.approx(0.95, abs=tolerance(0.95, trials))
    # Without drift sigma's lower end cannot err.
    level = 0.975 if sigma == 0.0 else 0.95
    assert covered[1] / trials == pytest.approx(level, abs=tolerance(level, trials))


def test_unequal_jobs_are_weighed_by_their_effective_size() -> None:
    rng, shots = np.random.default_rng(692), (200, 1000, 3000, 800, 500, 2500)
    means = []
    for _ in range(3000):
        rates = np.clip(0.1 * (1 + 0.2 * rng.standard_normal(6)), 0, 1)
        hits = tuple(int(n) for n in rng.binomial(shots, rates))
        means.append(dispersion([Probe(hits, shots)]).ratio.estimate)
    total = sum(shots)
    effective = (total - sum(n * n for n in shots) / total) / 5
    expected = 1 + effective * 0.1 * 0.2**2 / 0.9
    assert np.mean(means) == pytest.approx(expected, rel=0.05)


def test_shots_drift_and_rounded_probabilities_are_told_apart() -> None:
    rng = np.random.default_rng(693)
    law = rng.uniform(0.02, 0.2, size=12)
    shots = (1000,) * 16
    static, rounded = (
        [Probe(tuple(int(n) for n in row), shots) for row in rows]
        for rows in (
            rng.binomial(1000, law[:, None], size=(12, 16)),
            np.rint(1000 * law[:, None] + rng.uniform(-1, 1, size=(12, 16))),
        )
    )
    drifting = [
        Probe(tuple(int(n) for n in rng.binomial(1000, p * rng.uniform(0.7, 1.3, 16))), shots)
        for p in law
    ]
    found = [dispersion(one, confidence=0.999999).reading for one in (static, drifting, rounded)]
    assert found == [Reading.SHOTS, Reading.DRIFT, Reading.ROUNDED]


def test_equal_counts_are_not_error_0() -> None:
    result = dispersion([Probe((30,) * 5, (1000,) * 5)])
    assert result.ratio.estimate == 0.0
    assert result.ratio.high > 0.0
    assert result.sigma.estimate == 0.0


def test_the_expected_ratio_is_the_stated_one() -> None:
    # 4000 shots at p = .02 with 10 % drift: 1 + 4000 * .02 * .01/.98.
    assert expected_dispersion(0.02, shots=4000, sigma=0.1) == pytest.approx(1 + 0.8 / 0.98)


@pytest.mark.parametrize("probes", [[], [Probe((3,), (10,))], [Probe((0, 0, 0), (10, 10, 10))]])
def test_without_a_usable_probe_nothing_is_known(probes: list[Probe]) -> None:
    result = dispersion(probes)
    assert result.reading is Reading.UNKNOWN
    assert (result.ratio.low, result.ratio.high) == (0.0, math.inf)
    assert result.sigma.high == math.inf


@pytest.mark.parametrize(("hits", "shots"), [((1,), (1, 2)), ((3,), (2,)), ((0,), (0,))])
def test_contradicting_jobs_are_refused(hits: tuple[int, ...], shots: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match="for each job"):
        Probe(hits, shots)
