"""Judge a device by the executions that a file records: choose the device, order them, judge.

Records are in the order of their times where all tell one, else in that of the file. A sheet counts
for its record and for the later ones of that device that only name it.

Blind spot: nobody signed the file; the verdict is about what it says.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from qsubnet.errors import BadInput
from qsubnet.judging.record_counts import plain_counts
from qsubnet.judging.record_lines import read_lines
from qsubnet.judging.record_programs import import_programs
from validator.recorded.evidence import Recorded, recorded_evidence
from validator.recorded.execution import Execution
from validator.recorded.verdict import judge_recorded

if TYPE_CHECKING:
    from providers.base import Device
    from qsubnet.judging.record_lines import Line
    from qsubnet.judging.record_programs import Imported, Key
    from validator.references.reference import Reference
    from validator.verdict import Verdict

__all__ = ["JudgedRecords", "RecordFile", "judge_records", "read_records"]

Watch = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class RecordFile:
    """The records of one device.

    Attributes:
        name: Of the device.
        executions: In the order of time.
        cpu_s: CPU seconds of reading, this process and the children that import programs.
    """

    name: str
    executions: tuple[Execution, ...]
    cpu_s: float


@dataclass(frozen=True, slots=True)
class JudgedRecords:
    """A verdict with what it follows from.

    Attributes:
        name: Of the device.
        verdict: The judgement.
        recorded: The evidence, also by class and by record.
        places: The number of each judged record in the file, ascending.
        cpu_s: CPU seconds of reading and judging.
    """

    name: str
    verdict: Verdict
    recorded: Recorded
    places: tuple[int, ...]
    cpu_s: float


def judge_records(
    file: RecordFile, *, reference: Reference, watch: Watch = lambda _: None
) -> JudgedRecords:
    """Judge the device of a file of records.

    Args:
        file: From `read_records`.
        reference: Exact distributions.
        watch: Told what takes long.
    """
    start = _cpu_s()
    found = recorded_evidence(file.executions, reference=reference, watch=watch)
    verdict = judge_recorded(found)
    places = tuple(sorted(execution.place for execution in file.executions))
    return JudgedRecords(file.name, verdict, found, places, file.cpu_s + _cpu_s() - start)


def _cpu_s() -> float:
    used = os.times()
    return time.process_time() + used.children_user + used.children_system


def read_records(path: Path, *, device: str = "", watch: Watch = lambda _: None) -> RecordFile:
    """Read the records of one device.

    Args:
        path: See `qsubnet.judging.record_lines`.
        device: Its name; the only one of the file unless told.
        watch: Told what happens.

    Raises:
        BadInput: There is no such file; a record is wrong, with its line; no device is told.
    """
    start = _cpu_s()
    lines = read_lines(path, watch=watch)
    name = _chosen({line.device: None for line in lines}, device)
    mine = _in_time([line for line in lines if line.device == name])
    watch(f"{len(mine)} records of {name!r}")
    programs = import_programs(mine, watch=watch)
    claimed = zip(mine, _claims(mine), strict=True)
    executions = tuple(_execution(line, programs, claim) for line, claim in claimed)
    return RecordFile(name, executions, _cpu_s() - start)


def _chosen(names: Mapping[str, None], asked: str) -> str:
    listed = ", ".join(repr(name) for name in sorted(names))
    if asked:
        if asked not in names:
            raise BadInput(f"the records have no device {asked[:200]!r}, there are {listed}")
        return asked
    if len(names) > 1:
        raise BadInput(f"need the records of one device, or --device; there are {listed}")
    return next(iter(names))


def _in_time(lines: Sequence[Line]) -> list[Line]:
    """Order by time where all tell one; records of one time stay as they are."""
    timed = [line for line in lines if line.at is not None]
    if len(timed) < len(lines):
        return list(lines)
    if len({line.is_date for line in timed}) > 1:
        odd = next(line for line in timed if line.is_date != timed[0].is_date)
        raise BadInput(f"line {odd.number}: some 'at' are times and some are plain numbers")
    return sorted(timed, key=lambda line: (line.at or 0.0, line.place))


def _claims(lines: Sequence[Line]) -> list[Device | None]:
    """Give each record the newest sheet known at its time."""
    claims: list[Device | None] = []
    newest: Device | None = None
    for line in lines:
        newest = line.sheet or newest
        claims.append(newest)
    return claims


def _execution(line: Line, programs: Mapping[Key, Imported], claim: Device | None) -> Execution:
    imported = programs[line.source, line.language]
    try:
        counts = plain_counts(line.counts, num_bits=imported.num_bits, registers=imported.registers)
    except ValueError as error:
        raise BadInput(f"line {line.number}: {error}") from None
    return Execution(
        place=line.place,
        identity=imported.identity,
        num_bits=imported.num_bits,
        counts=counts,
        shots=line.shots,
        kind=line.kind,
        program=imported.program,
        device=claim,
        registers=imported.registers,
    )
