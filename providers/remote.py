"""The whole Provider protocol around a vendor's service: split, journal, send once, find again.

What may have reached the vendor is never sent a second time before it was looked up there by its
token: after a restart, after an answer that never came, after a caller that gave up waiting.
The journal has the whole job before anything is sent, so that a fresh process can go on.

Blind spots: one process writes one journal. A vendor whose list lags behind its door can hide a
task from `lookup`. A caller's cancellation ends its waiting, not the sending.
"""

from __future__ import annotations

import asyncio
import contextlib
import traceback
from collections import Counter
from collections.abc import Awaitable, Coroutine, Mapping, Sequence
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from providers.admission import check_job
from providers.base import Cost, JobResult, JobState, Quote
from providers.errors import (
    AdapterFault,
    JobFailed,
    NotReady,
    OutcomeUnknown,
    ProviderError,
    Rejected,
    RetryLater,
    UnknownDevice,
    UnknownHandle,
)
from providers.journal import Journal
from providers.submissions import (
    KEPT,
    Entry,
    ended_line,
    forget,
    load,
    rewrite,
    sent_line,
)
from providers.vendor import Standing, Task, TaskResult, Vendor, token_of

if TYPE_CHECKING:
    from providers.base import Context, Device, Handle, Job, Json
    from providers.journal import Line

__all__ = ["RemoteProvider", "Standing", "Task", "TaskResult", "Vendor", "fold", "token_of"]

KEPT_OUTCOMES = 2_000_000
"""Distinct outcomes (and shots in order) over all results that are kept; the newest always is."""

_T = TypeVar("_T")


class RemoteProvider:
    """A provider whose backend is a vendor's service.

    Args:
        vendor: Speaks the vendor's language.
        context: Its folder takes the journal, `<vendor.name>.journal`; without one the journal is
            in memory, and a restart forgets what was sent.

    Raises:
        AdapterFault: The journal in the folder says what cannot be.
    """

    def __init__(self, vendor: Vendor, *, context: Context) -> None:
        folder = context.folder
        self._vendor = vendor
        self._journal = Journal(folder / f"{vendor.name}.journal" if folder else None)
        self._book = load(self._journal)
        self._writing = asyncio.Lock()
        self._forgotten = 0
        self._devices: dict[str, Device] = {}
        self._results: dict[str, JobResult] = {}
        self._busy: set[asyncio.Task[object]] = set()

    @property
    def name(self) -> str:
        """The adapter's name in the table."""
        return self._vendor.name

    async def devices(self) -> tuple[Device, ...]:
        """Ask the vendor to describe every device on offer."""
        found = await self._asked(self._vendor.devices())
        self._devices = {device.name: device for device in found}
        return found

    async def submit(self, job: Job) -> Handle:
        """Send `job`, or what the vendor does not have of it yet.

        Raises:
            Rejected: The device or the vendor refuses it, or its key belongs to a different job.
            RetryLater: Nothing was started of what is missing; the same call goes on.
            OutcomeUnknown: It may have arrived; the same call, or `find`, looks it up first.
        """
        if self._book.digest(job.key) not in ("", job.digest):
            raise Rejected(f"job key {job.key} belongs to a different job")
        entry = self._book.entries.get(job.key)
        if entry is None:
            device = await self._device(job.device)
            check_job(device, job)
            for program in job.programs:
                self._vendor.admit(device, program)
            entry = self._book.enter(job, programs_per_task=self._vendor.programs_per_task)
        if entry.digest != job.digest:  # one that came while the device was asked for
            raise Rejected(f"job key {job.key} belongs to a different job")
        return await self._undisturbed(self._deliver(entry))

    async def find(self, key: str) -> Handle | None:
        """Look a job up by its key, at the vendor where its sending is in doubt.

        Returns:
            None where the vendor does not have all of it: `submit` sends the rest.
        """
        entry = self._book.entries.get(key)
        if entry is None:
            return None
        if entry.handle(self.name) is None and not entry.refusal and not entry.ended:
            await self._undisturbed(self._recover(entry))
        return entry.handle(self.name)

    async def state(self, handle: Handle) -> JobState:
        """Tell where the job stands; what has ended is not asked again."""
        return (await self._standing(self._entry(handle))).state

    async def result(self, handle: Handle) -> JobResult:
        """Fetch the results of a completed job; repeatable.

        Raises:
            NotReady: The job has not ended.
            JobFailed: It failed or was cancelled; the message is the vendor's.
            RetryLater: The vendor cannot be asked now, or refuses it: what ran stays there.
        """
        entry = self._entry(handle)
        if entry.key in self._results:
            return self._results[entry.key]
        standing = await self._standing(entry)
        if not standing.state.final:
            raise NotReady(f"job {entry.key} is {standing.state}, there is no result yet")
        if standing.state is not JobState.COMPLETED:
            raise JobFailed(standing.detail or f"job {entry.key} was {standing.state}")
        fetched = [
            _checked(task, await self._read(self._vendor.fetch(task, part.task_id)), self.name)
            for task, part in zip(await _tasks(entry), entry.parts, strict=True)
        ]
        await self._take(entry)
        programs = tuple(result for task in fetched for result in task.programs)
        record: dict[str, Json] = {"tasks": [dict(task.record) for task in fetched]}
        return self._kept(entry.key, JobResult(programs, handle.backend_job_id, record))

    async def cancel(self, handle: Handle) -> None:
        """Stop what has not ended; the job stays cancelled, whatever the vendor still does."""
        entry = self._entry(handle)
        with contextlib.suppress(RetryLater):  # what cannot be asked may still be stopped
            await self._standing(entry)
        await self._undisturbed(self._stop(entry))

    async def withdraw(self, key: str) -> None:
        """End the job of this key, also one that was sent in part or whose sending is in doubt.

        Raises:
            RetryLater: Some of it may still run at the vendor; the same call tries again.
        """
        entry = self._book.entries.get(key)
        if entry is not None:
            await self._undisturbed(self._withdraw(entry))

    async def calibration(self, device: str) -> Mapping[str, Json]:
        """Give the vendor's own calibration record of `device`."""
        await self._device(device)
        return await self._asked(self._vendor.calibration(device))

    async def quote(self, job: Job) -> Quote:
        """Tell the fee (per shot x shots x programs) and, where the vendor says, its price."""
        device = await self._device(job.device)
        check_job(device, job)
        fee = device.fee_rao_per_shot * job.shots * len(job.programs)
        tasks = Entry.of(job, programs_per_task=self._vendor.programs_per_task).tasks
        return Quote(fee, _sum([await self._asked(self._vendor.cost(task)) for task in tasks]))

    async def _device(self, name: str) -> Device:
        if name not in self._devices:
            await self.devices()
        if name not in self._devices:
            raise UnknownDevice(f"no device {name[:80]!r} here, there are {sorted(self._devices)}")
        return self._devices[name]

    def _entry(self, handle: Handle) -> Entry:
        entry = self._book.entries.get(handle.key)
        if entry is None or entry.handle(self.name) != handle:
            raise UnknownHandle(f"no job {handle.backend_job_id[:100]!r} at {self.name}")
        return entry

    async def _deliver(self, entry: Entry) -> Handle:
        """Send every part that the vendor does not have, in order."""
        async with entry.lock:
            if entry.refusal:
                raise Rejected(entry.refusal)
            if not entry.written:
                await self._intend(entry)
            for index, part in enumerate(entry.parts):
                if part.task_id:
                    continue
                if entry.ended:
                    raise JobFailed(f"job {entry.key} was {entry.ended.state} before it was sent")
                await self._deliver_part(entry, index)
        handle = entry.handle(self.name)
        if handle is None:
            raise AdapterFault(f"{self.name} gave a task without an id")
        return handle

    async def _deliver_part(self, entry: Entry, index: int) -> None:
        part, before = entry.parts[index], entry.parts[index].doubtful
        task = (await _tasks(entry))[index]
        if before and await self._found(entry, index):
            return
        part.doubtful = True  # until an answer says otherwise, also where none ever comes
        try:
            task_id = await self._asked(self._vendor.send(task))
        except OutcomeUnknown:
            raise
        except RetryLater:
            part.doubtful = before
            raise
        except Rejected as error:
            part.doubtful = before
            if not before or any(other.task_id for other in entry.parts):
                await self._refuse(entry, str(error))
            raise
        await self._know(entry, index, task_id)

    async def _found(self, entry: Entry, index: int) -> bool:
        """Look a part up at the vendor; where that fails, its outcome is still unknown."""
        task = (await _tasks(entry))[index]
        try:
            task_id = await self._asked(self._vendor.lookup(task))
        except (RetryLater, Rejected) as error:
            raise OutcomeUnknown(f"part {index} of job {entry.key}: {error}") from None
        if task_id is not None:
            await self._know(entry, index, task_id)
        return task_id is not None

    async def _know(self, entry: Entry, index: int, task_id: str) -> None:
        part = entry.parts[index]
        part.task_id, part.doubtful = task_id, False
        await self._write(sent_line(entry.key, index, task_id))

    async def _recover(self, entry: Entry) -> None:
        async with entry.lock:
            await self._look_up(entry)

    async def _look_up(self, entry: Entry) -> None:
        """Look up every part that may be at the vendor."""
        for index, part in enumerate(entry.parts):
            if part.doubtful:
                await self._found(entry, index)

    async def _intend(self, entry: Entry) -> None:
        entry.written = True
        try:
            await self._write(entry.line)
        except BaseException:
            entry.written = False
            raise

    async def _refuse(self, entry: Entry, reason: str) -> None:
        """Free the key where nothing was started; else stop what was, and remember why."""
        entry.refusal = reason
        if not any(part.task_id for part in entry.parts):
            self._book.entries.pop(entry.key, None)
            await self._write({"event": "withdrawn", "key": entry.key})
            return
        await self._write({"event": "refused", "key": entry.key, "detail": reason})
        with contextlib.suppress(ProviderError):
            await self._stop_parts(entry)

    async def _standing(self, entry: Entry) -> Standing:
        """Where the job stands; asks for the parts whose end is not known."""
        if entry.ended:
            return entry.ended
        parts = []
        for task, part in zip(await _tasks(entry), entry.parts, strict=True):
            standing = part.standing
            if standing is None:
                standing = await self._read(self._vendor.standing(task, part.task_id))
                part.standing = standing if standing.state.final else None
            parts.append(standing)
        standing = fold(parts)
        if standing.state.final:
            await self._undisturbed(self._wind_up(entry, standing))
        return entry.ended or standing

    async def _wind_up(self, entry: Entry, standing: Standing) -> None:
        """End a job, and first whatever runs on although the whole is lost."""
        async with entry.lock:
            if not entry.ended:
                await self._stop_parts(entry)
                await self._end(entry, standing)

    async def _stop(self, entry: Entry) -> None:
        async with entry.lock:
            if entry.ended and entry.ended.state is JobState.COMPLETED:
                await self._take(entry)  # nobody wants it any more
                return
            await self._stop_parts(entry)
            await self._end(entry, Standing(JobState.CANCELLED))

    async def _withdraw(self, entry: Entry) -> None:
        """End it first, so that no part is sent any more; then find and stop those that were."""
        if entry.ended and entry.ended.state is JobState.COMPLETED:
            return
        try:
            await self._end(entry, Standing(JobState.CANCELLED))
        finally:
            async with entry.lock:
                try:
                    await self._look_up(entry)
                finally:
                    await self._stop_parts(entry)

    async def _stop_parts(self, entry: Entry) -> None:
        """Stop what is at the vendor and has not ended; tries all before it raises."""
        failure: ProviderError | None = None
        for task, part in zip(await _tasks(entry), entry.parts, strict=True):
            if not part.task_id or part.standing is not None:
                continue
            try:
                await self._read(self._vendor.stop(task, part.task_id))
            except UnknownHandle:  # nothing is there
                part.standing = Standing(JobState.CANCELLED)
            except ProviderError as error:
                failure = error
            else:
                part.standing = Standing(JobState.CANCELLED)
        if failure is not None:
            raise failure

    async def _end(self, entry: Entry, standing: Standing) -> None:
        """Note once how the job ended."""
        if entry.ended:
            return
        entry.ended = standing
        if standing.state is not JobState.COMPLETED:  # else its programs are needed once more
            entry.put_away()
        await self._write(ended_line(entry.key, standing))
        await self._tidy()

    async def _take(self, entry: Entry) -> None:
        """Note that the result was fetched; without the note the job is only kept longer."""
        entry.put_away()
        if not entry.taken:
            entry.taken = True
            with contextlib.suppress(RetryLater):
                await self._write({"event": "taken", "key": entry.key})
            await self._tidy()

    async def _tidy(self) -> None:
        """Forget old jobs, and shorten the journal now and then; it is as good without."""
        self._forgotten += forget(self._book)
        if self._forgotten >= KEPT:
            self._forgotten = 0
            async with self._writing:
                with contextlib.suppress(OSError):
                    await asyncio.to_thread(rewrite, self._journal, self._book.copy())

    async def _write(self, line: Line) -> None:
        async with self._writing:
            try:
                await asyncio.to_thread(self._journal.append, line)
            except OSError as error:
                raise RetryLater(f"the journal cannot be written: {error.strerror}") from None

    def _kept(self, key: str, result: JobResult) -> JobResult:
        """Keep a result, and forget the oldest ones that weigh too much."""
        self._results[key] = result
        weight = sum(map(_weight, self._results.values()))
        while weight > KEPT_OUTCOMES and len(self._results) > 1:
            weight -= _weight(self._results.pop(next(iter(self._results))))
        return result

    async def _undisturbed(self, work: Coroutine[object, object, _T]) -> _T:
        """Do `work` to its end, even where whoever asked for it gives up waiting."""
        task = asyncio.ensure_future(work)
        self._busy.add(task)
        task.add_done_callback(self._finished)
        return await asyncio.shield(task)

    def _finished(self, task: asyncio.Task[object]) -> None:
        """Let go of a task, and look at its error, which nobody may be waiting for any more."""
        self._busy.discard(task)
        if not task.cancelled():
            task.exception()

    async def _read(self, answer: Awaitable[_T]) -> _T:
        """Ask about what is at the vendor already: a refusal to tell is not the end of it."""
        try:
            return await self._asked(answer)
        except UnknownHandle:
            raise
        except Rejected as error:
            raise RetryLater(str(error)) from None

    async def _asked(self, answer: Awaitable[_T]) -> _T:
        """Let only our own errors through: anything else is the adapter's mistake.

        Nothing comes with them: what an SDK raised may quote the request, credentials too.
        """
        try:
            return await answer
        except ProviderError as error:
            raise error from None
        except Exception as error:  # noqa: BLE001 - border, named below
            kind, place = type(error).__name__, _place(error)
        raise AdapterFault(f"{self.name} raised {kind} at {place}")


def fold(parts: Sequence[Standing]) -> Standing:
    """Where a job stands by its parts: the worst end first, and running once anything has moved.

    Example:
        >>> queued, done = Standing(JobState.QUEUED), Standing(JobState.COMPLETED)
        >>> fold([done, queued]).state, fold([done, done]).state
        (<JobState.RUNNING: 'running'>, <JobState.COMPLETED: 'completed'>)
    """
    for worst in (JobState.FAILED, JobState.CANCELLED):
        for part in parts:
            if part.state is worst:
                return part
    states = Counter(part.state for part in parts)
    if len(states) == 1:
        return parts[0]
    return Standing(JobState.RUNNING)


async def _tasks(entry: Entry) -> tuple[Task, ...]:
    """The tasks of a job; long programs take long to parse: not where everybody waits for it."""
    if entry.unpacked:
        return entry.tasks
    return await asyncio.to_thread(lambda: entry.tasks)


def _place(error: Exception) -> str:
    """Where an error was raised: file and line, nothing of what was there."""
    *_, last = traceback.walk_tb(error.__traceback__)
    return f"{Path(last[0].f_code.co_filename).name}:{last[1]}"


def _checked(task: Task, result: TaskResult, vendor: str) -> TaskResult:
    """Raise AdapterFault where a result does not fit what was sent."""
    if len(result.programs) != len(task.programs):
        raise AdapterFault(
            f"{vendor} gave {len(result.programs)} results for {len(task.programs)} programs"
        )
    for index, (program, given) in enumerate(zip(task.programs, result.programs, strict=True)):
        if given.counts.num_bits != program.num_bits or given.counts.shots > task.shots:
            raise AdapterFault(
                f"{vendor} gave {given.counts.shots} shots of {given.counts.num_bits} bits for "
                f"program {index}, which has {program.num_bits} bits and {task.shots} shots"
            )
    return result


def _weight(result: JobResult) -> int:
    return sum(len(one.counts.table) + len(one.memory or ()) for one in result.programs)


def _sum(costs: Sequence[Cost | None]) -> Cost | None:
    """Add what the parts cost; None where one is not known or the currencies differ."""
    known = [cost for cost in costs if cost is not None]
    if len(known) < len(costs) or len({cost.currency for cost in known}) != 1:
        return None
    total = sum((Decimal(cost.amount) for cost in known), Decimal(0))
    return Cost(format(total, "f"), known[0].currency)
