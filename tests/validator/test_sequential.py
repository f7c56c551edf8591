"""Betting, caps, mixtures and thresholds: exact expectations, Ville's bound, and power."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from validator.sequential import (
    ALPHA_SHARES,
    Accusation,
    StartMixture,
    accusation_threshold,
    best_stake,
    betting_wealth,
    capped,
    hedged,
    hit_wealth,
    log10_mean,
    log10_sum,
    polarization_wealth,
    rounded_down,
    run_mixture,
)


def _mean_over_hits(value: Callable[[int], float], *, shots: int, success: float) -> float:
    """Average 10^value exactly over the binomial law of the hits."""
    return math.fsum(
        math.comb(shots, k) * success**k * (1 - success) ** (shots - k) * 10 ** value(k)
        for k in range(shots + 1)
    )


@pytest.mark.parametrize("success", [0.25, 0.3, 0.6, 1.0])
def test_wealth_has_mean_at_most_1_at_and_above_the_floor(success: float) -> None:
    mean = _mean_over_hits(
        lambda k: hit_wealth(k, shots=40, floor=0.25, stake=0.7), shots=40, success=success
    )
    assert mean <= 1 + 1e-9
    if success == 0.25:
        assert mean == pytest.approx(1.0)


def test_the_best_stake_makes_the_wealth_the_likelihood_ratio() -> None:
    stake = best_stake(0.25, alternative=0.125)
    ratio = 3 * math.log10(0.125 / 0.25) + 17 * math.log10(0.875 / 0.75)
    assert hit_wealth(3, shots=20, floor=0.25, stake=stake) == pytest.approx(ratio)


def test_polarization_wealth_has_mean_1_at_its_floor() -> None:
    # Two qubits, distance law with mean of (-1/2)^d equal to the floor, shot by shot.
    law = np.array([0.5, 0.3, 0.2])
    floor = float(law @ [1.0, -0.5, 0.25])
    shots = np.eye(3, dtype=int)
    mean = sum(
        p * 10 ** polarization_wealth(tuple(int(n) for n in row), floor=floor, stake=0.9)
        for p, row in zip(law, shots, strict=True)
    )
    assert mean == pytest.approx(1.0)


@pytest.mark.parametrize("bad", [0.0, 0.1, 0.24])
def test_the_capped_value_forgives_2_percent_of_bad_circuits(bad: float) -> None:
    def value(hits: int) -> float:
        return capped(hit_wealth(hits, shots=300, floor=0.25, stake=0.7))

    honest = _mean_over_hits(value, shots=300, success=0.25)
    burst = _mean_over_hits(value, shots=300, success=bad)
    assert 0.98 * honest + 0.02 * burst <= 1.0


def test_no_circuit_weighs_more_than_the_cap() -> None:
    assert 10 ** capped(1e6) == pytest.approx(50 / 1.98)
    assert 4 * capped(1e6) < accusation_threshold(Accusation.BELOW_CLAIM, registration=1)


def test_the_mixture_is_the_weighted_sum_over_start_times() -> None:
    factors = [3.0, 0.5, 8.0, 2.0]
    weights = [0.5, 1 / 4, 1 / 12, 1 / 24]
    products = [math.prod(factors[s:]) for s in range(4)]
    direct = sum(w * p for w, p in zip(weights, products, strict=True)) + 1 - sum(weights)
    state = run_mixture([math.log10(f) for f in factors])
    assert 10**state.log10_e == pytest.approx(direct, abs=1e-7)


def test_the_mixture_of_fair_factors_stays_1_and_survives_a_zero() -> None:
    assert run_mixture([0.0] * 50).log10_e == pytest.approx(0.0, abs=1e-7)
    after = run_mixture([-math.inf, math.log10(8.0)])
    assert 10**after.log10_e == pytest.approx(8 / 4 + 1 / 4)


def test_an_honest_device_is_accused_no_more_often_than_alpha(
    tolerance: Callable[[float, int], float],
) -> None:
    # Ville: at any time, 1/20 at most reach 20. Success exactly at the floor, the worst case.
    rng, miners = np.random.default_rng(51), 600
    hits = rng.binomial(100, 0.25, size=(miners, 20))
    table = [capped(hit_wealth(k, shots=100, floor=0.25, stake=0.7)) for k in range(101)]
    reached = 0
    for row in hits:
        state, best = StartMixture(), 0.0
        for k in row:
            state = state.after(table[k])
            best = max(best, state.log10_e)
        reached += best >= math.log10(20)
    assert reached / miners <= 0.05 + tolerance(0.05, miners)


def _shots_to_accuse(rng: np.random.Generator, *, honest_before: int) -> int:
    stake = best_stake(0.25, alternative=0.125)
    threshold = accusation_threshold(Accusation.BELOW_CLAIM, registration=1)
    state = StartMixture()
    for success in [0.5] * honest_before + [0.125] * 60:
        hits = int(rng.binomial(100, success))
        state = state.after(capped(hit_wealth(hits, shots=100, floor=0.25, stake=stake)))
        if state.log10_e >= threshold:
            return 100 * (state.steps - honest_before)
    return 10**9


def test_half_the_floor_is_accused_within_600_shots() -> None:
    rng = np.random.default_rng(52)
    assert np.median([_shots_to_accuse(rng, honest_before=0) for _ in range(300)]) <= 600


def test_a_long_honest_past_does_not_protect_a_later_fake() -> None:
    rng = np.random.default_rng(53)
    assert np.median([_shots_to_accuse(rng, honest_before=300) for _ in range(20)]) <= 1300


def test_coming_back_does_not_buy_chances() -> None:
    spent = sum(
        10 ** -accusation_threshold(test, registration=j)
        for test in Accusation
        for j in range(1, 3000)
    )
    assert spent <= 1e-6
    assert spent == pytest.approx(1e-6, rel=1e-3)
    assert sum(ALPHA_SHARES.values()) == pytest.approx(1.0)


@settings(deadline=None)
@given(st.floats(-300, 300))
def test_log_wealth_is_rounded_down_by_less_than_the_grain(value: float) -> None:
    down = rounded_down(value)
    assert down <= value
    assert value - down < 1.1e-9
    assert rounded_down(down + 5e-10) == pytest.approx(down, abs=1e-9)


@settings(deadline=None)
@given(st.lists(st.floats(-50, 50), min_size=1, max_size=6))
def test_sums_of_logs_are_logs_of_sums(values: list[float]) -> None:
    assert log10_sum(values) == pytest.approx(math.log10(math.fsum(10**v for v in values)))
    assert log10_mean(values) <= max(values) + 1e-9


def test_a_hedged_bet_never_loses_more_than_it_kept_aside() -> None:
    assert 10 ** hedged(-math.inf, kept=0.1) == pytest.approx(0.1)
    assert 10 ** hedged(2.0, kept=0.1) == pytest.approx(90.1)


def test_stakes_and_outcomes_outside_their_range_are_refused() -> None:
    with pytest.raises(ValueError, match="stake"):
        betting_wealth({1.0: 1}, floor=0.5, stake=2.1)
    with pytest.raises(ValueError, match="outcomes <= 1"):
        betting_wealth({1.5: 1}, floor=0.5, stake=1.0)
    with pytest.raises(ValueError, match="hits <= shots"):
        hit_wealth(3, shots=2, floor=0.5, stake=1.0)
    with pytest.raises(ValueError, match="registration"):
        accusation_threshold(Accusation.REPLAYED, registration=0)
    with pytest.raises(ValueError, match="floor"):
        best_stake(0.0, alternative=0.0)


def test_the_same_answers_give_the_same_evidence() -> None:
    # Golden value: what every validator must agree on.
    stake = best_stake(0.3, alternative=0.15)
    factors = [capped(hit_wealth(k, shots=100, floor=0.3, stake=stake)) for k in (31, 14, 22, 9)]
    first, second = run_mixture(factors), run_mixture(list(factors))
    assert first == second
    assert f"{first.log10_e:.9f}" == "1.872985288"
