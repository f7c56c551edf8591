"""Check an answer against its receipt and its job before a researcher sees it.

Fewer shots than asked for are shown as they are. What is no answer to the job is refused: another
width, more shots than asked, none at all, an ordered list that its counts contradict.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from circuits.errors import CircuitError
from qsubnet.errors import PeerFault
from qsubnet.receipts import receipt_digest
from qsubnet.wire import peer
from qsubnet.wire.domain import job_from_request
from qsubnet.wire.research import ProgramResultView, ResultView

if TYPE_CHECKING:
    from qsubnet.receipts import ReceiptDesk
    from qsubnet.store.dispatches import Dispatch
    from qsubnet.store.user_jobs import Standing


def checked_result(desk: ReceiptDesk, dispatch: Dispatch, standing: Standing) -> ResultView:
    """Give the result of an answered dispatch.

    Raises:
        PeerFault: The receipt does not hold, or the answer is none to this job.
    """
    if dispatch.answer is None:
        raise PeerFault(f"dispatch {dispatch.job_key} has no answer")
    answer = peer.JobAnswer.model_validate_json(dispatch.answer)
    try:
        digest = receipt_digest(answer.receipt, desk.facts(dispatch, answer))
    except CircuitError as error:
        raise PeerFault(f"the miner's answer is malformed: {error}") from error
    request = peer.JobRequest.model_validate_json(dispatch.request)
    job = job_from_request(request)
    for index, (program, one) in enumerate(zip(job.programs, answer.results, strict=True)):
        _check(one, index=index, num_bits=program.num_bits, asked=job.shots)
    return ResultView(
        job_id=standing.job.job_id,
        device=dispatch.device,
        miner=dispatch.miner_hotkey,
        shots_asked=job.shots,
        results=[_view(one) for one in answer.results],
        receipt=answer.receipt,
        receipt_digest=digest,
        programs_run=list(request.programs),
    )


def _check(one: peer.ProgramAnswer, *, index: int, num_bits: int, asked: int) -> None:
    shots = sum(one.counts.values())
    if one.num_bits != num_bits:
        raise PeerFault(
            f"the miner's counts of program {index} have {one.num_bits} bits, it has {num_bits}"
        )
    if not 1 <= shots <= asked:
        raise PeerFault(
            f"the miner returned {shots} shots of program {index}, 1 .. {asked} are possible"
        )
    if one.memory is not None and Counter(one.memory) != Counter(one.counts):
        raise PeerFault(f"the miner's ordered shots of program {index} contradict its counts")


def _view(one: peer.ProgramAnswer) -> ProgramResultView:
    return ProgramResultView(
        num_bits=one.num_bits,
        counts=dict(sorted(one.counts.items())),
        shots_returned=sum(one.counts.values()),
        kind=one.kind,
        processing=list(one.processing),
        memory=one.memory,
    )
