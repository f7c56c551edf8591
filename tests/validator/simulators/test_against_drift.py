"""Worlds with a known truth: a machine that drifts, its honest device, and twins that make it up.

A twin here knows every static rate, the law of the drift, and what the reference answered before.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pytest
from numpy.typing import NDArray

from validator.simulators.against_drift import CAP, DriftTwin, ProbeRead

Reals = NDArray[np.float64]
Counts = NDArray[np.int64]

SHOTS = 3000


def reads(wrong: Counts, *, shots: int = SHOTS) -> list[ProbeRead]:
    every = tuple(range(len(wrong)))
    return [ProbeRead("p", every, (1,) * len(wrong), tuple(map(int, wrong)), shots)]


def walk(rng: np.random.Generator, kind: str, *, epochs: int, qubits: int) -> Reals:
    """Draw log factors on the rates, (epochs x qubits), 10 % unless the kind says more."""
    size = np.full(qubits, 0.1)
    if kind == "volatile":
        size = 0.1 * np.exp(rng.normal(0.0, 1.0, size=qubits))
    memory = 0.9 if kind in ("slow", "common", "jumps") else 0.0
    values = np.zeros((epochs, qubits))
    values[0] = rng.normal(0.0, size)
    for t in range(1, epochs):
        values[t] = memory * values[t - 1] + rng.normal(0.0, size * np.sqrt(1 - memory**2))
    if kind == "jumps":
        struck = rng.random((epochs, qubits)) < 0.05
        values += np.cumsum(np.where(struck, rng.normal(0.0, 0.6, size=struck.shape), 0.0), axis=0)
    if kind == "common":
        values = values / 2 + rng.normal(0.0, 0.2, size=(epochs, 1))
    return values


@dataclass(frozen=True)
class World:
    """What the reference and the device answered, (epochs x qubits) wrong reads each."""

    reference: Counts
    device: Counts

    def fold(self) -> DriftTwin:
        test = DriftTwin()
        for device, reference in zip(self.device, self.reference, strict=True):
            test = test.after(reads(device), reads(reference))
        return test


def world(kind: str, device: str, *, seed: int, epochs: int, qubits: int) -> World:
    rng = np.random.default_rng(seed)
    level = rng.uniform(0.02, 0.06, size=qubits)
    true = np.minimum(level * np.exp(walk(rng, kind, epochs=epochs, qubits=qubits)), 0.5)
    made_up = np.minimum(level * np.exp(walk(rng, kind, epochs=epochs, qubits=qubits)), 0.5)
    reference = rng.binomial(SHOTS, true)
    copied = np.vstack([rng.binomial(SHOTS, level), reference[:-1]])
    exact = np.tile(np.rint(SHOTS * level).astype(np.int64), (epochs, 1))
    if device == "exact":
        return World(reference, exact)
    rates = {"honest": true, "made up": made_up, "copied": copied / SHOTS}[device]
    return World(reference, rng.binomial(SHOTS, rates))


@pytest.mark.parametrize(("kind", "epochs"), [("fast", 12), ("volatile", 8), ("jumps", 14)])
def test_an_honest_device_agrees_with_its_machine(kind: str, epochs: int) -> None:
    found = world(kind, "honest", seed=1, epochs=epochs, qubits=27).fold()
    assert found.log10_e > 6.0
    assert found.epochs == epochs - 1


@pytest.mark.parametrize("kind", ["fast", "slow", "jumps", "common", "volatile"])
@pytest.mark.parametrize("device", ["made up", "exact", "copied"])
def test_a_twin_gains_nothing_on_average(kind: str, device: str) -> None:
    found = [
        10 ** world(kind, device, seed=seed, epochs=6, qubits=6).fold().log10_e
        for seed in range(12)
    ]
    # The e-value is averaged with 1, so its mean is at most 1 if the bet's is, and at least 1/2.
    assert 0.5 <= np.mean(found) <= 1.0


def test_drift_that_all_qubits_share_is_no_evidence() -> None:
    rng = np.random.default_rng(3)
    level = rng.uniform(0.02, 0.06, size=20)
    shared = level * np.exp(rng.normal(0.0, 0.3, size=(12, 1)))
    both = World(rng.binomial(SHOTS, shared), rng.binomial(SHOTS, shared))
    assert both.fold().log10_e < 0.0


def test_no_bet_is_made_on_the_first_common_epoch() -> None:
    first = reads(np.array([60, 90, 120]))
    test = DriftTwin().after(first, []).after([], first).after(first, first)
    assert (test.epochs, test.log10_e) == (0, 0.0)
    assert test.after(first, first).epochs == 1


def test_an_epoch_without_the_reference_changes_no_evidence() -> None:
    test = world("fast", "honest", seed=2, epochs=8, qubits=10).fold()
    device = reads(np.full(10, 100))
    assert test.after(device, []).log10_e == test.log10_e
    assert test.after([], device).log10_e == test.log10_e
    assert test.after([], []).epochs == test.epochs


def test_no_qubit_decides_alone() -> None:
    rng = np.random.default_rng(5)
    swings = np.tile([[30], [900]], (10, 2))
    swings[:, 1] = swings[:, 1][::-1]
    both = World(rng.binomial(SHOTS, swings / SHOTS), rng.binomial(SHOTS, swings / SHOTS))
    # Two qubits at most, of which one degree of freedom is the shared movement's.
    assert 1.0 < both.fold().log10_e <= CAP / np.log(10)


def test_one_qubit_is_nothing_to_compare() -> None:
    one = reads(np.array([60]))
    assert DriftTwin().after(one, one).after(one, one) == DriftTwin()


def test_order_of_probes_does_not_matter() -> None:
    rng = np.random.default_rng(6)

    def epoch() -> list[ProbeRead]:
        wrong = [tuple(int(n) for n in rng.binomial(800, 0.05, size=4)) for _ in range(3)]
        bits = [(0, 1, 1, 0), (1, 1, 0, 0), (1, 1, 1, 1)]
        return [ProbeRead(f"p{i}", (0, 1, 2, 3), bits[i], wrong[i], 800) for i in range(3)]

    forwards = backwards = DriftTwin()
    for device, reference in [(epoch(), epoch()) for _ in range(4)]:
        forwards = forwards.after(device, reference)
        backwards = backwards.after(device[::-1], reference[::-1])
    assert forwards == backwards


def test_a_probe_answered_twice_is_refused() -> None:
    read = reads(np.array([60, 90]))
    with pytest.raises(ValueError, match="each probe once"):
        DriftTwin().after(read + read, read)


@pytest.fixture
def golden() -> Callable[[int], tuple[Counts, Counts]]:
    """Small whole numbers by rule; the figure below was frozen with the first version."""

    def epoch(t: int) -> tuple[Counts, Counts]:
        moved = np.array([60 + 7 * ((t * q + q) % 11) for q in range(1, 9)])
        return moved, moved + np.array([(t + q) % 5 - 2 for q in range(1, 9)])

    return epoch


def test_the_same_answers_give_the_same_evidence_everywhere(
    golden: Callable[[int], tuple[Counts, Counts]],
) -> None:
    test = DriftTwin()
    for t in range(10):
        device, reference = golden(t)
        test = test.after(reads(device), reads(reference))
    assert test.log10_e == pytest.approx(11.690730302, abs=2e-9)
