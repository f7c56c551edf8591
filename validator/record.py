"""Record: one executed program, the unit of evidence.

A record holds what was asked and what came back, nothing that was concluded from it. Virtual
time is the epoch; no wall time enters evidence. The order of records is part of the evidence,
because every bet may only look at the past: see `chronological`.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from circuits.case import Case
from circuits.counts import Counts
from circuits.program import Program
from providers.base import Device, ResultKind


@dataclass(frozen=True, slots=True)
class Record:
    """One program that a device was asked to run.

    Attributes:
        hotkey: Of the miner.
        device: The claim as it stood when the job was sent.
        epoch: Virtual time of the job.
        job_key: 64 hex digits; programs of one job share it.
        index: Place of the program in its job.
        program: What was sent.
        shots_asked: Shots that the job asked for.
        counts: What came back, as it came; None where no answer arrived in time.
        kind: What the backend says that it returned; None without an answer.
        case: The case with its answer, for tests after the reveal; None for user jobs.
        receipt_digest: SHA-256 of the receipt that both sides signed; '' without an answer.
    """

    hotkey: str
    device: Device
    epoch: int
    job_key: str
    index: int
    program: Program
    shots_asked: int
    counts: Counts | None
    kind: ResultKind | None
    case: Case | None
    receipt_digest: str

    @property
    def shots_returned(self) -> int:
        """Shots that came back; may differ from what was asked."""
        return self.counts.shots if self.counts else 0


def chronological(records: Iterable[Record]) -> list[Record]:
    """Order records for betting: by epoch, then family, then job key and place in the job.

    Example:
        >>> chronological([])
        []
    """
    return sorted(
        records,
        key=lambda r: (r.epoch, r.case.family if r.case else "", r.job_key, r.index),
    )
