"""Errors of `circuits`, named by what the caller should do.

CircuitError            base; the message says what was got and what is allowed
├── ProgramError        the text or circuit is wrong: mend it, a retry does not help
│   └── LimitError      the text is well formed but larger than allowed: ask for less
└── FamilyError         this family cannot be drawn at that width, depth or topology: ask another
"""

from __future__ import annotations


class CircuitError(ValueError):
    """A circuit, its text or its counts are not what they must be."""


class ProgramError(CircuitError):
    """A program text or circuit is wrong.

    Args:
        message: What was got and what is allowed.
        line: 1-based line of the text, or None where the source has no lines.

    Example:
        >>> str(ProgramError("unknown gate 'foo'", line=4))
        "line 4: unknown gate 'foo'"
    """

    def __init__(self, message: str, *, line: int | None = None) -> None:
        super().__init__(message if line is None else f"line {line}: {message}")
        self.line = line


class LimitError(ProgramError):
    """A program is larger than the limits allow."""


class FamilyError(CircuitError):
    """A family cannot draw a case of that width or depth on that topology."""
