"""Receipts at work: both sides compute the same facts, and only both signatures count."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from circuits.counts import Counts
from providers.base import JobResult, ProgramResult, ResultKind
from qsubnet.errors import PeerFault
from qsubnet.receipts import (
    ReceiptDesk,
    countersigned,
    miner_receipt,
    receipt_digest,
    receipt_facts,
)
from qsubnet.store.dispatches import Dispatch
from qsubnet.wire import peer
from qsubnet.wire.domain import answers_from_result, device_from_claim, job_from_request


class Deal:
    """One job between two parties, and what the miner says of it."""

    def __init__(self, tools: Any) -> None:
        self.miner, self.requester = tools.signer_of("miner"), tools.signer_of("requester")
        self.dispatch: Dispatch = tools.dispatch_to(self.miner.identity)
        self.desk = ReceiptDesk(self.requester)

    def answer(self, *, signer: Any = None, **changes: Any) -> peer.JobAnswer:
        job = job_from_request(peer.JobRequest.model_validate_json(self.dispatch.request))
        device = device_from_claim(peer.DeviceClaim.model_validate_json(self.dispatch.claim))
        result = JobResult((ProgramResult(Counts(2, {"01": 10}), ResultKind.SHOTS),), "backend-1")
        signer = signer or self.miner
        facts = receipt_facts(
            job, result, device, miner=signer.identity, requester=self.requester.identity
        )
        receipt = miner_receipt(
            facts, backend_job_id="backend-1", accepted_ms=5, finished_ms=4, signer=signer
        )
        values: dict[str, Any] = {
            "key": job.key,
            "results": answers_from_result(result),
            "backend_job_id": "backend-1",
            "backend_record": {},
            "receipt": receipt,
        }
        return peer.JobAnswer(**(values | changes))


@pytest.fixture
def deal(tools: Any) -> Deal:
    return Deal(tools)


def test_a_settled_answer_counts_for_both_sides(deal: Deal) -> None:
    answer = deal.answer()
    settled = deal.desk.settle(deal.dispatch, answer)
    assert settled.results == answer.results
    digest = receipt_digest(settled.receipt, deal.desk.facts(deal.dispatch, settled))
    assert len(digest) == 64
    kept = countersigned(settled.receipt, own=answer.receipt, requester=deal.requester.identity)
    assert kept == settled.receipt


def test_one_signature_is_no_receipt(deal: Deal) -> None:
    answer = deal.answer()
    facts = deal.desk.facts(deal.dispatch, answer)
    with pytest.raises(PeerFault, match="does not hold"):
        receipt_digest(answer.receipt, facts)
    with pytest.raises(PeerFault, match="does not hold"):
        countersigned(answer.receipt, own=answer.receipt, requester=deal.requester.identity)


def test_a_receipt_of_another_signer_is_refused(deal: Deal, tools: Any) -> None:
    with pytest.raises(PeerFault, match="need signatures by"):
        deal.desk.settle(deal.dispatch, deal.answer(signer=tools.signer_of("thief")))


def test_counts_changed_after_settling_do_not_count(deal: Deal) -> None:
    settled = deal.desk.settle(deal.dispatch, deal.answer())
    one = settled.results[0].model_copy(update={"counts": {"11": 10}})
    changed = settled.model_copy(update={"results": [one]})
    with pytest.raises(PeerFault, match="other counts"):
        receipt_digest(changed.receipt, deal.desk.facts(deal.dispatch, changed))


def test_a_requester_cannot_hand_back_another_receipt_than_ours(deal: Deal, tools: Any) -> None:
    answer = deal.answer()
    other = Deal(tools)
    other.dispatch = tools.dispatch_to(deal.miner.identity, number=1)
    settled = other.desk.settle(other.dispatch, other.answer())
    with pytest.raises(PeerFault, match="something else"):
        countersigned(settled.receipt, own=answer.receipt, requester=deal.requester.identity)


def test_a_job_never_finishes_before_it_was_accepted(deal: Deal) -> None:
    """`finished_ms` was below `accepted_ms` above, as after a clock was set back."""
    assert deal.desk.settle(deal.dispatch, deal.answer()).key == deal.dispatch.job_key


def test_every_shape_of_a_broken_receipt_is_a_peer_s_fault(deal: Deal) -> None:
    good = deal.answer().receipt
    for broken in (
        {},
        {"payload": 1, "payloadType": "x", "signatures": []},
        good | {"payloadType": "application/other"},
        good | {"signatures": []},
        good | {"signatures": [{"keyid": "x", "sig": "!"}]},
        good | {"payload": "AA=="},
        good | {"extra": 1},
    ):
        with pytest.raises(PeerFault):
            deal.desk.settle(deal.dispatch, deal.answer(receipt=copy.deepcopy(broken)))


def test_numbers_that_no_receipt_can_hold_are_a_peer_s_fault(deal: Deal) -> None:
    results = [{"num_bits": 2, "counts": {"00": 2**62}, "kind": "shots", "processing": []}]
    answer = deal.answer(results=[peer.ProgramAnswer.model_validate(one) for one in results])
    with pytest.raises(PeerFault, match="no receipt can hold"):
        deal.desk.settle(deal.dispatch, answer)
