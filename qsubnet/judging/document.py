"""The verdict of `qsubnet judge` as a JSON document and in words."""

from __future__ import annotations

import hashlib
import json
import math
from typing import TYPE_CHECKING, Any

from circuits.case import KnownAnswer
from validator.estimators.mirror import mirror_answer, polarization
from validator.estimators.xeb import linear_xeb, xeb_circuit
from validator.hardware import SimulatorClass
from validator.sequential import Accusation

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from qsubnet.judging.live import Judged
    from qsubnet.judging.recorded import JudgedRecords
    from validator.interval import Interval
    from validator.record import Record
    from validator.references.reference import Reference
    from validator.verdict import Verdict


# Quantiles and square roots differ in the last bits between processors and builds of scipy.
_DIGITS = 9
_SCORE_DIGITS = 4


def judge_document(judged: Judged, *, reference: Reference) -> dict[str, Any]:
    """Write what `judge --json` prints; null is what there is no data or no test for."""
    found = judged.verdict.evidence
    return _document(
        judged.verdict,
        fraud=found.accusations[Accusation.BELOW_CLAIM],
        too_good=found.accusations[Accusation.TOO_GOOD] if found.hardware else None,
        hardware={name.value: found.hardware.get(name) for name in SimulatorClass},
        cpu_s=judged.cpu_s,
        records=enumerate(circuit_fidelity(r, reference=reference) for r in judged.records),
    )


def records_document(judged: JudgedRecords) -> dict[str, Any]:
    """Write what `judge --records --json` prints: the same words, and one more.

    `without_reference` counts the answered records whose circuit has no ideal law. Without a sheet
    `fraud` and `too_good` are null, for nothing was claimed.
    """
    recorded = judged.recorded
    accusations = recorded.evidence.accusations
    claimed = recorded.device is not None
    document = _document(
        judged.verdict,
        fraud=accusations[Accusation.BELOW_CLAIM] if claimed else None,
        too_good=accusations[Accusation.TOO_GOOD] if claimed and recorded.is_qpu else None,
        hardware={name.value: recorded.classes.get(name.value) for name in SimulatorClass},
        cpu_s=judged.cpu_s,
        records=zip(judged.places, recorded.fidelities, strict=True),
    )
    return {**document, "without_reference": recorded.without_reference}


def verdict_bytes(document: Mapping[str, Any]) -> bytes:
    """Write a document as the bytes that are signed and audited: canonical JSON without `cpu_s`.

    Example:
        >>> verdict_bytes({"verdict": "verified", "cpu_s": 0.3, "score": 1.5})
        b'{"score":1.5,"verdict":"verified"}'
    """
    kept = {name: value for name, value in document.items() if name != "cpu_s"}
    return json.dumps(kept, sort_keys=True, separators=(",", ":"), allow_nan=False).encode()


def verdict_digest(document: Mapping[str, Any]) -> str:
    """Give the SHA-256 (hex) of `verdict_bytes`.

    Example:
        >>> verdict_digest({"cpu_s": 0.1}) == verdict_digest({"cpu_s": 0.2})
        True
    """
    return hashlib.sha256(verdict_bytes(document)).hexdigest()


def _document(
    verdict: Verdict,
    *,
    fraud: float | None,
    too_good: float | None,
    hardware: Mapping[str, float | None],
    cpu_s: float,
    records: Iterable[tuple[int, float | None]],
) -> dict[str, Any]:
    found = verdict.evidence
    fidelity = found.fidelity
    told = {"fraud": fraud, "too_good": too_good, **hardware}
    shown = {name: value if found.shots_used else None for name, value in told.items()}
    shown = {name: _finite(value) for name, value in shown.items()}
    return {
        "verdict": verdict.outcome.value,
        "grade": verdict.grade.value,
        "reason": verdict.reason,
        "fidelity": {**_rounded(fidelity), "estimator": found.estimator},
        "layer_error": _interval(found.layer_error),
        "log10_e": {
            "fraud": shown["fraud"],
            "too_good": shown["too_good"],
            "hardware": {name: shown[name] for name in hardware},
        },
        "score": round(verdict.score, _SCORE_DIGITS),
        "shots_used": found.shots_used,
        "cpu_s": round(cpu_s, 3),
        "records": [{"index": index, "fidelity": value} for index, value in records],
    }


def _interval(bounds: Interval | None) -> dict[str, float] | None:
    return _rounded(bounds) if bounds else None


def _rounded(bounds: Interval) -> dict[str, float]:
    named = {"estimate": bounds.estimate, "low": bounds.low, "high": bounds.high}
    return {name: round(value, _DIGITS) for name, value in named.items()}


def _finite(log10_e: float | None) -> float | None:
    return log10_e if log10_e is not None and math.isfinite(log10_e) else None


def circuit_fidelity(record: Record, *, reference: Reference) -> float | None:
    """Estimate the fidelity of one circuit from its own shots.

    Returns:
        The polarization where the answer is known, else the linear XEB fidelity; both are
        unbiased and may leave [0, 1]. None without an answer of the right width.
    """
    counts, case = record.counts, record.case
    if counts is None or case is None or counts.num_bits != record.program.num_bits:
        return None
    if not counts.shots:
        return None
    if isinstance(case.answer, KnownAnswer):
        value = polarization(mirror_answer(counts.table, target=case.answer.bits))
    else:
        ideal = reference.probabilities(record.program)
        value = linear_xeb([xeb_circuit(counts.table, ideal=ideal)]).estimate
    return round(value, _DIGITS)


def in_words(judged: Judged) -> str:
    """Tell the verdict to a person, in a few lines."""
    found, device = judged.verdict.evidence, judged.device
    what = f"{device.device_class}, {device.topology.num_qubits} qubits"
    answered = f"{found.programs_answered} of {found.programs_asked} programs answered"
    classes = ", ".join(f"{name} {value:.1f}" for name, value in found.hardware.items())
    lines = [
        *_told(judged.verdict, device.name, what),
        *([f"  log10 e against each class of simulator: {classes}"] if classes else []),
        f"  {answered}, {found.shots_used} shots, {judged.cpu_s:.1f} s of CPU to judge",
    ]
    for failure, times in sorted(judged.failures.items(), key=lambda item: -item[1])[:3]:
        lines.append(f"  {times} x {failure}")
    return "\n".join(lines)


def records_in_words(judged: JudgedRecords) -> str:
    """Tell the verdict on records to a person, in a few lines."""
    recorded, found = judged.recorded, judged.recorded.evidence
    device = recorded.device
    what = f"{device.device_class}, {device.topology.num_qubits} qubits" if device else "no sheet"
    classes = ", ".join(f"{name} {value:.1f}" for name, value in recorded.classes.items())
    answered = f"{found.programs_answered} of {found.programs_asked} records hold counts"
    without = f"{recorded.without_reference} without a reference"
    lines = [
        *_told(judged.verdict, judged.name, what),
        f"  log10 e against each class of simulator: {classes or 'no data'}",
        f"  {answered}, {without}, {found.shots_used} shots, {judged.cpu_s:.1f} s of CPU to judge",
    ]
    return "\n".join(lines)


def _told(verdict: Verdict, name: str, what: str) -> list[str]:
    f = verdict.evidence.fidelity
    return [
        f"{name} ({what}): {verdict.outcome} {verdict.grade}",
        f"  {verdict.reason}",
        f"  {verdict.evidence.estimator} {f.estimate:.4f} [{f.low:.4f}, {f.high:.4f}]",
    ]
