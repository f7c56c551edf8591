"""Judge every device from the stored records, and turn the verdicts into weights.

Records are rebuilt from what was sent, what came back and the case keys, so that anyone who has the
same rows computes the same documents.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Mapping
from functools import lru_cache
from itertools import groupby
from typing import TYPE_CHECKING, Any

from circuits.counts import Counts
from circuits.errors import CircuitError
from circuits.parsing import parse
from providers.base import Device, DeviceClass, ResultKind
from qsubnet.store.evaluation import FullRecord
from qsubnet.wire import peer
from qsubnet.wire.domain import PROGRAM_LIMITS, device_from_claim
from validator.evidence import evidence
from validator.plan import redraw
from validator.record import Record
from validator.verdict import Verdict, judge
from validator.weights import shares

if TYPE_CHECKING:
    from validator.interval import Interval
    from validator.references.reference import Reference

log = logging.getLogger(__name__)

MECHANISM = {DeviceClass.QPU: 0, DeviceClass.SIMULATOR: 1}


def judge_all(
    rows: list[FullRecord],
    *,
    epoch: int,
    reference: Reference,
    permutation_key: Callable[[str, str], bytes],
    registrations: Mapping[str, int],
) -> dict[tuple[str, str], tuple[Device, Verdict]]:
    """Judge every device that was tested in an epoch, by all its records.

    A device whose miner does not offer it any more is not judged: old evidence pays nobody. One
    whose records cannot be judged at all is left out and logged, and the others go on.

    Args:
        rows: Up to the epoch, ordered by miner and device.
        epoch: The epoch.
        reference: Exact distributions.
        permutation_key: Key of the permutation tests by (hotkey, device).
        registrations: Which registration of its coldkey a hotkey is; the first unless told.
    """
    judged = {}
    for (hotkey, name), group in groupby(rows, lambda r: (r.record.miner_hotkey, r.record.device)):
        mine = list(group)
        if not any(row.record.epoch == epoch for row in mine):
            continue
        try:
            judged[hotkey, name] = _judge(
                mine,
                reference=reference,
                permutation_key=permutation_key(hotkey, name),
                registration=registrations.get(hotkey, 1),
            )
        except Exception:  # border: what one miner claims and answers must not stop the round
            log.exception("device not judged", extra={"miner": hotkey, "device": name})
    return judged


def _judge(
    rows: list[FullRecord], *, reference: Reference, permutation_key: bytes, registration: int
) -> tuple[Device, Verdict]:
    records = [record_from(row) for row in rows]
    newest = max(records, key=lambda record: record.epoch).device
    found = evidence(records, reference=reference, permutation_key=permutation_key)
    return newest, judge(found, newest, registration=registration)


@lru_cache(maxsize=64)
def _device(claim: str) -> Device:
    return device_from_claim(peer.DeviceClaim.model_validate_json(claim))


def record_from(row: FullRecord) -> Record:
    """Rebuild a record; counts that are no counts at all are a missing answer."""
    device = _device(row.claim)
    request = peer.JobRequest.model_validate_json(row.request)
    case = redraw(
        row.case.family,
        bytes.fromhex(row.case.case_key),
        row.case.width,
        row.case.depth,
        device,
    )
    record = row.record
    return Record(
        hotkey=record.miner_hotkey,
        device=device,
        epoch=record.epoch,
        job_key=record.job_key,
        index=record.place,
        program=parse(request.programs[record.place], PROGRAM_LIMITS),
        shots_asked=record.shots_asked,
        counts=_counts(record.counts, shots_asked=record.shots_asked),
        kind=ResultKind(record.kind) if record.kind else None,
        case=case,
        receipt_digest=record.receipt_digest,
    )


def _counts(text: str | None, *, shots_asked: int) -> Counts | None:
    """Read counts; more than twice the shots asked are cut there.

    They are padded either way, and what a liar writes into a number must not cost us memory.
    """
    if text is None:
        return None
    content = json.loads(text)
    try:
        whole = Counts(content["num_bits"], content["counts"])
    except CircuitError:
        return None
    left = 2 * shots_asked
    if whole.shots <= left:
        return whole
    kept = {}
    for key, shots in whole.table.items():
        kept[key] = min(shots, left)
        left -= kept[key]
        if not left:
            break
    return Counts(whole.num_bits, kept)


def weights_by_mechanism(
    judged: Mapping[tuple[str, str], tuple[Device, Verdict]],
) -> dict[int, dict[str, float]]:
    """Sum each hotkey's scores per mechanism and turn them into shares."""
    scores: dict[int, dict[str, float]] = {number: {} for number in MECHANISM.values()}
    for (hotkey, _), (device, verdict) in sorted(judged.items()):
        mine = scores[MECHANISM[device.device_class]]
        mine[hotkey] = mine.get(hotkey, 0.0) + verdict.score
    return {number: shares(mine) for number, mine in scores.items()}


def verdict_document(device: Device, verdict: Verdict, *, registration: int = 1) -> dict[str, Any]:
    """Write a verdict as the JSON document that is stored and shown.

    Args:
        device: The claim.
        verdict: What was found.
        registration: Which of its coldkey the miner's is, from 1: what accusations were charged.
    """
    found = verdict.evidence
    fidelity = found.fidelity
    return {
        "device": device.name,
        "device_claim": device.digest,
        "registration": registration,
        "class": device.device_class.value,
        "num_qubits": device.topology.num_qubits,
        "verdict": verdict.outcome.value,
        "grade": verdict.grade.value,
        "reason": verdict.reason,
        "score": round(verdict.score, 4),
        "fidelity": {**(_interval(fidelity) or {}), "estimator": found.estimator},
        "layer_error": _interval(found.layer_error),
        "margins": {family: _interval(margin) for family, margin in found.margins.items()},
        "unread": list(found.unread),
        "log10_e": {
            "accusations": {name.value: e for name, e in found.accusations.items()},
            "reversed_bits": found.reversed_bits,
            "permuted_bits": found.permuted_bits,
            "hardware": {name.value: e for name, e in found.hardware.items()},
        },
        "programs_asked": found.programs_asked,
        "programs_answered": found.programs_answered,
        "shots_used": found.shots_used,
        "qubit_shots": found.qubit_shots,
    }


def _interval(bounds: Interval | None) -> dict[str, float] | None:
    if bounds is None:
        return None
    return {
        "estimate": round(bounds.estimate, 9),
        "low": round(bounds.low, 9),
        "high": round(bounds.high, 9),
    }
