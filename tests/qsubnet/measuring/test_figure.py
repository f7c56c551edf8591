"""Figures as documents and as words; means over circuits of known spread."""

from __future__ import annotations

import math

import numpy as np
import pytest

from qsubnet.cli.measure import in_words
from qsubnet.measuring.figure import Figure, mean_of
from validator.interval import Interval


def test_a_document_says_null_for_what_nothing_bounds() -> None:
    bounds = Interval(4.0, 4.0, math.inf)
    said = Figure("volume", "w", bounds, 1, 2, "trap", about={"width": 2}).document()
    assert (said["low"], said["estimate"], said["high"], said["width"]) == (4.0, 4.0, None, 2)


def test_a_mean_over_circuits_covers_the_truth() -> None:
    """Circuits differ by .05, and each is known to .05: the mean of 6 has both."""
    rng = np.random.default_rng(7)
    runs, covered = 400, 0
    for _ in range(runs):
        seen = 0.5 + rng.normal(0.0, math.hypot(0.05, 0.05), 6)
        bounds = mean_of([Interval(x - 0.098, x, x + 0.098) for x in seen.tolist()])
        covered += bounds.low <= 0.5 <= bounds.high
    # Binomial at .95: outside .915 .. .985 in one of a thousand.
    assert 0.915 <= covered / runs <= 0.985


def test_a_mean_of_nothing_is_refused() -> None:
    with pytest.raises(ValueError, match="at least one circuit"):
        mean_of([])


@pytest.mark.parametrize(
    ("bounds", "words"),
    [
        (None, "undefined"),
        (Interval(-1e-9, -1e-10, 1e-9), "0.000000 [0.000000, 0.000000]"),
        (Interval(0.4, 0.5, 0.6), "0.500 [0.400, 0.600]"),
        (Interval(0.9991, 0.9995, 0.9999), "0.99950 [0.99910, 0.99990]"),
    ],
)
def test_words_have_the_digits_that_the_interval_deserves(
    bounds: Interval | None, words: str
) -> None:
    assert in_words(bounds) == words
