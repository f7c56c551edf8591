"""The contract suite: does an adapter keep the Provider protocol and our bit order?

It needs nothing but the protocol, so that anybody can run it on an adapter of their own: one
finding a promise, with what was expected and what was got. `providers.probes` has the circuits,
`providers.judging` tells right answers from wrong ones.

Blind spot: a promise kept here may be broken under load, or after a restart.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import asdict, dataclass, replace
from functools import partial

from circuits.counts import Counts
from circuits.program import Operation, Program, measure
from providers.base import Device, DeviceClass, Handle, Job, JobResult, JobState, Provider
from providers.errors import (
    JobFailed,
    NotReady,
    ProviderError,
    Rejected,
    UnknownDevice,
    UnknownHandle,
)
from providers.findings import Aspect, Finding, Report
from providers.judging import judge
from providers.probes import Probe, flip, probe_set

Pause = Callable[[float], Awaitable[None]]

_ENOUGH = 200
"""Shots after which a bit that is wrong in less than a quarter of them is outvoted for certain."""


async def check(
    provider: Provider,
    *,
    device: str | None = None,
    salt: bytes = b"",
    shots: int = 2_000,
    patience_s: float = 600.0,
    pause: Pause = asyncio.sleep,
) -> Report:
    """Run the whole suite on one device of `provider`.

    Args:
        provider: What is tested; its jobs are real and cost what they cost.
        device: Which of its devices; the first unless told.
        salt: Goes into every job key. Give a fresh one at a backend that remembers old jobs.
        shots: Of the entangled probe, capped by the device; all else takes 200 at most.
        patience_s: How long one job may take, in seconds of `pause`.
        pause: Waits between two looks at a job.

    Raises:
        providers.errors.ProviderError: The provider does not even describe its devices.
        UnknownDevice: It has no device of that name.
    """
    offered = {described.name: described for described in await provider.devices()}
    name = device if device is not None else next(iter(offered), "")
    if name not in offered:
        raise UnknownDevice(f"no device {name!r} here, there are {sorted(offered)}")
    described = offered[name]
    run = _Run(provider, described, salt, min(shots, described.max_shots), patience_s, pause)
    findings = [finding async for finding in run.findings()]
    return Report(provider.name, name, tuple(findings))


@dataclass(frozen=True, slots=True)
class _Run:
    """One pass over one device."""

    provider: Provider
    device: Device
    salt: bytes
    shots: int
    patience_s: float
    pause: Pause

    async def findings(self) -> AsyncIterator[Finding]:
        """Make every check; an exception is a finding too, and ends only its own check."""
        for name, expected, promise in (
            ("description", "JSON, a name, this adapter's name", self._description),
            ("calibration", "a JSON object", self._calibration),
            ("quote", "a whole fee >= 0, the same twice, and nothing started", self._quote),
            ("submit and find", "one handle per key, found again, plain data", self._submit),
            ("result", "asked shots, full keys, twice the same", self._result),
            ("memory", "no shots in order, or those behind the counts", self._memory),
            ("one key, one job", "Rejected or the first handle", self._second_job),
            ("unknown names", "UnknownDevice, UnknownHandle, None", self._unknown),
            ("limits", "Rejected when too wide, too many shots or programs", self._limits),
            ("native gates", "Rejected, unless a simulator", self._native),
            ("early result and cancel", "NotReady, then an end, then JobFailed", self._cancel),
        ):
            yield await _attempt(name, expected, promise)
        async for finding in self._probes():
            yield finding

    def _job(self, purpose: str, *programs: Program, shots: int = 0, memory: bool = False) -> Job:
        key = hashlib.sha256(self.salt + purpose.encode()).hexdigest()
        shots = shots or min(self.shots, _ENOUGH)
        return Job(key, self.device.name, programs, shots, memory=memory)

    def _simple(self) -> Program:
        """A flip of qubit 0, or its bare measurement where no gate is known."""
        on: tuple[Operation, ...] = flip(self.device.topology, 0)
        return Program(self.device.topology.num_qubits, 2, (*on, measure(0, 0)))

    async def _ended(self, handle: Handle) -> JobState:
        """Look at the job, less and less often, until it has ended or patience has."""
        waited, step = 0.0, 0.005
        while not (state := await self.provider.state(handle)).final and waited < self.patience_s:
            await self.pause(step)
            waited, step = waited + step, min(2 * step, 1.0)
        return state

    async def _finish(self, job: Job) -> JobResult:
        handle = await self.provider.submit(job)
        await self._ended(handle)
        return await self.provider.result(handle)

    async def _description(self) -> str:
        json.dumps(asdict(self.device), allow_nan=False)
        again = {device.name: device for device in await self.provider.devices()}
        if again.get(self.device.name) != self.device:
            return "another description the second time"
        if self.device.provider != self.provider.name:
            return f"device of {self.device.provider!r} at provider {self.provider.name!r}"
        return ""

    async def _calibration(self) -> str:
        record = await self.provider.calibration(self.device.name)
        json.dumps(dict(record), allow_nan=False)
        return ""

    async def _quote(self) -> str:
        job = self._job("quote", self._simple())
        first, second = await self.provider.quote(job), await self.provider.quote(job)
        if first != second or not isinstance(first.fee_rao, int) or first.fee_rao < 0:
            return f"{first.fee_rao!r} and {second.fee_rao!r} rao"
        return "a job was started" if await self.provider.find(job.key) else ""

    async def _submit(self) -> str:
        job = self._job("submit", self._simple())
        first = await self.provider.submit(job)
        second = await self.provider.submit(job)
        found = await self.provider.find(job.key)
        read_back = Handle(**json.loads(json.dumps(asdict(first))))
        await self.provider.state(read_back)
        await self._ended(first)
        later = await self.provider.submit(job)
        if not first == second == found == later:
            return f"{first}, {second}, {found}, {later}"
        return "" if (first.key, first.device) == (job.key, job.device) else f"{first}"

    async def _result(self) -> str:
        job = self._job("result", self._simple(), self._simple())
        first, second = await self._finish(job), await self._finish(job)
        json.dumps(dict(first.backend_record), allow_nan=False)
        returned = [result.counts.shots for result in first.programs]
        if first != second:
            return "another result the second time"
        if len(returned) != 2 or max(returned) > job.shots or min(returned) < 1:
            return f"{returned} shots for 2 programs of {job.shots}"
        if self.device.device_class is DeviceClass.SIMULATOR and min(returned) < job.shots:
            return f"{returned} shots of {job.shots} from a simulator"
        widths = [result.counts.num_bits for result in first.programs]
        return "" if widths == [2, 2] else f"counts of {widths} bits for 2 declared"

    async def _memory(self) -> str:
        result = (await self._finish(self._job("memory", self._simple(), memory=True))).programs[0]
        if result.memory is None:
            return ""
        table: dict[str, int] = {}
        for bits in result.memory:
            table[bits] = table.get(bits, 0) + 1
        kept = Counts(result.counts.num_bits, table)
        return "" if kept == result.counts else f"{kept.shots} shots that give other counts"

    async def _second_job(self) -> str:
        job = self._job("submit", self._simple())
        first = await self.provider.submit(job)
        try:
            second = await self.provider.submit(replace(job, shots=1 if job.shots > 1 else 2))
        except Rejected:
            return ""
        return "" if second == first else f"a second job: {second}"

    async def _unknown(self) -> str:
        job = self._job("never sent", self._simple())
        if await self.provider.find(job.key) is not None:
            return "a handle for a key that was never sent"
        stray = Handle(self.provider.name, self.device.name, job.key, "no-such-job")
        elsewhere = replace(job, device="no-such-device")
        return (
            await _refusal(lambda: self.provider.state(stray), UnknownHandle)
            or await _refusal(lambda: self.provider.result(stray), UnknownHandle)
            or await _refusal(lambda: self.provider.cancel(stray), UnknownHandle)
            or await _refusal(lambda: self.provider.submit(elsewhere), UnknownDevice)
            or await _refusal(lambda: self.provider.calibration("no-such-device"), UnknownDevice)
        )

    async def _limits(self) -> str:
        simple, n = self._simple(), self.device.topology.num_qubits
        too_wide = Program(n + 1, 2, (*simple.operations, measure(n, 1)))
        too_many = (simple,) * (self.device.max_programs + 1)
        for what, job in (
            ("wide", self._job("too wide", too_wide)),
            ("shots", self._job("too many shots", simple, shots=self.device.max_shots + 1)),
            ("programs", self._job("too many programs", *too_many, shots=1)),
        ):
            wrong = await _refusal(partial(self.provider.submit, job), Rejected)
            if wrong:
                return f"{what}: {wrong}"
        return ""

    async def _native(self) -> str:
        foreign = sorted({"h", "t", "cx", "cz"} - set(self.device.topology.native_gates))
        if self.device.device_class is DeviceClass.SIMULATOR or not foreign:
            return ""
        n = self.device.topology.num_qubits
        qubits = (0, 1) if foreign[0] in ("cx", "cz") else (0,)
        if n < len(qubits):
            return ""
        program = Program(n, 1, (Operation(foreign[0], qubits), measure(0, 0)))
        job = self._job("foreign gate", program)
        return await _refusal(lambda: self.provider.submit(job), Rejected)

    async def _cancel(self) -> str:
        handle = await self.provider.submit(self._job("cancel", self._simple(), self._simple()))
        with contextlib.suppress(NotReady, JobFailed):
            await self.provider.result(handle)
        await self.provider.cancel(handle)
        state = await self._ended(handle)
        await self.provider.cancel(handle)
        if not state.final:
            return f"still {state} after {self.patience_s:g} s"
        if state is JobState.COMPLETED:
            await self.provider.result(handle)
            return ""
        return await _refusal(lambda: self.provider.result(handle), JobFailed)

    async def _probes(self) -> AsyncIterator[Finding]:
        """Send the probe set: what every device must run in few jobs, the rest one by one."""
        probes = probe_set(self.device)
        together = [probe for probe in probes if probe.expected and not probe.optional]
        size = self.device.max_programs
        batches = [together[at : at + size] for at in range(0, len(together), size)]
        batches += [[probe] for probe in probes if probe not in together]
        for batch in batches:
            for finding in await self._answers(batch):
                yield finding

    async def _answers(self, batch: Sequence[Probe]) -> list[Finding]:
        """Run some probes as one job; a failure is every one's."""
        shots = 0 if batch[0].expected else self.shots
        programs = [probe.program for probe in batch]
        job = self._job(f"probe {batch[0].name}", *programs, shots=shots)
        try:
            results = (await self._finish(job)).programs
        except Exception as error:  # noqa: BLE001 - what is tested may raise anything
            wrong = _named(error)
            refused = isinstance(error, Rejected | JobFailed)
            return [
                Finding(Aspect.PROBE, p.name, p.expected, wrong, ok=p.optional and refused)
                for p in batch
            ]
        if len(results) != len(batch):
            wrong = f"{len(results)} results for {len(batch)} programs"
            return [Finding(Aspect.PROBE, p.name, p.expected, wrong, ok=False) for p in batch]
        return [
            judge(self.device, probe, result.counts)
            for probe, result in zip(batch, results, strict=True)
        ]


async def _attempt(name: str, expected: str, promise: Callable[[], Awaitable[str]]) -> Finding:
    """Make one check of the protocol; it returns what is wrong, or ''."""
    try:
        wrong = await promise()
    except Exception as error:  # noqa: BLE001 - what is tested may raise anything: it is a finding
        wrong = _named(error)
    return Finding(Aspect.PROTOCOL, name, expected, wrong or "as expected", ok=not wrong)


async def _refusal(call: Callable[[], Awaitable[object]], allowed: type[ProviderError]) -> str:
    """Say what is wrong when `call` does not raise `allowed`; '' when it does."""
    try:
        answer = await call()
    except allowed:
        return ""
    except ProviderError as error:
        return f"{_named(error)} where {allowed.__name__} was due"
    return f"{answer!r}"[:200] + f" where {allowed.__name__} was due"


def _named(error: BaseException) -> str:
    return f"{type(error).__name__}: {error}"[:300]
