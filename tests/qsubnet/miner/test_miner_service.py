"""The miner's work: jobs accepted once, run once, answered with a receipt, over any restart."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy.exc import OperationalError

from circuits.counts import Counts
from circuits.errors import ProgramError
from circuits.topology import complete
from providers.base import Handle, Job, JobResult, JobState, ProgramResult, ResultKind
from providers.errors import JobFailed, OutcomeUnknown, Rejected, RetryLater, UnknownHandle
from qsubnet.chain.errors import LedgerBusy
from qsubnet.errors import BadInput, Busy, ConfigurationError, NotFound
from qsubnet.miner import service as module
from qsubnet.miner.service import Conflict, MinerService
from qsubnet.receipts import receipt_digest
from qsubnet.store.database import Store, sqlite_url
from qsubnet.wire import peer

ME = "requester"


class Machine:
    """A scripted backend with a memory of its own, as a cloud has: it survives the miner."""

    name = "scripted"

    def __init__(self, device: Any) -> None:
        self.device = device
        self.jobs: dict[str, JobState] = {}
        self.submitted: list[str] = []
        self.cancelled: list[str] = []
        self.faults: list[tuple[str, BaseException]] = []  # raised once each, by method
        self.lost_replies = 0
        self.ends_as = JobState.COMPLETED
        self.bits = 2

    def _fault(self, method: str) -> None:
        for place, (name, error) in enumerate(self.faults):
            if name == method:
                del self.faults[place]
                raise error

    async def devices(self) -> tuple[Any, ...]:
        return (self.device,)

    async def find(self, key: str) -> Handle | None:
        self._fault("find")
        return self._handle(key) if key in self.jobs else None

    def _handle(self, key: str) -> Handle:
        return Handle(self.name, self.device.name, key, f"cloud-{key[:8]}")

    async def submit(self, job: Job) -> Handle:
        self._fault("submit")
        self.submitted.append(job.key)
        self.jobs[job.key] = self.ends_as
        if self.lost_replies:
            self.lost_replies -= 1
            raise OutcomeUnknown("the connection broke")
        return self._handle(job.key)

    async def state(self, handle: Handle) -> JobState:
        self._fault("state")
        if handle.key not in self.jobs:
            raise UnknownHandle("never heard of it")
        return self.jobs[handle.key]

    async def result(self, handle: Handle) -> JobResult:
        self._fault("result")
        if self.jobs[handle.key] is not JobState.COMPLETED:
            raise JobFailed("the fridge is warm")
        counts = Counts(self.bits, {"0" * self.bits: 10})
        return JobResult((ProgramResult(counts, ResultKind.COUNTS),), handle.backend_job_id)

    async def cancel(self, handle: Handle) -> None:
        self._fault("cancel")
        self.cancelled.append(handle.key)
        self.jobs[handle.key] = JobState.CANCELLED

    async def calibration(self, _device: str) -> dict[str, Any]:
        return {}

    async def quote(self, _job: Job) -> Any:
        raise Rejected("no prices")


class Half(Machine):
    """A machine that takes the first part of a job, and is then always busy."""

    def __init__(self, device: Any) -> None:
        super().__init__(device)
        self.withdrawn: list[str] = []
        self.running: set[str] = set()
        self.slow = asyncio.Event()
        self.slow.set()

    async def submit(self, job: Job) -> Handle:
        if job.key in self.withdrawn:
            raise JobFailed("cancelled before it was sent")
        self.submitted.append(job.key)
        self.running.add(job.key)
        raise RetryLater("busy after the first part")

    async def withdraw(self, key: str) -> None:
        self.withdrawn.append(key)
        await self.slow.wait()
        self._fault("withdraw")
        self.running.discard(key)


class Bench:
    """A machine, a store's file, and services on them."""

    def __init__(self, folder: Path, tools: Any) -> None:
        self.tools = tools
        self.machine = Machine(tools.device())
        self.signer = tools.signer_of("miner")
        self.me = tools.signer_of(ME)
        self._url = sqlite_url(folder / "miner.db")
        self.stores: list[Store] = []
        self.epoch_faults: list[Exception] = []

    async def service(self) -> MinerService:
        """Build the service as after a start of its process."""
        self.stores.append(Store(self._url))
        service = MinerService(
            self.machine,
            store=self.stores[-1],
            signer=self.signer,
            now_ms=lambda: 2**41,
            refresh_epoch=self._refresh,
            sleep=self._sleep,
        )
        await service.start()
        return service

    async def _refresh(self) -> None:
        if self.epoch_faults:
            raise self.epoch_faults.pop()

    async def _sleep(self, _seconds: float) -> None:
        await asyncio.sleep(0)

    def request(self, number: int = 0, **changes: Any) -> peer.JobRequest:
        dispatch = self.tools.dispatch_to("miner", number=number)
        request = peer.JobRequest.model_validate_json(dispatch.request)
        return request.model_copy(update=changes)

    async def finished(self, service: MinerService, key: str) -> peer.JobStatus:
        """Let the service work until a job has ended."""
        work = asyncio.create_task(service.work())
        states = {"completed", "failed", "cancelled"}

        async def ended() -> bool:
            if work.done():
                work.result()
            return service.status(key, requester=self.me.identity).state in states

        try:
            await self.tools.eventually(ended)
        finally:
            work.cancel()
            await asyncio.gather(work, return_exceptions=True)
        return service.status(key, requester=self.me.identity)


@pytest.fixture
def bench(tmp_path: Path, tools: Any) -> Any:
    made = Bench(tmp_path, tools)
    yield made
    for store in made.stores:
        store.close()


async def _accept(bench: Bench, service: MinerService, request: peer.JobRequest) -> None:
    await service.accept(request, requester=bench.me.identity)


def test_a_job_runs_once_however_often_it_is_sent(bench: Bench, tools: Any) -> None:
    async def story() -> None:
        service, request = await bench.service(), bench.request()
        for _ in range(3):
            await _accept(bench, service, request)
        assert (await bench.finished(service, request.key)).state == "completed"
        await _accept(bench, service, request)
        assert (await bench.finished(service, request.key)).state == "completed"
        assert bench.machine.submitted == [request.key]

    tools.run(story())


def test_a_key_stands_for_one_request_of_one_requester(bench: Bench, tools: Any) -> None:
    async def story() -> None:
        service, request = await bench.service(), bench.request()
        await _accept(bench, service, request)
        with pytest.raises(Conflict):
            await _accept(bench, service, request.model_copy(update={"shots": 11}))
        with pytest.raises(Conflict):
            await service.accept(request, requester="another")

    tools.run(story())


def test_another_requester_finds_nothing_of_a_job(bench: Bench, tools: Any) -> None:
    async def story() -> None:
        service, request = await bench.service(), bench.request()
        await _accept(bench, service, request)
        await bench.finished(service, request.key)
        for ask in (
            lambda: service.status(request.key, requester="another"),
            lambda: service.answer(request.key, requester="another"),
            lambda: service.take_receipt(request.key, {}, requester="another"),
        ):
            with pytest.raises(NotFound):
                ask()
        with pytest.raises(NotFound):
            await service.cancel(request.key, requester="another")
        assert service.status(request.key, requester=bench.me.identity).state == "completed"

    tools.run(story())


def test_what_is_refused_leaves_nothing_behind(bench: Bench, tools: Any) -> None:
    async def story() -> None:
        service = await bench.service()
        bad: list[tuple[dict[str, Any], type[Exception]]] = [
            ({"device": "other"}, BadInput),
            ({"shots": 9_999_999, "programs": bench.request().programs * 2}, BadInput),
            ({"programs": ["OPENQASM 2.0;"]}, ProgramError),
            ({"programs": [*bench.request().programs, ""]}, ProgramError),
        ]
        for changes, error in bad:
            request = bench.request(**changes)
            with pytest.raises(error):
                await _accept(bench, service, request)
            with pytest.raises(NotFound):
                service.status(request.key, requester=bench.me.identity)
        assert service.waiting() == 0

    tools.run(story())


def test_one_requester_cannot_take_every_place(
    bench: Bench, tools: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "MAX_UNFINISHED_PER_REQUESTER", 2)
    monkeypatch.setattr(module, "MAX_UNFINISHED", 3)

    async def story() -> None:
        service = await bench.service()
        for number in (0, 1):
            await _accept(bench, service, bench.request(number))
        with pytest.raises(Busy, match="of yours"):
            await _accept(bench, service, bench.request(2))
        await service.accept(bench.request(3), requester="another")
        with pytest.raises(Busy, match="come back later"):
            await service.accept(bench.request(4), requester="a third")
        await _accept(bench, service, bench.request(0))  # known already, so no new place

    tools.run(story())


@pytest.mark.parametrize("moment", ["accepted", "submitted", "reply lost", "noted", "finished"])
def test_a_miner_killed_at_any_moment_runs_each_job_once(
    moment: str, bench: Bench, tools: Any
) -> None:
    async def story() -> None:
        first, request = await bench.service(), bench.request()
        told: list[peer.JobAnswer] = []
        await _accept(bench, first, request)
        if moment == "submitted":  # and killed before it noted the handle
            bench.machine.submitted.append(request.key)
            bench.machine.jobs[request.key] = JobState.COMPLETED
        elif moment == "reply lost":
            bench.machine.lost_replies = 1
            assert not await first.worker.advance(request.key)
        elif moment == "noted":
            bench.machine.ends_as = JobState.RUNNING
            assert not await first.worker.advance(request.key)
            bench.machine.jobs[request.key] = JobState.COMPLETED
        elif moment == "finished":
            await bench.finished(first, request.key)
            told.append(first.answer(request.key, requester=bench.me.identity))
        second = await bench.service()
        assert (await bench.finished(second, request.key)).state == "completed"
        assert bench.machine.submitted == [request.key]
        again = second.answer(request.key, requester=bench.me.identity)
        assert all(one == again for one in told)

    tools.run(story())


def test_a_backend_that_forgot_its_jobs_gets_them_again(bench: Bench, tools: Any) -> None:
    async def story() -> None:
        service, request = await bench.service(), bench.request()
        bench.machine.ends_as = JobState.RUNNING
        await _accept(bench, service, request)
        assert not await service.worker.advance(request.key)
        bench.machine.jobs.clear()
        bench.machine.ends_as = JobState.COMPLETED
        assert (await bench.finished(service, request.key)).state == "completed"
        assert bench.machine.submitted == [request.key] * 2

    tools.run(story())


def test_a_result_forgotten_between_two_questions_is_no_failure(bench: Bench, tools: Any) -> None:
    async def story() -> None:
        service, request = await bench.service(), bench.request()
        bench.machine.faults = [("result", UnknownHandle("just forgot it"))]
        await _accept(bench, service, request)
        assert (await bench.finished(service, request.key)).state == "completed"

    tools.run(story())


def test_what_may_pass_by_itself_ends_no_job(bench: Bench, tools: Any) -> None:
    async def story() -> None:
        service, request = await bench.service(), bench.request()
        locked = OperationalError("UPDATE", {}, Exception("database is locked"))
        bench.epoch_faults = [LedgerBusy("held")]
        bench.machine.faults = [
            ("find", RetryLater("busy")),
            ("submit", RetryLater("full")),
            ("state", RetryLater("out of reach")),
            ("result", locked),
        ]
        await _accept(bench, service, request)
        assert (await bench.finished(service, request.key)).state == "completed"
        assert not bench.machine.faults
        assert bench.machine.submitted == [request.key]

    tools.run(story())


def test_a_store_that_fails_for_a_while_stops_nothing(
    bench: Bench, tools: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("qsubnet.miner.worker.MAX_POLL_S", 0.001)

    async def story() -> None:
        service, request = await bench.service(), bench.request()
        await _accept(bench, service, request)
        real, failures = service._store.read, 3

        def failing() -> Any:
            nonlocal failures
            failures -= 1
            if failures >= 0:
                raise OperationalError("SELECT", {}, Exception("disk I/O error"))
            return real()

        work = asyncio.create_task(service.work())
        with monkeypatch.context() as patch:
            patch.setattr(service._store, "read", failing)

            async def tried() -> bool:
                return failures < 0

            await tools.eventually(tried)
        work.cancel()
        await asyncio.gather(work, return_exceptions=True)
        assert (await bench.finished(service, request.key)).state == "completed"

    tools.run(story())


@pytest.mark.parametrize(
    ("fault", "reason"),
    [
        (("submit", Rejected("too wide")), "too wide"),
        (("state", ZeroDivisionError("bug")), "internal fault: ZeroDivisionError"),
        (("result", JobFailed("the fridge is warm")), "the fridge is warm"),
    ],
)
def test_a_job_that_cannot_be_done_fails_with_the_reason_and_alone(
    fault: tuple[str, Exception], reason: str, bench: Bench, tools: Any
) -> None:
    async def story() -> None:
        service = await bench.service()
        bad, good = bench.request(0), bench.request(1)
        bench.machine.faults = [fault]
        await _accept(bench, service, bad)
        status = await bench.finished(service, bad.key)
        assert (status.state, status.detail) == ("failed", reason)
        await _accept(bench, service, good)
        assert (await bench.finished(service, good.key)).state == "completed"
        with pytest.raises(Conflict, match="no result"):
            service.answer(bad.key, requester=bench.me.identity)

    tools.run(story())


def test_a_job_that_hangs_holds_up_no_other(bench: Bench, tools: Any) -> None:
    async def story() -> None:
        service, stuck, good = await bench.service(), bench.request(0), bench.request(1)
        real = bench.machine.find

        async def find(key: str) -> Handle | None:
            if key == stuck.key:
                await asyncio.Event().wait()
            return await real(key)

        bench.machine.find = find  # type: ignore[method-assign]
        await _accept(bench, service, stuck)
        await _accept(bench, service, good)
        assert (await bench.finished(service, good.key)).state == "completed"
        assert service.status(stuck.key, requester=bench.me.identity).state == "queued"

    tools.run(story())


def test_a_result_that_no_answer_can_hold_fails_with_a_sentence(bench: Bench, tools: Any) -> None:
    async def story() -> None:
        service, request = await bench.service(), bench.request()
        bench.machine.bits = peer.MAX_BITS + 1
        await _accept(bench, service, request)
        status = await bench.finished(service, request.key)
        assert status.state == "failed"
        assert "fits no answer: num_bits" in status.detail

    tools.run(story())


def test_cancelling_reaches_the_backend_even_while_the_job_is_on_its_way(
    bench: Bench, tools: Any
) -> None:
    async def story() -> None:
        service, request = await bench.service(), bench.request()
        real = bench.machine.submit

        async def submit(job: Job) -> Handle:
            await service.cancel(request.key, requester=bench.me.identity)
            return await real(job)

        bench.machine.submit = submit  # type: ignore[method-assign]
        await _accept(bench, service, request)
        assert (await bench.finished(service, request.key)).state == "cancelled"

        async def told() -> bool:
            return bench.machine.cancelled == [request.key]

        work = asyncio.create_task(service.work())
        await asyncio.sleep(0)
        work.cancel()
        await asyncio.gather(work, return_exceptions=True)
        assert await told() or await service.worker.advance(request.key)

    tools.run(story())


def test_cancelling_a_running_job_stops_it_at_the_backend_and_a_second_time_nothing(
    bench: Bench, tools: Any
) -> None:
    async def story() -> None:
        service, request = await bench.service(), bench.request()
        bench.machine.ends_as = JobState.RUNNING
        await _accept(bench, service, request)
        assert not await service.worker.advance(request.key)
        for _ in range(2):
            status = await service.cancel(request.key, requester=bench.me.identity)
            assert status.state == "cancelled"
        assert bench.machine.cancelled == [request.key]

    tools.run(story())


def test_a_backend_out_of_reach_does_not_keep_a_job_from_being_cancelled(
    bench: Bench, tools: Any
) -> None:
    async def story() -> None:
        service, request = await bench.service(), bench.request()
        bench.machine.ends_as = JobState.RUNNING
        await _accept(bench, service, request)
        assert not await service.worker.advance(request.key)
        bench.machine.faults = [("cancel", RetryLater("out of reach"))]
        status = await service.cancel(request.key, requester=bench.me.identity)
        assert status.state == "cancelled"

    tools.run(story())


@pytest.mark.parametrize("faults", [0, 2])
def test_cancelling_a_job_without_a_handle_withdraws_what_was_sent_of_it(
    bench: Bench, tools: Any, faults: int
) -> None:
    async def story() -> None:
        machine = bench.machine = Half(bench.machine.device)
        service, request = await bench.service(), bench.request()
        await _accept(bench, service, request)
        work = asyncio.create_task(service.work())

        async def sent() -> bool:
            return bool(machine.running)

        async def stopped() -> bool:
            return not machine.running and service.worker.under_way == 0

        await tools.eventually(sent)
        machine.faults = [("withdraw", RetryLater("out of reach"))] * faults
        status = await service.cancel(request.key, requester=bench.me.identity)
        assert status.state == "cancelled"
        await tools.eventually(stopped)
        work.cancel()
        await asyncio.gather(work, return_exceptions=True)

    tools.run(story())


def test_a_job_that_fails_because_it_is_being_cancelled_ends_as_cancelled(
    bench: Bench, tools: Any
) -> None:
    async def story() -> None:
        machine = bench.machine = Half(bench.machine.device)
        service, request = await bench.service(), bench.request()
        await _accept(bench, service, request)
        machine.slow.clear()
        asked = service.cancel(request.key, requester=bench.me.identity)
        cancelling = asyncio.create_task(asked)
        await asyncio.sleep(0)
        assert machine.withdrawn == [request.key]
        assert not await service.worker.advance(request.key)
        machine.slow.set()
        assert (await cancelling).state == "cancelled"

    tools.run(story())


def test_a_cancellation_that_the_backend_did_not_take_is_told_again(
    bench: Bench, tools: Any
) -> None:
    async def story() -> None:
        service, request = await bench.service(), bench.request()
        bench.machine.ends_as = JobState.RUNNING
        await _accept(bench, service, request)
        work = asyncio.create_task(service.work())

        async def runs() -> bool:
            return service.status(request.key, requester=bench.me.identity).state == "running"

        async def stopped() -> bool:
            return bench.machine.cancelled == [request.key] and not service.worker.under_way

        await tools.eventually(runs)
        bench.machine.faults = [("cancel", RetryLater("out of reach"))] * 2
        await service.cancel(request.key, requester=bench.me.identity)
        await tools.eventually(stopped)
        work.cancel()
        await asyncio.gather(work, return_exceptions=True)

    tools.run(story())


def test_only_its_own_receipt_with_the_requester_s_signature_is_filed(
    bench: Bench, tools: Any
) -> None:
    from qsubnet.receipts import ReceiptDesk
    from qsubnet.store.miner_jobs import get

    async def story() -> None:
        service = await bench.service()
        request, other = bench.request(0), bench.request(1)
        for one in (request, other):
            await _accept(bench, service, one)
            await bench.finished(service, one.key)
        desk = ReceiptDesk(bench.me)
        dispatch = tools.dispatch_to(bench.signer.identity)
        dispatch_key = {"job_key": request.key, "request": request.model_dump_json()}
        from dataclasses import replace

        dispatch = replace(dispatch, **dispatch_key)
        answer = service.answer(request.key, requester=bench.me.identity)
        theirs = service.answer(other.key, requester=bench.me.identity).receipt
        settled = desk.settle(dispatch, answer)
        for bad in ({}, dict(answer.receipt), dict(theirs)):
            with pytest.raises(BadInput, match="receipt"):
                service.take_receipt(request.key, bad, requester=bench.me.identity)
        # It holds even where the machine has another calibration by now.
        bench.machine.device = tools.device(fee_rao_per_shot=9)
        again = await bench.service()
        for _ in range(2):
            again.take_receipt(request.key, settled.receipt, requester=bench.me.identity)
        with bench.stores[0].read() as connection:
            kept = get(connection, request.key)
        assert kept is not None
        facts = desk.facts(dispatch, answer)
        assert receipt_digest(json.loads(kept.receipt or ""), facts)

    tools.run(story())


def test_a_device_that_nobody_would_take_is_not_offered(bench: Bench, tools: Any) -> None:
    bench.machine.device = tools.device(topology=complete(320, ("cx", "u")))
    with pytest.raises(ConfigurationError, match="at most 50000 couplings, got 51040"):
        tools.run(bench.service())
