"""Real adapters, their SDKs included, before a service that echoes every request it refuses.

401 comes back with all headers, the path and the body: what the adapter then says, at the border
of the miner, and what its SDK logs at debug level, has no planted credential in it. IBM's client
tries a refused log-in again for a minute; `tests/providers/ibm` plants a token in its place.
"""

from __future__ import annotations

import asyncio
import json
import logging
import os
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from io import StringIO
from pathlib import Path
from typing import Any

import pytest

from circuits.program import Operation, Program, measure
from providers.base import Job
from providers.errors import ProviderError
from qsubnet.logs import JsonFormatter
from qsubnet.miner.guarded import Guarded, Nobody
from qsubnet.miner.serve import MinerConfig, make_provider, redactor_for

SECRET = "planted-credential-5d0f9b7e"
ARN = "arn:aws:braket:us-east-1::device/qpu/acme/one"

DOORS = ("SCHEDULER_URL", "MANAGEMENT_URL", "KEYCLOAK_BASE")
CASES: dict[str, tuple[dict[str, Any], dict[str, str]]] = {
    "ionq": ({"url": "URL", "token_env": "MY_WORD"}, {"MY_WORD": SECRET}),
    "azure": (
        {},
        {
            "AZURE_QUANTUM_CONNECTION_STRING": "SubscriptionId=s;ResourceGroupName=g;"
            f"WorkspaceName=w;ApiKey={SECRET};QuantumEndpoint=URL"
        },
    ),
    "openquantum": (
        {"backend": "iqm:garnet"},
        {"OPENQUANTUM_TOKEN": SECRET, **{f"OPENQUANTUM_{door}": "URL" for door in DOORS}},
    ),
    "braket": (
        {"arn": ARN, "s3_bucket": "bucket"},
        {
            "AWS_ACCESS_KEY_ID": "AKIAPLANTEDPLANTED12",
            "AWS_SECRET_ACCESS_KEY": SECRET,
            "AWS_SESSION_TOKEN": f"session-{SECRET}",
            "BRAKET_ENDPOINT": "URL",
        },
    ),
}


class Echo(BaseHTTPRequestHandler):
    """Refuses everything, and says what it got."""

    def log_message(self, *_: object) -> None:
        pass

    def do_GET(self) -> None:
        body = self.rfile.read(int(self.headers.get("content-length") or 0)).decode()
        text = f"refused {self.path} {body} {dict(self.headers)}"
        raw = json.dumps({"message": text, "error": {"code": "x", "message": text}}).encode()
        self.server.asked.append(self.path)  # type: ignore[attr-defined]
        self.send_response(401)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(raw)))
        self.end_headers()
        self.wfile.write(raw)

    do_POST = do_GET  # noqa: N815 - the name that http.server looks for


@pytest.fixture
def echo() -> Iterator[Any]:
    server: Any = ThreadingHTTPServer(("127.0.0.1", 0), Echo)
    server.asked = []
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


async def _ask(provider: Guarded) -> list[str]:
    """Ask all that a miner asks before a job runs, and give what went wrong."""
    told = []
    try:
        for device in await provider.devices():
            operations = (Operation("x", (0,)), measure(0, 0))
            job = Job("ab" * 32, device.name, (Program(1, 1, operations),), 10, verbatim=False)
            await provider.submit(job)
    except ProviderError as error:
        told.append(f"{error!r} {error} {error.__cause__!r}")
    return told


@pytest.mark.parametrize("adapter", CASES)
def test_a_refusing_service_that_echoes_the_credential_gets_it_told_nowhere(
    adapter: str, echo: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = f"http://127.0.0.1:{echo.server_port}"
    options, environment = CASES[adapter]
    for name, value in environment.items():
        monkeypatch.setenv(name, value.replace("URL", url))
    config = MinerConfig(
        adapter=adapter,
        options={k: url if v == "URL" else v for k, v in options.items()},
        key_file=tmp_path / "key",
        ledger=tmp_path / "ledger",
        state=tmp_path,
        host="127.0.0.1",
        port=0,
        seed="",
    )
    redactor = redactor_for(config)
    log, root = StringIO(), logging.getLogger()
    handler, level = logging.StreamHandler(log), root.level
    handler.setFormatter(JsonFormatter(redactor.text))
    root.addHandler(handler)
    root.setLevel(logging.DEBUG)
    try:
        inner = make_provider(config, epoch=lambda: 0, redactor=redactor)
        told = asyncio.run(_ask(Guarded(inner, redactor=redactor, observer=Nobody())))
    finally:
        root.removeHandler(handler)
        root.setLevel(level)
    assert echo.asked
    assert told
    written = [path.read_text() for path in tmp_path.rglob("*.journal")]
    for text in (*told, log.getvalue(), *written):
        assert SECRET not in text
        assert "AKIAPLANTEDPLANTED12" not in text
    assert SECRET in "".join(os.environ[name] for name in environment)  # it was there to be told
