"""The static law: exact under any static simulator, and blind to none that drifts like hardware.

Worlds are invented here, shot by shot; the null is tested by its defining mean, power against a
drift of known size (sigma .1, memory .9: the sizes of `providers.drift` with its `read_spread`).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping

import numpy as np
import pytest
from numpy.typing import NDArray

from circuits.draws import Draws
from validator.simulators.against_static import BLOCK, CHUNK, TABLES, TESTS, ProbeAnswer, StaticLaw

Rows = NDArray[np.bool_]


def _counts(rows: Rows) -> Mapping[str, int]:
    """Count rows (column i = bit i) under strings with bit 0 rightmost."""
    keys, number = np.unique(rows.astype(np.uint8)[:, ::-1], axis=0, return_counts=True)
    return {"".join(map(str, k)): int(n) for k, n in zip(keys.tolist(), number, strict=True)}


def _walk(rng: np.random.Generator, *, jobs: int, width: int, memory: float) -> NDArray[np.float64]:
    steps = rng.normal(size=(jobs, width))
    for job in range(1, jobs):
        steps[job] = memory * steps[job - 1] + math.sqrt(1 - memory**2) * steps[job]
    return steps


def _folded(
    answer: Callable[[int], Rows], *, jobs: int = BLOCK, probes: int = 1, key: str = ""
) -> StaticLaw:
    law = StaticLaw(Draws(b"key", key))
    for job in range(jobs):
        for probe in range(probes):
            counts = _counts(answer(job))
            law = law.after(ProbeAnswer(f"{job}/{probe}", f"p{probe}", counts))
    return law


def test_hardware_that_drifts_by_a_tenth_is_no_static_law() -> None:
    rng = np.random.default_rng(1)
    rates = rng.uniform(0.015, 0.045, size=20)
    factors = np.exp(0.1 * _walk(rng, jobs=BLOCK, width=20, memory=0.9))
    law = _folded(lambda job: rng.random((4000, 20)) < rates * factors[job])
    assert law.log10_e >= 6


def test_a_short_answer_in_between_costs_little() -> None:
    rng = np.random.default_rng(1)
    rates = rng.uniform(0.015, 0.045, size=20)
    factors = np.exp(0.15 * _walk(rng, jobs=BLOCK, width=20, memory=0.9))
    law = _folded(lambda job: rng.random((60 if job == 9 else 4000, 20)) < rates * factors[job])
    assert law.log10_e >= 9


def test_drift_without_memory_is_seen_when_the_block_is_full() -> None:
    def folded(jobs: int) -> StaticLaw:
        rng = np.random.default_rng(2)
        rates = rng.uniform(0.015, 0.045, size=12)
        factors = np.exp(0.4 * _walk(rng, jobs=BLOCK, width=12, memory=0.0))
        return _folded(lambda job: rng.random((1500, 12)) < rates * factors[job], jobs=jobs)

    assert folded(BLOCK - 1).log10_e == 0
    assert folded(BLOCK).log10_e > 6


def _bursting(rng: np.random.Generator, *, shots: int, rates: NDArray[np.float64]) -> Rows:
    """Draw from a static law of bursts (5 % of shots are coins) and a pair that errs together."""
    rows: Rows = rng.random((shots, len(rates))) < rates
    burst = rng.random(shots) < 0.05
    rows[burst] = rng.random((int(burst.sum()), len(rates))) < 0.5
    together = rng.random(shots) < 0.1
    rows[:, 0] ^= together
    rows[:, 1] ^= together
    return rows


def test_a_static_law_with_bursts_and_pairs_earns_at_most_1() -> None:
    rng = np.random.default_rng(3)
    rates = np.array([0.02, 0.05, 0.1])
    earned = []
    for run in range(50):
        law = _folded(lambda _: _bursting(rng, shots=250, rates=rates), key=f"{run}")
        earned.append([10**gain for gain in law.gains])
        assert law.log10_e < 2
    means, spreads = np.mean(earned, axis=0), np.std(earned, axis=0)
    # Gains are bounded by the number of tables; their own spread bounds the means' error.
    assert (means <= 1 + 4 * spreads / math.sqrt(50)).all()
    assert (spreads > 0.01).any()


def test_an_order_of_bits_that_never_change_says_nothing() -> None:
    law = _folded(lambda _: np.tile([True, False], (500, 1)), jobs=BLOCK)
    assert law.log10_e == 0.0


def test_one_test_weighs_less_than_its_tables() -> None:
    half = BLOCK // 2
    for tests in (1, 2):
        # One chunk an answer for each test.
        rows = [np.full((CHUNK * tests, 2), job >= half) for job in range(BLOCK)]
        law = _folded(rows.__getitem__)
        assert 2 * tests < max(law.gains) <= tests * math.log10(TABLES + 1)
    law = _folded(lambda job: np.full((CHUNK * TESTS, 2), job >= half))
    assert max(law.gains) == 10


def test_probes_of_any_width_and_changing_shots_stand_side_by_side() -> None:
    rng = np.random.default_rng(5)
    law = StaticLaw(Draws(b"key"))
    for job in range(BLOCK):
        for probe, width in (("a", 3), ("b", 5)):
            rows = rng.random((int(rng.integers(10, 900)), width)) < 0.1
            law = law.after(ProbeAnswer(f"{job}{probe}", probe, _counts(rows)))
            law = law.after(ProbeAnswer(f"{job}{probe} lost", probe, {}))
    assert law.log10_e < 2
    assert math.isfinite(law.log10_e)


@pytest.mark.parametrize("shots", [50, 100, 149, 150, 250])
def test_few_shots_an_answer_are_no_fault(shots: int) -> None:
    rng = np.random.default_rng(7)
    law = StaticLaw(Draws(b"key"))
    for job in range(BLOCK + 1):
        law = law.after(ProbeAnswer(f"{job}", "p", _counts(rng.random((shots, 2)) < 0.5)))
    assert law.log10_e < 2


def test_another_width_under_the_same_digest_is_refused() -> None:
    law = StaticLaw(Draws(b"key")).after(ProbeAnswer("a", "p", {"00": 100}))
    with pytest.raises(ValueError, match="need 2 bits of this probe, got 3"):
        law.after(ProbeAnswer("b", "p", {"000": 100}))


def test_the_order_of_strings_within_an_answer_does_not_matter() -> None:
    rng = np.random.default_rng(6)
    answers = [_counts(rng.random((300, 3)) < 0.2) for _ in range(BLOCK)]
    one, other = StaticLaw(Draws(b"key")), StaticLaw(Draws(b"key"))
    for job, counts in enumerate(answers):
        one = one.after(ProbeAnswer(f"{job}", "p", counts))
        turned = dict(sorted(counts.items(), reverse=True))
        other = other.after(ProbeAnswer(f"{job}", "p", turned))
    assert one.gains == other.gains
    assert any(one.gains)


def test_the_same_answers_give_the_same_evidence_on_every_machine() -> None:
    # Golden: integers, elementwise arithmetic and scalar logarithms only.
    law = StaticLaw(Draws(b"key", "golden"))
    for job in range(BLOCK):
        ones = 20 + 7 * (job % 5) + job // 2
        law = law.after(ProbeAnswer(f"{job}", "p", {"01": ones, "10": 15, "00": 600 - ones}))
    assert [round(gain, 6) for gain in law.gains] == [
        0.206227,
        0.245362,
        0.740803,
        0.706803,
        2.020292,
        1.339232,
        2.597464,
        1.771922,
    ]
