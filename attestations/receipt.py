"""Receipts: what ran for one job, signed by the miner and then by the requester.

A receipt holds digests, sizes and times, no program and no counts, so it can be published while
both are still secret. The miner signs first; the requester compares every value with its own
and signs the same bytes. Assumes that both sides compute digests alike (see `circuits`).
Blind spots: times are the miner's own claim, and a receipt proves what was said, not that
the device named in it did the work.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from typing import Final

from attestations.envelope import Envelope, add_signature, require_fields, require_signatures
from attestations.errors import Malformed, WrongDigest, WrongJob, WrongSigner, WrongType, WrongValue
from attestations.signing import Signer, Verifier
from attestations.statement import (
    MAX_INTEGER,
    Json,
    StatementType,
    canonical_json,
    is_digest,
    parse_canonical,
)

__all__ = [
    "MAX_PROGRAMS",
    "ProgramReceipt",
    "Receipt",
    "ReceiptFacts",
    "countersign",
    "sign_receipt",
    "verify_receipt",
]

MAX_PROGRAMS: Final = 1024
_MAX_PAYLOAD_BYTES: Final = 2**19

_WORD: Final = re.compile(r"[!-~]{1,128}")
_KIND: Final = re.compile(r"[a-z_]{1,32}")
_PROGRAM_FIELDS: Final = ("counts", "kind", "program", "shots_asked", "shots_returned")
_FIELDS: Final = (
    "accepted_ms",
    "backend_job",
    "device",
    "device_claim",
    "finished_ms",
    "job",
    "miner",
    "programs",
    "requester",
)


@dataclass(frozen=True, slots=True)
class ProgramReceipt:
    """What came back for one program.

    Attributes:
        program_digest: Hex sha256 of the program.
        counts_digest: Hex sha256 of the counts.
        shots_asked: At least 1.
        shots_returned: 0 or more; a different number than asked is allowed and stays visible.
        kind: The result kind in the provider's word: lower case, 1 .. 32 letters.
    """

    program_digest: str
    counts_digest: str
    shots_asked: int
    shots_returned: int
    kind: str

    def __post_init__(self) -> None:
        _require_digest(self.program_digest, "program_digest")
        _require_digest(self.counts_digest, "counts_digest")
        _require_integer(self.shots_asked, "shots_asked", least=1)
        _require_integer(self.shots_returned, "shots_returned", least=0)
        if _KIND.fullmatch(self.kind) is None:
            raise ValueError("kind must be 1 .. 32 lower-case letters")


@dataclass(frozen=True, slots=True)
class ReceiptFacts:
    """What both sides know of a job: a requester or an auditor knows it without the receipt.

    Attributes:
        job_key: Key of the job, 1 .. 128 printable ASCII characters.
        device: Name of the device, the same alphabet.
        device_claim_digest: Hex sha256 of the device as it was claimed when the job was sent.
        programs: One for each program of the job, in its order; 1 .. `MAX_PROGRAMS`.
        miner: Identity that must have signed first.
        requester: Identity that must have signed second; another one.
    """

    job_key: str
    device: str
    device_claim_digest: str
    programs: tuple[ProgramReceipt, ...]
    miner: str
    requester: str

    def __post_init__(self) -> None:
        for name in ("job_key", "device", "miner", "requester"):
            _require_word(getattr(self, name), name)
        _require_digest(self.device_claim_digest, "device_claim_digest")
        if not 1 <= len(self.programs) <= MAX_PROGRAMS:
            raise ValueError(f"need 1 .. {MAX_PROGRAMS} programs, got {len(self.programs)}")
        if self.miner == self.requester:
            raise ValueError("miner and requester must differ: one party alone vouches for nothing")


@dataclass(frozen=True, slots=True)
class Receipt:
    """One job's receipt.

    Attributes:
        facts: What both sides know.
        backend_job_digest: Hex sha256 of the backend's own job id.
        accepted_ms: Unix time in ms when the miner took the job, by its own clock.
        finished_ms: When it had the result; not before `accepted_ms`.
    """

    facts: ReceiptFacts
    backend_job_digest: str
    accepted_ms: int
    finished_ms: int

    def __post_init__(self) -> None:
        _require_digest(self.backend_job_digest, "backend_job_digest")
        _require_integer(self.accepted_ms, "accepted_ms", least=0)
        _require_integer(self.finished_ms, "finished_ms", least=self.accepted_ms)

    @property
    def digest(self) -> str:
        """Hex sha256 of the signed payload; the receipt's id, whatever the signatures are."""
        return hashlib.sha256(_payload(self)).hexdigest()


def sign_receipt(receipt: Receipt, *, signer: Signer) -> Envelope:
    """Return the receipt under the miner's signature.

    Raises:
        ValueError: The signer is not the receipt's miner.
    """
    _require_self(signer, receipt.facts.miner, "miner")
    return add_signature(Envelope(StatementType.RECEIPT.value, _payload(receipt)), signer=signer)


def countersign(
    envelope: Envelope, *, signer: Signer, verifier: Verifier, expected: ReceiptFacts
) -> Envelope:
    """Check the miner's receipt against what the requester knows, then sign it too.

    Raises:
        AttestationError: As for `verify_receipt`; nothing was signed.
        ValueError: The signer is not the expected requester.
    """
    _require_self(signer, expected.requester, "requester")
    _verify(envelope, identities=(expected.miner,), verifier=verifier, expected=expected)
    return add_signature(envelope, signer=signer)


def verify_receipt(envelope: Envelope, *, verifier: Verifier, expected: ReceiptFacts) -> Receipt:
    """Check a receipt with both signatures against what is known without it.

    Args:
        envelope: As parsed; its bytes may come from anybody.
        verifier: Checks signatures of both parties.
        expected: Recomputed from the programs sent and the counts received, never read from
            the receipt.

    Returns:
        The receipt; only `backend_job_digest` and the two times are the miner's word alone.

    Raises:
        SignatureMissing: One or both have not signed yet; ask again.
        WrongType: Another kind of statement.
        WrongSigner: Other parties, another order, or a signature that does not verify.
        Malformed: The payload is no canonical receipt; `UnknownField` when it has a field more.
        WrongJob: A receipt of another job.
        WrongDigest: Other programs, counts or device claim.
        WrongValue: Another device, number of programs, number of shots or result kind.
    """
    identities = (expected.miner, expected.requester)
    return _verify(envelope, identities=identities, verifier=verifier, expected=expected)


def _verify(
    envelope: Envelope,
    *,
    identities: tuple[str, ...],
    verifier: Verifier,
    expected: ReceiptFacts,
) -> Receipt:
    """Check type, signatures, form and facts, in this order."""
    if envelope.payload_type != StatementType.RECEIPT.value:
        raise WrongType(f"need {StatementType.RECEIPT.value}, got {envelope.payload_type[:64]}")
    require_signatures(envelope, identities=identities, verifier=verifier)
    receipt = _receipt_from(parse_canonical(envelope.payload, max_bytes=_MAX_PAYLOAD_BYTES))
    _require_facts(receipt.facts, expected)
    return receipt


def _require_facts(found: ReceiptFacts, expected: ReceiptFacts) -> None:
    """Compare what the receipt says with what is known, job first."""
    if found.job_key != expected.job_key:
        raise WrongJob(f"need a receipt of job {expected.job_key}, got one of {found.job_key}")
    if (found.miner, found.requester) != (expected.miner, expected.requester):
        raise WrongSigner("the receipt names other parties than those who signed it")
    _require_same(found.device, expected.device, "device")
    if found.device_claim_digest != expected.device_claim_digest:
        raise WrongDigest("the receipt is about another claim of the device")
    _require_same(len(found.programs), len(expected.programs), "number of programs")
    for index, (got, known) in enumerate(zip(found.programs, expected.programs, strict=True)):
        _require_program(got, known, index=index)


def _require_program(found: ProgramReceipt, expected: ProgramReceipt, *, index: int) -> None:
    """Compare one program's line."""
    if found.program_digest != expected.program_digest:
        raise WrongDigest(f"program {index} of the receipt is another program")
    if found.counts_digest != expected.counts_digest:
        raise WrongDigest(f"program {index} of the receipt has other counts")
    _require_same(found.shots_asked, expected.shots_asked, f"shots_asked of program {index}")
    _require_same(
        found.shots_returned, expected.shots_returned, f"shots_returned of program {index}"
    )
    _require_same(found.kind, expected.kind, f"kind of program {index}")


def _require_same(found: str | int, expected: str | int, what: str) -> None:
    """Refuse a plain value that differs."""
    if found != expected:
        raise WrongValue(f"the receipt says {what} = {found}, but it is {expected}")


def _payload(receipt: Receipt) -> bytes:
    """Write the bytes that are signed."""
    facts = receipt.facts
    programs: list[Json] = [
        {
            "counts": one.counts_digest,
            "kind": one.kind,
            "program": one.program_digest,
            "shots_asked": one.shots_asked,
            "shots_returned": one.shots_returned,
        }
        for one in facts.programs
    ]
    return canonical_json(
        {
            "accepted_ms": receipt.accepted_ms,
            "backend_job": receipt.backend_job_digest,
            "device": facts.device,
            "device_claim": facts.device_claim_digest,
            "finished_ms": receipt.finished_ms,
            "job": facts.job_key,
            "miner": facts.miner,
            "programs": programs,
            "requester": facts.requester,
        }
    )


def _receipt_from(value: object) -> Receipt:
    """Read a receipt from its parsed payload; whatever the dataclasses refuse is Malformed."""
    members: dict[str, object] = require_fields(value, _FIELDS, what="receipt")
    listed = members["programs"]
    if not isinstance(listed, list):
        raise Malformed("programs must be an array")
    programs = tuple(_program_from(one) for one in listed)
    try:
        facts = ReceiptFacts(
            job_key=_text(members["job"]),
            device=_text(members["device"]),
            device_claim_digest=_text(members["device_claim"]),
            programs=programs,
            miner=_text(members["miner"]),
            requester=_text(members["requester"]),
        )
        return Receipt(
            facts,
            backend_job_digest=_text(members["backend_job"]),
            accepted_ms=_integer(members["accepted_ms"]),
            finished_ms=_integer(members["finished_ms"]),
        )
    except ValueError as error:
        raise Malformed(f"the receipt contradicts its form: {error}") from None


def _program_from(value: object) -> ProgramReceipt:
    """Read one program's line."""
    members: dict[str, object] = require_fields(value, _PROGRAM_FIELDS, what="program receipt")
    try:
        return ProgramReceipt(
            program_digest=_text(members["program"]),
            counts_digest=_text(members["counts"]),
            shots_asked=_integer(members["shots_asked"]),
            shots_returned=_integer(members["shots_returned"]),
            kind=_text(members["kind"]),
        )
    except ValueError as error:
        raise Malformed(f"the program receipt contradicts its form: {error}") from None


def _text(value: object) -> str:
    """Narrow to text."""
    if not isinstance(value, str):
        raise ValueError(f"need text, got {type(value).__name__}")  # noqa: TRY004 - one kind here
    return value


def _integer(value: object) -> int:
    """Narrow to an integer; a boolean is none."""
    if isinstance(value, bool) or not isinstance(value, int):
        raise ValueError(f"need an integer, got {type(value).__name__}")  # noqa: TRY004 - one kind here
    return value


def _require_self(signer: Signer, identity: str, role: str) -> None:
    """Refuse to sign for somebody else."""
    if signer.identity != identity:
        raise ValueError(f"the {role} of the receipt is {identity}, the signer {signer.identity}")


def _require_word(text: str, name: str) -> None:
    """Check an opaque name."""
    if _WORD.fullmatch(text) is None:
        raise ValueError(f"{name} must be 1 .. 128 printable ASCII characters without space")


def _require_digest(text: str, name: str) -> None:
    """Check a hex sha256."""
    if not is_digest(text):
        raise ValueError(f"{name} must be 64 lower-case hex digits")


def _require_integer(value: int, name: str, *, least: int) -> None:
    """Check a whole number's range."""
    if isinstance(value, bool) or not least <= value <= MAX_INTEGER:
        raise ValueError(f"need {least} <= {name} <= 2^53 - 1, got {value}")
