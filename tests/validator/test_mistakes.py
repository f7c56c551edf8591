"""Honest mistakes: named when made, and only then."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest

from validator.mistakes import (
    MISTAKE_THRESHOLD,
    KnownCounts,
    Shape,
    fitted_permutation,
    permuted,
    reordered,
    reordering_evidence,
    reversed_evidence,
    shape_of,
)


def _noisy(
    rng: np.random.Generator, *, sources: list[int], fidelity: float, jobs: int
) -> list[KnownCounts]:
    """Answer random targets with white noise and readout bias, bits then re-ordered."""
    made = []
    for _ in range(jobs):
        target = rng.integers(0, 2, size=len(sources))
        kept = rng.random(500) < fidelity
        rows = np.where(kept[:, None], target, rng.integers(0, 2, size=(500, len(sources))))
        rows &= rng.random(rows.shape) > 0.1
        counts: dict[str, int] = {}
        for row in rows[:, sources]:
            key = "".join(map(str, row[::-1]))
            counts[key] = counts.get(key, 0) + 1
        made.append(KnownCounts("".join(map(str, target[::-1])), counts))
    return made


@pytest.mark.parametrize(
    ("counts", "shape"),
    [
        ({"00": 60, "01": 40}, Shape.WHOLE),
        ({"000": 100}, Shape.WRONG_WIDTH),
        ({"00": 60}, Shape.TRUNCATED),
        ({}, Shape.TRUNCATED),
        ({"00": 60, "01": 60}, Shape.PADDED),
        ({"00": 100, "01": 0}, Shape.ONE_STRING),
    ],
)
def test_the_shape_of_an_answer_is_named(counts: dict[str, int], shape: Shape) -> None:
    assert shape_of(counts, width=2, shots_asked=100) is shape


def test_reordering_counts_bits_from_the_right() -> None:
    # Bit 0 of the result is bit 1 of the input: 0b010 read there.
    assert reordered("010", sources=[1, 0, 2]) == "001"
    assert reordered("0011", sources=[3, 2, 1, 0]) == "1100"


@pytest.mark.parametrize("fidelity", [1.0, 0.3])
def test_reversed_bits_are_named_within_a_dozen_circuits(fidelity: float) -> None:
    rng = np.random.default_rng(81)
    jobs = _noisy(rng, sources=list(range(7, -1, -1)), fidelity=fidelity, jobs=12)
    assert reversed_evidence(jobs).log10_e > MISTAKE_THRESHOLD


@pytest.mark.parametrize("fidelity", [1.0, 0.4, 0.0])
def test_the_right_order_is_never_called_reversed_or_permuted(fidelity: float) -> None:
    for seed in range(15):
        rng = np.random.default_rng([82, seed])
        jobs = _noisy(rng, sources=list(range(6)), fidelity=fidelity, jobs=10)
        assert reversed_evidence(jobs).log10_e < MISTAKE_THRESHOLD
        assert permuted(jobs)[0].log10_e < MISTAKE_THRESHOLD


def test_symmetric_answers_carry_no_weight() -> None:
    symmetric = KnownCounts("0110", {"1001": 100})
    assert reordering_evidence(symmetric, sources=[3, 2, 1, 0]) == 0.0
    assert reversed_evidence([symmetric] * 20).log10_e == 0.0


def test_a_fixed_permutation_is_found_and_undone() -> None:
    rng = np.random.default_rng(83)
    sources = [2, 0, 3, 1, 5, 4]
    jobs = _noisy(rng, sources=sources, fidelity=0.7, jobs=18)
    evidence, fitted = permuted(jobs)
    assert evidence.log10_e > MISTAKE_THRESHOLD
    assert fitted == sources


def test_the_fit_looks_at_earlier_circuits_only() -> None:
    rng = np.random.default_rng(84)
    jobs = _noisy(rng, sources=[1, 2, 0], fidelity=0.9, jobs=6)
    steps = [permuted(jobs[:k])[0] for k in range(1, 7)]
    for before, after in pairwise(steps):
        assert after.steps - before.steps in {0, 1}
    changed = [*jobs[:3], KnownCounts("111", {"111": 1})]
    assert permuted(jobs[:3])[0] == permuted(changed)[0]


def test_an_unpermuted_device_is_fitted_in_place() -> None:
    assert fitted_permutation([KnownCounts("000", {"000": 5})]) == [0, 1, 2]
