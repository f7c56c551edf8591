"""Blends: the supremum against another optimiser, the bets against their null."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import optimize, special

from circuits.draws import Draws
from validator.answers import AnswerKind, KnownShots, known_shots
from validator.simulators.against_blend import SLACK, Blend, best_blend, blend_evidence

Rows = NDArray[np.bool_]


def _blend(
    rng: np.random.Generator, *, shots: int, rates: NDArray[np.float64], share: float
) -> Rows:
    rows: Rows = rng.random((shots, len(rates))) < rates
    white = rng.random(shots) < share
    rows[white] = rng.random((int(white.sum()), len(rates))) < 0.5
    return rows


def _paired(rng: np.random.Generator, *, shots: int, width: int, rate: float) -> Rows:
    rows: Rows = rng.random((shots, width)) < 0.02
    for bit in range(0, width - 1, 2):
        both = rng.random(shots) < rate
        rows[:, bit] ^= both
        rows[:, bit + 1] ^= both
    return rows


def _histogram(rows: Rows) -> NDArray[np.int64]:
    return np.bincount(rows @ (1 << np.arange(rows.shape[1])), minlength=1 << rows.shape[1])


def _shots(rows: Rows, *, label: str = "x") -> KnownShots:
    width = rows.shape[1]
    counts = {format(i, f"0{width}b"): int(n) for i, n in enumerate(_histogram(rows)) if n}
    return known_shots(
        counts,
        target="0" * width,
        qubits=tuple(range(width)),
        kind=AnswerKind.MIRROR,
        label=label,
    )


@pytest.mark.parametrize("seed", range(5))
def test_no_other_optimiser_finds_a_better_blend(seed: int) -> None:
    rng = np.random.default_rng(seed)
    width = 3 + seed % 3
    rows = _paired(rng, shots=300, width=width, rate=0.1 * (seed % 2))
    white = rng.random(300) < (0.0, 0.03, 0.1, 0.4)[seed % 4]
    rows[white] = rng.random((int(white.sum()), width)) < 0.5
    seen = _histogram(rows)
    bits = np.arange(1 << width)[:, None] >> np.arange(width) & 1

    def loss(logits: NDArray[np.float64]) -> float:
        share, *rates = special.expit(logits)
        flips = np.where(bits, rates, 1 - np.array(rates)).prod(axis=1)
        return -float(seen @ np.log((1 - share) * flips + share / len(seen) + 1e-300))

    best = max(
        -float(optimize.minimize(loss, 2 * rng.normal(size=width + 1) - 1.5, method="BFGS").fun)
        for _ in range(3)
    )
    assert best_blend(seen, width=width) >= best - SLACK


def test_the_best_blend_of_pure_flips_is_their_own_rates() -> None:
    # 40 shots, independent by construction: rates 1/2 and 1/4 exactly.
    seen = np.array([15, 15, 5, 5])
    expected = 40 * math.log(0.5) + 30 * math.log(0.75) + 10 * math.log(0.25)
    assert best_blend(seen, width=2) == pytest.approx(expected, abs=1e-9)


@pytest.mark.parametrize("width", [3, 6])
@pytest.mark.parametrize("share", [0.0, 0.02, 0.1, 0.5])
def test_a_blend_earns_at_most_1_on_average(width: int, share: float) -> None:
    rng = np.random.default_rng([width, int(100 * share)])
    earned = []
    for run in range(6):
        rows = _blend(rng, shots=600, rates=rng.uniform(0.01, 0.15, size=width), share=share)
        earned.append(10 ** blend_evidence(_shots(rows), draws=Draws(b"key", run)))
    assert np.mean(earned) <= 1
    assert max(earned) < 100


def test_pairs_that_flip_together_are_no_blend() -> None:
    rng = np.random.default_rng(9)
    for run in range(3):
        rows = _paired(rng, shots=800, width=6, rate=0.06)
        assert blend_evidence(_shots(rows), draws=Draws(b"key", run)) >= 6


def test_few_shots_say_nothing() -> None:
    rows = _paired(np.random.default_rng(1), shots=499, width=4, rate=0.3)
    assert blend_evidence(_shots(rows), draws=Draws(b"key")) == 0.0


def test_the_same_answer_gives_the_same_evidence_on_every_machine() -> None:
    # Golden: whole-number sums, elementwise arithmetic, scalar logarithms.
    rows = np.array([[i % 7 == 0, i % 7 == 0, i % 5 == 1, i % 11 == 3] for i in range(600)])
    assert blend_evidence(_shots(rows), draws=Draws(b"key", "golden")) == pytest.approx(
        39.178400930, abs=1e-9
    )


def test_the_fold_bets_on_narrow_mirrors_of_many_shots_only() -> None:
    rows = _paired(np.random.default_rng(2), shots=800, width=6, rate=0.06)
    state, mirror = Blend(Draws(b"key")), _shots(rows)
    assert state.after(replace(mirror, kind=AnswerKind.READOUT)) is state
    assert state.after(_shots(rows[:, :2])) is state
    assert state.after(_shots(rows[:300])) is state
    assert state.after(mirror).log10_e >= 6


def test_a_lost_bet_costs_a_tenth() -> None:
    rows = _blend(np.random.default_rng(3), shots=800, rates=np.full(6, 0.05), share=0.1)
    lost = Blend(Draws(b"key")).after(_shots(rows)).log10_e
    assert math.log10(0.9) - 1e-8 <= lost <= 0.1
