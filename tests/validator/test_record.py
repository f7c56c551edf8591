"""Records: what came back, and the order in which bets look at it."""

from __future__ import annotations

from dataclasses import replace
from itertools import permutations

import pytest

from circuits.case import Case, KnownAnswer
from circuits.counts import Counts
from circuits.program import Program, measure
from circuits.topology import Topology
from providers.base import Device, DeviceClass
from validator.record import Record, chronological

PROGRAM = Program(1, 1, (measure(0, 0),))
DEVICE = Device("d", DeviceClass.SIMULATOR, Topology(1, (), ("x",)), None, "test")
FIRST = Record(
    hotkey="hk",
    device=DEVICE,
    epoch=1,
    job_key="a" * 64,
    index=0,
    program=PROGRAM,
    shots_asked=10,
    counts=Counts(1, {"0": 7}),
    kind=None,
    case=Case("mirror", 1, 0, (0,), PROGRAM, KnownAnswer("0")),
    receipt_digest="",
)


@pytest.mark.parametrize(("counts", "shots"), [(Counts(1, {"0": 7}), 7), (None, 0)])
def test_shots_returned_are_those_that_came_back(counts: Counts | None, shots: int) -> None:
    assert replace(FIRST, counts=counts).shots_returned == shots


def test_order_is_epoch_then_family_then_job_then_place() -> None:
    assert FIRST.case is not None
    readout = replace(FIRST.case, family="readout")
    expected = [
        replace(FIRST, case=None),
        FIRST,
        replace(FIRST, index=1),
        replace(FIRST, job_key="b" * 64),
        replace(FIRST, case=readout, job_key="0" * 64),
        replace(FIRST, epoch=2, job_key="0" * 64),
    ]
    for mixed in permutations(expected):
        assert chronological(mixed) == expected
