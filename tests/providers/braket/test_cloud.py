"""Devices by their ARN, against a Braket on loopback that runs what it is sent.

Expected values: what was injected into the service; the ideal laws of `providers.dense` (tested
against Qiskit's Statevector); prices by hand from the published price of a shot.
"""

from __future__ import annotations

import asyncio
import json
import logging
import threading
from collections.abc import Awaitable, Callable
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import pytest

import providers
from circuits.mirror import Mirror
from circuits.program import Operation, Program, measure
from providers.base import Context, Cost, Handle, Job, JobResult, JobState, Json, ResultKind
from providers.braket_cloud import BraketCloud
from providers.braket_devices import Claim
from providers.conformance import check
from providers.errors import (
    AdapterFault,
    JobFailed,
    NotReady,
    OutcomeUnknown,
    ProviderError,
    Rejected,
    RetryLater,
)
from providers.remote import RemoteProvider
from providers.state_words import STATE_WORDS
from providers.vendor import Task, TaskResult

if TYPE_CHECKING:
    from providers.braket_account import Account
    from tests.providers.braket.conftest import Service

GARNET = "arn:aws:braket:eu-north-1::device/qpu/iqm/Garnet"
ANKAA = "arn:aws:braket:us-west-1::device/qpu/rigetti/Ankaa-3"
FORTE = "arn:aws:braket:us-east-1::device/qpu/ionq/Forte-Enterprise-1"
SV1 = "arn:aws:braket:::device/quantum-simulator/amazon/sv1"
SECRETS = ("wJalrPlanted", "PlantedSessionToken", "AKIAPLANTED")

MakeJob = Callable[..., Job]
Opened = Callable[..., RemoteProvider]
FLIP = Program(
    5, 2, (Operation("prx", (4,), (3.141592653589793, 0.0)), measure(4, 1), measure(0, 0))
)


def created(arn: str, **options: Json) -> RemoteProvider:
    """The way in that a miner takes."""
    given = {"arn": arn, "s3_bucket": "results-of-ours", **options}
    made = providers.create("braket", given, Context(b"seed", lambda: 0))
    assert isinstance(made, RemoteProvider)
    return made


async def brief(_seconds: float) -> None:
    """The service moves on with every look at a task."""


async def ended(provider: RemoteProvider, handle: Handle) -> JobState:
    while not (state := await provider.state(handle)).final:
        pass
    return state


def run(provider: RemoteProvider, job: Job) -> JobResult:
    async def whole() -> JobResult:
        handle = await provider.submit(job)
        await ended(provider, handle)
        return await provider.result(handle)

    return asyncio.run(whole())


@pytest.mark.parametrize("arn", [GARNET, ANKAA, FORTE, SV1])
def test_every_kind_of_device_keeps_the_contract(
    arn: str, opened: Opened, service: Service
) -> None:
    report = asyncio.run(check(opened(arn), shots=300, pause=brief, patience_s=1e9))
    assert report.failed == ()
    assert len(report.findings) >= 18


def test_a_machine_gets_its_gates_in_a_verbatim_box_on_physical_qubits(
    opened: Opened, service: Service, make_job: MakeJob
) -> None:
    run(opened(GARNET), make_job("garnet", FLIP, shots=20))
    (text,) = service.texts()
    box = text.index("#pragma braket verbatim\nbox {\nprx(3.141592653589793, 0.0) $11;\n}")
    assert text.index("b[0] = measure $1;") > box
    assert text.index("b[1] = measure $11;") > box


@pytest.mark.parametrize(
    ("arn", "name"),
    [(GARNET, "garnet"), (ANKAA, "ankaa-3"), (FORTE, "forte-enterprise-1"), (SV1, "sv1")],
)
def test_a_mirror_circuit_keeps_every_two_qubit_gate(
    arn: str, name: str, opened: Opened, service: Service, make_job: MakeJob
) -> None:
    provider = opened(arn)
    (device,) = asyncio.run(provider.devices())
    case = Mirror().generate(b"key", width=3, depth=6, topology=device.topology)
    run(provider, make_job(name, case.program, shots=100))
    (text,) = service.texts()
    spelt = {"cx": "cnot ", "cz": "cz ", "iswap": "iswap ", "rzz": "zz("}
    gate = spelt[device.topology.two_qubit_gate]
    assert case.program.two_qubit_gates > 4
    assert sum(line.startswith(gate) for line in text.splitlines()) == case.program.two_qubit_gates


def test_a_task_carries_its_token_twice_and_goes_to_the_bucket(
    opened: Opened, service: Service, make_job: MakeJob
) -> None:
    run(created(GARNET, s3_prefix="here"), make_job("garnet", FLIP, shots=20))
    ((token, task),) = service.tasks.items()
    assert task.request["tags"] == {"qsubnet-task": token}
    assert (task.request["outputS3Bucket"], task.request["outputS3KeyPrefix"]) == (
        "results-of-ours",
        "here",
    )
    assert task.request["shots"] == 20


def test_the_same_key_is_paid_once_also_when_asked_at_the_same_time(
    opened: Opened, service: Service, make_job: MakeJob
) -> None:
    provider, job = opened(GARNET), make_job("garnet", FLIP, FLIP, shots=20)

    async def twice() -> list[Handle]:
        return list(await asyncio.gather(provider.submit(job), provider.submit(job)))

    first, second = asyncio.run(twice())
    assert first == second
    assert len(service.tasks) == 2
    assert service.called("CreateQuantumTask") == 2


@pytest.mark.parametrize(
    ("status", "code", "kind"),
    [
        (401, "UnrecognizedClientException", Rejected),
        (403, "AccessDeniedException", Rejected),
        (400, "ValidationException", Rejected),
        (410, "DeviceRetiredException", Rejected),
        (402, "ServiceQuotaExceededException", RetryLater),
        (424, "DeviceOfflineException", RetryLater),
        (429, "ThrottlingException", RetryLater),
        (503, "ServiceUnavailable", RetryLater),
        (500, "InternalServiceException", OutcomeUnknown),
        (502, "BadGateway", OutcomeUnknown),
    ],
)
def test_a_refusal_is_translated_by_what_to_do_and_never_repeated(
    status: int,
    code: str,
    kind: type[ProviderError],
    opened: Opened,
    service: Service,
    make_job: MakeJob,
) -> None:
    service.fail("CreateQuantumTask", status, code, "in AWS's words", headers={"retry-after": "7"})
    with pytest.raises(ProviderError, match=r"in AWS's words \(retry after 7 s\)") as raised:
        asyncio.run(opened(GARNET).submit(make_job("garnet", FLIP)))
    assert type(raised.value) is kind
    assert service.called("CreateQuantumTask") == 1


def test_every_error_of_the_service_model_is_in_the_table() -> None:
    import botocore.session

    from providers.braket_errors import ERRORS

    model = botocore.session.get_session().get_service_model("braket")
    used = ("GetDevice", "CreateQuantumTask", "GetQuantumTask", "CancelQuantumTask")
    named = {
        error.name
        for operation in (*used, "SearchQuantumTasks")
        for error in model.operation_model(operation).error_shapes
    }
    assert named <= set(ERRORS)


def test_the_state_words_are_those_of_the_service_model() -> None:
    import botocore.session

    model = botocore.session.get_session().get_service_model("braket")
    assert set(STATE_WORDS["braket"]) == set(model.shape_for("QuantumTaskStatus").enum)
    cancelled = model.shape_for("CancellationStatus").enum
    assert set(cancelled) <= set(STATE_WORDS["braket"])


@pytest.mark.parametrize("arrived", ["arrived", "lost"])
def test_a_task_whose_answer_was_cut_off_is_looked_up_and_not_paid_twice(
    arrived: str, opened: Opened, service: Service, make_job: MakeJob, tmp_path: Path
) -> None:
    context, job = Context(b"seed", lambda: 0, tmp_path), make_job("garnet", FLIP, shots=20)
    done = arrived == "arrived"
    service.fail("CreateQuantumTask", 0, done=done)
    with pytest.raises(OutcomeUnknown):
        asyncio.run(opened(GARNET, context).submit(job))
    assert service.called("CreateQuantumTask") == 1

    again = opened(GARNET, context)
    found = asyncio.run(again.find(job.key))
    assert (found is not None) is done
    result = run(again, job)
    assert len(service.tasks) == 1
    assert service.called("CreateQuantumTask") == (1 if done else 2)
    assert result.programs[0].counts.table == {"10": 20}


def test_a_task_that_is_not_among_the_first_pages_is_still_one_task(
    opened: Opened, service: Service, make_job: MakeJob, monkeypatch: pytest.MonkeyPatch
) -> None:
    # The client token alone: the list does not show the task, and it is sent a second time.
    provider, job = opened(GARNET), make_job("garnet", FLIP, shots=20)
    service.fail("CreateQuantumTask", 0, done=True)
    with pytest.raises(OutcomeUnknown):
        asyncio.run(provider.submit(job))
    service.fail("SearchQuantumTasks", 200, body='{"quantumTasks": []}')
    run(provider, job)
    assert service.called("CreateQuantumTask") == 2
    assert len(service.tasks) == 1


def test_a_lookup_turns_the_pages(opened: Opened, service: Service, make_job: MakeJob) -> None:
    provider = opened(GARNET)
    for number in range(5):
        asyncio.run(provider.submit(make_job("garnet", FLIP, key=f"{number}")))
    service.fail("CreateQuantumTask", 0, done=True)
    with pytest.raises(OutcomeUnknown):
        asyncio.run(provider.submit(make_job("garnet", FLIP, key="last")))
    assert asyncio.run(provider.find(make_job("garnet", FLIP, key="last").key)) is not None
    assert service.called("SearchQuantumTasks") == 3


def test_a_service_that_never_answers_leaves_the_outcome_unknown(
    opened: Opened, service: Service, make_job: MakeJob
) -> None:
    provider = created(GARNET, timeout_s=2.0)
    asyncio.run(provider.devices())
    service.fail("CreateQuantumTask", -1)
    with pytest.raises(OutcomeUnknown, match="ReadTimeoutError"):
        asyncio.run(provider.submit(make_job("garnet", FLIP)))
    service.released.set()


def test_an_answer_that_is_no_json_leaves_the_outcome_unknown(
    opened: Opened, service: Service, make_job: MakeJob
) -> None:
    service.fail("CreateQuantumTask", 201, body="<html>", done=True)
    with pytest.raises(OutcomeUnknown):
        asyncio.run(opened(GARNET).submit(make_job("garnet", FLIP)))


def test_nobody_at_the_endpoint_means_that_nothing_was_started(
    opened: Opened, service: Service, make_job: MakeJob, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BRAKET_ENDPOINT", "http://127.0.0.1:1")
    with pytest.raises(RetryLater) as raised:
        asyncio.run(created(GARNET).submit(make_job("garnet", FLIP)))
    assert type(raised.value) is RetryLater


def test_a_restart_between_submit_and_result_completes_the_job(
    opened: Opened, service: Service, make_job: MakeJob, tmp_path: Path
) -> None:
    context, job = Context(b"seed", lambda: 0, tmp_path), make_job("garnet", FLIP, FLIP, shots=20)
    first = asyncio.run(opened(GARNET, context).submit(job))
    handle = Handle(**json.loads(json.dumps(asdict(first))))

    async def later() -> JobResult:
        provider = opened(GARNET, context)
        assert await provider.find(job.key) == handle
        await ended(provider, handle)
        return await provider.result(handle)

    result = asyncio.run(later())
    assert [one.counts.table for one in result.programs] == [{"10": 20}, {"10": 20}]
    assert service.called("CreateQuantumTask") == 2


def test_a_failed_task_passes_brakets_reason_on(
    opened: Opened, service: Service, make_job: MakeJob
) -> None:
    service.course, service.failure = ["QUEUED", "FAILED"], "Qubit 11 is on holiday"
    with pytest.raises(JobFailed, match="Qubit 11 is on holiday"):
        run(opened(GARNET), make_job("garnet", FLIP))


def test_a_task_that_was_cancelled_elsewhere_is_cancelled(
    opened: Opened, service: Service, make_job: MakeJob
) -> None:
    service.course = ["QUEUED", "CANCELLED"]
    with pytest.raises(JobFailed, match="cancelled"):
        run(opened(GARNET), make_job("garnet", FLIP))


def test_cancelling_stops_the_tasks_and_may_be_repeated(
    opened: Opened, service: Service, make_job: MakeJob
) -> None:
    async def scene() -> None:
        provider = opened(GARNET)
        handle = await provider.submit(make_job("garnet", FLIP, FLIP))
        with pytest.raises(NotReady):
            await provider.result(handle)
        await provider.cancel(handle)
        await provider.cancel(handle)
        assert await provider.state(handle) is JobState.CANCELLED
        with pytest.raises(JobFailed):
            await provider.result(handle)

    asyncio.run(scene())
    assert service.called("CancelQuantumTask") == 2
    assert all(task.states[-1] == "CANCELLED" for task in service.tasks.values())


def test_a_cancellation_that_comes_too_late_is_no_error(
    opened: Opened, service: Service, make_job: MakeJob
) -> None:
    async def scene() -> None:
        provider = opened(GARNET)
        handle = await provider.submit(make_job("garnet", FLIP))
        service.fail("CancelQuantumTask", 409, "ConflictException", "it is COMPLETED")
        await provider.cancel(handle)

    asyncio.run(scene())
    assert service.called("CancelQuantumTask") == 1


def test_an_unknown_state_word_is_reported_and_never_guessed(
    opened: Opened, service: Service, make_job: MakeJob
) -> None:
    service.course = ["PONDERING"]
    # The fake's own answers are valid; this one is what a later service might say.
    service.fail("GetQuantumTask", 200, body=json.dumps({"status": "PONDERING"}))
    provider = opened(GARNET)
    handle = asyncio.run(provider.submit(make_job("garnet", FLIP)))
    with pytest.raises(AdapterFault, match="'PONDERING' of a job, known are"):
        asyncio.run(provider.state(handle))


def test_partial_shots_stay_partial(opened: Opened, service: Service, make_job: MakeJob) -> None:
    service.mangle = lambda result: {**result, "measurements": result["measurements"][:7]}
    result = run(opened(GARNET), make_job("garnet", FLIP, shots=20))
    assert result.programs[0].counts.table == {"10": 7}
    assert result.programs[0].kind is ResultKind.SHOTS


def test_probabilities_say_so_and_become_the_counts_they_were(
    opened: Opened, service: Service, make_job: MakeJob
) -> None:
    # Columns are the measured qubits 0 and 4; c[0] reads 0, c[1] reads 4. 3 of 7 shots, rounded.
    def shares(result: dict[str, Any]) -> dict[str, Any]:
        rest = {word: value for word, value in result.items() if word != "measurements"}
        return {**rest, "measurementProbabilities": {"01": 3 / 7, "10": 4 / 7}}

    service.mangle = shares
    result = run(opened(GARNET), make_job("garnet", FLIP, shots=7))
    (answer,) = result.programs
    assert answer.kind is ResultKind.PROBABILITIES
    assert answer.counts.table == {"10": 3, "01": 4}
    assert answer.processing


def test_shares_are_of_the_shots_that_the_service_says_succeeded(
    opened: Opened, service: Service, make_job: MakeJob
) -> None:
    def shares(result: dict[str, Any]) -> dict[str, Any]:
        rest = {word: value for word, value in result.items() if word != "measurements"}
        return {**rest, "measurementProbabilities": {"01": 0.75, "10": 0.25}}

    service.mangle = shares
    service.succeeded = 8
    result = run(opened(GARNET), make_job("garnet", FLIP, shots=20))
    assert result.programs[0].counts.table == {"01": 2, "10": 6}


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"measurements": [[0, 1, 1]]}, "rows of 3 bits for 2"),
        ({"measurements": [[0, 1], [1]]}, "results.json: measurements: .*inhomogeneous"),
        ({"measurements": [[0, "1"]]}, "measurements: need rows of whole numbers"),
        ({"measurements": [[0.0, 1.0]]}, "measurements: need rows of whole numbers"),
        ({"measurements": [[0, -1]]}, "measurements: need rows of whole numbers"),
        ({"measurements": [[0, 2**70]]}, "measurements: need rows of whole numbers"),
        ({"measurements": [[[0], [1]]]}, "measurements: need rows of whole numbers"),
        ({"measurements": [0, 1]}, "measurements: need rows of whole numbers"),
        ({"measurements": [[], []]}, "rows of 0 bits for 2"),
        ({"measuredQubits": [1, 5, 11], "measurements": [[0, 1, 1]]}, "measured 3 qubits"),
        ({"measurements": [[0, 2]]}, "measurements: need 0 or 1, got 2"),
        ({"measurements": None}, "neither measurements"),
        ({"measuredQubits": None}, "measuredQubits"),
    ],
)
def test_a_result_of_a_wrong_width_or_form_is_reported(
    change: dict[str, Any], words: str, opened: Opened, service: Service, make_job: MakeJob
) -> None:
    service.mangle = lambda result: {**result, **change}
    with pytest.raises(AdapterFault, match=words):
        run(opened(GARNET), make_job("garnet", FLIP))


def test_results_are_read_outside_of_the_event_loop(account: Account, service: Service) -> None:
    # A wide machine's file takes seconds, in which the miner would answer nobody.
    readers: list[threading.Thread] = []

    class Watched(Program):
        def __getattribute__(self, name: str) -> object:
            readers.append(threading.current_thread())
            return super().__getattribute__(name)

    async def fetched() -> TaskResult:
        cloud = BraketCloud(account, GARNET, Claim("garnet"))
        task = Task("ab" * 32, "garnet", (Watched(5, 2, FLIP.operations),), 20, True, True)  # noqa: FBT003 - the fields of a Task
        task_id = await cloud.send(task)
        while not (await cloud.standing(task, task_id)).state.final:
            pass
        readers.clear()
        return await cloud.fetch(task, task_id)

    (result,) = asyncio.run(fetched()).programs
    assert result.counts.table == {"10": 20}
    assert result.memory == ("10",) * 20
    assert readers
    assert threading.main_thread() not in readers


def test_a_result_that_is_late_in_s3_may_be_asked_for_again(
    opened: Opened, service: Service, make_job: MakeJob
) -> None:
    service.fail("GetObject", 404, "NoSuchKey", "not there")

    async def scene() -> JobResult:
        provider = opened(GARNET)
        handle = await provider.submit(make_job("garnet", FLIP, shots=5))
        await ended(provider, handle)
        with pytest.raises(RetryLater, match="NoSuchKey"):
            await provider.result(handle)
        return await provider.result(handle)

    assert asyncio.run(scene()).programs[0].counts.shots == 5


def test_a_bucket_that_may_not_be_read_loses_no_paid_result(
    opened: Opened, service: Service, make_job: MakeJob
) -> None:
    service.fail("GetObject", 403, "AccessDenied", "not your bucket")
    with pytest.raises(RetryLater, match="not your bucket"):
        run(opened(GARNET), make_job("garnet", FLIP))


def test_the_record_has_the_service_and_the_result_file_in_full(
    opened: Opened, service: Service, make_job: MakeJob
) -> None:
    result = run(opened(GARNET), make_job("garnet", FLIP, shots=1_000))
    (record,) = cast("list[dict[str, Any]]", result.backend_record["tasks"])
    assert record["task"]["quantumTaskArn"] == result.backend_job_id
    assert record["task"]["createdAt"] == "2026-01-02T03:04:05.678000+00:00"
    assert record["results"]["measuredQubits"] == [1, 11]
    assert record["results"]["taskMetadata"]["shots"] == 1_000
    assert "measurements" not in record["results"]
    assert record["cost"] == {"amount": "1.9000", "currency": "USD"}


@pytest.mark.parametrize(
    ("arn", "name", "expected"),
    [
        # 2 tasks of 1000 shots: 2 x 0.30 + 2000 x the price of a shot.
        (GARNET, "garnet", Cost("3.8000", "USD")),
        (SV1, "sv1", None),
    ],
)
def test_a_quote_has_the_price_of_tasks_and_shots_or_none(
    arn: str, name: str, expected: Cost | None, opened: Opened, service: Service, make_job: MakeJob
) -> None:
    plain = Program(5, 1, (measure(0, 0),))
    provider = opened(arn, fee=3)
    quote = asyncio.run(provider.quote(make_job(name, plain, plain)))
    assert quote.fee_rao == 6_000
    assert quote.cost == expected
    assert not service.tasks


def test_the_calibration_is_as_published_with_its_time_and_the_layout(
    opened: Opened, service: Service
) -> None:
    record = cast("dict[str, Any]", asyncio.run(opened(GARNET).calibration("garnet")))
    assert record["service"]["updatedAt"] == "2025-11-06T21:04:31.777315+00:00"
    published = cast("dict[str, Any]", service.capabilities[GARNET])
    assert record["standardized"] == published["standardized"]
    assert record["deviceStatus"] == "ONLINE"
    assert record["qubits"] == [1, 2, 5, 6, 11]


def test_too_few_shots_for_a_task_are_refused_before_anything_is_sent(
    opened: Opened, service: Service, make_job: MakeJob
) -> None:
    program = Program(4, 1, (measure(0, 0),))
    with pytest.raises(Rejected, match="at least 100 shots a task, got 99"):
        asyncio.run(opened(FORTE).submit(make_job("forte-enterprise-1", program, shots=99)))
    assert service.called("CreateQuantumTask") == 0


def test_shots_in_order_come_where_asked_for(
    opened: Opened, service: Service, make_job: MakeJob
) -> None:
    half = Program(5, 1, (Operation("prx", (0,), (1.5707963267948966, 0.0)), measure(0, 0)))
    plain = make_job("garnet", half, shots=50)
    job = Job(plain.key, plain.device, plain.programs, plain.shots, memory=True)
    (answer,) = run(opened(GARNET), job).programs
    assert answer.memory is not None
    assert len(answer.memory) == 50
    assert answer.memory.count("1") == answer.counts.table["1"]


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"arn": "garnet"}, "need an ARN like"),
        ({"arn": "arn:aws:braket:eu-north-1::device"}, r"ends in device/<kind>"),
        ({"arn": GARNET, "region": "us-east-1"}, "in region eu-north-1"),
        ({"arn": GARNET, "properties": "file"}, "give one"),
        ({"arn": GARNET, "num_qubits": 4}, "no option 'num_qubits'"),
        ({"arn": GARNET, "profile": "nobody"}, "profile"),
    ],
)
def test_a_wrong_option_is_refused(
    options: dict[str, Json], words: str, service: Service, context: Context
) -> None:
    with pytest.raises(Rejected, match=words):
        providers.create("braket", {"s3_bucket": "results-of-ours", **options}, context)
    assert service.calls == []


def test_results_need_a_bucket(
    service: Service, context: Context, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(Rejected, match="option 's3_bucket'"):
        providers.create("braket", {"arn": SV1}, context)
    monkeypatch.setenv("AMZN_BRAKET_OUT_S3_BUCKET", "named-as-the-sdk-does")
    assert providers.create("braket", {"arn": SV1}, context).name == "braket"


def test_without_credentials_the_sentence_says_where_they_are_looked_for(
    opened: Opened, service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"):
        monkeypatch.delenv(name)
    with pytest.raises(Rejected, match="no AWS credentials in its usual places"):
        created(GARNET)


def test_planted_secrets_appear_nowhere(
    opened: Opened,
    service: Service,
    make_job: MakeJob,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.INFO)
    context, job = Context(b"seed", lambda: 0, tmp_path), make_job("garnet", FLIP, shots=20)
    provider = opened(GARNET, context)
    seen: list[str] = []

    async def noted(call: Awaitable[object]) -> None:
        try:
            seen.append(repr(await call))
        except ProviderError as error:
            seen.append(f"{error} {error!r} {error.__cause__!r} {error.__context__!r}")

    echo = f"signed with {service_secret()} by AKIAPLANTEDACCESSKEY {'PlantedSessionToken' * 8}"
    for operation in ("GetDevice", "CreateQuantumTask"):
        service.fail(operation, 403, "InvalidSignatureException", echo)
        asyncio.run(noted(provider.submit(job)))
    handle = asyncio.run(provider.submit(job))
    asyncio.run(noted(ended(provider, handle)))
    asyncio.run(noted(provider.result(handle)))
    asyncio.run(noted(provider.calibration("garnet")))
    seen += [repr(provider), repr(vars(provider)), caplog.text]
    seen += [path.read_text() for path in tmp_path.rglob("*") if path.is_file()]
    assert "signed with *** by ***" in seen[0]
    assert len(seen) > 8
    for secret in SECRETS:
        assert not any(secret in text for text in seen)
    # The fake did get them: the key's id in every signature, never the secret itself.
    assert all("AKIAPLANTED" in headers["Authorization"] for headers in service.headers)


def service_secret() -> str:
    return "wJalrPlanted+Secret/Access+Key0000000000"
