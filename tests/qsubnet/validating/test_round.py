"""Rounds of validating on a small subnet: verdicts, weights once, and kills at every point."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest
from sqlalchemy import select

import providers
from circuits.counts import Counts
from providers.base import Context, Job, ProgramResult, ResultKind
from qsubnet.chain.calls import Commitment
from qsubnet.chain.errors import LedgerBusy
from qsubnet.chain.model import WeightState
from qsubnet.chain.replay import replay
from qsubnet.store import dispatches, evaluation, tables
from qsubnet.store.dispatches import DispatchState
from qsubnet.store.evaluation import EpochState
from qsubnet.validating.judging import record_from
from qsubnet.wire import peer
from validator import evidence as evidence_module

TEMPO = 20


class Killed(BaseException):
    """Ends a validator at once, as a signal does."""


class DeadlyChain:
    """The real chain, at one of whose calls the validator is killed: before it, or after."""

    def __init__(self, real: Any, deadly: str, *, after: bool, error: BaseException) -> None:
        self._real, self._deadly, self._after, self._error = real, deadly, after, error
        self.reached = 0

    def __getattr__(self, name: str) -> Any:
        method = getattr(self._real, name)
        if name != self._deadly:
            return method

        async def deadly(*args: Any, **options: Any) -> Any:
            self.reached += 1
            if self._after:
                await method(*args, **options)
            raise self._error

        return deadly


async def _closed(service: Any) -> Any:
    async with asyncio.timeout(60):
        while not (result := await service.round()).closed:
            pass
    return result


def _weights(receipt: Any) -> dict[str, int]:
    return dict(receipt.units)


def _dump(store: Any) -> dict[str, list[Any]]:
    """Everything that a stranger would recompute weights from."""
    names = ("epochs", "cases", "records", "verdicts", "weight_intents")
    with store.read() as connection:
        found = {
            name: [tuple(row) for row in connection.execute(select(tables.metadata.tables[name]))]
            for name in names
        }
    for name in ("records", "weight_intents"):
        column = list(tables.metadata.tables[name].columns.keys()).index(
            {"records": "receipt_digest", "weight_intents": "receipt"}[name]
        )
        found[name] = [row[:column] + row[column + 1 :] for row in found[name]]
    return {name: sorted(rows, key=str) for name, rows in found.items()}


def _exact(town: Any, name: str = "exact") -> Any:
    context = Context(b"7", lambda: 1)
    return town.home(
        name, lambda: providers.create("aer", {"num_qubits": 5, "gpu": "off"}, context)
    )


def test_honest_and_cheating_devices_are_told_apart_and_validators_agree(
    town: Any, tools: Any
) -> None:
    context = Context(b"7", lambda: 1)
    honest = town.home("honest", lambda: providers.create("standin", {"machine": "hanoi"}, context))
    cheat = town.home("cheat", lambda: providers.create("cheats", {"kind": "uniform"}, context))

    async def story() -> None:
        await town.settle_in(validators=["val", "second"], miners=["honest", "cheat"])
        async with honest.running(), cheat.running():
            assert (await _closed(await town.validator("val"))).epoch == 1
            for epoch in (2, 3, 4):
                await town.ledger.advance_to(epoch * TEMPO)
                for name in ("val", "second"):
                    assert (await _closed(await town.validator(name))).epoch == epoch
        await town.ledger.advance_to(5 * TEMPO)
        for name in ("val", "second"):
            with town.store(name).read() as connection:
                newest = evaluation.newest_verdicts(connection)
            told = {hotkey: document["verdict"] for (hotkey, _), document in newest.items()}
            assert told == {honest.hotkey: "verified", cheat.hotkey: "fraud"}
            status = await town.ledger.weight_status(
                tools.signer_of(name).identity, mechanism=0, epoch=4
            )
            assert status.state is WeightState.COUNTED
            assert set(_weights(status.receipt)) == {honest.hotkey}
        picture = await town.ledger.metagraph()
        earned = {neuron.hotkey: neuron.earned_rao for neuron in picture.neurons}
        assert earned[honest.hotkey] > 0
        assert earned[cheat.hotkey] == 0
        events = await town.ledger.events()
        replayed = replay(events)
        assert replayed.state.state_digest() == await town.ledger.state_digest()

    tools.run(story())


@pytest.mark.parametrize("moment", ["before", "after"])
@pytest.mark.parametrize("call", ["metagraph", "commit", "submit_weights"])
def test_a_validator_killed_at_any_call_of_the_chain_ends_where_an_unkilled_one_does(
    call: str, moment: str, town: Any, tools: Any
) -> None:
    async def story() -> None:
        await town.settle_in(miners=["exact"])
        home = _exact(town)
        async with home.running():
            deadly = DeadlyChain(town.chain("val"), call, after=moment == "after", error=Killed())
            service = await town.validator(chain=deadly)
            if call == "metagraph":  # let the first look pass: the kill comes while planning
                service.directory._chain = town.chain("val")
            with pytest.raises(Killed):
                await _closed(service)
            assert deadly.reached == 1
            await _closed(await town.validator())
            before = _dump(town.store())
            await _closed(await town.validator())  # once more changes nothing
            assert _dump(town.store()) == before
        me = tools.signer_of("val").identity
        (published,) = await town.ledger.commitments(me)
        with town.store().read() as connection:
            row = evaluation.epoch(connection, 1)
            assert evaluation.intents(connection, 1)[1] == {home.hotkey: 1.0}
        assert row is not None
        assert (row.state, row.commitment) == (EpochState.CLOSED, published.digest)
        kinds = [event.kind for event in await town.ledger.events()]
        assert kinds.count("weights") == 2  # one of each mechanism
        assert kinds.count("commit") == 1

    tools.run(story())


@pytest.mark.parametrize(
    "step", ["write_epoch", "ingest", "judge_all", "let_go", "add_intent", "keep_receipt"]
)
def test_a_validator_killed_at_any_writing_ends_where_an_unkilled_one_does(
    step: str, town: Any, tools: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    module = "qsubnet.validating.service"
    place = {
        "let_go": "qsubnet.store.dispatches",
        "add_intent": "qsubnet.store.evaluation",
        "keep_receipt": "qsubnet.store.evaluation",
    }.get(step, module)

    def die(*_: Any, **__: Any) -> Any:
        raise Killed

    async def story() -> None:
        await town.settle_in(miners=["exact"])
        async with _exact(town).running():
            with monkeypatch.context() as patch:
                patch.setattr(f"{place}.{step}", die)
                with pytest.raises(Killed):
                    await _closed(await town.validator())
            await _closed(await town.validator())
        with town.store().read() as connection:
            assert set(evaluation.intents(connection, 1)[1].values()) == {1.0}
            jobs = dispatches.of_epoch(connection, "test", 1)
        assert {job.state for job in jobs} == {DispatchState.ANSWERED}
        (published,) = await town.ledger.commitments(tools.signer_of("val").identity)
        assert published.topic == "case-keys/1"

    tools.run(story())


def test_no_test_leaves_before_its_commitment_is_public(town: Any, tools: Any) -> None:
    async def story() -> None:
        await town.settle_in(miners=["m"])
        backend = tools.backend(tools.device())
        async with town.home("m", backend.provider).running() as miner:
            busy = DeadlyChain(town.chain("val"), "commit", after=False, error=LedgerBusy("held"))
            service = await town.validator(chain=busy)
            for _ in range(2):
                with pytest.raises(LedgerBusy):
                    await service.round()
            assert miner.waiting() == 0
            assert not backend.executed
            await _closed(await town.validator())
            assert backend.executed

    tools.run(story())


def test_tests_that_never_left_before_the_epoch_ended_are_no_records(town: Any, tools: Any) -> None:
    async def story() -> None:
        await town.settle_in(miners=["m"])
        backend = tools.backend(tools.device())
        async with town.home("m", backend.provider).running():
            busy = DeadlyChain(town.chain("val"), "commit", after=False, error=LedgerBusy("held"))
            with pytest.raises(LedgerBusy):
                await (await town.validator(chain=busy)).round()
            await town.ledger.advance_to(2 * TEMPO)
            await _closed(service := await town.validator())
        with service.store.read() as connection:
            states = {job.state for job in dispatches.of_epoch(connection, "test", 1)}
            rows = evaluation.full_records(connection, up_to_epoch=9)
        assert states == {DispatchState.CANCELLED}
        assert {row.record.epoch for row in rows} == {2}

    tools.run(story())


def test_a_validator_that_lost_its_store_sends_nothing_it_did_not_promise(
    town: Any, tools: Any
) -> None:
    async def story() -> None:
        await town.settle_in(miners=["m"])
        backend = tools.backend(tools.device())
        await town.chain("val").commit(Commitment(topic="case-keys/1", digest="0" * 64))
        async with town.home("m", backend.provider).running():
            await _closed(service := await town.validator())
        assert not backend.executed
        with service.store.read() as connection:
            assert evaluation.intents(connection, 1) == {0: {}, 1: {}}

    tools.run(story())


def test_other_weights_that_stand_already_are_reported_and_not_fought(
    town: Any, tools: Any
) -> None:
    from qsubnet.chain.calls import Target, WeightIntent

    async def story() -> None:
        await town.settle_in(miners=["exact"])
        home, me = _exact(town), tools.signer_of("val").identity
        async with home.running():
            await town.chain("val").submit_weights(
                WeightIntent(
                    validator=me, mechanism=1, epoch=1, targets=(Target(home.hotkey, 0.5, 1),)
                )
            )
            await _closed(service := await town.validator())
        with service.store.read() as connection:
            rows = connection.execute(select(tables.weight_intents)).all()
        receipts = {row.mechanism: json.loads(row.receipt) for row in rows}
        assert receipts[1]["refused"] == "SettingWeightsTooFast"
        assert receipts[0]["epoch"] == 1

    tools.run(story())


def test_an_answer_after_the_weights_are_set_changes_no_record(town: Any, tools: Any) -> None:
    """What is published must give the same weights for ever."""

    async def story() -> None:
        await town.settle_in(miners=["m"])
        home = town.home("m", tools.backend(tools.device()).provider)
        await home.start()  # accepts, and never works
        service = await town.validator()
        assert (await service.round()).open_tests > 0
        await town.ledger.advance_to(2 * TEMPO - 5)  # the last quarter
        assert (await service.round()).closed
        before = _dump(service.store)
        async with home.running():
            for _ in range(5):
                await service.round()
        assert _dump(service.store) == before
        with service.store.read() as connection:
            documents = evaluation.verdicts_of(connection, 1)
        (document,) = documents.values()
        assert (document["verdict"], document["score"]) == ("unverified", 0.0)
        assert document["programs_answered"] == 0

    tools.run(story())


def test_a_device_that_is_not_offered_any_more_is_not_paid(town: Any, tools: Any) -> None:
    """Else one machine under a new name each epoch would be paid under all of them."""

    async def story() -> None:
        await town.settle_in(miners=["exact"])
        home = _exact(town)
        async with home.running():
            await _closed(service := await town.validator())
        await town.ledger.advance_to(2 * TEMPO)
        renamed = tools.backend(tools.device("renamed"))
        home.make = renamed.provider
        async with home.running():
            await _closed(service)
        with service.store.read() as connection:
            assert evaluation.intents(connection, 1)[1] == {home.hotkey: 1.0}
            assert evaluation.intents(connection, 2)[1] == {home.hotkey: 0.0}
            assert list(evaluation.verdicts_of(connection, 2)) == [(home.hotkey, "renamed")]

    tools.run(story())


def test_answers_of_a_hostile_miner_are_judged_without_harm(town: Any, tools: Any) -> None:
    def flood(job: Job, index: int) -> ProgramResult:
        bits = job.programs[index].num_bits
        tellings = [
            Counts(bits, {"0" * bits: 2**50}),
            Counts(bits + 1, {"0" * (bits + 1): job.shots}),
            Counts(bits, {}),
            Counts(1_000, {"01" * 500: job.shots}),
        ]
        return ProgramResult(tellings[index % 4], ResultKind.SHOTS)

    async def story() -> None:
        await town.settle_in(miners=["exact", "flood"])
        exact = _exact(town)
        hostile = town.home("flood", tools.backend(tools.device(), flood).provider)
        async with exact.running(), hostile.running():
            await _closed(service := await town.validator())
        with service.store.read() as connection:
            found = evaluation.verdicts_of(connection, 1)
            rows = evaluation.full_records(connection, up_to_epoch=1)
        told = {hotkey: document["verdict"] for (hotkey, _), document in found.items()}
        assert told == {exact.hotkey: "verified", hostile.hotkey: "misconfigured"}
        mine = [record_from(row) for row in rows if row.record.miner_hotkey == hostile.hotkey]
        assert max(record.shots_returned / record.shots_asked for record in mine) == 2

    tools.run(story())


def test_records_that_cannot_be_judged_leave_out_their_device_alone(
    town: Any, tools: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def story() -> None:
        await town.settle_in(miners=["exact", "m"])
        exact = _exact(town)
        bad = town.home("m", tools.backend(tools.device()).provider)
        real = evidence_module.evidence

        def evidence(records: Any, **options: Any) -> Any:
            if records[0].hotkey == bad.hotkey:
                raise MemoryError
            return real(records, **options)

        monkeypatch.setattr("qsubnet.validating.judging.evidence", evidence)
        async with exact.running(), bad.running():
            await _closed(service := await town.validator())
        with service.store.read() as connection:
            found = evaluation.verdicts_of(connection, 1)
            assert evaluation.intents(connection, 1)[1] == {exact.hotkey: 1.0}
        assert [hotkey for hotkey, _ in found] == [exact.hotkey]

    tools.run(story())


def test_a_forged_stored_answer_makes_a_record_without_counts(town: Any, tools: Any) -> None:
    async def story() -> None:
        await town.settle_in(miners=["m"])
        async with town.home("m", tools.backend(tools.device()).provider).running():
            service = await town.validator()
            async with asyncio.timeout(20):
                await service.round()
                while await service.dispatcher.step("test"):
                    pass
        with service.store.write() as connection:
            connection.execute(tables.records.delete())
            job = dispatches.of_epoch(connection, "test", 1)[0]
            answer = peer.JobAnswer.model_validate_json(job.answer or "")
            one = answer.results[0]
            forged = one.model_copy(update={"counts": {"1" * one.num_bits: 1}})
            text = answer.model_copy(
                update={"results": [forged, *answer.results[1:]]}
            ).model_dump_json()
            connection.execute(
                tables.dispatches.update()
                .where(tables.dispatches.c.job_key == job.job_key)
                .values(answer=text)
            )
        await _closed(service)
        with service.store.read() as connection:
            rows = evaluation.full_records(connection, up_to_epoch=1)
        for row in rows:
            forged_one = row.record.job_key == job.job_key
            assert (row.record.counts is None) == forged_one
            assert (row.record.receipt_digest == "") == forged_one

    tools.run(story())


def test_without_a_permit_nothing_is_planned(town: Any, tools: Any) -> None:
    async def story() -> None:
        await town.settle_in(validators=[], miners=["m"])
        async with town.home("m", tools.backend(tools.device()).provider).running():
            service = await town.validator()
            result = await service.round()
        assert (result.open_tests, result.closed) == (0, False)
        with service.store.read() as connection:
            assert evaluation.epoch(connection, 1) is None

    tools.run(story())
