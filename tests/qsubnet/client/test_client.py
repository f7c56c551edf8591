"""Both clients against scripted gateways, and the blocking one over real HTTP."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx
import pytest

from qsubnet.client import (
    AsyncClient,
    Client,
    Connection,
    find_connection,
    from_state_file,
    write_state_file,
)
from qsubnet.client.core import RETRIES
from qsubnet.errors import (
    BadInput,
    ConfigurationError,
    JobFailed,
    NotFound,
    QsubnetError,
    Unreachable,
)
from qsubnet.wire.refusals import KINDS, StillRunning

JOB = "job-" + "0" * 32
Script = Callable[[httpx.Request], httpx.Response]


def _view(state: str, **changes: Any) -> dict[str, Any]:
    usual = {
        "job_id": JOB,
        "state": state,
        "device": "line",
        "miner": "5F",
        "shots_asked": 10,
        "programs": 1,
        "created_ms": 1,
    }
    return usual | changes


RESULT: dict[str, Any] = {
    "job_id": JOB,
    "device": "line",
    "miner": "5F",
    "shots_asked": 10,
    "results": [
        {
            "num_bits": 2,
            "counts": {"00": 4, "11": 5},
            "shots_returned": 9,
            "kind": "shots",
            "processing": [],
        }
    ],
    "receipt": {},
    "receipt_digest": "0" * 64,
    "a_field_of_tomorrow": 1,
}


def _problem(word: str, detail: str = "because") -> httpx.Response:
    kind = KINDS[word]
    content = {"type": kind.type, "title": kind.title, "status": kind.status, "detail": detail}
    headers = {"content-type": "application/problem+json"}
    return httpx.Response(kind.status, content=json.dumps(content), headers=headers)


class Gateway:
    """Answers by a script, the last line again and again, and remembers what it was asked."""

    def __init__(self, *script: httpx.Response | Exception) -> None:
        self.script = list(script)
        self.asked: list[httpx.Request] = []
        self.slept: list[float] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.asked.append(request)
        answer = self.script.pop(0) if len(self.script) > 1 else self.script[0]
        if isinstance(answer, Exception):
            raise answer
        return httpx.Response(answer.status_code, content=answer.content, headers=answer.headers)

    def client(self) -> Client:
        return Client(
            "http://gateway.test/base/",
            "key",
            http_transport=httpx.MockTransport(self),
            sleep=self.slept.append,
            clock=lambda: sum(self.slept),
        )


def _ok(content: Any, status: int = 200) -> httpx.Response:
    return httpx.Response(status, content=json.dumps(content))


def test_run_submits_once_polls_and_returns_what_came_back() -> None:
    gateway = Gateway(
        _ok(_view("queued"), 202),
        _ok(_view("queued")),
        _ok(_view("running")),
        _ok(_view("completed")),
        _ok(RESULT),
    )
    with gateway.client() as client:
        result = client.run("OPENQASM 3.0;", shots=10, device="line")
    assert result.results[0].counts == {"00": 4, "11": 5}
    assert (result.shots_asked, result.results[0].shots_returned) == (10, 9)
    asked = [(request.method, request.url.path) for request in gateway.asked]
    assert asked == [
        ("POST", "/base/v1/jobs"),
        *[("GET", f"/base/v1/jobs/{JOB}")] * 3,
        ("GET", f"/base/v1/jobs/{JOB}/result"),
    ]
    assert gateway.asked[0].headers["authorization"] == "Bearer key"
    body = json.loads(gateway.asked[0].content)
    assert body == {
        "program": "OPENQASM 3.0;",
        "format": "auto",
        "shots": 10,
        "device": "line",
        "memory": False,
    }
    assert gateway.slept == sorted(gateway.slept)


def test_a_lost_submission_is_repeated_under_the_same_key() -> None:
    gateway = Gateway(
        httpx.ReadError("connection reset"), _problem("unavailable"), _ok(_view("queued"), 202)
    )
    with gateway.client() as client:
        client.submit("x", shots=1)
        client.submit("x", shots=1)
    keys = [request.headers["idempotency-key"] for request in gateway.asked]
    assert keys[0] == keys[1] == keys[2]
    assert keys[3] != keys[0]


@pytest.mark.parametrize("word", KINDS)
def test_every_problem_becomes_the_error_that_says_what_to_do(word: str) -> None:
    gateway = Gateway(_problem(word, "the sentence"))
    with gateway.client() as client, pytest.raises(KINDS[word].error, match="the sentence") as got:
        client.devices()
    assert type(got.value) is KINDS[word].error
    retried = KINDS[word].status in (408, 429, 503)
    assert len(gateway.asked) == (1 + RETRIES if retried else 1)


@pytest.mark.parametrize(
    ("answer", "error", "said"),
    [
        (httpx.Response(502, content="<html>"), Unreachable, "status 502"),
        (httpx.Response(404, content="<html>"), NotFound, "is it a gateway"),
        (httpx.Response(418, content="{}"), BadInput, "status 418"),
        (httpx.Response(302, headers={"location": "http://evil.test"}), QsubnetError, "302"),
        (httpx.Response(200, content="[" * 100), QsubnetError, "not understood"),
        (_ok({"devices": [{}]}), QsubnetError, "not understood"),
        (httpx.ConnectError("connection refused"), Unreachable, "connection refused"),
    ],
)
def test_whatever_stands_where_a_gateway_should_is_named(
    answer: httpx.Response | Exception, error: type[Exception], said: str
) -> None:
    with Gateway(answer).client() as client, pytest.raises(error, match=said):
        client.devices()


def test_waiting_ends_in_time_says_how_to_come_back_and_cancels_nothing() -> None:
    gateway = Gateway(_ok(_view("running")))
    with gateway.client() as client:
        with pytest.raises(StillRunning, match=rf"running after 7 s; .*result\('{JOB}'\)"):
            client.result(JOB, timeout_s=7)
        assert {request.method for request in gateway.asked} == {"GET"}
        assert sum(gateway.slept) == pytest.approx(7)
        assert max(gateway.slept) <= 2.0


def test_without_waiting_a_result_that_is_not_there_yet_is_said_so() -> None:
    gateway = Gateway(_problem("not-finished"))
    with gateway.client() as client, pytest.raises(StillRunning):
        client.result(JOB, wait=False)
    assert len(gateway.asked) == 1


def test_a_job_that_failed_raises_with_its_reason() -> None:
    gateway = Gateway(_ok(_view("failed", detail="the engine is too small")))
    with gateway.client() as client, pytest.raises(JobFailed, match="the engine is too small"):
        client.result(JOB)


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lambda client: client.submit("x", shots=0), "greater than or equal to 1, got 0"),
        (lambda client: client.submit([], shots=1), "programs"),
        (lambda client: client.submit("x", shots=1, device="../x"), "device"),
        (lambda client: client.job("../devices"), "need an id"),
        (lambda client: client.result(""), "need an id"),
        (lambda client: client.cancel("job-0?x=1"), "need an id"),
    ],
)
def test_what_cannot_be_right_is_refused_before_anything_is_sent(
    call: Callable[[Client], Any], said: str
) -> None:
    gateway = Gateway(_ok({}))
    with gateway.client() as client, pytest.raises(BadInput, match=said):
        call(client)
    assert gateway.asked == []


def test_the_asynchronous_client_takes_the_same_steps() -> None:
    gateway = Gateway(
        _ok(_view("queued"), 202),
        httpx.ReadError("connection reset"),
        _ok(_view("completed")),
        _ok(RESULT),
        _ok({"jobs": [_view("completed")], "next": None}),
        _ok(_view("cancelled")),
    )

    async def sleep(seconds: float) -> None:
        gateway.slept.append(seconds)

    async def story() -> None:
        async with AsyncClient(
            "http://gateway.test",
            "key",
            http_transport=httpx.MockTransport(gateway),
            sleep=sleep,
            clock=lambda: 0.0,
        ) as client:
            result = await client.run("x", shots=10)
            assert result.results[0].shots_returned == 9
            assert (await client.jobs(limit=5, after=JOB)).jobs[0].ended
            assert (await client.cancel(JOB)).state == "cancelled"

    asyncio.run(story())
    assert str(gateway.asked[-2].url) == f"http://gateway.test/v1/jobs?limit=5&after={JOB}"
    assert gateway.asked[-1].method == "DELETE"


class _Handler(BaseHTTPRequestHandler):
    """A gateway of one answer, and one that would never stop sending."""

    def do_GET(self) -> None:
        self.send_response(200)
        self.end_headers()
        if self.path == "/v1/health":
            health = {"status": "ok", "hotkey": "5F", "devices": 0, "jobs_open": 0}
            self.wfile.write(json.dumps(health).encode())
            return
        try:
            while True:
                self.wfile.write(b" " * 2**20)
        except OSError:
            return

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base class's word
        return


@pytest.fixture
def served() -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), _Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_address[1]}"
        server.shutdown()
        thread.join()


def test_real_http_and_an_endless_reply_is_cut_off(served: str) -> None:
    with Client(served, "key") as client:
        assert client.health().status == "ok"
        with pytest.raises(QsubnetError, match="more than"):
            client.devices()


def test_the_state_file_is_for_its_owner_alone(tmp_path: Path) -> None:
    path = tmp_path / "gateway.json"
    made = Connection("http://127.0.0.1:1", "secret")
    write_state_file(path, made)
    assert path.stat().st_mode & 0o777 == 0o600
    assert from_state_file(path) == made
    write_state_file(path, Connection("http://127.0.0.1:2", "secret"))
    assert from_state_file(path).gateway == "http://127.0.0.1:2"
    assert [entry.name for entry in tmp_path.iterdir()] == ["gateway.json"]
    path.chmod(0o644)
    with pytest.raises(ConfigurationError, match="chmod 600"):
        from_state_file(path)


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"gateway": 1, "api_key": 2}', "[" * 10**5])
def test_a_damaged_state_file_is_named_without_its_content(tmp_path: Path, content: str) -> None:
    path = tmp_path / "gateway.json"
    path.write_text(content)
    path.chmod(0o600)
    with pytest.raises(ConfigurationError, match="damaged"):
        from_state_file(path)


def test_what_is_given_outright_wins_and_a_key_never_goes_to_another_gateway(
    tmp_path: Path,
) -> None:
    path = tmp_path / "gateway.json"
    write_state_file(path, Connection("http://127.0.0.1:1", "secret"))
    outright = find_connection(gateway="http://h:2", api_key="k", state_file=path)
    assert outright == Connection("http://h:2", "k")
    assert find_connection(api_key="k", state_file=path) == Connection("http://127.0.0.1:1", "k")
    assert find_connection(state_file=path).api_key == "secret"
    with pytest.raises(ConfigurationError, match=r"is for http://127\.0\.0\.1:1"):
        find_connection(gateway="http://h:2", state_file=path)
    with pytest.raises(ConfigurationError, match="no gateway address given"):
        find_connection(state_file=tmp_path / "nothing.json")


@pytest.mark.parametrize(
    ("gateway", "key"),
    [
        ("ftp://h", "k"),
        ("h:80", "k"),
        ("http://", "k"),
        ("http://h:99999999", "k"),
        ("http://user@h", "k"),
        ("http://h?x=1", "k"),
        ("http://h", ""),
        ("http://h", "a\nb"),
        ("http://h", "ключ"),
    ],
)
def test_an_address_or_key_that_cannot_be_one_is_refused(gateway: str, key: str) -> None:
    with pytest.raises(ConfigurationError):
        Client(gateway, key)


def test_a_key_does_not_show_when_a_connection_is_printed() -> None:
    assert "secret" not in repr(Connection("http://h", "secret"))
