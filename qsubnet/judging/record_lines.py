"""The lines of a file of recorded executions: bytes -> fields, each checked and bounded.

One JSON object a line, plain or gzip (told by its first bytes):

    {"program": {"format": "openqasm2", "source": "..."}, "counts": {"00": 510, "11": 490},
     "shots": 1000, "device": {...} or "name", "result_kind": "counts", "at": "2026-01-05T13:18"}

`program` may be a text whose header tells the language; `device`, `result_kind` and `at` may be
missing. Other words are passed over and named once. Nothing is simulated or imported here.

Blind spot: the fields of the whole file are held in memory.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from circuits.importing import SourceFormat
from providers.base import ResultKind
from providers.errors import Rejected
from providers.sheet import device_from_sheet
from qsubnet.errors import BadInput
from qsubnet.judging.json_lines import WrongLine, json_object, raw_lines

if TYPE_CHECKING:
    from providers.base import Device

__all__ = ["MOST_RECORDS", "UNNAMED", "Line", "read_lines"]

MOST_RECORDS = 100_000
MOST_SHOTS = 10**8

UNNAMED = "unnamed"
"""The name of the one device of all records that name none."""

_WORDS = ("program", "counts", "shots", "device", "result_kind", "at")
_SHOWN = 60

Watch = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Line:
    """One record as it was written.

    Attributes:
        number: 1-based line of the file.
        place: 0-based number of the record.
        source: The program's text.
        language: Of the text.
        counts: Keys as written, values checked for `kind`.
        shots: 1 .. 10^8.
        device: The name of the device.
        sheet: Its claim, where the record has one.
        kind: What the backend returned; `counts` unless told.
        at: Seconds since 1970, or the number given; None where the record tells no time.
        is_date: Whether `at` was written as a time.
    """

    number: int
    place: int
    source: str
    language: SourceFormat
    counts: Mapping[str, float]
    shots: int
    device: str
    sheet: Device | None
    kind: ResultKind
    at: float | None
    is_date: bool


def read_lines(path: Path, *, watch: Watch = lambda _: None) -> list[Line]:
    """Read all records of a file.

    Args:
        path: Plain JSON lines, or gzip of them.
        watch: Told which words nobody reads.

    Raises:
        BadInput: There is no such file, or a line is wrong or too long; the message has its
            number.
    """
    lines: list[Line] = []
    unknown: set[str] = set()
    for number, data in raw_lines(path):
        if len(lines) >= MOST_RECORDS:
            raise BadInput(f"{path}: more than {MOST_RECORDS} records")
        try:
            content = json_object(data)
            unknown |= set(content) - set(_WORDS)
            lines.append(_line(content, number=number, place=len(lines)))
        except (WrongLine, Rejected) as error:
            raise BadInput(f"line {number}: {error}") from None
    if not lines:
        raise BadInput(f"{path}: need at least one record, got none")
    if unknown:
        words = ", ".join(repr(word[:_SHOWN]) for word in sorted(unknown)[:5])
        watch(f"not read: {words}; the words of a record are {', '.join(_WORDS)}")
    return lines


def _line(content: Mapping[str, Any], *, number: int, place: int) -> Line:
    missing = [word for word in ("program", "counts", "shots") if word not in content]
    if missing:
        raise WrongLine(f"need program, counts and shots; {missing[0]!r} is missing")
    source, language = _program(content["program"])
    kind = _kind(content.get("result_kind"))
    name, sheet = _device(content.get("device"))
    at, is_date = _at(content.get("at"))
    return Line(
        number=number,
        place=place,
        source=source,
        language=language,
        counts=_counts(content["counts"], kind),
        shots=_whole(content["shots"], "shots", low=1),
        device=name,
        sheet=sheet,
        kind=kind,
        at=at,
        is_date=is_date,
    )


def _program(value: object) -> tuple[str, SourceFormat]:
    if isinstance(value, str):
        return value, SourceFormat.AUTO
    if not isinstance(value, dict) or not isinstance(value.get("source"), str):
        raise WrongLine(
            f'program is a text or {{"format": ..., "source": text}}, got {_shown(value)}'
        )
    words = [word.value for word in SourceFormat]
    named = value.get("format", SourceFormat.AUTO.value)
    if named not in words:
        raise WrongLine(f"program's format is one of {', '.join(words)}, got {_shown(named)}")
    return value["source"], SourceFormat(named)


def _kind(value: object) -> ResultKind:
    words = [word.value for word in ResultKind]
    if value is None:
        return ResultKind.COUNTS
    if value not in words:
        raise WrongLine(f"result_kind is one of {', '.join(words)}, got {_shown(value)}")
    return ResultKind(value)


def _device(value: object) -> tuple[str, Device | None]:
    if value is None:
        return UNNAMED, None
    if isinstance(value, str):
        if not 1 <= len(value) <= 200:
            raise WrongLine(f"device has 1 .. 200 characters as a name, got {len(value)}")
        return value, None
    sheet = device_from_sheet(cast("Any", value), provider="records")
    return sheet.name, sheet


def _at(value: object) -> tuple[float | None, bool]:
    if value is None:
        return None, False
    if isinstance(value, str):
        try:
            moment = datetime.fromisoformat(value)
        except ValueError:
            raise WrongLine(f"at is an ISO 8601 time or a number, got {_shown(value)}") from None
        aware = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
        return (aware - datetime(1970, 1, 1, tzinfo=UTC)).total_seconds(), True
    return _number(value, "at"), False


def _counts(value: object, kind: ResultKind) -> dict[str, float]:
    if not isinstance(value, dict):
        raise WrongLine(f"counts are an object {{bits: shots}}, got {_shown(value)}")
    if kind is not ResultKind.PROBABILITIES:
        return {key: _whole(n, f"counts of {key[:_SHOWN]!r}", low=0) for key, n in value.items()}
    shares = {key: _number(share, f"share of {key[:_SHOWN]!r}") for key, share in value.items()}
    if any(share < 0.0 for share in shares.values()):
        raise WrongLine(f"probabilities are not negative, got {min(shares.values())}")
    return shares


def _whole(value: object, word: str, *, low: int) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= MOST_SHOTS:
        raise WrongLine(
            f"{word}: need a whole number in {low} .. {MOST_SHOTS}, got {_shown(value)}"
        )
    return value


def _number(value: object, word: str) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or abs(value) > 1e300:
        raise WrongLine(f"{word}: need a number, got {_shown(value)}")
    if not math.isfinite(value):
        raise WrongLine(f"{word}: need a finite number, got {value}")
    return float(value)


def _shown(value: object) -> str:
    return repr(str(value)[:_SHOWN])
