"""Jobs through a gateway and real miner services, with kills and lies in between."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Callable, Coroutine
from contextlib import AbstractAsyncContextManager
from typing import Any, Protocol, TypeVar

import pytest

from attestations.envelope import from_object
from circuits.errors import LimitError, ProgramError
from circuits.parsing import parse
from circuits.program import Program
from providers.base import Device
from qsubnet.errors import JobFailed, NotFound, Unreachable
from qsubnet.gateway.compiling import compile_for
from qsubnet.gateway.errors import IdempotencyConflict, NotFinished, TooWide, UnknownDevice
from qsubnet.gateway.preparing import Workshop
from qsubnet.gateway.serve import Gateway
from qsubnet.wire.research import JobView, SubmitRequest

T = TypeVar("T")
Line = Callable[..., Device]
Simulator = Callable[[str, int], Device]


class Subnet(Protocol):
    """What the `subnet` fixture lends; see conftest."""

    miners: dict[str, Any]
    post: Any

    async def found(self, *devices: Device, permitted: bool = True) -> None: ...

    def mining(self) -> AbstractAsyncContextManager[None]: ...

    def gateway(self, workshop: Workshop | None = None) -> AbstractAsyncContextManager[Gateway]: ...

    async def settle(self, gateway: Gateway) -> None: ...

    def judge(self, device: str, verdict: str = "verified", *, score: float = 10.0) -> None: ...

    def run(self, work: Coroutine[Any, Any, T]) -> T: ...

    def keys_run(self, device: str) -> list[str]: ...


_MANY_BITS = (
    'OPENQASM 3.0;\ninclude "stdgates.inc";\nqubit[2] q;\nbit[30] c;\nc[0] = measure q[0];\n'
)


async def _submit(gateway: Gateway, key: str | None = None, **asked: Any) -> JobView:
    request = SubmitRequest(**asked)
    return await gateway.service.submit(request, account="ada", idempotency_key=key)


def test_a_bell_pair_comes_back_with_counts_and_a_doubly_signed_receipt(
    subnet: Subnet, bell: str, make_line: Line
) -> None:
    async def story() -> None:
        await subnet.found(make_line("line", 5))
        async with subnet.mining(), subnet.gateway() as gateway:
            made = await _submit(gateway, program=bell, shots=1000, device="line")
            assert (made.state, made.programs, made.shots_asked) == ("queued", 1, 1000)
            with pytest.raises(NotFinished):
                await gateway.service.result(made.job_id, account="ada")
            await subnet.settle(gateway)
            assert gateway.service.job(made.job_id, account="ada").state == "completed"
            result = await gateway.service.result(made.job_id, account="ada")
        (counts,) = result.results
        # A Bell pair: 00 and 11, half each; six standard deviations of a fair coin.
        assert set(counts.counts) == {"00", "11"}
        assert abs(counts.counts["00"] - 500) < 6 * math.sqrt(250)
        assert (counts.num_bits, counts.shots_returned) == (2, 1000)
        signers = [one.identity for one in from_object(result.receipt).signatures]
        assert len(set(signers)) == 2
        assert signers[0] == subnet.miners["line"].signer.identity

    subnet.run(story())


def test_what_leaves_is_native_verbatim_and_as_wide_as_the_device(
    subnet: Subnet, bell: str, make_line: Line
) -> None:
    async def story() -> None:
        await subnet.found(make_line("line", 5))
        async with subnet.mining(), subnet.gateway() as gateway:
            made = await _submit(gateway, program=bell, shots=10, device="line")
            await subnet.settle(gateway)
            result = await gateway.service.result(made.job_id, account="ada")
        (text,) = result.programs_run
        ran = parse(text)
        assert ran.num_qubits == 5
        assert {op.name for op in ran.operations} <= {"rz", "sx", "x", "cz", "barrier", "measure"}

    subnet.run(story())


def test_one_key_is_one_job_and_another_body_under_it_is_refused(
    subnet: Subnet, bell: str, make_line: Line
) -> None:
    async def story() -> None:
        await subnet.found(make_line("line", 5))
        async with subnet.mining(), subnet.gateway() as gateway:
            first = await _submit(gateway, "k", program=bell, shots=10, device="line")
            both = await asyncio.gather(
                _submit(gateway, "k", program=bell, shots=10, device="line"),
                _submit(gateway, "k", program=bell, shots=10, device="line"),
            )
            assert {one.job_id for one in both} == {first.job_id}
            with pytest.raises(IdempotencyConflict, match=first.job_id):
                await _submit(gateway, "k", program=bell, shots=11, device="line")
            other = await _submit(gateway, None, program=bell, shots=10, device="line")
            assert other.job_id != first.job_id
            await subnet.settle(gateway)
        assert len(subnet.keys_run("line")) == 2

    subnet.run(story())


def test_two_submissions_of_one_key_at_the_same_moment_are_one_job(
    subnet: Subnet, bell: str, make_line: Line
) -> None:
    async def story() -> None:
        await subnet.found(make_line("line", 5))
        async with subnet.mining(), subnet.gateway() as gateway:
            made = await asyncio.gather(
                *(_submit(gateway, "k", program=bell, shots=10, device="line") for _ in range(4))
            )
            assert len({one.job_id for one in made}) == 1
            await subnet.settle(gateway)
        assert len(subnet.keys_run("line")) == 1

    subnet.run(story())


def test_a_killed_gateway_goes_on_and_the_miner_runs_each_job_once(
    subnet: Subnet, bell: str, make_line: Line
) -> None:
    async def story() -> None:
        await subnet.found(make_line("line", 5))
        async with subnet.mining():
            subnet.post.deaf_after_submit.add("miner-line")  # accepted, but nobody hears of it
            async with subnet.gateway() as gateway:
                made = [
                    await _submit(gateway, program=bell, shots=10, device="line") for _ in range(3)
                ]
                await gateway.carrier.step()
            subnet.post.deaf_after_submit.clear()
            async with subnet.gateway() as gateway:
                await subnet.settle(gateway)
                for one in made:
                    result = await gateway.service.result(one.job_id, account="ada")
                    assert result.results[0].shots_returned == 10
        assert len(subnet.keys_run("line")) == 3

    subnet.run(story())


def test_a_job_waits_for_a_miner_that_is_down_and_survives_its_loss_of_everything(
    subnet: Subnet, bell: str, make_line: Line
) -> None:
    async def story() -> None:
        await subnet.found(make_line("line", 5))
        async with subnet.gateway(), subnet.mining():
            pass
        async with subnet.mining(), subnet.gateway() as gateway:
            made = await _submit(gateway, program=bell, shots=10, device="line")
            subnet.post.down.add("miner-line")
            await gateway.market.refresh()
            (shown,) = gateway.service.devices()
            assert (shown.name, shown.reachable) == ("line", False)
            left, _ = await gateway.carrier.step()
            assert left == 1
            subnet.post.down.clear()
            await gateway.carrier.step()
            assert gateway.service.job(made.job_id, account="ada").state != "failed"
            job = made
        subnet.miners["line"].lose_everything()
        async with subnet.mining(), subnet.gateway() as gateway:
            await subnet.settle(gateway)
            assert gateway.service.job(job.job_id, account="ada").state == "completed"

    subnet.run(story())


@pytest.mark.parametrize(
    ("fault", "said"),
    [
        ("narrow", "have 3 bits, it has 2"),
        ("padded", "returned 20 shots of program 0, 1 .. 10 are possible"),
        ("refuses", "the engine is too small"),
        ("reordered", "contradict its counts"),
    ],
)
def test_what_a_miner_does_wrong_fails_the_job_with_a_reason_and_shows_no_counts(
    subnet: Subnet, bell: str, make_line: Line, fault: str, said: str
) -> None:
    async def story() -> None:
        await subnet.found(make_line("line", 5))
        subnet.miners["line"].backend.faults.add(fault)
        async with subnet.mining(), subnet.gateway() as gateway:
            made = await _submit(gateway, program=bell, shots=10, device="line", memory=True)
            await subnet.settle(gateway)
            shown = gateway.service.job(made.job_id, account="ada")
            assert (shown.state, said in shown.detail) == ("failed", True)
            with pytest.raises(JobFailed, match="failed"):
                await gateway.service.result(made.job_id, account="ada")

    subnet.run(story())


def test_fewer_shots_than_asked_for_are_shown_as_they_are(
    subnet: Subnet, bell: str, make_line: Line
) -> None:
    async def story() -> None:
        await subnet.found(make_line("line", 5))
        subnet.miners["line"].backend.faults.add("fewer")
        async with subnet.mining(), subnet.gateway() as gateway:
            made = await _submit(gateway, program=bell, shots=100, device="line")
            await subnet.settle(gateway)
            result = await gateway.service.result(made.job_id, account="ada")
        returned = result.results[0].shots_returned
        assert result.shots_asked == 100
        assert returned == sum(result.results[0].counts.values())
        assert 50 <= returned <= 51  # two outcomes, each halved and rounded up

    subnet.run(story())


def test_nobody_else_s_signature_ends_a_job(subnet: Subnet, bell: str, make_line: Line) -> None:
    async def story() -> None:
        await subnet.found(make_line("line", 5))
        async with subnet.mining(), subnet.gateway() as gateway:
            made = await _submit(gateway, program=bell, shots=10, device="line")
        subnet.miners["line"].identity = "stranger"
        async with subnet.mining(), subnet.gateway() as gateway:
            await gateway.carrier.step()
            assert gateway.service.job(made.job_id, account="ada").state == "queued"
        assert subnet.keys_run("line") == []

    subnet.run(story())


def test_without_a_name_the_narrowest_verified_device_runs_it_and_the_next_one_if_that_fails(
    subnet: Subnet, bell: str, make_line: Line, make_simulator: Simulator
) -> None:
    async def story() -> None:
        await subnet.found(make_line("narrow", 4), make_simulator("wide", 9), make_line("liar", 3))
        async with subnet.mining(), subnet.gateway() as gateway:
            with pytest.raises(Unreachable, match=r"no device is verified now.*liar \(3 qubits\)"):
                await _submit(gateway, program=bell, shots=10)
            subnet.judge("narrow")
            subnet.judge("wide")
            subnet.judge("liar", "fraud")
            first = await _submit(gateway, program=bell, shots=10)
            await subnet.settle(gateway)
            assert gateway.service.job(first.job_id, account="ada").device == "narrow"
            subnet.miners["narrow"].backend.faults.add("refuses")
            second = await _submit(gateway, program=bell, shots=10)
            await subnet.settle(gateway)
            shown = gateway.service.job(second.job_id, account="ada")
            assert (shown.device, shown.state) == ("wide", "completed")
        assert subnet.keys_run("liar") == []

    subnet.run(story())


def test_a_refused_submission_leaves_nothing_behind(
    subnet: Subnet, bell: str, make_line: Line
) -> None:
    wide = bell.replace("qubit[2]", "qubit[6]") + "".join(f"x q[{q}];\n" for q in range(2, 6))
    refusals: list[tuple[type[Exception], str, dict[str, Any]]] = [
        (UnknownDevice, r"no device 'nine', there are: line \(5 qubits\)", {"device": "nine"}),
        (TooWide, "uses 6 qubits, device 'line' has 5", {"program": wide}),
        (ProgramError, "unknown gate 'foo'", {"program": bell.replace("h q", "foo q")}),
        (Exception, "takes 1 .. 20000 shots, got 50000", {"shots": 50_000}),
        (
            LimitError,
            "distinct",
            {"programs": [_many_bits()] * 40, "program": None, "shots": 20_000},
        ),
    ]

    async def story() -> None:
        await subnet.found(make_line("line", 5))
        async with subnet.mining(), subnet.gateway() as gateway:
            usual: dict[str, Any] = {"program": bell, "device": "line", "shots": 10}
            for error, said, asked in refusals:
                with pytest.raises(error, match=said):
                    await _submit(gateway, None, **(usual | asked))
            assert gateway.service.jobs(account="ada", limit=10, after=None).jobs == []
            assert gateway.service.health().jobs_open == 0
        assert not [path for _, method, path in subnet.post.seen if method == "POST"]

    subnet.run(story())


def _many_bits() -> str:
    return 'OPENQASM 3.0;\ninclude "stdgates.inc";\nqubit[2] q;\nbit[30] c;\nc[0] = measure q[0];\n'


def test_a_cancelled_job_stays_cancelled_and_its_miner_hears_of_it(
    subnet: Subnet, bell: str, make_line: Line
) -> None:
    async def story() -> None:
        await subnet.found(make_line("line", 5))
        async with subnet.mining(), subnet.gateway() as gateway:
            made = await _submit(gateway, program=bell, shots=10, device="line")
            shown = await gateway.service.cancel(made.job_id, account="ada")
            assert (shown.state, shown.ended_ms is not None) == ("cancelled", True)
            await subnet.settle(gateway)
            again = await gateway.service.cancel(made.job_id, account="ada")
            assert again == shown
            with pytest.raises(JobFailed, match="cancelled"):
                await gateway.service.result(made.job_id, account="ada")

    subnet.run(story())


def test_jobs_belong_to_their_account_and_come_in_pages_newest_first(
    subnet: Subnet, bell: str, make_line: Line
) -> None:
    async def story() -> None:
        await subnet.found(make_line("line", 5))
        async with subnet.mining(), subnet.gateway() as gateway:
            made = [
                (await _submit(gateway, program=bell, shots=1, device="line")).job_id
                for _ in range(5)
            ]
            service = gateway.service
            with pytest.raises(NotFound):
                service.job(made[0], account="bob")
            with pytest.raises(NotFound):
                await service.result(made[0], account="bob")
            with pytest.raises(NotFound):
                await service.cancel(made[0], account="bob")
            assert service.jobs(account="bob", limit=9, after=None).jobs == []
            first = service.jobs(account="ada", limit=3, after=None)
            rest = service.jobs(account="ada", limit=3, after=first.next)
            listed = [job.job_id for page in (first, rest) for job in page.jobs]
            assert (listed, rest.next) == (made[::-1], None)
            await subnet.settle(gateway)

    subnet.run(story())


def test_without_a_permit_submissions_wait_and_accepted_jobs_stay(
    subnet: Subnet, bell: str, make_line: Line
) -> None:
    async def story() -> None:
        await subnet.found(make_line("line", 5), permitted=False)
        async with subnet.mining(), subnet.gateway() as gateway:
            assert gateway.service.health().status == "waiting"
            with pytest.raises(Unreachable, match="may not send jobs yet"):
                await _submit(gateway, program=bell, shots=1, device="line")

    subnet.run(story())


def test_the_compiler_is_told_how_hard_to_try(subnet: Subnet, bell: str, make_line: Line) -> None:
    async def story() -> None:
        await subnet.found(make_line("line", 5))
        told: list[int | None] = []

        def compiles(device: Device, program: Program, level: int | None) -> Program:
            told.append(level)
            return compile_for(device, program, level)

        shop = Workshop(read=lambda text, _format: parse(text), compiles=compiles)
        async with subnet.mining(), subnet.gateway(shop) as gateway:
            await _submit(gateway, program=bell, shots=1, device="line", optimization=0)
            await _submit(gateway, program=bell, shots=1, device="line")
        assert told == [0, None]

    subnet.run(story())


def test_compiling_that_takes_too_long_is_given_up(
    subnet: Subnet, bell: str, make_line: Line
) -> None:
    async def story() -> None:
        await subnet.found(make_line("line", 5))
        import threading

        gate = threading.Event()

        def stuck(_device: Device, program: Any, _level: int | None) -> Any:
            gate.wait(30)
            return program

        shop = Workshop(read=lambda text, _format: parse(text), compiles=stuck, compile_s=0.01)
        async with subnet.mining(), subnet.gateway(shop) as gateway:
            with pytest.raises(LimitError, match=r"more than 0\.01 s"):
                await _submit(gateway, program=bell, shots=1, device="line")
            gate.set()

    subnet.run(story())
