"""Mirror estimators against closed forms and injected noise."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from validator.estimators.mirror import (
    MirrorAnswer,
    mean_hamming,
    mirror_answer,
    mirror_polarization,
    polarization,
    polarization_floor,
    polarization_variance,
    process_fidelity,
    readout_polarization,
)
from validator.interval import NO_SHOTS, Interval


def _uniform_law(width: int) -> list[float]:
    return [math.comb(width, k) / 2**width for k in range(width + 1)]


def _flip_law(rates: list[float]) -> list[float]:
    """Convolve independent flips into the law of the distance."""
    law = np.array([1.0])
    for rate in rates:
        law = np.convolve(law, [1 - rate, rate])
    return [float(p) for p in law]


def _white(rng: np.random.Generator, fidelity: float, *, width: int, shots: int) -> MirrorAnswer:
    law = (1 - fidelity) * np.array(_uniform_law(width))
    law[0] += fidelity
    return MirrorAnswer(tuple(int(n) for n in rng.multinomial(shots, law)))


def test_distances_are_taken_from_the_target_bit_by_bit() -> None:
    counts = {"100": 1, "110": 2, "011": 4}
    assert mirror_answer(counts, target="100").histogram == (1, 2, 0, 4)


def test_a_key_of_another_width_is_refused() -> None:
    with pytest.raises(ValueError, match="need keys of 2 bits"):
        mirror_answer({"011": 1}, target="01")


@pytest.mark.parametrize("width", [1, 2, 5, 10])
def test_exact_answers_have_polarization_1_and_uniform_ones_0(width: int) -> None:
    assert polarization(MirrorAnswer((7,) + (0,) * width)) == pytest.approx(1.0)
    scaled_up = tuple(math.comb(width, k) for k in range(width + 1))
    assert polarization(MirrorAnswer(scaled_up)) == pytest.approx(0.0, abs=1e-12)


def test_readout_polarization_is_what_independent_flips_leave() -> None:
    # The closed form against the polarization of the convolved distance law (large counts).
    rates = [0.01, 0.03, 0.05, 0.02]
    histogram = tuple(round(p * 10**12) for p in _flip_law(rates))
    assert readout_polarization(rates) == pytest.approx(polarization(MirrorAnswer(histogram)))


def test_the_stated_variance_and_floor_are_those_of_repeated_runs() -> None:
    rng = np.random.default_rng(31)
    values = [polarization(_white(rng, 0.4, width=5, shots=200)) for _ in range(4000)]
    big = _white(rng, 0.4, width=5, shots=1_000_000)
    stated = polarization_variance(big) * 1_000_000 / 200
    # A variance from 4000 draws has a relative error of sqrt(2/4000) = 2.2 %.
    assert np.var(values) == pytest.approx(stated, rel=0.12)
    noise = [polarization(_white(rng, 0.0, width=4, shots=100)) for _ in range(4000)]
    assert np.std(noise) == pytest.approx(polarization_floor(4, shots=100), rel=0.06)


@pytest.mark.parametrize("spread", [0.0, 0.1])
def test_the_interval_covers_an_injected_polarization(
    spread: float, tolerance: Callable[[float, int], float]
) -> None:
    rng, trials, covered = np.random.default_rng(32), 1000, 0
    for _ in range(trials):
        each = 0.6 + spread * rng.standard_normal(8)
        answers = [_white(rng, float(f), width=6, shots=500) for f in np.clip(each, 0, 1)]
        bound = mirror_polarization(answers)
        covered += bound.low <= 0.6 <= bound.high
    assert covered / trials == pytest.approx(0.95, abs=tolerance(0.95, trials))


@pytest.mark.parametrize("truth", [0.9995, 1.0])
def test_a_nearly_perfect_record_is_never_error_0(truth: float) -> None:
    rng = np.random.default_rng(33)
    for _ in range(100):
        bound = mirror_polarization([_white(rng, truth, width=8, shots=200) for _ in range(8)])
        assert bound.low < truth <= bound.high
        assert bound.high - bound.low > 1e-3


def test_one_circuit_is_bounded_by_its_own_shots() -> None:
    rng, inside = np.random.default_rng(34), 0
    for _ in range(1000):
        bound = mirror_polarization([_white(rng, 0.5, width=6, shots=300)])
        inside += bound.low <= 0.5 <= bound.high
    assert 0.90 < inside / 1000 < 0.98


@settings(deadline=None)
@given(st.lists(st.integers(0, 50), min_size=3, max_size=8), st.data())
def test_losing_hits_never_raises_polarization(histogram: list[int], data: st.DataObject) -> None:
    histogram[0] += 5
    distance = data.draw(st.integers(1, len(histogram) - 1))
    worse = list(histogram)
    worse[0], worse[distance] = worse[0] - 5, worse[distance] + 5
    before, after = MirrorAnswer(tuple(histogram)), MirrorAnswer(tuple(worse))
    assert polarization(after) < polarization(before)
    assert mean_hamming([after]).estimate > mean_hamming([before]).estimate


def test_mean_hamming_covers_an_injected_error_rate(
    tolerance: Callable[[float, int], float],
) -> None:
    rng, trials, covered = np.random.default_rng(35), 600, 0
    law = _flip_law([0.1] * 40)
    for _ in range(trials):
        draws = [rng.multinomial(100, law) for _ in range(8)]
        bound = mean_hamming([MirrorAnswer(tuple(int(n) for n in d)) for d in draws])
        covered += bound.low <= 0.1 <= bound.high
    assert covered / trials == pytest.approx(0.95, abs=tolerance(0.95, trials))


def test_wide_mirrors_do_not_overflow() -> None:
    answer = MirrorAnswer((3,) + (0,) * 1500)
    assert polarization(answer) == 1.0
    assert polarization_variance(answer) == 0.0


def test_process_fidelity_of_no_polarization_is_that_of_the_depolarised_state() -> None:
    assert process_fidelity(Interval(0.0, 0.0, 1.0), width=2).estimate == pytest.approx(1 / 16)


def test_without_shots_nothing_is_known() -> None:
    for estimate in (mirror_polarization, mean_hamming):
        assert estimate([]) == NO_SHOTS
        assert estimate([MirrorAnswer((0, 0))]) == NO_SHOTS


def test_a_histogram_of_no_qubits_is_refused() -> None:
    with pytest.raises(ValueError, match=r"n \+ 1 >= 2"):
        MirrorAnswer((3,))
