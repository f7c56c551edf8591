"""A miner's port: what its answers mean to a requester, whatever stands on the other end."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest

from qsubnet.errors import PeerFault, QsubnetError, Refused, Unreachable
from qsubnet.wire.miner_port import MAX_DEVICES_BYTES, MinerPort, NoAnswer, miner_http
from qsubnet.wire.nonces import NonceSource, SqliteNonceStore
from qsubnet.wire.signed_app import SignedApp
from qsubnet.wire.signed_client import SignedClient

_NOW_NS = 1_752_076_800_000_000_000
_NONCES = NonceSource(now_ns=lambda: _NOW_NS)
KEY = "ab" * 32


@pytest.fixture
def port(tmp_path: Path, tools: Any) -> Any:
    """Builds a port to an application that always says (status, content), signed or not."""
    me, miner = tools.signer_of("me"), tools.signer_of("miner")
    stores: list[SqliteNonceStore] = []

    def build(status: int, content: bytes, *, signed: bool = True, wait: bool = False) -> MinerPort:
        async def app(scope: Any, receive: Any, send: Any) -> None:
            if wait:
                await asyncio.Event().wait()
            headers = [(b"content-type", b"application/json")]
            await send({"type": "http.response.start", "status": status, "headers": headers})
            await send({"type": "http.response.body", "body": content})

        stores.append(SqliteNonceStore(tmp_path / f"{len(stores)}.db", now_ns=lambda: _NOW_NS))
        served = SignedApp(app, signer=miner, nonces=stores[-1], now_ns=lambda: _NOW_NS)
        http = httpx.AsyncClient(
            transport=httpx.ASGITransport(served if signed else app, raise_app_exceptions=False)
        )
        client = SignedClient(http, signer=me, nonces=_NONCES, timeout_s=0.2 if wait else 20.0)
        return MinerPort(client, endpoint="http://m.test:80", hotkey=miner.identity)

    yield build
    for store in stores:
        store.close()


def _problem(detail: str, kind: str = "urn:qsubnet:problem:x") -> bytes:
    return json.dumps({"type": kind, "detail": detail}).encode()


ANSWERS: list[tuple[int, bytes, type[QsubnetError], str]] = [
    (429, _problem("come back"), Unreachable, "answers 429: come back"),
    (500, _problem("oops"), Unreachable, "answers 500: oops"),
    (500, b"\xff", Unreachable, "status 500"),
    (503, b"", Unreachable, "status 503"),
    (500, _problem("huge", "urn:qsubnet:problem:reply-too-large"), PeerFault, "huge"),
    (403, _problem("no"), Refused, "refuses: no"),
    (409, _problem("x" * 10_000), Refused, "x" * 400),
    (418, b"[]", Refused, "status 418"),
    (404, json.dumps({"detail": {"a": 1}}).encode(), Refused, '{"a": 1}'),
    (302, b"{}", Refused, "status 302"),
    (200, b"{}", PeerFault, "devices: Field required"),
    (200, b"nothing", PeerFault, "no JSON"),
    (200, b'{"devices": [], "devices": []}', PeerFault, "twice"),
    (200, b'{"devices": ' + b"[" * 40 + b"]" * 40 + b"}", PeerFault, "nested"),
    (200, b'{"devices": []}' + b" " * MAX_DEVICES_BYTES, PeerFault, "bytes"),
    (200, b'{"devices": [' + b"1," * 9_999 + b"1]}", PeerFault, "faults"),
]


@pytest.mark.parametrize(("status", "content", "error", "text"), ANSWERS)
def test_an_answer_means_what_to_do(
    status: int,
    content: bytes,
    error: type[QsubnetError],
    text: str,
    port: Callable[..., MinerPort],
) -> None:
    with pytest.raises(error) as raised:
        asyncio.run(port(status, content).devices())
    assert text in str(raised.value)
    assert len(str(raised.value)) < 2_000
    assert not isinstance(raised.value, NoAnswer)


def test_what_the_miner_did_not_sign_is_no_answer(port: Callable[..., MinerPort]) -> None:
    for status in (200, 302, 401, 404, 500):
        with pytest.raises(NoAnswer):
            asyncio.run(port(status, b'{"devices": []}', signed=False).devices())


def test_silence_ends_by_itself(port: Callable[..., MinerPort]) -> None:
    with pytest.raises(NoAnswer, match="TimeoutError"):
        asyncio.run(port(200, b"", wait=True).devices())


def test_an_unknown_job_is_none_and_another_job_s_state_a_fault(
    port: Callable[..., MinerPort],
) -> None:
    assert asyncio.run(port(404, _problem("no job")).status(KEY)) is None
    state = json.dumps({"key": "0" * 64, "state": "queued"}).encode()
    for ask in (MinerPort.status, MinerPort.cancel):
        with pytest.raises(PeerFault, match="it answers for"):
            asyncio.run(ask(port(200, state), KEY))


def test_no_miner_can_burden_the_questions_to_others_on_its_host(tools: Any) -> None:
    """Cookies know no ports: one miner's would go to all on its machine, until none answers."""

    async def story() -> None:
        seen: list[str | None] = []

        async def app(scope: Any, receive: Any, send: Any) -> None:
            seen.append(dict(scope["headers"]).get(b"cookie"))
            headers = [(b"set-cookie", b"a=b; Path=/")]
            await send({"type": "http.response.start", "status": 200, "headers": headers})
            await send({"type": "http.response.body", "body": b""})

        async with miner_http() as http:
            http._transport = httpx.ASGITransport(app)
            for port in (1, 2):
                await http.get(f"http://127.0.0.1:{port}/")
            assert not list(http.cookies.jar)
        assert seen == [None, None]

    tools.run(story())
