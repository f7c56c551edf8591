"""The programs of a file of records: each distinct text is imported once.

Plain texts are read here, all others in a child of their own (`circuits.importing`).

A program that the profile has no word for (conditions, timing, opaque gates) is kept without a
reference: its answers still count for integrity. A text that is wrong, or that measures nothing,
is an error with the line where it stands first.
"""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING

from circuits.errors import LimitError, ProgramError
from circuits.flat_openqasm2 import parse_openqasm2
from circuits.importing import SourceFormat, import_program
from qsubnet.errors import BadInput

if TYPE_CHECKING:
    from circuits.program import Program
    from qsubnet.judging.record_lines import Line

__all__ = ["Imported", "import_programs", "registers_of"]

MOST_PROGRAMS = 5_000

_COMMENT = re.compile(r"//[^\n]*|/\*.*?\*/", re.DOTALL)
_REGISTER = re.compile(
    r"\bcreg\s+\w+\s*(?:\[\s*(?P<old>[0-9]{1,7})\s*\])?\s*;"
    r"|\bbit\s*(?:\[\s*(?P<new>[0-9]{1,7})\s*\])?\s*\w+\s*[;=]"
)
_BEYOND = "is not supported: a program has gates"
_MOST_BITS = 1_024

Watch = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Imported:
    """One program.

    Attributes:
        identity: Equal for equal programs.
        num_bits: Declared classical bits.
        registers: Bits of each classical register in the order of declaration; () if unknown.
        program: None where the profile has no word for it.
    """

    identity: str
    num_bits: int
    registers: tuple[int, ...]
    program: Program | None


Key = tuple[str, SourceFormat]


def import_programs(lines: Sequence[Line], *, watch: Watch = lambda _: None) -> dict[Key, Imported]:
    """Import the distinct programs of some records.

    Args:
        lines: The records.
        watch: Told how far it is, every hundred programs.

    Returns:
        By (text, language).

    Raises:
        BadInput: A program is wrong, too large or measures nothing; the message has its line.
    """
    first: dict[Key, int] = {}
    for line in lines:
        first.setdefault((line.source, line.language), line.number)
    if len(first) > MOST_PROGRAMS:
        raise BadInput(f"need at most {MOST_PROGRAMS} different programs, got {len(first)}")
    found: dict[Key, Imported] = {}
    pool = ThreadPoolExecutor(max_workers=min(4, os.cpu_count() or 1))
    try:
        waiting = [(key, number, pool.submit(_imported, *key)) for key, number in first.items()]
        for done, (key, number, future) in enumerate(waiting, 1):
            try:
                found[key] = future.result()
            except ProgramError as error:
                raise BadInput(f"line {number}: program: {error}") from None
            if done % 100 == 0:
                watch(f"{done} of {len(first)} programs read")
    finally:
        pool.shutdown(cancel_futures=True)
    return found


def _imported(source: str, language: SourceFormat) -> Imported:
    registers = registers_of(source)
    try:
        program = _plain(source, language) or import_program(source, format=language)
    except LimitError:
        raise
    except ProgramError as error:
        if _BEYOND not in str(error):
            raise
        return _without(source, registers)
    known = registers if sum(registers) == program.num_bits else ()
    return Imported(program.digest, program.num_bits, known, program)


def _plain(source: str, language: SourceFormat) -> Program | None:
    """Read what needs no child; a text that measures nothing is the importer's to refuse."""
    if language not in (SourceFormat.AUTO, SourceFormat.OPENQASM2):
        return None
    program = parse_openqasm2(source)
    if program is None or all(op.bit is None for op in program.operations):
        return None
    return program


def _without(source: str, registers: tuple[int, ...]) -> Imported:
    """Describe a program that nobody here can follow, by its text alone."""
    num_bits = sum(registers)
    if not 1 <= num_bits <= _MOST_BITS or "measure" not in _COMMENT.sub(" ", source):
        raise ProgramError(
            f"need 1 .. {_MOST_BITS} classical bits and a measurement, got {num_bits} bits"
        )
    return Imported(hashlib.sha256(source.encode()).hexdigest(), num_bits, registers, None)


def registers_of(source: str) -> tuple[int, ...]:
    """Read the sizes of the classical registers off a text, in the order of declaration.

    Example:
        >>> registers_of("creg a[2]; // creg no[9];")
        (2,)
        >>> registers_of("bit[3] c; bit d;")
        (3, 1)
    """
    found = _REGISTER.finditer(_COMMENT.sub(" ", source))
    return tuple(int(match["old"] or match["new"] or 1) for match in found)
