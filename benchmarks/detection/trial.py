"""One trial: a device is tested and judged for some epochs, as a validator does it.

The plan follows the verdict of the epoch before, the simulated device is driven directly, without a
service or a book of jobs, and the verdict is formed anew after every epoch from all that is known.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from circuits.counts import Counts
from circuits.draws import Draws
from providers import cheats, standin
from providers.base import Context, DeviceClass, ResultKind
from providers.errors import ProviderError
from validator.evidence import evidence_of
from validator.folding import Folding
from validator.plan import case_key, draw, plan
from validator.record import Record
from validator.score import Grade
from validator.verdict import judge

if TYPE_CHECKING:
    from circuits.case import Case
    from providers.base import Json
    from providers.standin import Runs
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
    """Run one trial.

    Raises:
        ValueError: It has no epochs.
    """
    secret = hashlib.sha256(f"detection {setting.seed}".encode()).digest()
    now = [setting.first_epoch]
    context = Context(secret, lambda: now[0])
    build = cheats.build if setting.provider == "cheats" else standin.build
    machine = build(setting.options, context)
    trusted = standin.build(setting.trusted, context) if setting.trusted is not None else None
    device = machine.device
    folding = Folding(reference, secret, device.device_class is DeviceClass.QPU)
    days: list[Day] = []
    verdict = None
    spent = {"device": 0.0, "judge": 0.0}
    for epoch in range(setting.first_epoch, setting.first_epoch + setting.epochs):
        now[0] = epoch
        start = time.process_time()
        grade = verdict.grade if verdict else Grade.S0
        assignments = plan(device, reached=grade, shots=setting.shots)
        probes = [one for one in assignments if one.fixed]
        records = _epoch(machine, assignments, secret=secret, epoch=epoch, run="device")
        checks = []
        if trusted is not None:
            checks = _epoch(trusted, probes, secret=secret, epoch=epoch, run="trusted")
        middle = time.process_time()
        folding.add_epoch(records, trusted=checks)
        verdict = judge(evidence_of(folding), device)
        end = time.process_time()
        spent["device"] += middle - start
        spent["judge"] += end - middle
        days.append(Day(verdict.outcome.value, verdict.grade.value, folding.shots_used))
        if setting.until in (verdict.outcome, verdict.grade):
            break
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


def _epoch(
    machine: Runs,
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
        device, key = machine.device, case_key(secret, "job", epoch, place, run).hex()
        planned = draw(assignment, device, secret=secret, block_hash=f"{epoch}", hotkey="hk")
        cases = [one.case for one in planned]
        draws = [Draws(secret, device.name, key, index) for index in range(len(cases))]
        answers = _answers(machine, cases, shots=assignment.shots, draws=draws)
        records += [
            Record(
                hotkey="hk",
                device=device,
                epoch=epoch,
                job_key=key,
                index=index,
                program=case.program,
                shots_asked=assignment.shots,
                counts=counts,
                kind=ResultKind.SHOTS if counts else None,
                case=case,
                receipt_digest="",
            )
            for index, (case, counts) in enumerate(zip(cases, answers, strict=True))
        ]
    return records


def _answers(
    machine: Runs, cases: Sequence[Case], *, shots: int, draws: Sequence[Draws]
) -> list[Counts | None]:
    """Run one job; nothing of it is answered where it failed, as devices do in outages."""
    try:
        return [
            Counts.from_rows(machine.run(case.program, shots=shots, draws=own))
            for case, own in zip(cases, draws, strict=True)
        ]
    except ProviderError:
        return [None] * len(cases)
