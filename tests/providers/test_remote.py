"""The common form of remote adapters, around a vendor's service that lives through restarts."""

from __future__ import annotations

import asyncio
import threading
import traceback
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest

from circuits import parsing
from circuits.counts import Counts
from circuits.errors import ProgramError
from circuits.program import Operation, Program, final_measurements, measure
from circuits.topology import complete
from providers import register, submissions
from providers.base import (
    Context,
    Cost,
    Device,
    DeviceClass,
    Handle,
    Job,
    JobState,
    Json,
    ProgramResult,
    ResultKind,
)
from providers.conformance import check
from providers.dense import probabilities
from providers.errors import (
    AdapterFault,
    JobFailed,
    NotReady,
    OutcomeUnknown,
    Rejected,
    RetryLater,
    UnknownDevice,
    UnknownHandle,
)
from providers.remote import RemoteProvider
from providers.vendor import Standing, Task, TaskResult, token_of

DEVICE = Device(
    "far", DeviceClass.SIMULATOR, complete(3, ["cx", "u"]), None, "fake", fee_rao_per_shot=2
)
BELL = Program(2, 2, (Operation("h", (0,)), Operation("cx", (0, 1)), measure(0, 0), measure(1, 1)))
ONE = Program(1, 1, (Operation("x", (0,)), measure(0, 0)))


@dataclass
class Service:
    """What the vendor has: it outlives every process of ours.

    `script` is a list of faults for the coming sends: an error before acceptance, or `lost` (the
    task starts, the answer does not come back) or `vanished` (neither). `polls`, `stops` and
    `fetches` are the errors of the coming questions, once each.
    """

    tasks: dict[str, Task] = field(default_factory=dict)
    states: dict[str, JobState] = field(default_factory=dict)
    script: list[Exception | str] = field(default_factory=list)
    calls: list[str] = field(default_factory=list)
    end: JobState = JobState.COMPLETED
    answer: Counts | None = None
    hidden: Exception | None = None
    polls: list[Exception] = field(default_factory=list)
    stops: list[Exception] = field(default_factory=list)
    fetches: list[Exception] = field(default_factory=list)

    def accept(self, task: Task) -> str:
        task_id = f"task-{len(self.tasks)}"
        self.tasks[task_id] = task
        self.states[task_id] = JobState.QUEUED
        return task_id


@dataclass
class Fake:
    """The vendor's half, as a process of ours sees the service."""

    service: Service
    programs_per_task: int = 2
    name: str = "fake"
    gate: asyncio.Event | None = None
    asked: asyncio.Event = field(default_factory=asyncio.Event)

    async def devices(self) -> tuple[Device, ...]:
        return (DEVICE,)

    def admit(self, device: Device, program: Program) -> None:
        try:
            final_measurements(program)
        except ProgramError as error:
            raise Rejected(str(error)) from error

    async def send(self, task: Task) -> str:
        self.service.calls.append("send")
        self.asked.set()
        if self.gate is not None:
            await self.gate.wait()
        fault = self.service.script.pop(0) if self.service.script else ""
        if isinstance(fault, Exception):
            raise fault
        if fault == "vanished":
            raise OutcomeUnknown("no answer")
        task_id = self.service.accept(task)
        if fault == "lost":
            raise OutcomeUnknown("no answer")
        return task_id

    async def lookup(self, task: Task) -> str | None:
        self.service.calls.append("lookup")
        if self.service.hidden is not None:
            raise self.service.hidden
        tokens = {known.token: task_id for task_id, known in self.service.tasks.items()}
        return tokens.get(task.token)

    async def standing(self, task: Task, task_id: str) -> Standing:
        if self.service.polls:
            raise self.service.polls.pop(0)
        if self.service.tasks.get(task_id) != task:
            raise UnknownHandle(task_id)
        if self.service.states[task_id] is JobState.QUEUED:
            self.service.states[task_id] = JobState.RUNNING
            return Standing(JobState.QUEUED)
        if self.service.states[task_id] is JobState.RUNNING:
            self.service.states[task_id] = self.service.end
        detail = "fridge warm" if self.service.states[task_id] is JobState.FAILED else ""
        return Standing(self.service.states[task_id], detail)

    async def fetch(self, task: Task, task_id: str) -> TaskResult:
        self.service.calls.append("fetch")
        if self.service.fetches:
            raise self.service.fetches.pop(0)
        results = []
        for program in task.programs:
            law = probabilities(program)
            table = {key: int(p * task.shots) for key, p in law.items()}
            table[max(law, key=lambda key: law[key])] += task.shots - sum(table.values())
            counts = self.service.answer or Counts(program.num_bits, table)
            results.append(ProgramResult(counts, ResultKind.COUNTS))
        return TaskResult(tuple(results), {"id": task_id})

    async def stop(self, task: Task, task_id: str) -> None:
        self.service.calls.append(f"stop {task_id}")
        if self.service.stops:
            raise self.service.stops.pop(0)
        if not self.service.states[task_id].final:
            self.service.states[task_id] = JobState.CANCELLED

    async def calibration(self, device: str) -> Mapping[str, Json]:
        return {"measured": "2026-11-20T08:00:00Z"}

    async def cost(self, task: Task) -> Cost | None:
        return Cost(f"{len(task.programs) * 0.3:.2f}", "USD")


@pytest.fixture
def service() -> Service:
    return Service()


@pytest.fixture
def kept(tmp_path: Path) -> Context:
    return Context(b"seed", lambda: 0, tmp_path)


def job(*programs: Program, key: str = "a", shots: int = 100) -> Job:
    return Job(key * 64, "far", programs or (BELL,), shots)


def started(service: Service, context: Context) -> RemoteProvider:
    """A process of ours, fresh."""
    return RemoteProvider(Fake(service), context=context)


async def finished(provider: RemoteProvider, handle: Handle) -> JobState:
    for _ in range(4):
        await provider.state(handle)
    return await provider.state(handle)


async def brief(_seconds: float) -> None:
    await asyncio.sleep(0)


def test_the_contract_suite_finds_nothing(service: Service, kept: Context) -> None:
    report = asyncio.run(check(started(service, kept), pause=brief))
    assert report.failed == ()
    assert len(report.findings) >= 20


def test_the_contract_suite_finds_nothing_without_a_folder(service: Service) -> None:
    bare = Context(b"seed", lambda: 0)
    assert asyncio.run(check(started(service, bare), pause=brief)).failed == ()


def test_a_job_is_split_into_tasks_with_a_token_each_and_joined_again(
    service: Service, kept: Context
) -> None:
    async def run() -> None:
        provider = started(service, kept)
        handle = await provider.submit(job(BELL, ONE, BELL))
        assert handle.backend_job_id == "task-0,task-1"
        assert [task.programs for task in service.tasks.values()] == [(BELL, ONE), (BELL,)]
        assert [t.token for t in service.tasks.values()] == [token_of("a" * 64, i) for i in (0, 1)]
        with pytest.raises(NotReady, match="queued"):
            await provider.result(handle)
        assert await finished(provider, handle) is JobState.COMPLETED
        result = await provider.result(handle)
        assert [one.counts.num_bits for one in result.programs] == [2, 1, 2]
        assert result.backend_record == {"tasks": [{"id": "task-0"}, {"id": "task-1"}]}
        assert result == await provider.result(handle)
        assert service.calls.count("fetch") == 2

    asyncio.run(run())


def test_a_restart_after_the_intention_looks_first_and_then_sends(
    service: Service, kept: Context
) -> None:
    service.script = [RuntimeError("the process dies here")]
    with pytest.raises(AdapterFault, match="fake raised RuntimeError"):
        asyncio.run(started(service, kept).submit(job()))
    handle = asyncio.run(started(service, kept).submit(job()))
    assert handle.backend_job_id == "task-0"
    assert service.calls == ["send", "lookup", "send"]


def test_a_restart_before_the_answer_finds_the_task_and_sends_nothing(
    service: Service, kept: Context
) -> None:
    service.script = ["lost"]
    with pytest.raises(OutcomeUnknown):
        asyncio.run(started(service, kept).submit(job()))
    found = asyncio.run(started(service, kept).find("a" * 64))
    assert found == Handle("fake", "far", "a" * 64, "task-0")
    assert asyncio.run(started(service, kept).submit(job())) == found
    assert service.calls == ["send", "lookup"]  # what was found is in the journal


def test_a_restart_before_the_result_asks_by_id(service: Service, kept: Context) -> None:
    handle = asyncio.run(started(service, kept).submit(job(BELL, BELL, ONE)))

    async def later() -> None:
        provider = started(service, kept)
        assert await provider.find("a" * 64) == handle
        assert await finished(provider, handle) is JobState.COMPLETED
        assert len((await provider.result(handle)).programs) == 3

    asyncio.run(later())
    assert service.calls == ["send", "send", "fetch", "fetch"]


def test_a_restart_between_two_parts_sends_the_second_alone(
    service: Service, kept: Context
) -> None:
    service.script = ["", RetryLater("busy")]
    with pytest.raises(RetryLater, match="busy"):
        asyncio.run(started(service, kept).submit(job(BELL, BELL, ONE)))
    provider = started(service, kept)
    assert asyncio.run(provider.find("a" * 64)) is None
    handle = asyncio.run(provider.submit(job(BELL, BELL, ONE)))
    assert handle.backend_job_id == "task-0,task-1"
    assert len(service.tasks) == 2


@pytest.mark.parametrize(("fault", "sends"), [("lost", 1), ("vanished", 2)])
def test_an_answer_that_never_came_is_looked_up_before_a_second_send(
    service: Service, kept: Context, fault: str, sends: int
) -> None:
    async def run() -> None:
        provider = started(service, kept)
        service.script = [fault]
        with pytest.raises(OutcomeUnknown):
            await provider.submit(job())
        await provider.submit(job())
        assert service.calls[:2] == ["send", "lookup"]
        assert service.calls.count("send") == sends
        assert len(service.tasks) == 1

    asyncio.run(run())


@pytest.mark.parametrize("hidden", [RetryLater("503"), Rejected("401: the token has expired")])
def test_a_lookup_that_fails_leaves_the_outcome_unknown_and_sends_nothing(
    service: Service, kept: Context, hidden: Exception
) -> None:
    async def run() -> None:
        provider = started(service, kept)
        service.script, service.hidden = ["lost"], hidden
        with pytest.raises(OutcomeUnknown):
            await provider.submit(job())
        for call in (provider.submit(job()), provider.find("a" * 64)):
            with pytest.raises(OutcomeUnknown, match=str(hidden)):
                await call
        service.hidden = None
        await provider.submit(job())

    asyncio.run(run())
    assert service.calls.count("send") == 1


def test_a_busy_vendor_is_asked_again_without_a_lookup(service: Service, kept: Context) -> None:
    async def run() -> None:
        provider = started(service, kept)
        service.script = [RetryLater("429")]
        with pytest.raises(RetryLater, match="429"):
            await provider.submit(job())
        assert await provider.find("a" * 64) is None
        await provider.submit(job())

    asyncio.run(run())
    assert service.calls == ["send", "send"]


def test_concurrent_submissions_of_one_key_send_once(service: Service, kept: Context) -> None:
    async def run() -> None:
        provider = started(service, kept)
        handles = await asyncio.gather(*(provider.submit(job(BELL, ONE, BELL)) for _ in range(5)))
        assert len(set(handles)) == 1

    asyncio.run(run())
    assert service.calls == ["send", "send"]


def test_a_caller_that_gives_up_does_not_undo_the_sending(service: Service, kept: Context) -> None:
    async def run() -> None:
        gate = asyncio.Event()
        vendor = Fake(service, gate=gate)
        provider = RemoteProvider(vendor, context=kept)
        waiting = asyncio.create_task(provider.submit(job()))
        await vendor.asked.wait()
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting
        again = asyncio.create_task(provider.submit(job()))
        gate.set()
        assert (await again).backend_job_id == "task-0"

    asyncio.run(run())
    assert service.calls == ["send"]


def test_a_refused_job_frees_its_key(service: Service, kept: Context) -> None:
    service.script = [Rejected("401")]
    with pytest.raises(Rejected, match="401"):
        asyncio.run(started(service, kept).submit(job()))
    provider = started(service, kept)
    assert asyncio.run(provider.find("a" * 64)) is None
    other = replace(job(), shots=7)
    assert asyncio.run(provider.submit(other)).backend_job_id == "task-0"
    assert service.calls == ["send", "send"]


def test_a_job_refused_halfway_is_stopped_and_stays_refused(
    service: Service, kept: Context
) -> None:
    service.script = ["", Rejected("too deep")]
    with pytest.raises(Rejected, match="too deep"):
        asyncio.run(started(service, kept).submit(job(BELL, BELL, ONE)))
    assert service.states == {"task-0": JobState.CANCELLED}
    provider = started(service, kept)
    assert asyncio.run(provider.find("a" * 64)) is None
    with pytest.raises(Rejected, match="too deep"):
        asyncio.run(provider.submit(job(BELL, BELL, ONE)))


def test_a_key_belongs_to_one_job_after_a_restart_too(service: Service, kept: Context) -> None:
    asyncio.run(started(service, kept).submit(job()))
    with pytest.raises(Rejected, match="different job"):
        asyncio.run(started(service, kept).submit(replace(job(), memory=True)))


def test_what_does_not_fit_is_refused_before_anything_is_sent(
    service: Service, kept: Context
) -> None:
    provider = started(service, kept)
    again = Program(1, 1, (Operation("reset", (0,)), measure(0, 0)))
    with pytest.raises(Rejected, match="reset"):
        asyncio.run(provider.submit(job(again)))
    with pytest.raises(UnknownDevice, match="far"):
        asyncio.run(provider.submit(replace(job(), device="near")))
    assert service.calls == []
    assert started(service, kept)._book.entries == {}


def test_a_part_that_fails_fails_the_job_with_the_vendors_words(
    service: Service, kept: Context
) -> None:
    async def run() -> None:
        provider = started(service, kept)
        handle = await provider.submit(job(BELL, BELL, ONE))
        service.states["task-1"] = JobState.FAILED
        assert await provider.state(handle) is JobState.FAILED
        with pytest.raises(JobFailed, match="fridge warm"):
            await provider.result(handle)
        await provider.cancel(handle)
        assert service.calls == ["send", "send", "stop task-0"]

    asyncio.run(run())
    with pytest.raises(JobFailed, match="fridge warm"):
        asyncio.run(started(service, kept).result(Handle("fake", "far", "a" * 64, "task-0,task-1")))


def test_a_cancelled_job_stays_cancelled_whatever_the_vendor_says(
    service: Service, kept: Context
) -> None:
    async def run() -> Handle:
        provider = started(service, kept)
        handle = await provider.submit(job(BELL, BELL, ONE))
        await provider.cancel(handle)
        await provider.cancel(handle)
        assert service.calls == ["send", "send", "stop task-0", "stop task-1"]
        return handle

    handle = asyncio.run(run())
    service.states.update({"task-0": JobState.COMPLETED, "task-1": JobState.COMPLETED})
    provider = started(service, kept)
    assert asyncio.run(provider.state(handle)) is JobState.CANCELLED
    with pytest.raises(JobFailed, match="cancelled"):
        asyncio.run(provider.result(handle))


def test_cancelling_what_has_ended_changes_nothing(service: Service, kept: Context) -> None:
    async def run() -> None:
        provider = started(service, kept)
        handle = await provider.submit(job())
        await finished(provider, handle)
        await provider.cancel(handle)
        assert await provider.state(handle) is JobState.COMPLETED
        assert service.calls == ["send"]

    asyncio.run(run())


@pytest.mark.parametrize(
    ("counts", "message"),
    [(Counts(3, {"000": 100}), "3 bits"), (Counts(2, {"00": 101}), "101 shots")],
)
def test_a_result_that_does_not_fit_the_program_is_a_fault(
    service: Service, kept: Context, counts: Counts, message: str
) -> None:
    async def run() -> None:
        provider = started(service, kept)
        handle = await provider.submit(job())
        service.answer = counts
        await finished(provider, handle)
        with pytest.raises(AdapterFault, match=message):
            await provider.result(handle)

    asyncio.run(run())


def test_fewer_shots_than_asked_are_passed_on_as_they_are(service: Service, kept: Context) -> None:
    async def run() -> int:
        provider = started(service, kept)
        handle = await provider.submit(job())
        service.answer = Counts(2, {"00": 60})
        await finished(provider, handle)
        return (await provider.result(handle)).programs[0].counts.shots

    assert asyncio.run(run()) == 60


def test_a_quote_adds_the_vendors_price_of_every_part(service: Service, kept: Context) -> None:
    quote = asyncio.run(started(service, kept).quote(job(BELL, ONE, BELL)))
    assert (quote.fee_rao, quote.cost) == (2 * 100 * 3, Cost("0.90", "USD"))


def test_a_torn_intention_was_never_sent(service: Service, kept: Context, tmp_path: Path) -> None:
    asyncio.run(started(service, kept).submit(job()))
    path = tmp_path / "fake.journal"
    path.write_bytes(path.read_bytes().split(b"\n")[0][:-9])
    assert asyncio.run(started(service, kept).find("a" * 64)) is None


def test_old_jobs_that_ended_are_forgotten_in_memory_and_on_the_disk(
    service: Service, kept: Context, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(submissions, "KEPT", 2)

    async def run() -> list[Handle]:
        provider = started(service, kept)
        handles = [await provider.submit(job(key=key)) for key in "abcd"]
        for handle in handles[:3]:
            await finished(provider, handle)
            await provider.result(handle)
        with pytest.raises(UnknownHandle):
            await provider.state(handles[0])
        return handles

    handles = asyncio.run(run())
    path = tmp_path / "fake.journal"
    provider = started(service, kept)
    assert path.read_bytes().count(b"intended") == 3
    assert asyncio.run(provider.state(handles[1])) is JobState.COMPLETED
    assert asyncio.run(provider.find("d" * 64)) == handles[3]


async def forgotten(provider: RemoteProvider) -> Handle:
    """A job under the key `a` that was completed, fetched and then pushed out by others."""
    handle = await provider.submit(job())
    for key in "abcd":
        other = await provider.submit(job(key=key))
        await finished(provider, other)
        await provider.result(other)
    return handle


def test_a_completed_job_is_not_forgotten_before_its_result_was_fetched(
    service: Service, kept: Context, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(submissions, "KEPT", 2)

    async def run() -> Handle:
        provider = started(service, kept)
        waiting = await provider.submit(job(key="e"))
        await finished(provider, waiting)
        await forgotten(provider)
        return waiting

    waiting = asyncio.run(run())
    started(service, kept)  # what is shortened at a start keeps it, too
    provider = started(service, kept)
    assert asyncio.run(provider.find("e" * 64)) == waiting
    assert asyncio.run(provider.result(waiting)).programs[0].counts.shots == 100
    assert service.calls.count("send") == 5


@pytest.mark.parametrize("restarts", [False, True])
def test_a_forgotten_job_that_comes_again_is_looked_up_and_not_sent_again(
    service: Service, kept: Context, *, restarts: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(submissions, "KEPT", 2)

    async def again(provider: RemoteProvider) -> None:
        with pytest.raises(Rejected, match="different job"):
            await provider.submit(replace(job(), shots=7))
        assert await provider.submit(job()) == Handle("fake", "far", "a" * 64, "task-0")

    async def run() -> None:
        provider = started(service, kept)
        handle = await forgotten(provider)
        with pytest.raises(UnknownHandle):
            await provider.state(handle)
        if not restarts:
            await again(provider)

    asyncio.run(run())
    if restarts:
        started(service, kept)
        asyncio.run(again(started(service, kept)))
    assert service.calls.count("send") == 4
    assert service.calls[-1] == "lookup"


@pytest.mark.parametrize("lost", [0, 1])
def test_a_damaged_line_of_the_journal_does_not_send_a_job_again(
    service: Service, kept: Context, tmp_path: Path, lost: int
) -> None:
    asyncio.run(started(service, kept).submit(job()))
    path = tmp_path / "fake.journal"
    lines = path.read_bytes().splitlines(keepends=True)
    lines[lost] = b'{"dev' + lines[lost]
    path.write_bytes(b"".join([*lines, b'{"event": "ended", "key": "0", "state": "x"}\n']))
    with pytest.warns(RuntimeWarning, match=f"line {lost + 1} of the journal"):
        started(service, kept)
    assert (tmp_path / "fake.journal.damaged").read_bytes() == lines[lost]
    assert asyncio.run(started(service, kept).submit(job())).backend_job_id == "task-0"
    assert service.calls == ["send", "lookup"]


@pytest.mark.parametrize("end", [JobState.FAILED, JobState.CANCELLED])
def test_a_part_that_is_lost_stops_the_others(
    service: Service, kept: Context, end: JobState
) -> None:
    async def run() -> None:
        provider = started(service, kept)
        handle = await provider.submit(job(BELL, BELL, ONE, BELL, ONE))
        service.states["task-1"], service.end = end, JobState.RUNNING
        service.stops = [RetryLater("503")]
        with pytest.raises(RetryLater, match="503"):  # not the end yet: task-0 still runs
            await provider.state(handle)
        assert await provider.state(handle) is end
        assert service.states["task-0"] is JobState.CANCELLED
        assert service.states["task-2"] is JobState.CANCELLED

    asyncio.run(run())


def test_cancelling_stops_what_an_earlier_process_left_running(
    service: Service, kept: Context
) -> None:
    async def run() -> Handle:
        handle = await started(service, kept).submit(job(BELL, BELL, ONE))
        await started(service, kept).cancel(handle)
        return handle

    handle = asyncio.run(run())
    service.states["task-1"] = JobState.RUNNING  # the vendor did not heed it
    asyncio.run(started(service, kept).cancel(handle))
    assert service.states["task-1"] is JobState.CANCELLED


def test_a_vendor_that_tells_nothing_can_still_be_told_to_stop(
    service: Service, kept: Context
) -> None:
    async def run() -> None:
        provider = started(service, kept)
        handle = await provider.submit(job())
        service.polls = [Rejected("403")]
        await provider.cancel(handle)
        assert await provider.state(handle) is JobState.CANCELLED

    asyncio.run(run())
    assert service.states == {"task-0": JobState.CANCELLED}


def test_a_refused_question_is_asked_again_and_ends_no_job(service: Service, kept: Context) -> None:
    async def run() -> None:
        provider = started(service, kept)
        handle = await provider.submit(job())
        service.polls = [Rejected("401: the token has expired")]
        service.fetches = [Rejected("403: not now")]
        with pytest.raises(RetryLater, match="401"):
            await provider.state(handle)
        assert await finished(provider, handle) is JobState.COMPLETED
        with pytest.raises(RetryLater, match="403"):
            await provider.result(handle)
        assert (await provider.result(handle)).programs[0].counts.shots == 100
        service.polls = [UnknownHandle("gone")]
        with pytest.raises(UnknownHandle, match="gone"):
            await provider.state(await provider.submit(job(key="b")))

    asyncio.run(run())


def test_a_half_sent_job_is_withdrawn_and_never_sent_whole(service: Service, kept: Context) -> None:
    async def run() -> None:
        provider = started(service, kept)
        service.script = ["", RetryLater("busy")]
        with pytest.raises(RetryLater):
            await provider.submit(job(BELL, BELL, ONE))
        await provider.withdraw("a" * 64)
        await provider.withdraw("b" * 64)  # nobody's

    asyncio.run(run())
    assert service.states == {"task-0": JobState.CANCELLED}
    provider = started(service, kept)
    assert asyncio.run(provider.find("a" * 64)) is None
    with pytest.raises(JobFailed, match="cancelled before it was sent"):
        asyncio.run(provider.submit(job(BELL, BELL, ONE)))
    assert service.calls == ["send", "send", "stop task-0"]


def test_a_doubtful_job_is_looked_up_and_stopped_when_it_is_withdrawn(
    service: Service, kept: Context
) -> None:
    service.script = ["lost"]
    with pytest.raises(OutcomeUnknown):
        asyncio.run(started(service, kept).submit(job()))

    async def run() -> None:
        provider = started(service, kept)
        service.hidden, service.stops = RetryLater("503"), [RetryLater("504")]
        with pytest.raises(OutcomeUnknown, match="503"):
            await provider.withdraw("a" * 64)
        service.hidden = None
        with pytest.raises(RetryLater, match="504"):
            await provider.withdraw("a" * 64)
        await provider.withdraw("a" * 64)
        handle = await provider.find("a" * 64)
        assert handle is not None
        assert await provider.state(handle) is JobState.CANCELLED

    asyncio.run(run())
    assert service.states == {"task-0": JobState.CANCELLED}
    assert service.calls.count("send") == 1


def test_a_job_withdrawn_while_it_is_sent_is_sent_no_further(
    service: Service, kept: Context
) -> None:
    async def run() -> None:
        gate = asyncio.Event()
        vendor = Fake(service, gate=gate)
        provider = RemoteProvider(vendor, context=kept)
        sending = asyncio.create_task(provider.submit(job(BELL, BELL, ONE)))
        await vendor.asked.wait()
        withdrawing = asyncio.create_task(provider.withdraw("a" * 64))
        await asyncio.sleep(0)
        gate.set()
        with pytest.raises(JobFailed, match="cancelled before"):
            await sending
        await withdrawing

    asyncio.run(run())
    assert service.states == {"task-0": JobState.CANCELLED}


def test_a_completed_job_is_not_undone_by_a_withdrawal(service: Service, kept: Context) -> None:
    async def run() -> None:
        provider = started(service, kept)
        handle = await provider.submit(job())
        await finished(provider, handle)
        await provider.withdraw("a" * 64)
        assert await provider.state(handle) is JobState.COMPLETED

    asyncio.run(run())
    assert service.calls == ["send"]


def test_a_journal_that_cannot_be_shortened_ends_no_job(
    service: Service, kept: Context, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(submissions, "KEPT", 0)
    monkeypatch.setattr(register, "KEPT", 1)
    (tmp_path / "fake.journal.new").mkdir()  # where the shorter one would be written

    async def run() -> None:
        provider = started(service, kept)
        handles = [await provider.submit(job(key=key)) for key in "ab"]
        await provider.cancel(handles[0])
        assert await finished(provider, handles[1]) is JobState.COMPLETED
        assert (await provider.result(handles[1])).programs[0].counts.shots == 100

    asyncio.run(run())
    started(service, kept)


def test_programs_are_parsed_once_more_after_a_restart_alone_and_not_in_the_event_loop(
    service: Service, kept: Context, monkeypatch: pytest.MonkeyPatch
) -> None:
    threads: list[threading.Thread] = []

    def parse(text: str) -> Program:
        threads.append(threading.current_thread())
        return parsing.parse(text)

    monkeypatch.setattr(submissions, "parse", parse)

    async def run() -> Handle:
        provider = started(service, kept)
        handle = await provider.submit(job())
        await finished(provider, handle)
        await provider.result(handle)
        return handle

    handle = asyncio.run(run())
    assert threads == []
    asyncio.run(started(service, kept).result(handle))
    assert len(threads) == 1
    assert threads[0] is not threading.main_thread()


def test_an_error_says_where_it_came_from_and_takes_no_credential_along(
    service: Service, kept: Context
) -> None:
    def told(fault: Exception, kind: type[Exception]) -> str:
        fault.__cause__ = ValueError("Authorization: planted-credential")
        service.script = [fault]
        with pytest.raises(kind) as caught:
            asyncio.run(started(service, kept).submit(job()))
        return "".join(traceback.format_exception(caught.value))

    foreign = told(RuntimeError("key planted-credential"), AdapterFault)
    assert "fake raised RuntimeError at test_remote.py:" in foreign
    assert "planted-credential" not in foreign
    assert "planted-credential" not in told(RetryLater("busy"), RetryLater)
