"""Every adapter in the table keeps the contract; and the suite finds those that do not."""

from __future__ import annotations

import ast
import asyncio
import json
from collections.abc import Mapping
from pathlib import Path

import pytest

import providers
from circuits.counts import Counts
from circuits.draws import Draws
from circuits.topology import complete
from providers.base import (
    Context,
    Device,
    DeviceClass,
    Handle,
    Job,
    JobState,
    Json,
    ProgramResult,
    Provider,
    ResultKind,
)
from providers.conformance import check
from providers.dense import probabilities
from providers.errors import UnknownDevice
from providers.findings import Aspect, Report
from providers.local import LocalProvider

# Narrower than what they claim unless told, to spend seconds; every other option is the default.
OPTIONS: dict[str, dict[str, Json]] = {
    "aer": {"num_qubits": 13},
    "braket": {"num_qubits": 9},
    "cirq": {"num_qubits": 9},
}
# These reach their vendor over a network only: each keeps the contract in its own folder, beside a
# service on loopback that speaks the vendor's wire format.
REMOTE = ("azure", "ionq", "openquantum")


async def brief(_seconds: float) -> None:
    """Look again soon: the jobs here are short, and patience counts asked seconds."""
    await asyncio.sleep(0.005)


def examined(provider: Provider, *, shots: int = 2_000) -> Report:
    return asyncio.run(check(provider, shots=shots, pause=brief, patience_s=1e6))


def created(name: str, options: Mapping[str, Json], context: Context) -> LocalProvider:
    provider = providers.create(name, options, context)
    assert isinstance(provider, LocalProvider)
    return provider


@pytest.mark.parametrize("name", sorted(set(providers.ADAPTERS) - set(REMOTE)))
def test_every_adapter_in_the_table_keeps_the_contract(
    name: str, context: Context, needed_options: dict[str, dict[str, Json]]
) -> None:
    options = {**needed_options.get(name, {}), **OPTIONS.get(name, {})}
    provider = created(name, options, context)
    report = examined(provider)
    provider.close()
    assert report.failed == ()
    assert {finding.aspect for finding in report.findings} == set(Aspect)
    assert len(report.findings) >= 20


def checks(source: str) -> list[str]:
    """The tests in a module that call `check` and demand that it finds no fault."""
    module = ast.parse(source)
    if not any(
        isinstance(node, ast.ImportFrom)
        and node.module == "providers.conformance"
        and any(name.name == "check" and name.asname is None for name in node.names)
        for node in module.body
    ):
        return []
    return [
        test.name
        for test in module.body
        if isinstance(test, ast.FunctionDef | ast.AsyncFunctionDef) and test.name.startswith("test")
        if any(
            isinstance(node, ast.Call)
            and isinstance(node.func, ast.Name)
            and node.func.id == "check"
            for node in ast.walk(test)
        )
        and any(
            isinstance(node, ast.Assert) and ast.unparse(node.test) == "report.failed == ()"
            for node in ast.walk(test)
        )
    ]


@pytest.mark.parametrize("name", REMOTE)
def test_an_adapter_without_an_offline_form_keeps_the_contract_in_its_own_tests(name: str) -> None:
    files = (Path(__file__).parent / name).glob("test_*.py")
    assert name in providers.ADAPTERS
    assert [test for path in files for test in checks(path.read_text())]


@pytest.mark.parametrize(
    ("body", "found"),
    [
        (
            "def test_it():\n    report = run(check(make()))\n    assert report.failed == ()",
            ["test_it"],
        ),
        ("def test_it():\n    run(check(make()))", []),
        ("def test_it():\n    assert report.failed == ()", []),
        ("def helper():\n    report = run(check(make()))\n    assert report.failed == ()", []),
        ("# check(make())", []),
    ],
)
def test_only_a_test_that_calls_the_suite_and_looks_at_its_findings_counts(
    body: str, found: list[str]
) -> None:
    assert checks(f"from providers.conformance import check\n{body}\n") == found
    assert checks(f"from elsewhere import check\n{body}\n") == []


def test_a_device_with_reversed_bits_keeps_the_protocol_and_fails_the_probes(
    context: Context,
) -> None:
    provider = created("cheats", {"kind": "reversed"}, context)
    report = examined(provider)
    provider.close()
    assert {finding.aspect for finding in report.failed} == {Aspect.PROBE}
    assert len(report.failed) >= 5


def test_a_clifford_engine_fails_the_entangled_probe_alone(context: Context) -> None:
    provider = created("aer", {"method": "stabilizer", "num_qubits": 40}, context)
    report = examined(provider, shots=200)
    provider.close()
    assert [finding.name for finding in report.failed] == ["entangled, unlike its reorderings"]
    assert "Clifford gates only" in report.failed[0].got


DEVICE = Device("sim", DeviceClass.SIMULATOR, complete(3, ["cx", "u"]), None, "fake")


def ideal(_device: Device, job: Job, index: int, _draws: Draws) -> ProgramResult:
    """The most even sample of a program's own distribution, exactly as many shots as asked."""
    program = job.programs[index]
    law = probabilities(program)
    table = {key: int(p * job.shots) for key, p in law.items()}
    likeliest = max(law, key=lambda key: law[key])
    table[likeliest] += job.shots - sum(table.values())
    return ProgramResult(Counts(program.num_bits, table), ResultKind.COUNTS)


class Faulty(LocalProvider):
    """An otherwise right provider with one fault."""

    def __init__(self, fault: str, context: Context) -> None:
        super().__init__("fake", (DEVICE,), execute=self.answer, context=context)
        self.fault = fault
        self.submitted = 0

    def answer(self, device: Device, job: Job, index: int, draws: Draws) -> ProgramResult:
        result = ideal(device, job, index, draws)
        if self.fault == "fewer shots":
            short = {key: n // 2 for key, n in result.counts.table.items()}
            return ProgramResult(Counts(result.counts.num_bits, short), result.kind)
        if self.fault == "made-up memory":
            return ProgramResult(
                result.counts, result.kind, (), ("0" * result.counts.num_bits,) * job.shots
            )
        return result

    async def submit(self, job: Job) -> Handle:
        if self.fault == "starts twice":
            self.submitted += 1
            fresh = Job(f"{self.submitted:064x}", job.device, job.programs, job.shots)
            return await super().submit(fresh)
        return await super().submit(job)

    async def find(self, key: str) -> Handle | None:
        return None if self.fault == "finds nothing" else await super().find(key)

    async def state(self, handle: Handle) -> JobState:
        if self.fault == "foreign error":
            raise KeyError(handle.key)
        if self.fault == "never ends":
            return JobState.RUNNING
        return await super().state(handle)

    async def calibration(self, device: str) -> Mapping[str, Json]:
        record = await super().calibration(device)
        return {"t1_s": float("nan")} if self.fault == "calibration of nan" else record


@pytest.mark.parametrize(
    ("fault", "finding"),
    [
        ("fewer shots", "result"),
        ("made-up memory", "memory"),
        ("starts twice", "submit and find"),
        ("finds nothing", "submit and find"),
        ("foreign error", "unknown names"),
        ("never ends", "early result and cancel"),
        ("calibration of nan", "calibration"),
    ],
)
def test_the_suite_finds_a_fault(fault: str, finding: str, context: Context) -> None:
    provider = Faulty(fault, context)
    report = asyncio.run(check(provider, pause=brief, patience_s=0.1))
    provider.close()
    assert finding in {found.name for found in report.failed}


def test_the_suite_finds_nothing_where_there_is_nothing(context: Context) -> None:
    provider = Faulty("none", context)
    report = examined(provider)
    provider.close()
    assert report.failed == ()


def test_a_finding_says_what_was_expected_and_got(context: Context) -> None:
    provider = Faulty("calibration of nan", context)
    report = examined(provider)
    provider.close()
    (finding,) = report.failed
    assert finding.expected == "a JSON object"
    assert "ValueError" in finding.got
    assert json.loads(json.dumps(finding.name)) == "calibration"


def test_a_device_that_is_not_offered_is_an_error(context: Context) -> None:
    provider = Faulty("none", context)
    with pytest.raises(UnknownDevice, match="sim"):
        asyncio.run(check(provider, device="other"))
    provider.close()


def test_a_salt_makes_the_jobs_new(context: Context) -> None:
    seen: list[str] = []

    class Watched(Faulty):
        async def submit(self, job: Job) -> Handle:
            seen.append(job.key)
            return await super().submit(job)

    def keys(salt: bytes) -> set[str]:
        seen.clear()
        provider = Watched("none", context)
        asyncio.run(check(provider, salt=salt, pause=brief))
        provider.close()
        return set(seen)

    assert keys(b"a") == keys(b"a")
    assert not keys(b"a") & keys(b"b")
