"""Which shots are struck: binomial numbers and uniform subsets, at rare and at common chances."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from providers.strikes import kinds, strikes


@pytest.mark.parametrize("chance", [0.002, 0.04, 0.3, 0.9])
def test_every_shot_is_struck_with_the_channels_chance(chance: float) -> None:
    shots, channels = 50, 4_000
    struck, which = strikes(np.full(channels, chance), shots, np.random.default_rng(1))
    table = np.zeros((channels, shots), dtype=np.int64)
    table[struck, which] += 1
    assert table.sum() == struck.size  # no pair twice
    # Numbers per channel are binomial: mean, variance; every shot is as likely as any other.
    numbers = table.sum(axis=1)
    assert stats.binomtest(int(numbers.sum()), channels * shots, chance).pvalue > 1e-6
    assert numbers.var() == pytest.approx(shots * chance * (1 - chance), rel=0.15)
    assert stats.chisquare(table.sum(axis=0)).pvalue > 1e-6


def test_two_shots_are_struck_together_as_often_as_chance_has_it() -> None:
    struck, which = strikes(np.full(100_000, 0.04), 10, np.random.default_rng(2))
    table = np.zeros((100_000, 10), dtype=bool)
    table[struck, which] = True
    assert stats.binomtest(int((table[:, 0] & table[:, 9]).sum()), 100_000, 0.04**2).pvalue > 1e-6


def test_chances_zero_and_one_are_kept() -> None:
    struck, which = strikes(np.array([1.0, 0.0, 1.0]), 3, np.random.default_rng(0))
    assert list(zip(struck.tolist(), which.tolist(), strict=True)) == [
        (channel, shot) for channel in (0, 2) for shot in range(3)
    ]


def test_no_shots_and_no_channels_give_no_strikes() -> None:
    for chances, shots in ((np.array([0.01, 0.5]), 0), (np.zeros(0), 5)):
        struck, which = strikes(chances, shots, np.random.default_rng(0))
        assert struck.size == which.size == 0


def test_kinds_follow_their_weights() -> None:
    weights = np.array([[0.5, 0.5, 0.0], [0.01, 0.0, 0.03]])
    channels = np.repeat([0, 1], 40_000)
    drawn = kinds(weights, channels, np.random.default_rng(3))
    for channel, chance in enumerate((0.5, 0.25)):
        seen = np.bincount(drawn[channels == channel], minlength=3)
        assert seen[2 - channel] == 0
        assert stats.binomtest(int(seen[0]), 40_000, chance).pvalue > 1e-6
