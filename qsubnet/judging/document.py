"""The verdict of `qsubnet judge` as a JSON document and in words."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from circuits.case import KnownAnswer
from validator.hardware import SimulatorClass
from validator.mirror import mirror_answer, polarization
from validator.sequential import Accusation
from validator.xeb import linear_xeb, xeb_circuit

if TYPE_CHECKING:
    from qsubnet.judging.live import Judged
    from validator.evidence import Evidence
    from validator.record import Record
    from validator.reference import Reference

NOT_TESTED_YET = ("static_twin", "drift_twin")
"""Classes of simulator that the document names and that no test looks at so far."""


def judge_document(judged: Judged, *, reference: Reference) -> dict[str, Any]:
    """Write what `judge --json` prints; null is what there is no data or no test for."""
    verdict, found = judged.verdict, judged.verdict.evidence
    fidelity = found.fidelity
    return {
        "verdict": verdict.outcome.value,
        "grade": verdict.grade.value,
        "reason": verdict.reason,
        "fidelity": {
            "estimate": fidelity.estimate,
            "low": fidelity.low,
            "high": fidelity.high,
            "estimator": found.estimator,
        },
        "layer_error": None,
        "log10_e": {
            "fraud": _finite(found.accusations[Accusation.BELOW_CLAIM], found),
            "too_good": (
                _finite(found.accusations[Accusation.TOO_GOOD], found) if found.hardware else None
            ),
            "hardware": {
                **{name.value: _finite(found.hardware.get(name), found) for name in SimulatorClass},
                **dict.fromkeys(NOT_TESTED_YET),
            },
        },
        "score": verdict.score,
        "shots_used": found.shots_used,
        "cpu_s": round(judged.cpu_s, 3),
        "records": [
            {"index": index, "fidelity": circuit_fidelity(record, reference=reference)}
            for index, record in enumerate(judged.records)
        ],
    }


def _finite(log10_e: float | None, found: Evidence) -> float | None:
    if log10_e is None or not found.shots_used or not math.isfinite(log10_e):
        return None
    return log10_e


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
    return round(value, 9)


def in_words(judged: Judged) -> str:
    """Tell the verdict to a person, in a few lines."""
    verdict, found, device = judged.verdict, judged.verdict.evidence, judged.device
    f = found.fidelity
    what = f"{device.device_class}, {device.topology.num_qubits} qubits"
    answered = f"{found.programs_answered} of {found.programs_asked} programs answered"
    lines = [
        f"{device.name} ({what}): {verdict.outcome} {verdict.grade}",
        f"  {verdict.reason}",
        f"  {found.estimator} {f.estimate:.4f} [{f.low:.4f}, {f.high:.4f}]",
        f"  {answered}, {found.shots_used} shots, {judged.cpu_s:.1f} s of CPU to judge",
    ]
    for failure, times in sorted(judged.failures.items(), key=lambda item: -item[1])[:3]:
        lines.append(f"  {times} times: {failure}")
    return "\n".join(lines)
