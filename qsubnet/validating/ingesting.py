"""Turn answered tests into records, after their receipts have been verified.

A test that failed or expired becomes a record without counts: missing, not wrong. One that was
withdrawn before it left becomes none.
"""

from __future__ import annotations

import json
import logging
from typing import TYPE_CHECKING

from qsubnet.errors import PeerFault
from qsubnet.receipts import ReceiptDesk, receipt_digest
from qsubnet.store import dispatches, evaluation
from qsubnet.store.dispatches import Dispatch, DispatchState
from qsubnet.store.evaluation import RecordRow
from qsubnet.wire import peer

if TYPE_CHECKING:
    from qsubnet.store.database import Store

log = logging.getLogger(__name__)

_ENDED = (DispatchState.ANSWERED, DispatchState.FAILED, DispatchState.EXPIRED)


def ingest(store: Store, desk: ReceiptDesk) -> int:
    """Write the records of every test that has ended since the last time; tell how many."""
    with store.read() as connection:
        keys = evaluation.jobs_without_records(connection, _ENDED)
    written = 0
    for key in keys:
        with store.read() as connection:
            dispatch = dispatches.get(connection, key)
        if dispatch is not None:
            rows = _rows(dispatch, desk)
            with store.write() as connection:
                evaluation.add_records(connection, rows)
            written += len(rows)
    return written


def _rows(dispatch: Dispatch, desk: ReceiptDesk) -> list[RecordRow]:
    request = peer.JobRequest.model_validate_json(dispatch.request)
    answer, digest = _verified(dispatch, desk)
    rows = []
    for place in range(len(request.programs)):
        one = answer.results[place] if answer else None
        rows.append(
            RecordRow(
                job_key=dispatch.job_key,
                place=place,
                epoch=dispatch.epoch,
                miner_hotkey=dispatch.miner_hotkey,
                device=dispatch.device,
                shots_asked=request.shots,
                counts=_counts(one) if one else None,
                kind=one.kind if one else None,
                receipt_digest=digest,
            )
        )
    return rows


def _counts(one: peer.ProgramAnswer) -> str:
    return json.dumps({"num_bits": one.num_bits, "counts": one.counts}, sort_keys=True)


def _verified(dispatch: Dispatch, desk: ReceiptDesk) -> tuple[peer.JobAnswer | None, str]:
    """Give the answer and its receipt's digest, or (None, "") where nothing may count."""
    if dispatch.state is not DispatchState.ANSWERED or dispatch.answer is None:
        return None, ""
    answer = peer.JobAnswer.model_validate_json(dispatch.answer)
    try:
        return answer, receipt_digest(answer.receipt, desk.facts(dispatch, answer))
    except PeerFault as error:
        log.warning("record refused", extra={"job_key": dispatch.job_key, "error": str(error)})
        return None, ""
