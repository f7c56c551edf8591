"""MCFE under injected polarizations, and that spoiled references are never paid."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from validator.estimators.mcfe import mcfe
from validator.estimators.mirror import MirrorAnswer
from validator.interval import NO_SHOTS


def _white(
    rng: np.random.Generator,
    polarizations: Sequence[float] | NDArray[np.float64],
    *,
    width: int,
    shots: int,
) -> list[MirrorAnswer]:
    uniform = np.array([math.comb(width, k) / 2**width for k in range(width + 1)])
    answers = []
    for s in polarizations:
        law = (1 - s) * uniform
        law[0] += s
        answers.append(MirrorAnswer(tuple(int(n) for n in rng.multinomial(shots, law))))
    return answers


@pytest.mark.parametrize(
    ("truths", "spread", "circuits"),
    [((0.5, 0.7, 0.9), 0.05, 10), ((0.05, 0.07, 0.3), 0.01, 8), ((0.97, 0.975, 0.99), 0.005, 10)],
)
def test_the_interval_of_gamma_covers_the_truth(
    truths: tuple[float, float, float],
    spread: float,
    circuits: int,
    tolerance: Callable[[float, int], float],
) -> None:
    rng, trials, covered = np.random.default_rng(621), 700, 0
    gamma = truths[0] / math.sqrt(truths[1] * truths[2])
    for _ in range(trials):
        ensembles = [
            _white(rng, s + spread * rng.uniform(-1.7, 1.7, circuits), width=6, shots=400)
            for s in truths
        ]
        result = mcfe(circuit=ensembles[0], inverse=ensembles[1], ends=ensembles[2])
        covered += result.gamma is not None and result.gamma.low <= gamma <= result.gamma.high
    assert covered / trials == pytest.approx(0.95, abs=tolerance(0.95, trials))


def test_fidelity_is_gamma_in_process_units() -> None:
    rng = np.random.default_rng(622)
    m1, m2, m3 = (_white(rng, [s] * 8, width=2, shots=1000) for s in (0.5, 0.7, 0.9))
    result = mcfe(circuit=m1, inverse=m2, ends=m3)
    assert result.gamma is not None
    expected = 1 - 15 * (1 - result.gamma.estimate) / 16
    assert result.fidelity.estimate == pytest.approx(expected)


def test_spoiling_a_reference_raises_gamma_but_never_the_pay() -> None:
    rng = np.random.default_rng(623)
    m1, good, m3 = (_white(rng, [s] * 8, width=4, shots=500) for s in (0.5, 0.7, 0.9))
    spoiled = _white(rng, [0.2] * 8, width=4, shots=500)
    honest = mcfe(circuit=m1, inverse=good, ends=m3)
    for inverse, ends in ((spoiled, m3), (good, spoiled), (spoiled, spoiled), ([], [])):
        cheat = mcfe(circuit=m1, inverse=inverse, ends=ends)
        assert cheat.paid == honest.paid
        if cheat.gamma is not None and honest.gamma is not None:
            assert cheat.gamma.estimate > honest.gamma.estimate


@settings(deadline=None, max_examples=60)
@given(st.lists(st.integers(0, 100), min_size=8, max_size=8), st.integers(0, 7), st.data())
def test_a_worse_circuit_never_raises_the_pay(
    hits: list[int], index: int, data: st.DataObject
) -> None:
    worse = list(hits)
    worse[index] = data.draw(st.integers(0, hits[index]))
    lows = [
        mcfe(circuit=[MirrorAnswer((h, 100 - h, 0, 0)) for h in one], inverse=[], ends=[]).paid.low
        for one in (hits, worse)
    ]
    assert lows[1] <= lows[0] + 1e-12


def test_the_paid_lower_bound_stays_below_the_circuit_itself() -> None:
    rng = np.random.default_rng(624)
    held = 0
    for _ in range(200):
        sets = [_white(rng, [s] * 8, width=4, shots=300) for s in (0.6, 0.75, 0.9)]
        result = mcfe(circuit=sets[0], inverse=sets[1], ends=sets[2])
        truth = 1 - (1 - 4.0**-4) * (1 - 0.6 / math.sqrt(0.75 * 0.9))
        held += result.paid.low <= truth
    assert held == 200


def test_an_answer_that_did_not_come_back_is_not_better_than_a_bad_one() -> None:
    good, bad = MirrorAnswer((90, 10, 0)), MirrorAnswer((0, 100, 0))
    silent = mcfe(circuit=[*([good] * 7), MirrorAnswer((0, 0, 0))], inverse=[], ends=[])
    wrong = mcfe(circuit=[*([good] * 7), bad], inverse=[], ends=[])
    assert silent.paid.low <= wrong.paid.low


def test_perfect_ensembles_are_not_error_0() -> None:
    exact = [MirrorAnswer((200, 0, 0, 0))] * 8
    result = mcfe(circuit=exact, inverse=exact, ends=exact)
    assert result.gamma is not None
    assert result.gamma.estimate == 1.0
    assert result.gamma.high - result.gamma.low > 1e-3


def test_noise_in_a_reference_leaves_gamma_undefined_and_says_which() -> None:
    rng = np.random.default_rng(625)
    good, noise = (_white(rng, [s] * 8, width=4, shots=200) for s in (0.8, 0.0))
    result = mcfe(circuit=good, inverse=good, ends=noise)
    assert result.gamma is None
    assert result.fidelity == NO_SHOTS
    assert "M3" in result.reason


def test_without_shots_nothing_is_known() -> None:
    assert mcfe(circuit=[], inverse=[], ends=[]).paid == NO_SHOTS
    empty = [MirrorAnswer((0, 0))]
    assert mcfe(circuit=empty, inverse=empty, ends=empty).paid == NO_SHOTS


def test_ensembles_of_different_width_are_refused() -> None:
    with pytest.raises(ValueError, match="one width"):
        mcfe(circuit=[MirrorAnswer((1, 0))], inverse=[MirrorAnswer((1, 0, 0))], ends=[])
