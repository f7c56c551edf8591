"""Hits in lists of known ideal share: closed forms and coverage."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pytest

from validator.estimators.heavy_list import (
    BEST_SHARE,
    HitCircuit,
    heavy_list_sd,
    hit_fidelity,
    list_hits,
    porter_thomas_mass,
)
from validator.interval import NO_SHOTS


def test_the_mass_of_the_heaviest_strings_is_that_of_an_exponential_law() -> None:
    rng = np.random.default_rng(661)
    law = np.sort(rng.exponential(size=1_000_000))[::-1]
    for share in (0.05, 0.2, 0.5):
        top = law[: int(share * len(law))].sum() / law.sum()
        assert porter_thomas_mass(share) == pytest.approx(top, rel=0.01)
    # The limit of heavy output sampling, (1 + ln 2)/2.
    assert porter_thomas_mass(0.5) == pytest.approx((1 + math.log(2)) / 2)


def test_a_fifth_of_the_strings_is_the_best_list() -> None:
    shares = [0.01 * i for i in range(1, 100)]
    assert min(shares, key=lambda f: heavy_list_sd(100, share=f)) == pytest.approx(BEST_SHARE)
    assert heavy_list_sd(1) == pytest.approx(1.24, abs=0.005)


def test_the_stated_sd_is_that_of_repeated_runs() -> None:
    rng, mass = np.random.default_rng(662), porter_thomas_mass(0.2)
    hits = rng.binomial(500, 0.2, size=5000)
    values = [hit_fidelity([HitCircuit(int(h), 500, ideal=mass, share=0.2)]).estimate for h in hits]
    assert np.std(values) == pytest.approx(heavy_list_sd(500), rel=0.05)


@pytest.mark.parametrize(
    ("fidelity", "spread", "circuits", "share"),
    [(0.5, 0.05, 10, 0.5), (0.05, 0.0, 8, 0.2), (0.9, 0.02, 20, 0.5), (0.3, 0.0, 1, 0.2)],
)
def test_the_interval_covers_an_injected_fidelity(
    fidelity: float,
    spread: float,
    circuits: int,
    share: float,
    tolerance: Callable[[float, int], float],
) -> None:
    rng, trials, covered = np.random.default_rng(663), 2000, 0
    ideal = porter_thomas_mass(share) + 0.03 * rng.uniform(-1, 1, (trials, circuits))
    each = fidelity + spread * rng.uniform(-1.7, 1.7, (trials, circuits))
    hits = rng.binomial(300, np.clip(each * ideal + (1 - each) * share, 0, 1))
    for masses, seen in zip(ideal.tolist(), hits.tolist(), strict=True):
        bounds = hit_fidelity(
            [HitCircuit(n, 300, ideal=p, share=share) for n, p in zip(seen, masses, strict=True)]
        )
        covered += bounds.low <= fidelity <= bounds.high
    assert covered / trials == pytest.approx(0.95, abs=tolerance(0.95, trials))


def test_fewer_hits_never_raise_the_estimate() -> None:
    good = [HitCircuit(60, 100, ideal=p, share=0.2) for p in (0.5, 0.55, 0.4)]
    worse = [*good[:2], HitCircuit(50, 100, ideal=0.4, share=0.2)]
    assert hit_fidelity(worse).estimate < hit_fidelity(good).estimate


def test_equal_circuits_do_not_pretend_to_be_exact() -> None:
    bounds = hit_fidelity([HitCircuit(100, 100, ideal=1.0, share=0.5)] * 10)
    assert bounds.high - bounds.low > 0.01


def test_hits_are_counted_by_string() -> None:
    circuit = list_hits({"10": 4, "01": 2}, listed={"10", "11"}, ideal=0.8, share=0.5)
    assert (circuit.hits, circuit.shots) == (4, 6)


def test_without_shots_nothing_is_known() -> None:
    assert hit_fidelity([]) == NO_SHOTS
    assert hit_fidelity([HitCircuit(0, 0, ideal=0.5, share=0.2)]) == NO_SHOTS


@pytest.mark.parametrize(("hits", "ideal"), [(3, 0.5), (1, 0.2), (1, 1.1)])
def test_a_list_that_tells_nothing_is_refused(hits: int, ideal: float) -> None:
    with pytest.raises(ValueError, match="need 0 <= hits"):
        HitCircuit(hits, 2, ideal=ideal, share=0.2)
