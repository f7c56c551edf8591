"""A miner as its operator runs it: the real command, a ledger, and a vendor in another process."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import json
import os
import re
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Coroutine, Iterator, Mapping
from pathlib import Path
from typing import Any, TypeVar

import httpx
import pytest

from qsubnet.chain.genesis import ChainParams, Genesis
from qsubnet.chain.local import create_local
from qsubnet.wire import peer
from qsubnet.wire.keys import Sr25519Verifier, create_key_file
from qsubnet.wire.miner_port import MinerPort
from qsubnet.wire.nonces import NonceSource
from qsubnet.wire.signed_client import SignedClient

T = TypeVar("T")

ROOT = Path(__file__).parents[3]
KITE = Path(__file__).parent / "kite"
TEMPO = 20


class Process:
    """One child; its stderr is read as it comes."""

    def __init__(self, arguments: list[str], environment: Mapping[str, str]) -> None:
        self.child = subprocess.Popen(
            arguments,
            cwd=ROOT,
            env=dict(environment),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        self.said: list[str] = []
        self._ended = False
        self._heard = threading.Condition()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        assert self.child.stderr is not None
        for line in self.child.stderr:
            with self._heard:
                self.said.append(line.rstrip("\n"))
                self._heard.notify_all()
        with self._heard:
            self._ended = True
            self._heard.notify_all()

    def until(self, word: str) -> str:
        """Wait for a line with a word in it."""
        with self._heard:
            self._heard.wait_for(
                lambda: self._ended or any(word in line for line in self.said), timeout=180
            )
            found = [line for line in self.said if word in line]
        assert found, "\n".join(self.said)
        return found[0]

    def kill(self) -> None:
        self.child.kill()
        self.close()

    def end(self, number: int) -> int:
        """Send a signal and give the exit code."""
        self.child.send_signal(number)
        code = self.child.wait(timeout=180)
        self.close()
        return code

    def close(self) -> None:
        if self.child.poll() is None:
            self.child.kill()
        self.child.wait()
        self._reader.join(timeout=10)
        for pipe in (self.child.stdin, self.child.stdout, self.child.stderr):
            if pipe is not None:
                pipe.close()


class Site:
    """One miner's files, and whoever asks it."""

    def __init__(self, folder: Path, tools: Any) -> None:
        self.folder = folder
        self.tools = tools
        self.processes: list[Process] = []
        self.me = tools.signer_of("val")
        self.miner = create_key_file(folder / "miner.key", seed=tools.seed_of("miner"))
        self.environment = {**os.environ, "PYTHONPATH": f"{KITE}{os.pathsep}{ROOT}"}
        self._nonces = NonceSource(now_ns=time.time_ns)
        self.url = ""
        asyncio.run(self._found())
        self.cloud = self._start([sys.executable, str(KITE / "kite_service.py")])
        assert self.cloud.child.stdout is not None
        self.cloud_url = self.cloud.child.stdout.readline().strip()

    async def _found(self) -> None:
        cold = self.tools.signer_of("cold")
        genesis = Genesis(
            seed=7, params=ChainParams(tempo=TEMPO), balances=((cold.ss58_address, 10**12),)
        )
        chain = create_local(self.folder / "ledger.db", genesis, verify=Sr25519Verifier().verify)
        with contextlib.closing(chain):
            registrar = chain.registrar(cold)
            await registrar.register(self.me.identity)
            await registrar.register(self.miner.identity)
            await registrar.add_stake(self.me.identity, 1_000)
            await chain.advance_to(TEMPO)

    def _start(self, arguments: list[str]) -> Process:
        self.processes.append(Process(arguments, self.environment))
        return self.processes[-1]

    def serve(self, *arguments: str, config: Path | None = None) -> Process:
        """Start the miner, from a file or from options, and wait until it serves."""
        options = [
            *("--adapter", "kitecloud", "--options", json.dumps({"url": self.cloud_url})),
            *("--key-file", str(self.folder / "miner.key")),
            *("--ledger", str(self.folder / "ledger.db")),
            *("--state", str(self.folder / "state")),
        ]
        given = ["--config", str(config)] if config else options
        command = [sys.executable, "-m", "qsubnet.cli", "miner", "serve"]
        process = self._start([*command, *given, *arguments])
        line = process.until("miner serves")
        found = re.search(r"http://[\d.]+:\d+", line)
        assert found is not None
        self.url = found[0]
        return process

    def control(self, **words: Any) -> None:
        """Tell the cloud what to do."""
        httpx.post(f"{self.cloud_url}/control", json=words, trust_env=False).raise_for_status()

    def sent(self, at_least: int) -> list[str]:
        """Give the tokens that the cloud took, once there are so many."""
        url = f"{self.cloud_url}/control?sent={at_least}"
        tokens: list[str] = httpx.get(url, trust_env=False, timeout=190).json()["tokens"]
        return tokens

    def request(self, number: int = 0) -> peer.JobRequest:
        key = hashlib.sha256(f"kite {number}".encode()).hexdigest()
        text = self.tools.program().text
        return peer.JobRequest(
            key=key, device="kite", programs=[text], shots=10, verbatim=True, memory=False
        )

    def ask(self, question: Callable[[MinerPort], Coroutine[Any, Any, T]]) -> T:
        """Ask the miner one signed question."""

        async def exchange() -> T:
            async with httpx.AsyncClient(trust_env=False) as http:
                client = SignedClient(http, signer=self.me, nonces=self._nonces, timeout_s=30)
                port = MinerPort(client, endpoint=self.url, hotkey=self.miner.identity)
                return await question(port)

        return asyncio.run(exchange())

    def state_of(self, key: str, *wanted: str) -> peer.JobStatus:
        """Ask for a job until it stands as wanted."""
        status = None
        for _ in range(3_000):
            status = self.ask(lambda port: port.status(key))
            if status is not None and status.state in wanted:
                return status
            time.sleep(0.02)  # another process works; nothing here can be waited for
        raise AssertionError(f"wanted {wanted}, got {status}")

    def close(self) -> None:
        for process in self.processes:
            process.close()


@pytest.fixture
def site(tmp_path: Path, tools: Any) -> Iterator[Site]:
    made = Site(tmp_path, tools)
    yield made
    made.close()


@pytest.fixture
def kite_installed(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Make the invented cloud's adapter one that this process finds by name, too."""
    monkeypatch.syspath_prepend(str(KITE))
    yield
    sys.modules.pop("kitecloud", None)
