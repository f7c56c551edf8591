"""Canonical bytes of the wire: what is signed for a reply, and how signing headers are spelled.

Requests are signed by Bittensor's `btauth/1`, whose payload is built by its own library. Two
things are ours: the payload of a reply signature, and a stricter spelling of the headers, so
that one signed request has exactly one form (no second address format for the same key, no
second header of the same name, no odd integer). Assumes sr25519 keys, which all hotkeys are.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable
from typing import Final

__all__ = [
    "CRYPTO_HEADER",
    "HOTKEY_HEADER",
    "NONCE_HEADER",
    "REPLY_HEADER",
    "REPLY_PROTOCOL",
    "SIGNATURE_HEADER",
    "reply_payload",
    "signature_bytes",
    "signature_text",
    "single_headers",
]

REPLY_PROTOCOL: Final = "qsubnet-reply/1"
REPLY_HEADER: Final = "x-qsubnet-reply"

# Names of btauth/1, in the lower case that ASGI delivers; a test compares them with the
# library, which is imported late because it takes a second.
HOTKEY_HEADER: Final = "x-bittensor-hotkey"
NONCE_HEADER: Final = "x-bittensor-nonce"
CRYPTO_HEADER: Final = "x-bittensor-crypto"
SIGNATURE_HEADER: Final = "x-bittensor-signature"

_SIGNED_PREFIXES: Final = ("x-bittensor-", "x-qsubnet-")
_SIGNATURE: Final = re.compile(r"0x[0-9a-f]{128}")


def signature_text(signature: bytes) -> str:
    """Spell a 64-byte signature as the wire does.

    Example:
        >>> signature_text(bytes(64))[:6]
        '0x0000'
    """
    if len(signature) != 64:
        raise ValueError(f"an sr25519 signature has 64 bytes, got {len(signature)}")
    return "0x" + signature.hex()


def signature_bytes(text: str) -> bytes:
    """Read a signature in its one spelling: `0x` and 128 lower-case hex digits.

    Raises:
        ValueError: Any other spelling; a retry never helps.

    Example:
        >>> len(signature_bytes("0x" + "0f" * 64))
        64
    """
    if _SIGNATURE.fullmatch(text) is None:
        raise ValueError("a signature is spelled 0x and 128 lower-case hex digits")
    return bytes.fromhex(text[2:])


def reply_payload(*, request_signature: str, status: int, body: bytes) -> bytes:
    r"""Return the bytes that a server signs to answer for one reply.

    Newline-joined ASCII: protocol word, signature of the request (which covers method,
    target, body, nonce, sender and receiver), HTTP status, hex sha256 of the reply body.
    sr25519 signatures are randomised, so the request signature names one request alone and
    a reply cannot be spliced onto another. Other headers of the reply are not covered.

    Raises:
        ValueError: `request_signature` is not in its one spelling, or the status is none.

    Example:
        >>> reply_payload(request_signature="0x" + "00" * 64, status=200, body=b"").split(b"\n")[2]
        b'200'
    """
    signature_bytes(request_signature)
    if not 100 <= status <= 599:
        raise ValueError(f"an HTTP status lies in 100 .. 599, got {status}")
    digest = hashlib.sha256(body).hexdigest()
    return f"{REPLY_PROTOCOL}\n{request_signature}\n{status}\n{digest}".encode("ascii")


def single_headers(headers: Iterable[tuple[str, str]]) -> dict[str, str]:
    """Collect the signing headers by lower-case name, each at most once.

    Two headers of one name would let a proxy and this service read different ones.

    Raises:
        ValueError: A signing header occurs twice.

    Example:
        >>> single_headers([("X-Bittensor-Nonce", "1"), ("Accept", "*/*")])
        {'x-bittensor-nonce': '1'}
    """
    found: dict[str, str] = {}
    for name, value in headers:
        lowered = name.lower()
        if not lowered.startswith(_SIGNED_PREFIXES):
            continue
        if lowered in found:
            raise ValueError(f"got the header {lowered} twice, once is allowed")
        found[lowered] = value
    return found
