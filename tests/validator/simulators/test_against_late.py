"""A simulator fed with the machine's true rates of the epoch before, against the machine itself."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from validator.simulators.against_drift import DriftTwin, ProbeRead
from validator.simulators.against_late import LateTwin
from validator.simulators.drift_filter import Behind, Hypothesis

Counts = NDArray[np.int64]

SHOTS = 5000
QUBITS = 20


def reads(wrong: Counts) -> list[ProbeRead]:
    every = tuple(range(len(wrong)))
    return [ProbeRead("p", every, (1,) * len(wrong), tuple(map(int, wrong)), SHOTS)]


def answers(device: str, *, seed: int, epochs: int, size: float = 0.2) -> tuple[Counts, Counts]:
    """Let a machine drift with memory .9; give its and the device's wrong reads."""
    rng = np.random.default_rng(seed)
    level = rng.uniform(0.02, 0.06, size=QUBITS)
    drift = np.zeros((epochs, QUBITS))
    drift[0] = rng.normal(0.0, size, size=QUBITS)
    for t in range(1, epochs):
        drift[t] = 0.9 * drift[t - 1] + rng.normal(0.0, size * np.sqrt(0.19), size=QUBITS)
    rates = level * np.exp(drift)
    yesterday = np.vstack([level, rates[:-1]])
    reference = rng.binomial(SHOTS, rates)
    if device == "exact":
        return reference, np.rint(SHOTS * yesterday).astype(np.int64)
    shown = {"honest": rates, "late": yesterday}[device]
    return reference, rng.binomial(SHOTS, shown)


def fold(device: str, *, seed: int, epochs: int, size: float = 0.2) -> LateTwin:
    test = LateTwin()
    for theirs, ours in zip(*answers(device, seed=seed, epochs=epochs, size=size), strict=True):
        test = test.after(reads(ours), reads(theirs))
    return test


def test_the_machine_itself_is_told_from_its_yesterday() -> None:
    found = fold("honest", seed=1, epochs=16)
    assert found.log10_e > 3.0
    assert found.made_up.log10_e > found.log10_e


@pytest.mark.parametrize("device", ["late", "exact"])
def test_yesterday_s_rates_gain_nothing_on_average(device: str) -> None:
    found = [fold(device, seed=seed, epochs=8) for seed in range(8)]
    assert np.mean([10**one.log10_e for one in found]) <= 1.0


def test_yesterday_s_exact_rates_look_like_the_machine_without_this_test() -> None:
    found = fold("exact", seed=2, epochs=16, size=0.1)
    assert found.made_up.log10_e > 2.0
    assert found.log10_e < 0.0


def test_it_holds_the_evidence_against_made_up_drift_unchanged() -> None:
    alone = DriftTwin()
    for theirs, ours in zip(*answers("honest", seed=3, epochs=5), strict=True):
        alone = alone.after(reads(ours), reads(theirs))
    assert fold("honest", seed=3, epochs=5).made_up == alone


def test_an_epoch_without_the_reference_changes_no_evidence() -> None:
    test = fold("honest", seed=4, epochs=6)
    device = reads(np.full(QUBITS, 200))
    assert test.after(device, []).log10_e == test.log10_e
    assert LateTwin().after(device, []) == LateTwin()


@pytest.mark.parametrize("law", [Hypothesis(0.0, 0.03), Hypothesis(0.9, 0.02)])
def test_the_filter_gives_the_joint_density(law: Hypothesis) -> None:
    """Against the multivariate normal law: the device shows drift t-1, the machine drift t."""
    rng, epochs, noise = np.random.default_rng(7), 5, 0.02
    values = rng.normal(0.2, 0.2, size=(epochs, 2))
    state, logs = Behind.start(law), []
    for copied, true in values:
        state, before = state.after_copy(float(copied), noise)
        state, after = state.after_machine(float(true), noise)
        state = state.next_epoch(law=law)
        logs += [before, after]
    times = np.ravel([(t - 1, t) for t in range(epochs)])
    ages = np.abs(np.subtract.outer(times, times))
    spread = law.drift * np.power(law.memory, ages) + 1.0 + noise * np.eye(2 * epochs)
    flat = values.ravel()
    _, log_det = np.linalg.slogdet(spread)
    expected = -0.5 * (log_det + flat @ np.linalg.solve(spread, flat))
    assert sum(logs) == pytest.approx(float(expected))
