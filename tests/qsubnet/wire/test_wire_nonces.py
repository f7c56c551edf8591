"""The store is judged by what it remembers; time is a number that the test sets."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import pytest

from qsubnet.wire.nonces import NonceSource, NonceStoreUnavailable, SqliteNonceStore

_S = 1_000_000_000
_NOW = 1_700_000_000 * _S


@dataclass
class Clock:
    now: int = _NOW

    def __call__(self) -> int:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "nonces.db"


@pytest.fixture
def store(path: Path, clock: Clock) -> Iterator[SqliteNonceStore]:
    with SqliteNonceStore(path, now_ns=clock, retention_s=60) as opened:
        yield opened


def _rows(path: Path) -> int:
    db = sqlite3.connect(path)
    try:
        return int(db.execute("SELECT count(*) FROM nonce").fetchone()[0])
    finally:
        db.close()


def test_a_pair_is_new_once(store: SqliteNonceStore) -> None:
    assert store.check_and_store("5A", _NOW)
    assert not store.check_and_store("5A", _NOW)
    assert not store.check_and_store("5A", _NOW)


def test_another_sender_or_nonce_is_new(store: SqliteNonceStore) -> None:
    assert store.check_and_store("5A", _NOW)
    assert store.check_and_store("5B", _NOW)
    assert store.check_and_store("5A", _NOW + 1)
    assert store.check_and_store("5A", _NOW - 1)


def test_a_restart_forgets_nothing(path: Path, clock: Clock) -> None:
    with SqliteNonceStore(path, now_ns=clock) as first:
        assert first.check_and_store("5A", _NOW)
    with SqliteNonceStore(path, now_ns=clock) as second:
        assert not second.check_and_store("5A", _NOW)
        assert second.check_and_store("5A", _NOW + 1)


def test_a_kill_right_after_the_answer_forgets_nothing(path: Path, clock: Clock) -> None:
    code = (
        "import os, pathlib, signal, sys\n"
        "from qsubnet.wire.nonces import SqliteNonceStore\n"
        f"store = SqliteNonceStore(pathlib.Path(sys.argv[1]), now_ns=lambda: {_NOW})\n"
        f"assert all(store.check_and_store('5A', {_NOW} + i) for i in range(50))\n"
        "os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    done = subprocess.run([sys.executable, "-c", code, os.fspath(path)], check=False)
    assert done.returncode == -signal.SIGKILL
    with SqliteNonceStore(path, now_ns=clock) as store:
        assert not any(store.check_and_store("5A", _NOW + i) for i in range(50))
        assert store.check_and_store("5A", _NOW + 50)


def test_threads_agree_on_who_was_first(store: SqliteNonceStore) -> None:
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda n: store.check_and_store("5A", _NOW + n % 50), range(400)))
    assert answers.count(True) == 50


def test_processes_on_one_file_agree_on_who_was_first(path: Path, clock: Clock) -> None:
    with (
        SqliteNonceStore(path, now_ns=clock) as one,
        SqliteNonceStore(path, now_ns=clock) as two,
        ThreadPoolExecutor(2) as pool,
    ):
        answers = pool.map(
            lambda store: [store.check_and_store("5A", _NOW + n) for n in range(100)], (one, two)
        )
        assert sum(map(sum, answers)) == 100


def test_old_pairs_are_forgotten_but_stay_refused(
    store: SqliteNonceStore, clock: Clock, path: Path
) -> None:
    assert all(store.check_and_store("5A", _NOW + n) for n in range(100))
    clock.now += 61 * _S
    assert store.check_and_store("5A", clock.now)
    assert _rows(path) == 1
    assert not store.check_and_store("5A", _NOW + 5)
    assert not store.check_and_store("5B", _NOW + 99)


def test_pairs_within_the_retention_are_kept(
    store: SqliteNonceStore, clock: Clock, path: Path
) -> None:
    assert store.check_and_store("5A", _NOW)
    clock.now += 59 * _S
    assert store.check_and_store("5A", clock.now)
    assert not store.check_and_store("5A", _NOW)
    assert _rows(path) == 2


def test_a_clock_that_jumps_ahead_and_back_opens_no_window(
    store: SqliteNonceStore, clock: Clock
) -> None:
    assert store.check_and_store("5A", _NOW)
    clock.now += 10_000 * _S
    assert store.check_and_store("5A", clock.now)
    clock.now = _NOW + _S
    assert not store.check_and_store("5A", _NOW)
    assert store.check_and_store("5A", _NOW + _S)


def test_the_file_stays_small_under_steady_use(
    store: SqliteNonceStore, clock: Clock, path: Path
) -> None:
    for _ in range(1000):
        clock.now += _S
        assert store.check_and_store("5A", clock.now)
    # One a second for 60 s, pruned at least every quarter of that.
    assert 60 <= _rows(path) <= 76


@pytest.mark.parametrize("retention_s", [0.0, -1.0, float("nan")])
def test_a_retention_is_positive(path: Path, clock: Clock, retention_s: float) -> None:
    with pytest.raises(ValueError, match="need retention_s > 0"):
        SqliteNonceStore(path, now_ns=clock, retention_s=retention_s)


def test_a_file_that_is_no_database_is_named(path: Path, clock: Clock) -> None:
    path.write_bytes(b"no database" * 500)
    with pytest.raises(NonceStoreUnavailable, match=r"nonces\.db"):
        SqliteNonceStore(path, now_ns=clock)


def test_a_closed_store_refuses_rather_than_accepts(store: SqliteNonceStore) -> None:
    store.close()
    with pytest.raises(NonceStoreUnavailable):
        store.check_and_store("5A", _NOW)


def test_a_nonce_too_large_for_the_file_is_not_accepted(store: SqliteNonceStore) -> None:
    with pytest.raises(NonceStoreUnavailable):
        store.check_and_store("5A", 2**63)
    assert store.check_and_store("5A", 2**63 - 1)


def test_fresh_nonces_follow_the_clock_and_never_repeat(clock: Clock) -> None:
    source = NonceSource(now_ns=clock)
    assert [source.fresh() for _ in range(3)] == [_NOW, _NOW + 1, _NOW + 2]
    clock.now += 100
    assert source.fresh() == _NOW + 100


def test_fresh_nonces_keep_counting_after_a_small_step_back(clock: Clock) -> None:
    source = NonceSource(now_ns=clock)
    first = source.fresh()
    clock.now -= _S // 2
    assert source.fresh() == first + 1
    clock.now -= 3600 * _S
    assert source.fresh() == clock.now


def test_fresh_nonces_differ_between_threads(clock: Clock) -> None:
    source = NonceSource(now_ns=clock)
    with ThreadPoolExecutor(8) as pool:
        nonces = list(pool.map(lambda _: source.fresh(), range(2000)))
    assert len(set(nonces)) == 2000
