"""docs/adapters.md to the letter: what it shows is installed, checked, and joins a subnet."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
import tomllib
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from qsubnet.cli.main import app
from qsubnet.client import Client, from_state_file
from qsubnet.errors import Unreachable

ROOT = Path(__file__).parents[3]
PAGE = (ROOT / "docs" / "adapters.md").read_text()
EXAMPLES = ROOT / "examples" / "adapter"
LIMIT_S = 400.0

Run = Callable[..., subprocess.Popen[bytes]]


def _blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)


@pytest.fixture
def installed(tmp_path: Path) -> Path:
    """Install the page's adapter as pip does: its module, and its entry points beside it."""
    project = tomllib.loads(_blocks("toml")[0])["project"]
    folder = tmp_path / "site"
    facts = folder / f"my_simulator-{project['version']}.dist-info"
    facts.mkdir(parents=True)
    (folder / "my_simulator.py").write_text(_blocks("python")[0])
    (facts / "METADATA").write_text(
        f"Metadata-Version: 2.1\nName: {project['name']}\nVersion: {project['version']}\n"
    )
    groups = project["entry-points"].items()
    lines = [f"[{group}]\n" + _lines(points) for group, points in groups]
    (facts / "entry_points.txt").write_text("\n".join(lines))
    return folder


def _lines(points: Mapping[str, str]) -> str:
    return "".join(f"{name} = {target}\n" for name, target in points.items())


@pytest.fixture
def run(installed: Path) -> Iterator[Run]:
    """Start `qsubnet` commands with the adapter installed; all are gone when the test is over."""
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(installed), str(ROOT)])}
    started: list[subprocess.Popen[bytes]] = []

    def start(*arguments: str) -> subprocess.Popen[bytes]:
        command = [sys.executable, "-m", "qsubnet.cli", *arguments]
        started.append(
            subprocess.Popen(
                command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
            )
        )
        return started[-1]

    yield start
    for process in reversed(started):
        if process.poll() is None:
            process.send_signal(signal.SIGINT)
        with suppress(subprocess.TimeoutExpired):
            process.wait(timeout=60)
        if process.poll() is None:
            process.kill()
            process.wait()


def test_what_the_page_shows_is_what_lies_among_the_examples() -> None:
    shown = [*_blocks("python"), *_blocks("toml"), *_blocks("json")]
    files = ("my_simulator.py", "exec_qiskit.py", "pyproject.toml", "sheet.json")
    assert shown == [(EXAMPLES / name).read_text() for name in files]


def test_a_whole_adapter_has_less_than_60_lines() -> None:
    assert len(_blocks("python")[0].splitlines()) < 60


def test_every_page_that_the_guides_link_to_is_there() -> None:
    for name in ("adapters.md", "miner.md"):
        text = (ROOT / "docs" / name).read_text()
        for target, place in re.findall(r"\]\((?!http)([^)#]*)#?([^)]*)\)", text):
            page = (ROOT / "docs" / (target or name)).resolve()
            assert page.exists(), target
            if page.is_dir():
                continue
            headings = re.findall(r"^#+ (.+)$", page.read_text(), re.MULTILINE)
            slugs = {
                re.sub(r"[^\w -]", "", one).strip().lower().replace(" ", "-") for one in headings
            }
            assert not place or place in slugs, place


def test_the_pages_adapter_passes_its_check(
    installed: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(str(installed))
    flags = ["--provider=my-simulator", "--option=num_qubits=4", "--epochs=2", "--seed=1", "--json"]
    done = CliRunner().invoke(app, ["miner", "check", *flags], catch_exceptions=False)
    monkeypatch.delitem(sys.modules, "my_simulator")
    found: dict[str, Any] = json.loads(done.stdout)
    assert (done.exit_code, found["ok"], found["findings"]) == (0, True, [])
    assert found["measured"]["bit_order"] == "right"
    assert found["expected"]["verdict"] == "verified"


def test_the_pages_program_passes_its_check() -> None:
    flags = [
        *("--provider=exec", "--format=openqasm2", "--epochs=0", "--json"),
        f"--command={sys.executable} {EXAMPLES / 'exec_qiskit.py'}",
        f"--sheet={EXAMPLES / 'sheet.json'}",
    ]
    done = CliRunner().invoke(app, ["miner", "check", *flags], catch_exceptions=False)
    found: dict[str, Any] = json.loads(done.stdout)
    assert (done.exit_code, found["ok"], found["findings"]) == (0, True, [])
    assert found["measured"]["contract"]["kept"] == found["measured"]["contract"]["of"]


def test_the_pages_adapter_joins_a_localnet_and_is_verified_and_paid(
    run: Run, tmp_path: Path
) -> None:
    state, config = tmp_path / "net", tmp_path / "mine" / "miner.toml"
    net = run("localnet", f"--state={state}", "--miners=qpu-hanoi", "--epochs=200", "--seed=4")
    gateway = state / "gateway.json"
    _until(gateway.exists, net)
    flags = (f"--config={config}", "--provider=my-simulator", f"--ledger={state / 'ledger.db'}")
    assert run("miner", "init", *flags, "--option=num_qubits=4", "--register").wait(60) == 0
    serving = run("miner", "serve", f"--config={config}")

    def verified() -> bool:
        connection = from_state_file(gateway)
        with suppress(Unreachable), Client(connection.gateway, connection.api_key) as client:
            mine = [device for device in client.devices() if device.name == "my-simulator"]
            return bool(mine) and mine[0].verdict == "verified" and bool(mine[0].weight)
        return False

    _until(verified, net, serving)


def _until(holds: Callable[[], bool], *running: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + LIMIT_S
    while not holds():
        assert [process.poll() for process in running] == [None] * len(running)
        assert time.monotonic() < deadline
        time.sleep(0.2)
