"""Receipts at work: the miner signs what it returns, the requester checks it and signs too.

Both sides compute the same facts from what they themselves hold: the programs sent, the counts
returned, the claim that stood when the job was made. A record counts only with both signatures.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, cast

from attestations.envelope import from_object, require_signatures, to_object
from attestations.errors import AttestationError
from attestations.receipt import (
    ProgramReceipt,
    Receipt,
    ReceiptFacts,
    countersign,
    sign_receipt,
    verify_receipt,
)
from circuits.errors import CircuitError
from qsubnet.errors import PeerFault
from qsubnet.wire import peer
from qsubnet.wire.domain import device_from_claim, job_from_request, result_from_answer
from qsubnet.wire.keys import Sr25519Verifier

if TYPE_CHECKING:
    from pydantic import JsonValue

    from attestations.signing import Signer
    from providers.base import Device, Job, JobResult
    from qsubnet.store.dispatches import Dispatch


def receipt_facts(
    job: Job, result: JobResult, device: Device, *, miner: str, requester: str
) -> ReceiptFacts:
    """Compute what both sides know of a finished job.

    Raises:
        PeerFault: The result has another number of programs than the job, or a number of shots
            that no receipt can hold. Other widths and shots than asked are facts for the verdict,
            not faults of the protocol.
    """
    if len(result.programs) != len(job.programs):
        raise PeerFault(
            f"job {job.key} has {len(job.programs)} programs, its answer {len(result.programs)}"
        )
    try:
        lines = tuple(
            ProgramReceipt(
                program_digest=program.digest,
                counts_digest=one.counts.digest,
                shots_asked=job.shots,
                shots_returned=one.counts.shots,
                kind=one.kind.value,
            )
            for program, one in zip(job.programs, result.programs, strict=True)
        )
        return ReceiptFacts(
            job_key=job.key,
            device=job.device,
            device_claim_digest=device.digest,
            programs=lines,
            miner=miner,
            requester=requester,
        )
    except ValueError as error:
        raise PeerFault(f"no receipt can hold the answer of job {job.key}: {error}") from error


def miner_receipt(
    facts: ReceiptFacts, *, backend_job_id: str, accepted_ms: int, finished_ms: int, signer: Signer
) -> dict[str, JsonValue]:
    """Sign a receipt as the miner; JSON of the envelope."""
    receipt = Receipt(
        facts,
        backend_job_digest=hashlib.sha256(backend_job_id.encode()).hexdigest(),
        accepted_ms=accepted_ms,
        finished_ms=max(accepted_ms, finished_ms),
    )
    return cast("dict[str, JsonValue]", to_object(sign_receipt(receipt, signer=signer)))


def countersigned(
    document: dict[str, JsonValue], *, own: dict[str, JsonValue], requester: str
) -> dict[str, JsonValue]:
    """Check that a requester gave our own receipt back with its signature, as the miner.

    What it says is compared with what we signed, byte for byte, so this holds whatever became of
    the device meanwhile.

    Raises:
        PeerFault: It is another receipt, or not signed by us and then by the requester.
    """
    try:
        envelope, ours = from_object(document), from_object(own)
        require_signatures(
            envelope,
            identities=(ours.signatures[0].identity, requester),
            verifier=Sr25519Verifier(),
        )
    except AttestationError as error:
        raise PeerFault(f"the receipt does not hold: {error}") from error
    if (envelope.payload_type, envelope.payload) != (ours.payload_type, ours.payload):
        raise PeerFault("the receipt says something else than the one we signed")
    return cast("dict[str, JsonValue]", to_object(envelope))


def receipt_digest(document: dict[str, JsonValue], facts: ReceiptFacts) -> str:
    """Verify a receipt with both signatures and give its digest.

    Raises:
        PeerFault: It is not a receipt of exactly these facts by these two.
    """
    try:
        envelope = from_object(document)
        return verify_receipt(envelope, verifier=Sr25519Verifier(), expected=facts).digest
    except AttestationError as error:
        raise PeerFault(f"the receipt of job {facts.job_key} does not hold: {error}") from error


class ReceiptDesk:
    """Verifies and countersigns miners' receipts as one requester."""

    def __init__(self, signer: Signer) -> None:
        self._signer = signer

    @property
    def requester(self) -> str:
        """The hotkey that countersigns."""
        return self._signer.identity

    def settle(self, dispatch: Dispatch, answer: peer.JobAnswer) -> peer.JobAnswer:
        """Check a miner's answer to a dispatch and put our signature under its receipt.

        Returns:
            The answer with both signatures on its receipt.

        Raises:
            PeerFault: The answer is of another job, malformed, or its receipt does not hold.
        """
        if answer.key != dispatch.job_key:
            raise PeerFault(f"asked for job {dispatch.job_key}, the answer is of {answer.key}")
        try:
            envelope = countersign(
                from_object(answer.receipt),
                signer=self._signer,
                verifier=Sr25519Verifier(),
                expected=self.facts(dispatch, answer),
            )
        except AttestationError as error:
            raise PeerFault(f"receipt of job {dispatch.job_key} does not hold: {error}") from error
        return answer.model_copy(update={"receipt": to_object(envelope)})

    def facts(self, dispatch: Dispatch, answer: peer.JobAnswer) -> ReceiptFacts:
        """Compute from our own side what the receipt of `answer` has to say.

        Raises:
            PeerFault: The answer is malformed.
        """
        job = job_from_request(peer.JobRequest.model_validate_json(dispatch.request))
        device = device_from_claim(peer.DeviceClaim.model_validate_json(dispatch.claim))
        try:
            result = result_from_answer(answer)
        except CircuitError as error:
            raise PeerFault(f"answer of job {dispatch.job_key}: {error}") from error
        return receipt_facts(
            job, result, device, miner=dispatch.miner_hotkey, requester=self.requester
        )
