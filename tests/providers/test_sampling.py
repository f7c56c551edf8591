"""Expected values: the multinomial law, tested by Pearson's chi-squared."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import chisquare

from circuits.draws import Draws
from providers.sampling import sample

OUTCOMES = np.array([[0, 0], [1, 0], [0, 1], [1, 1]], dtype=np.uint8)


def test_shots_follow_the_weights() -> None:
    weights = np.array([1.0, 2.0, 3.0, 4.0])
    counts = sample(OUTCOMES, weights, shots=20_000, draws=Draws(b"law"))
    observed = [counts.table[key] for key in ("00", "01", "10", "11")]
    assert chisquare(observed, 20_000 * weights / 10).pvalue > 1e-4


def test_one_stream_gives_one_sample() -> None:
    weights = np.full(4, 0.25)
    first, again, other = (
        sample(OUTCOMES, weights, shots=100, draws=Draws(key)) for key in (b"a", b"a", b"b")
    )
    assert first == again != other


def test_an_outcome_without_weight_never_comes() -> None:
    weights = np.array([0.0, 1e-300, 0.0, 0.0])
    assert sample(OUTCOMES, weights, shots=50, draws=Draws(b"")).table == {"01": 50}


@pytest.mark.parametrize("weights", [[1.0], [0.0] * 4, [-1.0, 1.0, 1.0, 1.0], [float("nan")] * 4])
def test_weights_that_are_no_distribution_are_an_error(weights: list[float]) -> None:
    with pytest.raises(ValueError, match="weights >= 0"):
        sample(OUTCOMES, np.array(weights), shots=1, draws=Draws(b""))
