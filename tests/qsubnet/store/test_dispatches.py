"""Dispatches in the store: leases, pages, what is held back, and who still owes a receipt."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from qsubnet.store import dispatches
from qsubnet.store.database import Store, sqlite_url
from qsubnet.store.dispatches import LEASE_MS, Dispatch, DispatchState, Purpose


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    opened = Store(sqlite_url(tmp_path / "a.db"))
    yield opened
    opened.close()


def _one(
    key: str,
    *,
    purpose: Purpose = "test",
    miner: str = "m",
    epoch: int = 1,
    state: DispatchState = DispatchState.DUE,
) -> Dispatch:
    return Dispatch(key, purpose, miner, "d", "{}", "{}", epoch, state)


def _add(store: Store, *items: Dispatch) -> None:
    with store.write() as connection:
        dispatches.add(connection, items)


def _claim(store: Store, owner: str, *, now_ms: int = 1, limit: int = 9) -> list[str]:
    with store.write() as connection:
        found = dispatches.claim(connection, "test", owner=owner, now_ms=now_ms, limit=limit)
    return [one.job_key for one in found]


def _state(store: Store, key: str) -> DispatchState:
    with store.read() as connection:
        found = dispatches.get(connection, key)
    assert found is not None
    return found.state


def test_two_workers_never_hold_the_same_lease_until_it_runs_out(store: Store) -> None:
    _add(store, _one("a"), _one("b"))
    assert _claim(store, "one", limit=1) == ["a"]
    assert _claim(store, "two") == ["b"]
    assert _claim(store, "one") == ["a"]  # its own again
    assert _claim(store, "two", now_ms=LEASE_MS + 2) == ["a", "b"]


def test_pages_go_by_epoch_and_key_and_leave_busy_miners_out(store: Store) -> None:
    _add(store, _one("b"), _one("c"), _one("a", epoch=2), _one("x", miner="busy"))
    with store.write() as connection:
        pages = []
        after = (-1, "")
        while page := dispatches.claim(
            connection,
            "test",
            owner="o",
            now_ms=1,
            limit=2,
            after=after,
            except_miners=["busy"],
        ):
            pages.append([one.job_key for one in page])
            after = (page[-1].epoch, page[-1].job_key)
    assert pages == [["b", "c"], ["a"]]


def test_what_is_held_neither_leaves_nor_counts_as_open(store: Store) -> None:
    _add(store, _one("a", state=DispatchState.HELD))
    assert _claim(store, "o") == []
    with store.read() as connection:
        assert dispatches.count_open(connection, "test") == 0
    with store.write() as connection:
        assert dispatches.let_go(connection, "test", 1) == 1
        assert dispatches.let_go(connection, "test", 1) == 0
    assert _claim(store, "o") == ["a"]


def test_what_is_withdrawn_was_cancelled_and_not_expired(store: Store) -> None:
    _add(store, _one("a", state=DispatchState.HELD), _one("b"))
    with store.write() as connection:
        assert dispatches.withdraw(connection, "test", up_to_epoch=1, detail="late") == 1
    assert (_state(store, "a"), _state(store, "b")) == (
        DispatchState.CANCELLED,
        DispatchState.DUE,
    )


def test_an_answered_dispatch_stays_on_the_list_until_its_receipt_is_handed_over(
    store: Store,
) -> None:
    _add(store, _one("a"))
    _claim(store, "o")
    with store.write() as connection:
        dispatches.move(connection, "a", DispatchState.SENT)
        assert dispatches.move(connection, "a", DispatchState.ANSWERED, answer="{}")
        dispatches.release(connection, ["a"], owner="o")
    assert _claim(store, "other") == []
    assert _claim(store, "o") == ["a"]
    assert _claim(store, "other", now_ms=2 * LEASE_MS + 5) == ["a"]
    with store.write() as connection:
        dispatches.receipt_handed(connection, "a")
    assert _claim(store, "o") == []


@pytest.mark.parametrize(
    "end",
    [
        DispatchState.ANSWERED,
        DispatchState.FAILED,
        DispatchState.EXPIRED,
        DispatchState.CANCELLED,
    ],
)
def test_what_has_ended_never_moves_again(end: DispatchState, store: Store) -> None:
    _add(store, _one("a"))
    with store.write() as connection:
        assert dispatches.move(connection, "a", end)
        for to in DispatchState:
            assert not dispatches.move(connection, "a", to)
    assert _state(store, "a") is end


def test_only_open_tests_of_earlier_epochs_expire(store: Store) -> None:
    _add(
        store,
        _one("old"),
        _one("new", epoch=2),
        _one("theirs", purpose="user"),
        _one("held", state=DispatchState.HELD),
    )
    with store.write() as connection:
        assert dispatches.expire(connection, "test", before_epoch=2) == 1
    states = [_state(store, key) for key in ("old", "new", "theirs", "held")]
    due = DispatchState.DUE
    assert states == [DispatchState.EXPIRED, due, due, DispatchState.HELD]


def test_a_receipt_that_nobody_took_is_forgotten_after_an_epoch(store: Store) -> None:
    _add(store, _one("a"))
    _claim(store, "o")
    with store.write() as connection:
        dispatches.move(connection, "a", DispatchState.ANSWERED, answer="{}")
        dispatches.expire(connection, "test", before_epoch=2)
    assert _claim(store, "o") == ["a"]
    with store.write() as connection:
        dispatches.expire(connection, "test", before_epoch=3)
    assert _claim(store, "o") == []
    assert _state(store, "a") is DispatchState.ANSWERED


def test_a_long_reason_is_cut(store: Store) -> None:
    _add(store, _one("a"))
    with store.write() as connection:
        dispatches.move(connection, "a", DispatchState.FAILED, detail="x" * 10_000)
        found = dispatches.get(connection, "a")
    assert found is not None
    assert len(found.detail) == 2_000
