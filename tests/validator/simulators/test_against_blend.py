"""Blends of flips and white noise: never rejected; a device whose neighbours err together is.

Worlds are invented here. The charge for uniform strings is tested against its own inequality by
exact enumeration of how many of them pass.
"""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from circuits.draws import Draws
from validator.answers import AnswerKind, KnownShots, known_shots
from validator.simulators import against_blend
from validator.simulators.against_blend import Blend

Rows = NDArray[np.bool_]


def _shots(rows: Rows, *, label: str) -> KnownShots:
    keys, number = np.unique(rows.astype(np.uint8)[:, ::-1], axis=0, return_counts=True)
    counts = {"".join(map(str, k)): int(n) for k, n in zip(keys.tolist(), number, strict=True)}
    width = rows.shape[1]
    return known_shots(
        counts,
        target="0" * width,
        qubits=tuple(range(width)),
        kind=AnswerKind.READOUT,
        label=label,
    )


def _blend(
    rng: np.random.Generator, *, shots: int, rates: NDArray[np.float64], share: float
) -> Rows:
    rows: Rows = rng.random((shots, len(rates))) < rates
    white = rng.random(shots) < share
    rows[white] = rng.random((int(white.sum()), len(rates))) < 0.5
    return rows


def _device(rng: np.random.Generator, *, shots: int, rates: NDArray[np.float64]) -> Rows:
    """Draw errors of a chain whose neighbours err together in one shot of a thousand each."""
    rows: Rows = rng.random((shots, len(rates))) < rates
    for bit in range(len(rates) - 1):
        both = rng.random(shots) < 0.001
        rows[:, bit] ^= both
        rows[:, bit + 1] ^= both
    return rows


@pytest.mark.parametrize("share", [0.0, 0.05])
def test_a_device_with_joint_readout_errors_is_no_blend(share: float) -> None:
    rng = np.random.default_rng(1)
    rates = rng.uniform(0.01, 0.03, size=24)
    state = Blend(Draws(b"key"))
    for job in range(8):
        rows = _device(rng, shots=1500, rates=rates)
        white = rng.random(1500) < share
        rows[white] = rng.random((int(white.sum()), 24)) < 0.5
        state = state.after(_shots(rows, label=f"{job}"))
    assert state.log10_e >= 6


@pytest.mark.parametrize(("share", "rate"), [(0.0, 0.1), (0.02, 0.03), (0.1, 0.05), (0.5, 0.1)])
def test_a_blend_is_never_rejected(share: float, rate: float) -> None:
    rng = np.random.default_rng(2)
    rates = rng.uniform(0.3, 1.7, size=20) * rate
    state = Blend(Draws(b"key"))
    for job in range(12):
        rows = _blend(rng, shots=250, rates=rates, share=share)
        state = state.after(_shots(rows, label=f"{job}"))
        assert state.log10_e < 2


@pytest.mark.parametrize(("share", "width"), [(0.0, 16), (0.02, 24), (0.5, 30)])
def test_a_blend_earns_at_most_1_on_average(share: float, width: int) -> None:
    rng = np.random.default_rng(3)
    rates = rng.uniform(0.02, 0.08, size=width)
    past = Blend(Draws(b"key"))
    for job in range(3):
        past = past.after(_shots(_device(rng, shots=300, rates=rates), label=f"past {job}"))
    earned = []
    for run in range(60):
        rows = _blend(rng, shots=150, rates=rates, share=share)
        earned.append(10 ** (past.after(_shots(rows, label=f"{run}")).log10_e - past.log10_e))
    # Gains are bounded by the number of tables; their own spread bounds the mean's error.
    assert np.mean(earned) <= 1 + 4 * float(np.std(earned)) / math.sqrt(60)
    assert np.std(earned) > 0.1


@pytest.mark.parametrize("width", [14, 16, 20, 27])
@pytest.mark.parametrize("strings", [1, 5, 100, 800])
def test_uniform_strings_that_pass_are_paid_for(width: int, strings: int) -> None:
    # The worst case: one that passes earns the whole cap, with none passing E is 1. A uniform
    # string passes or is dropped (one without errors does not count), in the odds rho.
    shots = _shots(np.zeros((1000, width), dtype=bool), label="x")
    cut = against_blend._cut(width, shots=1000)
    rho = against_blend._odds_of_passing(width, cut=cut)
    chance = rho / (1 + rho)
    mean = 0.0
    for passed in range(strings + 1):
        weight = math.comb(strings, passed) * chance**passed * (1 - chance) ** (strings - passed)
        ratio = math.inf if passed else 0.0
        dropped = strings - passed
        paid = against_blend._paid(ratio, shots, cut=cut, dropped=dropped, most=499)
        mean += weight * 10**paid
    assert mean <= 1 + 1e-9


def test_the_cut_passes_hardly_any_uniform_string() -> None:
    # 1 .. 3 wrong bits of 27: 27 + 351 + 2925 of 2^27 strings.
    cut = against_blend._cut(27, shots=800)
    assert cut == 3
    assert against_blend._odds_of_passing(27, cut=3) == pytest.approx(3303 / 2**27, rel=1e-4)


def test_narrow_readout_probes_and_two_qubits_pass_through() -> None:
    rng = np.random.default_rng(4)
    state = Blend(Draws(b"key"))
    probe = _shots(_device(rng, shots=300, rates=np.full(8, 0.1)), label="x")
    pair = _shots(_device(rng, shots=300, rates=np.full(2, 0.1)), label="y")
    assert state.after(probe) is state
    assert state.after(replace(pair, kind=AnswerKind.MIRROR)) is state


def test_the_same_answers_give_the_same_evidence_on_every_machine() -> None:
    # Golden: hash-derived coins, whole-number scores, scalar logarithms.
    state = Blend(Draws(b"key", "golden"))
    for job in range(3):
        rows = np.zeros((90, 16), dtype=bool)
        for shot in range(90):
            rows[shot, [shot % 16, (shot + 1 + shot % (2 + job)) % 16]] = True
        state = state.after(_shots(rows, label=f"{job}"))
    assert state.log10_e == pytest.approx(3.443272506, abs=1e-9)
