"""Envelopes: a payload, what kind it is, and several signatures over both.

The JSON envelope of DSSE with two extra strictnesses: its JSON is canonical and its base64 is
the standard alphabet with padding, so that equal envelopes have equal bytes. `keyid` carries the
signer's identity and only chooses which signature to check; it proves nothing by itself.
Source: DSSE v1.0, protocol.md and envelope.md (github.com/secure-systems-lab/dsse).
securesystemslib's envelope ties signatures to its own key classes, of which sr25519 is none.
"""

from __future__ import annotations

import base64
import re
from dataclasses import dataclass, replace
from typing import Final

from attestations.errors import Malformed, SignatureMissing, UnknownField, WrongSigner
from attestations.signing import Signer, Verifier
from attestations.statement import Json, canonical_json, parse_canonical

__all__ = [
    "MAX_ENVELOPE_BYTES",
    "MAX_SIGNATURES",
    "Envelope",
    "Signature",
    "add_signature",
    "from_object",
    "pae",
    "parse",
    "require_signatures",
    "serialise",
    "to_object",
]

MAX_ENVELOPE_BYTES: Final = 2**20
"""Bytes of one serialised envelope; checked before it is parsed."""

MAX_SIGNATURES: Final = 8

_IDENTITY: Final = re.compile(r"[!-~]{1,128}")
_PAYLOAD_TYPE: Final = re.compile(r"[!-~]{1,256}")
_MAX_SIGNATURE_BYTES: Final = 512


@dataclass(frozen=True, slots=True)
class Signature:
    """One signature and the identity that it claims to be of."""

    identity: str
    value: bytes

    def __post_init__(self) -> None:
        if _IDENTITY.fullmatch(self.identity) is None:
            raise ValueError("an identity is 1 .. 128 printable ASCII characters without space")
        if not 1 <= len(self.value) <= _MAX_SIGNATURE_BYTES:
            raise ValueError(
                f"a signature has 1 .. {_MAX_SIGNATURE_BYTES} bytes, got {len(self.value)}"
            )


@dataclass(frozen=True, slots=True)
class Envelope:
    """A payload with its type and its signatures, in the order they were added.

    Attributes:
        payload_type: What the payload is; a `StatementType` for ours.
        payload: The exact bytes that were signed.
        signatures: At most `MAX_SIGNATURES`, of different identities.
    """

    payload_type: str
    payload: bytes
    signatures: tuple[Signature, ...] = ()

    def __post_init__(self) -> None:
        if _PAYLOAD_TYPE.fullmatch(self.payload_type) is None:
            raise ValueError("a payload type is 1 .. 256 printable ASCII characters without space")
        identities = [signature.identity for signature in self.signatures]
        if len(identities) > MAX_SIGNATURES:
            raise ValueError(f"need at most {MAX_SIGNATURES} signatures, got {len(identities)}")
        if len(set(identities)) != len(identities):
            raise ValueError("an identity signs an envelope once, got one twice")


def pae(payload_type: str, payload: bytes) -> bytes:
    """Return the bytes that a signature covers: DSSE's pre-authentication encoding.

    Source:
        DSSE v1.0, protocol.md, "Signature Definition"; the example is its test vector.

    Example:
        >>> pae("http://example.com/HelloWorld", b"hello world")
        b'DSSEv1 29 http://example.com/HelloWorld 11 hello world'
    """
    kind = payload_type.encode("utf-8")
    return b"DSSEv1 %d %b %d %b" % (len(kind), kind, len(payload), payload)


def add_signature(envelope: Envelope, *, signer: Signer) -> Envelope:
    """Return the envelope with one more signature at the end.

    Raises:
        ValueError: The signer has signed it already.
    """
    value = signer.sign(pae(envelope.payload_type, envelope.payload))
    added = Signature(signer.identity, value)
    return replace(envelope, signatures=(*envelope.signatures, added))


def require_signatures(
    envelope: Envelope, *, identities: tuple[str, ...], verifier: Verifier
) -> None:
    """Check that exactly these identities signed, in this order.

    Raises:
        SignatureMissing: The first ones are there, the rest is not yet.
        WrongSigner: Anybody else signed, in another order, or a signature does not verify.
    """
    found = tuple(signature.identity for signature in envelope.signatures)
    if found != identities[: len(found)]:
        raise WrongSigner(f"need signatures by {list(identities)}, got {list(found)}")
    signed = pae(envelope.payload_type, envelope.payload)
    for signature in envelope.signatures:
        if not verifier.verify(signature.identity, signed, signature.value):
            raise WrongSigner(f"{signature.identity} did not sign this payload as this type")
    if len(found) < len(identities):
        raise SignatureMissing(f"need a signature by {identities[len(found)]}, got {len(found)}")


def to_object(envelope: Envelope) -> dict[str, Json]:
    """Return the JSON object of an envelope, to be carried inside another message."""
    return {
        "payload": _encode(envelope.payload),
        "payloadType": envelope.payload_type,
        "signatures": [
            {"keyid": signature.identity, "sig": _encode(signature.value)}
            for signature in envelope.signatures
        ],
    }


def serialise(envelope: Envelope) -> bytes:
    """Return the canonical bytes of an envelope; equal envelopes have equal bytes.

    Raises:
        ValueError: Larger than `MAX_ENVELOPE_BYTES`; nobody would accept it.

    Example:
        >>> serialise(Envelope("a/b", b"hi"))
        b'{"payload":"aGk=","payloadType":"a/b","signatures":[]}'
    """
    data = canonical_json(to_object(envelope))
    if len(data) > MAX_ENVELOPE_BYTES:
        raise ValueError(f"an envelope has at most {MAX_ENVELOPE_BYTES} bytes, got {len(data)}")
    return data


def parse(data: bytes) -> Envelope:
    """Read an envelope from outside; nothing is verified yet.

    Raises:
        Malformed: Too large, not canonical, or not of this shape.
        UnknownField: A field more than the envelope has.

    Example:
        >>> parse(b'{"payload":"aGk=","payloadType":"a/b","signatures":[]}').payload
        b'hi'
    """
    return from_object(parse_canonical(data, max_bytes=MAX_ENVELOPE_BYTES))


def from_object(value: object) -> Envelope:
    """Read an envelope from a JSON object that came inside another, bounded message.

    Raises:
        Malformed: Not of this shape, or larger than an envelope may be.
        UnknownField: A field more than the envelope has.
    """
    members = require_fields(value, ("payload", "payloadType", "signatures"), what="envelope")
    listed = members["signatures"]
    if not isinstance(listed, list) or len(listed) > MAX_SIGNATURES:
        raise Malformed(f"signatures must be an array of at most {MAX_SIGNATURES}")
    payload_type = members["payloadType"]
    if not isinstance(payload_type, str):
        raise Malformed("payloadType must be text")
    payload = _decode(members["payload"], what="payload")
    signatures = tuple(_signature_from(one) for one in listed)
    try:
        return Envelope(payload_type, payload, signatures)
    except ValueError as error:
        raise Malformed(str(error)) from None


def require_fields(value: object, names: tuple[str, ...], *, what: str) -> dict[str, object]:
    """Check that a value is an object with exactly these fields.

    Raises:
        UnknownField: It has another one.
        Malformed: It is no object, or lacks one.
    """
    if not isinstance(value, dict):
        raise Malformed(f"the {what} must be an object, got {type(value).__name__}")
    unknown = sorted(str(name) for name in value.keys() - set(names))
    if unknown:
        raise UnknownField(f"the {what} has an unknown field {unknown[0]!r:.64}")
    missing = [name for name in names if name not in value]
    if missing:
        raise Malformed(f"the {what} lacks {missing[0]!r}")
    return value


def _signature_from(value: object) -> Signature:
    """Read one signature of an envelope."""
    members = require_fields(value, ("keyid", "sig"), what="signature")
    identity = members["keyid"]
    if not isinstance(identity, str):
        raise Malformed("keyid must be text")
    signature = _decode(members["sig"], what="signature")
    try:
        return Signature(identity, signature)
    except ValueError as error:
        raise Malformed(str(error)) from None


def _encode(data: bytes) -> str:
    """Write base64: standard alphabet, padded."""
    return base64.b64encode(data).decode("ascii")


def _decode(text: object, *, what: str) -> bytes:
    """Read base64 in its one spelling (no other alphabet, no loose last bits)."""
    if not isinstance(text, str) or len(text) > MAX_ENVELOPE_BYTES:
        raise Malformed(
            f"the {what} must be base64 text of at most {MAX_ENVELOPE_BYTES} characters"
        )
    try:
        data = base64.b64decode(text, validate=True)
    except ValueError:
        raise Malformed(f"the {what} is no base64") from None
    if _encode(data) != text:
        raise Malformed(f"the {what} is not in the one spelling of base64")
    return data
