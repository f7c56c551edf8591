"""XEB estimators under an injected fidelity (Porter-Thomas circuits, white noise)."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from validator.estimators.xeb import (
    XebCircuit,
    likelihood_xeb,
    linear_variance,
    linear_xeb,
    xeb_circuit,
)
from validator.interval import NO_SHOTS

Maker = Callable[..., list[XebCircuit]]
Tolerance = Callable[[float, int], float]


def test_the_leftmost_character_is_the_highest_bit() -> None:
    law = np.array([0.1, 0.2, 0.3, 0.4])
    circuit = xeb_circuit({"10": 4, "01": 1}, ideal=law)
    assert circuit.ratios.tolist() == pytest.approx([0.8, 1.2])
    assert circuit.counts.tolist() == [1, 4]


@pytest.mark.parametrize(
    ("fidelity", "spread", "trials"), [(0.5, 0.0, 100), (0.6, 0.1, 100), (0.9, 0.02, 60)]
)
def test_intervals_cover_an_injected_fidelity(
    fidelity: float, spread: float, trials: int, porter_thomas: Maker, tolerance: Tolerance
) -> None:
    rng = np.random.default_rng(21)
    covered = np.zeros(2)
    for _ in range(trials):
        each = fidelity + spread * rng.uniform(-1.7, 1.7, size=9)
        circuits = porter_thomas(rng, fidelities=each, shots=300, width=7)
        bounds = (linear_xeb(circuits), likelihood_xeb(circuits))
        covered += [bound.low <= fidelity <= bound.high for bound in bounds]
    assert min(covered) / trials >= 0.95 - tolerance(0.95, trials)


def test_the_likelihood_bound_covers_an_exact_simulator(porter_thomas: Maker) -> None:
    rng = np.random.default_rng(22)
    for _ in range(50):
        bound = likelihood_xeb(porter_thomas(rng, fidelities=np.ones(9), shots=300, width=7))
        assert bound.high == pytest.approx(1.0, abs=0.02)
        assert bound.low > 0.8


def test_an_exact_simulator_reaches_99_percent_with_36000_shots(porter_thomas: Maker) -> None:
    # About 19 in 20 do; at 17 in 20, fewer than 9 of 16 would have a chance below 1 in 200.
    rng = np.random.default_rng(23)
    lows = [
        likelihood_xeb(porter_thomas(rng, fidelities=np.ones(12), shots=3000, width=10)).low
        for _ in range(16)
    ]
    assert sum(low >= 0.99 for low in lows) >= 9


def test_a_low_bond_imitation_stays_below_99_percent(porter_thomas: Maker) -> None:
    rng = np.random.default_rng(24)
    bound = likelihood_xeb(porter_thomas(rng, fidelities=np.full(9, 0.95), shots=3000, width=10))
    assert bound.high < 0.99


def test_likelihood_is_as_much_sharper_as_the_literature_says(porter_thomas: Maker) -> None:
    # Linear XEB is 36 % as efficient at F = .9: its spread is 1/sqrt(.36) = 1.67 times larger.
    rng = np.random.default_rng(25)
    pairs = []
    for _ in range(150):
        circuits = porter_thomas(rng, fidelities=np.full(1, 0.9), shots=2000, width=10)
        pairs.append((linear_xeb(circuits).estimate, likelihood_xeb(circuits).estimate))
    linear, sharp = np.std(np.array(pairs), axis=0)
    # The ratio of two standard deviations from 150 draws has a relative error of 8 %.
    assert linear / sharp == pytest.approx(1.67, rel=0.4)


def test_linear_xeb_has_the_stated_shot_variance(porter_thomas: Maker) -> None:
    rng = np.random.default_rng(26)
    values = [
        linear_xeb(porter_thomas(rng, fidelities=np.full(1, 0.5), shots=500, width=11)).estimate
        for _ in range(600)
    ]
    assert np.var(values) == pytest.approx(linear_variance(0.5, shots=500), rel=0.25)


def test_moving_shots_to_less_likely_strings_never_raises_the_estimates() -> None:
    law = np.array([0.4, 0.3, 0.2, 0.1])
    good = {"00": 50, "01": 30, "10": 15, "11": 5}
    before = xeb_circuit(good, ideal=law)
    for source, sink in (("00", "01"), ("00", "11"), ("01", "10"), ("10", "11")):
        worse = {**good, source: good[source] - 5, sink: good[sink] + 5}
        after = xeb_circuit(worse, ideal=law)
        assert linear_xeb([after]).estimate < linear_xeb([before]).estimate
        assert likelihood_xeb([after]).estimate <= likelihood_xeb([before]).estimate
        assert likelihood_xeb([after]).low <= likelihood_xeb([before]).low


@pytest.mark.parametrize("estimate", [linear_xeb, likelihood_xeb])
def test_without_shots_the_fidelity_is_unknown(estimate: Callable[..., object]) -> None:
    assert estimate([]) == NO_SHOTS
    assert estimate([xeb_circuit({}, ideal=np.array([0.3, 0.7]))]) == NO_SHOTS


def test_a_uniform_ideal_law_is_refused() -> None:
    with pytest.raises(ValueError, match="not uniform"):
        xeb_circuit({"0": 1}, ideal=np.array([0.5, 0.5]))


def test_a_key_of_another_width_is_refused() -> None:
    with pytest.raises(ValueError, match="need keys of 1 bits"):
        xeb_circuit({"00": 1}, ideal=np.array([0.4, 0.6]))
