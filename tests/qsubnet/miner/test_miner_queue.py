"""The miner's queue: how many at once, whose turn, when not, and what an end leaves behind."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from circuits.counts import Counts
from providers.base import Handle, Job, JobResult, JobState, ProgramResult, ResultKind
from providers.errors import UnknownHandle
from qsubnet.errors import NotFound
from qsubnet.miner.configuration import Window
from qsubnet.miner.gate import Closed
from qsubnet.miner.service import MinerService, Policy
from qsubnet.store.database import Store, sqlite_url
from qsubnet.wire import peer

START = datetime(2027, 1, 5, 8, tzinfo=UTC)


class Cloud:
    """A backend that keeps its jobs running until it is told; it outlives the miner."""

    name = "invented"

    def __init__(self, device: Any) -> None:
        self.device = device
        self.order: list[str] = []
        self.done: set[str] = set()
        self.most_at_once = 0

    def handle(self, key: str) -> Handle:
        return Handle(self.name, self.device.name, key, f"cloud-{key[:8]}")

    async def devices(self) -> tuple[Any, ...]:
        return (self.device,)

    async def find(self, key: str) -> Handle | None:
        return self.handle(key) if key in self.order else None

    async def submit(self, job: Job) -> Handle:
        self.order.append(job.key)
        self.most_at_once = max(self.most_at_once, len(set(self.order) - self.done))
        return self.handle(job.key)

    async def state(self, handle: Handle) -> JobState:
        if handle.key not in self.order:
            raise UnknownHandle("never heard of it")
        return JobState.COMPLETED if handle.key in self.done else JobState.RUNNING

    async def result(self, handle: Handle) -> JobResult:
        counts = Counts(2, {"00": 10})
        return JobResult((ProgramResult(counts, ResultKind.COUNTS),), handle.backend_job_id)

    async def cancel(self, handle: Handle) -> None:
        self.done.add(handle.key)

    async def calibration(self, _device: str) -> dict[str, Any]:
        return {}

    async def quote(self, _job: Job) -> Any:
        raise AssertionError("a miner's service asks for no quote")


class Rig:
    """One miner's store over several starts, a backend, and a clock that tests turn."""

    def __init__(self, folder: Path, tools: Any) -> None:
        self.tools = tools
        self.cloud = Cloud(tools.device())
        self.now = START
        self._url = sqlite_url(folder / "miner.db")
        self._stores: list[Store] = []
        self.ended: list[tuple[JobState, float]] = []
        self._names: dict[str, str] = {}

    @asynccontextmanager
    async def serving(self, *, work: bool = True, **policy: Any) -> AsyncIterator[MinerService]:
        """Let a miner work inside the block; after it its process is gone."""
        self._stores.append(Store(self._url))
        service = MinerService(
            self.cloud,
            store=self._stores[-1],
            signer=self.tools.signer_of("miner"),
            now_ms=lambda: int(self.now.timestamp() * 1_000),
            refresh_epoch=_nothing,
            sleep=lambda _seconds: asyncio.sleep(0),
            policy=Policy(ended=lambda state, s: self.ended.append((state, s)), **policy),
        )
        await service.start()
        task = asyncio.create_task(service.work()) if work else None
        try:
            yield service
        finally:
            if task is not None:
                task.cancel()
                await asyncio.gather(task, return_exceptions=True)

    def request(self, name: str) -> peer.JobRequest:
        dispatch = self.tools.dispatch_to(name)
        self._names[dispatch.job_key] = name
        return peer.JobRequest.model_validate_json(dispatch.request)

    async def accept(self, service: MinerService, *names: str) -> None:
        """Take jobs in this order; a name's letter is its requester."""
        for name in names:
            self.now += timedelta(seconds=1)
            await service.accept(self.request(name), requester=name[0])

    def status(self, service: MinerService, name: str) -> peer.JobStatus:
        return service.status(self.request(name).key, requester=name[0])

    def positions(self, service: MinerService, *names: str) -> list[int | None]:
        return [self.status(service, name).queue_position for name in names]

    @property
    def order(self) -> list[str]:
        return [self._names[key] for key in self.cloud.order]

    def finish(self, *names: str) -> None:
        self.cloud.done |= {self.request(name).key for name in names}

    async def until(self, holds: Any) -> None:
        async def look() -> bool:
            return bool(holds())

        await self.tools.eventually(look)

    def close(self) -> None:
        for store in self._stores:
            store.close()


async def _nothing() -> None:
    pass


@pytest.fixture
def rig(tmp_path: Path, tools: Any) -> Iterator[Rig]:
    made = Rig(tmp_path, tools)
    yield made
    made.close()


def test_requesters_take_turns_and_no_more_run_at_once_than_allowed(rig: Rig) -> None:
    async def story() -> None:
        async with rig.serving(work=False, max_concurrent=1) as service:
            await rig.accept(service, "a1", "a2", "a3", "b1", "c1")
            assert rig.positions(service, "a1", "b1", "c1", "a2", "a3") == [0, 1, 2, 3, 4]
        async with rig.serving(max_concurrent=1) as service:
            for name in ("a1", "b1", "c1", "a2", "a3"):
                await rig.until(lambda name=name: name in rig.order)
                assert rig.status(service, name).queue_position is None
                rig.finish(name)
            await rig.until(lambda: service.waiting() == 0)
        assert rig.order == ["a1", "b1", "c1", "a2", "a3"]
        assert rig.cloud.most_at_once == 1

    rig.tools.run(story())


def test_a_newcomer_goes_before_the_rest_of_a_long_queue(rig: Rig) -> None:
    async def story() -> None:
        async with rig.serving(max_concurrent=2) as service:
            await rig.accept(service, *(f"a{n}" for n in range(6)))
            await rig.until(lambda: len(rig.order) == 2)
            await rig.accept(service, "b0")
            assert rig.positions(service, "b0", "a2", "a5") == [0, 1, 4]
            rig.finish("a0")
            await rig.until(lambda: len(rig.order) == 3)
            assert rig.order[2] == "b0"
        assert rig.cloud.most_at_once == 2

    rig.tools.run(story())


def test_what_is_at_the_backend_is_followed_after_a_restart_before_anything_new(rig: Rig) -> None:
    async def story() -> None:
        async with rig.serving(max_concurrent=2) as service:
            await rig.accept(service, "a1", "a2", "b1")
            await rig.until(lambda: rig.status(service, "a2").state == "running")
            await rig.until(lambda: rig.status(service, "a1").state == "running")
        async with rig.serving(max_concurrent=1) as service:
            assert rig.positions(service, "b1") == [0]
            rig.finish("a1")
            await rig.until(lambda: rig.status(service, "a1").state == "completed")
            assert rig.order == ["a1", "a2"]  # a2 keeps the only place
            rig.finish("a2")
            await rig.until(lambda: rig.order == ["a1", "a2", "b1"])

    rig.tools.run(story())


def test_within_a_window_new_jobs_are_refused_and_running_ones_finish(rig: Rig) -> None:
    window = Window(start=START + timedelta(hours=1), end=START + timedelta(hours=2), reason="warm")

    async def story() -> None:
        async with rig.serving(max_concurrent=1, maintenance=(window,)) as service:
            assert service.maintenance().windows[0].reason == "warm"
            await rig.accept(service, "a1", "a2")
            await rig.until(lambda: rig.status(service, "a1").state == "running")
            rig.now = window.start
            assert not service.health().accepting
            with pytest.raises(Closed, match="warm") as refused:
                await service.accept(rig.request("a3"), requester="a")
            assert (refused.value.word, refused.value.retry_after_s) == ("maintenance", 3_600)
            await service.accept(rig.request("a1"), requester="a")  # known, so no new job
            rig.finish("a1")
            await rig.until(lambda: rig.status(service, "a1").state == "completed")
            assert (rig.status(service, "a2").state, rig.order) == ("queued", ["a1"])
            rig.now = window.end
            assert service.health().accepting
            assert service.maintenance().windows == []
            service.worker.wake()  # as its timer does
            await rig.until(lambda: rig.order == ["a1", "a2"])

    rig.tools.run(story())


def test_draining_finishes_what_runs_and_leaves_the_queue_for_the_next_start(rig: Rig) -> None:
    async def story() -> None:
        async with rig.serving(max_concurrent=1) as service:
            await rig.accept(service, "a1", "a2")
            await rig.until(lambda: rig.status(service, "a1").state == "running")
            drain = asyncio.create_task(service.drain(within_s=60))
            await rig.until(lambda: service.gate.draining)
            with pytest.raises(Closed) as refused:
                await service.accept(rig.request("a3"), requester="a")
            assert refused.value.word == "draining"
            rig.finish("a1")
            await drain
            assert rig.status(service, "a1").state == "completed"
            assert rig.status(service, "a2").state == "queued"
        async with rig.serving(max_concurrent=1) as service:
            await rig.until(lambda: rig.order == ["a1", "a2"])

    rig.tools.run(story())


def test_draining_ends_in_time_and_a_job_at_the_backend_stays_there(rig: Rig) -> None:
    async def story() -> None:
        async with rig.serving() as service:
            await rig.accept(service, "a1")
            await rig.until(lambda: rig.status(service, "a1").state == "running")
            await service.drain(within_s=0.01)
        async with rig.serving() as service:
            rig.finish("a1")
            await rig.until(lambda: rig.status(service, "a1").state == "completed")
        assert rig.order == ["a1"]

    rig.tools.run(story())


def test_old_ended_jobs_are_forgotten_and_open_ones_never(rig: Rig) -> None:
    async def story() -> None:
        async with rig.serving(keep_days=2) as service:
            await rig.accept(service, "a1", "a2")
            rig.finish("a1")
            await rig.until(lambda: rig.status(service, "a1").state == "completed")
            await rig.until(lambda: rig.status(service, "a2").state == "running")
            rig.now = START + timedelta(days=2)
            service.prune_once()
            assert rig.status(service, "a1").state == "completed"
            rig.now += timedelta(seconds=10)
            service.prune_once()
            with pytest.raises(NotFound):
                rig.status(service, "a1")
            assert rig.status(service, "a2").state == "running"

    rig.tools.run(story())


def test_without_a_number_of_days_every_job_is_kept(rig: Rig) -> None:
    async def story() -> None:
        async with rig.serving(work=False) as service:
            await rig.accept(service, "a1")
            await service.cancel(rig.request("a1").key, requester="a")
            rig.now += timedelta(days=10_000)
            await service.prune()
            assert rig.status(service, "a1").state == "cancelled"

    rig.tools.run(story())


def test_the_end_of_a_job_is_told_with_its_state_and_time(rig: Rig) -> None:
    async def story() -> None:
        async with rig.serving() as service:
            await rig.accept(service, "a1")
            rig.now += timedelta(seconds=90)
            rig.finish("a1")
            await rig.until(lambda: rig.ended)
        assert rig.ended == [(JobState.COMPLETED, 90.0)]

    rig.tools.run(story())


def test_no_place_at_the_backend_is_no_miner(rig: Rig) -> None:
    async def story() -> None:
        async with rig.serving(max_concurrent=0):
            pass

    with pytest.raises(ValueError, match="max_concurrent >= 1, got 0"):
        rig.tools.run(story())
