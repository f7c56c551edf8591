"""Signed requests and replies as functions. Golden bytes: the vectors of Bittensor's btauth/1."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from bittensor import http_auth
from bittensor.sp_core import CRYPTO_ED25519, Keypair, ss58_encode

from qsubnet.errors import PeerFault
from qsubnet.wire import canonical
from qsubnet.wire.auth import (
    ALLOWED_SKEW_S,
    MAX_AGE_S,
    Caller,
    ForgedReply,
    Refusal,
    Unauthenticated,
    UnsignedReply,
    reply_headers,
    signed_headers,
    verify_reply,
    verify_request,
)
from qsubnet.wire.keys import Sr25519Signer
from qsubnet.wire.nonces import RETENTION_S, SqliteNonceStore

_S = 1_000_000_000
# The vectors of the signed-requests guide (bittensor.com/docs/guides/signed-requests).
_NONCE = 1_752_076_800_000_000_000
_BODY = b'{"prompt": "hello"}'
_TARGET = "/generate?stream=false"
_ALICE = "5GrwvaEF5zXb26Fz9rcQpDWS57CtERHpNehXCPcNoHGKutQY"
_BOB = "5FHneW46xGXgs5mUiveU4sbTyGBzmstUspZC92UhjJM694ty"
_PAYLOAD = b"""btauth/1
sr25519
POST
/generate?stream=false
341c57448e531310fbbe83f44cea2a5e838bd9e8a6b82b269f01d0dbbc23c3cc
1752076800000000000
5GrwvaEF5zXb26Fz9rcQpDWS57CtERHpNehXCPcNoHGKutQY
5FHneW46xGXgs5mUiveU4sbTyGBzmstUspZC92UhjJM694ty"""
_ED25519_SIGNATURE = (
    "0x1a6b631988bf1f7ea093ab9d5acf61f05c316d0b0e428b24b487b75a5f6ee0e1"
    "a56a26918fdf871b6cf09437e6588023a4ce423cf622621b2a7feee17612f704"
)
Headers = dict[str, str]


@pytest.fixture(scope="module")
def alice() -> Keypair:
    return Keypair.create_from_uri("//Alice")


@pytest.fixture(scope="module")
def sender() -> Sr25519Signer:
    return Sr25519Signer(hashlib.sha256(b"sender").digest())


@pytest.fixture(scope="module")
def server() -> Sr25519Signer:
    return Sr25519Signer(hashlib.sha256(b"server").digest())


@pytest.fixture
def nonces(tmp_path: Path) -> Iterator[SqliteNonceStore]:
    with SqliteNonceStore(tmp_path / "nonces.db", now_ns=lambda: _NONCE) as store:
        yield store


@pytest.fixture
def headers(sender: Sr25519Signer) -> Headers:
    return signed_headers(
        sender, method="POST", target=_TARGET, body=_BODY, receiver=_BOB, nonce_ns=_NONCE
    )


def _golden(alice: Keypair) -> Headers:
    """Headers built by hand around a signature over the published payload."""
    return {
        "X-Bittensor-Version": "1",
        "X-Bittensor-Hotkey": _ALICE,
        "X-Bittensor-Receiver": _BOB,
        "X-Bittensor-Nonce": str(_NONCE),
        "X-Bittensor-Signature": "0x" + bytes(alice.sign(_PAYLOAD)).hex(),
    }


def _verify(headers: Headers, nonces: SqliteNonceStore, **changes: Any) -> Caller:
    arguments: dict[str, Any] = {
        "method": "POST",
        "target": _TARGET,
        "receiver": _BOB,
        "now_ns": _NONCE + 1_000_000,
        **changes,
    }
    body: bytes = arguments.pop("body", _BODY)
    return verify_request(headers.items(), body, nonces=nonces, **arguments)


def _reason(headers: Headers, nonces: SqliteNonceStore, **changes: Any) -> Refusal:
    with pytest.raises(Unauthenticated) as caught:
        _verify(headers, nonces, **changes)
    assert re.search("[0-9a-f]{32}", str(caught.value)) is None
    return caught.value.reason


def test_the_golden_request_is_accepted(alice: Keypair, nonces: SqliteNonceStore) -> None:
    headers = _golden(alice)
    expected = Caller(_ALICE, _NONCE, headers["X-Bittensor-Signature"])
    assert _verify(headers, nonces) == expected


def test_our_requests_sign_the_golden_payload(sender: Sr25519Signer, headers: Headers) -> None:
    payload = _PAYLOAD.replace(_ALICE.encode(), sender.identity.encode())
    signature = canonical.signature_bytes(headers["X-Bittensor-Signature"])
    assert Keypair(sender.identity).verify(payload, signature)
    assert set(headers) == set(_golden(Keypair.create_from_uri("//Alice")))


def test_the_golden_ed25519_request_is_refused_for_its_scheme(nonces: SqliteNonceStore) -> None:
    edward = Keypair.create_from_uri("//Alice", CRYPTO_ED25519)
    headers: Headers = http_auth.sign(
        edward, method="POST", path=_TARGET, body=_BODY, receiver_ss58=_BOB, nonce_ns=_NONCE
    )
    assert headers["X-Bittensor-Signature"] == _ED25519_SIGNATURE
    assert _reason(headers, nonces) == Refusal.MALFORMED
    del headers["X-Bittensor-Crypto"]
    assert _reason(headers, nonces) == Refusal.BAD_SIGNATURE


def test_header_names_are_the_librarys() -> None:
    ours = {
        canonical.HOTKEY_HEADER: http_auth.HEADER_HOTKEY,
        canonical.NONCE_HEADER: http_auth.HEADER_NONCE,
        canonical.CRYPTO_HEADER: http_auth.HEADER_CRYPTO,
        canonical.SIGNATURE_HEADER: http_auth.HEADER_SIGNATURE,
    }
    assert {theirs.lower() for theirs in ours.values()} == set(ours)


def test_every_refusal_of_the_library_has_a_word(
    headers: Headers, nonces: SqliteNonceStore, server: Sr25519Signer
) -> None:
    leaves = {one.__name__ for one in http_auth.AuthError.__subclasses__()}
    assert leaves == {
        "MalformedAuth",
        "WrongReceiver",
        "StaleRequest",
        "BadSignature",
        "ReplayedRequest",
    }
    seen = {
        _reason({}, nonces),
        _reason(headers, nonces, receiver=server.identity),
        _reason(headers, nonces, now_ns=0),
        _reason(headers, nonces, body=b""),
    }
    _verify(headers, nonces)
    assert seen | {_reason(headers, nonces)} == set(Refusal)
    assert issubclass(Unauthenticated, PeerFault)


@pytest.mark.parametrize(
    "changes",
    [
        {"body": _BODY + b" "},
        {"body": b""},
        {"method": "PUT"},
        {"target": "/generate"},
        {"target": "/generate?stream=true"},
        {"target": "/generate?stream=false&x=1"},
        {"target": "/Generate?stream=false"},
        {"target": "/%67enerate?stream=false"},
        {"target": "/generate/?stream=false"},
        {"target": "//generate?stream=false"},
    ],
)
def test_a_changed_request_does_not_verify(
    changes: dict[str, Any], headers: Headers, nonces: SqliteNonceStore
) -> None:
    assert _reason(headers, nonces, **changes) == Refusal.BAD_SIGNATURE
    # And it did not use up the nonce of the honest sender.
    _verify(headers, nonces)


def test_a_request_for_another_server_is_refused(
    headers: Headers, nonces: SqliteNonceStore, server: Sr25519Signer
) -> None:
    assert _reason(headers, nonces, receiver=server.identity) == Refusal.WRONG_RECEIVER
    redirected = {**headers, "X-Bittensor-Receiver": server.identity}
    assert _reason(redirected, nonces, receiver=server.identity) == Refusal.BAD_SIGNATURE


def test_a_request_for_nobody_in_particular_is_refused(
    sender: Sr25519Signer, nonces: SqliteNonceStore
) -> None:
    headers: Headers = http_auth.sign(
        sender, method="POST", path=_TARGET, body=_BODY, nonce_ns=_NONCE
    )
    assert _reason(headers, nonces) == Refusal.WRONG_RECEIVER


def test_the_signature_is_bound_to_sender_and_nonce(
    headers: Headers, nonces: SqliteNonceStore
) -> None:
    assert _reason({**headers, "X-Bittensor-Hotkey": _ALICE}, nonces) == Refusal.BAD_SIGNATURE
    later = {**headers, "X-Bittensor-Nonce": str(_NONCE + 1)}
    assert _reason(later, nonces) == Refusal.BAD_SIGNATURE


@pytest.mark.parametrize("late_ns", [int(MAX_AGE_S * _S), -int(ALLOWED_SKEW_S * _S)])
def test_the_window_is_half_a_minute_back_and_a_little_ahead(
    late_ns: int, headers: Headers, nonces: SqliteNonceStore
) -> None:
    beyond = late_ns + (1000 if late_ns > 0 else -1000)
    assert _reason(headers, nonces, now_ns=_NONCE + beyond) == Refusal.STALE
    _verify(headers, nonces, now_ns=_NONCE + late_ns)


def test_a_request_is_accepted_once_also_after_a_restart(tmp_path: Path, headers: Headers) -> None:
    path = tmp_path / "restarted.db"
    with SqliteNonceStore(path, now_ns=lambda: _NONCE) as store:
        _verify(headers, store)
        assert _reason(headers, store) == Refusal.REPLAYED
    with SqliteNonceStore(path, now_ns=lambda: _NONCE) as store:
        assert _reason(headers, store) == Refusal.REPLAYED


def test_nonces_are_kept_longer_than_requests_are_fresh(tmp_path: Path, headers: Headers) -> None:
    assert RETENTION_S > MAX_AGE_S + ALLOWED_SKEW_S
    with (
        SqliteNonceStore(tmp_path / "short.db", now_ns=lambda: _NONCE, retention_s=10) as short,
        pytest.raises(ValueError, match="retain"),
    ):
        _verify(headers, short)


@pytest.mark.parametrize(
    ("header", "value"),
    [
        ("X-Bittensor-Version", "2"),
        ("X-Bittensor-Version", ""),
        ("X-Bittensor-Nonce", "x"),
        ("X-Bittensor-Nonce", f"+{_NONCE}"),
        ("X-Bittensor-Nonce", f" {_NONCE}"),
        ("X-Bittensor-Nonce", f"0{_NONCE}"),
        ("X-Bittensor-Nonce", "1_752_076_800_000_000_000"),
        ("X-Bittensor-Nonce", "9" * 5000),
        ("X-Bittensor-Nonce", "\N{ARABIC-INDIC DIGIT ONE}"),
        ("X-Bittensor-Signature", "0x"),
        ("X-Bittensor-Signature", "0x" + "zz" * 64),
        ("X-Bittensor-Signature", "0x" + "00" * 63),
        ("X-Bittensor-Hotkey", ""),
        ("X-Bittensor-Hotkey", "5Grwva"),
        ("X-Bittensor-Hotkey", "1" * 60_000),
        ("X-Bittensor-Crypto", "sr25519"),
        ("X-Bittensor-Crypto", "ecdsa"),
    ],
)
def test_other_spellings_of_headers_are_malformed(
    header: str, value: str, headers: Headers, nonces: SqliteNonceStore
) -> None:
    assert _reason({**headers, header: value}, nonces) == Refusal.MALFORMED


@pytest.mark.parametrize("name", sorted(_golden(Keypair.create_from_uri("//Alice"))))
def test_a_missing_header_is_refused(name: str, headers: Headers, nonces: SqliteNonceStore) -> None:
    rest = {key: value for key, value in headers.items() if key != name}
    expected = Refusal.WRONG_RECEIVER if name == "X-Bittensor-Receiver" else Refusal.MALFORMED
    assert _reason(rest, nonces) == expected


def test_upper_case_signatures_are_malformed(headers: Headers, nonces: SqliteNonceStore) -> None:
    signature = headers["X-Bittensor-Signature"]
    for other in (signature.upper(), signature[2:], "0x" + signature[2:].upper()):
        assert _reason({**headers, "X-Bittensor-Signature": other}, nonces) == Refusal.MALFORMED


def test_a_repeated_header_is_malformed_even_when_equal(
    headers: Headers, nonces: SqliteNonceStore
) -> None:
    for name, value in headers.items():
        with pytest.raises(Unauthenticated, match=f"{name.lower()} twice"):
            verify_request(
                [*headers.items(), (name.lower(), value)],
                _BODY,
                method="POST",
                target=_TARGET,
                receiver=_BOB,
                nonces=nonces,
                now_ns=_NONCE,
            )


def test_a_key_in_another_chains_format_is_no_second_caller(
    sender: Sr25519Signer, nonces: SqliteNonceStore
) -> None:
    foreign = ss58_encode(sender.public_key, 0)
    payload = _PAYLOAD.replace(_ALICE.encode(), foreign.encode())
    headers = {
        "X-Bittensor-Version": "1",
        "X-Bittensor-Hotkey": foreign,
        "X-Bittensor-Receiver": _BOB,
        "X-Bittensor-Nonce": str(_NONCE),
        "X-Bittensor-Signature": "0x" + sender.sign(payload).hex(),
    }
    assert _reason(headers, nonces) == Refusal.MALFORMED


# ------------------------------------------------------------------------------- replies

_REQUEST = "0x" + "5a" * 64
_ANSWER = b'{"counts":{}}'


def _check(
    headers: Headers,
    server: Sr25519Signer,
    *,
    body: bytes = _ANSWER,
    status: int = 200,
    request: str = _REQUEST,
) -> None:
    verify_reply(
        headers.items(), body, status=status, server=server.identity, request_signature=request
    )


@pytest.fixture
def signed_reply(server: Sr25519Signer) -> Headers:
    return reply_headers(server, request_signature=_REQUEST, status=200, body=_ANSWER)


def test_the_reply_payload_is_golden() -> None:
    # sha256 of the empty text: FIPS 180.
    empty = b"e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
    expected = b"qsubnet-reply/1\n0x" + b"5a" * 64 + b"\n404\n" + empty
    assert canonical.reply_payload(request_signature=_REQUEST, status=404, body=b"") == expected


def test_a_signed_reply_is_accepted(server: Sr25519Signer, signed_reply: Headers) -> None:
    _check(signed_reply, server)
    upper = {name.upper(): value for name, value in signed_reply.items()}
    _check({**upper, "Content-Type": "application/json"}, server)


def test_an_altered_status_body_or_request_is_forged(
    server: Sr25519Signer, signed_reply: Headers
) -> None:
    with pytest.raises(ForgedReply):
        _check(signed_reply, server, status=201)
    with pytest.raises(ForgedReply):
        _check(signed_reply, server, body=_ANSWER + b" ")
    with pytest.raises(ForgedReply):
        _check(signed_reply, server, request="0x" + "5b" * 64)


def test_a_reply_of_another_server_is_forged(sender: Sr25519Signer, signed_reply: Headers) -> None:
    with pytest.raises(ForgedReply, match=sender.identity):
        _check(signed_reply, sender)


@pytest.mark.parametrize("value", ["", "0x", "0x" + "00" * 64, "0x" + "ZZ" * 64, "00" * 64])
def test_a_malformed_reply_signature_is_forged(server: Sr25519Signer, value: str) -> None:
    with pytest.raises(ForgedReply):
        _check({"x-qsubnet-reply": value}, server)


def test_two_reply_signatures_are_forged(server: Sr25519Signer, signed_reply: Headers) -> None:
    with pytest.raises(ForgedReply, match="twice"):
        _check({**signed_reply, "X-Qsubnet-Reply": signed_reply["x-qsubnet-reply"]}, server)


def test_a_request_signature_is_no_reply_signature(server: Sr25519Signer) -> None:
    request = signed_headers(
        server, method="GET", target="/", body=_ANSWER, receiver=_BOB, nonce_ns=1
    )
    with pytest.raises(ForgedReply):
        _check({"x-qsubnet-reply": request["X-Bittensor-Signature"]}, server)


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b'{"reason":"stale","title":"x"}', Refusal.STALE),
        (b'{"reason":"pay me"}', None),
        (b'{"reason":["stale"]}', None),
        (b"[" * 100_000, None),
        (b"", None),
        (b"\xff", None),
    ],
)
def test_an_unsigned_reply_says_at_most_one_known_word(
    server: Sr25519Signer, body: bytes, reason: Refusal | None
) -> None:
    with pytest.raises(UnsignedReply) as caught:
        _check({}, server, body=body, status=401)
    assert (caught.value.status, caught.value.reason) == (401, reason)
    assert "pay me" not in str(caught.value)


@pytest.mark.parametrize("status", [0, 99, 600])
def test_a_status_that_is_none_is_not_signed(server: Sr25519Signer, status: int) -> None:
    with pytest.raises(ValueError, match=r"100 \.\. 599"):
        reply_headers(server, request_signature=_REQUEST, status=status, body=b"")
