"""What the `cirq` adapter tells when its credentials fail: no path, account, key or token.

Credentials are planted where Google's own libraries look for them, and in what a service answers;
they are looked for in tracebacks, logs and the journal. Every error is one that google-auth,
google-api-core or the engine's client makes.
"""

from __future__ import annotations

import asyncio
import json
import logging
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from cirq_google.engine.engine_client import EngineClient, EngineException
from google.api_core import exceptions as untyped
from google.auth import exceptions as untyped_auth

import providers
from circuits.program import Operation, Program, measure
from providers.base import Context, Job
from providers.cirq_chip import Claim
from providers.cirq_engine import GoogleVendor, cloud_engine
from providers.cirq_errors import asked
from providers.errors import AdapterFault, OutcomeUnknown, ProviderError, Rejected, RetryLater
from providers.remote import RemoteProvider

exceptions: Any = untyped
auth: Any = untyped_auth
MARK = "5d0f9b7e"
"""A part of everything that is planted."""

ACCOUNT = f"miner-{MARK}@project-{MARK}.iam.gserviceaccount.com"
BEARER = f"ya29.{MARK}-a0AfH6SMB-access-token"
KEY = f"MIIE{MARK}PrivateKey"
ECHO = f"refused Authorization: Bearer {BEARER} of {ACCOUNT}"
PROGRAM = Program(6, 1, (Operation("u", (0,), (1.0, 0.0, 0.0)), measure(0, 0)))


def secrets_in(text: str) -> list[str]:
    return [secret for secret in (MARK, "gserviceaccount", "ya29", "MIIE") if secret in text]


def told(error: BaseException) -> str:
    """All that a log can have of an error: with its causes, and without hiding any context."""
    links = []
    link: BaseException | None = error
    while link is not None:
        links.append("".join(traceback.format_exception(link)))
        link = link.__cause__ or link.__context__
    return "".join(links)


def account_file(folder: Path, content: str) -> Path:
    path = folder / f"home-{MARK}" / f"account-{MARK}.json"
    path.parent.mkdir()
    path.write_text(content)
    return path


ACCOUNT_WORDS = {
    "type": "service_account",
    "client_email": ACCOUNT,
    "private_key": f"-----BEGIN PRIVATE KEY-----{KEY}",
    "token_uri": f"http://127.0.0.1:9/{MARK}",
}
FILES = {
    "no file": None,
    "no JSON": f"{{{KEY}",
    "another type": json.dumps({**ACCOUNT_WORDS, "type": f"other-{KEY}"}),
    "a broken key": json.dumps(ACCOUNT_WORDS),
}


@pytest.mark.parametrize("kind", FILES)
def test_credentials_that_google_cannot_read_are_told_without_their_place_and_content(
    kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    path = account_file(tmp_path, FILES[kind] or "")
    if FILES[kind] is None:
        path.unlink()
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(path))
    caplog.set_level(logging.DEBUG)
    # The way in that a miner takes, with the SDK's own client; nothing leaves this process.
    options = {"processor": "willow_pink", "project": "a-project"}
    provider = providers.create("cirq", options, Context(b"seed", lambda: 0, tmp_path))
    with pytest.raises(ProviderError) as caught:
        asyncio.run(provider.devices())
    assert secrets_in(told(caught.value)) == []
    assert caught.value.__cause__ is None
    assert caught.value.__context__ is None
    # google-auth itself says at debug level where it looks; what it finds there stays unsaid.
    assert secrets_in(caplog.text.replace(str(path), "")) == []


@pytest.mark.parametrize(
    ("error", "kind", "words"),
    [
        (auth.DefaultCredentialsError(f"/{MARK}/key.json {ACCOUNT}"), Rejected, "gcloud auth"),
        (auth.RefreshError("invalid_grant", {"assertion": KEY}), Rejected, "gcloud auth"),
        (auth.TransportError(f"https://x/?key={KEY}"), RetryLater, "nothing was sent"),
        (
            exceptions.ServiceUnavailable(f"Getting metadata from plugin failed: {KEY}"),
            RetryLater,
            "nothing was sent",
        ),
        (exceptions.Unauthenticated(ECHO), Rejected, "401 refused"),
        (exceptions.PermissionDenied(ECHO), Rejected, "403 refused"),
        (exceptions.ResourceExhausted(ECHO), RetryLater, "429 refused"),
        (exceptions.InternalServerError(ECHO), OutcomeUnknown, "refused"),
        (RuntimeError(ECHO), AdapterFault, "RuntimeError"),
    ],
)
def test_planted_credentials_appear_in_no_traceback_and_no_journal(
    error: Exception,
    kind: type[ProviderError],
    words: str,
    client: EngineClient,
    service: Any,
    tmp_path: Path,
) -> None:
    service.faults["create_quantum_job"] = [(error, False)]
    vendor = GoogleVendor(cloud_engine("a-project", client), "willow_pink", Claim("willow", 6))
    provider = RemoteProvider(vendor, context=Context(b"seed", lambda: 0, tmp_path))
    with pytest.raises(kind, match=words) as caught:
        asyncio.run(provider.submit(Job("ab" * 32, "willow", (PROGRAM,), 10)))
    assert type(caught.value) is kind
    assert secrets_in(told(caught.value)) == []
    written = "".join(path.read_text() for path in tmp_path.rglob("*.journal"))
    assert written
    assert secrets_in(written) == []


def test_the_path_of_the_credentials_is_cut_out_of_the_engines_words(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", f"/home/{MARK}/key.json")

    def ask() -> None:
        raise EngineException(f"cannot use /home/{MARK}/key.json", 400)

    with pytest.raises(Rejected) as caught:
        asked(ask)
    assert secrets_in(told(caught.value)) == []


@pytest.mark.parametrize("sending", [False, True])
def test_an_error_of_ours_passes_as_it_is(sending: object) -> None:
    wrong = RetryLater("later")

    def ask() -> None:
        raise wrong

    call: Callable[[], None] = ask
    with pytest.raises(RetryLater) as caught:
        asked(call, sending=bool(sending))
    assert caught.value is wrong
