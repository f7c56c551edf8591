"""Hard families: where a circuit beyond classical reach would be plugged in, and how it falls.

Test T8. A family of circuits that a device can answer, whose answer a validator can check, and
that nobody can compute classically would prove hardware from counts alone. None is trusted today
(docs/hard-circuits.md says why), so `trusted_families` is empty and T8 gives no credit to anyone.
What a family needs to be let in, and what throws it out again without anybody's decision:

- at least `LEAST_WIDTH` qubits, and a published source;
- an expiry: trust that nobody has renewed is gone (`review_by`);
- any break on record, from the day of its publication;
- any correct answer to a challenge that no device was asked (`solved`): it counts at once.

Trust lost comes back only by a new line in the table, with a reason. The tables are code, not
plug-ins found at run time: validators that trust different families would set different weights.

Assumes nothing about hardness. Blind spot: an attack that is kept secret. Whoever owns hardware
could answer a challenge with it and retire a sound family; a label lost is the smaller harm.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import TYPE_CHECKING

from circuits.case import Case, KnownAnswer

if TYPE_CHECKING:
    from circuits.case import Family

LEAST_WIDTH = 98
"""Far above what statevectors reach (some 50 qubits on the largest machines), and above the widest
puzzles that fell within months of their publication (56 qubits)."""


class HardStatus(StrEnum):
    """Whether a family proves anything."""

    TRUSTED = "trusted"
    RETIRED = "retired"


@dataclass(frozen=True, slots=True)
class HardFamily:
    """A family that was proposed as beyond classical reach.

    Attributes:
        name: Name in evidence.
        source: Publication that proposes it.
        least_width: Fewest qubits at which its answers count; 0 where they never do.
        trusted_from: First day of trust; None where it was never trusted.
        review_by: Last day of trust unless somebody renews it; None where it was never trusted.
        family: Draws its cases; None for one that is listed only to remember its fall.

    Raises:
        ValueError: Trust without a way to draw cases, without an expiry, or below `LEAST_WIDTH`.
    """

    name: str
    source: str
    least_width: int = 0
    trusted_from: date | None = None
    review_by: date | None = None
    family: Family | None = None

    def __post_init__(self) -> None:
        if self.trusted_from is None:
            return
        if self.family is None or self.review_by is None or not self.source:
            raise ValueError(f"{self.name}: trust needs a family, a source and a day of review")
        if self.least_width < LEAST_WIDTH:
            raise ValueError(
                f"{self.name}: trust needs at least {LEAST_WIDTH} qubits, got {self.least_width}"
            )


@dataclass(frozen=True, slots=True)
class Break:
    """A classical answer to a family, or a proof that there is one.

    Attributes:
        family: Name of the family.
        on: Day on which it became public, or was handed in.
        reference: Where it can be read; for an answer handed in, the program's digest.
        cost: What it took, in words.
    """

    family: str
    on: date
    reference: str
    cost: str


@dataclass(frozen=True, slots=True)
class Standing:
    """What a family counts for on a given day.

    Attributes:
        status: Trusted or retired.
        since: First day of that status; None for a family that was never trusted nor broken.
        reason: Why it is retired, in a sentence; '' while trusted.
    """

    status: HardStatus
    since: date | None
    reason: str


HARD_FAMILIES: tuple[HardFamily, ...] = (
    HardFamily("quadratic-residue-iqp", "Shepherd and Bremner, arXiv:0809.0847"),
    HardFamily("peaked-hqap", "Gharibyan et al., arXiv:2510.25838"),
)
"""Published proposals that we know of and their fall. None is trusted."""

BREAKS: tuple[Break, ...] = (
    Break(
        "quadratic-residue-iqp",
        date(2023, 9, 11),
        "Kahanamoku-Meyer, Quantum 7, 1107 (2023), first arXiv:1912.05547",
        "the secret key itself, at hundreds of qubits",
    ),
    Break(
        "peaked-hqap",
        date(2026, 2, 14),
        "Kremer and Dupuis, arXiv:2604.21908",
        "56 qubits, 1917 two-qubit gates: 68 min on one GPU, later 12 to 22 min on laptops",
    ),
)
"""Breaks on record, public ones. Add one line when another falls."""


def standing(family: HardFamily, *, on: date, breaks: Iterable[Break] = BREAKS) -> Standing:
    """Say what a family counts for on a day.

    Args:
        family: A line of the table, or one that is proposed.
        on: The day; evidence of an earlier day keeps the standing of that day only if its answers
            were in before the break.
        breaks: The breaks on record, and those that `solved` gave.

    Example:
        >>> peaked = HARD_FAMILIES[1]
        >>> standing(peaked, on=date(2026, 3, 1)).reason[:43]
        'broken on 2026-02-14: Kremer and Dupuis, ar'
        >>> standing(peaked, on=date(2025, 12, 1)).reason
        'never trusted'
    """
    fallen = sorted((one for one in breaks if one.family == family.name), key=lambda one: one.on)
    # A line that was written after a break renews the trust: only later breaks count against it.
    first = family.trusted_from
    counted = [one for one in fallen if one.on <= on and (first is None or one.on >= first)]
    if counted:
        worst = counted[0]
        reason = f"broken on {worst.on.isoformat()}: {worst.reference} ({worst.cost})"
        return Standing(HardStatus.RETIRED, worst.on, reason)
    if first is None or on < first:
        return Standing(HardStatus.RETIRED, None, "never trusted")
    if family.review_by is not None and on > family.review_by:
        reason = f"nobody has reviewed it since {first.isoformat()}"
        return Standing(HardStatus.RETIRED, family.review_by, reason)
    return Standing(HardStatus.TRUSTED, first, "")


def trusted_families(
    on: date,
    *,
    families: Iterable[HardFamily] = HARD_FAMILIES,
    breaks: Iterable[Break] = BREAKS,
) -> tuple[HardFamily, ...]:
    """List the families whose answers count as evidence of hardware on a day, by name.

    Example:
        >>> trusted_families(date(2026, 11, 22))
        ()
    """
    known = tuple(breaks)
    counted = (
        one for one in families if standing(one, on=on, breaks=known).status is HardStatus.TRUSTED
    )
    return tuple(sorted(counted, key=lambda one: one.name))


def solved(case: Case, answer: str, *, on: date, cost: str) -> Break | None:
    """Check an answer to a challenge that was published and that no device was asked.

    Args:
        case: The challenge, with its secret answer.
        answer: Bitstring, bit 0 rightmost, that somebody hands in.
        on: The day.
        cost: What it took, as they say.

    Returns:
        The break that retires the family, or None where the answer is wrong.

    Raises:
        TypeError: The case has no single answer that a string could be checked against: the
            chance to guess it must be negligible.

    Example:
        >>> from circuits.mirror import Mirror
        >>> from circuits.topology import complete
        >>> case = Mirror().generate(b"c", width=99, depth=2, topology=complete(99, ["cx", "u"]))
        >>> solved(case, "0" * 99, on=date(2026, 11, 22), cost="a guess")
    """
    if not isinstance(case.answer, KnownAnswer):
        raise TypeError(
            f"need a case with one known string, got {type(case.answer).__name__} of {case.family}"
        )
    if answer != case.answer.bits:
        return None
    return Break(case.family, on, f"program {case.program.digest}", cost)
