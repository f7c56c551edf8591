"""Google's engine in the cloud, through the SDK's own `Engine`, against its service in a process.

Expected values: `providers.dense` for counts; the enumeration and error codes of the SDK.
"""

from __future__ import annotations

import asyncio
import hashlib
from pathlib import Path
from typing import Any

import pytest
from cirq_google.cloud import quantum
from cirq_google.engine.engine_client import EngineClient
from google.api_core import exceptions as untyped

from circuits.case import KnownAnswer
from circuits.families import FAMILIES
from circuits.program import Operation, Program, measure
from providers.base import Context, Job, JobState, Provider
from providers.cirq_chip import Claim
from providers.cirq_engine import GoogleVendor, cloud_engine
from providers.conformance import check
from providers.errors import (
    JobFailed,
    NotReady,
    OutcomeUnknown,
    ProviderError,
    Rejected,
    RetryLater,
    UnknownHandle,
)
from providers.remote import RemoteProvider
from providers.state_words import STATE_WORDS

exceptions: Any = untyped
State: Any = quantum.ExecutionStatus.State
FLIPPED = Program(6, 3, (Operation("u", (4,), (3.141592653589793, 0.0, 0.0)), measure(4, 1)))


def job(*programs: Program, key: str = "a job", shots: int = 20, memory: bool = False) -> Job:
    digest = hashlib.sha256(key.encode()).hexdigest()
    return Job(digest, "willow", programs or (FLIPPED,), shots, memory=memory)


def provider_of(
    client: EngineClient, *, folder: Path | None = None, batch: int = 1
) -> RemoteProvider:
    vendor = GoogleVendor(
        cloud_engine("a-project", client),
        "willow_pink",
        Claim("willow", num_qubits=6, fee_rao_per_shot=2),
        programs_per_task=batch,
    )
    return RemoteProvider(vendor, context=Context(b"seed", lambda: 0, folder))


def run(provider: Provider, asked: Job) -> Any:
    async def whole() -> Any:
        return await provider.result(await provider.submit(asked))

    return asyncio.run(whole())


async def brief(_seconds: float) -> None:
    await asyncio.sleep(0.001)


def test_the_contract_is_kept(client: EngineClient) -> None:
    report = asyncio.run(check(provider_of(client, batch=3), shots=300, pause=brief))
    assert report.failed == ()


def test_every_state_of_the_sdk_is_translated_and_no_other() -> None:
    words = {state.name for state in State} - {"STATE_UNSPECIFIED"}
    assert set(STATE_WORDS["cirq"]) == words


def test_counts_come_back_on_our_bits_with_the_vendors_record(client: EngineClient) -> None:
    result = run(provider_of(client), job(memory=True))
    assert dict(result.programs[0].counts.table) == {"010": 20}
    assert result.programs[0].memory == ("010",) * 20
    record = result.backend_record["tasks"][0]
    assert record["processor"] == "willow_pink"
    assert record["created"] == "2026-03-01T12:00:00+00:00"
    assert record["state"] == "SUCCESS"
    assert record["job"] in result.backend_job_id


def test_what_is_sent_has_the_programs_own_two_qubit_gates(
    client: EngineClient, service: Any
) -> None:
    provider = provider_of(client)
    (device,) = asyncio.run(provider.devices())
    case = FAMILIES["mirror"].generate(b"key", width=4, depth=6, topology=device.topology)
    result = run(provider, job(case.program, shots=50))
    (sent,) = service.circuits(0)
    pairs = [op for op in sent.all_operations() if len(op.qubits) == 2]
    assert len(pairs) == case.program.two_qubit_gates > 0
    assert isinstance(case.answer, KnownAnswer)
    assert dict(result.programs[0].counts.table) == {case.answer.bits: 50}


def test_programs_go_in_batches_and_come_back_in_order(client: EngineClient, service: Any) -> None:
    still = Program(6, 3, (measure(0, 0),))
    result = run(provider_of(client, batch=2), job(FLIPPED, still, FLIPPED))
    assert [list(one.counts.table) for one in result.programs] == [["010"], ["000"], ["010"]]
    assert [len(service.circuits(index)) for index in range(2)] == [2, 1]


@pytest.mark.parametrize(
    ("error", "kind", "words"),
    [
        (exceptions.Unauthenticated("who"), Rejected, "401"),
        (exceptions.PermissionDenied("not on the list"), Rejected, "403 not on the list"),
        (exceptions.InvalidArgument("too long"), Rejected, "400 too long"),
        (exceptions.ResourceExhausted("quota"), RetryLater, "429 quota"),
        (exceptions.InternalServerError("oops"), OutcomeUnknown, "oops"),
        (exceptions.ServiceUnavailable("later"), OutcomeUnknown, "later"),
        (exceptions.DeadlineExceeded("slow"), OutcomeUnknown, "504 slow"),
        (ConnectionResetError("cut"), OutcomeUnknown, "ConnectionResetError"),
    ],
)
def test_an_error_at_submission_says_what_to_do(
    client: EngineClient, service: Any, error: Exception, kind: type[ProviderError], words: str
) -> None:
    service.faults["create_quantum_job"] = [(error, False)]
    provider = provider_of(client)
    with pytest.raises(kind, match=words) as caught:
        asyncio.run(provider.submit(job()))
    assert type(caught.value) is kind
    assert service.calls.count("create_quantum_job") == 1  # nobody has retried


# google.api_core maps both gRPC's ALREADY_EXISTS and ABORTED to 409; only the former means "there".
@pytest.mark.parametrize("method", ["create_quantum_job", "create_quantum_program"])
def test_an_aborted_request_is_no_job_of_ours(
    method: str, client: EngineClient, service: Any, tmp_path: Path
) -> None:
    service.faults[method] = [(exceptions.Aborted("try again"), False)]
    provider = provider_of(client, folder=tmp_path)
    with pytest.raises((OutcomeUnknown, RetryLater)) as caught:
        asyncio.run(provider.submit(job()))
    assert isinstance(caught.value, OutcomeUnknown) is (method == "create_quantum_job")
    assert service.jobs == {}
    assert asyncio.run(provider.find(job().key)) is None
    # Asked again, also by a fresh process, it is sent: nothing is lost, and nothing paid twice.
    result = run(provider_of(client, folder=tmp_path), job())
    assert dict(result.programs[0].counts.table) == {"010": 20}
    assert len(service.jobs) == 1


def test_a_conflict_with_our_own_job_is_that_job(client: EngineClient, service: Any) -> None:
    service.faults["create_quantum_job"] = [(exceptions.Aborted("busy"), True)]
    result = run(provider_of(client), job())
    assert dict(result.programs[0].counts.table) == {"010": 20}
    assert len(service.jobs) == service.calls.count("create_quantum_job") == 1


@pytest.mark.parametrize(
    "error",
    [
        exceptions.ResourceExhausted("quota"),
        exceptions.PermissionDenied("no"),
        exceptions.ServiceUnavailable("later"),
        ConnectionResetError("cut"),
    ],
)
def test_a_conflict_without_a_second_answer_leaves_the_outcome_unknown(
    error: Exception, client: EngineClient, service: Any
) -> None:
    service.faults["create_quantum_job"] = [(exceptions.Aborted("busy"), True)]
    service.faults["get_quantum_job"] = [(error, False)]
    provider = provider_of(client)
    with pytest.raises(OutcomeUnknown, match="after a conflict"):
        asyncio.run(provider.submit(job()))
    assert dict(run(provider, job()).programs[0].counts.table) == {"010": 20}
    assert len(service.jobs) == service.calls.count("create_quantum_job") == 1


def test_a_job_whose_answer_was_lost_is_found_and_not_sent_again(
    client: EngineClient, service: Any, tmp_path: Path
) -> None:
    service.faults["create_quantum_job"] = [(exceptions.DeadlineExceeded("slow"), True)]
    with pytest.raises(OutcomeUnknown):
        asyncio.run(provider_of(client, folder=tmp_path).submit(job()))
    # A fresh process: its journal knows that something may be there, the engine says what.
    result = run(provider_of(client, folder=tmp_path), job())
    assert dict(result.programs[0].counts.table) == {"010": 20}
    assert len(service.jobs) == service.calls.count("create_quantum_job") == 1


def test_a_job_that_never_arrived_is_sent_again(
    client: EngineClient, service: Any, tmp_path: Path
) -> None:
    service.faults["create_quantum_job"] = [(ConnectionResetError("cut"), False)]
    provider = provider_of(client, folder=tmp_path)
    with pytest.raises(OutcomeUnknown):
        asyncio.run(provider.submit(job()))
    # Its program is there already: the second creation meets the first and goes on.
    assert len(service.programs) == 1
    run(provider_of(client, folder=tmp_path), job())
    assert len(service.jobs) == 1


def test_a_restart_between_submission_and_result_loses_nothing(
    client: EngineClient, service: Any, tmp_path: Path
) -> None:
    handle = asyncio.run(provider_of(client, folder=tmp_path).submit(job()))
    fresh = provider_of(client, folder=tmp_path)
    assert asyncio.run(fresh.find(job().key)) == handle
    assert dict(asyncio.run(fresh.result(handle)).programs[0].counts.table) == {"010": 20}
    assert len(service.jobs) == 1


def test_a_failure_passes_the_engines_words_on(client: EngineClient, service: Any) -> None:
    service.state, service.failure = State.FAILURE, ("SYSTEM_ERROR", "fridge is warm")
    with pytest.raises(JobFailed, match="SYSTEM_ERROR: fridge is warm"):
        run(provider_of(client), job())


def test_a_cancelled_job_has_no_result(client: EngineClient, service: Any) -> None:
    service.state = State.RUNNING
    provider = provider_of(client)

    async def scenario() -> JobState:
        handle = await provider.submit(job())
        with pytest.raises(NotReady, match="running"):
            await provider.result(handle)
        await provider.cancel(handle)
        with pytest.raises(JobFailed, match="cancelled"):
            await provider.result(handle)
        return await provider.state(handle)

    assert asyncio.run(scenario()) is JobState.CANCELLED
    assert next(iter(service.jobs.values())).execution_status.state == State.CANCELLED


def test_lost_shots_are_not_made_up(client: EngineClient, service: Any) -> None:
    service.short = 3
    assert run(provider_of(client), job()).programs[0].counts.shots == 17


def test_a_job_that_the_engine_lost_is_unknown(client: EngineClient, service: Any) -> None:
    provider = provider_of(client)
    service.state = State.RUNNING
    handle = asyncio.run(provider.submit(job()))
    service.jobs.clear()
    with pytest.raises(UnknownHandle, match="404"):
        asyncio.run(provider.state(handle))


def test_what_the_processor_does_not_take_is_refused_before_it_is_sent(
    client: EngineClient, service: Any
) -> None:
    for gate in (Operation("h", (0,)), Operation("cz", (0, 5))):
        program = Program(6, 1, (gate, measure(0, 0)))
        with pytest.raises(Rejected, match="not native"):
            asyncio.run(provider_of(client).submit(job(program)))
    assert service.programs == {}
