"""The table of docs/verdicts.md, line by line, on evidence made up for each."""

from __future__ import annotations

import pytest

from circuits.topology import Topology
from providers.base import Device, DeviceClass, ErrorRates
from validator.evidence import Evidence
from validator.hardware import CHEAP_CLASSES, HARDWARE_LOG10, SimulatorClass
from validator.interval import Interval
from validator.mistakes import MISTAKE_THRESHOLD, Shape
from validator.score import Grade
from validator.sequential import Accusation, accusation_threshold
from validator.verdict import EXACTNESS, Outcome, judge

PAIR = Topology(2, ((0, 1),), ("cz",))
SHEET = ErrorRates(one_qubit=(0.001,) * 2, two_qubit=(0.01,), readout=(0.02,) * 2)
QPU = Device("q", DeviceClass.QPU, PAIR, SHEET, "test")
SIMULATOR = Device("s", DeviceClass.SIMULATOR, PAIR, None, "test")
STATIC, DRIFTING = SimulatorClass.STATIC_TWIN, SimulatorClass.DRIFT_TWIN
WHOLE = dict.fromkeys(Shape, 0) | {Shape.WHOLE: 10}


def _evidence(
    *,
    shapes: dict[Shape, int] | None = None,
    accusations: dict[Accusation, float] | None = None,
    hardware: dict[SimulatorClass, float] | None = None,
    margins: dict[str, Interval] | None = None,
    unread: tuple[int, ...] = (),
    served: dict[str, tuple[int, int]] | None = None,
    reversed_bits: float = 0.0,
    permuted_bits: float = 0.0,
    low: float = EXACTNESS,
    shots_used: int = 1000,
) -> Evidence:
    return Evidence(
        programs_asked=10,
        programs_answered=10 if shots_used else 0,
        shots_used=shots_used,
        shapes=WHOLE | (shapes or {}),
        fidelity=Interval(low, low, 1.0),
        estimator="XEB fidelity",
        user_like=Interval(low, low, 1.0),
        margins=margins or {},
        unread=unread,
        layer_error=None,
        accusations=dict.fromkeys(Accusation, 0.0) | (accusations or {}),
        reversed_bits=reversed_bits,
        permuted_bits=permuted_bits,
        hardware={**dict.fromkeys(CHEAP_CLASSES, HARDWARE_LOG10), STATIC: 0.0, **(hardware or {})},
        served=served or {},
        qubit_shots=100,
    )


def test_a_qpu_that_rules_out_every_cheap_simulator_is_verified() -> None:
    verdict = judge(_evidence(low=0.8), QPU)
    assert (verdict.outcome, verdict.grade) == (Outcome.VERIFIED, Grade.S1)
    assert verdict.score == pytest.approx(0.8 * 100 * 0.5)


def test_a_qpu_of_which_many_qubits_do_not_read_out_is_unverified() -> None:
    size = QPU.topology.num_qubits
    allowed = max(1, size // 10)
    assert judge(_evidence(unread=tuple(range(allowed))), QPU).outcome == Outcome.VERIFIED
    verdict = judge(_evidence(unread=tuple(range(allowed + 1))), QPU)
    assert verdict.outcome == Outcome.UNVERIFIED
    assert f"{allowed + 1} of its {size} qubits do not read out" in verdict.reason


@pytest.mark.parametrize("name", CHEAP_CLASSES)
def test_one_cheap_simulator_left_is_unverified(name: SimulatorClass) -> None:
    verdict = judge(_evidence(hardware={name: HARDWARE_LOG10 - 1e-6}), QPU)
    assert (verdict.outcome, verdict.score) == (Outcome.UNVERIFIED, 0.0)
    assert name in verdict.reason


@pytest.mark.parametrize(
    ("static", "drifting", "grade"),
    [
        (HARDWARE_LOG10 - 1e-6, None, Grade.S1),
        (HARDWARE_LOG10, None, Grade.S2),
        (HARDWARE_LOG10, HARDWARE_LOG10 - 1e-6, Grade.S2),
        (HARDWARE_LOG10, HARDWARE_LOG10, Grade.S3),
        (0.0, 99.0, Grade.S1),
    ],
)
def test_the_grade_says_which_twins_are_ruled_out(
    static: float, drifting: float | None, grade: Grade
) -> None:
    hardware = {STATIC: static} | ({} if drifting is None else {DRIFTING: drifting})
    verdict = judge(_evidence(hardware=hardware), QPU)
    assert (verdict.outcome, verdict.grade) == (Outcome.VERIFIED, grade)


@pytest.mark.parametrize("name", CHEAP_CLASSES)
def test_no_twin_ruled_out_makes_up_for_a_cheap_simulator(name: SimulatorClass) -> None:
    hardware = {name: HARDWARE_LOG10 - 1e-6, STATIC: 99.0, DRIFTING: 99.0}
    assert judge(_evidence(hardware=hardware), QPU).grade is Grade.S0


@pytest.mark.parametrize("device", [QPU, SIMULATOR])
def test_who_answers_less_than_half_of_a_kind_of_test_is_not_verified(device: Device) -> None:
    half = judge(_evidence(served={"mirror": (3, 6), "readout": (3, 3)}), device)
    less = judge(_evidence(served={"mirror": (2, 6), "readout": (3, 3)}), device)
    assert half.outcome is Outcome.VERIFIED
    assert (less.outcome, less.score) == (Outcome.UNVERIFIED, 0.0)
    assert "2 of 6 mirror programs" in less.reason


@pytest.mark.parametrize("family", ["brickwork", "trap"])
def test_a_qpu_must_show_that_it_runs_what_users_send(family: str) -> None:
    shown = {family: Interval(1e-9, 0.2, 0.4)}
    not_shown = {family: Interval(0.0, 0.2, 0.4)}
    assert judge(_evidence(margins=shown), QPU).outcome is Outcome.VERIFIED
    verdict = judge(_evidence(margins=not_shown), QPU)
    assert verdict.outcome is Outcome.UNVERIFIED
    assert "not shown to run" in verdict.reason


def test_a_simulator_is_verified_from_its_lower_bound_on() -> None:
    assert judge(_evidence(low=0.99), SIMULATOR).outcome is Outcome.VERIFIED
    below = judge(_evidence(low=0.98999), SIMULATOR)
    assert below.outcome is Outcome.UNVERIFIED
    assert "0.9899" in below.reason  # rounded down, or the sentence would contradict itself


def test_nothing_in_time_is_unverified() -> None:
    verdict = judge(_evidence(shots_used=0, shapes={Shape.WHOLE: 0}), QPU)
    assert (verdict.outcome, verdict.grade) == (Outcome.UNVERIFIED, Grade.S0)


@pytest.mark.parametrize(
    ("shapes", "outcome"),
    [
        ({Shape.WRONG_WIDTH: 1}, Outcome.MISCONFIGURED),
        ({Shape.PADDED: 1}, Outcome.MISCONFIGURED),
        ({Shape.TRUNCATED: 6, Shape.WHOLE: 5}, Outcome.MISCONFIGURED),
        ({Shape.TRUNCATED: 5, Shape.WHOLE: 5}, Outcome.VERIFIED),
        ({Shape.ONE_STRING: 10, Shape.WHOLE: 0}, Outcome.VERIFIED),
    ],
)
def test_wrong_shapes_are_named(shapes: dict[Shape, int], outcome: Outcome) -> None:
    assert judge(_evidence(shapes=shapes), QPU).outcome is outcome


@pytest.mark.parametrize("accusation", Accusation)
def test_an_accusation_needs_its_threshold(accusation: Accusation) -> None:
    needed = accusation_threshold(accusation, registration=1)
    below = judge(_evidence(accusations={accusation: needed - 1e-6}), QPU)
    reached = judge(_evidence(accusations={accusation: needed}), QPU)
    again = judge(_evidence(accusations={accusation: needed}), QPU, registration=2)
    assert below.outcome is Outcome.VERIFIED
    assert (reached.outcome, reached.score) == (Outcome.FRAUD, 0.0)
    assert again.outcome is Outcome.VERIFIED  # a later registration is charged less alpha


@pytest.mark.parametrize("accusation", [Accusation.BELOW_CLAIM, Accusation.TOO_GOOD])
def test_a_mistake_excuses_a_broken_claim(accusation: Accusation) -> None:
    found = _evidence(accusations={accusation: 99.0}, reversed_bits=MISTAKE_THRESHOLD)
    assert judge(found, QPU).outcome is Outcome.MISCONFIGURED


@pytest.mark.parametrize("accusation", [Accusation.REPLAYED, Accusation.SCALED, Accusation.ROUNDED])
def test_no_order_of_bits_excuses_faked_counts(accusation: Accusation) -> None:
    found = _evidence(accusations={accusation: 99.0}, permuted_bits=99.0)
    assert judge(found, QPU).outcome is Outcome.FRAUD


def test_a_reversed_order_is_named_before_any_other() -> None:
    verdict = judge(_evidence(reversed_bits=5.0, permuted_bits=9.0), QPU)
    assert "reversed" in verdict.reason
    assert "one wrong fixed order" in judge(_evidence(permuted_bits=9.0), QPU).reason
    below = MISTAKE_THRESHOLD - 1e-6
    near = judge(_evidence(reversed_bits=below, permuted_bits=below), QPU)
    assert near.outcome is Outcome.VERIFIED
