"""Verdict: what the evidence amounts to, with the sentence and the numbers that decided it.

A pure function of the evidence and the claim: the same bytes in, the same verdict out. Only
`verified` pays. Counts that were never measured (replayed, scaled, rounded) are accused first,
for no order of bits explains them; then mistakes are named, because a wrong order of bits also
looks like a broken claim. Blind spot: the lower bound that verifies a simulator holds at one look;
a simulator a little below .99 that is judged every epoch gets more than one chance in forty.
Source: the table of verdicts in docs/verdicts.md.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from providers.base import Device, DeviceClass
from validator.evidence import Evidence
from validator.hardware import CHEAP_CLASSES, HARDWARE_LOG10, SimulatorClass, not_rejected
from validator.interval import Interval
from validator.mistakes import MISTAKE_THRESHOLD, Shape
from validator.score import Grade, score
from validator.sequential import Accusation, accusation_threshold
from validator.unread import MOST_UNREAD

EXACTNESS = 0.99
"""Lower bound of XEB fidelity from which a simulator counts as exact."""

_LISTED = 8
"""Qubits that a reason names."""


class Outcome(StrEnum):
    """The four words of a verdict."""

    VERIFIED = "verified"
    UNVERIFIED = "unverified"
    FRAUD = "fraud"
    MISCONFIGURED = "misconfigured"


@dataclass(frozen=True, slots=True)
class Verdict:
    """The judgement of one device.

    Attributes:
        outcome: One of the four words.
        grade: S0 .. S3; only `verified` is above S0.
        reason: One sentence with the numbers that decided it.
        score: In verified qubit-shots; 0 unless verified.
        evidence: What it follows from.
    """

    outcome: Outcome
    grade: Grade
    reason: str
    score: float
    evidence: Evidence


_FAKED_COUNTS = {
    Accusation.REPLAYED: "the same counts came back for different jobs",
    Accusation.SCALED: "all counts share a divisor: fewer shots were run and scaled up",
    Accusation.ROUNDED: "the counts are rounded probabilities, not shots",
}
_BROKEN_CLAIMS = {
    Accusation.TOO_GOOD: "it reads out better than a third of its own error sheet allows",
    Accusation.BELOW_CLAIM: "its circuits succeed less often than its own error sheet implies",
}


def judge(evidence: Evidence, device: Device, *, registration: int = 1) -> Verdict:
    """Judge one device.

    Args:
        evidence: Of all its records.
        device: The newest claim.
        registration: Which registration of its coldkey this is, from 1; later ones are judged
            at a smaller alpha.
    """
    outcome, grade, reason = (
        _nothing(evidence)
        or _wrong_shape(evidence)
        or _fraud(evidence, _FAKED_COUNTS, registration)
        or _wrong_order(evidence)
        or _fraud(evidence, _BROKEN_CLAIMS, registration)
        or _not_served(evidence)
        or (
            _hardware(evidence, device)
            if device.device_class is DeviceClass.QPU
            else _simulator(evidence, device)
        )
    )
    value = score(
        _paid(evidence, device),
        qubit_shots=evidence.qubit_shots,
        grade=grade,
        verified=outcome is Outcome.VERIFIED,
    )
    return Verdict(outcome, grade, reason, value, evidence)


_Finding = tuple[Outcome, Grade, str]


def _paid(evidence: Evidence, device: Device) -> Interval:
    """Pay a qpu by mirrors or by circuits like users' own, whichever came out worse."""
    if device.device_class is DeviceClass.SIMULATOR:
        return evidence.fidelity
    return min(evidence.fidelity, evidence.user_like, key=lambda bounds: bounds.low)


def _not_served(evidence: Evidence) -> _Finding | None:
    """Find a kind of test of which the newest epoch has whole answers to less than half."""
    for family, (whole, asked) in evidence.served.items():
        if 2 * whole < asked:
            reason = (
                f"in the newest epoch {whole} of {asked} {family} programs were answered in full"
            )
            return Outcome.UNVERIFIED, Grade.S0, reason
    return None


def _nothing(evidence: Evidence) -> _Finding | None:
    if evidence.shots_used:
        return None
    reason = f"none of {evidence.programs_asked} test programs was answered in time"
    return Outcome.UNVERIFIED, Grade.S0, reason


def _wrong_shape(evidence: Evidence) -> _Finding | None:
    """Name answers of a wrong width or total in the newest epoch that has any."""
    shapes = evidence.shapes
    answered = sum(shapes.values())
    wrong, padded = shapes[Shape.WRONG_WIDTH], shapes[Shape.PADDED]
    truncated = shapes[Shape.TRUNCATED]
    mistakes = (
        (wrong > 0, f"{wrong} of {answered} answers have bitstrings of a wrong width"),
        (padded > 0, f"{padded} of {answered} answers hold more shots than were asked for"),
        (2 * truncated > answered, f"{truncated} of {answered} answers hold too few shots"),
    )
    for found, reason in mistakes:
        if found:
            return Outcome.MISCONFIGURED, Grade.S0, reason
    return None


def _wrong_order(evidence: Evidence) -> _Finding | None:
    """Name a fixed wrong order of bits, the simplest first."""
    mistakes = (
        (evidence.reversed_bits, "the bit order is reversed: read backwards, the answers match"),
        (evidence.permuted_bits, "the bits come in one wrong fixed order: permuted, they match"),
    )
    for found, reason in mistakes:
        if found >= MISTAKE_THRESHOLD:
            numbers = f"(log10 e = {found:.1f}, needs {MISTAKE_THRESHOLD:g})"
            return Outcome.MISCONFIGURED, Grade.S0, f"{reason} {numbers}"
    return None


def _fraud(
    evidence: Evidence, tests: Mapping[Accusation, str], registration: int
) -> _Finding | None:
    for accusation, reason in tests.items():
        needed = accusation_threshold(accusation, registration=registration)
        found = evidence.accusations[accusation]
        if found >= needed:
            numbers = f"(log10 e = {found:.1f}, needs {needed:.1f})"
            return Outcome.FRAUD, Grade.S0, f"{reason} {numbers}"
    return None


def _hardware(evidence: Evidence, device: Device) -> _Finding:
    left = not_rejected(evidence.hardware)
    if left:
        return Outcome.UNVERIFIED, Grade.S0, _may_be(left, evidence)
    if len(evidence.unread) > max(1.0, MOST_UNREAD * device.topology.num_qubits):
        return Outcome.UNVERIFIED, Grade.S0, _not_there(evidence.unread, device)
    for family, margin in evidence.margins.items():
        if margin.low <= 0.0:
            return Outcome.UNVERIFIED, Grade.S0, _not_shown(family, margin)
    tested = [name for name in CHEAP_CLASSES if name in evidence.hardware]
    weakest = min(tested, key=lambda name: evidence.hardware[name])
    grade, twins = _twins(evidence)
    reason = (
        f"every cheap simulator is ruled out ({', '.join(tested)}; weakest is {weakest} "
        f"at log10 e = {evidence.hardware[weakest]:.1f}, needs {HARDWARE_LOG10:g}); "
        f"{twins}; {_measured(evidence)}"
    )
    return Outcome.VERIFIED, grade, reason


def _twins(evidence: Evidence) -> tuple[Grade, str]:
    """Grade a device that is no cheap simulator by the twins that it may still be."""
    static = evidence.hardware[SimulatorClass.STATIC_TWIN]
    if static < HARDWARE_LOG10:
        return Grade.S1, f"it may still be a static twin (log10 e = {static:.1f})"
    drifting = evidence.hardware.get(SimulatorClass.DRIFT_TWIN)
    gone = f"it drifts as no static twin does (log10 e = {static:.1f})"
    if drifting is None:
        return Grade.S2, f"{gone}; without a reference run the drift may be made up"
    if drifting < HARDWARE_LOG10:
        return Grade.S2, f"{gone}; its drift may be made up (log10 e = {drifting:.1f})"
    return Grade.S3, f"{gone}, and with the reference run (log10 e = {drifting:.1f})"


_WORKLOAD = {
    "brickwork": "random circuits",
    "trap": "circuits like users' own",
}


def _not_shown(family: str, margin: Interval) -> str:
    return (
        f"it is not shown to run {_WORKLOAD[family]} as its sheet implies: their fidelity lies "
        f"{margin.estimate:+.3f} [{margin.low:+.3f}, {margin.high:+.3f}] above half of the claim's "
        f"cube, needs a lower bound above 0"
    )


def _not_there(unread: tuple[int, ...], device: Device) -> str:
    listed = ", ".join(map(str, unread[:_LISTED])) + (", .." if len(unread) > _LISTED else "")
    return (
        f"{len(unread)} of its {device.topology.num_qubits} qubits do not read out as its sheet "
        f"implies ({listed}); one may, or {MOST_UNREAD:.0%}"
    )


def _may_be(left: tuple[SimulatorClass, ...], evidence: Evidence) -> str:
    listed = ", ".join(f"{name} (log10 e = {evidence.hardware[name]:.1f})" for name in left)
    return (
        f"its answers do not rule out that it is a simulator: {listed}; "
        f"each needs {HARDWARE_LOG10:g}"
    )


def _simulator(evidence: Evidence, device: Device) -> _Finding:
    low = math.floor(evidence.fidelity.low * 1e4) / 1e4
    where = f"at its claimed {device.topology.num_qubits} qubits"
    if evidence.fidelity.low >= EXACTNESS:
        reason = f"exact {where}: lower bound of the {evidence.estimator} {low:.4f} >= {EXACTNESS}"
        return Outcome.VERIFIED, Grade.S1, reason
    reason = (
        f"not shown to be exact {where}: lower bound of the {evidence.estimator} {low:.4f}, "
        f"needs {EXACTNESS}"
    )
    return Outcome.UNVERIFIED, Grade.S0, reason


def _measured(evidence: Evidence) -> str:
    f = evidence.fidelity
    return f"{evidence.estimator} {f.estimate:.3f} [{f.low:.3f}, {f.high:.3f}]"
