"""The whole Provider protocol around a vendor's service: split, journal, send once, find again.

The journal (`providers.register`) has the whole job before anything is sent, so that a fresh
process can go on; `providers.delivery` sends, looks up, watches and stops.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import TYPE_CHECKING

from providers.admission import check_job
from providers.base import Cost, JobResult, JobState, Quote
from providers.delivery import Delivery, tasks_of
from providers.errors import JobFailed, NotReady, Rejected, UnknownDevice, UnknownHandle
from providers.journal import Journal
from providers.register import Register
from providers.submissions import Entry
from providers.vendor_calls import asked, asked_again, checked

if TYPE_CHECKING:
    from providers.base import Context, Device, Handle, Job, Json
    from providers.vendor import Task, TaskResult, Vendor

KEPT_OUTCOMES = 2_000_000
"""Distinct outcomes (and shots in order) over all results that are kept; the newest always is."""


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
        journal = Journal(folder / f"{vendor.name}.journal" if folder else None)
        self._register = Register(journal)
        self._book = self._register.book
        self._delivery = Delivery(vendor, self._register)
        self._devices: dict[str, Device] = {}
        self._results: dict[str, JobResult] = {}

    @property
    def name(self) -> str:
        """The adapter's name in the table."""
        return self._vendor.name

    async def devices(self) -> tuple[Device, ...]:
        """Ask the vendor to describe every device on offer."""
        found = await asked(self.name, self._vendor.devices())
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
        return await self._delivery.deliver(entry)

    async def find(self, key: str) -> Handle | None:
        """Look a job up by its key, at the vendor where its sending is in doubt.

        Returns:
            None where the vendor does not have all of it: `submit` sends the rest.
        """
        entry = self._book.entries.get(key)
        if entry is None:
            return None
        if entry.handle(self.name) is None and not entry.refusal and not entry.ended:
            await self._delivery.recover(entry)
        return entry.handle(self.name)

    async def state(self, handle: Handle) -> JobState:
        """Tell where the job stands; what has ended is not asked again."""
        return (await self._delivery.standing(self._entry(handle))).state

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
        standing = await self._delivery.standing(entry)
        if not standing.state.final:
            raise NotReady(f"job {entry.key} is {standing.state}, there is no result yet")
        if standing.state is not JobState.COMPLETED:
            raise JobFailed(standing.detail or f"job {entry.key} was {standing.state}")
        fetched = [
            await self._fetch(task, part.task_id)
            for task, part in zip(await tasks_of(entry), entry.parts, strict=True)
        ]
        await self._register.take(entry)
        programs = tuple(result for task in fetched for result in task.programs)
        record: dict[str, Json] = {"tasks": [dict(task.record) for task in fetched]}
        return self._kept(entry.key, JobResult(programs, handle.backend_job_id, record))

    async def cancel(self, handle: Handle) -> None:
        """Stop what has not ended; the job stays cancelled, whatever the vendor still does."""
        await self._delivery.stop(self._entry(handle))

    async def withdraw(self, key: str) -> None:
        """End the job of this key, also one that was sent in part or whose sending is in doubt.

        Raises:
            RetryLater: Some of it may still run at the vendor; the same call tries again.
        """
        entry = self._book.entries.get(key)
        if entry is not None:
            await self._delivery.withdraw(entry)

    async def calibration(self, device: str) -> Mapping[str, Json]:
        """Give the vendor's own calibration record of `device`."""
        await self._device(device)
        return await asked(self.name, self._vendor.calibration(device))

    async def quote(self, job: Job) -> Quote:
        """Tell the fee (per shot x shots x programs) and, where the vendor says, its price."""
        device = await self._device(job.device)
        check_job(device, job)
        fee = device.fee_rao_per_shot * job.shots * len(job.programs)
        tasks = Entry.of(job, programs_per_task=self._vendor.programs_per_task).tasks
        costs = [await asked(self.name, self._vendor.cost(task)) for task in tasks]
        return Quote(fee, _sum(costs))

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

    async def _fetch(self, task: Task, task_id: str) -> TaskResult:
        result = await asked_again(self.name, self._vendor.fetch(task, task_id))
        return checked(self.name, task, result)

    def _kept(self, key: str, result: JobResult) -> JobResult:
        """Keep a result, and forget the oldest ones that weigh too much."""
        self._results[key] = result
        weight = sum(map(_weight, self._results.values()))
        while weight > KEPT_OUTCOMES and len(self._results) > 1:
            weight -= _weight(self._results.pop(next(iter(self._results))))
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
