"""A localnet as its user starts it: the real command, in a state directory of its own."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import threading
import time
from typing import TYPE_CHECKING, Any

import psutil
import pytest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

LIMIT_S = 400.0


class Net:
    """One running `qsubnet localnet`; its stdout is read line by line."""

    def __init__(self, state: Path, *arguments: str) -> None:
        self.state = state
        self.process = subprocess.Popen(
            [sys.executable, "-m", "qsubnet.cli", "localnet", f"--state={state}", *arguments],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        self.lines: list[dict[str, Any]] = []
        self.progress: list[str] = []
        self._readers = [
            threading.Thread(target=self._read_results, daemon=True),
            threading.Thread(target=self._read_progress, daemon=True),
        ]
        for reader in self._readers:
            reader.start()

    def _read_results(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.lines.append(json.loads(line))

    def _read_progress(self) -> None:
        assert self.process.stderr is not None
        for line in self.process.stderr:
            self.progress.append(line.rstrip())

    def until(self, holds: Callable[[], bool], *, limit_s: float = LIMIT_S) -> None:
        """Wait until `holds()`; fail with what localnet said meanwhile."""
        deadline = time.monotonic() + limit_s
        while not holds():
            if time.monotonic() > deadline or self.process.poll() is not None:
                pytest.fail("\n".join(["localnet did not get there; it said:", *self.progress]))
            time.sleep(0.05)

    def event(self, name: str) -> dict[str, Any]:
        """Wait for an event on stdout."""
        self.until(lambda: any(line.get("event") == name for line in self.lines))
        return next(line for line in self.lines if line.get("event") == name)

    def services(self) -> dict[str, int]:
        """Read which services run, by name and process id."""
        with contextlib.suppress(FileNotFoundError, json.JSONDecodeError):
            found: dict[str, int] = json.loads((self.state / "processes.json").read_text())
            return found
        return {}

    def stop(self) -> int:
        """End it as Ctrl-C does and give its exit code."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGINT)
        code = self.process.wait(timeout=60)
        for reader in self._readers:
            reader.join(timeout=10)
        return code


def alive(pid: int) -> bool:
    """True while a process runs (a zombie does not)."""
    try:
        return bool(psutil.Process(pid).status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[..., Net]]:
    """Start localnets that are gone when the test is over, whatever happened."""
    nets: list[Net] = []

    def launch(*arguments: str) -> Net:
        net = Net(tmp_path / "state", *arguments)
        nets.append(net)
        return net

    yield launch
    for net in nets:
        children = psutil.Process(net.process.pid).children() if net.process.poll() is None else []
        with contextlib.suppress(subprocess.TimeoutExpired):
            net.stop()
        for child in children:
            if alive(child.pid):
                os.kill(child.pid, signal.SIGKILL)
        if net.process.poll() is None:
            net.process.kill()
        for pipe in (net.process.stdout, net.process.stderr):
            if pipe:
                pipe.close()


@pytest.fixture
def is_alive() -> Callable[[int], bool]:
    """Offer `alive` to the tests."""
    return alive
