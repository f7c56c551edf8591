"""Planted credentials are found nowhere that anybody else, or any log, would see.

The adapter and its cloud repeat the credential in every error and record, as SDKs and services do
that echo a request. Each job here meets one of those ways.
"""

from __future__ import annotations

import asyncio
import base64
import json
import logging
import os
import re
import signal
import sqlite3
from pathlib import Path
from typing import Any
from urllib.parse import quote

import httpx
import pytest

from qsubnet.errors import ConfigurationError
from qsubnet.logs import configure
from qsubnet.miner.configuration import load_miner_config
from qsubnet.miner.redaction import Redactor, credentials_in
from qsubnet.miner.serve import MinerConfig, make_provider
from qsubnet.onboarding.status import miner_of, status_in_words, status_of

PLANTED = {
    "KITE_API_KEY": "kite+credential/4f9a1c",
    "IONQ_API_KEY": "ionq-credential-77aa01",
    "AWS_SECRET_ACCESS_KEY": "aws/Credential+5d21+bb02",
    "AWS_SESSION_TOKEN": "aws-session-credential-9e",
    "AZURE_CLIENT_SECRET": "azure~credential.66f0",
    "QISKIT_IBM_TOKEN": "ibm-credential-0c12dd",
}

OUTCOMES = ("refused", "busy", "broken", "failed", "completed")


def _secrets(site: Any) -> set[str]:
    """Everything that must not be found, in every form in which it travels."""
    values = [*PLANTED.values(), site.tools.seed_of("miner").hex()]
    forms = {form for value in values for form in (value, quote(value, safe=""))}
    return forms | {base64.b64encode(value.encode()).decode().rstrip("=") for value in values}


def _meet(site: Any, outcome: str, number: int) -> str:
    """Send a job that ends in one way, and give all that the miner tells of it."""
    words = {"refused": {"refuse": 401}, "busy": {"refuse": 429}, "broken": {"refuse": 500}}
    finish = outcome if outcome in {"failed", "completed"} else ""
    site.control(**{"refuse": 0, "finish": finish, **words.get(outcome, {})})
    request = site.request(number)
    told = [site.ask(lambda port: port.submit(request)).model_dump_json()]
    if outcome == "busy":
        site.processes[-1].until("job later again")
        told.append(site.ask(lambda port: port.cancel(request.key)).model_dump_json())
        return "\n".join(told)
    status = site.state_of(request.key, "failed", "completed")
    assert (status.state == "completed") == (outcome == "completed")
    told.append(status.model_dump_json())
    if outcome in {"refused", "failed"}:
        assert "[redacted]" in status.detail
    if outcome == "completed":
        answer = site.ask(lambda port: port.answer(request.key))
        assert answer.backend_record["tasks"][0]["request"]["headers"] == {
            "Authorization": "[redacted]",
            "X-Kite-Key": "[redacted]",
        }
        told.append(answer.model_dump_json())
    return "\n".join(told)


def _shown(site: Any, side: str) -> str:
    """Everything that the miner tells without a question about a job."""
    pages = [f"{site.url}{path}" for path in ("/v1/health", "/v1/ready", "/v1/maintenance")]
    pages += [f"{side}{path}" for path in ("/metrics", "/readyz", "/healthz")]
    return "\n".join(httpx.get(page, trust_env=False).text for page in pages)


def _stored(folder: Path) -> str:
    """Every value in the miner's store."""
    with sqlite3.connect(folder / "state" / "miner.db") as connection:
        text = "\n".join(connection.iterdump())
    connection.close()
    return text


def _miner_file(site: Any) -> Path:
    path: Path = site.folder / "miner.toml"
    path.write_text(
        f'adapter = "kitecloud"\nkey_file = "miner.key"\nledger = "ledger.db"\nstate = "state"\n'
        f"[options]\nurl = {json.dumps(site.cloud_url)}\n"
    )
    return path


def _status(path: Path, url: str) -> str:
    miner = miner_of(load_miner_config(path), url=url)
    document = asyncio.run(status_of(miner, gateway=None))
    assert document["running"]
    return json.dumps(document) + status_in_words(document)


def test_planted_credentials_are_found_nowhere(site: Any) -> None:
    site.environment |= PLANTED | {"QSUBNET_LOG_LEVEL": "debug"}
    config = _miner_file(site)
    process = site.serve("--metrics-port", "0", config=config)
    line = process.until("metrics served")
    side = re.search(r"http://[\d.]+:\d+", line)
    assert side is not None
    told = {outcome: _meet(site, outcome, n) for n, outcome in enumerate(OUTCOMES)}
    told["pages"] = _shown(site, side[0])
    told["status"] = _status(config, site.url)
    assert process.end(signal.SIGTERM) == 0
    told["log"] = "\n".join(process.said)
    told["store"] = _stored(site.folder)
    told["ledger"] = (site.folder / "ledger.db").read_bytes().decode("latin-1")
    told["file"] = config.read_text()

    assert "[redacted]" in told["log"]
    assert "[redacted]" in told["store"]
    found = {(place, s) for place, text in told.items() for s in _secrets(site) if s in text}
    assert found == set()


@pytest.mark.parametrize("form", ["json", "text"])
@pytest.mark.parametrize("url", ["wrong", "broken"])
def test_an_adapter_that_does_not_start_leaks_nothing_on_its_way_out(
    url: str,
    form: str,
    tmp_path: Path,
    kite_installed: None,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    for name, value in PLANTED.items():
        monkeypatch.setenv(name, value)
    redactor = Redactor(credentials_in(os.environ))
    config = MinerConfig(
        adapter="kitecloud",
        options={"url": url},
        key_file=tmp_path / "key",
        ledger=tmp_path / "ledger",
        state=tmp_path,
        host="127.0.0.1",
        port=0,
        seed="",
    )
    root = logging.getLogger()
    before = (root.handlers[:], root.level)
    try:
        configure("debug", form=form, redact=redactor.text)
        with pytest.raises(ConfigurationError) as caught:
            make_provider(config, epoch=lambda: 0, redactor=redactor)
    finally:
        root.handlers[:], root.level = before
    logged = capsys.readouterr().err
    assert ("ValueError" in logged) == (url == "broken")
    told = f"{caught.value} {caught.value.__cause__} {logged}"
    assert "[redacted]" in told
    assert not {value for value in PLANTED.values() if value in told}
