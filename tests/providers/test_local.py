"""The in-process job book, around functions that are held up and let go by hand."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Iterator

import pytest

from circuits.counts import Counts
from circuits.draws import Draws
from circuits.program import Operation, Program, measure
from circuits.topology import Topology, complete
from providers.base import (
    Context,
    Device,
    DeviceClass,
    ErrorRates,
    Handle,
    Job,
    JobState,
    ProgramResult,
    ResultKind,
)
from providers.errors import (
    JobFailed,
    NotReady,
    Rejected,
    RetryLater,
    UnknownDevice,
    UnknownHandle,
)
from providers.local import Kept, LocalProvider

SIMULATOR = Device("sim", DeviceClass.SIMULATOR, complete(3, ["cx", "u"]), None, "fake")
LINE = Topology(3, ((1, 0), (1, 2)), ("ecr", "rz", "sx", "x"))
QPU = Device(
    "qpu",
    DeviceClass.QPU,
    LINE,
    ErrorRates((0.001,) * 3, (0.01,) * 2, (0.02,) * 3),
    "fake",
    max_shots=100,
    max_programs=2,
    fee_rao_per_shot=7,
)
PROGRAM = Program(3, 1, (Operation("x", (0,)), measure(0, 0)))
Job_ = Callable[..., Job]


class Gate:
    """An execute function that waits until it is told to go on, and keeps its calls."""

    def __init__(self) -> None:
        self.calls: list[tuple[str, int]] = []
        self.started = threading.Semaphore(0)
        self.go = threading.Semaphore(0)
        self.error: BaseException | None = None

    def __call__(self, device: Device, job: Job, index: int, draws: Draws) -> ProgramResult:
        self.calls.append((job.key, index))
        self.started.release()
        self.go.acquire()
        if self.error:
            raise self.error
        return ProgramResult(Counts(1, {"1": job.shots}), ResultKind.COUNTS)

    def free(self) -> None:
        for _ in range(1_000):
            self.go.release()


@pytest.fixture
def gate() -> Gate:
    return Gate()


@pytest.fixture
def provider(gate: Gate, context: Context) -> Iterator[LocalProvider]:
    made = LocalProvider("fake", (SIMULATOR, QPU), execute=gate, context=context, kept=Kept(jobs=3))
    yield made
    gate.free()
    made.close()


def test_a_job_is_queued_then_running_then_completed(
    provider: LocalProvider, gate: Gate, make_job: Job_
) -> None:
    async def story() -> None:
        first = await provider.submit(make_job("sim", PROGRAM, PROGRAM, key="1"))
        second = await provider.submit(make_job("sim", PROGRAM, key="2"))
        gate.started.acquire()
        states = [await provider.state(first), await provider.state(second)]
        assert states == [JobState.RUNNING, JobState.QUEUED]
        with pytest.raises(NotReady, match="running"):
            await provider.result(first)
        gate.free()
        assert await provider.wait(first) is JobState.COMPLETED
        result = await provider.result(first)
        assert [r.counts.table for r in result.programs] == [{"1": 1000}, {"1": 1000}]
        assert result == await provider.result(first)

    asyncio.run(story())


def test_a_second_submission_of_a_key_starts_nothing(
    provider: LocalProvider, gate: Gate, make_job: Job_
) -> None:
    async def story() -> None:
        job = make_job("sim", PROGRAM)
        gate.free()
        first = await provider.submit(job)
        assert await provider.submit(job) == first == await provider.find(job.key)
        await provider.wait(first)
        assert await provider.submit(job) == first
        assert gate.calls == [(job.key, 0)]

    asyncio.run(story())


def test_a_different_job_under_a_known_key_is_rejected(
    provider: LocalProvider, make_job: Job_
) -> None:
    async def story() -> None:
        await provider.submit(make_job("sim", PROGRAM))
        with pytest.raises(Rejected, match="different job"):
            await provider.submit(make_job("sim", PROGRAM, shots=5))

    asyncio.run(story())


def test_a_restart_forgets_and_the_same_job_draws_the_same_numbers(
    context: Context, make_job: Job_
) -> None:
    drawn: list[int] = []

    def execute(device: Device, job: Job, index: int, draws: Draws) -> ProgramResult:
        drawn.append(draws.integer(2**60))
        return ProgramResult(Counts(1, {"1": 1}), ResultKind.COUNTS)

    async def story(key: str) -> None:
        provider = LocalProvider("fake", (SIMULATOR,), execute=execute, context=context)
        job = make_job("sim", PROGRAM, PROGRAM, key=key)
        assert await provider.find(job.key) is None
        await provider.wait(await provider.submit(job))
        provider.close()

    for key in ("a", "a", "b"):
        asyncio.run(story(key))
    assert drawn[:2] == drawn[2:4]
    assert len(set(drawn)) == 4
    expected = Draws(context.seed, "sim", make_job("sim", PROGRAM, key="b").key, 1)
    assert drawn[5] == expected.integer(2**60)


def test_cancelling_drops_the_result_of_the_program_that_runs(
    provider: LocalProvider, gate: Gate, make_job: Job_
) -> None:
    async def story() -> None:
        running = await provider.submit(make_job("sim", PROGRAM, PROGRAM, key="1"))
        queued = await provider.submit(make_job("sim", PROGRAM, key="2"))
        gate.started.acquire()
        await provider.cancel(running)
        await provider.cancel(queued)
        gate.free()
        for handle in (running, queued):
            assert await provider.wait(handle) is JobState.CANCELLED
            with pytest.raises(JobFailed, match="cancelled"):
                await provider.result(handle)
            await provider.cancel(handle)
        assert [index for _, index in gate.calls] == [0]

    asyncio.run(story())


def test_cancelling_a_completed_job_changes_nothing(
    provider: LocalProvider, gate: Gate, make_job: Job_
) -> None:
    async def story() -> None:
        gate.free()
        handle = await provider.submit(make_job("sim", PROGRAM))
        await provider.wait(handle)
        await provider.cancel(handle)
        assert (await provider.result(handle)).programs[0].counts.shots == 1000

    asyncio.run(story())


@pytest.mark.parametrize(
    ("error", "message"),
    [(ValueError("boom"), "ValueError: boom"), (JobFailed("out of memory"), "^out of memory$")],
)
def test_an_engine_that_raises_fails_its_job_with_its_own_words(
    provider: LocalProvider, gate: Gate, make_job: Job_, error: BaseException, message: str
) -> None:
    async def story() -> None:
        gate.error = error
        gate.free()
        handle = await provider.submit(make_job("sim", PROGRAM))
        assert await provider.wait(handle) is JobState.FAILED
        with pytest.raises(JobFailed, match=message):
            await provider.result(handle)

    asyncio.run(story())


def test_an_engine_that_panics_outside_exception_does_not_hang_its_job(
    provider: LocalProvider, gate: Gate, make_job: Job_
) -> None:
    # Rust extensions panic with a subclass of BaseException.
    class PanicException(BaseException):
        pass

    async def story() -> None:
        gate.error = PanicException("index out of bounds")
        gate.free()
        handle = await provider.submit(make_job("sim", PROGRAM))
        assert await provider.wait(handle) is JobState.FAILED

    asyncio.run(story())


def test_only_so_many_finished_jobs_are_remembered(
    provider: LocalProvider, gate: Gate, make_job: Job_
) -> None:
    async def story() -> None:
        gate.free()
        handles = []
        for number in range(5):
            handles.append(await provider.submit(make_job("sim", PROGRAM, key=str(number))))
            await provider.wait(handles[-1])
        found = [await provider.find(handle.key) for handle in handles]
        assert found == [None, None, *handles[2:]]
        with pytest.raises(UnknownHandle):
            await provider.state(handles[0])

    asyncio.run(story())


def test_results_that_weigh_too_much_push_the_oldest_out(context: Context, make_job: Job_) -> None:
    def execute(device: Device, job: Job, index: int, draws: Draws) -> ProgramResult:
        table = {f"{number:03b}": 1 for number in range(8)}
        return ProgramResult(Counts(3, table), ResultKind.COUNTS)

    async def story() -> None:
        provider = LocalProvider(
            "fake", (SIMULATOR,), execute=execute, context=context, kept=Kept(outcomes=16)
        )
        handles = []
        for number in range(3):
            handles.append(await provider.submit(make_job("sim", PROGRAM, key=str(number))))
            await provider.wait(handles[-1])
        assert [await provider.find(handle.key) for handle in handles] == [None, *handles[1:]]
        large = await provider.submit(make_job("sim", *[PROGRAM] * 5, key="large"))
        await provider.wait(large)
        assert len((await provider.result(large)).programs) == 5
        provider.close()

    asyncio.run(story())


def test_giving_up_waiting_does_not_give_up_the_job(
    provider: LocalProvider, gate: Gate, make_job: Job_
) -> None:
    async def story() -> None:
        await provider.submit(make_job("sim", PROGRAM, key="1"))
        queued = await provider.submit(make_job("sim", PROGRAM, key="2"))
        waiting = asyncio.create_task(provider.wait(queued))
        await asyncio.sleep(0)
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting
        gate.free()
        assert await provider.wait(queued) is JobState.COMPLETED

    asyncio.run(story())


def test_no_more_unfinished_jobs_are_let_in_than_can_be_kept(
    provider: LocalProvider, make_job: Job_
) -> None:
    async def story() -> None:
        for number in range(3):
            await provider.submit(make_job("sim", PROGRAM, key=str(number)))
        with pytest.raises(RetryLater, match="3 unfinished"):
            await provider.submit(make_job("sim", PROGRAM, key="one too many"))

    asyncio.run(story())


def test_unknown_names_have_their_own_errors(provider: LocalProvider, make_job: Job_) -> None:
    async def story() -> None:
        job = make_job("sim", PROGRAM)
        handle = await provider.submit(job)
        with pytest.raises(UnknownDevice, match="sim"):
            await provider.submit(make_job("other", PROGRAM))
        with pytest.raises(UnknownDevice):
            await provider.calibration("other")
        for wrong in (
            Handle("fake", "sim", "0" * 64, handle.backend_job_id),
            Handle("fake", "sim", job.key, "another"),
            Handle("fake", "qpu", job.key, handle.backend_job_id),
        ):
            with pytest.raises(UnknownHandle):
                await provider.state(wrong)

    asyncio.run(story())


def test_a_closed_provider_takes_no_job_and_has_ended_all(
    provider: LocalProvider, gate: Gate, make_job: Job_
) -> None:
    async def story() -> None:
        handle = await provider.submit(make_job("sim", PROGRAM, PROGRAM))
        gate.started.acquire()
        gate.free()
        provider.close()
        assert (await provider.state(handle)).final
        with pytest.raises(RetryLater, match="closing"):
            await provider.submit(make_job("sim", PROGRAM, key="late"))

    asyncio.run(story())


def test_a_quote_is_fee_times_shots_times_programs_and_starts_nothing(
    provider: LocalProvider, gate: Gate, make_job: Job_
) -> None:
    async def story() -> None:
        job = make_job("qpu", PROGRAM, PROGRAM, shots=10)
        assert (await provider.quote(job)).fee_rao == 7 * 10 * 2
        assert await provider.find(job.key) is None
        assert gate.calls == []

    asyncio.run(story())


def test_devices_of_one_name_are_no_offer(gate: Gate, context: Context) -> None:
    with pytest.raises(ValueError, match="distinct"):
        LocalProvider("fake", (SIMULATOR, SIMULATOR), execute=gate, context=context)
