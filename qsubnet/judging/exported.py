"""Exported records: all that a verdict of `qsubnet judge` follows from, and the verdict again.

JSON lines, gzip where the name ends in ".gz". First what holds for all:

    {"format": "qsubnet-judged-1", "records": 34, "device": {...}, "device_digest": "...",
     "permutation_key": "..."}

then one line a record, in the order in which they were asked for, those of a reference run last:

    {"by": "device", "epoch": 0, "job_key": "...", "index": 0, "family": "mirror", "width": 4,
     "depth": 4, "case_key": "...", "program_digest": "...", "shots_asked": 450,
     "counts": {"num_bits": 4, "table": {"0110": 450}}, "kind": "counts"}

`counts` and `kind` are null without an answer. Programs and answers are drawn again from the case
keys; a digest that does not fit is refused. The same records give the same bytes of the file.
References are computed in double precision (`reproducible`), on both sides: then the verdict is the
same, bit for bit, wherever it is judged.

Blind spot: nobody signed the file. It shows that the verdict follows from the records, not that the
device gave them.
"""

from __future__ import annotations

import gzip
import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import Field, ValidationError

from circuits.case import KnownAnswer, SimulatedAnswer
from circuits.counts import Counts
from circuits.errors import CircuitError
from providers.base import ResultKind
from qsubnet.errors import BadInput
from qsubnet.judging.json_lines import WrongLine, json_object, raw_lines
from qsubnet.judging.live import HOTKEY, TRUSTED_HOTKEY, Judged
from qsubnet.wire.domain import claim_from_device, device_from_claim
from qsubnet.wire.peer import MAX_BITS, MAX_QUBITS, DeviceClaim, Key, Message
from validator.evidence import evidence
from validator.plan import redraw
from validator.record import Record
from validator.references.engines import AerEngine, ByWidth
from validator.references.reference import MAX_QUBITS as MOST_SIMULATED
from validator.references.reference import Reference
from validator.verdict import judge

if TYPE_CHECKING:
    from circuits.case import Case
    from providers.base import Device

__all__ = ["FORMAT", "judge_exported", "reproducible", "write_exported"]

FORMAT = "qsubnet-judged-1"
MOST_RECORDS = 1_000_000
MOST_SHOTS = 10**8
MOST_DEPTH = 1_024

_Whole = Annotated[int, Field(ge=0, le=10**9)]
_Shots = Annotated[int, Field(ge=0, le=MOST_SHOTS)]


class Head(Message):
    """The first line."""

    format: Literal["qsubnet-judged-1"]
    records: Annotated[int, Field(ge=1, le=MOST_RECORDS)]
    device: DeviceClaim
    device_digest: Key
    permutation_key: Key


class CountsLine(Message):
    """Counts as they came, whatever their width."""

    num_bits: Annotated[int, Field(ge=1, le=2 * MAX_BITS)]
    table: dict[str, _Shots]


class RecordLine(Message):
    """One record; see the module's text."""

    by: Literal["device", "reference"]
    epoch: _Whole
    job_key: Key
    index: _Whole
    family: Annotated[str, Field(max_length=40)]
    width: Annotated[int, Field(ge=1, le=MAX_QUBITS)]
    depth: Annotated[int, Field(ge=0, le=MOST_DEPTH)]
    case_key: Key
    program_digest: Key
    shots_asked: Annotated[int, Field(ge=1, le=MOST_SHOTS)]
    counts: CountsLine | None
    kind: Literal["shots", "counts", "probabilities"] | None


_KEPT = 1 << 25
"""Probabilities that are remembered: 32 laws of 20 qubits, 256 MiB."""

_HOTKEYS = {"device": HOTKEY, "reference": TRUSTED_HOTKEY}


def reproducible() -> Reference:
    """Make the reference that a verdict can be recomputed by, anywhere.

    Double precision differs between processors 10^4 times below the quantum of a reference, so that
    quantised laws agree. qsim's single precision does not: its four builds (AVX-512, AVX2, SSE,
    plain) change half of the values of a 20-qubit law. The price is 2.4 against .3 CPU seconds a
    circuit of 20 qubits; up to 12 qubits it is the same engine.
    """
    return Reference(ByWidth(AerEngine()), kept=_KEPT)


def write_exported(path: Path, judged: Judged) -> None:
    """Write all that a live verdict follows from, the secret keys of its cases among it.

    Raises:
        BadInput: The file cannot be written.
    """
    data = b"".join(_canonical(line) + b"\n" for line in _lines(judged))
    if path.suffix == ".gz":
        data = gzip.compress(data, mtime=0)
    try:
        path.write_bytes(data)
    except OSError as error:
        raise BadInput(f"cannot write {path}: {error.strerror}") from None


def _canonical(content: dict[str, Any]) -> bytes:
    return json.dumps(content, separators=(",", ":"), allow_nan=False).encode()


def _lines(judged: Judged) -> Iterator[dict[str, Any]]:
    """Give the lines of a file; a reference run answers the same cases as the device."""
    keys = {
        _case_name(record): key for record, key in zip(judged.records, judged.keys, strict=True)
    }
    yield {
        "format": FORMAT,
        "records": len(judged.records) + len(judged.trusted),
        "device": claim_from_device(judged.device).model_dump(),
        "device_digest": judged.device.digest,
        "permutation_key": judged.permutation_key.hex(),
    }
    for record, key in zip(judged.records, judged.keys, strict=True):
        yield _record_line(record, key, by="device")
    for record in judged.trusted:
        yield _record_line(record, keys[_case_name(record)], by="reference")


def _case_name(record: Record) -> tuple[str, int, int, str]:
    case = _case(record)
    return case.family, case.width, case.depth, record.program.digest


def _case(record: Record) -> Case:
    if record.case is None:
        raise ValueError("a job that is no test cannot be exported, its program has no key")
    return record.case


def _record_line(record: Record, key: bytes, *, by: str) -> dict[str, Any]:
    case, counts = _case(record), record.counts
    return {
        "by": by,
        "epoch": record.epoch,
        "job_key": record.job_key,
        "index": record.index,
        "family": case.family,
        "width": case.width,
        "depth": case.depth,
        "case_key": key.hex(),
        "program_digest": record.program.digest,
        "shots_asked": record.shots_asked,
        "counts": {"num_bits": counts.num_bits, "table": dict(counts.table)} if counts else None,
        "kind": record.kind.value if record.kind else None,
    }


def judge_exported(path: Path, *, reference: Reference) -> Judged:
    """Judge again what `write_exported` wrote, by the file alone.

    Args:
        path: The file, plain or gzip.
        reference: `reproducible`, as when the file was written.

    Raises:
        BadInput: There is no such file, or a line is wrong; the message has its number.
    """
    start = time.process_time()
    lines = raw_lines(path)
    head, device = _head(path, lines)
    answers = _answers(lines, head.records, device)
    records = tuple(record for line, record in answers if line.by == "device")
    trusted = tuple(record for line, record in answers if line.by == "reference")
    if len(answers) < head.records or not records:
        raise BadInput(
            f"{path}: need {head.records} records, at least one of them of the device, "
            f"got {len(answers)} with {len(records)} of the device"
        )
    key = bytes.fromhex(head.permutation_key)
    found = evidence(records, reference=reference, permutation_key=key, trusted=trusted)
    verdict = judge(found, device)
    keys = tuple(bytes.fromhex(line.case_key) for line, _ in answers if line.by == "device")
    used = time.process_time() - start
    return Judged(device, verdict, records, {}, used, trusted, keys, permutation_key=key)


def _head(path: Path, lines: Iterator[tuple[int, bytes]]) -> tuple[Head, Device]:
    number, data = next(lines, (0, b""))
    if not number:
        raise BadInput(f"{path}: need a first line with the device, got an empty file")
    try:
        head = Head.model_validate(json_object(data))
        device = device_from_claim(head.device)
    except (WrongLine, ValueError) as error:
        raise BadInput(f"line {number}: {_said(error)}") from None
    if device.digest != head.device_digest:
        raise BadInput(f"line {number}: the device's claim does not fit device_digest")
    return head, device


def _answers(
    lines: Iterator[tuple[int, bytes]], most: int, device: Device
) -> list[tuple[RecordLine, Record]]:
    """Read the records after the first line."""
    answers: list[tuple[RecordLine, Record]] = []
    seen: set[tuple[str, str, int]] = set()
    for number, data in lines:
        if len(answers) >= most:
            raise BadInput(f"line {number}: the first line tells of {most} records")
        try:
            line = RecordLine.model_validate(json_object(data))
            record = _record(line, device)
        except (WrongLine, CircuitError, ValidationError) as error:
            raise BadInput(f"line {number}: {_said(error)}") from None
        place = (line.by, line.job_key, line.index)
        if place in seen:
            raise BadInput(f"line {number}: this program of this job stands there twice")
        seen.add(place)
        answers.append((line, record))
    return answers


def _said(error: Exception) -> str:
    """Say what is wrong in one sentence."""
    if not isinstance(error, ValidationError):
        return str(error)
    first = error.errors(include_url=False, include_input=False)[0]
    where = ".".join(str(part)[:60] for part in first["loc"])
    return f"{where or 'the line'}: {first['msg']}"


def _record(line: RecordLine, device: Device) -> Record:
    """Draw a record's case again, and check that it is what was sent.

    Raises:
        WrongLine: Another program, or one that is not judged here.
        CircuitError: There is no such case on the device, or the counts are none.
    """
    if line.width > device.topology.num_qubits:
        raise WrongLine(f"width {line.width} on {device.topology.num_qubits} qubits")
    case = redraw(line.family, bytes.fromhex(line.case_key), line.width, line.depth, device)
    if case.program.digest != line.program_digest:
        raise WrongLine("the program that case_key draws does not fit program_digest")
    if isinstance(case.answer, SimulatedAnswer):
        if line.width > MOST_SIMULATED:
            raise WrongLine(f"at most {MOST_SIMULATED} qubits are simulated, got {line.width}")
    elif not isinstance(case.answer, KnownAnswer):
        raise WrongLine(f"family {line.family!r} is not judged")
    if (line.counts is None) != (line.kind is None):
        raise WrongLine("counts and kind are both null or neither")
    return Record(
        hotkey=_HOTKEYS[line.by],
        device=device,
        epoch=line.epoch,
        job_key=line.job_key,
        index=line.index,
        program=case.program,
        shots_asked=line.shots_asked,
        counts=Counts(line.counts.num_bits, line.counts.table) if line.counts else None,
        kind=ResultKind(line.kind) if line.kind else None,
        case=case,
        receipt_digest="",
    )
