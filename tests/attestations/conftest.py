"""Real sr25519 keys for three parties, and one honest receipt between two of them."""

from __future__ import annotations

import hashlib

import pytest

from attestations.receipt import ProgramReceipt, Receipt, ReceiptFacts
from qsubnet.wire.keys import Sr25519Signer, Sr25519Verifier


def _sha256(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


@pytest.fixture(scope="session")
def miner() -> Sr25519Signer:
    return Sr25519Signer(hashlib.sha256(b"miner").digest())


@pytest.fixture(scope="session")
def requester() -> Sr25519Signer:
    return Sr25519Signer(hashlib.sha256(b"requester").digest())


@pytest.fixture(scope="session")
def stranger() -> Sr25519Signer:
    return Sr25519Signer(hashlib.sha256(b"stranger").digest())


@pytest.fixture(scope="session")
def verifier() -> Sr25519Verifier:
    return Sr25519Verifier()


@pytest.fixture(scope="session")
def facts(miner: Sr25519Signer, requester: Sr25519Signer) -> ReceiptFacts:
    programs = tuple(
        ProgramReceipt(
            program_digest=_sha256(f"program {index}"),
            counts_digest=_sha256(f"counts {index}"),
            shots_asked=1000,
            shots_returned=998 + index,
            kind="counts",
        )
        for index in range(3)
    )
    return ReceiptFacts(
        job_key=_sha256("job"),
        device="ring-5",
        device_claim_digest=_sha256("claim"),
        programs=programs,
        miner=miner.identity,
        requester=requester.identity,
    )


@pytest.fixture(scope="session")
def receipt(facts: ReceiptFacts) -> Receipt:
    return Receipt(
        facts,
        backend_job_digest=_sha256("backend job"),
        accepted_ms=1_700_000_000_000,
        finished_ms=1_700_000_004_321,
    )
