"""A machine's emulator in this process.

Expected values: closed forms of a depolarizing channel and of a flipped readout.
"""

from __future__ import annotations

import asyncio
import json
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import providers
from circuits.program import Operation, Program, measure
from providers.base import Context, Device, Job, JobResult, Json, ResultKind
from providers.conformance import check
from providers.errors import Rejected
from providers.local import LocalProvider

GARNET = "arn:aws:braket:eu-north-1::device/qpu/iqm/Garnet"
ANKAA = "arn:aws:braket:us-west-1::device/qpu/rigetti/Ankaa-3"
FORTE = "arn:aws:braket:us-east-1::device/qpu/ionq/Forte-Enterprise-1"
SV1 = "arn:aws:braket:::device/quantum-simulator/amazon/sv1"

MakeJob = Callable[..., Job]
Run = Callable[[LocalProvider, Job], JobResult]
Emulate = Callable[..., LocalProvider]


@pytest.fixture
def emulate(capabilities: dict[str, dict[str, Json]], tmp_path: Path, context: Context) -> Emulate:
    """Write a device's properties to a file and open its emulator."""

    def made(arn: str, **options: Json) -> LocalProvider:
        path = tmp_path / "properties.json"
        path.write_text(json.dumps(capabilities[arn]))
        opened = providers.create("braket", {"properties": str(path), **options}, context)
        assert isinstance(opened, LocalProvider)
        return opened

    return made


def offered(provider: LocalProvider) -> Device:
    return asyncio.run(provider.devices())[0]


async def brief(_seconds: float) -> None:
    await asyncio.sleep(0.005)


@pytest.mark.parametrize("arn", [GARNET, ANKAA, FORTE])
def test_the_emulator_of_each_maker_keeps_the_contract(arn: str, emulate: Emulate) -> None:
    provider = emulate(arn, num_qubits=4)
    report = asyncio.run(check(provider, pause=brief, patience_s=1e6))
    provider.close()
    assert report.failed == ()


def test_its_noise_is_what_the_maker_publishes(
    emulate: Emulate, make_job: MakeJob, run_job: Run
) -> None:
    # Qubit 11: F1 = .9979, readout .969; pair 5-11: F2 = .991. A gate of average fidelity F leaves
    # a depolarizing channel that turns a definite bit with probability 1 - F for one qubit and, of
    # two, each with (1 - F2) 5/4 x 8/15; then the readout turns it.
    flips = [Operation("prx", (4,), (math.pi, 0.0))] * 21
    pairs = [Operation("cz", (2, 4))] * 10
    shots = 100_000
    program = Program(5, 1, (*flips, *pairs, measure(4, 0)))
    provider = emulate(GARNET)
    counts = (
        run_job(provider, make_job("braket-emulator", program, shots=20_000)).programs[0].counts
    )
    shots = counts.shots

    keep = (1 - 2 * (1 - 0.9979)) ** 21 * (1 - 2 * 0.009 * 5 / 4 * 8 / 15) ** 10
    expected = 0.5 + 0.5 * keep * (1 - 2 * 0.031)
    spread = math.sqrt(expected * (1 - expected) / shots)
    assert abs(counts.table["1"] / shots - expected) < 5 * spread


def test_one_key_gives_one_answer_and_the_result_says_where_shots_come_from(
    emulate: Emulate, make_job: MakeJob, run_job: Run
) -> None:
    half = Program(5, 1, (Operation("prx", (0,), (math.pi / 2, 0.0)), measure(0, 0)))
    job = make_job("braket-emulator", half)
    first, again = (run_job(emulate(GARNET), job).programs[0] for _ in range(2))
    assert first == again
    assert first.kind is ResultKind.PROBABILITIES
    assert first.processing


def test_a_part_of_a_machine_is_connected(emulate: Emulate) -> None:
    provider = emulate(GARNET, num_qubits=3, fee_rao_per_shot=2, device="part")
    device = offered(provider)
    record: Any = asyncio.run(provider.calibration("part"))
    provider.close()
    assert device.topology.edges == ((0, 1), (0, 2))
    assert record["qubits"] == [1, 2, 5]
    assert record["service"]["updatedAt"] == "2025-11-06T21:04:31.777315+00:00"
    assert device.fee_rao_per_shot == 2


def test_a_file_with_json_in_a_json_text_is_read(
    capabilities: dict[str, dict[str, Json]], tmp_path: Path, context: Context
) -> None:
    # So are the files that Amazon publishes beside its examples.
    path = tmp_path / "twice.json"
    path.write_text(json.dumps(json.dumps(capabilities[GARNET])))
    made = providers.create("braket", {"properties": str(path)}, context)
    assert isinstance(made, LocalProvider)
    assert offered(made).topology.num_qubits == 5
    made.close()


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("{", "the properties: capabilities are no JSON"),
        ('{"service": {}}', "the properties: capabilities: service.shotsRange"),
        (b"\xff\xfe", "are no text"),
        (None, "cannot read the properties"),
    ],
)
def test_wrong_properties_are_refused(
    content: str | bytes | None, words: str, tmp_path: Path, context: Context
) -> None:
    path = tmp_path / "properties.json"
    if content is not None:
        path.write_bytes(content.encode() if isinstance(content, str) else content)
    with pytest.raises(Rejected, match=words):
        providers.create("braket", {"properties": str(path)}, context)


def test_a_simulator_has_no_emulator(emulate: Emulate) -> None:
    with pytest.raises(Rejected, match="it is no machine"):
        emulate(SV1)


def test_what_brakets_emulator_refuses_is_refused_at_the_start(
    capabilities: dict[str, dict[str, Json]], emulate: Emulate
) -> None:
    paradigm: Any = capabilities[GARNET]["paradigm"]
    paradigm["qubitCount"] = 7
    with pytest.raises(Rejected, match=r"emulator refuses the properties: .*qubitCount"):
        emulate(GARNET)
