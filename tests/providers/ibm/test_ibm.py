"""The `ibm` adapter: the real SDK client on a loopback service, and the SDK's own local mode."""

from __future__ import annotations

import asyncio
import json
import logging
import threading
import traceback
from collections.abc import Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, get_args

import numpy as np
import pytest
from qiskit_ibm_runtime.runtime_job_v2 import API_TO_JOB_STATUS, JobStatus

import providers
from circuits.emitters.qiskit import from_qiskit
from circuits.program import Operation, Program, barrier, measure
from providers.base import Context, DeviceClass, Handle, Job, JobState, Json
from providers.conformance import check
from providers.errors import (
    AdapterFault,
    JobFailed,
    OutcomeUnknown,
    ProviderError,
    Rejected,
    RetryLater,
    UnknownHandle,
)
from providers.ibm_vendor import IbmVendor
from providers.local import LocalProvider
from providers.remote import RemoteProvider
from providers.state_words import STATE_WORDS
from providers.vendor import token_of

KEY = "a" * 64
Start = Callable[[], RemoteProvider]
ODD = Program(3, 4, (Operation("x", (0,)), measure(0, 3), measure(1, 0), measure(2, 1)))
MIRROR = Program(
    5,
    5,
    (
        Operation("sx", (1,)),
        Operation("cx", (0, 1)),
        Operation("cx", (2, 1)),
        barrier(range(5)),
        Operation("cx", (2, 1)),
        Operation("cx", (0, 1)),
        Operation("rz", (1,), (3.141592653589793,)),
        Operation("sx", (1,)),
        *(measure(q, q) for q in range(5)),
    ),
)


def fault(**how: Any) -> Any:
    """A scripted answer, in the words of the service's `Answer`."""
    return how


def job(*programs: Program, shots: int = 50, memory: bool = False) -> Job:
    return Job(KEY, "ibm_lima", programs or (ODD,), shots, memory=memory)


def run(work: Coroutine[Any, Any, Any]) -> Any:
    return asyncio.run(work)


async def brief(_seconds: float) -> None:
    await asyncio.sleep(0)


async def ended(provider: RemoteProvider, handle: Handle) -> JobState:
    for _ in range(3):
        await provider.state(handle)
    return await provider.state(handle)


# ------------------------------------------------------------------ the threads that all share


def test_a_slow_service_keeps_nobody_else_out_of_the_shared_threads() -> None:
    release, inside, most = threading.Event(), [0], [0]

    def connect() -> Any:
        inside[0] += 1
        most[0] = max(most[0], inside[0])
        release.wait(20)
        inside[0] -= 1
        raise Rejected("no account here")

    async def work() -> list[Any]:
        asyncio.get_running_loop().set_default_executor(ThreadPoolExecutor(max_workers=4))
        vendor = IbmVendor(connect, ("ibm_lima",))
        questions = [asyncio.ensure_future(vendor.devices()) for _ in range(8)]
        await asyncio.sleep(0)
        try:
            # A journal's line, another backend's answer: done while IBM is still silent.
            done = await asyncio.wait_for(asyncio.to_thread(lambda: "done"), timeout=5)
        finally:
            release.set()
        assert done == "done"
        return await asyncio.gather(*questions, return_exceptions=True)

    answers = run(work())
    assert [type(answer) for answer in answers] == [Rejected] * 8
    assert most == [1]


def test_a_question_that_nobody_waits_for_any_more_still_comes_first() -> None:
    entered, release, inside, most = threading.Event(), threading.Event(), [0], [0]

    def connect() -> Any:
        inside[0] += 1
        most[0] = max(most[0], inside[0])
        entered.set()
        release.wait(20)
        inside[0] -= 1
        raise Rejected("no account here")

    async def work() -> None:
        vendor = IbmVendor(connect, ("ibm_lima",))
        first = asyncio.ensure_future(vendor.devices())
        await asyncio.to_thread(entered.wait, 20)
        first.cancel()
        second = asyncio.ensure_future(vendor.devices())
        await asyncio.gather(first, return_exceptions=True)
        release.set()
        with pytest.raises(Rejected):
            await second

    run(work())
    assert most == [1]


# ------------------------------------------------------------------ what a right service gives


def test_the_contract_suite_finds_nothing_at_the_service(started: Start) -> None:
    report = run(check(started(), pause=brief, shots=300))
    assert report.failed == ()
    assert len(report.findings) >= 20


def test_the_contract_suite_finds_nothing_in_local_mode(context: Context) -> None:
    provider = providers.create("ibm", {"fake": "FakeLimaV2"}, context)
    assert isinstance(provider, LocalProvider)

    async def pause(_seconds: float) -> None:
        await asyncio.sleep(0.005)

    report = run(check(provider, pause=pause, patience_s=1e6, shots=1_000))
    provider.close()
    assert report.failed == ()
    assert len(report.findings) >= 20


def test_a_device_is_what_the_published_record_says(started: Start) -> None:
    (device,) = run(started().devices())
    assert (device.name, device.device_class) == ("ibm_lima", DeviceClass.QPU)
    # The shorter of the two published pulses (props_lima.json) tells the direction.
    assert device.topology.edges == ((0, 1), (2, 1), (3, 1), (4, 3))
    assert device.topology.native_gates == ("cx", "id", "rz", "sx", "x")
    assert device.errors is not None
    assert device.errors.two_qubit[0] == pytest.approx(0.008339674869236618)
    assert device.errors.readout[2] == pytest.approx(0.0166)
    assert device.max_shots == 8192


def test_a_calibration_record_has_its_own_time_and_the_queue(started: Start) -> None:
    record = run(started().calibration("ibm_lima"))
    assert str(record["last_update_date"]).startswith("2021-03-15")
    assert isinstance(record["status"], dict)
    assert record["status"]["pending_jobs"] == 3
    json.dumps(dict(record), allow_nan=False)


def test_permuted_and_partial_measurements_land_on_our_bits(started: Start) -> None:
    async def work() -> None:
        provider = started()
        handle = await provider.submit(job(ODD, memory=True))
        await ended(provider, handle)
        (result,) = (await provider.result(handle)).programs
        assert dict(result.counts.table) == {"1000": 50}
        assert result.memory == ("1000",) * 50

    run(work())


def test_a_mirror_circuit_arrives_as_it_stands(service: Any, started: Start) -> None:
    run(started().submit(job(MIRROR)))
    (circuit,) = service.circuits
    arrived = from_qiskit(circuit)
    assert arrived.operations == MIRROR.operations
    assert arrived.two_qubit_gates == MIRROR.two_qubit_gates == 4


def test_a_program_becomes_as_wide_as_the_device(service: Any, started: Start) -> None:
    run(started().submit(job(ODD)))
    assert service.circuits[0].num_qubits == 5


def test_the_record_has_the_vendors_own_words_tags_and_usage(service: Any, started: Start) -> None:
    async def work() -> Any:
        provider = started()
        handle = await provider.submit(job(ODD, ODD))
        await ended(provider, handle)
        return (await provider.result(handle)).backend_record

    (task,) = run(work())["tasks"]
    token = token_of(KEY, 0)
    assert task["job"]["tags"] == [token]
    assert task["passthrough_data"] == {"qsubnet": token}
    assert task["metrics"]["usage"]["qpu_charge_time_seconds"] == 2
    assert task["chunk_timing"][0]["start"] == "2026-11-20T08:00:01+00:00"


def test_the_table_has_exactly_the_words_of_the_sdk() -> None:
    assert set(STATE_WORDS["ibm"]) == set(get_args(JobStatus))
    assert set(API_TO_JOB_STATUS.values()) <= set(STATE_WORDS["ibm"])


# ------------------------------------------------------------------ faults before a job runs


@pytest.mark.parametrize(
    ("answer", "error", "words"),
    [
        (fault(status=401, body={"error": {"message": "expired", "code": 1}}), Rejected, "401"),
        (fault(status=403, body={"error": {"message": "no", "code": 2}}), Rejected, "403"),
        (fault(status=400, body={"error": {"message": "not ISA", "code": 3}}), Rejected, "not ISA"),
        (fault(status=429, headers={"Retry-After": "17"}, body={}), RetryLater, "retry after 17 s"),
    ],
)
def test_a_clear_no_starts_nothing_and_is_not_tried_again(
    service: Any, started: Start, plan: Any, answer: Any, error: type[Exception], words: str
) -> None:
    async def work() -> None:
        provider = started()
        plan("POST /jobs", answer)
        with pytest.raises(error, match=words) as caught:
            await provider.submit(job())
        assert not isinstance(caught.value, OutcomeUnknown)
        assert service.posts() == 1
        assert await provider.find(KEY) is None
        await provider.submit(job())
        assert "GET /jobs" not in service.calls
        assert len(service.jobs) == 1

    run(work())


@pytest.mark.parametrize(
    "spoilt",
    [
        fault(cut=True),
        fault(slow=True),
        fault(status=500, body="oops"),
        fault(status=503, body="maintenance"),
        fault(status=504, body="late"),
        fault(status=200, body="not json"),
    ],
)
@pytest.mark.parametrize("accepts", [True, False])
def test_a_lost_answer_is_looked_up_and_never_paid_twice(
    service: Any, started: Start, plan: Any, spoilt: dict[str, Any], *, accepts: bool
) -> None:
    async def work() -> None:
        provider = started()
        plan("POST /jobs", {**spoilt, "accepts": accepts})
        with pytest.raises(OutcomeUnknown):
            await provider.submit(job())
        assert service.posts() == 1
        found = await provider.find(KEY)
        assert (found is not None) == accepts
        handle = await provider.submit(job())
        assert found in (None, handle)
        assert service.posts() == (1 if accepts else 2)
        assert len(service.jobs) == 1

    run(work())


def test_a_clear_no_to_a_later_question_is_no_no_to_the_job(
    service: Any, started: Start, plan: Any
) -> None:
    async def work() -> None:
        provider = started()
        elsewhere = {"id": "d0000000000000000000", "backend": "ibm_other"}
        plan("POST /jobs", fault(status=200, body=elsewhere, accepts=True))
        await provider.devices()
        refusal = fault(status=403, body={"error": {"message": "no", "code": 2}})
        # The SDK asks for the backend before it posts, and for the other one after.
        plan("GET /backends", *[fault(status=200, body=service.get("/backends", {}))], refusal)
        with pytest.raises(OutcomeUnknown, match="took a job"):
            await provider.submit(job())
        assert await provider.find(KEY) is not None
        assert service.posts() == 1

    run(work())


def test_a_refused_connection_is_no_doubt(service: Any, started: Start, plan: Any) -> None:
    async def work() -> None:
        provider = started()
        await provider.devices()
        client = provider._vendor._service._active_api_client  # type: ignore[attr-defined]
        client._session.base_url = "http://127.0.0.1:9"  # the discard port: nobody listens
        with pytest.raises(RetryLater) as caught:
            await provider.submit(job())
        assert not isinstance(caught.value, OutcomeUnknown)

    run(work())
    assert service.posts() == 0


def test_a_slow_service_is_given_up_while_connecting_too(
    service: Any, started: Start, plan: Any
) -> None:
    plan("GET /backends", *[fault(slow=True)] * 9)
    with pytest.raises(RetryLater):
        run(started().devices())
    assert service.calls.count("GET /backends") <= 3  # connecting, looking, asking why


def test_a_restart_between_submission_and_result_finishes_the_job(
    service: Any, started: Start
) -> None:
    handle = run(started().submit(job()))

    async def later() -> Any:
        provider = started()
        assert await provider.find(KEY) == handle
        assert await ended(provider, handle) is JobState.COMPLETED
        return await provider.result(handle)

    result = run(later())
    assert result.programs[0].counts.shots == 50
    assert service.posts() == 1


@pytest.mark.parametrize("ignores_tags", [False, True])
def test_a_restart_after_a_lost_answer_finds_the_job_by_its_tag(
    service: Any, started: Start, plan: Any, *, ignores_tags: bool
) -> None:
    service.ignores_tags = ignores_tags
    run(started().submit(Job("b" * 64, "ibm_lima", (ODD,), 5)))
    plan("POST /jobs", fault(cut=True, accepts=True))
    with pytest.raises(OutcomeUnknown):
        run(started().submit(job()))
    service.run({**service.last_body, "tags": ["somebody else's"]})
    handle = run(started().submit(job()))
    assert handle.backend_job_id == "d0000000000000000001"
    assert service.posts() == 2


def test_a_backend_that_is_not_offered_is_named(started: Start, service: Any) -> None:
    provider = started()
    provider._vendor._names = ("ibm_nowhere",)  # type: ignore[attr-defined]
    with pytest.raises(Rejected, match=r"no backend 'ibm_nowhere' here, but \['ibm_lima'\]"):
        run(provider.devices())


def test_a_backend_that_cannot_be_described_now_is_tried_later(started: Start, plan: Any) -> None:
    plan("GET /backends/ibm_lima/configuration", fault(status=500, body="oops"))
    with pytest.raises(RetryLater, match="ibm_lima"):
        run(started().devices())


def test_refused_credentials_are_said_although_the_sdk_swallows_them(
    started: Start, plan: Any
) -> None:
    refusal = fault(status=401, body={"error": {"message": "bad key", "code": 1200}})
    plan("GET /backends", *[refusal] * 9)
    with pytest.raises(Rejected, match=r"401.*bad key"):
        run(started().devices())


def test_gates_and_qubits_that_the_machine_lacks_are_refused_here(
    service: Any, started: Start
) -> None:
    provider = started()
    wide = Program(6, 1, (measure(5, 0),))
    with pytest.raises(Rejected, match=r"q\[5\]"):
        run(provider.submit(Job(KEY, "ibm_lima", (wide,), 10, verbatim=False)))
    reversed_cx = Program(5, 1, (Operation("cx", (1, 0)), measure(0, 0)))
    with pytest.raises(Rejected, match="not native"):
        run(provider.submit(job(reversed_cx)))
    assert service.posts() == 0


# ------------------------------------------------------------------ faults of a running job


async def _submitted(started: Start) -> tuple[RemoteProvider, Handle]:
    provider = started()
    return provider, await provider.submit(job())


def test_a_failed_job_passes_the_reason_through(service: Any, started: Start) -> None:
    service.end = {"status": "Failed", "reason": "Circuit too deep", "reason_code": 8020}

    async def work() -> None:
        provider, handle = await _submitted(started)
        assert await ended(provider, handle) is JobState.FAILED
        with pytest.raises(JobFailed, match=r"error code 8020; Circuit too deep"):
            await provider.result(handle)

    run(work())


def test_a_failed_job_without_a_result_still_has_its_reason(
    service: Any, started: Start, plan: Any
) -> None:
    service.end = {"status": "Failed", "reason": "Fridge warm"}
    plan("GET /jobs/*/results", fault(status=404, body={}))

    async def work() -> None:
        provider, handle = await _submitted(started)
        assert await ended(provider, handle) is JobState.FAILED
        with pytest.raises(JobFailed, match="Fridge warm"):
            await provider.result(handle)

    run(work())


def test_a_job_that_ran_too_long_failed(service: Any, started: Start) -> None:
    service.end = {"status": "Cancelled", "reason": "Ran too long", "reason_code": 1305}

    async def work() -> None:
        provider, handle = await _submitted(started)
        assert await ended(provider, handle) is JobState.FAILED

    run(work())


def test_a_job_cancelled_elsewhere_is_cancelled(service: Any, started: Start) -> None:
    service.end = {"status": "Cancelled"}

    async def work() -> None:
        provider, handle = await _submitted(started)
        assert await ended(provider, handle) is JobState.CANCELLED
        with pytest.raises(JobFailed, match="cancelled"):
            await provider.result(handle)

    run(work())


def test_cancelling_reaches_the_service(service: Any, started: Start) -> None:
    async def work() -> None:
        provider, handle = await _submitted(started)
        await provider.cancel(handle)
        assert service.calls[-1] == "POST /jobs/*/cancel"
        assert service.document(handle.backend_job_id)["state"] == {"status": "Cancelled"}

    run(work())


def test_cancelling_too_late_is_no_error(service: Any, started: Start, plan: Any) -> None:
    async def work() -> None:
        provider, handle = await _submitted(started)
        plan("POST /jobs/*/cancel", fault(status=409, body={"error": {"message": "", "code": 1}}))
        await provider.cancel(handle)
        assert await provider.state(handle) is JobState.CANCELLED

    run(work())


def test_an_unknown_state_word_is_never_guessed(service: Any, started: Start) -> None:
    service.end = {"status": "Pondering"}

    async def work() -> None:
        provider, handle = await _submitted(started)
        with pytest.raises(AdapterFault, match="PONDERING"):
            await ended(provider, handle)

    run(work())


def test_a_job_that_the_service_does_not_know_is_unknown(service: Any, started: Start) -> None:
    handle = run(started().submit(job()))
    service.jobs.clear()
    with pytest.raises(UnknownHandle):
        run(started().state(handle))


@pytest.mark.parametrize("answer", [fault(status=500, body=""), fault(cut=True), fault(slow=True)])
def test_a_state_that_cannot_be_asked_is_asked_later(
    service: Any, started: Start, plan: Any, answer: Any
) -> None:
    async def work() -> None:
        provider, handle = await _submitted(started)
        plan("GET /jobs/*", answer)
        with pytest.raises(RetryLater):
            await provider.state(handle)
        assert await ended(provider, handle) is JobState.COMPLETED

    run(work())


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (lambda arrays: [array[:, :-1] for array in arrays], "shots x 4"),
        (lambda arrays: [array.astype(np.float64) for array in arrays], "need booleans"),
        (lambda arrays: arrays[:-1], "0 results for 1"),
    ],
)
def test_a_result_of_another_shape_is_a_fault(
    service: Any, started: Start, spoil: Any, words: str
) -> None:
    service.spoil = spoil

    async def work() -> None:
        provider, handle = await _submitted(started)
        await ended(provider, handle)
        with pytest.raises(AdapterFault, match=words):
            await provider.result(handle)

    run(work())


def test_partial_shots_are_reported_as_they_are(service: Any, started: Start) -> None:
    service.spoil = lambda arrays: [array[:20] for array in arrays]

    async def work() -> int:
        provider, handle = await _submitted(started)
        await ended(provider, handle)
        return (await provider.result(handle)).programs[0].counts.shots

    assert run(work()) == 20


# ------------------------------------------------------------------ secrets


def _told(error: BaseException) -> str:
    return f"{error} {error!r} {''.join(traceback.format_exception(error))}"


def test_a_token_that_the_service_echoes_is_in_no_error_record_repr_or_journal(
    service: Any, started: Start, plan: Any, planted: str, tmp_path: Path
) -> None:
    said: list[str] = []
    echo = {"error": {"message": f"apikey {planted} is not welcome", "code": 1}}

    async def work() -> None:
        provider = started()
        for status in (400, 401, 403, 429, 500, 503):
            plan("POST /jobs", fault(status=status, body=echo))
            with pytest.raises(ProviderError) as refused:
                await provider.submit(job())
            said.append(_told(refused.value))
        service.end = {"status": "Failed", "reason": f"who sent {planted}?"}
        handle = await provider.submit(job())
        await ended(provider, handle)
        with pytest.raises(JobFailed) as failed:
            await provider.result(handle)
        service.end = {"status": "Completed", "reason": planted}
        second = await provider.submit(Job("b" * 64, "ibm_lima", (ODD,), 5))
        await ended(provider, second)
        said.extend((_told(failed.value), repr(await provider.result(second)), repr(handle)))
        said.extend((repr(provider), repr(vars(provider)), repr(vars(provider._vendor))))

    run(work())
    journal = (tmp_path / "ibm.journal").read_text()
    assert all("***" in text for text in said[:8])
    assert planted not in "".join((*said, journal))


def test_a_token_is_in_no_log_and_goes_to_no_one_but_the_identity_service(
    service: Any,
    started: Start,
    plan: Any,
    planted: str,
    caplog: pytest.LogCaptureFixture,
    capfd: pytest.CaptureFixture[str],
) -> None:
    caplog.set_level(logging.DEBUG)
    caplog.set_level(logging.DEBUG, logger="qiskit_ibm_runtime")
    logging.getLogger("qiskit_ibm_runtime").addHandler(caplog.handler)

    async def work() -> None:
        provider = started()
        plan("POST /jobs", fault(status=401, body="expired"))
        with pytest.raises(Rejected):
            await provider.submit(job())
        handle = await provider.submit(job())
        await ended(provider, handle)
        await provider.result(handle)

    try:
        run(work())
    finally:
        logging.getLogger("qiskit_ibm_runtime").removeHandler(caplog.handler)
    assert "Posting the API request" in caplog.text
    assert planted not in "".join((caplog.text, *capfd.readouterr()))
    assert service.authorizations
    assert not any(planted in value for value in service.authorizations)


# ------------------------------------------------------------------ options


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({}, "option 'device' of 'ibm'"),
        ({"channel": "local"}, "belong together"),
        ({"fake": "FakeLimaV2", "channel": "ibm_cloud"}, "belong together"),
        ({"fake": "FakeNothing"}, "such as 'FakeLimaV2'"),
        ({"fake": "FakeProviderForBackendV2"}, "such as 'FakeLimaV2'"),
        ({"device": "ibm_fez", "channel": "ibm_quantum"}, "one of ibm_cloud"),
    ],
)
def test_wrong_options_are_refused(options: dict[str, Json], words: str, context: Context) -> None:
    with pytest.raises(Rejected, match=words):
        providers.create("ibm", options, context)


def test_credentials_that_are_not_there_are_missed_when_they_are_needed(
    context: Context, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("MY_TOKEN", raising=False)
    provider = providers.create("ibm", {"device": "ibm_fez", "token_env": "MY_TOKEN"}, context)
    with pytest.raises(Rejected, match="no MY_TOKEN"):
        run(provider.devices())
    other = providers.create("ibm", {"device": "ibm_fez", "account": "nobody-here"}, context)
    with pytest.raises(Rejected, match="nobody-here"):
        run(other.devices())


def test_a_fake_gives_the_same_counts_for_the_same_job(context: Context) -> None:
    async def once() -> Any:
        provider = providers.create("ibm", {"fake": "FakeLimaV2"}, context)
        assert isinstance(provider, LocalProvider)
        handle = await provider.submit(Job(KEY, "fake_lima", (MIRROR,), 500))
        await provider.wait(handle)
        result = await provider.result(handle)
        provider.close()
        return result.programs

    first = run(once())
    assert first == run(once())
    assert len(first[0].counts.table) > 1  # the published noise is on
