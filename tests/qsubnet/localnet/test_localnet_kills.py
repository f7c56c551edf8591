"""Services of a running localnet are killed at random moments: nothing is lost, nothing doubled."""

from __future__ import annotations

import asyncio
import collections
import json
import os
import signal
import time
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import create_engine, text

from circuits.draws import Draws
from qsubnet.chain.local import open_local
from qsubnet.chain.replay import replay
from qsubnet.client import Client, from_state_file
from qsubnet.errors import Unreachable
from qsubnet.wire.keys import Sr25519Verifier

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

SMALL = "--miners=qpu-hanoi,fake-uniform"
BELL = (
    'OPENQASM 3.0;\ninclude "stdgates.inc";\nqubit[2] q;\nbit[2] c;\n'
    "h q[0];\ncx q[0], q[1];\nc[0] = measure q[0];\nc[1] = measure q[1];\n"
)


def _rows(path: Path, query: str) -> list[Any]:
    engine = create_engine(f"sqlite:///{path}")
    with engine.connect() as connection:
        found = list(connection.execute(text(query)))
    engine.dispose()
    return found


def _kill_one(net: Any, draws: Draws, alive: Callable[[int], bool]) -> None:
    """Kill a service that runs, without a word of warning."""
    while True:
        services = net.services()
        if services:
            name = draws.choice(sorted(services))
            if alive(services[name]):
                os.kill(services[name], signal.SIGKILL)
                net.until(lambda pid=services[name]: not alive(pid))
                return
        time.sleep(0.05)


def _submit(net: Any, shots: int) -> str:
    """Submit one job as a patient user does; the gateway may be down just now."""
    while True:
        connection = from_state_file(net.state / "gateway.json")
        try:
            with Client(connection.gateway, connection.api_key) as client:
                return client.submit(BELL, shots=shots, device="qpu-hanoi").job_id
        except Unreachable:
            time.sleep(0.3)


def _result(net: Any, job_id: str) -> Any:
    connection = from_state_file(net.state / "gateway.json")
    while True:
        try:
            with Client(connection.gateway, connection.api_key) as client:
                return client.result(job_id, timeout_s=120)
        except Unreachable:
            time.sleep(0.3)


async def _chain_facts(ledger: Path) -> tuple[list[Any], str, str]:
    async with open_local(ledger, verify=Sr25519Verifier().verify) as chain:
        events = await chain.events()
        return list(events), replay(events).state.state_digest(), await chain.state_digest()


@pytest.mark.parametrize(("kills", "epochs"), [(6, 2), pytest.param(20, 4, marks=pytest.mark.soak)])
def test_kills_at_random_moments_lose_nothing_and_double_nothing(
    start: Callable[..., Any], is_alive: Callable[[int], bool], kills: int, epochs: int
) -> None:
    net = start(f"--epochs={epochs}", "--seed=11", SMALL, "--serve", "--json")
    net.until((net.state / "gateway.json").exists)
    draws = Draws(b"kills", kills)
    jobs = []
    for number in range(kills):
        time.sleep(0.2 + 1.5 * draws.random())
        _kill_one(net, draws, is_alive)
        if number % 4 == 0:
            jobs.append(_submit(net, 100 + number))
    board = net.event("board")

    for number, job_id in zip(range(0, kills, 4), jobs, strict=True):
        result = _result(net, job_id)
        assert sum(result.results[0].counts.values()) == 100 + number
    assert board["user_jobs"]["submitted"] == 4 * epochs
    assert (board["user_jobs"]["lost"], board["user_jobs"]["wrong"]) == (0, 0)
    assert board["restarts"] == kills

    operator = net.state / "operator-a" / "operator.db"
    users = _rows(operator, "SELECT count(*), count(DISTINCT dispatch_key) FROM user_jobs")
    assert users == [(4 * epochs + len(jobs),) * 2]
    sent = _rows(operator, "SELECT count(*) FROM dispatches WHERE purpose = 'user'")
    assert sent == [(4 * epochs + len(jobs),)]

    events, replayed, stated = asyncio.run(_chain_facts(net.state / "ledger.db"))
    assert replayed == stated
    weights = collections.Counter(
        (content["validator"], content["mechanism"], content["epoch"])
        for event in events
        if event.kind == "weights"
        for content in [json.loads(event.payload)["arguments"]]
    )
    assert set(weights.values()) == {1}
    assert len(weights) == 2 * 2 * epochs

    verdicts = {miner["name"]: miner["verdict"] for miner in board["miners"]}
    assert verdicts == {"qpu-hanoi": "verified", "fake-uniform": "fraud"}
    services = net.services()
    assert net.stop() == 130
    assert not [name for name, pid in services.items() if is_alive(pid)]


def test_a_killed_localnet_leaves_no_process_and_resumes_to_the_same_board(
    start: Callable[..., Any], is_alive: Callable[[int], bool]
) -> None:
    net = start("--epochs=1", "--seed=5", SMALL, "--serve", "--json")
    net.until((net.state / "gateway.json").exists)
    services = net.services()
    assert set(services) == {"qpu-hanoi", "fake-uniform", "gateway", "operator-a", "operator-b"}
    net.process.kill()
    net.process.wait()
    deadline = time.monotonic() + 30
    while any(is_alive(pid) for pid in services.values()):
        assert time.monotonic() < deadline, "services outlive the localnet that started them"
        time.sleep(0.1)

    resumed = _board(start("--epochs=1", "--json"))
    assert (resumed["seed"], resumed["user_jobs"]["lost"]) == (5, 0)
    anew = _board(start("--epochs=1", "--seed=5", SMALL, "--json"))
    assert resumed["miners"] == anew["miners"]
    assert resumed["miners"][1]["verdict"] == "fraud"
    assert resumed["miners"][0]["verdict"] in {"verified", "unverified"}


def _board(net: Any) -> dict[str, Any]:
    """Wait for a localnet's end and give the one object that it printed."""
    assert net.process.wait(timeout=300) == 0
    net.stop()
    (board,) = net.lines
    return dict(board)


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("--epochs=1", "--miners=nobody"), "nobody"),
        (("--epochs=1", "--miners=fake-uniform"), "at least one honest miner"),
    ],
)
def test_a_cast_that_cannot_play_is_refused(
    start: Callable[..., Any], arguments: tuple[str, ...], sentence: str
) -> None:
    net = start(*arguments)
    assert net.process.wait(timeout=60) == 2
    net.stop()
    assert any(sentence in line for line in net.progress)
