"""Judge a device by running the plan's tests on it through its adapter.

Epochs are virtual time steps, one plan each; the device learns which from its context. One test
program is one job, so that a failure costs one answer. No receipt is signed, nothing is stored.

A second bench may stand for an independent, trusted run on the machine that the device is said to
be: every epoch, once the device has answered, it gets the fixed readout probes that were answered.

Blind spot: whoever judges a device of their own knows the secret. The verdict is for its owner.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import secrets
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import providers
from circuits.counts import Counts
from providers.base import Context, DeviceClass, Job, ResultKind
from providers.errors import JobFailed, ProviderError
from providers.local import LocalProvider
from qsubnet.errors import BadInput, NotFound
from validator.evidence import evidence_of
from validator.folding import Folding
from validator.plan import SHOTS_PER_EPOCH, case_key, draw, plan
from validator.probe_reads import is_probe
from validator.record import Record
from validator.verdict import judge

if TYPE_CHECKING:
    from circuits.case import Case
    from providers.base import Device, Json, Provider
    from validator.plan import Assignment, PlannedCase
    from validator.references.reference import Reference
    from validator.verdict import Verdict

HOTKEY = "judge"
TRUSTED_HOTKEY = "reference"

Watch = Callable[[str], None]
Pause = Callable[[float], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Judged:
    """A verdict with what it follows from.

    Attributes:
        device: The claim.
        verdict: The judgement.
        records: In the order in which they were asked for.
        failures: Number of jobs by what the backend said.
        cpu_s: CPU seconds of drawing and judging, without those of running the device.
        trusted: What the reference run answered, by hotkey "reference"; only whole epochs.
        keys: What the cases of `records` were drawn from, in the same order; secret.
        permutation_key: Seeds the permutation tests.
    """

    device: Device
    verdict: Verdict
    records: tuple[Record, ...]
    failures: Mapping[str, int]
    cpu_s: float
    trusted: tuple[Record, ...] = ()
    keys: tuple[bytes, ...] = field(default=(), repr=False)
    permutation_key: bytes = field(default=b"", repr=False)


def secret_from(seed: int | None) -> bytes:
    """Give the secret that all cases are drawn from; without a seed, a fresh one.

    Example:
        >>> secret_from(7).hex()[:8], len(secret_from(None))
        ('ba0999c1', 32)
    """
    if seed is None:
        return secrets.token_bytes(32)
    return hashlib.sha256(json.dumps(["judge", seed]).encode()).digest()


@dataclass(slots=True)
class Bench:
    """One provider under test, and the virtual time that it sees.

    Args:
        adapter: A name in the table of adapters.
        options: The adapter's.
        secret: See `secret_from`; simulators get their seeds from it too.

    Raises:
        BadInput: There is no such adapter.
        providers.errors.ProviderError: The adapter cannot be made.
    """

    adapter: str
    options: Mapping[str, Json]
    secret: bytes
    epoch: int = 0
    provider: Provider = field(init=False)

    def __post_init__(self) -> None:
        seed = case_key(self.secret, "provider")
        try:
            self.provider = providers.create(
                self.adapter, self.options, Context(seed, lambda: self.epoch)
            )
        except KeyError as error:
            raise BadInput(str(error.args[0])) from None

    def close(self) -> None:
        """End the backend, where it is one of this machine."""
        if isinstance(self.provider, LocalProvider):
            self.provider.close()


async def judge_live(
    bench: Bench,
    *,
    epochs: int,
    reference: Reference,
    trusted: Bench | None = None,
    device: str = "",
    shots: int = SHOTS_PER_EPOCH,
    watch: Watch = lambda _: None,
    pause: Pause = asyncio.sleep,
) -> Judged:
    """Test one device for some epochs, and judge it by all its answers.

    Args:
        bench: The provider.
        epochs: At least 1.
        reference: Exact distributions.
        trusted: An independent run on the machine that the device is said to be; where it fails,
            the epoch goes without it.
        device: Its name; the provider's first unless told.
        shots: Of a qpu in each epoch.
        watch: Told what happens.
        pause: Waits between two looks at a job.

    Raises:
        NotFound: The provider has no such device.
        BadInput: There is no test for so small a device.
        circuits.errors.CircuitError: No test can be drawn on its gates and couplings.
    """
    claim = await device_of(bench.provider, device)
    if not plan(claim):
        raise BadInput(f"there is no test for a {claim.device_class} of one qubit")
    key = case_key(bench.secret, "permutations", HOTKEY, claim.name)
    folding = Folding(reference, key, claim.device_class is DeviceClass.QPU)
    judged = Judged(claim, judge(evidence_of(folding), claim), (), {}, 0.0, permutation_key=key)
    for epoch in range(epochs):
        before = len(judged.records)
        judged = await _epoch(
            bench, trusted, epoch, judged, folding, shots=shots, watch=watch, pause=pause
        )
        asked = len(judged.records) - before
        watch(f"epoch {epoch + 1} of {epochs}: {asked} programs on {claim.name!r}")
    start = time.process_time()
    verdict = judge(evidence_of(folding, layers=True), claim)
    return replace(judged, verdict=verdict, cpu_s=judged.cpu_s + time.process_time() - start)


async def _epoch(
    bench: Bench,
    trusted: Bench | None,
    epoch: int,
    before: Judged,
    folding: Folding,
    *,
    shots: int,
    watch: Watch,
    pause: Pause,
) -> Judged:
    """Plan by the verdict before, ask, and judge again."""
    claim, failures = before.device, dict(before.failures)

    def failed(sentence: str) -> None:
        failures[sentence] = failures.get(sentence, 0) + 1
        watch(f"epoch {epoch + 1}: {sentence}")

    bench.epoch = epoch
    start = time.process_time()
    assignments = plan(claim, reached=before.verdict.grade, shots=shots)
    cases = [one for a in assignments for one in _cases(bench, a, claim)]
    drawing = time.process_time() - start
    records = []
    for place, (planned, times) in enumerate(cases):
        case = planned.case
        job = Job(_job_key(bench, claim, epoch, place), claim.name, (case.program,), times)
        counts, kind, failure = await answer_of(bench.provider, job, pause)
        if failure:
            failed(failure)
        records.append(_record(claim, job, case, counts, kind, epoch))
    checks: list[Record] = []
    if trusted is not None:
        trusted.epoch = epoch
        checks, failure = await _trusted_answers(
            trusted, [record for record in records if _is_answered_probe(record)], pause
        )
        if failure:
            failed(failure)
    start = time.process_time()
    folding.add_epoch(records, trusted=checks)
    verdict = judge(evidence_of(folding), claim)
    return Judged(
        claim,
        verdict,
        (*before.records, *records),
        failures,
        before.cpu_s + drawing + time.process_time() - start,
        (*before.trusted, *checks),
        (*before.keys, *(planned.key for planned, _ in cases)),
        before.permutation_key,
    )


def _job_key(bench: Bench, claim: Device, epoch: int, place: int) -> str:
    return case_key(bench.secret, "job", claim.name, epoch, place).hex()


def _is_answered_probe(record: Record) -> bool:
    return is_probe(record) and record.counts is not None


async def _trusted_answers(
    bench: Bench, probes: Sequence[Record], pause: Pause
) -> tuple[list[Record], str]:
    """Run an epoch's probes on the reference; what goes wrong is a sentence, and ends the epoch.

    Returns:
        All of the answers, or none and the sentence.
    """
    answers: list[Record] = []
    for probe in probes:
        key = case_key(bench.secret, "job", probe.job_key).hex()
        job = Job(key, probe.device.name, (probe.program,), probe.shots_asked)
        counts, kind, failure = await answer_of(bench.provider, job, pause)
        if counts is not None and counts.num_bits != probe.program.num_bits:
            failure = f"bitstrings of {counts.num_bits} bits, asked were {probe.program.num_bits}"
        if failure:
            return [], f"the reference run failed: {failure}"
        answers.append(replace(probe, hotkey=TRUSTED_HOTKEY, job_key=key, counts=counts, kind=kind))
    return answers, ""


async def device_of(provider: Provider, name: str) -> Device:
    """Find a device by its name, or the provider's first.

    Raises:
        NotFound: The provider has no such device.
    """
    offered = {device.name: device for device in await provider.devices()}
    if name and name not in offered:
        raise NotFound(f"no device {name!r} here, there are {', '.join(sorted(offered))}")
    return offered[name or next(iter(offered))]


def _cases(bench: Bench, assignment: Assignment, device: Device) -> list[tuple[PlannedCase, int]]:
    """Draw an assignment's programs for the bench's epoch, with their shots."""
    moment = case_key(bench.secret, "block", bench.epoch).hex()
    drawn = draw(assignment, device, secret=bench.secret, block_hash=moment, hotkey=HOTKEY)
    return [(one, assignment.shots) for one in drawn]


async def answer_of(
    provider: Provider, job: Job, pause: Pause
) -> tuple[Counts | None, ResultKind | None, str]:
    """Run one job to its end; what goes wrong is a sentence, never an exception."""
    step = 0.002
    try:
        handle = await provider.submit(job)
        while not (await provider.state(handle)).final:
            await pause(step)
            step = min(2 * step, 1.0)
        (result,) = (await provider.result(handle)).programs
    except JobFailed as error:
        return None, None, str(error)
    except ProviderError as error:
        return None, None, f"{type(error).__name__}: {error}"
    return result.counts, result.kind, ""


def _record(
    device: Device,
    job: Job,
    case: Case,
    counts: Counts | None,
    kind: ResultKind | None,
    epoch: int,
) -> Record:
    return Record(
        hotkey=HOTKEY,
        device=device,
        epoch=epoch,
        job_key=job.key,
        index=0,
        program=case.program,
        shots_asked=job.shots,
        counts=counts,
        kind=kind,
        case=case,
        receipt_digest="",
    )
