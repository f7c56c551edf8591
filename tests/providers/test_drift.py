"""What the sheet does not show: bounds and moments of the walk, from its definition."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from circuits.draws import Draws
from providers.drift import DRIFT, Drift, rates_at
from providers.noise import Rates
from providers.snapshots import load

TORINO = load("torino")
READ = np.array(TORINO.errors.readout)


def at(epoch: int, *, name: str = "qpu", drift: Drift = DRIFT) -> Rates:
    return rates_at(TORINO, Draws(b"seed", name), epoch=epoch, drift=drift)


def mean_read(rates: Rates) -> NDArray[np.float64]:
    both = np.array([rates.read_0_given_1, rates.read_1_given_0], dtype=np.float64)
    return np.asarray(both.mean(axis=0), dtype=np.float64)


def test_an_epoch_is_the_same_whenever_it_is_asked_for() -> None:
    later = at(40)
    assert at(0) != later
    assert at(40) == later


def test_devices_of_one_sheet_have_histories_of_their_own() -> None:
    assert at(3) != at(3, name="other")


def test_a_one_is_misread_more_often_than_a_zero() -> None:
    rates = at(5)
    fine = READ < 0.1
    ratio = (np.array(rates.read_0_given_1) / np.array(rates.read_1_given_0))[fine]
    assert ratio.min() > 1.49
    assert ratio.max() < 9.01
    assert 2 < np.median(ratio) < 4


def test_the_device_is_not_what_its_sheet_says_but_never_far_better() -> None:
    fine = READ < 0.1
    for epoch in (0, 50):
        share = (mean_read(at(epoch)) / READ)[fine]
        assert np.all(np.abs(share - 1) > 0)
        assert share.min() > 1 / 3
        assert 1.0 < np.median(share) < 1.4


def test_no_element_is_worse_than_random() -> None:
    for epoch in (1, 2):
        rates = at(epoch)
        assert max(rates.read_0_given_1) <= 0.5
        assert max(rates.one_qubit) <= 0.75
        assert max(rates.two_qubit.values()) <= 15 / 16


def test_the_walk_has_the_stated_spread_and_memory() -> None:
    # Stationary autoregression: sd of the log = read_spread, correlation of neighbours = memory.
    still = Drift(memory=0.5, jump_chance=0.0, worse_spread=0.0, low=0.01, high=100.0)
    logs = np.array([np.log(mean_read(at(e, drift=still))[READ < 0.03]) for e in range(40)])
    walk = logs - logs.mean(axis=0)
    # 40 epochs of some 80 qubits: the time mean takes 3/40 of the variance away.
    assert walk.std() == pytest.approx(0.15, rel=0.1)
    assert np.sum(walk[1:] * walk[:-1]) / np.sum(walk[:-1] ** 2) == pytest.approx(0.5, abs=0.1)


def test_jumps_widen_the_walk() -> None:
    calm = Drift(jump_chance=0.0)
    wild = Drift(jump_chance=0.2, jump_spread=1.0)
    spread = [np.std(np.log(mean_read(at(7, drift=d))[READ < 0.1])) for d in (calm, wild)]
    assert spread[1] > spread[0]
