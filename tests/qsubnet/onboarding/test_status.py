"""A miner's status: what is down hides nothing else, and looking changes nothing."""

from __future__ import annotations

import asyncio
import contextlib
import json
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from providers.base import JobState
from qsubnet.chain.calls import Announcement
from qsubnet.chain.genesis import Genesis
from qsubnet.chain.local import create_local, open_local
from qsubnet.miner.configuration import load_miner_config
from qsubnet.onboarding.founding import Wish, found_miner, take_seat
from qsubnet.onboarding.status import Miner, jobs_by_state, miner_of, status_in_words, status_of
from qsubnet.store import miner_jobs
from qsubnet.store.database import Store, sqlite_url
from qsubnet.wire import peer
from qsubnet.wire.keys import Sr25519Verifier, load_key_file

VERIFY = Sr25519Verifier().verify
Serve = Callable[[dict[str, tuple[int, str]]], str]


@pytest.fixture
def serve() -> Iterator[Serve]:
    """Serve fixed answers on loopback, and give the address."""
    with contextlib.ExitStack() as stack:

        def start(answers: dict[str, tuple[int, str]]) -> str:
            class Handler(BaseHTTPRequestHandler):
                def do_GET(self) -> None:
                    status, body = answers.get(self.path, (404, ""))
                    self.send_response(status)
                    self.end_headers()
                    self.wfile.write(body.encode())

                def log_message(self, *_: Any) -> None: ...

            server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
            thread = threading.Thread(target=server.serve_forever, args=(0.02,))
            thread.start()
            stack.callback(server.server_close)
            stack.callback(thread.join)
            stack.callback(server.shutdown)
            return f"http://127.0.0.1:{server.server_port}"

        yield start


@pytest.fixture
def miner(tmp_path: Path) -> Miner:
    """Found a miner with a seat on a ledger of its own."""
    create_local(tmp_path / "ledger.db", Genesis(seed=1), verify=VERIFY).close()
    wish = Wish(tmp_path / "miner.toml", "aer", {}, tmp_path / "ledger.db")
    founded = found_miner(wish, replace=False)
    coldkey = tmp_path / "coldkey.key"
    asyncio.run(take_seat(wish.ledger, hotkey=founded.hotkey, coldkey_file=coldkey))
    return miner_of(load_miner_config(founded.path))


def _status(miner: Miner) -> dict[str, Any]:
    return asyncio.run(status_of(miner, gateway=None))


def _answers(hotkey: str, *, ready: bool) -> dict[str, tuple[int, str]]:
    health = peer.Health(hotkey=hotkey, devices=["aer"], jobs_waiting=3)
    readiness = peer.Readiness(ready=ready, reasons=[] if ready else ["draining"])
    return {
        "/v1/health": (200, health.model_dump_json()),
        "/v1/ready": (200 if ready else 503, readiness.model_dump_json()),
    }


def test_a_miner_that_never_served_has_a_seat_and_nothing_else(miner: Miner) -> None:
    found = _status(miner)
    assert (found["running"], found["jobs"], found["verdicts"]) == (False, None, None)
    assert found["chain"]["registered"]
    assert found["chain"]["earned_rao"] == 0
    assert [one["name"] for one in found["chain"]["mechanisms"]] == ["qpu", "simulator"]
    assert not (miner.state / "miner.db").exists()
    assert "not running" in status_in_words(found)


def test_a_running_miner_is_found_where_the_ledger_says(miner: Miner, serve: Serve) -> None:
    url = serve(_answers(miner.hotkey, ready=True))
    key = load_key_file(miner.ledger.with_name("miner.key"))

    async def announce() -> None:
        async with open_local(miner.ledger, verify=VERIFY, signer=key) as chain:
            await chain.announce(Announcement(url))

    asyncio.run(announce())
    found = _status(miner)
    assert (found["running"], found["url"]) == (True, url)
    assert (found["service"]["devices"], found["service"]["jobs_waiting"]) == (["aer"], 3)
    assert (found["service"]["ready"], found["problems"]) == (True, [])
    assert "3 jobs waiting" in status_in_words(found)
    assert json.loads(json.dumps(found)) == found


def test_a_miner_that_is_not_ready_says_why(miner: Miner, serve: Serve) -> None:
    url = serve(_answers(miner.hotkey, ready=False))
    found = _status(Miner(miner.hotkey, miner.state, miner.ledger, url))
    assert (found["running"], found["service"]["reasons"]) == (True, ["draining"])
    assert "not ready: draining" in status_in_words(found)


def test_somebody_elses_service_is_named(miner: Miner, serve: Serve) -> None:
    url = serve(_answers("another", ready=True))
    found = _status(Miner(miner.hotkey, miner.state, miner.ledger, url))
    assert any("another miner" in problem for problem in found["problems"])


@pytest.mark.parametrize("body", ["", "[]", "no json", "{}"])
def test_what_is_no_miner_counts_as_not_running(miner: Miner, serve: Serve, body: str) -> None:
    url = serve({"/v1/health": (200, body), "/v1/ready": (200, body)})
    found = _status(Miner(miner.hotkey, miner.state, miner.ledger, url))
    assert not found["running"]
    assert any("is no miner" in problem for problem in found["problems"])


def test_without_a_ledger_the_service_is_still_seen(miner: Miner, serve: Serve) -> None:
    url = serve(_answers(miner.hotkey, ready=True))
    gone = miner.ledger.with_name("gone.db")
    found = _status(Miner(miner.hotkey, miner.state, gone, url))
    assert (found["running"], found["chain"]) == (True, None)
    assert any(problem.startswith("ledger:") for problem in found["problems"])


def test_jobs_are_counted_by_state_without_touching_the_store(tmp_path: Path) -> None:
    path = tmp_path / "miner.db"
    store = Store(sqlite_url(path))
    with store.write() as connection:
        for number, state in enumerate([JobState.QUEUED, JobState.FAILED, JobState.FAILED]):
            job = miner_jobs.MinerJob(f"{number:064x}", "r", "{}", "d", state, number)
            miner_jobs.add(connection, job)
    store.close()
    before = path.read_bytes()
    assert jobs_by_state(path) == {
        "queued": 1,
        "running": 0,
        "completed": 0,
        "failed": 2,
        "cancelled": 0,
    }
    assert path.read_bytes() == before
    assert jobs_by_state(tmp_path / "none.db") is None
