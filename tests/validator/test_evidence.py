"""Evidence of small hand-made records: who is compared with whom, and what counts when."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import replace

import pytest

from circuits.case import Case, KnownAnswer, SimulatedAnswer
from circuits.counts import Counts
from circuits.program import Operation, Program, measure
from circuits.topology import Topology
from providers.base import Device, DeviceClass, ErrorRates, ResultKind
from validator.evidence import Evidence, evidence
from validator.interval import NO_SHOTS
from validator.mistakes import Shape
from validator.plan import MIRROR_DEPTH
from validator.record import Record
from validator.references.reference import Reference
from validator.sequential import Accusation

LINE = Topology(3, ((0, 1), (1, 2)), ("cz", "rz", "sx", "x"))
SHEET = ErrorRates(one_qubit=(1e-4,) * 3, two_qubit=(1e-3,) * 2, readout=(0.03,) * 3)
QPU = Device("d", DeviceClass.QPU, LINE, SHEET, "test")
SIMULATOR = Device("d", DeviceClass.SIMULATOR, LINE, None, "test")
SPREAD = {format(i, "03b"): 40 + 3 * i for i in range(8)}

Judge = Callable[[list[Record]], Evidence]


@pytest.fixture
def found(reference: Reference) -> Judge:
    def compute(records: list[Record]) -> Evidence:
        return evidence(records, reference=reference, permutation_key=b"key")

    return compute


def _program(angle: float) -> Program:
    reads = tuple(measure(q, q) for q in range(3))
    return Program(3, 3, (Operation("rz", (0,), (angle,)), *reads))


def _record(
    number: int,
    *,
    counts: dict[str, int] | None,
    device: Device = QPU,
    program: float = 0.0,
    family: str = "mirror",
    target: str = "001",
    epoch: int = 1,
) -> Record:
    asked = _program(program)
    answer = KnownAnswer(target) if target else SimulatedAnswer()
    return Record(
        hotkey="hk",
        device=device,
        epoch=epoch,
        job_key=hashlib.sha256(f"{number}".encode()).hexdigest(),
        index=0,
        program=asked,
        shots_asked=sum(SPREAD.values()),
        counts=None if counts is None else Counts(len(next(iter(counts))), counts),
        kind=ResultKind.SHOTS,
        case=Case(family, 3, MIRROR_DEPTH, (0, 1, 2), asked, answer) if family else None,
        receipt_digest="",
    )


def test_records_of_two_devices_are_refused(found: Judge) -> None:
    one = _record(0, counts=SPREAD)
    for other in (replace(one, hotkey="other"), replace(one, device=replace(QPU, name="e"))):
        with pytest.raises(ValueError, match="exactly one device"):
            found([one, other])
    with pytest.raises(ValueError, match="exactly one device, got \\[\\]"):
        found([])


def test_missing_answers_are_missing_and_never_wrong(found: Judge) -> None:
    nothing = found([_record(k, counts=None) for k in range(20)])
    assert (nothing.programs_asked, nothing.programs_answered, nothing.shots_used) == (20, 0, 0)
    assert nothing.fidelity == NO_SHOTS
    assert set(nothing.accusations.values()) == {0.0}
    assert nothing.qubit_shots == 0


def test_a_machine_that_repeats_itself_replays_even_on_one_program(found: Judge) -> None:
    repeated = found([_record(k, counts=SPREAD) for k in range(4)])
    assert repeated.accusations[Accusation.REPLAYED] > 7.0


def test_a_simulator_with_a_fixed_seed_may_repeat_one_program(found: Judge) -> None:
    same = found([_record(k, counts=SPREAD, device=SIMULATOR) for k in range(6)])
    other = found([_record(k, counts=SPREAD, device=SIMULATOR, program=k) for k in range(6)])
    assert same.accusations[Accusation.REPLAYED] == 0.0
    assert other.accusations[Accusation.REPLAYED] > 7.0


def test_no_user_can_make_a_fixed_seed_look_like_a_replay(found: Judge) -> None:
    # Programs of one law, differently written, sent as user jobs.
    jobs = [
        _record(k, counts=SPREAD, device=SIMULATOR, program=k / 100, family="") for k in range(9)
    ]
    assert found(jobs).accusations[Accusation.REPLAYED] == 0.0


def test_equal_answers_on_one_string_are_no_replay(found: Judge) -> None:
    perfect = {"001": sum(SPREAD.values())}
    same = found([_record(k, counts=perfect, device=SIMULATOR, program=k) for k in range(30)])
    assert same.accusations[Accusation.REPLAYED] == 0.0


@pytest.mark.parametrize(
    "counts", [{"001": 300, "101": 20}, {"100": 300, "101": 20}, {"010": 300, "111": 20}]
)
def test_bits_in_any_order_do_not_break_a_claim(counts: dict[str, int], found: Judge) -> None:
    records = [_record(k, counts=counts, program=k) for k in range(12)]
    assert found(records).accusations[Accusation.BELOW_CLAIM] == 0.0


def test_answers_that_are_wrong_in_every_order_break_a_claim(found: Judge) -> None:
    records = [_record(k, counts={"011": 300 + k, "000": 20}, program=k) for k in range(12)]
    assert found(records).accusations[Accusation.BELOW_CLAIM] > 7.0


def test_shapes_are_those_of_the_newest_answered_epoch(found: Judge) -> None:
    wrong = _record(0, counts={"0001": 376}, epoch=1)
    right = _record(1, counts=SPREAD, epoch=2)
    silent = _record(2, counts=None, epoch=3)
    assert found([wrong]).shapes[Shape.WRONG_WIDTH] == 1
    mended = found([silent, right, wrong])
    assert mended.shapes[Shape.WRONG_WIDTH] == 0
    assert sum(mended.shapes.values()) == 1


def test_capacity_is_the_newest_epochs_and_never_more_than_asked(found: Judge) -> None:
    asked = sum(SPREAD.values())
    padded = dict(SPREAD) | {"000": SPREAD["000"] + 50}
    old = _record(0, counts=SPREAD, epoch=1)
    new = _record(1, counts=padded, epoch=2, program=1.0)
    assert found([old, new]).qubit_shots == 3 * asked
    assert found([old, _record(1, counts=None, epoch=2)]).qubit_shots == 0


def test_the_estimator_names_the_widths_it_averages(found: Judge) -> None:
    mirrors = [_record(k, counts=SPREAD) for k in range(2)]
    assert found(mirrors).estimator == "mirror polarization (mean over circuits of 3 qubits)"
    assert found([replace(mirrors[0], case=None)]).estimator == "mirror polarization"
    simulator = found([replace(mirrors[0], device=SIMULATOR)])
    assert (simulator.estimator, dict(simulator.hardware)) == ("XEB fidelity", {})


def test_a_qubit_that_does_not_read_out_is_named_until_it_does(found: Judge) -> None:
    lost = {"101": 60, "001": 40}
    first = _record(0, counts=lost, family="readout")
    assert found([first]).unread == (2,)
    silent = _record(1, counts=None, family="readout", epoch=2)
    assert found([first, silent]).unread == (2,)
    mended = _record(2, counts={"001": 100}, family="readout", epoch=3)
    assert found([first, silent, mended]).unread == ()


@pytest.mark.parametrize(("family", "named"), [("trap", ()), ("mirror", (2,))])
def test_a_claim_that_shrinks_within_an_epoch_is_no_fault(
    family: str, named: tuple[int, ...], found: Judge
) -> None:
    pair = Topology(2, ((0, 1),), LINE.native_gates)
    narrow = replace(QPU, topology=pair, errors=ErrorRates((1e-4,) * 2, (1e-3,), (0.03,) * 2))
    probe = _record(0, counts={"101": 60, "001": 40}, family="readout")
    # Records of one epoch stand in the order of their families, so only a trap's claim is newer.
    assert found([probe, _record(1, counts=None, family=family, device=narrow)]).unread == named
