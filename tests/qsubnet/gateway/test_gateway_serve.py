"""The gateway as a process of its own, over real HTTP: it starts, is asked, is killed, ends."""

from __future__ import annotations

import contextlib
import json
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from qsubnet.chain.genesis import Genesis
from qsubnet.chain.local import create_local
from qsubnet.client import Client
from qsubnet.errors import ConfigurationError
from qsubnet.gateway.accounts import key_digest
from qsubnet.store.database import sqlite_url
from qsubnet.wire.keys import Sr25519Verifier, create_key_file
from qsubnet.wire.refusals import Unreachable

ROOT = Path(__file__).parents[3]
SCRIPT = """
import asyncio, json, sys
from pathlib import Path
from qsubnet.gateway.serve import GatewayConfig, serve_gateway
given = json.loads(sys.argv[1])
paths = {name: Path(given.pop(name)) for name in ("key_file", "ledger", "state")}
config = GatewayConfig(**paths, **given)
asyncio.run(serve_gateway(config, ready=lambda url: print(url, flush=True)))
"""


@contextlib.contextmanager
def _serving(arguments: str) -> Iterator[tuple[subprocess.Popen[str], str]]:
    process = subprocess.Popen(
        [sys.executable, "-c", SCRIPT, arguments],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stdout is not None
        assert process.stderr is not None
        url = process.stdout.readline().strip()
        assert url.startswith("http://127.0.0.1:"), process.stderr.read()
        yield process, url
    finally:
        process.kill()
        process.communicate()


@pytest.fixture
def arguments(tmp_path: Path) -> str:
    verify = Sr25519Verifier().verify
    create_local(tmp_path / "ledger.db", Genesis(seed=7), verify=verify).close()
    create_key_file(tmp_path / "operator.key", seed=bytes(32))
    return json.dumps(
        {
            "key_file": str(tmp_path / "operator.key"),
            "ledger": str(tmp_path / "ledger.db"),
            "state": str(tmp_path / "state"),
            "database": sqlite_url(tmp_path / "operator.db"),
            "host": "127.0.0.1",
            "port": 0,
            "api_keys": {key_digest("key"): "ada"},
        }
    )


def test_a_gateway_serves_alone_survives_a_kill_and_ends_on_a_signal(arguments: str) -> None:
    with _serving(arguments) as (_, url), Client(url, "key") as client:
        assert client.health().status == "waiting"  # nobody has a permit in the first epoch
        assert client.devices() == []
        ready = httpx.get(f"{url}/v1/ready", trust_env=False)
        assert (ready.status_code, ready.json()["detail"]) == (
            503,
            "the gateway's hotkey may not send jobs yet; no device is on offer",
        )
    with _serving(arguments) as (process, url):
        second = subprocess.run(
            [sys.executable, "-c", SCRIPT, arguments],
            cwd=ROOT,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert "another gateway holds" in second.stderr
        with Client(url, "key", sleep=lambda _seconds: None) as client:
            with pytest.raises(Unreachable, match="may not send jobs yet"):
                client.submit("OPENQASM 3.0;", shots=1)
            assert client.jobs().jobs == []
        with Client(url, "another") as stranger, pytest.raises(ConfigurationError, match="unknown"):
            stranger.jobs()
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=30) == 0
