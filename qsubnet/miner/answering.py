"""A completed job's answer: the counts, the backend's record, and the miner's signed receipt."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic import ValidationError

from qsubnet.errors import PeerFault
from qsubnet.receipts import miner_receipt, receipt_facts
from qsubnet.wire import peer
from qsubnet.wire.domain import answers_from_result, job_from_request
from qsubnet.wire.limits import MAX_REPLY_BYTES

if TYPE_CHECKING:
    from collections.abc import Mapping

    from providers.base import Device, Job, JobResult
    from qsubnet.store.miner_jobs import MinerJob
    from qsubnet.wire.keys import Sr25519Signer


def asked_of(job: MinerJob) -> Job:
    """Read what was asked for; long programs take long, so call it in a thread."""
    return job_from_request(peer.JobRequest.model_validate_json(job.request))


def answer_text(
    job: MinerJob,
    result: JobResult,
    *,
    devices: Mapping[str, Device],
    signer: Sr25519Signer,
    finished_ms: int,
) -> str:
    """Write the signed answer.

    Args:
        job: What was accepted.
        result: What the backend gave.
        devices: On offer, by name.
        signer: The miner's hotkey.
        finished_ms: Unix time in milliseconds, for the receipt.

    Raises:
        PeerFault: The result does not fit into an answer, or its device is gone.
    """
    try:
        answer = _answer(job, result, devices=devices, signer=signer, finished_ms=finished_ms)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        place = ".".join(str(step)[:40] for step in first["loc"])
        raise PeerFault(f"the result fits no answer: {place}: {first['msg']}") from error
    text = answer.model_dump_json()
    if len(text) > MAX_REPLY_BYTES:
        raise PeerFault(
            f"the result has {len(text)} bytes, an answer at most {MAX_REPLY_BYTES}: ask for "
            f"fewer shots or programs at once"
        )
    return text


def _answer(
    job: MinerJob,
    result: JobResult,
    *,
    devices: Mapping[str, Device],
    signer: Sr25519Signer,
    finished_ms: int,
) -> peer.JobAnswer:
    asked = asked_of(job)
    device = devices.get(asked.device)
    if device is None:
        raise PeerFault(f"device {asked.device!r} is not on offer any more")
    facts = receipt_facts(asked, result, device, miner=signer.identity, requester=job.requester)
    return peer.JobAnswer(
        key=job.job_key,
        results=answers_from_result(result),
        backend_job_id=result.backend_job_id,
        backend_record=dict(result.backend_record),
        receipt=miner_receipt(
            facts,
            backend_job_id=result.backend_job_id,
            accepted_ms=job.accepted_ms,
            finished_ms=finished_ms,
            signer=signer,
        ),
    )
