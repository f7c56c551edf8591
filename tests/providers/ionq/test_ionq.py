"""The IonQ adapter against a service that runs what it is sent (see conftest.py)."""

from __future__ import annotations

import asyncio
import json
import logging
import math
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from circuits.draws import Draws
from circuits.gates import GATES
from circuits.mirror import Mirror
from circuits.program import RESET, Operation, Program, measure
from circuits.topology import complete
from providers.base import (
    Context,
    Cost,
    DeviceClass,
    Handle,
    Job,
    JobResult,
    JobState,
    Json,
    ResultKind,
)
from providers.conformance import check
from providers.dense import probabilities
from providers.errors import (
    AdapterFault,
    JobFailed,
    OutcomeUnknown,
    Rejected,
    RetryLater,
    UnknownHandle,
)
from providers.ionq import create
from providers.ionq_gates import circuit
from providers.remote import RemoteProvider
from providers.state_words import STATE_WORDS

MACHINE: dict[str, Json] = {"backend": "qpu.forte-1", "device": "forte"}
FLIP = Operation("gpi", (0,), (0.7,))
ASYMMETRIC = Program(
    3,
    4,
    (FLIP, Operation("gpi", (2,), (0.1,)), measure(0, 1), measure(1, 0), measure(2, 3)),
)

UNREADABLE = [  # a proxy's page, an answer that was cut, one without a usable id, a redirection
    (200, b"<html>Sign in to continue</html>"),
    (201, b'{"id": "0197379a-c3b8'),
    (201, b'{"status": "submitted"}'),
    (201, b'{"id": ""}'),
    (201, b'{"id": "../whoami"}'),
    (303, b""),
]


@pytest.fixture
def provider(ionq: Any, context: Context) -> RemoteProvider:
    return create(MACHINE, context)


async def brief(_seconds: float) -> None:
    await asyncio.sleep(0)


def job(
    *programs: Program, device: str = "forte", shots: int = 50, key: int = 1, memory: bool = False
) -> Job:
    return Job(f"{key:064x}", device, programs, shots, memory=memory)


async def finished(provider: RemoteProvider, asked: Job) -> JobResult:
    handle = await provider.submit(asked)
    for _ in range(9):
        if (await provider.state(handle)).final:
            break
    return await provider.result(handle)


def run(provider: RemoteProvider, asked: Job) -> JobResult:
    return asyncio.run(finished(provider, asked))


@pytest.mark.parametrize(
    ("options", "gates", "formats"),
    [
        ({}, (), ()),
        (MACHINE, ("gpi", "gpi2", "zz"), ("shots", "histogram")),
        (MACHINE, ("gpi", "gpi2", "ms"), ("histogram",)),
        (MACHINE, ("gpi", "gpi2", "zz"), ()),
    ],
    ids=["simulator", "shots", "histogram", "probabilities"],
)
def test_the_adapter_keeps_the_contract(
    ionq: Any,
    context: Context,
    options: dict[str, Json],
    gates: tuple[str, ...],
    formats: tuple[str, ...],
) -> None:
    ionq.gates, ionq.formats = gates, formats
    report = asyncio.run(check(create(options, context), pause=brief, patience_s=1e6))
    assert report.failed == ()
    assert len(report.findings) >= 20


def test_a_machine_claims_what_ionq_publishes(ionq: Any, provider: RemoteProvider) -> None:
    (device,) = asyncio.run(provider.devices())
    assert (device.name, device.device_class) == ("forte", DeviceClass.QPU)
    assert device.topology.native_gates == ("gpi", "gpi2", "rzz")
    assert len(device.topology.edges) == 10
    assert device.errors is not None
    assert [round(e, 6) for e in (device.errors.one_qubit[0], device.errors.two_qubit[9])] == [
        0.0002,
        0.007,
    ]
    assert round(device.errors.readout[4], 6) == 0.0038
    record = dict(asyncio.run(provider.calibration("forte")))
    assert json.loads(json.dumps(record))["characterization"]["date"] == "2026-09-02T03:04:05Z"


def test_the_simulator_claims_to_be_exact_and_as_wide_as_it_is(ionq: Any, context: Context) -> None:
    (device,) = asyncio.run(create({"num_qubits": 4}, context).devices())
    assert (device.name, device.topology.num_qubits) == ("simulator", 4)
    assert (device.device_class, device.errors) == (DeviceClass.SIMULATOR, None)


@pytest.mark.parametrize("kind", ["shots", "histogram", "probabilities"])
def test_an_asymmetric_program_reads_right_in_every_format(
    ionq: Any, provider: RemoteProvider, kind: str
) -> None:
    ionq.formats = () if kind == "probabilities" else (kind,)
    (result,) = run(provider, job(ASYMMETRIC, memory=True)).programs
    assert result.counts.table == {"1010": 50}
    assert result.kind is ResultKind(kind.replace("histogram", "counts"))
    assert result.memory == (("1010",) * 50 if kind == "shots" else None)
    assert bool(result.processing) == (kind == "probabilities")


def test_the_simulators_probabilities_become_the_same_shots_again(
    ionq: Any, context: Context
) -> None:
    program = Program(2, 2, (Operation("u", (0,), (1.0, 0.2, 0.3)), measure(0, 1), measure(1, 0)))
    first, second = (
        run(create({}, context), job(program, device="simulator", shots=400)).programs[0]
        for _ in range(2)
    )
    assert first == second
    assert first.kind is ResultKind.PROBABILITIES
    assert "drawn" in first.processing[0]
    assert first.counts.shots == 400
    # sin^2(1/2) = 0.2298; five sigma of 400 shots are 0.105
    assert first.counts.table["10"] / 400 == pytest.approx(math.sin(0.5) ** 2, abs=0.105)


def test_every_gate_of_the_profile_means_the_same_at_ionq(ionq_law: Callable[..., Any]) -> None:
    for name, gate in GATES.items():
        draws = Draws(b"ionq gates", name)
        before = [
            Operation("u", (q,), tuple(6.28 * draws.random() for _ in range(3))) for q in range(3)
        ]
        angles = tuple(6.28 * draws.random() for _ in range(gate.num_angles))
        qubits = tuple(draws.permutation(3)[: gate.num_qubits])
        after = [
            Operation("u", (q,), tuple(6.28 * draws.random() for _ in range(3))) for q in range(3)
        ]
        ends = [measure(q, q) for q in range(3)]
        program = Program(3, 3, (*before, Operation(name, qubits, angles), *after, *ends))
        written = circuit(program, native=False)
        theirs = ionq_law({"qubits": 3, "gateset": "qis", "circuit": written})
        ours = [probabilities(program).get(f"{state:03b}", 0.0) for state in range(8)]
        assert np.allclose(theirs, ours, atol=1e-9), name


def test_native_gates_are_written_as_ionqs_own_tools_write_them() -> None:
    # qiskit-ionq 1.1.1: GPIGate(.125), GPI2Gate(-.25), MSGate(0, 0, .25), ZZGate(.1), circuits'
    # `qiskit_circ_to_ionq_circ(..., gateset="native")`; ours are 2 pi times as large, in radians.
    tau = 2 * math.pi
    program = Program(
        3,
        1,
        (
            Operation("gpi", (2,), (0.125 * tau,)),
            Operation("gpi2", (0,), (-0.25 * tau,)),
            Operation("rxx", (1, 0), (0.25 * tau,)),
            Operation("rzz", (0, 2), (0.1 * tau,)),
        ),
    )
    assert circuit(program, native=True) == [
        {"gate": "gpi", "target": 2, "phase": 0.125},
        {"gate": "gpi2", "target": 0, "phase": -0.25},
        {"gate": "ms", "targets": [1, 0], "phases": [0, 0], "angle": 0.25},
        {"gate": "zz", "targets": [0, 2], "angle": 0.1},
    ]


@pytest.mark.parametrize("gate", ["ms", "zz"])
def test_a_mirror_reaches_the_machine_gate_by_gate(
    ionq: Any, provider: RemoteProvider, gate: str
) -> None:
    ionq.gates = ("gpi", "gpi2", gate)
    (device,) = asyncio.run(provider.devices())
    case = Mirror().generate(b"secret", width=4, depth=4, topology=device.topology)
    (result,) = run(provider, job(case.program)).programs
    (sent,) = ionq.created()
    names = [one["gate"] for one in sent["input"]["circuit"]]
    assert names.count(gate) == case.program.two_qubit_gates > 0
    ours = [op.name.replace("rxx", "ms").replace("rzz", "zz") for op in case.program.operations]
    assert names == [name for name in ours if name in ("gpi", "gpi2", "ms", "zz")]
    assert sent["input"]["gateset"] == "native"
    assert sent["settings"]["error_mitigation"] == {"debiasing": False}
    assert list(result.counts.table) == [case.answer.bits]  # type: ignore[union-attr]


def test_debiasing_is_off_unless_asked_for_and_then_listed(ionq: Any, context: Context) -> None:
    ionq.formats = ()
    debiased = create({**MACHINE, "debiasing": "on"}, context)
    (result,) = run(debiased, job(ASYMMETRIC)).programs
    assert ionq.created()[0]["settings"]["error_mitigation"] == {"debiasing": True}
    assert result.processing[0] == "IonQ's debiasing"


def test_mitigated_probabilities_are_rounded_and_said_to_be(ionq: Any, context: Context) -> None:
    ionq.formats = ()
    ionq.results["/results/probabilities"] = {"0": 0.333, "5": 0.337, "7": 0.33}
    debiased = create({**MACHINE, "debiasing": "on"}, context)
    (result,) = run(debiased, job(ASYMMETRIC, shots=100)).programs
    assert result.counts.table == {"0000": 33, "1010": 34, "1011": 33}
    assert result.kind is ResultKind.PROBABILITIES
    assert "no counts of shots" in result.processing[1]


@pytest.mark.parametrize("kind", ["shots", "histogram"])
def test_fewer_shots_stay_fewer(ionq: Any, provider: RemoteProvider, kind: str) -> None:
    ionq.formats = (kind,)
    ionq.returned = 0.4
    (result,) = run(provider, job(ASYMMETRIC)).programs
    assert result.counts.table == {"1010": 20}


def test_shots_that_are_missing_are_never_made_up_from_shares(
    ionq: Any, provider: RemoteProvider
) -> None:
    # 41 and 39 of the 80 shots that came back, of 100: 51.25 and 48.75 would not have been seen.
    ionq.formats = ()
    ionq.results["/results/probabilities"] = {"0": 41 / 80, "5": 39 / 80}
    with pytest.raises(AdapterFault, match=r"shares of the 100 shots .* got 0\.[45]"):
        run(provider, job(ASYMMETRIC, shots=100))


def test_shares_that_fit_say_that_all_shots_are_assumed(
    ionq: Any, provider: RemoteProvider
) -> None:
    ionq.formats = ()
    ionq.returned = 0.4  # all 20 of them in one state: 1.0 is a share of 50 shots as well
    (result,) = run(provider, job(ASYMMETRIC)).programs
    assert result.kind is ResultKind.PROBABILITIES
    assert result.processing == (
        "probabilities times the 50 shots asked for, assumed to be all back",
    )


def test_shares_are_read_as_the_machine_counted_them(ionq: Any, provider: RemoteProvider) -> None:
    # Shares of an odd number of shots have no short decimals: k/997 as a double, times 997.
    ionq.formats = ()
    counted = {"0": 331, "5": 665, "7": 1}
    ionq.results["/results/probabilities"] = {state: k / 997 for state, k in counted.items()}
    (result,) = run(provider, job(ASYMMETRIC, shots=997)).programs
    assert result.counts.table == {"0000": 331, "1010": 665, "1011": 1}


@pytest.mark.parametrize(
    ("formats", "path", "answer"),
    [
        ((), "/results/probabilities", {"8": 1.0}),
        ((), "/results/probabilities", {"-1": 1.0}),
        ((), "/results/probabilities", {"1": -0.5, "0": 1.5}),
        ((), "/results/probabilities", {"0": 3.0}),
        (("histogram",), "/artifacts/a-histogram", {"0": 1.5}),
        (("shots",), "/artifacts/a-shots", {"0": 3}),
        (("shots",), "/artifacts/a-shots", ["9"]),
    ],
)
def test_an_answer_that_does_not_fit_is_never_made_to_fit(
    ionq: Any, provider: RemoteProvider, formats: tuple[str, ...], path: str, answer: Json
) -> None:
    ionq.formats = formats
    ionq.results[path] = answer
    with pytest.raises(AdapterFault):
        run(provider, job(ASYMMETRIC))


def test_what_ionq_cannot_say_is_refused_before_anything_is_sent(
    ionq: Any, provider: RemoteProvider
) -> None:
    again = (FLIP, measure(0, 0), FLIP, measure(0, 1))
    for operations, words in (
        ((Operation("rzz", (0, 1), (2.0,)), measure(0, 0)), r"0 \.\. pi/2"),
        ((Operation(RESET, (0,)), measure(0, 0)), "reset"),
        (again, "middle of"),
        ((Operation("rxx", (0, 1), (1.0,)), measure(0, 0)), "not native"),
    ):
        with pytest.raises(Rejected, match=words):
            asyncio.run(provider.submit(job(Program(2, 2, operations))))
    assert ionq.created() == []


def test_the_state_words_are_those_of_ionq() -> None:
    # OpenAPI v0.4, schema JobStatus; cirq-ionq 1.7.0, Job.ALL_STATES ("deleted" exists only in
    # the answer to a deletion, which this adapter never asks for).
    openapi = {"submitted", "ready", "started", "canceled", "failed", "completed"}
    cirq_ionq = {"ready", "submitted", "running", "completed", "canceled", "failed", "deleted"}
    assert set(STATE_WORDS["ionq"]) == (openapi | cirq_ionq) - {"deleted"}


def test_a_failure_passes_on_ionqs_own_words(ionq: Any, provider: RemoteProvider) -> None:
    ionq.steps = ("submitted", "failed")

    async def failing() -> None:
        handle = await provider.submit(job(ASYMMETRIC))
        for made in ionq.jobs.values():
            made["failure"] = {"code": "QuantumComputerError", "message": "An ion was lost."}
        assert await provider.state(handle) is JobState.FAILED
        await provider.result(handle)

    with pytest.raises(JobFailed, match=r"QuantumComputerError: An ion was lost\."):
        asyncio.run(failing())


@pytest.mark.parametrize(("word", "error"), [("canceled", JobFailed), ("resting", AdapterFault)])
def test_other_ends_and_unknown_words(
    ionq: Any, provider: RemoteProvider, word: str, error: type[Exception]
) -> None:
    ionq.steps = ("submitted", word)
    with pytest.raises(error, match="cancelled" if word == "canceled" else "resting"):
        run(provider, job(ASYMMETRIC))


def test_cancelling_stops_what_runs_and_spares_what_is_done(
    ionq: Any, provider: RemoteProvider
) -> None:
    async def stopped(key: int) -> JobState:
        handle = await provider.submit(job(ASYMMETRIC, key=key))
        await provider.cancel(handle)
        await provider.cancel(handle)
        return await provider.state(handle)

    assert asyncio.run(stopped(1)) is JobState.CANCELLED
    assert [m for m, _, _ in ionq.seen].count("PUT") == 1
    ionq.steps = ("submitted", "completed")
    asyncio.run(stopped(2))
    assert [m for m, _, _ in ionq.seen].count("PUT") == 1


@pytest.mark.parametrize(
    ("status", "error", "words"),
    [
        (400, Rejected, "400: Too many gates"),
        (401, Rejected, "401: .*credentials"),
        (403, Rejected, "403: .*credentials"),
        (429, RetryLater, "429: .*asks to wait 30 s"),
        (500, OutcomeUnknown, "500"),
        (503, OutcomeUnknown, "503"),
    ],
)
def test_refusals_say_what_to_do(
    ionq: Any,
    ionq_fault: Any,
    provider: RemoteProvider,
    status: int,
    error: type[Exception],
    words: str,
) -> None:
    answer = {"statusCode": status, "error": "Error", "message": "Too many gates"}
    wait = {"retry-after": "30"} if status == 429 else {}
    ionq.faults.append(ionq_fault("POST", "/jobs", "answer", status, answer, wait))
    with pytest.raises(error, match=words) as caught:
        asyncio.run(provider.submit(job(ASYMMETRIC)))
    assert type(caught.value) is error
    assert len(ionq.created()) == 1
    if status >= 429:  # the same call goes on, and what never arrived is sent then
        run(provider, job(ASYMMETRIC))
        assert len(ionq.jobs) == 1


@pytest.mark.parametrize("kind", ["lost", "cut", "hang"])
def test_a_job_whose_answer_is_lost_is_found_again_and_paid_once(
    ionq: Any, ionq_fault: Any, context: Context, kind: str
) -> None:
    # Only what hangs needs a short wait, one that a busy machine's other calls still keep.
    short: dict[str, Json] = {"timeout_s": 2.0} if kind == "hang" else {}
    provider = create({**MACHINE, **short}, context)
    ionq.faults.append(ionq_fault("POST", "/jobs", kind))

    async def through() -> JobResult:
        for other in range(2, 7):  # more of the newest jobs than a page has
            await provider.submit(job(ASYMMETRIC, key=other))
        return await finished(provider, job(ASYMMETRIC, key=1))

    with pytest.raises(OutcomeUnknown):
        asyncio.run(provider.submit(job(ASYMMETRIC)))
    (result,) = asyncio.run(through()).programs
    assert result.counts.table == {"1010": 50}
    tokens = [body["metadata"]["token"] for body in ionq.created()]
    assert len(ionq.jobs) == 6
    assert tokens.count(tokens[0]) == (1 if kind == "lost" else 2)


@pytest.mark.parametrize(("status", "body"), UNREADABLE)
def test_a_job_whose_answer_cannot_be_read_is_found_again_and_paid_once(
    ionq: Any, ionq_fault: Any, provider: RemoteProvider, status: int, body: bytes
) -> None:
    ionq.faults.append(ionq_fault("POST", "/jobs", "garbled", status, body))
    with pytest.raises(OutcomeUnknown):
        asyncio.run(provider.submit(job(ASYMMETRIC)))
    (result,) = run(provider, job(ASYMMETRIC)).programs
    assert result.counts.table == {"1010": 50}
    assert len(ionq.created()) == len(ionq.jobs) == 1


@pytest.mark.parametrize(
    "page", [b"<html>Sign in</html>", b'{"jobs": [{"id"', b"{}", b'{"jobs": [], "next": 7}']
)
def test_a_list_that_cannot_be_read_leaves_the_doubt(
    ionq: Any, ionq_fault: Any, provider: RemoteProvider, page: bytes
) -> None:
    ionq.faults.append(ionq_fault("POST", "/jobs", "lost"))
    ionq.faults.append(ionq_fault("GET", "/jobs", "garbled", 200, page))
    for _ in range(2):
        with pytest.raises(OutcomeUnknown):
            asyncio.run(provider.submit(job(ASYMMETRIC)))
    asyncio.run(provider.submit(job(ASYMMETRIC)))
    assert len(ionq.created()) == len(ionq.jobs) == 1


@pytest.mark.parametrize("kind", ["lost", "cut"])
def test_a_job_beyond_the_newest_that_are_looked_through_is_not_sent_again(
    ionq: Any, ionq_fault: Any, context: Context, tmp_path: Path, kind: str
) -> None:
    kept = replace(context, folder=tmp_path)
    few = create({**MACHINE, "lookup_jobs": 3}, kept)
    ionq.faults.append(ionq_fault("POST", "/jobs", kind))
    with pytest.raises(OutcomeUnknown):
        asyncio.run(few.submit(job(ASYMMETRIC)))
    for other in range(2, 8):  # three pages of two
        asyncio.run(few.submit(job(ASYMMETRIC, key=other)))
    for asked in (few.submit(job(ASYMMETRIC)), few.find(job(ASYMMETRIC).key)):
        with pytest.raises(OutcomeUnknown, match=r"newest 3.*lookup_jobs"):
            asyncio.run(asked)
    assert len(ionq.created()) == 7
    many = create({**MACHINE, "lookup_jobs": 9}, kept)  # the list ends before
    asyncio.run(many.submit(job(ASYMMETRIC)))
    assert len(ionq.jobs) == 7
    assert len(ionq.created()) == (7 if kind == "lost" else 8)


def test_a_restart_between_submission_and_result_changes_nothing(
    ionq: Any, context: Context, tmp_path: Path
) -> None:
    kept = replace(context, folder=tmp_path)
    handle = asyncio.run(create(MACHINE, kept).submit(job(ASYMMETRIC)))
    assert asyncio.run(create(MACHINE, kept).find(handle.key)) == handle
    result = run(create(MACHINE, kept), job(ASYMMETRIC))
    assert result.backend_job_id == handle.backend_job_id
    assert len(ionq.created()) == 1


def test_a_read_that_fails_may_be_repeated(
    ionq: Any, ionq_fault: Any, provider: RemoteProvider
) -> None:
    handle = asyncio.run(provider.submit(job(ASYMMETRIC)))
    for kind, status in (("answer", 502), ("cut", 0), ("answer", 429)):
        ionq.faults.append(ionq_fault("GET", "/jobs/.*", kind, status, {"message": "busy"}))
        with pytest.raises(RetryLater):
            asyncio.run(provider.state(handle))
    assert asyncio.run(provider.state(handle)) is JobState.QUEUED


def test_nobody_at_the_door_starts_nothing(context: Context, monkeypatch: Any) -> None:
    monkeypatch.setenv("IONQ_API_KEY", "any")
    provider = create({**MACHINE, "url": "http://127.0.0.1:9"}, context)
    with pytest.raises(RetryLater) as caught:
        asyncio.run(provider.devices())
    assert not isinstance(caught.value, OutcomeUnknown)


def test_a_machines_price_and_bill_are_ionqs_own(ionq: Any, provider: RemoteProvider) -> None:
    program = Program(2, 1, (FLIP, Operation("rzz", (0, 1), (0.5,)), measure(0, 0)))
    quote = asyncio.run(provider.quote(job(program, program, shots=1_000)))
    # 2 programs x 1000 shots x (0.0001645 + 0.0011213) dollars
    assert quote.cost == Cost("2.5716", "USD")
    assert ionq.created() == []
    record = dict(run(provider, job(program)).backend_record)
    told = json.loads(json.dumps(record))["tasks"][0]
    assert told["cost"]["cost"] == {"value": 24.83, "unit": "usd"}
    assert told["job"]["execution_duration_ms"] == 4200
    assert len(told["result"]["sha256"]) == 64


def test_the_simulator_has_no_price(ionq: Any, context: Context) -> None:
    program = Program(1, 1, (measure(0, 0),))
    asked = job(program, device="simulator")
    assert asyncio.run(create({}, context).quote(asked)).cost is None


def test_a_stray_id_is_no_path(ionq: Any, provider: RemoteProvider) -> None:
    stray = Handle("ionq", "forte", "1" * 64, "../whoami")
    with pytest.raises(UnknownHandle):
        asyncio.run(provider.state(stray))


def test_without_a_key_the_message_names_the_variable(
    context: Context, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("IONQ_API_KEY", raising=False)
    with pytest.raises(Rejected, match="IONQ_API_KEY"):
        create({}, context)
    with pytest.raises(Rejected, match="OTHER_KEY"):
        create({"token_env": "OTHER_KEY"}, context)


def test_retired_and_unknown_backends_are_refused(
    ionq: Any, ionq_fault: Any, context: Context
) -> None:
    with pytest.raises(Rejected, match=r"no backend 'qpu.nova', there are .*qpu.forte-1"):
        asyncio.run(create({"backend": "qpu.nova"}, context).devices())
    retired = [{"backend": "qpu.forte-1", "status": "retired", "qubits": 5}]
    ionq.faults.append(ionq_fault("GET", "/backends", "answer", 200, retired))
    with pytest.raises(Rejected, match="retired"):
        asyncio.run(create(MACHINE, context).devices())


def test_the_key_appears_nowhere(
    ionq: Any,
    ionq_key: str,
    ionq_fault: Any,
    context: Context,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    caplog.set_level(logging.DEBUG)
    kept = replace(context, folder=tmp_path)
    provider = create(MACHINE, kept)
    told: list[str] = [repr(provider), repr(vars(provider)), str(vars(provider._vendor)["_rest"])]
    for status in (400, 401, 429, 500):
        echo = {"message": f"apiKey {ionq_key} may not"}
        ionq.faults.append(ionq_fault("POST", "/jobs", "answer", status, echo))
        with pytest.raises((Rejected, RetryLater)) as caught:
            asyncio.run(provider.submit(job(ASYMMETRIC)))
        told += [str(caught.value), repr(caught.value.__context__)]
        assert "***" in str(caught.value)
    result = run(provider, job(ASYMMETRIC))
    told += [json.dumps(dict(result.backend_record)), (tmp_path / "ionq.journal").read_text()]
    told += [caplog.text, json.dumps(ionq.created())]
    assert "127.0.0.1" in caplog.text
    assert not [text for text in told if ionq_key in text]


def test_the_device_is_found_where_edges_are_published_in_part(ionq: Any, context: Context) -> None:
    told = ionq.characterization() | {"connectivity": [[1, 0], [0, 1], [4, 2]]}
    ionq.characterization = lambda: told
    (device,) = asyncio.run(create(MACHINE, context).devices())
    assert device.topology.edges == ((0, 1), (2, 4))
    told["connectivity"] = []
    (device,) = asyncio.run(create(MACHINE, context).devices())
    assert device.topology.edges == complete(5, ()).edges
