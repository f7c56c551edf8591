"""Binary RB under an injected decay, and that spoiled short circuits are never paid."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from validator.estimators.binary_rb import BinaryRun, binary_rb, paid_rate
from validator.interval import NO_SHOTS


def _runs(
    rng: np.random.Generator,
    *,
    rate: float,
    amplitude: float,
    lengths: tuple[int, ...],
    circuits: int,
    shots: int,
    spread: float = 0.0,
) -> list[BinaryRun]:
    runs = []
    for m in lengths:
        mean = amplitude * rate**m
        # Circuits differ, and more where there is room on both sides.
        each = mean + spread * mean * (1 - mean) * rng.uniform(-1.7, 1.7, circuits)
        runs += [BinaryRun(m, int(n), shots) for n in rng.binomial(shots, (1 + each) / 2)]
    return runs


@pytest.mark.parametrize(
    ("circuits", "shots", "spread"), [(40, 1, 0.0), (10, 100, 0.1), (10, 1000, 0.2)]
)
def test_the_interval_covers_an_injected_layer_error(
    circuits: int, shots: int, spread: float, tolerance: Callable[[float, int], float]
) -> None:
    rng, trials, rate = np.random.default_rng(641), 250, 0.97
    covered, defined = 0, 0
    truth = (4**5 - 1) / 4**5 * (1 - rate)
    for _ in range(trials):
        runs = _runs(
            rng,
            rate=rate,
            amplitude=0.9,
            lengths=(1, 4, 16, 48),
            circuits=circuits,
            shots=shots,
            spread=spread,
        )
        result = binary_rb(runs, width=5)
        defined += result.decay is not None
        covered += result.decay is not None and (
            result.infidelity.low <= truth <= result.infidelity.high
        )
    assert defined > 0.95 * trials
    assert covered / defined == pytest.approx(0.95, abs=tolerance(0.95, defined))


def test_the_layer_error_is_that_of_a_depolarizing_channel() -> None:
    # Entanglement fidelity F: a random non-identity Pauli survives with (4^n F - 1)/(4^n - 1).
    fidelity, width = 0.9, 2
    rate = (4**width * fidelity - 1) / (4**width - 1)
    shots = 10**9
    runs = [BinaryRun(m, round(shots * (1 + rate**m) / 2), shots) for m in (1, 2, 4) * 4]
    assert binary_rb(runs, width=width).infidelity.estimate == pytest.approx(0.1, abs=1e-6)


def test_spoiling_short_circuits_raises_the_rate_but_never_the_pay() -> None:
    rng = np.random.default_rng(642)
    runs = _runs(rng, rate=0.97, amplitude=0.95, lengths=(1, 8, 24), circuits=20, shots=200)
    spoiled = [
        BinaryRun(run.length, round(0.6 * run.plus + 0.2 * run.shots), run.shots)
        if run.length == 1
        else run
        for run in runs
    ]
    honest, cheat = binary_rb(runs, width=3), binary_rb(spoiled, width=3)
    assert honest.decay is not None
    assert cheat.decay is not None
    assert cheat.decay.estimate > honest.decay.estimate + 0.005
    assert cheat.paid.low < honest.paid.low


@settings(deadline=None, max_examples=60)
@given(
    st.lists(st.tuples(st.sampled_from([1, 4, 16]), st.integers(0, 50)), min_size=4, max_size=12),
    st.data(),
)
def test_no_worse_or_silent_circuit_of_any_length_raises_the_pay(
    drawn: list[tuple[int, int]], data: st.DataObject
) -> None:
    runs = [BinaryRun(m, plus, 50) for m, plus in drawn]
    index = data.draw(st.integers(0, len(runs) - 1))
    run = runs[index]
    worse = BinaryRun(run.length, data.draw(st.integers(0, run.plus)), 50)
    for other in (worse, BinaryRun(run.length, 0, 0)):
        changed = [*runs[:index], other, *runs[index + 1 :]]
        assert paid_rate(changed).low <= paid_rate(runs).low + 1e-12


def test_the_paid_rate_stays_below_the_truth_if_the_amplitude_is_not_overstated(
    tolerance: Callable[[float, int], float],
) -> None:
    rng, trials, held = np.random.default_rng(643), 400, 0
    for _ in range(trials):
        runs = _runs(rng, rate=0.96, amplitude=0.9, lengths=(4, 16), circuits=20, shots=100)
        held += paid_rate(runs, amplitude=0.9).low <= 0.96
    assert held / trials >= 0.975 - tolerance(0.975, trials)


def test_perfect_signs_are_not_error_0() -> None:
    runs = [BinaryRun(m, 1, 1) for m in (1, 4, 16) for _ in range(50)]
    result = binary_rb(runs, width=4)
    assert result.decay is not None
    assert result.infidelity.estimate == pytest.approx(0.0, abs=1e-9)
    assert result.infidelity.high > 1e-4
    assert result.paid.low < 1.0 - 1e-4


def test_noise_is_undefined_and_says_so() -> None:
    rng = np.random.default_rng(644)
    runs = _runs(rng, rate=0.5, amplitude=0.0, lengths=(1, 4), circuits=20, shots=10)
    result = binary_rb(runs, width=2)
    assert result.decay is None
    assert result.infidelity == NO_SHOTS
    assert "noise" in result.reason
    assert result.paid.low < 0.4


def test_without_shots_or_lengths_nothing_is_known() -> None:
    empty = binary_rb([BinaryRun(4, 0, 0)], width=2)
    assert (empty.infidelity, empty.paid) == (NO_SHOTS, NO_SHOTS)
    assert "2 lengths" in binary_rb([BinaryRun(4, 9, 10)] * 5, width=2).reason


def test_contradictions_are_refused() -> None:
    with pytest.raises(ValueError, match="plus <= shots"):
        BinaryRun(1, 3, 2)
    with pytest.raises(ValueError, match="width >= 1"):
        binary_rb([], width=0)
    with pytest.raises(ValueError, match="amplitude"):
        paid_rate([BinaryRun(1, 1, 2)] * 3, amplitude=1.5)
    assert math.isclose(BinaryRun(1, 0, 0).value, -1.0)
