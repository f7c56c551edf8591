"""Findings of the contract suite: one promise each, kept or not, and what was got instead."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Aspect(StrEnum):
    """What a finding is about."""

    PROTOCOL = "protocol"
    PROBE = "probe"


@dataclass(frozen=True, slots=True)
class Finding:
    """One promise.

    Attributes:
        aspect: The protocol itself, or a circuit's answer.
        name: Which promise.
        expected: What keeps it.
        got: What came instead, or a remark.
        ok: Whether it is kept.
    """

    aspect: Aspect
    name: str
    expected: str
    got: str
    ok: bool


@dataclass(frozen=True, slots=True)
class Report:
    """All findings on one device, in the order in which they were made.

    Example:
        >>> Report("aer", "aer", (Finding(Aspect.PROTOCOL, "quote", "a fee", "", ok=True),)).ok
        True
    """

    provider: str
    device: str
    findings: tuple[Finding, ...]

    @property
    def ok(self) -> bool:
        """True where every promise is kept."""
        return not self.failed

    @property
    def failed(self) -> tuple[Finding, ...]:
        """The promises that are not kept."""
        return tuple(finding for finding in self.findings if not finding.ok)
