"""Backends and samplers that Qiskit and its packages ship, through the `qiskit` adapter.

Expected values: the backends' own published properties, `providers.snapshots` (which reads the same
machines from files), and closed forms.
"""

from __future__ import annotations

import asyncio
import math
from collections.abc import Mapping
from typing import Any

import pytest
from qiskit.circuit.library import CXGate, CZGate, Measure, RZGate, SXGate, XGate
from qiskit.primitives import BackendSamplerV2
from qiskit.transpiler import InstructionProperties, Target
from qiskit_aer import AerSimulator
from qiskit_ibm_runtime.fake_provider import FakeManilaV2

import providers
from circuits.case import KnownAnswer
from circuits.families import FAMILIES
from circuits.program import RESET, Operation, Program, measure
from providers.base import Context, Device, DeviceClass, Job, JobResult, Json, ResultKind
from providers.conformance import check
from providers.errors import JobFailed, Rejected
from providers.local import LocalProvider
from providers.qiskit import QiskitProvider, Runner
from providers.qiskit_target import Claim, read_target, target_record
from providers.snapshots import load

FAKES = "qiskit_ibm_runtime.fake_provider"
MANILA: dict[str, Json] = {"target": f"{FAKES}:FakeManilaV2"}
EXACT: dict[str, Json] = {"target": "qiskit.primitives:StatevectorSampler", "num_qubits": 5}
CONTEXT = Context(b"seed", lambda: 0)


def noisy() -> AerSimulator:
    """A factory: Manila's noise, built once, where the fake itself builds it for every run."""
    return AerSimulator.from_backend(FakeManilaV2())


def sampler() -> BackendSamplerV2:
    """A factory: the same machine as a sampler."""
    return BackendSamplerV2(backend=noisy())


def made(options: Mapping[str, Json], context: Context = CONTEXT) -> LocalProvider:
    provider = providers.create("qiskit", options, context)
    assert isinstance(provider, LocalProvider)
    return provider


def around(runner: Runner) -> QiskitProvider:
    device = read_target(runner.target, Claim("manila", num_qubits=5))
    return QiskitProvider(device, runner, context=CONTEXT)


def described(provider: LocalProvider) -> Device:
    return asyncio.run(provider.devices())[0]


def run(
    provider: LocalProvider, *programs: Program, shots: int = 200, memory: bool = False
) -> JobResult:
    async def whole() -> JobResult:
        (device,) = await provider.devices()
        job = Job("1" * 64, device.name, programs, shots, memory=memory)
        handle = await provider.submit(job)
        await provider.wait(handle)
        return await provider.result(handle)

    try:
        return asyncio.run(whole())
    finally:
        provider.close()


def test_a_noisy_machine_keeps_the_contract() -> None:
    async def brief(_seconds: float) -> None:
        await asyncio.sleep(0.002)

    provider = around(Runner(noisy()))
    report = asyncio.run(check(provider, shots=300, pause=brief, patience_s=1e6))
    provider.close()
    assert report.failed == ()


@pytest.mark.parametrize("options", [EXACT, {"target": "qiskit_aer:AerSimulator"}])
def test_an_exact_simulator_is_claimed_as_one_and_keeps_the_contract(
    options: dict[str, Json],
) -> None:
    async def brief(_seconds: float) -> None:
        await asyncio.sleep(0.002)

    provider = made({**options, "num_qubits": 5})
    device = described(provider)
    report = asyncio.run(check(provider, shots=600, pause=brief, patience_s=1e6))
    provider.close()
    assert (device.device_class, device.errors) == (DeviceClass.SIMULATOR, None)
    assert report.failed == ()


def test_a_fake_machine_is_claimed_as_its_published_snapshot_says() -> None:
    device, snapshot = described(made(MANILA)), load("manila")
    assert device.device_class is DeviceClass.QPU
    assert device.name == "fake_manila"
    assert device.topology.native_gates == snapshot.topology.native_gates
    undirected = {frozenset(edge) for edge in snapshot.topology.edges}
    assert {frozenset(edge) for edge in device.topology.edges} == undirected
    assert device.errors is not None
    assert device.errors.one_qubit == pytest.approx(snapshot.errors.one_qubit)
    assert device.errors.two_qubit == pytest.approx(snapshot.errors.two_qubit)
    assert device.errors.readout == pytest.approx(snapshot.errors.readout)


def test_what_runs_is_what_was_sent_on_the_qubits_that_it_names() -> None:
    sent: list[Any] = []

    class Watched(AerSimulator):  # type: ignore[misc]
        def run(self, circuits: Any, *rest: Any, **options: Any) -> Any:
            sent.append(circuits)
            return super().run(circuits, *rest, **options)

    provider = around(Runner(Watched.from_backend(FakeManilaV2())))
    case = FAMILIES["mirror"].generate(
        b"key", width=3, depth=8, topology=described(provider).topology
    )
    (answer,) = run(provider, case.program).programs
    (circuit,) = sent
    pairs = [step for step in circuit.data if step.operation.name == "cx"]
    assert len(pairs) == case.program.two_qubit_gates > 0
    used = {circuit.find_bit(q).index for step in pairs for q in step.qubits}
    assert used <= set(case.program.used_qubits)
    assert isinstance(case.answer, KnownAnswer)
    assert answer.counts.table.get(case.answer.bits, 0) > 120


@pytest.mark.parametrize(
    ("runner", "kind"),
    [(lambda: Runner(noisy()), ResultKind.COUNTS), (lambda: Runner(noisy(), sampler()), "shots")],
)
def test_a_result_says_its_kind_and_keeps_the_backends_record(runner: Any, kind: str) -> None:
    flipped = Program(5, 2, (Operation("x", (3,)), measure(3, 1)))
    result = run(around(runner()), flipped)
    assert result.programs[0].kind == kind
    assert max(
        result.programs[0].counts.table, key=result.programs[0].counts.table.__getitem__
    ) == ("10")
    said: Any = result.backend_record["results"]
    assert "job_id" in said[0]


def test_memory_is_in_order_and_one_key_gives_one_answer() -> None:
    even = Program(5, 1, (Operation("sx", (0,)), measure(0, 0)))
    first, second = (
        run(made({"target": "qiskit_aer:AerSimulator"}), even, memory=True) for _ in "12"
    )
    assert first.programs == second.programs
    assert first.programs[0].memory is not None
    assert len(first.programs[0].memory) == 200
    assert first.programs[0].kind is ResultKind.SHOTS


def test_a_calibration_is_the_backends_own_properties_or_its_target() -> None:
    record: Any = asyncio.run(made(MANILA).calibration("fake_manila"))
    assert record["properties"]["backend_name"] == "ibmq_manila"
    assert record["properties"]["last_update_date"]
    plain: Any = asyncio.run(around(Runner(generic())).calibration("manila"))
    assert plain["sx"][0]["qubits"] == [0]
    assert plain["sx"][0]["error"] > 0
    assert asyncio.run(made(EXACT).calibration("statevectorsampler")) == {}


def generic() -> Any:
    from qiskit.providers.fake_provider import GenericBackendV2

    return GenericBackendV2(4, basis_gates=["cz", "rz", "sx", "x"], seed=7)


def target_of(pairs: Mapping[Any, float | None], gate: Any = None) -> Target:
    """Three qubits: sx, rz, x and measure known everywhere, one two-qubit gate as given."""
    target = Target(num_qubits=3)
    single = {(q,): InstructionProperties(error=0.001 * (q + 1)) for q in range(3)}
    target.add_instruction(SXGate(), single)
    target.add_instruction(XGate(), single)
    target.add_instruction(RZGate(0.1), dict.fromkeys(single))
    target.add_instruction(
        Measure(), {(q,): InstructionProperties(error=0.01 * (q + 1)) for q in range(3)}
    )
    stated = {e: None if r is None else InstructionProperties(error=r) for e, r in pairs.items()}
    target.add_instruction(gate or CXGate(), stated)
    return target


def test_the_better_direction_of_a_pair_is_native() -> None:
    target = target_of({(0, 1): 0.02, (1, 0): 0.01, (1, 2): 0.01, (2, 1): 0.01})
    device = read_target(target, Claim("three"))
    assert device.topology.edges == ((1, 0), (1, 2))
    assert device.errors is not None
    assert device.errors.one_qubit == pytest.approx((0.001, 0.002, 0.003))
    assert device.errors.two_qubit == (0.01, 0.01)
    assert device.errors.readout == pytest.approx((0.01, 0.02, 0.03))


def test_a_broken_pair_is_no_coupling_and_one_without_an_error_neither() -> None:
    target = target_of({(0, 1): 1.0, (1, 2): 0.01})
    assert read_target(target, Claim("three")).topology.edges == ((1, 2),)
    target = target_of({(0, 1): None, (1, 2): 0.01})
    assert read_target(target, Claim("three")).topology.edges == ((1, 2),)


def test_the_gate_on_most_pairs_is_native() -> None:
    target = target_of({(0, 1): 0.01, (1, 2): 0.02})
    target.add_instruction(CZGate(), {(0, 1): InstructionProperties(error=0.001)})
    device = read_target(target, Claim("three"))
    assert device.topology.native_gates == ("cx", "rz", "sx", "x")


def test_couplings_without_errors_make_a_simulator_and_never_a_qpu() -> None:
    target = target_of({(0, 1): None, (1, 0): None, (1, 2): None})
    device = read_target(target, Claim("three"))
    assert (device.device_class, device.errors) == (DeviceClass.SIMULATOR, None)
    assert device.topology.edges == ((0, 1), (1, 2))
    with pytest.raises(Rejected, match="publishes no error rates: give a 'sheet'"):
        read_target(target, Claim("three", "qpu"))


def test_a_target_record_has_every_stated_error() -> None:
    record: Any = target_record(target_of({(0, 1): 0.01}))
    assert record["cx"] == [{"qubits": [0, 1], "error": 0.01, "duration_s": None}]
    assert "rz" not in record


def test_a_sheet_stands_in_for_what_a_backend_says() -> None:
    sheet: Json = {
        "name": "mine",
        "class": "qpu",
        "num_qubits": 2,
        "native_gates": ["rz", "sx", "x"],
        "two_qubit_gate": "cx",
        "coupling": [[0, 1]],
        "errors": {"one_qubit": 0.001, "two_qubit": 0.01, "readout": 0.02},
    }
    device = described(made({**MANILA, "sheet": sheet, "fee_rao_per_shot": 4}))
    assert (device.name, device.provider, device.fee_rao_per_shot) == ("mine", "qiskit", 4)
    assert device.topology.edges == ((0, 1),)


def test_a_backends_failure_is_passed_on() -> None:
    provider = made({"target": "qiskit_aer:AerSimulator", "arguments": {"method": "stabilizer"}})
    with pytest.raises(JobFailed, match=r"aer_simulator.*"):
        run(provider, Program(1, 1, (Operation("t", (0,)), measure(0, 0))))


def test_a_reset_that_the_target_lacks_is_refused() -> None:
    runner = Runner(type("Backend", (), {"target": target_of({(0, 1): 0.01}), "name": "three"})())
    provider = around(runner)
    with pytest.raises(Rejected, match="'manila' has no reset"):
        run(provider, Program(3, 1, (Operation(RESET, (0,)), measure(0, 0))))


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({}, "needs the option 'target'"),
        ({"target": "qiskit_aer"}, "needs the option 'target'"),
        ({**EXACT, "arguments": [1]}, "'arguments' as a JSON object"),
        ({**EXACT, "arguments": {"colour": 1}}, "unexpected keyword argument 'colour'"),
        ({"target": "qiskit_aer:NoSuchSimulator"}, "no attribute 'NoSuchSimulator'"),
        ({"target": "math:prod", "arguments": {}}, "option 'target' of 'qiskit'"),
        ({"target": "collections:OrderedDict"}, "makes a OrderedDict, need a BackendV2 or a"),
        ({**EXACT, "class": "analog"}, "one of auto, qpu, simulator"),
        ({**EXACT, "backend": "x"}, "no option 'backend'"),
    ],
)
def test_a_wrong_option_is_refused(options: Mapping[str, Json], words: str) -> None:
    with pytest.raises(Rejected, match=words):
        made(options)


def test_counts_of_a_turned_qubit_follow_the_closed_form() -> None:
    # P(1) = sin^2(0.4); five standard deviations of 2000 shots are below .056.
    turned = Program(5, 1, (Operation("ry", (2,), (0.8,)), measure(2, 0)))
    table = run(made(EXACT), turned, shots=2_000).programs[0].counts.table
    assert abs(table["1"] / 2_000 - math.sin(0.4) ** 2) < 0.056
