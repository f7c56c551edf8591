"""A vendor's HTTP door: each failure is the error that says what to do, and no secret is told."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from providers import rest
from providers.errors import (
    AdapterFault,
    OutcomeUnknown,
    ProviderError,
    Rejected,
    RetryLater,
    UnknownHandle,
)
from providers.rest import Answer, Rest, SecretUrl, credential, entries, item, text

SECRET = "planted-rest-secret-40"


@pytest.fixture
def door() -> Iterator[tuple[str, list[tuple[int, bytes, dict[str, str]]]]]:
    """A server that gives what the script says, and its script."""
    script: list[tuple[int, bytes, dict[str, str]]] = []

    class Handler(BaseHTTPRequestHandler):
        def log_message(self, *args: Any) -> None:
            pass

        def do_GET(self) -> None:
            status, body, headers = script.pop(0)
            self.send_response(status)
            for name, value in {**headers, "content-length": str(len(body))}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = False
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}", script
    server.shutdown()
    thread.join()
    server.server_close()


def got(url: str, **other: Any) -> Answer:
    return asyncio.run(Rest("them", 5.0, (SECRET,)).call("GET", url, **other))


# RFC 9110 section 15: what may have been started is unknown after a timeout, a
# conflict, a redirection (303 may point at what was made) or a 5xx.
@pytest.mark.parametrize(
    ("status", "reading", "starting"),
    [
        (400, Rejected, Rejected),
        (401, Rejected, Rejected),
        (403, Rejected, Rejected),
        (404, UnknownHandle, Rejected),
        (408, RetryLater, OutcomeUnknown),
        (409, RetryLater, OutcomeUnknown),
        (422, Rejected, Rejected),
        (429, RetryLater, RetryLater),
        (500, RetryLater, OutcomeUnknown),
        (502, RetryLater, OutcomeUnknown),
        (503, RetryLater, OutcomeUnknown),
        (302, AdapterFault, OutcomeUnknown),
    ],
)
def test_a_status_is_an_error_that_says_what_to_do(
    door: tuple[str, list[Any]],
    status: int,
    reading: type[Exception],
    starting: type[Exception],
) -> None:
    url, script = door
    for starts, error in ((False, reading), (True, starting)):
        script.append((status, b"", {"location": "http://127.0.0.1:9/"}))
        with pytest.raises(ProviderError, match=f"answered {status}") as caught:
            got(url, starts=starts)
        assert type(caught.value) is error
    script.append((status, b"", {}))
    assert got(url, known=(status,)).status == status


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b'{"error": {"code": 7, "message": "Too deep."}}', "400: Too deep."),
        (b'{"message": ["One", "Two"]}', "400: One; Two"),
        (b"plain   words\n here", "400: plain words here"),
        (b"<Error>x?sig=abc%2Fd&se=1</Error>", "sig=***&se=1"),
        (f'{{"detail": "no {SECRET}"}}'.encode(), "no ***"),
        (b"\xff\xfe", "400"),
    ],
)
def test_the_vendors_sentence_is_passed_on_without_secrets(
    door: tuple[str, list[Any]], body: bytes, words: str
) -> None:
    url, script = door
    script.append((400, body, {}))
    with pytest.raises(Rejected) as caught:
        got(f"{url}/jobs?key={SECRET}")
    assert words in str(caught.value)
    assert SECRET not in str(caught.value)
    assert "GET http://127.0.0.1" in str(caught.value)


def test_an_address_that_is_a_secret_is_told_by_its_host_alone(
    door: tuple[str, list[Any]], caplog: pytest.LogCaptureFixture
) -> None:
    url, script = door
    caplog.set_level("DEBUG")
    script += [(200, b"ok", {}), (410, b"", {})]
    assert got(SecretUrl(f"{url}/{SECRET}")).content == b"ok"  # type: ignore[arg-type]
    with pytest.raises(UnknownHandle) as caught:
        got(SecretUrl(f"{url}/{SECRET}"))  # type: ignore[arg-type]
    assert f"{url}/..." in str(caught.value)
    assert f"{url}/..." in caplog.text
    assert SECRET not in str(caught.value) + caplog.text


def test_an_answer_that_is_too_large_is_not_read_to_its_end(
    door: tuple[str, list[Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    url, script = door
    monkeypatch.setattr(rest, "MOST_BYTES", 10)
    for starts, error in ((False, AdapterFault), (True, OutcomeUnknown)):
        script.append((200, b"x" * 11, {}))
        with pytest.raises(error, match="more than 10 bytes"):
            got(url, starts=starts)


def test_a_closed_door_has_started_nothing() -> None:
    with pytest.raises(RetryLater) as caught:
        got("http://127.0.0.1:9/", starts=True)
    assert not isinstance(caught.value, OutcomeUnknown)


@pytest.mark.parametrize(
    "reading",
    [
        lambda: Answer(200, b"{", {}).json("them"),
        lambda: item([], "id", vendor="them"),
        lambda: item({}, "id", vendor="them"),
        lambda: text({"id": 3}, "id", vendor="them"),
        lambda: entries({}, vendor="them"),
    ],
)
def test_an_answer_of_another_shape_is_reported(reading: Callable[[], object]) -> None:
    with pytest.raises(AdapterFault, match="them"):
        reading()


def test_a_missing_credential_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("THEIR_KEY", f" {SECRET}\n")
    assert credential("THEIR_KEY", vendor="them") == SECRET
    monkeypatch.setenv("THEIR_KEY", " ")
    with pytest.raises(Rejected, match="THEIR_KEY"):
        credential("THEIR_KEY", vendor="them")
    assert SECRET not in repr(Rest("them", 1.0, (SECRET,)))
