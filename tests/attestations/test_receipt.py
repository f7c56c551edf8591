"""One test per way of lying. The lies are built by hand from JSON, not by the code under test."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from attestations.envelope import Envelope, Signature, add_signature, from_object, parse, serialise
from attestations.errors import (
    AttestationError,
    Malformed,
    Reject,
    SignatureMissing,
    UnknownField,
    WrongDigest,
    WrongJob,
    WrongSigner,
    WrongType,
    WrongValue,
)
from attestations.receipt import (
    MAX_PROGRAMS,
    ProgramReceipt,
    Receipt,
    ReceiptFacts,
    countersign,
    sign_receipt,
    verify_receipt,
)
from qsubnet.wire.keys import Sr25519Signer, Sr25519Verifier

_TYPE = "application/vnd.qsubnet.receipt.v1+json"
_OTHER = hashlib.sha256(b"other").hexdigest()
Sign = Callable[[bytes], Envelope]


@pytest.fixture(scope="session")
def signed(receipt: Receipt, miner: Sr25519Signer) -> Envelope:
    return sign_receipt(receipt, signer=miner)


@pytest.fixture(scope="session")
def complete(
    signed: Envelope, facts: ReceiptFacts, requester: Sr25519Signer, verifier: Sr25519Verifier
) -> Envelope:
    return countersign(signed, signer=requester, verifier=verifier, expected=facts)


@pytest.fixture(scope="session")
def sign_both(miner: Sr25519Signer, requester: Sr25519Signer) -> Sign:
    """Both parties sign any bytes: what an auditor must expect of two that collude."""

    def sign(payload: bytes) -> Envelope:
        once = add_signature(Envelope(_TYPE, payload), signer=miner)
        return add_signature(once, signer=requester)

    return sign


def _canonical(value: object) -> bytes:
    return json.dumps(value, sort_keys=True, separators=(",", ":")).encode()


def test_an_honest_receipt_is_returned(
    complete: Envelope, receipt: Receipt, facts: ReceiptFacts, verifier: Sr25519Verifier
) -> None:
    travelled = from_object(json.loads(serialise(complete)))
    assert verify_receipt(travelled, verifier=verifier, expected=facts) == receipt


def test_the_payload_is_golden(complete: Envelope, receipt: Receipt, facts: ReceiptFacts) -> None:
    # The layout that signatures of other implementations must cover.
    expected = _canonical(
        {
            "job": facts.job_key,
            "device": "ring-5",
            "device_claim": facts.device_claim_digest,
            "programs": [
                {
                    "program": one.program_digest,
                    "counts": one.counts_digest,
                    "shots_asked": 1000,
                    "shots_returned": 998 + index,
                    "kind": "counts",
                }
                for index, one in enumerate(facts.programs)
            ],
            "backend_job": receipt.backend_job_digest,
            "accepted_ms": 1_700_000_000_000,
            "finished_ms": 1_700_000_004_321,
            "miner": facts.miner,
            "requester": facts.requester,
        }
    )
    assert complete.payload == expected
    assert receipt.digest == hashlib.sha256(expected).hexdigest()


@pytest.mark.parametrize(
    ("field", "value", "error"),
    [
        ("job", _OTHER, WrongJob),
        ("device", "ring-6", WrongValue),
        ("device_claim", _OTHER, WrongDigest),
        ("backend_job", "no digest", Malformed),
        ("accepted_ms", 1_700_000_009_999, Malformed),
        ("accepted_ms", -1, Malformed),
        ("accepted_ms", True, Malformed),
        ("finished_ms", "1700000004321", Malformed),
        ("finished_ms", None, Malformed),
        ("miner", "5F-somebody-else", WrongSigner),
        ("requester", "5F-somebody-else", WrongSigner),
        ("programs", [], Malformed),
        ("programs", {}, Malformed),
        ("job", 7, Malformed),
        ("job", "a b", Malformed),
        ("device", "", Malformed),
    ],
)
def test_a_false_field_is_refused_even_under_both_signatures(
    field: str,
    value: object,
    error: type[Reject],
    signed: Envelope,
    sign_both: Sign,
    facts: ReceiptFacts,
    verifier: Sr25519Verifier,
) -> None:
    content = {**json.loads(signed.payload), field: value}
    with pytest.raises(error):
        verify_receipt(sign_both(_canonical(content)), verifier=verifier, expected=facts)


@pytest.mark.parametrize(
    ("line", "error"),
    [
        ({"program": _OTHER}, WrongDigest),
        ({"counts": _OTHER}, WrongDigest),
        ({"shots_asked": 999}, WrongValue),
        ({"shots_asked": 0}, Malformed),
        ({"shots_returned": 997}, WrongValue),
        ({"shots_returned": -1}, Malformed),
        ({"shots_returned": 2**53}, Malformed),
        ({"kind": "probabilities"}, WrongValue),
        ({"kind": "Counts!"}, Malformed),
    ],
)
@pytest.mark.parametrize("index", [0, 2])
def test_a_false_line_of_a_program_is_refused_before_the_requester_signs(
    index: int,
    line: dict[str, object],
    error: type[Reject],
    signed: Envelope,
    facts: ReceiptFacts,
    miner: Sr25519Signer,
    requester: Sr25519Signer,
    verifier: Sr25519Verifier,
) -> None:
    content = json.loads(signed.payload)
    content["programs"][index].update(line)
    lie = add_signature(Envelope(_TYPE, _canonical(content)), signer=miner)
    with pytest.raises(error):
        countersign(lie, signer=requester, verifier=verifier, expected=facts)


def _drop_last(programs: list[Any]) -> list[Any]:
    return programs[:-1]


def _repeat_last(programs: list[Any]) -> list[Any]:
    return [*programs, programs[-1]]


def _reverse(programs: list[Any]) -> list[Any]:
    return programs[::-1]


@pytest.mark.parametrize(
    ("change", "error"),
    [(_drop_last, WrongValue), (_repeat_last, WrongValue), (_reverse, WrongDigest)],
)
def test_programs_missing_doubled_or_in_another_order_are_refused(
    change: Callable[[list[Any]], list[Any]],
    error: type[Reject],
    signed: Envelope,
    sign_both: Sign,
    facts: ReceiptFacts,
    verifier: Sr25519Verifier,
) -> None:
    content = json.loads(signed.payload)
    content["programs"] = change(content["programs"])
    with pytest.raises(error):
        verify_receipt(sign_both(_canonical(content)), verifier=verifier, expected=facts)


def test_more_programs_than_allowed_are_refused(
    signed: Envelope, sign_both: Sign, facts: ReceiptFacts, verifier: Sr25519Verifier
) -> None:
    content = json.loads(signed.payload)
    content["programs"] = content["programs"][:1] * (MAX_PROGRAMS + 1)
    with pytest.raises(Malformed, match="1024"):
        verify_receipt(sign_both(_canonical(content)), verifier=verifier, expected=facts)


def test_a_receipt_without_the_requester_asks_for_it(
    signed: Envelope, facts: ReceiptFacts, verifier: Sr25519Verifier
) -> None:
    with pytest.raises(SignatureMissing, match=facts.requester):
        verify_receipt(signed, verifier=verifier, expected=facts)
    with pytest.raises(SignatureMissing, match=facts.miner):
        verify_receipt(replace(signed, signatures=()), verifier=verifier, expected=facts)


def test_the_requester_alone_is_not_enough(
    complete: Envelope, facts: ReceiptFacts, verifier: Sr25519Verifier
) -> None:
    alone = replace(complete, signatures=complete.signatures[1:])
    with pytest.raises(WrongSigner):
        verify_receipt(alone, verifier=verifier, expected=facts)


def test_signatures_in_the_other_order_are_refused(
    complete: Envelope, facts: ReceiptFacts, verifier: Sr25519Verifier
) -> None:
    swapped = replace(complete, signatures=complete.signatures[::-1])
    with pytest.raises(WrongSigner):
        verify_receipt(swapped, verifier=verifier, expected=facts)


def test_signatures_under_each_others_names_are_refused(
    complete: Envelope, facts: ReceiptFacts, verifier: Sr25519Verifier
) -> None:
    first, second = complete.signatures
    crossed = replace(
        complete,
        signatures=(
            Signature(first.identity, second.value),
            Signature(second.identity, first.value),
        ),
    )
    with pytest.raises(WrongSigner):
        verify_receipt(crossed, verifier=verifier, expected=facts)


def test_the_miner_can_not_sign_as_the_requester(
    signed: Envelope, facts: ReceiptFacts, miner: Sr25519Signer, verifier: Sr25519Verifier
) -> None:
    again = add_signature(replace(signed, signatures=()), signer=miner).signatures[0]
    posing = Signature(facts.requester, again.value)
    forged = replace(signed, signatures=(*signed.signatures, posing))
    with pytest.raises(WrongSigner, match=facts.requester):
        verify_receipt(forged, verifier=verifier, expected=facts)


def test_a_stranger_can_not_sign_for_either(
    complete: Envelope, facts: ReceiptFacts, stranger: Sr25519Signer, verifier: Sr25519Verifier
) -> None:
    own = add_signature(replace(complete, signatures=()), signer=stranger).signatures[0]
    first, second = complete.signatures
    for signatures in (
        (own, second),
        (first, own),
        (Signature(first.identity, own.value), second),
        (first, Signature(second.identity, own.value)),
    ):
        with pytest.raises(WrongSigner):
            verify_receipt(
                replace(complete, signatures=signatures), verifier=verifier, expected=facts
            )


def test_a_third_signature_is_refused(
    complete: Envelope, facts: ReceiptFacts, stranger: Sr25519Signer, verifier: Sr25519Verifier
) -> None:
    crowded = add_signature(complete, signer=stranger)
    with pytest.raises(WrongSigner):
        verify_receipt(crowded, verifier=verifier, expected=facts)


def test_one_signature_twice_is_refused(complete: Envelope) -> None:
    document = json.loads(serialise(complete))
    document["signatures"][1] = document["signatures"][0]
    with pytest.raises(Malformed, match="once"):
        parse(_canonical(document))


def test_another_payload_type_is_refused(
    complete: Envelope, facts: ReceiptFacts, verifier: Sr25519Verifier
) -> None:
    with pytest.raises(WrongType):
        verify_receipt(
            replace(complete, payload_type="application/json"), verifier=verifier, expected=facts
        )


def test_signatures_over_another_payload_type_are_refused(
    complete: Envelope,
    facts: ReceiptFacts,
    miner: Sr25519Signer,
    requester: Sr25519Signer,
    verifier: Sr25519Verifier,
) -> None:
    elsewhere = replace(complete, payload_type="application/vnd.qsubnet.other+json", signatures=())
    for signer in (miner, requester):
        elsewhere = add_signature(elsewhere, signer=signer)
    with pytest.raises(WrongSigner):
        verify_receipt(replace(elsewhere, payload_type=_TYPE), verifier=verifier, expected=facts)


def test_a_signature_over_the_bare_payload_is_refused(
    complete: Envelope,
    facts: ReceiptFacts,
    miner: Sr25519Signer,
    requester: Sr25519Signer,
    verifier: Sr25519Verifier,
) -> None:
    bare = tuple(
        Signature(signer.identity, signer.sign(complete.payload)) for signer in (miner, requester)
    )
    with pytest.raises(WrongSigner):
        verify_receipt(replace(complete, signatures=bare), verifier=verifier, expected=facts)


def test_a_receipt_replayed_for_another_job_is_refused(
    complete: Envelope, facts: ReceiptFacts, verifier: Sr25519Verifier
) -> None:
    with pytest.raises(WrongJob):
        verify_receipt(complete, verifier=verifier, expected=replace(facts, job_key=_OTHER))


def test_a_receipt_between_other_parties_is_refused(
    complete: Envelope, facts: ReceiptFacts, stranger: Sr25519Signer, verifier: Sr25519Verifier
) -> None:
    for role in ("miner", "requester"):
        changed = (
            replace(facts, miner=stranger.identity)
            if role == "miner"
            else replace(facts, requester=stranger.identity)
        )
        with pytest.raises(WrongSigner):
            verify_receipt(complete, verifier=verifier, expected=changed)


def test_an_extra_field_is_refused_even_under_both_signatures(
    signed: Envelope, sign_both: Sign, facts: ReceiptFacts, verifier: Sr25519Verifier
) -> None:
    content = json.loads(signed.payload)
    with pytest.raises(UnknownField, match="note"):
        verify_receipt(
            sign_both(_canonical({**content, "note": 1})), verifier=verifier, expected=facts
        )
    content["programs"][1]["note"] = 1
    with pytest.raises(UnknownField, match="note"):
        verify_receipt(sign_both(_canonical(content)), verifier=verifier, expected=facts)


@pytest.mark.parametrize("place", ["receipt", "program"])
def test_each_missing_field_is_refused(
    place: str, signed: Envelope, sign_both: Sign, facts: ReceiptFacts, verifier: Sr25519Verifier
) -> None:
    content = json.loads(signed.payload)
    names = list(content if place == "receipt" else content["programs"][0])
    assert len(names) == (9 if place == "receipt" else 5)
    for name in names:
        shorter = json.loads(signed.payload)
        del (shorter if place == "receipt" else shorter["programs"][0])[name]
        with pytest.raises(Malformed, match=name):
            verify_receipt(sign_both(_canonical(shorter)), verifier=verifier, expected=facts)


def test_a_payload_in_another_form_is_refused_even_under_both_signatures(
    signed: Envelope, sign_both: Sign, facts: ReceiptFacts, verifier: Sr25519Verifier
) -> None:
    content = json.loads(signed.payload)
    reversed_keys = dict(reversed(content.items()))
    for payload in (
        json.dumps(content).encode(),
        json.dumps(reversed_keys, separators=(",", ":")).encode(),
        signed.payload + b"\n",
        signed.payload.replace(b'"device":', b'"device":"x","device":', 1),
        signed.payload[:-1],
        b"",
        b"[]",
    ):
        with pytest.raises(Malformed):
            verify_receipt(sign_both(payload), verifier=verifier, expected=facts)


def test_a_truncated_envelope_is_refused_at_every_length(complete: Envelope) -> None:
    data = serialise(complete)
    for length in range(len(data)):
        with pytest.raises(Malformed):
            parse(data[:length])


def test_bytes_after_the_envelope_are_refused(complete: Envelope) -> None:
    for tail in (b" ", b"\n", b"\0", b"}", serialise(complete)):
        with pytest.raises(Malformed):
            parse(serialise(complete) + tail)


@settings(max_examples=400, deadline=None)
@given(data=st.data())
def test_any_changed_byte_is_rejected(
    data: st.DataObject, complete: Envelope, facts: ReceiptFacts, verifier: Sr25519Verifier
) -> None:
    original = serialise(complete)
    position = data.draw(st.integers(0, len(original) - 1))
    changed = bytearray(original)
    changed[position] ^= data.draw(st.integers(1, 255))
    with pytest.raises(AttestationError):
        verify_receipt(parse(bytes(changed)), verifier=verifier, expected=facts)


def test_one_flipped_bit_is_rejected_at_every_place(
    complete: Envelope, facts: ReceiptFacts, verifier: Sr25519Verifier
) -> None:
    original = serialise(complete)
    for position in range(len(original)):
        changed = bytearray(original)
        changed[position] ^= 1
        with pytest.raises(AttestationError):
            verify_receipt(parse(bytes(changed)), verifier=verifier, expected=facts)


def test_every_bit_of_a_signature_counts(
    complete: Envelope, facts: ReceiptFacts, verifier: Sr25519Verifier
) -> None:
    first, second = complete.signatures
    for bit in range(8 * len(second.value)):
        value = bytearray(second.value)
        value[bit // 8] ^= 1 << bit % 8
        changed = replace(complete, signatures=(first, Signature(second.identity, bytes(value))))
        with pytest.raises(WrongSigner):
            verify_receipt(changed, verifier=verifier, expected=facts)


def test_only_the_named_parties_sign(
    receipt: Receipt,
    signed: Envelope,
    facts: ReceiptFacts,
    miner: Sr25519Signer,
    requester: Sr25519Signer,
    verifier: Sr25519Verifier,
) -> None:
    with pytest.raises(ValueError, match="miner"):
        sign_receipt(receipt, signer=requester)
    with pytest.raises(ValueError, match="requester"):
        countersign(signed, signer=miner, verifier=verifier, expected=facts)


def test_the_requester_does_not_sign_what_the_miner_did_not(
    signed: Envelope, facts: ReceiptFacts, requester: Sr25519Signer, verifier: Sr25519Verifier
) -> None:
    with pytest.raises(SignatureMissing):
        countersign(
            replace(signed, signatures=()), signer=requester, verifier=verifier, expected=facts
        )


def test_one_party_alone_has_no_receipt(facts: ReceiptFacts) -> None:
    with pytest.raises(ValueError, match="must differ"):
        replace(facts, requester=facts.miner)


def test_a_receipt_of_the_largest_job_fits(
    receipt: Receipt, facts: ReceiptFacts, miner: Sr25519Signer
) -> None:
    line = ProgramReceipt("0" * 64, "f" * 64, 2**53 - 1, 2**53 - 1, "z" * 32)
    largest = replace(receipt, facts=replace(facts, programs=(line,) * MAX_PROGRAMS))
    envelope = sign_receipt(largest, signer=miner)
    assert base64.b64decode(json.loads(serialise(envelope))["payload"]) == envelope.payload
    assert parse(serialise(envelope)) == envelope
