"""Expected bytes: the test vector of DSSE's protocol.md; its ECDSA is checked by `cryptography`."""

from __future__ import annotations

import json

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256

from attestations.envelope import (
    MAX_ENVELOPE_BYTES,
    MAX_SIGNATURES,
    Envelope,
    Signature,
    add_signature,
    from_object,
    pae,
    parse,
    require_signatures,
    serialise,
    to_object,
)
from attestations.errors import Malformed, SignatureMissing, UnknownField, WrongSigner
from qsubnet.wire.keys import Sr25519Signer, Sr25519Verifier

_X = 46950820868899156662930047687818585632848591499744589407958293238635476079160
_Y = 5640078356564379163099075877009565129882514886557779369047442380624545832820
_VECTOR = {
    "payload": "aGVsbG8gd29ybGQ=",
    "payloadType": "http://example.com/HelloWorld",
    "signatures": [
        {
            "keyid": "vector",
            "sig": (
                "A3JqsQGtVsJ2O2xqrI5IcnXip5GToJ3F+FnZ+O88"
                "SjtR6rDAajabZKciJTfUiHqJPcIAriEGAHTVeCUjW2JIZA=="
            ),
        }
    ],
}


class _P256Verifier:
    """The scheme of the specification's vector: raw r and s over P-256 and SHA-256."""

    def verify(self, identity: str, payload: bytes, signature: bytes) -> bool:
        key = ec.EllipticCurvePublicNumbers(_X, _Y, ec.SECP256R1()).public_key()
        r, s = (int.from_bytes(half) for half in (signature[:32], signature[32:]))
        key.verify(encode_dss_signature(r, s), payload, ec.ECDSA(SHA256()))
        return identity == "vector"


def test_the_vector_of_the_specification_verifies() -> None:
    envelope = from_object(_VECTOR)
    assert envelope.payload == b"hello world"
    require_signatures(envelope, identities=("vector",), verifier=_P256Verifier())


def test_lengths_count_bytes_not_characters() -> None:
    assert pae("é", b"\xff") == b"DSSEv1 2 \xc3\xa9 1 \xff"


def test_type_and_payload_can_not_trade_bytes() -> None:
    assert pae("a b", b"c") != pae("a", b"b c")


def test_serialise_and_parse_are_inverse(miner: Sr25519Signer, requester: Sr25519Signer) -> None:
    envelope = Envelope("a/b", bytes(range(256)))
    for signer in (miner, requester):
        envelope = add_signature(envelope, signer=signer)
    assert parse(serialise(envelope)) == envelope
    assert from_object(json.loads(serialise(envelope))) == envelope
    assert from_object(to_object(envelope)) == envelope


def test_signers_are_required_all_in_order_and_alone(
    miner: Sr25519Signer,
    requester: Sr25519Signer,
    stranger: Sr25519Signer,
    verifier: Sr25519Verifier,
) -> None:
    both = (miner.identity, requester.identity)
    empty = Envelope("a/b", b"x")
    one = add_signature(empty, signer=miner)
    two = add_signature(one, signer=requester)
    require_signatures(two, identities=both, verifier=verifier)
    for incomplete in (empty, one):
        with pytest.raises(SignatureMissing):
            require_signatures(incomplete, identities=both, verifier=verifier)
    swapped = add_signature(add_signature(empty, signer=requester), signer=miner)
    crowded = add_signature(two, signer=stranger)
    for wrong in (swapped, crowded, add_signature(empty, signer=stranger)):
        with pytest.raises(WrongSigner):
            require_signatures(wrong, identities=both, verifier=verifier)


def test_nobody_signs_twice(miner: Sr25519Signer) -> None:
    once = add_signature(Envelope("a/b", b"x"), signer=miner)
    with pytest.raises(ValueError, match="signs an envelope once"):
        add_signature(once, signer=miner)


def test_size_is_checked_before_parsing() -> None:
    with pytest.raises(Malformed, match=f"at most {MAX_ENVELOPE_BYTES}"):
        parse(b"\xff" * (MAX_ENVELOPE_BYTES + 1))


def test_what_nobody_would_accept_is_not_serialised() -> None:
    with pytest.raises(ValueError, match="at most"):
        serialise(Envelope("a/b", bytes(MAX_ENVELOPE_BYTES)))


_SIGNED = '{"payload":"aGk=","payloadType":"a/b","signatures":[%s]}'
_ONE = '{"keyid":"k","sig":"AA=="}'


def test_the_shape_that_the_refusals_vary_is_accepted() -> None:
    assert parse((_SIGNED % _ONE).encode()).signatures == (Signature("k", b"\0"),)


@pytest.mark.parametrize(
    "text",
    [
        "[]",
        "null",
        '{"payload":"aGk=","payloadType":"a/b"}',
        '{"payload":"aGk","payloadType":"a/b","signatures":[]}',
        '{"payload":"aGl=","payloadType":"a/b","signatures":[]}',
        '{"payload":"a-_=","payloadType":"a/b","signatures":[]}',
        '{"payload":"aG k=","payloadType":"a/b","signatures":[]}',
        '{"payload":1,"payloadType":"a/b","signatures":[]}',
        '{"payload":"aGk=","payloadType":"","signatures":[]}',
        '{"payload":"aGk=","payloadType":["a/b"],"signatures":[]}',
        '{"payload":"aGk=","payloadType":"a/b","signatures":{}}',
        _SIGNED % "1",
        _SIGNED % f"{_ONE},{_ONE}",
        _SIGNED % '{"keyid":"k"}',
        _SIGNED % '{"keyid":"","sig":"AA=="}',
        _SIGNED % '{"keyid":"a b","sig":"AA=="}',
        _SIGNED % '{"keyid":1,"sig":"AA=="}',
        _SIGNED % '{"keyid":"k","sig":""}',
        _SIGNED % '{"keyid":"k","sig":"AB=="}',
        _SIGNED % f'{{"keyid":"k","sig":"{"AAAA" * 200}"}}',
        _SIGNED % ",".join(f'{{"keyid":"{n}","sig":"AA=="}}' for n in range(MAX_SIGNATURES + 1)),
    ],
)
def test_malformed_envelopes_are_refused(text: str) -> None:
    with pytest.raises(Malformed):
        parse(text.encode())


@pytest.mark.parametrize(
    "text",
    [
        '{"payload":"aGk=","payloadType":"a/b","signatures":[],"x":1}',
        _SIGNED % '{"cert":"c","keyid":"k","sig":"AA=="}',
    ],
)
def test_unknown_fields_are_refused_by_name(text: str) -> None:
    with pytest.raises(UnknownField):
        parse(text.encode())
