"""Both ends of the wire over real HTTP on loopback, and odd clients as bare ASGI messages."""

from __future__ import annotations

import asyncio
import hashlib
import json
import socket
import threading
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from contextlib import asynccontextmanager, closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import httpx
import pytest
import uvicorn
from fastapi import FastAPI, Request

from qsubnet.wire.auth import (
    ForgedReply,
    Refusal,
    ReplyTooLarge,
    UnsignedReply,
    signed_headers,
    verify_reply,
)
from qsubnet.wire.keys import Sr25519Signer
from qsubnet.wire.nonces import NonceSource, SqliteNonceStore
from qsubnet.wire.signed_app import AppLimits, SignedApp
from qsubnet.wire.signed_client import Reply, SignedClient

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

_T = TypeVar("_T")
_NOW = 1_752_076_800_000_000_000
_NONCES = NonceSource(now_ns=lambda: _NOW)  # counts up through all tests
_LIMITS = AppLimits(max_request_bytes=1000, max_reply_bytes=5000)
_UNAUTHENTICATED = "urn:qsubnet:problem:unauthenticated"


class BrokenRoute(Exception):
    """What the application's `/crash` raises."""


@dataclass
class Application:
    """A bare ASGI application that keeps what reached it."""

    reached: list[str] = field(default_factory=list)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self.reached.append(scope["path"])
        routes: dict[str, Callable[[Scope, Receive, Send], Coroutine[Any, Any, None]]] = {
            "/crash": self._crash,
            "/half": self._half,
            "/silent": self._silent,
            "/stream": self._stream,
            "/endless": self._endless,
            "/none": self._none,
            "/forge": self._forge,
        }
        await routes.get(scope["path"], self._echo)(scope, receive, send)

    async def _echo(self, scope: Scope, receive: Receive, send: Send) -> None:
        message = await receive()
        content = {
            "path": scope["path"],
            "query": scope["query_string"].decode(),
            "body": message["body"].decode(),
            "caller": scope["state"].get("caller_hotkey"),
        }
        status = 404 if scope["path"] == "/missing" else 200
        body = json.dumps(content).encode()
        length = (b"content-length", str(len(body)).encode())
        await send({"type": "http.response.start", "status": status, "headers": [length]})
        await send({"type": "http.response.body", "body": body})

    async def _crash(self, scope: Scope, receive: Receive, send: Send) -> None:
        raise BrokenRoute

    async def _half(self, scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"half", "more_body": True})
        raise BrokenRoute

    async def _silent(self, scope: Scope, receive: Receive, send: Send) -> None:
        return None

    async def _stream(self, scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        for _ in range(10):
            await send({"type": "http.response.body", "body": b"x" * 500, "more_body": True})
        await send({"type": "http.response.body", "body": b""})

    async def _endless(self, scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        while True:
            await send({"type": "http.response.body", "body": b"x" * 500, "more_body": True})

    async def _none(self, scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 204, "headers": []})
        await send({"type": "http.response.body", "body": b""})

    async def _forge(self, scope: Scope, receive: Receive, send: Send) -> None:
        forged = (b"X-Qsubnet-Reply", b"0x" + b"00" * 64)
        await send({"type": "http.response.start", "status": 200, "headers": [forged]})
        await send({"type": "http.response.body", "body": b"ok"})


@pytest.fixture(scope="module")
def sender() -> Sr25519Signer:
    return Sr25519Signer(hashlib.sha256(b"sender").digest())


@pytest.fixture(scope="module")
def server() -> Sr25519Signer:
    return Sr25519Signer(hashlib.sha256(b"server").digest())


@pytest.fixture
def inner() -> Application:
    return Application()


@pytest.fixture
def nonces(tmp_path: Path) -> Iterator[SqliteNonceStore]:
    with SqliteNonceStore(tmp_path / "nonces.db", now_ns=lambda: _NOW) as store:
        yield store


@pytest.fixture
def app(inner: Application, server: Sr25519Signer, nonces: SqliteNonceStore) -> SignedApp:
    return SignedApp(
        inner,
        signer=server,
        nonces=nonces,
        now_ns=lambda: _NOW,
        open_paths=["/health"],
        limits=_LIMITS,
    )


@contextmanager
def _served(app: ASGIApp) -> Iterator[str]:
    """Serve on a free loopback port by the server that services really use."""
    with closing(socket.create_server(("127.0.0.1", 0))) as listener:
        config = uvicorn.Config(app, lifespan="off", log_config=None, ws="none")
        service = uvicorn.Server(config)
        thread = threading.Thread(target=service.run, kwargs={"sockets": [listener]})
        thread.start()
        try:
            yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        finally:
            service.should_exit = True
            thread.join()


@pytest.fixture
def url(app: SignedApp) -> Iterator[str]:
    with _served(app) as address:
        yield address


@asynccontextmanager
async def _client(sender: Sr25519Signer, **options: Any) -> AsyncIterator[SignedClient]:
    async with httpx.AsyncClient(trust_env=False, timeout=30) as http:
        yield SignedClient(http, signer=sender, nonces=_NONCES, **options)


def _ask(
    sender: Sr25519Signer, url: str, *, server: Sr25519Signer, method: str = "GET", **options: Any
) -> Reply:
    async def ask() -> Reply:
        async with _client(sender) as client:
            return await client.exchange(method, url, server=server.identity, **options)

    return asyncio.run(ask())


def _signed(
    sender: Sr25519Signer,
    server: Sr25519Signer,
    *,
    target: str = "/echo",
    body: bytes = b"",
    method: str = "POST",
    nonce_ns: int = _NOW,
) -> dict[str, str]:
    return signed_headers(
        sender,
        method=method,
        target=target,
        body=body,
        receiver=server.identity,
        nonce_ns=nonce_ns,
    )


def _problem(response: httpx.Response) -> dict[str, Any]:
    assert response.headers["content-type"] == "application/problem+json"
    problem: dict[str, Any] = response.json()
    assert problem["status"] == response.status_code
    return problem


# --------------------------------------------------------------------------- over real HTTP


def test_a_signed_question_gets_a_signed_answer(
    url: str, sender: Sr25519Signer, server: Sr25519Signer
) -> None:
    reply = _ask(sender, f"{url}/echo?a=1&b=%20x", server=server, method="POST", body=b"hello")
    assert reply.status == 200
    assert json.loads(reply.body) == {
        "path": "/echo",
        "query": "a=1&b=%20x",
        "body": "hello",
        "caller": sender.identity,
    }


@pytest.mark.parametrize("target", ["/a%2Fb/%C3%A9", "/a//b/?x=%26&x=+&y", "/a;b,c~d?q=/?:@!$'()*"])
def test_the_raw_target_is_what_was_signed(
    url: str, sender: Sr25519Signer, server: Sr25519Signer, target: str
) -> None:
    assert _ask(sender, url + target, server=server).status == 200


@pytest.mark.parametrize("path", ["/missing", "/crash", "/half", "/silent", "/endless"])
def test_errors_after_authentication_are_signed_too(
    url: str, sender: Sr25519Signer, server: Sr25519Signer, path: str
) -> None:
    reply = _ask(sender, url + path, server=server)
    expected = {"/missing": 404}.get(path, 500)
    assert reply.status == expected
    kinds = {
        "/crash": "internal",
        "/half": "internal",
        "/silent": "internal",
        "/endless": "reply-too-large",
    }
    if path in kinds:
        assert json.loads(reply.body)["type"] == f"urn:qsubnet:problem:{kinds[path]}"
        assert b"BrokenRoute" not in reply.body


def test_streamed_and_bodiless_answers_are_signed_whole(
    url: str, sender: Sr25519Signer, server: Sr25519Signer
) -> None:
    assert _ask(sender, f"{url}/stream", server=server) == Reply(200, b"x" * 5000)
    assert _ask(sender, f"{url}/none", server=server) == Reply(204, b"")
    assert _ask(sender, f"{url}/echo", server=server, method="HEAD") == Reply(200, b"")


def test_the_application_can_not_sign_for_itself(
    url: str, sender: Sr25519Signer, server: Sr25519Signer
) -> None:
    assert _ask(sender, f"{url}/forge", server=server) == Reply(200, b"ok")


def test_open_paths_answer_anybody_and_others_do_not(url: str, inner: Application) -> None:
    with httpx.Client(trust_env=False) as http:
        healthy = http.get(f"{url}/health")
        assert healthy.json()["caller"] is None
        assert "x-qsubnet-reply" not in healthy.headers
        for path in ("/health/", "/Health", "/health/../echo", "/echo", "/"):
            refused = http.get(url + path)
            assert (refused.status_code, refused.headers["www-authenticate"]) == (401, "btauth")
            problem = _problem(refused)
            assert (problem["type"], problem["reason"]) == (_UNAUTHENTICATED, "malformed")
    assert inner.reached == ["/health"]


def test_a_replayed_request_is_refused_also_after_a_restart(
    inner: Application, sender: Sr25519Signer, server: Sr25519Signer, tmp_path: Path
) -> None:
    headers = _signed(sender, server, body=b"once")
    answers = []
    for _ in range(2):
        with SqliteNonceStore(tmp_path / "kept.db", now_ns=lambda: _NOW) as nonces:
            app = SignedApp(inner, signer=server, nonces=nonces, now_ns=lambda: _NOW)
            with _served(app) as url, httpx.Client(trust_env=False) as http:
                answers += [
                    http.post(f"{url}/echo", content=b"once", headers=headers) for _ in range(2)
                ]
    assert [one.status_code for one in answers] == [200, 401, 401, 401]
    assert {_problem(one)["reason"] for one in answers[1:]} == {"replayed"}
    assert inner.reached == ["/echo"]


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"target": "/echo?x=2"}, "bad_signature"),
        ({"body": b"other"}, "bad_signature"),
        ({"method": "PUT"}, "bad_signature"),
        ({"nonce_ns": _NOW - 31_000_000_000}, "stale"),
        ({"nonce_ns": _NOW + 6_000_000_000}, "stale"),
    ],
)
def test_a_request_unlike_what_was_signed_does_not_reach_the_application(
    url: str,
    inner: Application,
    sender: Sr25519Signer,
    server: Sr25519Signer,
    changes: dict[str, Any],
    reason: str,
) -> None:
    signed = {"target": "/echo?x=1", "body": b"mine", **changes}
    headers = _signed(sender, server, **signed)
    with httpx.Client(trust_env=False) as http:
        response = http.post(f"{url}/echo?x=1", content=b"mine", headers=headers)
    assert response.status_code == 401
    assert _problem(response)["reason"] == reason
    assert inner.reached == []


def test_the_client_names_the_refusal_of_an_unknown_clock(
    url: str, sender: Sr25519Signer, server: Sr25519Signer
) -> None:
    async def ask() -> None:
        async with httpx.AsyncClient(trust_env=False) as http:
            late = NonceSource(now_ns=lambda: _NOW - 3600 * 10**9)
            await SignedClient(http, signer=sender, nonces=late).exchange(
                "GET", f"{url}/echo", server=server.identity
            )

    with pytest.raises(UnsignedReply, match=r"status 401 \(it says: stale\)") as caught:
        asyncio.run(ask())
    assert caught.value.reason == Refusal.STALE


def test_the_client_refuses_another_server(url: str, sender: Sr25519Signer) -> None:
    # The request names another receiver, so the server refuses and can not sign.
    with pytest.raises(UnsignedReply) as caught:
        _ask(sender, f"{url}/echo", server=sender)
    assert caught.value.reason == Refusal.WRONG_RECEIVER


def test_the_client_stops_reading_at_its_limit(
    url: str, sender: Sr25519Signer, server: Sr25519Signer
) -> None:
    assert _ask(sender, f"{url}/stream", server=server, max_reply_bytes=5000).status == 200
    with pytest.raises(ReplyTooLarge, match="4999"):
        _ask(sender, f"{url}/stream", server=server, max_reply_bytes=4999)


@pytest.mark.parametrize("size", [1000, 1001, 100_000])
@pytest.mark.parametrize("announced", ["with length", "chunked"])
def test_a_body_counts_up_to_the_limit_with_and_without_a_length(
    url: str,
    inner: Application,
    sender: Sr25519Signer,
    server: Sr25519Signer,
    size: int,
    announced: str,
) -> None:
    body = b"x" * size
    content: bytes | Iterator[bytes] = body
    if announced == "chunked":
        content = iter([body[:700], body[700:]])
    with httpx.Client(trust_env=False) as http:
        headers = _signed(sender, server, body=body)
        response = http.post(f"{url}/echo", content=content, headers=headers)
    if size <= 1000:
        assert response.status_code == 200
    else:
        assert response.status_code == 413
        problem = _problem(response)
        assert problem["type"] == "urn:qsubnet:problem:body-too-large"
        assert "1000 bytes" in problem["detail"]
        assert inner.reached == []


def test_a_length_that_lies_is_refused_before_the_body_arrives(url: str) -> None:
    host, port = url.removeprefix("http://").split(":")
    with closing(socket.create_connection((host, int(port)), timeout=30)) as raw:
        raw.sendall(b"POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999999\r\n\r\n")
        assert raw.recv(100).startswith(b"HTTP/1.1 413 ")


def test_fastapi_finds_the_caller_in_its_state(
    sender: Sr25519Signer, server: Sr25519Signer, nonces: SqliteNonceStore
) -> None:
    api = FastAPI()

    @api.get("/who/{name}")
    async def who(name: str, request: Request) -> dict[str, str]:
        return {"name": name, "caller": request.state.caller_hotkey}

    app = SignedApp(api, signer=server, nonces=nonces, now_ns=lambda: _NOW)
    with _served(app) as url:
        reply = _ask(sender, f"{url}/who/me?x=1", server=server)
        missing = _ask(sender, f"{url}/nobody", server=server)
    assert json.loads(reply.body) == {"name": "me", "caller": sender.identity}
    assert missing.status == 404


def test_many_callers_at_once_all_get_their_own_answers(
    url: str, server: Sr25519Signer, inner: Application
) -> None:
    signers = [Sr25519Signer(hashlib.sha256(bytes([n])).digest()) for n in range(8)]

    async def ask(signer: Sr25519Signer, client: SignedClient, n: int) -> str:
        body = f"{signer.identity} {n}".encode()
        reply = await client.exchange("POST", f"{url}/echo", server=server.identity, body=body)
        content = json.loads(reply.body)
        assert content["body"] == f"{signer.identity} {n}"
        return str(content["caller"])

    async def ask_all() -> list[str]:
        async with httpx.AsyncClient(trust_env=False, timeout=60) as http:
            clients = [SignedClient(http, signer=one, nonces=_NONCES) for one in signers]
            pairs = [(s, c, n) for n in range(5) for s, c in zip(signers, clients, strict=True)]
            return await asyncio.gather(*(ask(s, c, n) for s, c, n in pairs))

    assert asyncio.run(ask_all()) == [one.identity for _ in range(5) for one in signers]
    assert len(inner.reached) == 40


# --------------------------------------------------------------- a liar between both ends


def _through(
    app: SignedApp,
    sender: Sr25519Signer,
    server: Sr25519Signer,
    liar: Callable[..., httpx.Response],
) -> Reply:
    """Ask through a transport that changes the answer."""

    class Liar(httpx.AsyncBaseTransport):
        def __init__(self) -> None:
            self.honest = httpx.ASGITransport(app)

        async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
            response = await self.honest.handle_async_request(request)
            body = await response.aread()
            return liar(response.status_code, response.headers, body)

    async def ask() -> Reply:
        async with httpx.AsyncClient(transport=Liar(), base_url="http://liar") as http:
            client = SignedClient(http, signer=sender, nonces=_NONCES)
            return await client.exchange("GET", "/echo", server=server.identity)

    return asyncio.run(ask())


def _response(status: int, headers: httpx.Headers, body: bytes) -> httpx.Response:
    kept = [(k, v) for k, v in headers.multi_items() if k != "content-length"]
    return httpx.Response(status, headers=kept, stream=httpx.ByteStream(body))


def test_an_honest_relay_is_harmless(
    app: SignedApp, sender: Sr25519Signer, server: Sr25519Signer
) -> None:
    assert _through(app, sender, server, _response).status == 200


@pytest.mark.parametrize("lie", ["status", "body", "truncated", "redirect"])
def test_an_altered_answer_is_forged(
    app: SignedApp, sender: Sr25519Signer, server: Sr25519Signer, lie: str
) -> None:
    def alter(status: int, headers: httpx.Headers, body: bytes) -> httpx.Response:
        if lie == "redirect":
            headers["location"] = "http://elsewhere/"
        changed = {
            "status": (202, body),
            "body": (status, body.replace(b"/echo", b"/ECHO")),
            "truncated": (status, body[:-1]),
            "redirect": (307, body),
        }
        return _response(changed[lie][0], headers, changed[lie][1])

    with pytest.raises(ForgedReply):
        _through(app, sender, server, alter)


def test_an_answer_to_another_request_is_forged(
    app: SignedApp, sender: Sr25519Signer, server: Sr25519Signer
) -> None:
    kept: list[tuple[int, httpx.Headers, bytes]] = []

    def splice(status: int, headers: httpx.Headers, body: bytes) -> httpx.Response:
        kept.append((status, headers, body))
        return _response(*kept[0])

    _through(app, sender, server, splice)
    with pytest.raises(ForgedReply):
        _through(app, sender, server, splice)
    assert [status for status, _, _ in kept] == [200, 200]
    assert kept[0][2] == kept[1][2]


def test_an_answer_without_its_signature_is_unsigned(
    app: SignedApp, sender: Sr25519Signer, server: Sr25519Signer
) -> None:
    def strip(status: int, headers: httpx.Headers, body: bytes) -> httpx.Response:
        del headers["x-qsubnet-reply"]
        return _response(status, headers, body)

    with pytest.raises(UnsignedReply):
        _through(app, sender, server, strip)


def test_a_compressed_body_is_not_unpacked_before_it_is_verified(
    app: SignedApp, sender: Sr25519Signer, server: Sr25519Signer
) -> None:
    def claim(status: int, headers: httpx.Headers, body: bytes) -> httpx.Response:
        headers["content-encoding"] = "gzip"
        return _response(status, headers, body)

    # The raw body is what was signed and what is returned; the claim is ignored.
    assert json.loads(_through(app, sender, server, claim).body)["path"] == "/echo"


def test_the_whole_exchange_has_one_time_limit(
    sender: Sr25519Signer, server: Sr25519Signer
) -> None:
    class Never(httpx.AsyncBaseTransport):
        async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
            await asyncio.Event().wait()
            raise AssertionError

    async def ask() -> None:
        async with httpx.AsyncClient(transport=Never(), base_url="http://never") as http:
            client = SignedClient(http, signer=sender, nonces=_NONCES, timeout_s=0)
            await client.exchange("GET", "/", server=server.identity)

    with pytest.raises(TimeoutError):
        asyncio.run(ask())


# ------------------------------------------------------------------- bare ASGI messages


def _scope(headers: dict[str, str], **changes: Any) -> dict[str, Any]:
    lines = [(name.lower().encode(), value.encode()) for name, value in headers.items()]
    return {
        "type": "http",
        "method": "POST",
        "path": "/echo",
        "raw_path": b"/echo",
        "query_string": b"",
        "headers": lines,
        "state": {"shared": 1},
        "extensions": {"http.response.pathsend": {}},
        **changes,
    }


def _run(app: SignedApp, scope: dict[str, Any], messages: list[Message]) -> list[Message]:
    sent: list[Message] = []

    async def receive() -> Message:
        if messages:
            return messages.pop(0)
        await asyncio.Event().wait()
        raise AssertionError

    async def send(message: Message) -> None:
        sent.append(message)

    asyncio.run(_finish(app(scope, receive, send)))
    return sent


async def _finish(work: Coroutine[Any, Any, _T]) -> _T:
    return await work


def _body(data: bytes, *, more: bool = False) -> Message:
    return {"type": "http.request", "body": data, "more_body": more}


def test_a_body_in_pieces_is_verified_as_one(
    app: SignedApp, sender: Sr25519Signer, server: Sr25519Signer
) -> None:
    headers = _signed(sender, server, body=b"abc")
    scope = _scope(headers)
    sent = _run(app, scope, [_body(b"a", more=True), _body(b"", more=True), _body(b"bc")])
    assert sent[0]["status"] == 200
    reply = {name.decode(): value.decode() for name, value in sent[0]["headers"]}
    verify_reply(
        reply.items(),
        sent[1]["body"],
        status=200,
        server=server.identity,
        request_signature=headers["X-Bittensor-Signature"],
    )
    assert scope["state"] == {"shared": 1}


def test_reading_stops_at_the_first_byte_too_many(app: SignedApp, inner: Application) -> None:
    messages = [_body(b"x" * 600, more=True) for _ in range(50)]
    sent = _run(app, _scope({}), messages)
    assert (sent[0]["status"], len(messages)) == (413, 48)
    assert inner.reached == []


@pytest.mark.parametrize("length", ["1001", "9" * 40, "9" * 5000, "-1", "1e3", "²"])
def test_an_announced_length_is_read_with_care(
    app: SignedApp, inner: Application, length: str
) -> None:
    messages = [_body(b"")]
    assert _run(app, _scope({"content-length": length}), messages)[0]["status"] == 413
    assert len(messages) == 1
    assert inner.reached == []


def test_a_body_that_never_ends_meets_the_time_limit(
    inner: Application, server: Sr25519Signer, nonces: SqliteNonceStore
) -> None:
    limits = AppLimits(read_timeout_s=0)
    app = SignedApp(inner, signer=server, nonces=nonces, now_ns=lambda: _NOW, limits=limits)
    sent = _run(app, _scope({}), [_body(b"x", more=True)])
    assert sent[0]["status"] == 408
    assert json.loads(sent[1]["body"])["type"] == "urn:qsubnet:problem:body-timeout"
    assert inner.reached == []


def test_a_client_that_leaves_gets_nothing(app: SignedApp, inner: Application) -> None:
    assert _run(app, _scope({}), [_body(b"x", more=True), {"type": "http.disconnect"}]) == []
    assert inner.reached == []


def test_a_target_that_is_not_ascii_is_refused(
    app: SignedApp, sender: Sr25519Signer, server: Sr25519Signer
) -> None:
    scope = _scope(_signed(sender, server), raw_path=b"/\xff")
    sent = _run(app, scope, [_body(b"")])
    assert sent[0]["status"] == 401
    assert json.loads(sent[1]["body"])["reason"] == "malformed"


def test_nothing_is_accepted_while_the_store_is_broken(
    app: SignedApp,
    inner: Application,
    sender: Sr25519Signer,
    server: Sr25519Signer,
    nonces: SqliteNonceStore,
) -> None:
    nonces.close()
    sent = _run(app, _scope(_signed(sender, server)), [_body(b"")])
    assert sent[0]["status"] == 503
    assert json.loads(sent[1]["body"])["type"] == "urn:qsubnet:problem:unavailable"
    assert inner.reached == []


def test_a_crash_is_answered_and_then_raised_for_the_servers_log(
    app: SignedApp, sender: Sr25519Signer, server: Sr25519Signer
) -> None:
    sent: list[Message] = []
    headers = _signed(sender, server, target="/crash")

    async def receive() -> Message:
        return _body(b"")

    async def send(message: Message) -> None:
        sent.append(message)

    with pytest.raises(BrokenRoute):
        asyncio.run(_finish(app(_scope(headers, path="/crash", raw_path=b"/crash"), receive, send)))
    assert sent[0]["status"] == 500
    assert b"x-qsubnet-reply" in dict(sent[0]["headers"])


def test_web_sockets_are_closed(app: SignedApp, inner: Application) -> None:
    sent = _run(app, {"type": "websocket", "path": "/health", "headers": []}, [])
    assert sent == [{"type": "websocket.close", "code": 1008}]
    assert inner.reached == []


def test_the_applications_lifespan_passes(server: Sr25519Signer, nonces: SqliteNonceStore) -> None:
    async def starts(scope: Scope, receive: Receive, send: Send) -> None:
        assert (scope["type"], await receive()) == ("lifespan", {"type": "lifespan.startup"})
        await send({"type": "lifespan.startup.complete"})

    app = SignedApp(starts, signer=server, nonces=nonces, now_ns=lambda: _NOW)
    sent = _run(app, {"type": "lifespan"}, [{"type": "lifespan.startup"}])
    assert sent == [{"type": "lifespan.startup.complete"}]
