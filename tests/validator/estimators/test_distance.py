"""Distances and their floors against enumeration, published figures and injected laws."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import NDArray

from validator.estimators.distance import dense, squared_distance, total_variation, tvd_floor
from validator.interval import NO_SHOTS


def _porter_thomas(rng: np.random.Generator, dim: int) -> NDArray[np.float64]:
    law = rng.exponential(size=dim)
    return np.asarray(law / law.sum())


def test_the_leftmost_character_is_the_highest_bit() -> None:
    assert dense({"100": 2, "001": 5}, width=3).tolist() == [0, 5, 0, 0, 2, 0, 0, 0]


@pytest.mark.parametrize("shots", [1, 2, 7, 30])
def test_the_floor_is_the_enumerated_mean_distance(shots: int) -> None:
    law = np.array([0.15, 0.35, 0.5])
    mean = 0.0
    for p in law:
        for k in range(shots + 1):
            chance = math.comb(shots, k) * p**k * (1 - p) ** (shots - k)
            mean += chance * abs(k / shots - p) / 2
    assert tvd_floor(law, shots=shots) == pytest.approx(mean)


def test_the_floor_has_the_known_values_at_10_qubits() -> None:
    # A perfect 10-qubit device at 4096 shots: .18 for Porter-Thomas, .19 uniform, 0 mirror.
    rng = np.random.default_rng(41)
    assert tvd_floor(_porter_thomas(rng, 1024), shots=4096) == pytest.approx(0.18, abs=0.005)
    assert tvd_floor(np.full(1024, 1 / 1024), shots=4096) == pytest.approx(0.195, abs=0.005)
    assert tvd_floor(np.eye(1024)[5], shots=4096) == 0.0


def test_the_floor_is_what_an_exact_sampler_scores() -> None:
    rng = np.random.default_rng(42)
    law = _porter_thomas(rng, 256)
    raw = [total_variation(rng.multinomial(1000, law), law=law).estimate for _ in range(200)]
    assert np.mean(raw) == pytest.approx(tvd_floor(law, shots=1000), rel=0.02)


@pytest.mark.parametrize("mixed", [0.0, 0.3, 1.0])
def test_total_variation_bounds_hold_under_an_injected_law(mixed: float) -> None:
    # Both bounds are one-sided promises of 97.5 % and better: none of 300 may fail by much.
    rng = np.random.default_rng(43)
    law = _porter_thomas(rng, 64)
    true = (1 - mixed) * law + mixed / 64
    distance = float(np.abs(true - law).sum() / 2)
    bounds = [total_variation(rng.multinomial(2000, true), law=law) for _ in range(300)]
    held = sum(b.low <= distance <= b.high for b in bounds)
    assert held >= 285


def test_squared_distance_is_unbiased_and_covers(
    tolerance: Callable[[float, int], float],
) -> None:
    rng, trials = np.random.default_rng(44), 2000
    law = _porter_thomas(rng, 64)
    true = 0.7 * law + 0.3 / 64
    distance = float(((true - law) ** 2).sum())
    bounds = [squared_distance(rng.multinomial(2000, true), law=law) for _ in range(trials)]
    values = [b.estimate for b in bounds]
    assert np.mean(values) == pytest.approx(distance, abs=5 * np.std(values) / trials**0.5)
    covered = np.mean([b.low <= distance <= b.high for b in bounds])
    assert covered >= 0.95 - tolerance(0.95, trials)


def test_squared_distance_of_an_exact_sampler_is_zero_on_average() -> None:
    rng = np.random.default_rng(45)
    law = _porter_thomas(rng, 128)
    bounds = [squared_distance(rng.multinomial(500, law), law=law) for _ in range(1000)]
    values = [b.estimate for b in bounds]
    assert abs(np.mean(values)) < 5 * np.std(values) / 1000**0.5
    assert np.mean([b.low <= 0.0 <= b.high for b in bounds]) > 0.92


def test_without_shots_nothing_is_known() -> None:
    law = np.array([0.5, 0.5])
    nothing = np.array([0, 0])
    assert total_variation(nothing, law=law) == NO_SHOTS
    assert squared_distance(nothing, law=law).high == 1.5
    with pytest.raises(ValueError, match="need shots >= 1"):
        tvd_floor(law, shots=0)


@pytest.mark.parametrize("distance", [total_variation, squared_distance])
def test_counts_of_another_size_are_refused(distance: Callable[..., object]) -> None:
    with pytest.raises(ValueError, match="got 3 and 2"):
        distance(np.array([1, 2, 3]), law=np.array([0.5, 0.5]))
