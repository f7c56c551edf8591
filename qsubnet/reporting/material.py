"""What a report is made from: one device's claim, records, verdict, and evidence as it grew.

Answers whose bits do not fit their program are left to the verdict; no figure reads them.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import TYPE_CHECKING

from circuits.case import KnownAnswer
from validator.estimators.correctness import LayerCircuit
from validator.evidence import Evidence, evidence_by_epoch
from validator.record import Record, chronological

if TYPE_CHECKING:
    from providers.base import Device
    from validator.references.reference import Reference
    from validator.verdict import Verdict

__all__ = ["Material", "answered_tests", "by_epoch", "gather", "known_circuits"]


@dataclass(frozen=True, slots=True)
class Material:
    """What every figure draws from.

    Attributes:
        device: The newest claim.
        verdict: The newest judgement.
        records: In the order of bets.
        steps: Evidence as it stood after each epoch, ascending.
        reference: Exact distributions.
        failures: Sentences on what failed, with how often, the most frequent first.
        source: Where the records come from, one sentence.
    """

    device: Device
    verdict: Verdict
    records: tuple[Record, ...]
    steps: tuple[tuple[int, Evidence], ...]
    reference: Reference
    failures: tuple[tuple[str, int], ...] = ()
    source: str = ""


def gather(
    records: Iterable[Record],
    *,
    device: Device,
    verdict: Verdict,
    reference: Reference,
    permutation_key: bytes,
    trusted: Sequence[Record] = (),
    failures: Sequence[tuple[str, int]] = (),
    source: str = "",
) -> Material:
    """Follow the evidence through the epochs once more, and put everything together.

    Args:
        records: All of one hotkey and device; any order.
        device: The newest claim.
        verdict: The judgement of these records.
        reference: Exact distributions.
        permutation_key: As for `validator.evidence.evidence`.
        trusted: Likewise.
        failures: See `Material`.
        source: See `Material`.

    Raises:
        ValueError: Records of more than one device, or none.
    """
    ordered = chronological(records)
    steps = evidence_by_epoch(
        ordered, reference=reference, permutation_key=permutation_key, trusted=trusted
    )
    return Material(
        device, verdict, tuple(ordered), tuple(steps), reference, tuple(failures), source
    )


def answered_tests(records: Iterable[Record], *families: str) -> list[Record]:
    """Pick the tests of some families that have shots of the right width; of none named, of all."""
    return [
        record
        for record in records
        if record.case is not None and record.counts is not None and record.shots_returned
        if not families or record.case.family in families
        if record.counts.num_bits == record.program.num_bits
    ]


def by_epoch(records: Iterable[Record]) -> list[tuple[int, list[Record]]]:
    """Group records by epoch, ascending."""
    ordered = sorted(records, key=lambda record: record.epoch)
    return [(epoch, list(group)) for epoch, group in groupby(ordered, lambda r: r.epoch)]


def known_circuits(records: Iterable[Record], *families: str) -> list[LayerCircuit]:
    """Give the answered tests whose answer is one bitstring, as circuits with shots."""
    return [
        LayerCircuit(record.program, record.case.answer.bits, record.counts.table)
        for record in answered_tests(records, *families)
        if record.case and record.counts and isinstance(record.case.answer, KnownAnswer)
    ]
