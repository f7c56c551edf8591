"""What is done with one job at the vendor: sent once, looked up after a doubt, watched, stopped.

What may have reached the vendor is never sent a second time before it was looked up there by its
token: after a restart, after an answer that never came, after a caller that gave up waiting.

Blind spots: a vendor whose list lags behind its door can hide a task from `lookup`. A caller's
cancellation ends its waiting, not the sending.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections import Counter
from collections.abc import Coroutine, Sequence
from typing import TYPE_CHECKING, TypeVar

from providers.base import JobState
from providers.errors import (
    AdapterFault,
    JobFailed,
    OutcomeUnknown,
    ProviderError,
    Rejected,
    RetryLater,
    UnknownHandle,
)
from providers.vendor import Standing
from providers.vendor_calls import asked, asked_again

if TYPE_CHECKING:
    from providers.base import Handle
    from providers.register import Register
    from providers.submissions import Entry
    from providers.vendor import Task, Vendor

_T = TypeVar("_T")


class Delivery:
    """Brings jobs to a vendor and follows them there.

    What sends, looks up, withdraws or stops goes to its end once begun, also where its caller gives
    up waiting; asking where a job stands does not.

    Args:
        vendor: Speaks the vendor's language.
        register: Has every step before the next is made.
    """

    def __init__(self, vendor: Vendor, register: Register) -> None:
        self._vendor = vendor
        self._register = register
        self._busy: set[asyncio.Task[object]] = set()

    async def deliver(self, entry: Entry) -> Handle:
        """Send every part that the vendor does not have, in order.

        Raises:
            Rejected: The vendor refuses it.
            RetryLater: Nothing was started of what is missing; the same call goes on.
            OutcomeUnknown: It may have arrived; the same call looks it up first.
            JobFailed: It was cancelled before all of it was sent.
        """
        return await self._undisturbed(self._deliver(entry))

    async def recover(self, entry: Entry) -> None:
        """Look up every part that may be at the vendor."""
        await self._undisturbed(self._recover(entry))

    async def standing(self, entry: Entry) -> Standing:
        """Where the job stands; asks for the parts whose end is not known."""
        if entry.ended:
            return entry.ended
        parts = []
        for task, part in zip(await tasks_of(entry), entry.parts, strict=True):
            standing = part.standing
            if standing is None:
                answer = self._vendor.standing(task, part.task_id)
                standing = await asked_again(self._vendor.name, answer)
                part.standing = standing if standing.state.final else None
            parts.append(standing)
        standing = fold(parts)
        if standing.state.final:
            await self._undisturbed(self._wind_up(entry, standing))
        return entry.ended or standing

    async def stop(self, entry: Entry) -> None:
        """Stop what has not ended; the job stays cancelled, whatever the vendor still does."""
        with contextlib.suppress(RetryLater):  # what cannot be asked may still be stopped
            await self.standing(entry)
        await self._undisturbed(self._stop(entry))

    async def withdraw(self, entry: Entry) -> None:
        """End it first, so that no part is sent any more; then find and stop those that were.

        Raises:
            RetryLater: Some of it may still run at the vendor; the same call tries again.
        """
        await self._undisturbed(self._withdraw(entry))

    async def _deliver(self, entry: Entry) -> Handle:
        async with entry.lock:
            if entry.refusal:
                raise Rejected(entry.refusal)
            await self._register.intend(entry)
            for index, part in enumerate(entry.parts):
                if part.task_id:
                    continue
                if entry.ended:
                    raise JobFailed(f"job {entry.key} was {entry.ended.state} before it was sent")
                await self._deliver_part(entry, index)
        handle = entry.handle(self._vendor.name)
        if handle is None:
            raise AdapterFault(f"{self._vendor.name} gave a task without an id")
        return handle

    async def _deliver_part(self, entry: Entry, index: int) -> None:
        part, before = entry.parts[index], entry.parts[index].doubtful
        task = (await tasks_of(entry))[index]
        if before and await self._found(entry, index):
            return
        part.doubtful = True  # until an answer says otherwise, also where none ever comes
        try:
            task_id = await asked(self._vendor.name, self._vendor.send(task))
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
        await self._register.know(entry, index, task_id)

    async def _refuse(self, entry: Entry, reason: str) -> None:
        """Note the refusal; what was started of the job is stopped."""
        await self._register.refuse(entry, reason)
        if any(part.task_id for part in entry.parts):
            with contextlib.suppress(ProviderError):
                await self._stop_parts(entry)

    async def _found(self, entry: Entry, index: int) -> bool:
        """Look a part up at the vendor; where that fails, its outcome is still unknown."""
        task = (await tasks_of(entry))[index]
        try:
            task_id = await asked(self._vendor.name, self._vendor.lookup(task))
        except (RetryLater, Rejected) as error:
            raise OutcomeUnknown(f"part {index} of job {entry.key}: {error}") from None
        if task_id is not None:
            await self._register.know(entry, index, task_id)
        return task_id is not None

    async def _recover(self, entry: Entry) -> None:
        async with entry.lock:
            await self._look_up(entry)

    async def _look_up(self, entry: Entry) -> None:
        for index, part in enumerate(entry.parts):
            if part.doubtful:
                await self._found(entry, index)

    async def _wind_up(self, entry: Entry, standing: Standing) -> None:
        """End a job, and first whatever runs on although the whole is lost."""
        async with entry.lock:
            if not entry.ended:
                await self._stop_parts(entry)
                await self._register.end(entry, standing)

    async def _stop(self, entry: Entry) -> None:
        async with entry.lock:
            if entry.ended and entry.ended.state is JobState.COMPLETED:
                await self._register.take(entry)  # nobody wants it any more
                return
            await self._stop_parts(entry)
            await self._register.end(entry, Standing(JobState.CANCELLED))

    async def _withdraw(self, entry: Entry) -> None:
        if entry.ended and entry.ended.state is JobState.COMPLETED:
            return
        try:
            await self._register.end(entry, Standing(JobState.CANCELLED))
        finally:
            async with entry.lock:
                try:
                    await self._look_up(entry)
                finally:
                    await self._stop_parts(entry)

    async def _stop_parts(self, entry: Entry) -> None:
        """Stop what is at the vendor and has not ended; tries all before it raises."""
        failure: ProviderError | None = None
        for task, part in zip(await tasks_of(entry), entry.parts, strict=True):
            if not part.task_id or part.standing is not None:
                continue
            try:
                await asked_again(self._vendor.name, self._vendor.stop(task, part.task_id))
            except UnknownHandle:  # nothing is there
                part.standing = Standing(JobState.CANCELLED)
            except ProviderError as error:
                failure = error
            else:
                part.standing = Standing(JobState.CANCELLED)
        if failure is not None:
            raise failure

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


async def tasks_of(entry: Entry) -> tuple[Task, ...]:
    """The tasks of a job; long programs take long to parse: not where everybody waits for it."""
    if entry.unpacked:
        return entry.tasks
    return await asyncio.to_thread(lambda: entry.tasks)


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
