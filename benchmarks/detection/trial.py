"""One trial: a device is tested and judged for some epochs, as a validator does it.

The plan follows the verdict of the epoch before, shots come from the device's own provider, and
the verdict is formed anew after every epoch from all that is known then.
"""

from __future__ import annotations

import asyncio
import hashlib
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from providers import cheats, standin
from providers.base import Context, Job
from providers.errors import JobFailed, ProviderError
from providers.local import LocalProvider
from validator.evidence import evidence_of
from validator.folding import Folding
from validator.plan import case_key, draw, plan
from validator.record import Record
from validator.score import Grade
from validator.verdict import judge

if TYPE_CHECKING:
    from circuits.case import Case
    from providers.base import Device, Json, ProgramResult
    from validator.plan import Assignment
    from validator.references.reference import Reference
    from validator.verdict import Verdict


@dataclass(frozen=True, slots=True)
class Setting:
    """What a trial depends on.

    Attributes:
        provider: Adapter of the device under test: `standin` or `cheats`.
        options: Its options.
        trusted: Options of the machine that the device claims to be, run by somebody trusted with
            the adapter `standin`; None without such a run.
        epochs: Days.
        first_epoch: Where in the device's history the trial begins.
        until: The trial ends after a day with this verdict or grade.
        shots: Of a qpu per epoch.
        seed: Of everything.
    """

    provider: str
    options: Mapping[str, Json]
    trusted: Mapping[str, Json] | None
    epochs: int
    first_epoch: int
    until: str
    shots: int
    seed: int


@dataclass(frozen=True, slots=True)
class Day:
    """How the device stood after an epoch.

    Attributes:
        verdict: The word.
        grade: S0 .. S3.
        shots: Returned so far.
    """

    verdict: str
    grade: str
    shots: int


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a trial gave.

    Attributes:
        days: In order.
        reason: Of the last verdict.
        log10_e: Of the last day, by test.
        device_cpu_s: CPU seconds of drawing circuits and running the device.
        judge_cpu_s: CPU seconds of evidence and verdicts.
    """

    days: tuple[Day, ...]
    reason: str
    log10_e: Mapping[str, float]
    device_cpu_s: float
    judge_cpu_s: float


def run(setting: Setting, *, reference: Reference) -> Outcome:
    """Run one trial."""
    return asyncio.run(_run(setting, reference))


async def _run(setting: Setting, reference: Reference) -> Outcome:
    secret = hashlib.sha256(f"detection {setting.seed}".encode()).digest()
    now = [setting.first_epoch]
    context = Context(secret, lambda: now[0])
    create = cheats.create if setting.provider == "cheats" else standin.create
    provider = create(setting.options, context)
    trusted = standin.create(setting.trusted, context) if setting.trusted is not None else None
    (device,) = await provider.devices()
    folding = Folding(reference, secret, device.device_class.value == "qpu")
    days: list[Day] = []
    verdict = None
    spent = {"device": 0.0, "judge": 0.0}
    for epoch in range(setting.first_epoch, setting.first_epoch + setting.epochs):
        now[0] = epoch
        start = time.process_time()
        grade = verdict.grade if verdict else Grade.S0
        assignments = plan(device, reached=grade, shots=setting.shots)
        records = await _epoch(
            provider, device, assignments, secret=secret, epoch=epoch, run="device"
        )
        fixed = [one for one in assignments if one.fixed] if trusted else []
        checks = await _epoch(
            trusted or provider, device, fixed, secret=secret, epoch=epoch, run="trusted"
        )
        middle = time.process_time()
        folding.add_epoch(records, trusted=checks if trusted else ())
        verdict = judge(evidence_of(folding), device)
        end = time.process_time()
        spent["device"] += middle - start
        spent["judge"] += end - middle
        days.append(Day(verdict.outcome.value, verdict.grade.value, folding.shots_used))
        if setting.until in (verdict.outcome, verdict.grade):
            break
    provider.close()
    if trusted is not None:
        trusted.close()
    if verdict is None:
        raise ValueError("need at least one epoch")
    return Outcome(tuple(days), verdict.reason, _evidence(verdict), spent["device"], spent["judge"])


def _evidence(verdict: Verdict) -> dict[str, float]:
    found = verdict.evidence
    return {
        **{name.value: round(e, 3) for name, e in found.accusations.items()},
        **{name.value: round(e, 3) for name, e in found.hardware.items()},
        "reversed": round(found.reversed_bits, 3),
        "permuted": round(found.permuted_bits, 3),
    }


async def _epoch(
    provider: LocalProvider,
    device: Device,
    assignments: Sequence[Assignment],
    *,
    secret: bytes,
    epoch: int,
    run: str,
) -> list[Record]:
    """Draw an epoch's tests and have them answered.

    Shots are drawn under the job's key, so the device's and the trusted run's must differ.
    """
    records = []
    for place, assignment in enumerate(assignments):
        planned = draw(assignment, device, secret=secret, block_hash=f"{epoch}", hotkey="hk")
        cases = [one.case for one in planned]
        key = case_key(secret, "job", epoch, place, run).hex()
        programs = tuple(case.program for case in cases)
        answers = await _answers(provider, Job(key, device.name, programs, assignment.shots))
        for index, case in enumerate(cases):
            answer = answers[index] if answers else None
            records.append(_record(device, epoch, key, index, case, assignment.shots, answer))
    return records


async def _answers(provider: LocalProvider, job: Job) -> tuple[ProgramResult, ...]:
    """Run one job; () where it failed, as devices do in outages."""
    try:
        handle = await provider.submit(job)
        await provider.wait(handle)
        return (await provider.result(handle)).programs
    except (JobFailed, ProviderError):
        return ()


def _record(
    device: Device,
    epoch: int,
    key: str,
    index: int,
    case: Case,
    shots: int,
    answer: ProgramResult | None,
) -> Record:
    return Record(
        hotkey="hk",
        device=device,
        epoch=epoch,
        job_key=key,
        index=index,
        program=case.program,
        shots_asked=shots,
        counts=answer.counts if answer else None,
        kind=answer.kind if answer else None,
        case=case,
        receipt_digest="",
    )
