"""The Azure adapter against a workspace that runs what is uploaded (see conftest.py)."""

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
from providers.azure import create
from providers.base import Context, DeviceClass, Handle, Job, JobResult, JobState, Json, ResultKind
from providers.conformance import check
from providers.errors import (
    AdapterFault,
    JobFailed,
    OutcomeUnknown,
    Rejected,
    RetryLater,
    UnknownHandle,
)
from providers.remote import RemoteProvider
from providers.state_words import STATE_WORDS

TARGETS = {
    "ionq": "ionq.qpu.forte-1",
    "quantinuum": "quantinuum.qpu.h2-1",
    "rigetti": "rigetti.qpu.cepheus",
}
FLIPS = {
    "ionq": Operation("gpi", (0,), (0.3,)),
    "quantinuum": Operation("prx", (0,), (math.pi, 0.3)),
    "rigetti": Operation("rx", (0,), (math.pi,)),
}


@pytest.fixture
def make(azure: Any, azure_sheet: Any, context: Context) -> Any:
    def made(maker: str, kept: Context = context, **options: Json) -> RemoteProvider:
        if maker == "simulator":
            return create({"num_qubits": 5, **options}, kept)
        sheet = azure_sheet(maker)
        return create({"target": TARGETS[maker], "device": maker, "sheet": sheet, **options}, kept)

    return made


def asymmetric(maker: str) -> Program:
    """X on qubits 0 and 2, read out of order: c = 1010."""
    first = FLIPS[maker]
    ends = (measure(0, 1), measure(1, 0), measure(2, 3))
    return Program(3, 4, (first, Operation(first.name, (2,), first.angles), *ends))


async def brief(_seconds: float) -> None:
    await asyncio.sleep(0)


def job(*programs: Program, device: str, shots: int = 40, key: int = 1, memory: bool = True) -> Job:
    return Job(f"{key:064x}", device, programs, shots, memory=memory)


async def finished(provider: RemoteProvider, asked: Job) -> JobResult:
    handle = await provider.submit(asked)
    for _ in range(9):
        if (await provider.state(handle)).final:
            break
    return await provider.result(handle)


def run(provider: RemoteProvider, asked: Job) -> JobResult:
    return asyncio.run(finished(provider, asked))


@pytest.mark.parametrize("maker", ["simulator", *TARGETS])
def test_the_adapter_keeps_the_contract_at_every_maker(make: Any, maker: str) -> None:
    report = asyncio.run(check(make(maker), pause=brief, patience_s=1e6))
    assert report.failed == ()
    assert len(report.findings) >= 20


@pytest.mark.parametrize("maker", TARGETS)
def test_an_asymmetric_program_reads_right(make: Any, maker: str) -> None:
    (result,) = run(make(maker), job(asymmetric(maker), device=maker)).programs
    assert result.counts.table == {"1010": 40}
    assert result.kind is (ResultKind.PROBABILITIES if maker == "ionq" else ResultKind.SHOTS)
    assert result.memory == (None if maker == "ionq" else ("1010",) * 40)
    told = ("probabilities times the 40 shots asked for, assumed to be all back",)
    assert result.processing == (told if maker == "ionq" else ())


def test_quantinuum_measures_in_the_middle_and_resets(make: Any) -> None:
    flip = FLIPS["quantinuum"]
    steps = (flip, measure(0, 0), Operation(RESET, (0,)), measure(0, 1), flip, measure(0, 2))
    (result,) = run(make("quantinuum"), job(Program(1, 3, steps), device="quantinuum")).programs
    assert result.counts.table == {"101": 40}


@pytest.mark.parametrize(
    ("maker", "word", "told"),
    [
        ("ionq", '"zz"', {"error-mitigation": {"debias": False}}),
        ("quantinuum", "RZZ", {"no-opt": True, "no-reduce": True, "tket-opt-level": None}),
        ("rigetti", "ISWAP", {"skipQuilc": True}),
    ],
)
def test_a_mirror_is_uploaded_gate_by_gate_and_left_alone(
    azure: Any, make: Any, maker: str, word: str, told: dict[str, Json]
) -> None:
    provider = make(maker)
    (device,) = asyncio.run(provider.devices())
    case = Mirror().generate(b"secret", width=4, depth=4, topology=device.topology)
    (result,) = run(provider, job(case.program, device=maker)).programs
    (uploaded,) = [blob for name, blob in azure.blobs.items() if name.endswith("inputData")]
    assert uploaded.decode().count(word) == case.program.two_qubit_gates > 0
    (sent,) = azure.created()
    assert sent["inputParams"] == {"shots": 40, **told}
    assert list(result.counts.table) == [case.answer.bits]  # type: ignore[union-attr]


def test_the_simulator_is_exact_and_draws_the_same_shots_again(make: Any) -> None:
    program = Program(2, 2, (Operation("u", (1,), (1.0, 0.0, 0.0)), measure(1, 0)))
    first, second = (
        run(make("simulator"), job(program, device="ionq.simulator")).programs[0] for _ in range(2)
    )
    assert first == second
    assert first.kind is ResultKind.PROBABILITIES
    assert first.counts.shots == 40


def test_a_machine_claims_its_sheet_and_calibrates_with_it(make: Any) -> None:
    (device,) = asyncio.run(make("quantinuum", fee_rao_per_shot=3).devices())
    assert (device.name, device.device_class) == ("quantinuum", DeviceClass.QPU)
    assert (device.max_shots, device.fee_rao_per_shot) == (10_000, 3)
    record = dict(asyncio.run(make("quantinuum").calibration("quantinuum")))
    assert json.loads(json.dumps(record))["quotas"][0]["limit"] == 40.0
    assert record["target"]["averageQueueTime"] == 87742


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"target": "pasqal.sim.emu-tn"}, "run as they stand"),
        ({"target": "quantinuum.sim.h2-1sc"}, "run as they stand"),
        ({"target": "ionq.qpu.forte-1"}, "name a sheet"),
        ({"target": "quantinuum.sim.h2-1e", "sheet": "quantinuum"}, "is an emulator"),
        ({"target": "rigetti.qpu.cepheus", "sheet": "quantinuum"}, "native gates .* got prx"),
        ({"resource_id": "/somewhere"}, None),
    ],
)
def test_what_cannot_be_run_as_it_stands_is_refused_in_a_sentence(
    azure: Any, azure_sheet: Any, context: Context, options: dict[str, Json], words: str | None
) -> None:
    if "sheet" in options:
        options = {**options, "sheet": azure_sheet(str(options["sheet"]))}
    if words is None:  # a connection string says where the workspace is
        assert create(options, context).name == "azure"
        return
    with pytest.raises(Rejected, match=words):
        create(options, context)


def test_a_target_that_the_workspace_lacks_is_named(
    azure: Any, azure_sheet: Any, context: Context
) -> None:
    options: dict[str, Json] = {"target": "quantinuum.qpu.h9", "sheet": azure_sheet("quantinuum")}
    with pytest.raises(Rejected, match=r"no target 'quantinuum.qpu.h9', there are .*h2-1"):
        asyncio.run(create(options, context).devices())


def test_rigetti_turns_by_quarters_only(azure: Any, make: Any) -> None:
    program = Program(1, 1, (Operation("rx", (0,), (0.4,)), measure(0, 0)))
    with pytest.raises(Rejected, match="quarters"):
        asyncio.run(make("rigetti").submit(job(program, device="rigetti")))
    assert azure.created() == []


def test_the_state_words_are_those_of_azure() -> None:
    # azure-quantum 3.13.0, `_client.models._enums.JobStatus`.
    enumeration = {
        *("Queued", "Waiting", "Executing", "CancellationRequested", "Cancelling", "Finishing"),
        *("Completed", "Succeeded", "Failed", "Cancelled"),
    }
    assert set(STATE_WORDS["azure"]) == enumeration


@pytest.mark.parametrize(
    ("word", "error", "words"),
    [
        ("Failed", JobFailed, r"TooDeep: The circuit is too deep\."),
        ("Cancelled", JobFailed, "cancelled"),
        ("Meditating", AdapterFault, "Meditating"),
    ],
)
def test_other_ends_and_unknown_words(
    azure: Any, make: Any, word: str, error: type[Exception], words: str
) -> None:
    azure.steps = ("Waiting", word)
    provider = make("quantinuum")

    async def through() -> None:
        await provider.submit(job(asymmetric("quantinuum"), device="quantinuum"))
        for made in azure.jobs.values():
            if word == "Failed":
                made["errorData"] = {"code": "TooDeep", "message": "The circuit is too deep."}
        await finished(provider, job(asymmetric("quantinuum"), device="quantinuum"))

    with pytest.raises(error, match=words):
        asyncio.run(through())


@pytest.mark.parametrize(
    ("maker", "output"),
    [
        ("ionq", {"histogram": {"9": 1.0}}),
        ("ionq", {"histogram": {"0": 9 / 16, "5": 7 / 16}}),  # of 16 or 32 shots, not of 40
        ("ionq", {"counts": {}}),
        ("quantinuum", {"c0": ["1"], "c1": ["1", "0"], "c3": ["1"]}),
        ("quantinuum", {"c0": ["1"]}),
        ("rigetti", {"ro": [[1, 0]]}),
        ("rigetti", {"ro": [[1, 0, 2, 0]]}),
        ("rigetti", []),
    ],
)
def test_an_output_that_does_not_fit_is_never_made_to_fit(
    azure: Any, make: Any, maker: str, output: Json
) -> None:
    azure.output = output
    with pytest.raises(AdapterFault):
        run(make(maker), job(asymmetric(maker), device=maker))


def test_fewer_shots_stay_fewer_and_lost_qubits_are_told(azure: Any, make: Any) -> None:
    azure.returned = 0.5
    (result,) = run(make("rigetti"), job(asymmetric("rigetti"), device="rigetti")).programs
    assert result.counts.table == {"1010": 20}
    azure.output = {"c0": ["0", "0", "2"], "c1": ["1", "1", "1"], "c3": ["0", "1", "1"]}
    (result,) = run(make("quantinuum"), job(asymmetric("quantinuum"), device="quantinuum")).programs
    assert result.counts.table == {"0010": 1, "1010": 1}
    assert result.processing == ("1 shots with a lost qubit dropped",)


def test_cancelling_stops_what_runs(azure: Any, make: Any) -> None:
    provider: RemoteProvider = make("quantinuum")

    async def stopped() -> JobState:
        handle = await provider.submit(job(asymmetric("quantinuum"), device="quantinuum"))
        await provider.cancel(handle)
        return await provider.state(handle)

    assert asyncio.run(stopped()) is JobState.CANCELLED
    assert [one["status"] for one in azure.jobs.values()] == ["Cancelled"]


@pytest.mark.parametrize(
    ("status", "error", "words"),
    [
        (400, Rejected, "400: Wrong"),
        (401, Rejected, "401: .*credentials"),
        (403, Rejected, "403: .*credentials"),
        (429, RetryLater, "429: .*asks to wait 12 s"),
        (500, OutcomeUnknown, "500"),
        (503, OutcomeUnknown, "503"),
    ],
)
def test_refusals_say_what_to_do(
    azure: Any, azure_fault: Any, make: Any, status: int, error: type[Exception], words: str
) -> None:
    answer = {"error": {"code": "Wrong", "message": "Wrong"}}
    wait = {"retry-after": "12"} if status == 429 else {}
    azure.faults.append(azure_fault("PUT", "/jobs/", "answer", status, answer, wait))
    provider = make("quantinuum")
    asked = job(asymmetric("quantinuum"), device="quantinuum")
    with pytest.raises(error, match=words) as caught:
        asyncio.run(provider.submit(asked))
    assert type(caught.value) is error
    if status >= 429:
        run(provider, asked)
        assert len(azure.jobs) == 1


@pytest.mark.parametrize("kind", ["lost", "cut", "hang"])
def test_a_job_whose_answer_is_lost_is_found_again_and_paid_once(
    azure: Any, azure_fault: Any, make: Any, kind: str
) -> None:
    short = {"timeout_s": 2.0} if kind == "hang" else {}
    provider = make("rigetti", **short)
    azure.faults.append(azure_fault("PUT", "/jobs/", kind))
    asked = job(asymmetric("rigetti"), device="rigetti")
    with pytest.raises(OutcomeUnknown):
        asyncio.run(provider.submit(asked))
    (result,) = run(provider, asked).programs
    assert result.counts.table == {"1010": 40}
    assert len(azure.jobs) == 1
    assert len(azure.created()) == (1 if kind == "lost" else 2)


@pytest.mark.parametrize(
    ("status", "body"),
    [  # a proxy's page, an answer that was cut, one without a usable id, a redirection
        (200, b"<html>Sign in to continue</html>"),
        (201, b'{"id": "0197379a-c3b8'),
        (201, b'{"status": "Waiting"}'),
        (201, b'{"id": "0197379a-c3b8"}'),
        (303, b""),
    ],
)
@pytest.mark.parametrize("kind", ["garbled", "answer"])
def test_a_job_whose_answer_cannot_be_read_is_found_again_or_sent_for_the_first_time(
    azure: Any, azure_fault: Any, make: Any, kind: str, status: int, body: bytes
) -> None:
    azure.faults.append(azure_fault("PUT", "/jobs/", kind, status, body))
    provider, asked = make("rigetti"), job(asymmetric("rigetti"), device="rigetti")
    with pytest.raises(OutcomeUnknown):
        asyncio.run(provider.submit(asked))
    (result,) = run(provider, asked).programs
    assert result.counts.table == {"1010": 40}
    assert len(azure.jobs) == 1
    assert len(azure.created()) == (1 if kind == "garbled" else 2)


@pytest.mark.parametrize("page", [b"<html>Sign in</html>", b'{"id": "another"}', b"{}"])
def test_a_job_that_cannot_be_read_leaves_the_doubt(
    azure: Any, azure_fault: Any, make: Any, page: bytes
) -> None:
    azure.faults.append(azure_fault("PUT", "/jobs/", "lost"))
    azure.faults.append(azure_fault("GET", "/jobs/", "garbled", 200, page))
    provider, asked = make("rigetti"), job(asymmetric("rigetti"), device="rigetti")
    for _ in range(2):
        with pytest.raises(OutcomeUnknown):
            asyncio.run(provider.submit(asked))
    asyncio.run(provider.submit(asked))
    assert len(azure.created()) == len(azure.jobs) == 1


def test_a_conflict_is_with_our_own_job_only_where_the_workspace_has_it(
    azure: Any, azure_fault: Any, make: Any
) -> None:
    asked = job(asymmetric("rigetti"), device="rigetti")
    locked = {"error": {"code": "ScopeLocked", "message": "The workspace is locked."}}
    azure.faults.append(azure_fault("PUT", "/jobs/", "answer", 409, locked))
    provider = make("rigetti")
    with pytest.raises(OutcomeUnknown, match=r"no job of its id: The workspace is locked\."):
        asyncio.run(provider.submit(asked))
    handle = asyncio.run(provider.submit(asked))
    # A process that remembers nothing sends the job again, and meets it.
    assert asyncio.run(make("rigetti").submit(asked)) == handle
    assert len(azure.jobs) == 1


def test_a_conflict_that_cannot_be_looked_into_leaves_the_doubt(
    azure: Any, azure_fault: Any, make: Any
) -> None:
    asked = job(asymmetric("rigetti"), device="rigetti")
    handle = asyncio.run(make("rigetti").submit(asked))
    for status in (403, 429, 500):
        azure.faults.append(azure_fault("GET", "/jobs/", "answer", status, {}))
        forgetful = make("rigetti")
        with pytest.raises(OutcomeUnknown):
            asyncio.run(forgetful.submit(asked))
        assert asyncio.run(forgetful.submit(asked)) == handle
    assert len(azure.jobs) == 1


def test_one_key_at_two_targets_is_two_jobs(azure: Any, make: Any) -> None:
    for maker in ("quantinuum", "rigetti"):
        (result,) = run(make(maker), job(asymmetric(maker), device=maker)).programs
        assert result.counts.table == {"1010": 40}
    assert len(azure.jobs) == 2


@pytest.mark.parametrize("path", ["storage/sasUri", "/inputData"])
def test_a_failed_upload_has_started_nothing(
    azure: Any, azure_fault: Any, make: Any, path: str
) -> None:
    method = "PUT" if "input" in path else "POST"
    azure.faults.append(azure_fault(method, path, "cut"))
    provider = make("rigetti")
    asked = job(asymmetric("rigetti"), device="rigetti")
    with pytest.raises(RetryLater) as caught:
        asyncio.run(provider.submit(asked))
    assert not isinstance(caught.value, OutcomeUnknown)
    assert azure.created() == []
    run(provider, asked)
    assert len(azure.jobs) == 1


def test_a_restart_between_submission_and_result_changes_nothing(
    azure: Any, make: Any, context: Context, tmp_path: Path
) -> None:
    kept = replace(context, folder=tmp_path)
    asked = job(asymmetric("rigetti"), device="rigetti")
    handle = asyncio.run(make("rigetti", kept).submit(asked))
    assert asyncio.run(make("rigetti", kept).find(handle.key)) == handle
    assert run(make("rigetti", kept), asked).backend_job_id == handle.backend_job_id
    assert len(azure.created()) == 1


def test_the_bill_is_in_the_record_and_a_quote_has_none(azure: Any, make: Any) -> None:
    asked = job(asymmetric("rigetti"), device="rigetti")
    assert asyncio.run(make("rigetti").quote(asked)).cost is None
    record = dict(run(make("rigetti"), asked).backend_record)
    told = json.loads(json.dumps(record))["tasks"][0]["job"]
    assert told["costEstimate"]["estimatedTotal"] == 12.5
    assert told["creationTime"] == "2026-11-22T04:00:00Z"


def as_client(monkeypatch: pytest.MonkeyPatch, base: str, secret: str) -> None:
    monkeypatch.delenv("AZURE_QUANTUM_CONNECTION_STRING")
    monkeypatch.setenv("AZURE_AUTHORITY_HOST", base)
    for name, value in (("TENANT_ID", "contoso"), ("CLIENT_ID", "us"), ("CLIENT_SECRET", secret)):
        monkeypatch.setenv(f"AZURE_{name}", value)


def test_an_application_gets_tokens_and_a_new_one_when_they_expire(
    azure: Any,
    azure_root: str,
    azure_secrets: tuple[str, ...],
    make: Any,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    as_client(monkeypatch, azure.base, azure_secrets[1])
    provider = make("rigetti", resource_id=azure_root, endpoint=azure.base)
    handle = asyncio.run(provider.submit(job(asymmetric("rigetti"), device="rigetti")))
    assert azure.tokens == 1
    azure.valid = "another"
    assert asyncio.run(provider.state(handle)) is JobState.RUNNING
    assert azure.tokens == 2


def test_a_token_comes_from_the_file_that_azures_tools_keep(
    azure: Any,
    azure_root: str,
    azure_secrets: tuple[str, ...],
    make: Any,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv("AZURE_QUANTUM_CONNECTION_STRING")
    monkeypatch.setenv("AZURE_QUANTUM_TOKEN_FILE", str(tmp_path / "token.json"))
    provider = make("rigetti", resource_id=azure_root, endpoint=azure.base)
    with pytest.raises(Rejected, match="AZURE_QUANTUM_TOKEN_FILE"):
        asyncio.run(provider.devices())
    (tmp_path / "token.json").write_text(json.dumps({"access_token": azure_secrets[2]}))
    assert len(asyncio.run(provider.devices())) == 1


def test_missing_credentials_and_workspaces_are_named(
    azure: Any, azure_root: str, context: Context, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AZURE_QUANTUM_CONNECTION_STRING", "ApiKey=secret-in-there;")
    with pytest.raises(Rejected, match=r"has no SubscriptionId.*QuantumEndpoint") as caught:
        create({}, context)
    assert "secret-in-there" not in str(caught.value)
    monkeypatch.delenv("AZURE_QUANTUM_CONNECTION_STRING")
    with pytest.raises(Rejected, match="AZURE_QUANTUM_WORKSPACE_NAME"):
        create({}, context)
    with pytest.raises(Rejected, match="resource_id"):
        create({"resource_id": "/somewhere"}, context)
    with pytest.raises(Rejected, match="AZURE_CLIENT_SECRET"):
        create({"resource_id": azure_root, "location": "eastus"}, context)


def test_a_stray_id_is_no_path(azure: Any, make: Any) -> None:
    with pytest.raises(UnknownHandle):
        asyncio.run(make("rigetti").state(Handle("azure", "rigetti", "1" * 64, "../quotas")))


def test_secrets_appear_nowhere(  # noqa: PLR0917 - fixtures
    azure: Any,
    azure_fault: Any,
    azure_root: str,
    azure_secrets: tuple[str, ...],
    make: Any,
    context: Context,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    caplog.set_level(logging.DEBUG)
    told: list[str] = []
    kept = replace(context, folder=tmp_path / "state")
    for key, way in enumerate(("key", "client"), 1):
        if way == "client":
            as_client(monkeypatch, azure.base, azure_secrets[1])
        where = {"resource_id": azure_root, "endpoint": azure.base} if way == "client" else {}
        provider = make("quantinuum", kept, **where)
        vendor = vars(provider)["_vendor"]
        told += [repr(provider), repr(vars(vendor)), repr(vars(vendor)["_door"])]
        asked = job(asymmetric("quantinuum"), device="quantinuum", key=key)
        asyncio.run(provider.devices())
        used = azure_secrets[0] if way == "key" else azure.valid
        for status in (400, 429):
            body = {"error": {"message": f"{used} and x?se=1&sig={azure_secrets[3]} may not"}}
            azure.faults.append(azure_fault("PUT", "/jobs/", "answer", status, body))
        azure.faults.append(azure_fault("PUT", "/inputData", "cut"))
        for _ in range(3):
            with pytest.raises((Rejected, RetryLater)) as caught:
                asyncio.run(provider.submit(asked))
            told += [str(caught.value), repr(caught.value.__context__)]
        assert any("***" in words for words in told)
        result = run(provider, asked)
        told.append(json.dumps(dict(result.backend_record)))
        assert "outputDataUri" in told[-1]
        told.append((tmp_path / "state" / "azure.journal").read_text())
    told.append(caplog.text)
    assert "127.0.0.1" in caplog.text
    assert not [(s, t) for t in told for s in azure_secrets if s in t]
