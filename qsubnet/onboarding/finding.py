"""A finding of `miner check`: how bad it is, exactly what is wrong, and how to mend it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Level(StrEnum):
    """How much a finding matters.

    error: with this, validators pay nothing, or users get wrong answers. warning: it costs pay, or
    may. note: worth knowing.
    """

    ERROR = "error"
    WARNING = "warning"
    NOTE = "note"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing about a device.

    Attributes:
        level: How much it matters.
        what: What was seen, with the numbers.
        fix: What to change, and where; '' for a note that asks for nothing.

    Example:
        >>> Finding(Level.ERROR, "the bits are reversed", "write key[::-1]").level.value
        'error'
    """

    level: Level
    what: str
    fix: str = ""
