"""The validator's file of metrics: whole, after every round, and it remembers the last success."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from prometheus_client.parser import text_string_to_metric_families

from qsubnet.errors import Unreachable
from qsubnet.store.database import Store, sqlite_url
from qsubnet.validating.metrics import write_metrics
from qsubnet.validating.run import ValidatorConfig, run_validator
from qsubnet.validating.service import Round
from qsubnet.wire.keys import create_key_file

ROUND = Round(epoch=4, open_tests=2, closed=False)


def _read(path: Path) -> dict[str, float]:
    return {
        sample.name.removeprefix("qsubnet_validator_"): sample.value
        for family in text_string_to_metric_families(path.read_text())
        for sample in family.samples
    }


def test_a_failed_round_keeps_the_time_of_the_last_success(tmp_path: Path) -> None:
    path, store = tmp_path / "q.prom", Store(sqlite_url(tmp_path / "operator.db"))
    write_metrics(path, store=store, found=None, seconds=1.0, now_s=50.0)
    assert "last_success_timestamp_seconds" not in _read(path)
    write_metrics(path, store=store, found=ROUND, seconds=2.0, now_s=100.0)
    write_metrics(path, store=store, found=None, seconds=3.0, now_s=200.0)
    store.close()
    found = _read(path)
    assert found["last_run_success"] == 0
    assert found["last_run_timestamp_seconds"] == 200
    assert found["last_success_timestamp_seconds"] == 100
    assert found["round_seconds"] == 3
    assert "epoch" not in found  # nobody knows it
    assert [one.name for one in tmp_path.glob("q.prom*")] == ["q.prom"]


def test_a_file_that_cannot_be_written_is_logged_and_ends_nothing(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    store = Store(sqlite_url(tmp_path / "operator.db"))
    for path in (tmp_path / "nowhere" / "q.prom", tmp_path):
        write_metrics(path, store=store, found=ROUND, seconds=1.0, now_s=1.0)
    store.close()
    assert [record.message for record in caplog.records] == ["metrics not written"] * 2


def test_a_run_leaves_its_file_whether_it_went_through_or_not(
    town: Any, tools: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    create_key_file(town.folder / "val.key", seed=tools.seed_of("val"))
    config = ValidatorConfig(
        key_file=town.folder / "val.key",
        ledger=town.folder / "ledger.db",
        state=town.folder / "state",
        database=sqlite_url(town.folder / "operator.db"),
    )
    config = replace(config, metrics_file=town.folder / "q.prom")
    asyncio.run(town.settle_in())
    asyncio.run(run_validator(config))
    found = _read(town.folder / "q.prom")
    assert (found["epoch"], found["epoch_closed"], found["last_run_success"]) == (1, 1, 1)
    assert found["last_run_timestamp_seconds"] == found["last_success_timestamp_seconds"]

    async def lost(*_: Any) -> Any:
        from qsubnet.chain.errors import LedgerBusy

        raise LedgerBusy("held")

    monkeypatch.setattr("qsubnet.chain.local.LocalChain.metagraph", lost)
    with pytest.raises(Unreachable):
        asyncio.run(run_validator(config))
    assert _read(town.folder / "q.prom")["last_run_success"] == 0
