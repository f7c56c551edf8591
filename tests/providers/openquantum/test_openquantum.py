"""The Open Quantum adapter against a service that runs what is uploaded (see conftest.py)."""

from __future__ import annotations

import asyncio
import json
import logging
import math
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from circuits.mirror import Mirror
from circuits.program import RESET, Operation, Program, measure
from providers.base import Context, Cost, DeviceClass, Handle, Job, JobResult, JobState, Json
from providers.conformance import check
from providers.errors import (
    AdapterFault,
    JobFailed,
    OutcomeUnknown,
    Rejected,
    RetryLater,
    UnknownHandle,
)
from providers.openquantum import create
from providers.remote import RemoteProvider
from providers.state_words import STATE_WORDS

GARNET: dict[str, Json] = {"backend": "iqm:garnet", "poll_s": 0.0}
SIMULATOR: dict[str, Json] = {"backend": "oq:sim", "poll_s": 0.0}
FLIP = Operation("prx", (0,), (math.pi, 0.2))
ASYMMETRIC = Program(
    3,
    4,
    (
        FLIP,
        Operation("prx", (2,), (math.pi, 1.1)),
        measure(0, 1),
        measure(1, 0),
        measure(2, 3),
    ),
)

UNREADABLE = [  # a proxy's page, an answer that was cut, one without a usable id, a redirection
    (200, b"<html>Sign in to continue</html>"),
    (201, b'{"id": "0197379a-c3b8'),
    (201, b'{"status": "Pending"}'),
    (201, b'{"id": ""}'),
    (201, b'{"id": "../whoami"}'),
    (303, b""),
]


@pytest.fixture
def provider(openquantum: Any, context: Context) -> RemoteProvider:
    return create(GARNET, context)


async def brief(_seconds: float) -> None:
    await asyncio.sleep(0)


def job(*programs: Program, device: str = "iqm-garnet", shots: int = 40, key: int = 1) -> Job:
    return Job(f"{key:064x}", device, programs, shots)


async def finished(provider: RemoteProvider, asked: Job) -> JobResult:
    handle = await provider.submit(asked)
    for _ in range(9):
        if (await provider.state(handle)).final:
            break
    return await provider.result(handle)


def run(provider: RemoteProvider, asked: Job) -> JobResult:
    return asyncio.run(finished(provider, asked))


@pytest.mark.parametrize("options", [GARNET, SIMULATOR], ids=["machine", "simulator"])
def test_the_adapter_keeps_the_contract(
    openquantum: Any, context: Context, options: dict[str, Json]
) -> None:
    report = asyncio.run(check(create(options, context), pause=brief, patience_s=1e6))
    assert report.failed == ()
    assert len(report.findings) >= 20


def test_a_machine_claims_its_document(openquantum: Any, provider: RemoteProvider) -> None:
    (device,) = asyncio.run(provider.devices())
    assert (device.name, device.device_class) == ("iqm-garnet", DeviceClass.QPU)
    assert device.topology.native_gates == ("cz", "prx")
    assert device.topology.edges == ((0, 1), (1, 2), (2, 4), (3, 4))
    assert device.max_shots == 3_000
    assert device.errors is not None
    assert device.errors.one_qubit[4] == pytest.approx(0.00084)
    assert set(device.errors.two_qubit) == {0.006}
    record = dict(asyncio.run(provider.calibration("iqm-garnet")))
    assert json.loads(json.dumps(record)) == openquantum.classes["iqm:garnet"]


def test_an_asymmetric_program_reads_right_and_keeps_its_qubits(
    openquantum: Any, provider: RemoteProvider
) -> None:
    (result,) = run(provider, job(ASYMMETRIC)).programs
    assert result.counts.table == {"1010": 40}
    (text,) = [data.decode() for data in openquantum.uploads.values()]
    assert "qubit[5] q;" in text  # as wide as the machine, so that q[j] is its qubit j


def test_a_mirror_is_uploaded_gate_by_gate_between_its_barriers(
    openquantum: Any, provider: RemoteProvider
) -> None:
    (device,) = asyncio.run(provider.devices())
    case = Mirror().generate(b"secret", width=4, depth=4, topology=device.topology)
    (result,) = run(provider, job(case.program)).programs
    (text,) = [data.decode() for data in openquantum.uploads.values()]
    assert text.count("\ncz ") == case.program.two_qubit_gates > 0
    fences = [op for op in case.program.operations if op.name == "barrier"]
    assert text.count("\nbarrier ") == len(fences) > 0
    assert list(result.counts.table) == [case.answer.bits]  # type: ignore[union-attr]


def test_the_simulator_resets_and_measures_in_the_middle(
    openquantum: Any, context: Context
) -> None:
    flip = Operation("u", (0,), (math.pi, 0.0, math.pi))
    steps = (flip, measure(0, 0), Operation(RESET, (0,)), measure(0, 1), flip, measure(0, 2))
    (result,) = run(create(SIMULATOR, context), job(Program(1, 3, steps), device="oq-sim")).programs
    assert result.counts.table == {"101": 40}


def test_the_private_plan_is_taken_and_never_the_cheapest(
    openquantum: Any, provider: RemoteProvider
) -> None:
    # enums.ExecutionPlanType.PRIVATE and QueuePriorityType.STANDARD of openquantum-sdk 1.0.0
    run(provider, job(ASYMMETRIC))
    (sent,) = openquantum.created()
    assert sent["execution_plan_id"] == "f83fd52f-c691-470f-9521-26b81c4e53bd"
    assert sent["queue_priority_id"] == "0f7b91a3-d1bf-46fb-af9c-55b77fa72bed"
    openquantum.prices = {"072f7eb6-574b-4bae-aafa-d3399c4abe7a": 0}
    with pytest.raises(Rejected, match="no plan 'private'"):
        run(provider, job(ASYMMETRIC, key=2))


def test_a_quote_is_the_platforms_and_starts_nothing(
    openquantum: Any, provider: RemoteProvider
) -> None:
    quote = asyncio.run(provider.quote(job(ASYMMETRIC, ASYMMETRIC)))
    assert quote.cost == Cost("14", "CREDITS")
    assert openquantum.created() == []


def test_what_costs_more_than_allowed_is_not_started(openquantum: Any, context: Context) -> None:
    with pytest.raises(Rejected, match=r"asks 7 credits, .* allows 6"):
        run(create({**GARNET, "max_credits": 6}, context), job(ASYMMETRIC))
    assert openquantum.created() == []
    run(create({**GARNET, "max_credits": 7}, context), job(ASYMMETRIC))
    assert len(openquantum.jobs) == 1


def test_a_preparation_that_fails_says_why(openquantum: Any, provider: RemoteProvider) -> None:
    openquantum.refuse = "Qubit 3 is resting."
    with pytest.raises(Rejected, match=r"Qubit 3 is resting\."):
        run(provider, job(ASYMMETRIC))
    assert openquantum.created() == []


def test_several_organizations_are_never_guessed_among(
    openquantum: Any, context: Context, monkeypatch: pytest.MonkeyPatch
) -> None:
    ours = openquantum.organizations[0]
    openquantum.organizations = ("another", ours)
    with pytest.raises(Rejected, match=r"organization_id.*another"):
        run(create(GARNET, context), job(ASYMMETRIC))
    monkeypatch.setenv("OPENQUANTUM_ORGANIZATION_ID", ours)
    run(create(GARNET, context), job(ASYMMETRIC))
    assert len(openquantum.jobs) == 1


def test_fewer_shots_stay_fewer(openquantum: Any, provider: RemoteProvider) -> None:
    openquantum.returned = 0.5
    (result,) = run(provider, job(ASYMMETRIC)).programs
    assert result.counts.table == {"1010": 20}


@pytest.mark.parametrize(
    "output", [{"101": 40}, {"1010": 0.5}, {"1010": 41}, {"10x0": 40}, {"1010": -1}, [40], {}]
)
def test_an_output_that_does_not_fit_is_never_made_to_fit(
    openquantum: Any, provider: RemoteProvider, output: Any
) -> None:
    openquantum.output = output
    if output == {}:
        assert run(provider, job(ASYMMETRIC)).programs[0].counts.shots == 0
        return
    with pytest.raises(AdapterFault):
        run(provider, job(ASYMMETRIC))


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"native_ops": [{"name": "gpi", "arity": 1, "params": ["phi"]}]}, "'gpi', whose angles"),
        ({"native_ops": [{"name": "zz", "arity": 2, "params": ["a", "b"]}]}, "'zz', whose angles"),
        ({"noise": {}}, r"no error probability of one at qubits \[0\]"),
    ],
)
def test_a_machine_without_a_usable_document_makes_no_claim(
    openquantum: Any, provider: RemoteProvider, change: dict[str, Json], words: str
) -> None:
    openquantum.classes["iqm:garnet"]["constraint_data"] |= change
    with pytest.raises(Rejected, match=words):
        asyncio.run(provider.devices())


def test_what_the_class_cannot_do_is_refused_before_anything_is_sent(
    openquantum: Any, provider: RemoteProvider, context: Context
) -> None:
    again = (FLIP, measure(0, 0), FLIP, measure(0, 1))
    for operations, words in (
        (again, "middle of"),
        ((Operation(RESET, (0,)), measure(0, 0)), "reset"),
    ):
        with pytest.raises(Rejected, match=words):
            asyncio.run(provider.submit(job(Program(1, 2, operations))))
    odd = Program(2, 1, (Operation("iswap", (0, 1)), measure(0, 0)))
    with pytest.raises(Rejected, match="OpenQASM's own gates"):
        asyncio.run(create(SIMULATOR, context).submit(job(odd, device="oq-sim")))
    openquantum.classes["iqm:garnet"]["constraint_data"]["limits"]["min_shots"] = 100
    with pytest.raises(Rejected, match="at least 100 shots"):
        asyncio.run(create(GARNET, context).submit(job(ASYMMETRIC)))
    assert openquantum.created() == []


def test_the_state_words_are_those_of_the_sdk() -> None:
    # openquantum-sdk 1.0.0 has no enumeration: TERMINAL_JOB_STATUSES in `clients`, "Queued" and
    # "Running" in the docstring of `models.JobRead`, and "Pending", a job's first word.
    terminal = {"Completed", "Failed", "Canceled"}
    assert set(STATE_WORDS["openquantum"]) == terminal | {"Pending", "Queued", "Running"}


@pytest.mark.parametrize(
    ("word", "error", "words"),
    [
        ("Failed", JobFailed, "The fridge is warm"),
        ("Canceled", JobFailed, "cancelled"),
        ("Dreaming", AdapterFault, "Dreaming"),
    ],
)
def test_other_ends_and_unknown_words(
    openquantum: Any,
    provider: RemoteProvider,
    word: str,
    error: type[Exception],
    words: str,
) -> None:
    openquantum.steps = ("Queued", word)

    async def through() -> None:
        await provider.submit(job(ASYMMETRIC))
        for made in openquantum.jobs.values():
            made["message"] = "The fridge is warm" if word == "Failed" else None
        await finished(provider, job(ASYMMETRIC))

    with pytest.raises(error, match=words):
        asyncio.run(through())


def test_cancelling_stops_what_runs_and_too_late_is_no_error(
    openquantum: Any, provider: RemoteProvider
) -> None:
    async def stopped(key: int) -> JobState:
        handle = await provider.submit(job(ASYMMETRIC, key=key))
        await provider.cancel(handle)
        return await provider.state(handle)

    assert asyncio.run(stopped(1)) is JobState.CANCELLED
    assert [one["status"] for one in openquantum.jobs.values()] == ["Canceled"]
    openquantum.steps = ("Completed",)
    handle = asyncio.run(provider.submit(job(ASYMMETRIC, key=2)))
    asyncio.run(provider._vendor.stop(None, handle.backend_job_id))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("status", "error", "words"),
    [
        (400, Rejected, "400: Too odd; Too deep"),
        (401, Rejected, "401: .*credentials"),
        (403, Rejected, "403: .*credentials"),
        (429, RetryLater, "429: .*asks to wait 7 s"),
        (500, OutcomeUnknown, "500"),
        (503, OutcomeUnknown, "503"),
    ],
)
def test_refusals_say_what_to_do(
    openquantum: Any,
    openquantum_fault: Any,
    provider: RemoteProvider,
    status: int,
    error: type[Exception],
    words: str,
) -> None:
    told = {"status_code": status, "message": ["Too odd", "Too deep"], "error_code": "r-2"}
    wait = {"retry-after": "7"} if status == 429 else {}
    again = 2 if status == 401 else 1  # a token that is refused is replaced once
    openquantum.faults += [
        openquantum_fault("POST", "/v1/jobs", "answer", status, told, wait) for _ in range(again)
    ]
    with pytest.raises(error, match=words) as caught:
        asyncio.run(provider.submit(job(ASYMMETRIC)))
    assert type(caught.value) is error
    if status >= 429:
        run(provider, job(ASYMMETRIC))
        assert len(openquantum.jobs) == 1


@pytest.mark.parametrize("kind", ["lost", "cut", "hang"])
def test_a_job_whose_answer_is_lost_is_found_again_and_paid_once(
    openquantum: Any, openquantum_fault: Any, context: Context, kind: str
) -> None:
    short: dict[str, Json] = {"timeout_s": 2.0} if kind == "hang" else {}
    provider = create({**GARNET, **short}, context)
    openquantum.faults.append(openquantum_fault("POST", "/v1/jobs", kind))
    with pytest.raises(OutcomeUnknown):
        asyncio.run(provider.submit(job(ASYMMETRIC)))

    async def through() -> JobResult:
        for other in range(2, 6):  # more of the newest jobs than a page has
            await provider.submit(job(ASYMMETRIC, key=other))
        return await finished(provider, job(ASYMMETRIC))

    (result,) = asyncio.run(through()).programs
    assert result.counts.table == {"1010": 40}
    assert len(openquantum.jobs) == 5
    assert len(openquantum.created()) == (5 if kind == "lost" else 6)


@pytest.mark.parametrize(("status", "body"), UNREADABLE)
def test_a_job_whose_answer_cannot_be_read_is_found_again_and_paid_once(
    openquantum: Any, openquantum_fault: Any, provider: RemoteProvider, status: int, body: bytes
) -> None:
    openquantum.faults.append(openquantum_fault("POST", "/v1/jobs", "garbled", status, body))
    with pytest.raises(OutcomeUnknown):
        asyncio.run(provider.submit(job(ASYMMETRIC)))
    (result,) = run(provider, job(ASYMMETRIC)).programs
    assert result.counts.table == {"1010": 40}
    assert len(openquantum.created()) == len(openquantum.jobs) == 1


@pytest.mark.parametrize(
    "page",
    [
        b"<html>Sign in</html>",
        b'{"jobs": [{"id"',
        b"{}",
        b'{"jobs": [], "pagination": {"next_cursor": 7}}',
    ],
)
def test_a_list_that_cannot_be_read_leaves_the_doubt(
    openquantum: Any, openquantum_fault: Any, provider: RemoteProvider, page: bytes
) -> None:
    listed = "/v1/organizations/.*/jobs"
    openquantum.faults.append(openquantum_fault("POST", "/v1/jobs", "lost"))
    openquantum.faults.append(openquantum_fault("GET", listed, "garbled", 200, page))
    for _ in range(2):
        with pytest.raises(OutcomeUnknown):
            asyncio.run(provider.submit(job(ASYMMETRIC)))
    asyncio.run(provider.submit(job(ASYMMETRIC)))
    assert len(openquantum.created()) == len(openquantum.jobs) == 1


@pytest.mark.parametrize("kind", ["lost", "cut"])
def test_a_job_beyond_the_newest_that_are_looked_through_is_not_started_again(
    openquantum: Any, openquantum_fault: Any, context: Context, tmp_path: Path, kind: str
) -> None:
    kept = replace(context, folder=tmp_path)
    few = create({**GARNET, "lookup_jobs": 3}, kept)
    openquantum.faults.append(openquantum_fault("POST", "/v1/jobs", kind))
    with pytest.raises(OutcomeUnknown):
        asyncio.run(few.submit(job(ASYMMETRIC)))
    for other in range(2, 8):  # three pages of two
        asyncio.run(few.submit(job(ASYMMETRIC, key=other)))
    for asked in (few.submit(job(ASYMMETRIC)), few.find(job(ASYMMETRIC).key)):
        with pytest.raises(OutcomeUnknown, match=r"newest 3.*lookup_jobs"):
            asyncio.run(asked)
    assert len(openquantum.created()) == 7
    many = create({**GARNET, "lookup_jobs": 9}, kept)  # the list ends before
    asyncio.run(many.submit(job(ASYMMETRIC)))
    assert len(openquantum.jobs) == 7
    assert len(openquantum.created()) == (7 if kind == "lost" else 8)


@pytest.mark.parametrize(
    ("method", "path"),
    [("POST", "/v1/jobs/upload"), ("PUT", "/put/.*"), ("POST", "/v1/jobs/prepare")],
)
def test_a_failure_before_the_start_has_started_nothing(
    openquantum: Any,
    openquantum_fault: Any,
    provider: RemoteProvider,
    method: str,
    path: str,
) -> None:
    openquantum.faults.append(openquantum_fault(method, path, "cut"))
    with pytest.raises(RetryLater) as caught:
        asyncio.run(provider.submit(job(ASYMMETRIC)))
    assert not isinstance(caught.value, OutcomeUnknown)
    run(provider, job(ASYMMETRIC))
    assert len(openquantum.jobs) == 1


def test_a_restart_changes_nothing_before_or_after_the_start(
    openquantum: Any, openquantum_fault: Any, context: Context, tmp_path: Path
) -> None:
    kept = replace(context, folder=tmp_path)
    openquantum.faults.append(openquantum_fault("POST", "/v1/jobs", "cut"))
    with pytest.raises(OutcomeUnknown):
        asyncio.run(create(GARNET, kept).submit(job(ASYMMETRIC)))
    handle = asyncio.run(create(GARNET, kept).submit(job(ASYMMETRIC)))
    assert asyncio.run(create(GARNET, kept).find(handle.key)) == handle
    assert run(create(GARNET, kept), job(ASYMMETRIC)).backend_job_id == handle.backend_job_id
    assert len(openquantum.jobs) == 1


def test_a_token_is_renewed_when_it_has_expired(openquantum: Any, provider: RemoteProvider) -> None:
    handle = asyncio.run(provider.submit(job(ASYMMETRIC)))
    assert openquantum.tokens == 1
    openquantum.valid = "another"
    assert asyncio.run(provider.state(handle)) is JobState.QUEUED
    assert openquantum.tokens == 2


def test_credentials_come_from_where_the_sdk_looks(
    openquantum: Any,
    openquantum_secrets: tuple[str, ...],
    context: Context,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv("OPENQUANTUM_CLIENT_SECRET")
    with pytest.raises(Rejected, match="OPENQUANTUM_CLIENT_SECRET"):
        create(GARNET, context)
    monkeypatch.setenv("OPENQUANTUM_TOKEN", openquantum_secrets[1])
    assert len(asyncio.run(create(GARNET, context).devices())) == 1
    monkeypatch.setenv("OPENQUANTUM_SDK_KEY", str(tmp_path / "key.json"))
    with pytest.raises(Rejected, match="OPENQUANTUM_SDK_KEY"):
        create(GARNET, context)
    key = {"client_id": "s_us", "client_secret": openquantum_secrets[0]}
    (tmp_path / "key.json").write_text(json.dumps(key))
    assert len(asyncio.run(create(GARNET, context).devices())) == 1


def test_a_backend_is_needed_and_an_unknown_one_is_told(openquantum: Any, context: Context) -> None:
    with pytest.raises(Rejected, match="'backend'"):
        create({}, context)
    with pytest.raises(Rejected, match=r"No such backend class\."):
        asyncio.run(create({"backend": "iqm:quartz"}, context).devices())


def test_a_stray_id_is_no_path(openquantum: Any, provider: RemoteProvider) -> None:
    with pytest.raises(UnknownHandle):
        asyncio.run(provider.state(Handle("openquantum", "iqm-garnet", "1" * 64, "../../users")))


def test_the_record_has_the_snapshot_and_its_time(
    openquantum: Any, provider: RemoteProvider
) -> None:
    record = dict(run(provider, job(ASYMMETRIC)).backend_record)
    told = json.loads(json.dumps(record))["tasks"][0]
    assert told["calibration"]["measured_at"] == "2026-11-22T03:00:00Z"
    assert told["job"]["submitted_at"] == "2026-11-22T04:30:00Z"


def test_secrets_appear_nowhere(
    openquantum: Any,
    openquantum_fault: Any,
    openquantum_secrets: tuple[str, ...],
    context: Context,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    caplog.set_level(logging.DEBUG)
    provider = create(GARNET, replace(context, folder=tmp_path))
    asyncio.run(provider.devices())
    vendor = vars(provider)["_vendor"]
    told = [repr(provider), repr(vars(vendor)), repr(vars(vendor)["_access"])]
    for status in (400, 429):
        body = {"message": [f"{openquantum.valid} of {openquantum_secrets[0]} may not"]}
        openquantum.faults.append(openquantum_fault("POST", "/v1/jobs", "answer", status, body))
    openquantum.faults.append(openquantum_fault("PUT", "/put/.*", "cut"))
    for _ in range(3):
        with pytest.raises((Rejected, RetryLater)) as caught:
            asyncio.run(provider.submit(job(ASYMMETRIC)))
        told += [str(caught.value), repr(caught.value.__context__)]
    assert sum("***" in words for words in told) >= 2
    result = run(provider, job(ASYMMETRIC))
    told.append(json.dumps(dict(result.backend_record)))
    assert "output_data_url" in told[-1]
    told += [(tmp_path / "openquantum.journal").read_text(), caplog.text]
    assert "127.0.0.1" in caplog.text
    assert not [(s, t) for t in told for s in openquantum_secrets if s in t]
