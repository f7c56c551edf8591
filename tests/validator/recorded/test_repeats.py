"""Repeated programs: exact against direct sums, silent under a fixed law, loud under drift."""

from __future__ import annotations

from math import comb

import numpy as np
import pytest

from validator.recorded.repeats import Repeats, share_evidence


def test_the_average_over_the_conditional_law_is_exactly_one() -> None:
    shots, earlier_shots, total = 12, 20, 9
    whole = comb(shots + earlier_shots, total)
    mean = sum(
        comb(shots, own)
        * comb(earlier_shots, total - own)
        / whole
        * 10.0 ** share_evidence(own, shots=shots, earlier=total - own, earlier_shots=earlier_shots)
        for own in range(total + 1)
    )
    # A ratio of laws has mean 1 under the one below (Fisher's hypergeometric law, exact sums).
    assert mean == pytest.approx(1.0, abs=1e-5)


def test_nothing_open_is_no_evidence() -> None:
    assert share_evidence(0, shots=10, earlier=0, earlier_shots=10) == 0.0
    assert share_evidence(10, shots=10, earlier=10, earlier_shots=10) == 0.0


def _judged(rng: np.random.Generator, *, spread: float, jobs: int) -> Repeats:
    past = Repeats()
    for _ in range(jobs):
        rates = np.array([0.55, 0.25, 0.15, 0.05]) * np.exp(spread * rng.standard_normal(4))
        shots = rng.multinomial(4000, rates / rates.sum())
        past.add("p", {format(i, "02b"): int(n) for i, n in enumerate(shots)})
    return past


def test_a_fixed_law_gains_nothing() -> None:
    rng = np.random.default_rng(3)
    found = [10.0 ** _judged(rng, spread=0.0, jobs=4).log10_e for _ in range(40)]
    assert np.mean(found) < 1.5


def test_a_law_that_drifts_is_no_static_one() -> None:
    found = _judged(np.random.default_rng(4), spread=0.1, jobs=10)
    assert found.repeated == 9
    assert found.log10_e > 6.0


def test_programs_are_compared_with_themselves_alone() -> None:
    past = Repeats()
    past.add("p", {"0": 900, "1": 100})
    past.add("q", {"0": 100, "1": 900})
    assert (past.repeated, past.log10_e) == (0, 0.0)
