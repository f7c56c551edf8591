"""Collisions under known laws: unbiased, with the stated spread; honest noise and spoofers."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import NDArray

from validator.estimators.collision import (
    ALLOWANCE,
    cross_collision,
    cross_collision_sd,
    honest_ceiling,
    self_collision,
    self_collision_sd,
    shared_shots,
    unmasked,
    white_noise_collision,
)

Law = NDArray[np.float64]


def _porter_thomas(rng: np.random.Generator, dim: int) -> Law:
    law = rng.exponential(size=dim)
    return np.asarray(law / law.sum())


def _sampler(rng: np.random.Generator, law: Law) -> Callable[[int], dict[str, int]]:
    edges, width = np.cumsum(law) / law.sum(), len(law).bit_length() - 1

    def sample(shots: int) -> dict[str, int]:
        index, counts = np.unique(np.searchsorted(edges, rng.random(shots)), return_counts=True)
        names = (format(i, f"0{width}b") for i in index.tolist())
        return dict(zip(names, counts.tolist(), strict=True))

    return sample


@pytest.mark.parametrize(
    ("width", "shots", "fidelity"), [(7, 1500, 0.9), (10, 1000, 0.5), (14, 800, 0.7)]
)
def test_self_and_cross_collisions_cover_white_noise(
    width: int, shots: int, fidelity: float, tolerance: Callable[[float, int], float]
) -> None:
    rng, trials, covered = np.random.default_rng(701), 500, np.zeros(2)
    law = _porter_thomas(rng, 2**width)
    excess = len(law) * float(law @ law) - 1
    one = _sampler(rng, fidelity * law + (1 - fidelity) / len(law))
    other = _sampler(rng, law)
    truths = [
        white_noise_collision(fidelities=(fidelity, fidelity), excess=excess),
        white_noise_collision(fidelities=(fidelity, 1.0), excess=excess),
    ]
    for _ in range(trials):
        first = one(shots)
        bounds = (
            self_collision(first, width=width),
            cross_collision(first, other(shots // 2), width=width),
        )
        covered += [b.low <= x <= b.high for b, x in zip(bounds, truths, strict=True)]
    assert covered / trials == pytest.approx(np.full(2, 0.95), abs=tolerance(0.95, trials))


def test_the_stated_spreads_are_those_of_flat_laws() -> None:
    rng, flat = np.random.default_rng(702), np.full(4096, 1 / 4096)
    sample = _sampler(rng, flat)
    own = [self_collision(sample(400), width=12).estimate for _ in range(800)]
    common = [cross_collision(sample(400), sample(200), width=12).estimate for _ in range(800)]
    # A standard deviation from 800 draws has a relative error of 2.5 %.
    assert np.std(own) == pytest.approx(self_collision_sd(12, shots=400), rel=0.15)
    assert np.std(common) == pytest.approx(cross_collision_sd(12, shots=(400, 200)), rel=0.15)
    assert abs(np.mean(own)) < 5 * np.std(own) / math.sqrt(800)
    assert abs(np.mean(common)) < 5 * np.std(common) / math.sqrt(800)


def test_twenty_qubits_resolve_full_overlap_with_ten_thousand_shots() -> None:
    assert cross_collision_sd(20, shots=(10_000, 10_000)) < 0.11


def test_few_strings_without_any_collision_keep_an_upper_bound() -> None:
    counts = {format(i, "016b"): 1 for i in range(100)}
    bounds = self_collision(counts, width=16)
    # No pair of 4950 seen: at 95 % about 3.8 pairs could have been expected.
    assert bounds.estimate == -1.0
    assert bounds.high == pytest.approx(3.84 / 4950 * 2**16 - 1, rel=0.02)


def test_a_heavy_string_spoofer_lies_above_the_honest_ceiling_at_its_own_fidelity() -> None:
    # Uniform over the heaviest e^-t, weight a: XEB a t, collisions a^2 (e^t - 1); least at 1.594.
    rng, t = np.random.default_rng(703), 1.594
    law = _porter_thomas(rng, 2**10)
    heavy = np.argsort(law)[::-1][: round(2**10 * math.exp(-t))]
    weight = 0.5 / t
    spoofed = np.full(2**10, (1 - weight) / 2**10)
    spoofed[heavy] += weight / len(heavy)
    fidelity = 2**10 * float(spoofed @ law) - 1
    assert fidelity == pytest.approx(0.5, abs=0.05)
    ratio = (2**10 * float(spoofed @ spoofed) - 1) / fidelity**2
    assert ratio == pytest.approx(1.544, rel=0.1)
    ceiling = honest_ceiling(fidelity, excess=1.0)
    assert ceiling is not None
    assert self_collision(_sampler(rng, spoofed)(20_000), width=10).low > ceiling


def test_readout_bias_is_allowed_for_exactly() -> None:
    # Independent biased bits: D sum q^2 = prod(1 + b^2); fidelity 0.4 with no overlap for V = 0.
    biases = (0.1, 0.05, 0.2)
    law = np.array([1.0])
    for b in biases:
        law = np.kron(law, [(1 + b) / 2, (1 - b) / 2])
    ceiling = honest_ceiling(0.4, excess=0.0, biases=biases)
    assert ceiling == pytest.approx(8 * float(law @ law) - 1)


def test_nobody_is_accused_of_collisions_at_low_fidelity() -> None:
    assert honest_ceiling(0.39, excess=1.0) is None
    assert honest_ceiling(0.4, excess=1.0) == pytest.approx(ALLOWANCE * 0.16)


def test_independent_answers_share_nothing(tolerance: Callable[[float, int], float]) -> None:
    rng, trials, covered = np.random.default_rng(704), 500, 0
    law = _porter_thomas(rng, 2**11)
    sample = _sampler(rng, 0.7 * law + 0.3 / 2**11)
    for _ in range(trials):
        bounds = shared_shots(sample(800), sample(500))
        covered += bounds.low <= 0.0 <= bounds.high
    assert covered / trials >= 0.95 - tolerance(0.95, trials)


@pytest.mark.parametrize("copied", [0.3, 1.0])
def test_shared_counts_are_seen_whatever_the_law(copied: float) -> None:
    rng = np.random.default_rng(705)
    sample = _sampler(rng, _porter_thomas(rng, 2**10))
    first, fresh = sample(1000), sample(1000 - round(1000 * copied))
    pool = [key for key, n in sorted(first.items()) for _ in range(n)]
    second = dict(fresh)
    for index in rng.permutation(1000)[: round(1000 * copied)]:
        second[pool[index]] = second.get(pool[index], 0) + 1
    bounds = shared_shots(first, second, confidence=0.999999)
    assert bounds.low > 0.0
    assert bounds.low <= copied <= bounds.high


def test_different_laws_do_not_look_shared() -> None:
    rng = np.random.default_rng(706)
    laws = [_porter_thomas(rng, 2**10) for _ in range(2)]
    bounds = shared_shots(_sampler(rng, laws[0])(1000), _sampler(rng, laws[1])(1000))
    assert bounds.high < 0.0


def test_a_mask_is_undone_bit_by_bit() -> None:
    assert unmasked({"0011": 4}, mask="1010") == {"1001": 4}
    with pytest.raises(ValueError, match="keys of 3 bits"):
        unmasked({"01": 1}, mask="101")


def test_without_shots_nothing_is_known() -> None:
    assert self_collision({"00": 1}, width=2).high == 3.0
    assert cross_collision({}, {"00": 1}, width=2).high == 3.0
    assert shared_shots({"0": 1}, {"0": 5}).high == 1.0
