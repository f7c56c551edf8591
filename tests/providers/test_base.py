from __future__ import annotations

from dataclasses import replace

import pytest

from circuits.program import Operation, Program, measure
from circuits.topology import Topology, complete
from providers.base import Device, DeviceClass, ErrorRates, Job, JobState

LINE = Topology(3, ((0, 1), (1, 2)), ("cz", "rz", "sx"))
SHEET = ErrorRates((0.001,) * 3, (0.01,) * 2, (0.02,) * 3)
DEVICE = Device("line", DeviceClass.QPU, LINE, SHEET, "fake")
PROGRAM = Program(1, 1, (measure(0, 0),))
JOB = Job("a" * 64, "line", (PROGRAM,), 10)


def test_only_three_states_are_final() -> None:
    assert {state for state in JobState if state.final} == {"completed", "failed", "cancelled"}


@pytest.mark.parametrize("name", ["", "Line", "a b", "x" * 65, "a/b"])
def test_a_device_name_is_short_and_plain(name: str) -> None:
    with pytest.raises(ValueError, match="device name"):
        replace(DEVICE, name=name)


def test_a_qpu_without_a_sheet_is_no_claim() -> None:
    with pytest.raises(ValueError, match="publishes no error rates"):
        replace(DEVICE, errors=None)
    Device("sim", DeviceClass.SIMULATOR, complete(2, ["cx"]), None, "fake")


@pytest.mark.parametrize(
    "sheet",
    [
        ErrorRates((0.0,) * 2, (0.0,) * 2, (0.0,) * 3),
        ErrorRates((0.0,) * 3, (0.0,) * 3, (0.0,) * 3),
        ErrorRates((0.0,) * 3, (0.0,) * 2, ()),
    ],
)
def test_a_sheet_has_a_rate_for_every_qubit_and_edge(sheet: ErrorRates) -> None:
    with pytest.raises(ValueError, match=r"need \(3, 2, 3\) error rates"):
        replace(DEVICE, errors=sheet)


@pytest.mark.parametrize("rate", [-0.1, 1.1, float("nan")])
def test_a_rate_is_a_probability(rate: float) -> None:
    with pytest.raises(ValueError, match="readout"):
        ErrorRates((0.0,), (), (rate,))


@pytest.mark.parametrize(
    "other",
    [
        replace(DEVICE, name="other"),
        replace(DEVICE, fee_rao_per_shot=1),
        replace(DEVICE, errors=replace(SHEET, two_qubit=(0.01, 0.02))),
        replace(DEVICE, topology=replace(LINE, edges=((1, 0), (1, 2)))),
    ],
)
def test_a_claim_that_differs_anywhere_has_another_digest(other: Device) -> None:
    assert other.digest != DEVICE.digest


def test_the_digest_of_a_claim_is_the_same_for_everybody() -> None:
    # Golden: validators compare claims by this digest.
    assert DEVICE.digest == "c2249ceaa86cb5d72cc00153b3ae260cabb12d22d0a82570f2410fc7ba33e17d"


@pytest.mark.parametrize(
    "other",
    [
        replace(JOB, shots=11),
        replace(JOB, key="b" * 64),
        replace(JOB, verbatim=False),
        replace(JOB, memory=True),
        replace(JOB, programs=(PROGRAM, PROGRAM)),
        replace(JOB, programs=(Program(1, 1, (Operation("x", (0,)), measure(0, 0))),)),
    ],
)
def test_a_job_that_differs_anywhere_has_another_digest(other: Job) -> None:
    assert other.digest != JOB.digest
    assert replace(JOB).digest == JOB.digest


@pytest.mark.parametrize("key", ["", "a" * 63, "A" * 64, "g" * 64])
def test_a_job_key_is_64_hex_digits(key: str) -> None:
    with pytest.raises(ValueError, match="64 hex digits"):
        replace(JOB, key=key)


def test_a_job_has_programs_and_shots() -> None:
    with pytest.raises(ValueError, match="got 0 and 10"):
        replace(JOB, programs=())
    with pytest.raises(ValueError, match="got 1 and 0"):
        replace(JOB, shots=0)
