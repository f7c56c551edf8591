"""End to end without a network: every kind of device gets the verdict of docs/verdicts.md.

Devices answer the plan's own tests; stand-ins, cheats and simulators are those of `providers`.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

import numpy as np
import pytest

from circuits.counts import Counts
from circuits.draws import Draws
from providers.base import Context
from providers.cheats import CHEATS
from providers.snapshots import load
from providers.standin import StandIn
from validator.evidence import evidence
from validator.mistakes import MISTAKE_THRESHOLD, KnownCounts, permuted, reordered
from validator.plan import Assignment, draw
from validator.record import Record
from validator.references.reference import Reference
from validator.score import Grade
from validator.sequential import Accusation
from validator.verdict import Outcome, Verdict, judge

Tested = Callable[..., list[Record]]

HANOI = {"machine": "hanoi"}

FRAUD, MISCONFIGURED, UNVERIFIED = Outcome.FRAUD, Outcome.MISCONFIGURED, Outcome.UNVERIFIED
BELOW = "succeed less often"

EXPECTED = {
    "uniform": ({FRAUD}, BELOW),
    "zeros": ({FRAUD}, BELOW),
    "replay": ({FRAUD}, "same counts came back"),
    "noiseless": ({FRAUD}, "reads out better"),
    "white_noise": ({UNVERIFIED}, "white_noise"),
    "independent_flips": ({UNVERIFIED}, "independent_flips"),
    "average_twin": ({UNVERIFIED}, "average_twin"),
    "clifford_only": ({UNVERIFIED, FRAUD}, ""),
    "smaller_device": ({UNVERIFIED, FRAUD}, ""),
    "heavy_strings": ({UNVERIFIED}, "average_twin"),
    "selective": ({UNVERIFIED, FRAUD}, ""),
    "mirror_solver": ({FRAUD}, BELOW),
    "rounded": ({FRAUD}, "same counts came back"),
    "scaled": ({FRAUD}, "share a divisor"),
    "reversed": ({MISCONFIGURED}, "bit order is reversed"),
    "permuted": ({MISCONFIGURED}, "one wrong fixed order"),
    "swapped_registers": ({MISCONFIGURED}, "one wrong fixed order"),
    "truncated": ({MISCONFIGURED}, "too few shots"),
    "wrong_width": ({MISCONFIGURED}, "wrong width"),
}
"""Verdicts after three epochs; an empty sentence where chance decides which test comes first."""

ELSEWHERE = {
    "low_bond_mps",
    "clifford_simulator",
    "calibrated_twin",
    "drifting_twin",
    "substituted",
    "post_selected",
    "honest_then_fake",
    "one_device",
    "colluders",
    "slow_flaky",
    "half_broken",
}
"""Simulators, honest devices, and lies that three epochs of one device cannot show: the detection
benchmark measures them."""


def _judged(records: Sequence[Record], reference: Reference) -> Verdict:
    found = evidence(records, reference=reference, permutation_key=b"key")
    return judge(found, records[-1].device)


def _answering(record: Record, table: Mapping[str, int]) -> Record:
    width = len(next(iter(table)))
    return replace(record, counts=Counts(width, table))


def _table(record: Record) -> dict[str, int]:
    assert record.counts is not None
    return dict(record.counts.table)


def _guessing(record: Record, *, seed: str) -> Record:
    """Replace an answer by fair coins."""
    width = record.program.num_bits
    return _answering(record, _coins(width, shots=record.shots_asked, seed=seed, record=record))


def _coins(width: int, *, shots: int, seed: str, record: Record) -> Mapping[str, int]:
    bits = Draws(seed.encode(), record.job_key, record.index).bits(shots * width)
    return Counts.from_rows(np.array(bits, dtype=np.uint8).reshape(shots, width)).table


@pytest.mark.parametrize("seed", [b"one", b"two"])
def test_an_honest_stand_in_is_verified_in_three_epochs(
    seed: bytes, tested: Tested, reference: Reference
) -> None:
    verdict = _judged(tested("standin", HANOI, seed=seed), reference)
    assert (verdict.outcome, verdict.grade) == (Outcome.VERIFIED, Grade.S1)
    assert "every cheap simulator is ruled out" in verdict.reason
    assert "mean over circuits of 4, 6, 8 qubits" in verdict.reason
    assert verdict.score > 0


def test_a_wide_stand_in_is_verified_in_three_epochs(tested: Tested, reference: Reference) -> None:
    verdict = _judged(tested("standin", {"machine": "torino"}), reference)
    assert (verdict.outcome, verdict.grade) == (Outcome.VERIFIED, Grade.S1)


def test_every_cheat_has_an_expected_verdict() -> None:
    assert set(EXPECTED) | ELSEWHERE == set(CHEATS)
    assert not set(EXPECTED) & ELSEWHERE


@pytest.mark.parametrize("kind", sorted(EXPECTED))
def test_a_cheat_gets_its_verdict_and_nothing_else(
    kind: str, tested: Tested, reference: Reference
) -> None:
    records = tested("cheats", {"kind": kind, **HANOI}, seed=b"one")
    verdict = _judged(records, reference)
    outcomes, sentence = EXPECTED[kind]
    assert verdict.outcome in outcomes, verdict.reason
    assert sentence in verdict.reason
    assert (verdict.score, verdict.grade) == (0.0, Grade.S0)


def test_an_exact_simulator_is_verified(tested: Tested, reference: Reference) -> None:
    verdict = _judged(tested("aer", {"num_qubits": 8}), reference)
    assert (verdict.outcome, verdict.grade) == (Outcome.VERIFIED, Grade.S1), verdict.reason
    assert "exact at its claimed 8 qubits" in verdict.reason


def test_an_inexact_simulator_is_not_verified(tested: Tested, reference: Reference) -> None:
    records = tested("aer", {"num_qubits": 8})
    lossy = []
    for record in records:
        # A tenth of the shots are noise: a fidelity of .9 by construction.
        table = Counter({key: n - n // 10 for key, n in _table(record).items()})
        table.update(
            _coins(8, shots=record.shots_asked - table.total(), seed="lossy", record=record)
        )
        lossy.append(_answering(record, dict(table)))
    verdict = _judged(lossy, reference)
    assert verdict.outcome is Outcome.UNVERIFIED
    assert "not shown to be exact" in verdict.reason


def test_honest_first_and_fake_later_is_accused(tested: Tested, reference: Reference) -> None:
    honest = tested("standin", HANOI, seed=b"one")
    later = [replace(_guessing(r, seed="x"), epoch=r.epoch + 2) for r in honest if r.epoch < 3]
    later = [replace(r, job_key=hashlib.sha256(r.job_key.encode()).hexdigest()) for r in later]
    first = [r for r in honest if r.epoch < 3]
    assert _judged(first, reference).outcome is Outcome.VERIFIED
    verdict = _judged([*first, *later], reference)
    assert verdict.outcome is Outcome.FRAUD
    assert "succeed less often" in verdict.reason


@pytest.mark.parametrize("width", [4, 6, 8])
def test_a_lone_burst_accuses_nobody(width: int, tested: Tested, reference: Reference) -> None:
    # All circuits of one job, in the middle of the record, come back as coins.
    burst = [
        _guessing(r, seed="b")
        if r.epoch == 2 and r.case and (r.case.family, r.case.width) == ("mirror", width)
        else r
        for r in tested("standin", HANOI, seed=b"one")
    ]
    assert _judged(burst, reference).outcome is Outcome.VERIFIED


def test_a_device_that_answers_nothing_is_unverified(tested: Tested, reference: Reference) -> None:
    silent = [replace(r, counts=None, kind=None) for r in tested("standin", HANOI, seed=b"one")]
    verdict = _judged(silent, reference)
    assert verdict.outcome is Outcome.UNVERIFIED
    assert verdict.reason == "none of 57 test programs was answered in time"


def _lexicographic(record: Record) -> Record:
    """Sort bits as text, c[10] before c[2], as a careless adapter does."""
    width = record.program.num_bits
    sources = sorted(range(width), key=str)
    moved: Counter[str] = Counter()
    for key, shots in _table(record).items():
        moved[reordered(key, sources=sources)] += shots
    return _answering(record, dict(moved))


def _rotated(record: Record) -> Record:
    return _answering(record, {key[1:] + key[:1]: n for key, n in _table(record).items()})


def _reversed(record: Record) -> Record:
    return _answering(record, {key[::-1]: n for key, n in _table(record).items()})


def _padded(record: Record) -> Record:
    table = _table(record)
    key = max(table, key=lambda k: table[k])
    return _answering(record, table | {key: table[key] + 1})


def _short(record: Record) -> Record:
    table = _table(record)
    key = max(table, key=lambda k: table[k])
    return _answering(record, table | {key: table[key] - 1})


def _wide(record: Record) -> Record:
    return _answering(record, {"0" + key: n for key, n in _table(record).items()})


@pytest.mark.parametrize(
    ("mistake", "sentence"),
    [
        (_wide, "19 of 19 answers have bitstrings of a wrong width"),
        (_short, "19 of 19 answers hold too few shots"),
        (_padded, "19 of 19 answers hold more shots than were asked for"),
        (_reversed, "the bit order is reversed"),
        (_lexicographic, "one wrong fixed order"),
        (_rotated, "one wrong fixed order"),
    ],
)
def test_an_honest_mistake_is_named(
    mistake: Callable[[Record], Record], sentence: str, tested: Tested, reference: Reference
) -> None:
    records = [mistake(record) for record in tested("standin", HANOI, seed=b"one")]
    verdict = _judged(records, reference)
    assert verdict.outcome is Outcome.MISCONFIGURED, verdict.reason
    assert sentence in verdict.reason
    assert verdict.score == 0.0


@pytest.mark.parametrize("mistake", [_wide, _padded, _short])
def test_a_mended_shape_is_forgiven(
    mistake: Callable[[Record], Record], tested: Tested, reference: Reference
) -> None:
    honest = tested("standin", HANOI, seed=b"one")
    records = [mistake(record) if record.epoch == 1 else record for record in honest]
    assert _judged(records, reference).outcome is Outcome.VERIFIED


def test_mended_reversed_bits_never_turn_into_an_accusation(
    tested: Tested, reference: Reference
) -> None:
    honest = tested("standin", HANOI, seed=b"one")
    records = [_reversed(record) if record.epoch < 3 else record for record in honest]
    found = evidence(records, reference=reference, permutation_key=b"key")
    assert found.accusations[Accusation.BELOW_CLAIM] == 0.0


def test_any_order_of_records_gives_the_same_verdict(tested: Tested, reference: Reference) -> None:
    records = tested("standin", HANOI, seed=b"one")
    first = repr(_judged(records, reference))
    shuffled = [records[place] for place in Draws(b"any order").permutation(len(records))]
    found = evidence(shuffled, reference=reference, permutation_key=b"key")
    assert repr(judge(found, records[-1].device)) == first


def _probed(seed: int, *, epochs: int) -> list[KnownCounts]:
    """Answer the fixed probes of several epochs."""
    now = [0]
    machine = StandIn(load("hanoi"), "hanoi", Context(f"{seed}".encode(), lambda: now[0]))
    cases = draw(
        Assignment("readout", 27, 0, 3, 1000, fixed=True),
        machine.device,
        secret=f"secret {seed}".encode(),
        block_hash="",
        hotkey="hk",
    )
    jobs = []
    for epoch in range(epochs):
        now[0] = epoch
        for one in cases:
            draws = Draws(one.key, "answer", epoch)
            rows = machine.run(one.case.program, shots=300, draws=draws)
            assert hasattr(one.case.answer, "bits")
            jobs.append(KnownCounts(one.case.answer.bits, dict(Counts.from_rows(rows).table)))
    return jobs


def test_honest_probes_are_never_called_permuted() -> None:
    # Three fixed probes tell at most 8 classes of qubits apart; that must accuse nobody.
    for seed in range(6):
        assert permuted(_probed(seed, epochs=4))[0].log10_e < MISTAKE_THRESHOLD


def test_a_pair_of_stuck_qubits_is_not_called_permuted() -> None:
    for seed in range(4):
        jobs = _probed(seed, epochs=4)
        low, high = _opposite(jobs)
        stuck = []
        for job in jobs:
            table: Counter[str] = Counter()
            for key, shots in job.counts.items():
                bits = list(key)
                bits[low], bits[high] = "1", "0"
                table["".join(bits)] += shots
            stuck.append(KnownCounts(job.target, table))
        assert permuted(stuck)[0].log10_e < MISTAKE_THRESHOLD


def _opposite(jobs: Sequence[KnownCounts]) -> tuple[int, int]:
    """Find the character that is 0 most often and the one that is 1 most often."""
    ones = [sum(job.target[i] == "1" for job in jobs) for i in range(len(jobs[0].target))]
    return ones.index(min(ones)), ones.index(max(ones))
