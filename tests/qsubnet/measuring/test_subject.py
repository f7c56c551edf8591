"""A device is asked circuit by circuit; what fails is counted, and nothing at all ends it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest

from circuits.counts import Counts
from circuits.program import Operation, Program, measure
from providers.base import Device, DeviceClass, ErrorRates
from providers.errors import JobFailed as BackendFailed
from qsubnet.errors import JobFailed
from qsubnet.measuring.lengths import decay_lengths
from qsubnet.measuring.subject import PATIENCE, Subject

Make = Callable[..., Subject]

FLIP = Program(4, 2, (Operation("x", (3,)), measure(0, 0), measure(3, 1)))


def test_bit_0_is_the_rightmost_character(device: Make) -> None:
    subject = device()
    subject.shots = 7
    assert asyncio.run(subject.answers([FLIP], what="flip")) == [{"10": 7}]
    assert (subject.asked, subject.answered, subject.shots_used) == (1, 1, 7)


def test_a_device_that_answers_nothing_is_given_up_soon(device: Make) -> None:
    subject = device(change=lambda counts: Counts(3, {"000": counts.shots}))
    subject.shots = 7
    with pytest.raises(JobFailed, match="none of its first 5 circuits: bitstrings of 3 bits"):
        asyncio.run(subject.answers([FLIP] * 50, what="flip"))
    assert subject.asked == PATIENCE


def test_what_fails_is_none_and_counted_by_its_reason(device: Make) -> None:
    answered = 0

    def now_and_then(counts: Counts) -> Counts:
        nonlocal answered
        answered += 1
        if answered % 2:
            return counts
        if answered % 4:
            return Counts(2, {})
        raise BackendFailed("out of helium")

    subject = device(change=now_and_then)
    subject.shots = 7
    found = asyncio.run(subject.answers([FLIP] * 8, what="flip"))
    assert [answer is None for answer in found] == [False, True] * 4
    assert subject.failures == {"an answer without a shot": 2, "out of helium": 2}
    assert (subject.asked, subject.answered, subject.shots_used) == (8, 4, 28)


@pytest.mark.parametrize(
    ("rate", "lengths"), [(0.0, (1, 16, 64)), (0.02, (1, 10, 40)), (0.9, (1, 2, 3))]
)
def test_lengths_follow_the_worst_pair_of_the_sheet(
    device: Make, rate: float, lengths: tuple[int, ...]
) -> None:
    topology = device(3).device.topology
    sheet = ErrorRates((0.0,) * 3, (0.0, rate), (0.1,) * 3)
    claim = Device("sheet", DeviceClass.QPU, topology, sheet, "invented")
    assert decay_lengths(claim, qubits=2, pairs=1) == lengths
