"""The validator's process: one per directory, one round for cron, and it ends by itself."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from qsubnet.chain.errors import LedgerMissing
from qsubnet.errors import Busy, ConfigurationError
from qsubnet.lock import sole
from qsubnet.store import dispatches, evaluation
from qsubnet.store.database import Store, sqlite_url
from qsubnet.store.dispatches import DispatchState
from qsubnet.validating.run import ValidatorConfig, run_validator
from qsubnet.wire.keys import create_key_file

_MINER = """
import asyncio, sys
from pathlib import Path
from qsubnet.miner.serve import MinerConfig, serve_miner

folder = Path(sys.argv[1])
config = MinerConfig(
    adapter="cheats", options={"kind": "zeros"}, key_file=folder / "miner.key",
    ledger=folder / "ledger.db", state=folder / "miner", host="127.0.0.1", port=0, seed="7",
)
asyncio.run(serve_miner(config))
"""


@pytest.fixture
def config(town: Any, tools: Any) -> ValidatorConfig:
    """A validator's files in the town's folder; its hotkey is the town's `val`."""
    for name in ("val", "miner"):
        signer = create_key_file(town.folder / f"{name}.key", seed=tools.seed_of(name))
        assert signer.identity == tools.signer_of(name).identity
    return ValidatorConfig(
        key_file=town.folder / "val.key",
        ledger=town.folder / "ledger.db",
        state=town.folder / "state",
        database=sqlite_url(town.folder / "operator.db"),
    )


@contextlib.contextmanager
def _miner(folder: Path) -> Iterator[subprocess.Popen[bytes]]:
    process = subprocess.Popen([sys.executable, "-c", _MINER, str(folder)], env=dict(os.environ))
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def test_a_second_validator_in_one_directory_leaves_the_work_to_the_first(
    config: ValidatorConfig,
) -> None:
    config.state.mkdir()
    with (
        sole(config.state / "validator.lock", role="validator"),
        pytest.raises(Busy, match="another validator"),
    ):
        asyncio.run(run_validator(config))


def test_a_validator_without_ledger_or_store_says_so(
    config: ValidatorConfig, tmp_path: Path
) -> None:
    from dataclasses import replace

    with pytest.raises(LedgerMissing):
        asyncio.run(run_validator(replace(config, ledger=tmp_path / "none.db")))
    with pytest.raises(ConfigurationError, match="cannot open the store"):
        asyncio.run(run_validator(replace(config, database="sqlite:////nowhere/a.db")))


def test_a_round_with_nobody_to_test_closes_and_a_second_one_does_nothing(
    config: ValidatorConfig, town: Any
) -> None:
    asyncio.run(town.settle_in())
    for _ in range(2):
        result = asyncio.run(run_validator(config))
        assert (result.epoch, result.open_tests, result.closed) == (1, 0, True)
    kinds = [event.kind for event in asyncio.run(town.ledger.events())]
    assert kinds.count("weights") == 2
    assert (config.state / "case-secret").stat().st_mode & 0o777 == 0o600


def test_a_killed_miner_process_goes_on_where_it_was(
    config: ValidatorConfig, town: Any, tools: Any
) -> None:
    """Real processes and sockets: the miner is killed with its jobs accepted and not answered."""
    miner = tools.signer_of("miner").identity

    async def announced(before: str | None) -> None:
        async def look() -> bool:
            neuron = (await town.ledger.metagraph()).neuron(miner)
            return neuron.endpoint not in {None, before}

        await tools.eventually(look)

    async def endpoint() -> str | None:
        found: str | None = (await town.ledger.metagraph()).neuron(miner).endpoint
        return found

    asyncio.run(town.settle_in())
    asyncio.run(town.ledger.registrar(town.cold).register(miner))
    asyncio.run(town.ledger.advance_to(40))
    with _miner(town.folder) as process:
        asyncio.run(announced(None))
        assert asyncio.run(run_validator(config)).epoch == 2
        process.send_signal(signal.SIGKILL)
        process.wait()
    before = asyncio.run(endpoint())
    with _miner(town.folder) as process:
        asyncio.run(announced(before))
        assert asyncio.run(run_validator(config, wait=True)).closed
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=30) == 0
    store = Store(config.database)
    with store.read() as connection:
        jobs = dispatches.of_epoch(connection, "test", 2)
        (document,) = evaluation.verdicts_of(connection, 2).values()
    store.close()
    assert {job.state for job in jobs} == {DispatchState.ANSWERED}
    assert document["programs_answered"] == document["programs_asked"]
