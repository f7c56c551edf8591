from __future__ import annotations

import signal
import sqlite3
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from qsubnet.chain import errors
from qsubnet.chain.calls import Announcement, Target, WeightIntent
from qsubnet.chain.events import check_signatures, follow
from qsubnet.chain.journal import Journal
from qsubnet.chain.ledger import Ledger
from qsubnet.chain.model import Event
from qsubnet.chain.replay import replay

# Another process that writes endpoints as one hotkey, and prints the port of each that stands.
WRITER = """
import asyncio, hashlib, itertools, sys
from pathlib import Path
from qsubnet.chain.calls import Announcement
from qsubnet.chain.local import open_local

class Key:
    ss58_address = sys.argv[2]
    def sign(self, message, /):
        return hashlib.sha256(b"invented" + self.ss58_address.encode() + message).digest()

async def main():
    key = Key()
    chain = open_local(
        Path(sys.argv[1]), verify=lambda who, text, proof: proof == key.sign(text), signer=key
    )
    for port in itertools.islice(itertools.count(1), int(sys.argv[3])):
        await chain.announce(Announcement(f"http://127.0.0.1:{port}"))
        if len(sys.argv) > 4:
            await chain.produce()
        print(port, flush=True)

asyncio.run(main())
"""


def start(bench: Any, hotkey: str, count: int, *more: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", WRITER, str(bench.path), hotkey, str(count), *more],
        stdout=subprocess.PIPE,
        text=True,
    )


def history(bench: Any) -> tuple[Event, ...]:
    events: tuple[Event, ...] = bench.run(bench.chain().events())
    return events


def test_processes_that_write_at_once_lose_and_double_nothing(bench: Any, verify: Any) -> None:
    hotkeys = ["m1", "m2", "m3", "m4"]
    for hotkey in hotkeys:
        bench.seat(hotkey)
    writers = [start(bench, hotkey, 25) for hotkey in hotkeys]
    producer = bench.chain()
    assert writers[0].stdout is not None
    for _ in writers[0].stdout:
        bench.run(producer.produce())
    for writer in writers:
        assert writer.wait(timeout=120) == 0
        assert writer.stdout is not None
        writer.stdout.close()
    events = history(bench)
    calls = [event for event in events if event.kind == "announce"]
    assert len(calls) == 4 * 25
    assert bench.run(producer.head()).number == 25
    assert replay(events).state.state_digest() == bench.run(bench.chain().state_digest())
    assert check_signatures(events, verify=verify) == 4 * 25 + 4


@pytest.mark.parametrize("answers", [1, 2, 3, 7, 12])
def test_a_writer_killed_at_any_moment_leaves_a_whole_ledger(bench: Any, answers: int) -> None:
    bench.seat("m1")
    writer = start(bench, "m1", 10_000, "blocks")
    assert writer.stdout is not None
    for _ in range(answers):
        writer.stdout.readline()
    writer.send_signal(signal.SIGKILL)
    assert writer.wait(timeout=60) == -signal.SIGKILL
    answered = answers + len(writer.stdout.readlines())
    writer.stdout.close()
    events = history(bench)
    written = sum(event.kind == "announce" for event in events)
    assert answered <= written <= answered + 1
    assert replay(events).state.state_digest() == bench.run(bench.chain().state_digest())
    # Whoever comes next goes on where it stopped.
    bench.run(bench.chain("m1").announce(Announcement("http://127.0.0.1:20000")))
    assert replay(history(bench)).state.seats[0].endpoint == "http://127.0.0.1:20000"


@pytest.mark.parametrize("order", ["UPDATE events SET kind = 'x'", "DELETE FROM events"])
def test_an_event_can_be_neither_changed_nor_removed(bench: Any, order: str) -> None:
    bench.seat("m1")
    with sqlite3.connect(bench.path) as db, pytest.raises(sqlite3.IntegrityError, match="append"):
        db.execute(order)
    db.close()


def test_a_write_that_fails_before_the_commit_leaves_nothing(bench: Any) -> None:
    bench.seat("m1")
    before = history(bench)
    journal = Journal(bench.path)
    event = follow(before[-1], block=1, kind="announce", payload={})

    def fail_half_way() -> None:
        with journal.transaction():
            journal.append(event)
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fail_half_way()
    journal.close()
    assert history(bench) == before


def test_waiting_for_another_writer_ends_with_retry_later(
    bench: Any, key: Any, verify: Any
) -> None:
    bench.seat("m1")
    other = Journal(bench.path)
    ledger = Ledger.open(bench.path, verify=verify, busy_timeout_s=0.01)
    announcement = Announcement("http://127.0.0.1:9001")
    with other.transaction(), pytest.raises(errors.LedgerBusy):
        ledger.call(announcement, signer=key("m1"))
    # The lock is free again, and the same call goes through.
    assert ledger.call(announcement, signer=key("m1")).block == 1
    ledger.close()
    other.close()


def test_a_foreign_or_newer_database_is_refused(tmp_path: Path, bench: Any) -> None:
    with sqlite3.connect(tmp_path / "foreign.db") as db:
        db.execute("PRAGMA user_version = 3")
        db.execute("CREATE TABLE t (x)")
    db.close()
    with sqlite3.connect(bench.path) as db:
        db.execute("PRAGMA user_version = 99")
    db.close()
    for path in (tmp_path / "foreign.db", bench.path):
        content = path.read_bytes()
        for create in (False, True):
            with pytest.raises(errors.LedgerMismatch, match=r"need mark and format|something else"):
                Journal(path, create=create)
        assert path.read_bytes() == content


def test_an_event_of_an_unknown_kind_stops_everyone(bench: Any) -> None:
    journal = Journal(bench.path)
    with journal.transaction():
        journal.append(follow(journal.read()[-1], block=1, kind="transfer", payload={}))
    journal.close()
    with pytest.raises(errors.LedgerCorrupt, match="transfer"):
        bench.run(bench.chain().head())


def test_a_commit_that_fails_leaves_the_ledger_as_it_was_read(
    bench: Any, key: Any, verify: Any
) -> None:
    class Failing(Journal):
        def append(self, event: Event) -> None:
            raise errors.OutcomeUnknown("the disk is full")

    for hotkey, stake in (("va", 1), ("m1", 0)):
        bench.seat(hotkey, stake=stake)
    bench.run(bench.chain().advance_to(10))
    ledger = Ledger(Failing(bench.path), verify=verify)
    intent = WeightIntent(validator="va", mechanism=0, epoch=1, targets=(Target("m1", 1.0, 1),))
    for _ in range(2):
        # The second time as the first: what was not written is not remembered as set.
        with pytest.raises(errors.OutcomeUnknown):
            ledger.call(intent, signer=key("va"))
    with ledger.current() as state:
        assert state.receipts == {}
    ledger.close()
