from __future__ import annotations

import contextlib
import itertools
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from qsubnet.chain.calls import Announcement, Commitment, Target, WeightIntent
from qsubnet.chain.errors import BadProof, BlockNotFound, LedgerCorrupt, NeverRetry, RetryLater
from qsubnet.chain.events import check_signatures, follow, read, read_signed
from qsubnet.chain.model import Event
from qsubnet.chain.replay import replay, replay_to
from qsubnet.chain.state import picture


@pytest.fixture
def lived(bench: Any) -> Any:
    """A ledger with every kind of event, in the middle of epoch 2."""
    bench.seat("va", stake=60)
    bench.seat("vb", stake=40)
    bench.seat("m1")
    bench.seat("m2")
    bench.run(bench.chain("m1").announce(Announcement("http://127.0.0.1:9001")))
    bench.run(bench.chain().advance_to(10))
    bench.run(bench.chain("va").commit(Commitment("case-keys/1", "a" * 64)))
    bench.run(bench.chain().advance_to(14))
    weigh(bench, "vb", {"m1": 1.0, "m2": 0.25})
    weigh(bench, "va", {"m1": 1.0, "m2": 0.5})
    bench.run(bench.chain().advance_to(23))
    bench.run(bench.chain("m1").announce(Announcement("http://127.0.0.1:9002")))
    return bench


def weigh(bench: Any, validator: str, weights: dict[str, float], *, epoch: int = 1) -> None:
    targets = tuple(Target(hotkey, weight, 1) for hotkey, weight in weights.items())
    intent = WeightIntent(validator=validator, mechanism=0, epoch=epoch, targets=targets)
    bench.run(bench.chain(validator).submit_weights(intent))


def history(bench: Any) -> list[Event]:
    return list(bench.run(bench.chain().events()))


def test_a_replay_comes_to_the_state_of_the_ledger(lived: Any) -> None:
    state = replay(history(lived)).state
    assert state.state_digest() == lived.run(lived.chain().state_digest())
    assert picture(state) == lived.run(lived.chain().metagraph())


def test_a_stranger_can_check_every_signature(lived: Any, verify: Any) -> None:
    calls = [event for event in history(lived) if event.kind not in {"genesis", "blocks"}]
    assert check_signatures(history(lived), verify=verify) == len(calls) == 11


def test_a_signature_of_another_ledger_is_worth_nothing(
    lived: Any, make_bench: Callable[..., Any], verify: Any
) -> None:
    foreign = history(make_bench("other.db", seed=8))[:1] + history(lived)[1:]
    with pytest.raises(BadProof):
        check_signatures(foreign, verify=verify)


def test_validators_may_write_in_any_order(make_bench: Callable[..., Any]) -> None:
    digests = set()
    for name, order in (("1.db", ("va", "vb")), ("2.db", ("vb", "va"))):
        bench = make_bench(name)
        for hotkey, stake in (("va", 60), ("vb", 40), ("m1", 0), ("m2", 0)):
            bench.seat(hotkey, stake=stake)
        bench.run(bench.chain().advance_to(10))
        for validator in order:
            weigh(bench, validator, {"m1": 1.0, "m2": 0.5 if validator == "va" else 0.25})
        bench.run(bench.chain().advance_to(20))
        digests.add(bench.run(bench.chain().state_digest()))
    assert len(digests) == 1


def test_every_pinned_picture_is_the_one_that_was_seen_then(make_bench: Callable[..., Any]) -> None:
    bench = make_bench(tempo=4)
    seen = []
    for block in range(1, 10):
        bench.seat(f"m{block}", stake=block)
        bench.run(bench.chain().advance_to(block))
        seen.append(bench.run(bench.chain().metagraph()))
    events = history(bench)
    for block, picture_then in enumerate(seen, start=1):
        assert picture(replay_to(events, block=block)) == picture_then


def test_a_history_ends_at_its_newest_block(lived: Any) -> None:
    with pytest.raises(BlockNotFound, match=r"0 \.\. 23"):
        replay_to(history(lived), block=24)


def rechained(events: list[Event], change: Callable[[Event], Event]) -> list[Event]:
    """A forger's work: change events and make the hash chain fit again."""
    forged: list[Event] = []
    for event in events:
        new = change(event)
        last = forged[-1] if forged else None
        forged.append(follow(last, block=new.block, kind=new.kind, payload=read(new)))
    return forged


@pytest.mark.parametrize("field", ["payload", "block", "index", "kind", "hash", "sequence"])
def test_a_changed_event_breaks_the_chain(lived: Any, field: str) -> None:
    events = history(lived)
    old = getattr(events[5], field)
    changed: dict[str, Any] = {field: old + 1 if isinstance(old, int) else old.upper()}
    assert changed[field] != old
    events[5] = replace(events[5], **changed)
    with pytest.raises(LedgerCorrupt):
        replay(events)


def test_a_missing_or_doubled_event_breaks_the_chain(lived: Any) -> None:
    events = history(lived)
    for wrong in ([], events[1:], events[:4] + events[5:], [*events[:5], events[4]]):
        with pytest.raises(LedgerCorrupt):
            replay(wrong)


def test_a_rechained_payment_does_not_fit_what_is_recomputed(lived: Any) -> None:
    def pay_more(event: Event) -> Event:
        return replace(event, payload=event.payload.replace('"burned_rao":500', '"burned_rao":0'))

    with pytest.raises(LedgerCorrupt, match="recomputed"):
        replay(rechained(history(lived), pay_more))


def test_a_rechained_weight_loses_its_signature(lived: Any, verify: Any) -> None:
    def favour(event: Event) -> Event:
        return replace(event, payload=event.payload.replace('["m2",0.25,1]', '["m2",0.75,1]'))

    forged = rechained(history(lived), favour)
    assert forged != history(lived)
    with pytest.raises(BadProof):
        check_signatures(forged, verify=verify)


def test_a_signed_call_can_not_be_repeated(lived: Any) -> None:
    events = history(lived)
    first = next(event for event in events if event.kind == "announce")
    again = follow(events[-1], block=24, kind="announce", payload=read(first))
    with pytest.raises(LedgerCorrupt, match="nonce 2 of m1 is next, got 0"):
        replay([*events, again])
    assert read_signed(first).nonce == 0


FRESH = itertools.count()
HOTKEYS = st.sampled_from(["h1", "h2", "h3", "h4"])
WORK = st.one_of(
    st.tuples(st.just("register"), HOTKEYS),
    st.tuples(st.just("deregister"), HOTKEYS),
    st.tuples(st.just("stake"), HOTKEYS, st.integers(1, 10**12)),
    st.tuples(st.just("unstake"), HOTKEYS, st.integers(1, 10**12)),
    st.tuples(st.just("announce"), HOTKEYS, st.integers(1, 65_535)),
    st.tuples(st.just("commit"), HOTKEYS, st.integers(0, 2)),
    st.tuples(st.just("weigh"), HOTKEYS, st.dictionaries(HOTKEYS, st.floats(0, 1e6), max_size=4)),
    st.tuples(st.just("blocks"), st.integers(1, 7)),
)


async def carry_out(bench: Any, key: Any, work: tuple[Any, ...]) -> None:
    chain = bench.chain(work[1] if isinstance(work[1], str) else None)
    registrar = chain.registrar(key("cold"))
    head = await chain.head()
    match work:
        case ("register", hotkey):
            await registrar.register(hotkey)
        case ("deregister", hotkey):
            await registrar.deregister(hotkey)
        case ("stake", hotkey, rao):
            await registrar.add_stake(hotkey, rao)
        case ("unstake", hotkey, rao):
            await registrar.remove_stake(hotkey, rao)
        case ("announce", _, port):
            await chain.announce(Announcement(f"http://127.0.0.1:{port}"))
        case ("commit", _, digit):
            await chain.commit(Commitment("evidence/1", str(digit) * 64))
        case ("weigh", hotkey, weights):
            graph = await chain.metagraph()
            since = {neuron.hotkey: neuron.registered_block for neuron in graph.neurons}
            targets = tuple(Target(k, w, since.get(k, 0)) for k, w in weights.items())
            epoch = (await chain.params()).epoch_at(head.number)
            await chain.submit_weights(
                WeightIntent(validator=hotkey, mechanism=0, epoch=epoch, targets=targets)
            )
        case ("blocks", count):
            await chain.produce(count)
    chain.close()


@settings(
    deadline=None,
    max_examples=25,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(works=st.lists(WORK, max_size=25), seed=st.integers(0, 2**64))
def test_any_history_replays_and_keeps_every_rao(
    works: list[tuple[Any, ...]], seed: int, make_bench: Callable[..., Any], key: Any
) -> None:
    bench = make_bench(f"{next(FRESH)}.db", seed=seed, tempo=4)
    for work in works:
        with contextlib.suppress(RetryLater, NeverRetry):
            bench.run(carry_out(bench, key, work))
    state = replay(history(bench)).state
    assert state.state_digest() == bench.run(bench.chain().state_digest())
    assert sum(state.balances.values()) + sum(state.stakes.values()) == 10**12 + 10**6
    assert sum(state.earned.values()) + state.burned == 1001 * state.epochs
    assert state.uids == {seat.hotkey: uid for uid, seat in state.seats.items()}
