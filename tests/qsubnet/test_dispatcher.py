"""The dispatcher against real miners behind signed HTTP: honest, killed, hanging and lying ones."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from typing import Any

import pytest
from fastapi import FastAPI, Request
from fastapi.responses import Response

from circuits.counts import Counts
from providers.base import Job, ProgramResult, ResultKind
from qsubnet.errors import PeerFault, Unreachable
from qsubnet.receipts import ReceiptDesk, receipt_digest
from qsubnet.store import dispatches
from qsubnet.store.dispatches import Dispatch, DispatchState
from qsubnet.store.miner_jobs import get as miner_job
from qsubnet.wire import peer

Lie = Callable[[str, str, bytes], tuple[int, bytes] | None]


async def _settled(dispatcher: Any, purpose: str = "test") -> None:
    async with asyncio.timeout(20):
        while await dispatcher.step(purpose):
            pass


def _look(store: Any, dispatch: Dispatch) -> Dispatch:
    with store.read() as connection:
        found = dispatches.get(connection, dispatch.job_key)
    assert found is not None
    return found


def _add(store: Any, *items: Dispatch) -> None:
    with store.write() as connection:
        dispatches.add(connection, items)


def _liar(inner: Any, lie: Lie) -> FastAPI:
    """The miner's real application, except where `lie` gives (status, body)."""
    app = FastAPI()

    @app.api_route("/{path:path}", methods=["GET", "POST"])
    async def anything(path: str, request: Request) -> Response:
        body = await request.body()
        sent: list[Any] = []

        async def receive() -> Any:
            return {"type": "http.request", "body": body, "more_body": False}

        async def keep(message: Any) -> None:
            sent.append(message)

        await inner(dict(request.scope), receive, keep)
        status = sent[0]["status"]
        content = b"".join(part.get("body", b"") for part in sent[1:])
        told = lie(request.method, "/" + path, content)
        status, content = told or (status, content)
        return Response(content, status, media_type="application/json")

    return app


def test_a_job_goes_out_and_its_answer_counts_with_both_signatures(town: Any, tools: Any) -> None:
    async def story() -> None:
        await town.settle_in(miners=["m"])
        home = town.home("m", tools.backend(tools.device()).provider)
        store, dispatch = town.store(), tools.dispatch_to(home.hotkey, programs=2)
        _add(store, dispatch)
        async with home.running() as service:
            await _settled(await town.dispatcher(store))
            found = _look(store, dispatch)
            assert (found.state, found.detail) == (DispatchState.ANSWERED, "")
            answer = peer.JobAnswer.model_validate_json(found.answer or "")
            assert [one.counts for one in answer.results] == [{"00": 10}] * 2
            facts = ReceiptDesk(tools.signer_of("val")).facts(found, answer)
            digest = receipt_digest(answer.receipt, facts)
            with service._store.read() as connection:
                kept = miner_job(connection, dispatch.job_key)
            assert kept is not None
            assert kept.receipt is not None
            assert receipt_digest(json.loads(kept.receipt), facts) == digest

    tools.run(story())


class Killed(BaseException):
    """Ends a dispatcher at once, as a signal does."""


class DeadlyPort:
    """A real port, at one of whose questions the dispatcher is killed: before it, or after."""

    def __init__(self, real: Any, deadly: str, *, after: bool) -> None:
        self._real, self._deadly, self._after = real, deadly, after
        self.reached = False

    def port(self, _hotkey: str) -> DeadlyPort:
        return self

    def __getattr__(self, name: str) -> Any:
        method = getattr(self._real, name)
        if name != self._deadly:
            return method

        async def deadly(*args: Any, **options: Any) -> Any:
            self.reached = True
            if self._after:
                await method(*args, **options)
            raise Killed

        return deadly


async def _run_until_killed(town: Any, store: Any, home: Any, name: str, *, after: bool) -> None:
    for _ in range(100):
        dispatcher = await town.dispatcher(store)
        port = DeadlyPort(dispatcher._directory.port(home.hotkey), name, after=after)
        dispatcher._directory = port
        taken = dispatcher._take("test").items()
        work = [dispatcher._begin("test", hotkey, jobs) for hotkey, jobs in taken]
        await asyncio.gather(*work, return_exceptions=True)
        if port.reached:
            return
    pytest.fail(f"{name} was never reached")


@pytest.mark.parametrize("moment", ["before", "after"])
@pytest.mark.parametrize("name", ["submit", "status", "answer", "hand_receipt"])
def test_a_dispatcher_killed_at_any_question_loses_and_doubles_nothing(
    name: str, moment: str, town: Any, tools: Any
) -> None:
    async def story() -> None:
        await town.settle_in(miners=["m"])
        backend = tools.backend(tools.device())
        home = town.home("m", backend.provider)
        store, dispatch = town.store(), tools.dispatch_to(home.hotkey)
        _add(store, dispatch)
        async with home.running() as service:
            await _run_until_killed(town, store, home, name, after=moment == "after")
            restarted = await town.dispatcher(store)
            await _settled(restarted)
            await restarted.step("test")  # a receipt may be left to hand over
            with service._store.read() as connection:
                kept = miner_job(connection, dispatch.job_key)
        found = _look(store, dispatch)
        assert found.state is DispatchState.ANSWERED, found.detail
        assert backend.executed == [dispatch.job_key]
        assert kept is not None
        assert kept.receipt is not None

    tools.run(story())


def test_a_miner_killed_between_accepting_and_answering_goes_on_by_itself(
    town: Any, tools: Any
) -> None:
    async def story() -> None:
        await town.settle_in(miners=["m"])
        backend = tools.backend(tools.device())
        home = town.home("m", backend.provider)
        store, dispatch = town.store(), tools.dispatch_to(home.hotkey)
        _add(store, dispatch)
        dispatcher = await town.dispatcher(store)
        await home.start()  # accepts, and never works
        assert await dispatcher.step("test") == 1
        assert _look(store, dispatch).state is DispatchState.SENT
        home.leave()
        assert await dispatcher.step("test") == 1  # nobody listens
        async with home.running():
            await _settled(dispatcher)
        assert _look(store, dispatch).state is DispatchState.ANSWERED
        assert backend.executed == [dispatch.job_key]

    tools.run(story())


def test_a_job_that_its_miner_has_lost_is_sent_again(town: Any, tools: Any) -> None:
    async def story() -> None:
        await town.settle_in(miners=["m"])
        home = town.home("m", tools.backend(tools.device()).provider)
        store, dispatch = town.store(), tools.dispatch_to(home.hotkey)
        _add(store, dispatch)
        with store.write() as connection:
            dispatches.move(connection, dispatch.job_key, DispatchState.SENT)
        async with home.running():
            await _settled(await town.dispatcher(store))
        assert _look(store, dispatch).state is DispatchState.ANSWERED

    tools.run(story())


def test_a_hanging_miner_delays_neither_the_others_nor_a_step_beyond_its_limit(
    town: Any, tools: Any
) -> None:
    reached = []

    async def hang(*_: Any) -> None:
        reached.append(1)
        await asyncio.Event().wait()

    async def story() -> None:
        await town.settle_in(miners=["m", "tar"])
        home = town.home("m", tools.backend(tools.device()).provider)
        tar = town.home("tar", tools.backend(tools.device()).provider)
        await tar.start()
        tar.serve(hang)
        store = town.store()
        good = [tools.dispatch_to(home.hotkey, number=n) for n in range(3)]
        stuck = [tools.dispatch_to(tar.hotkey, number=n) for n in range(12)]
        _add(store, *good, *stuck)
        async with home.running():
            lasting = await town.dispatcher(store, prompt_s=0.1, timeout_s=9, patience_s=9)
            async with asyncio.timeout(8):  # the silent one alone would take 9 seconds
                while await lasting.step("test") > len(stuck):
                    pass
            for _ in range(3):
                await lasting.step("test")
            assert len(reached) <= 4  # it is not asked again while it hangs
            assert {_look(store, one).state for one in good} == {DispatchState.ANSWERED}
            await lasting.close()
            single = await town.dispatcher(store, prompt_s=9, timeout_s=9, patience_s=0.2)
            async with asyncio.timeout(5):
                assert await single.step("test") == len(stuck)
        assert {_look(store, one).state for one in stuck} == {DispatchState.DUE}

    tools.run(story())


def test_more_dispatches_than_a_page_all_leave_in_one_step(
    town: Any, tools: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def story() -> None:
        await town.settle_in(miners=["m"])
        home = town.home("m", tools.backend(tools.device()).provider)
        store = town.store()
        dead = [tools.dispatch_to(tools.signer_of("dead").identity, number=n) for n in range(7)]
        alive = [tools.dispatch_to(home.hotkey, number=n, epoch=2) for n in range(4)]
        _add(store, *dead, *alive)
        async with home.running():
            await (await town.dispatcher(store)).step("test")
        assert {_look(store, one).state for one in dead} == {DispatchState.DUE}
        assert DispatchState.DUE not in {_look(store, one).state for one in alive}

    monkeypatch.setattr("qsubnet.dispatcher._BATCH", 3)
    tools.run(story())


def _edit(**changes: Any) -> Lie:
    """Change fields of the answer to a question for results."""

    def lie(_method: str, path: str, body: bytes) -> tuple[int, bytes] | None:
        if not path.endswith("/result"):
            return None
        return 200, json.dumps(json.loads(body) | changes).encode()

    return lie


def _counts(table: dict[str, Any], bits: int = 2) -> Lie:
    one = {"num_bits": bits, "counts": table, "kind": "shots", "processing": []}
    return _edit(results=[one])


def _says(path_end: str, status: int, content: Any) -> Lie:
    def lie(_method: str, path: str, _body: bytes) -> tuple[int, bytes] | None:
        return (status, json.dumps(content).encode()) if path.endswith(path_end) else None

    return lie


FLOOD = {format(n, "020b"): 1 for n in range(300_001)}

LIES: dict[str, tuple[Lie, str]] = {
    "other counts than signed": (_counts({"11": 10}), "receipt"),
    "another job's answer": (_edit(key="0" * 64), "the answer is of"),
    "too few results": (_edit(results=[]), "results"),
    "too many results": (
        lambda m, p, b: (
            _edit(results=json.loads(b)["results"] * 2)(m, p, b) if p.endswith("/result") else None
        ),
        "has 1 programs, its answer 2",
    ),
    "counts that are words": (_counts({"00": "ten"}), "counts"),
    "counts that are negative": (_counts({"00": -10}), "counts"),
    "counts beyond any receipt": (_counts({"00": 2**62}), "receipt can hold"),
    "bits of another alphabet": (_counts({"ab": 10}), "0 or 1"),
    "a flood of bitstrings": (_counts(FLOOD, bits=20), "bytes"),
    "nested for ever": (_edit(backend_record={"a": json.loads("[" * 40 + "]" * 40)}), "nested"),
    "an unknown field": (_edit(surprise=1), "surprise"),
    "no receipt": (_edit(receipt={}), "receipt"),
    "a state that is none": (
        _says("/v1/jobs", 200, {"key": "0" * 64, "state": "soon", "detail": ""}),
        "state",
    ),
    "another job's state": (
        _says("/v1/jobs", 200, {"key": "0" * 64, "state": "queued", "detail": ""}),
        "it answers for",
    ),
    "a refusal": (_says("/v1/jobs", 422, {"detail": "I do not like it"}), "do not like"),
    "a redirect": (_says("/v1/jobs", 302, {}), "status 302"),
    "a list": (_says("/v1/jobs", 200, [1, 2]), "JobStatus"),
}


def test_each_lie_ends_its_own_dispatch_with_a_reason(town: Any, tools: Any) -> None:
    async def story() -> None:
        await town.settle_in(miners=["m", "liar"])
        home = town.home("m", tools.backend(tools.device()).provider)
        liar = town.home("liar", tools.backend(tools.device()).provider)
        store = town.store()
        async with home.running(), liar.running():
            honestly = town.streets.apps["liar.test"]._app
            dispatcher = await town.dispatcher(store)
            for number, (name, (lie, reason)) in enumerate(LIES.items()):
                good = tools.dispatch_to(home.hotkey, number=number)
                bad = tools.dispatch_to(liar.hotkey, number=number)
                _add(store, good, bad)
                liar.serve(_liar(honestly, lie))
                await _settled(dispatcher)
                assert _look(store, good).state is DispatchState.ANSWERED, name
                found = _look(store, bad)
                assert (found.state, found.answer) == (DispatchState.FAILED, None), name
                assert reason in found.detail, name
                assert len(found.detail) <= 2_000, name

    tools.run(story())


def test_what_somebody_else_signs_proves_nothing_against_a_miner(town: Any, tools: Any) -> None:
    """After a restart another service may listen on a miner's old port."""

    async def story() -> None:
        await town.settle_in(miners=["m"])
        home = town.home("m", tools.backend(tools.device()).provider)
        store, dispatch = town.store(), tools.dispatch_to(home.hotkey)
        _add(store, dispatch)
        dispatcher = await town.dispatcher(store)
        service = await home.start()
        for thief in ("other", None):
            if thief:
                home.serve(town.streets.apps["m.test"]._app, signer=tools.signer_of(thief))
            else:
                town.streets.apps["m.test"] = FastAPI()
            assert await dispatcher.step("test") == 1
            assert _look(store, dispatch).state is DispatchState.DUE
        del service
        async with home.running():
            await _settled(dispatcher)
        assert _look(store, dispatch).state is DispatchState.ANSWERED

    tools.run(story())


def test_another_width_or_number_of_shots_is_a_fact_and_no_fault(town: Any, tools: Any) -> None:
    told = [Counts(3, {"101": 10}), Counts(2, {"00": 4}), Counts(2, {"00": 40}), Counts(2, {})]

    def answer(_job: Job, index: int) -> ProgramResult:
        return ProgramResult(told[index], ResultKind.SHOTS)

    async def story() -> None:
        await town.settle_in(miners=["m"])
        home = town.home("m", tools.backend(tools.device(), answer).provider)
        store, dispatch = town.store(), tools.dispatch_to(home.hotkey, programs=len(told))
        _add(store, dispatch)
        async with home.running():
            await _settled(await town.dispatcher(store))
        found = _look(store, dispatch)
        assert found.state is DispatchState.ANSWERED, found.detail
        answered = peer.JobAnswer.model_validate_json(found.answer or "")
        assert [one.counts for one in answered.results] == [counts.table for counts in told]

    tools.run(story())


def test_a_claim_that_changed_since_the_plan_makes_no_record(town: Any, tools: Any) -> None:
    async def story() -> None:
        await town.settle_in(miners=["m"])
        home = town.home("m", tools.backend(tools.device(fee_rao_per_shot=5)).provider)
        store, dispatch = town.store(), tools.dispatch_to(home.hotkey)
        _add(store, dispatch)
        async with home.running():
            await _settled(await town.dispatcher(store))
        found = _look(store, dispatch)
        assert found.state is DispatchState.FAILED
        assert "another claim" in found.detail

    tools.run(story())


def test_an_endpoint_that_no_client_can_use_is_a_silent_miner(town: Any, tools: Any) -> None:
    from qsubnet.wire.miner_port import MinerPort

    async def story() -> None:
        for endpoint in ("http://" + "a" * 70 + ".test:80", "http://a b:80", "http://[::1:80"):
            port = MinerPort(town.client("val"), endpoint=endpoint, hotkey="x")
            with pytest.raises(Unreachable):
                await port.devices()

    tools.run(story())


def test_a_cancelled_dispatch_stays_cancelled_whatever_comes_later(town: Any, tools: Any) -> None:
    async def story() -> None:
        await town.settle_in(miners=["m"])
        home = town.home("m", tools.backend(tools.device()).provider)
        store, dispatch = town.store(), tools.dispatch_to(home.hotkey)
        _add(store, dispatch)
        dispatcher = await town.dispatcher(store)
        service = await home.start()
        await dispatcher.step("test")
        await dispatcher.cancel(dispatch.job_key)
        assert await dispatcher.step("test") == 0
        assert _look(store, dispatch).state is DispatchState.CANCELLED
        told = service.status(dispatch.job_key, requester=tools.signer_of("val").identity)
        assert told.state == "cancelled"
        await dispatcher.cancel(dispatch.job_key)  # twice is as good as once

    tools.run(story())


def test_one_purpose_never_moves_the_other(town: Any, tools: Any) -> None:
    async def story() -> None:
        await town.settle_in(miners=["m"])
        home = town.home("m", tools.backend(tools.device()).provider)
        store, dispatch = town.store(), tools.dispatch_to(home.hotkey)
        _add(store, dispatch)
        async with home.running():
            assert await (await town.dispatcher(store)).step("user") == 0
        assert _look(store, dispatch).state is DispatchState.DUE

    tools.run(story())


def test_a_desk_refuses_an_answer_that_its_own_key_gave(town: Any, tools: Any) -> None:
    """A receipt needs two parties: an operator that is its own miner proves nothing."""
    me = tools.signer_of("val")
    dispatch = tools.dispatch_to(me.identity)
    one = peer.ProgramAnswer(num_bits=2, counts={"00": 10}, kind="shots", processing=[])
    answer = peer.JobAnswer(
        key=dispatch.job_key, results=[one], backend_job_id="b", backend_record={}, receipt={}
    )
    with pytest.raises(PeerFault, match="must differ"):
        ReceiptDesk(me).facts(dispatch, answer)
