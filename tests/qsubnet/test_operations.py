"""The page on operations against the code: its tables are what services really export and log."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from prometheus_client import CollectorRegistry

from qsubnet.gateway.metrics import PREFIX as GATEWAY
from qsubnet.gateway.metrics import gateway_registry
from qsubnet.miner.metrics import PREFIX as MINER
from qsubnet.miner.metrics import MinerMetrics
from qsubnet.store import evaluation
from qsubnet.store.database import Store, sqlite_url
from qsubnet.telemetry import Counted
from qsubnet.validating.metrics import validator_registry
from qsubnet.validating.service import Round

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "operations.md").read_text()
LABELS = {"call", "error", "mechanism", "method", "reason", "role", "route"}
LABELS |= {"state", "status", "verdict", "version"}


def _exported(registry: CollectorRegistry) -> set[tuple[str, str, tuple[str, ...]]]:
    """Name, type and labels of every metric, also of those without a value yet."""
    found = set()
    for collector in list(registry._collector_to_names):
        described: Any = [collector] if hasattr(collector, "_name") else collector.collect()
        for metric in described:
            name = getattr(metric, "_name", None) or metric.name
            kind = getattr(metric, "_type", None) or metric.type
            name += "_total" if kind == "counter" else ""
            found.add((name, kind, tuple(metric._labelnames)))
    return found


def _promised(prefix: str) -> set[tuple[str, str, tuple[str, ...]]]:
    rows = re.findall(r"^\| `(qsubnet_\w+)` \| (\w+) \|([^|]*)\|", PAGE, re.MULTILINE)
    return {
        (name, kind, tuple(re.findall(r"`(\w+)`", labels)))
        for name, kind, labels in rows
        if name.startswith(prefix) or name == "qsubnet_build_info"
    }


def _counted(registry: CollectorRegistry, prefix: str) -> None:
    async def nobody(*_: Any) -> None: ...

    Counted(nobody, routes=[], registry=registry, prefix=prefix)


def test_a_miner_exports_what_the_table_says(town: Any, tools: Any) -> None:
    async def story() -> None:
        await town.settle_in(miners=["m"])
        service = await town.home("m", tools.backend(tools.device()).provider).start()
        metrics = MinerMetrics()
        metrics.watch(service)
        _counted(metrics.registry, MINER)
        assert _exported(metrics.registry) == _promised(MINER)
        assert metrics.registry.get_sample_value("qsubnet_miner_jobs", {"state": "queued"}) == 0

    tools.run(story())


def test_a_gateway_exports_what_the_table_says(tmp_path: Path) -> None:
    health = SimpleNamespace(status="waiting", devices=3, jobs_open=2)
    service: Any = SimpleNamespace(health=lambda: health)
    store = Store(sqlite_url(tmp_path / "operator.db"))
    registry = gateway_registry(service, store=store)
    _counted(registry, GATEWAY)
    assert _exported(registry) == _promised(GATEWAY)
    assert registry.get_sample_value("qsubnet_gateway_permitted") == 0
    assert registry.get_sample_value("qsubnet_gateway_dispatches", {"state": "sent"}) == 0
    store.close()


def test_a_validator_exports_what_the_table_says_and_counts_by_word(tmp_path: Path) -> None:
    store = Store(sqlite_url(tmp_path / "operator.db"))
    with store.write() as connection:
        for name, word in (("a", "verified"), ("b", "fraud"), ("c", "fraud")):
            evaluation.add_verdict(connection, 3, "hotkey", name, {"verdict": word})
        for mechanism, receipt in ((0, {"accepted": True}), (1, {"refused": "TooFast"})):
            evaluation.add_intent(connection, 3, mechanism, {"hotkey": 1.0})
            evaluation.keep_receipt(connection, 3, mechanism, receipt)
    registry = validator_registry(
        store, found=Round(3, 7, closed=True), seconds=1.5, now_s=100.0, last_success_s=100.0
    )
    store.close()
    assert _exported(registry) == _promised("qsubnet_validator")

    def value(name: str, **labels: str) -> float | None:
        return registry.get_sample_value(f"qsubnet_validator_{name}", labels)

    assert (value("epoch"), value("open_tests"), value("epoch_closed")) == (3, 7, 1)
    assert (value("devices", verdict="fraud"), value("devices", verdict="verified")) == (2, 1)
    assert (value("weights_set", mechanism="0"), value("weights_set", mechanism="1")) == (1, 0)


def test_no_label_can_name_a_hotkey_a_job_or_an_account() -> None:
    rows = _promised("qsubnet_")
    assert len(rows) > 20
    assert {label for _, _, labels in rows for label in labels} == LABELS


def test_the_table_of_log_fields_is_what_the_code_logs() -> None:
    section = PAGE.partition("## Logs")[2].partition("\n## ")[0]
    promised = re.findall(r"^\| `(\w+)` \|", section, re.MULTILINE)
    own = ["time", "level", "logger", "message", "traceback"]
    assert promised[: len(own)] == own
    assert promised[len(own) :] == sorted(promised[len(own) :])
    logged = set()
    for path in sorted((ROOT / "qsubnet").rglob("*.py")):
        logged |= set(_fields(ast.parse(path.read_text())))
    assert {"job_key", "error"} <= logged
    assert set(promised) == logged | set(own)


def _fields(module: ast.Module) -> Iterator[str]:
    """Fields that a module's log calls give, literally or by a name in the function."""
    functions = (ast.FunctionDef, ast.AsyncFunctionDef)
    for function in [node for node in ast.walk(module) if isinstance(node, functions)]:
        named = {
            target.id: node.value
            for node in ast.walk(function)
            if isinstance(node, ast.Assign)
            for target in node.targets
            if isinstance(target, ast.Name)
        }
        for call in [node for node in ast.walk(function) if isinstance(node, ast.Call)]:
            for extra in [word.value for word in call.keywords if word.arg == "extra"]:
                given = named[extra.id] if isinstance(extra, ast.Name) else extra
                assert isinstance(given, ast.Dict), ast.unparse(call)
                for key in given.keys:
                    assert isinstance(key, ast.Constant), ast.unparse(call)
                    yield str(key.value)


def test_every_option_that_the_page_names_is_on_the_command_line() -> None:
    import typer

    from qsubnet.cli.main import app

    command: Any = typer.main.get_command(app)
    known = {
        option
        for path in ("miner serve", "gateway serve", "validator run")
        for parameter in _walk(command, path).params
        for option in parameter.opts
    }
    ours = re.findall(r"`(--[a-z-]+)", PAGE)
    assert ours
    assert set(ours) <= known


def _walk(command: Any, path: str) -> Any:
    for name in path.split():
        command = command.commands[name]
    return command
