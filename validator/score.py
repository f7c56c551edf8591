"""What one miner's verified work is worth within its mechanism.

score = max(0, lower bound of quality) * capacity * grade factor, and 0 unless `verified`.

Capacity is counted in qubit-shots: the sum of width * shots returned in time over the DISTINCT
programs that were answered in the window in which all devices are tested at once. It is linear
in the work, and one device can not do the same work twice at the same time, so splitting it
over two hotkeys leaves the sum unchanged. Blind spot: work outside the window is not counted,
and the lower bound of a split record is lower, which only costs the splitter.
Source: policy (the formula above); the grade factors are the defaults S1 .5, S2 .7, S3 1.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType

from validator.interval import Interval

__all__ = ["GRADE_FACTORS", "Grade", "Work", "capacity", "score"]


class Grade(StrEnum):
    """How much of the evidence axis a verdict has reached; S0 pays nothing."""

    S0 = "S0"
    S1 = "S1"
    S2 = "S2"
    S3 = "S3"


GRADE_FACTORS: Mapping[Grade, float] = MappingProxyType(
    {Grade.S0: 0.0, Grade.S1: 0.5, Grade.S2: 0.7, Grade.S3: 1.0}
)


@dataclass(frozen=True, slots=True)
class Work:
    """One program answered in the simultaneous window.

    Attributes:
        program: Digest of the program; counted once however often it was answered.
        width: Qubits under test.
        shots_returned: Shots that came back.
        in_time: Whether the answer beat its deadline.

    Raises:
        ValueError: `width` below 1 or a negative number of shots.
    """

    program: str
    width: int
    shots_returned: int
    in_time: bool

    def __post_init__(self) -> None:
        if self.width < 1 or self.shots_returned < 0:
            raise ValueError(f"need width >= 1 and shots >= 0, got {self}")


def capacity(done: Iterable[Work]) -> int:
    """Return the qubit-shots of distinct programs returned in time.

    Of several answers to one program the smallest counts, so that order says nothing.

    Example:
        >>> capacity([Work("a", 5, 100, True), Work("a", 5, 100, True), Work("b", 5, 9, False)])
        500
    """
    best: dict[str, int] = {}
    for work in done:
        if work.in_time:
            size = work.width * work.shots_returned
            best[work.program] = min(size, best.get(work.program, size))
    return sum(best.values())


def score(quality: Interval, *, qubit_shots: int, grade: Grade, verified: bool) -> float:
    """Return one miner's score, in verified qubit-shots; never negative.

    Args:
        quality: Fidelity-like, the LOWER bound counts; above 1 it counts as 1.
        qubit_shots: From `capacity`.
        grade: Of the verdict.
        verified: Whether the verdict is `verified`; every other verdict scores 0.

    Raises:
        ValueError: A negative capacity.

    Example:
        >>> score(Interval(0.8, 0.9, 1.0), qubit_shots=1000, grade=Grade.S1, verified=True)
        400.0
    """
    if qubit_shots < 0:
        raise ValueError(f"need qubit_shots >= 0, got {qubit_shots}")
    if not verified:
        return 0.0
    return min(1.0, max(0.0, quality.low)) * qubit_shots * GRADE_FACTORS[grade]
