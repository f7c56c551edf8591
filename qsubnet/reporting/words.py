"""Verdicts, grades, classes of simulators and accusations in words for people.

The words follow docs/verdicts.md; a test holds every table complete.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from providers.base import DeviceClass
from validator.hardware import SimulatorClass
from validator.score import Grade
from validator.sequential import Accusation
from validator.verdict import Outcome

__all__ = [
    "ACCUSATIONS",
    "CLASSES",
    "GRADES",
    "LIMITS",
    "OUTCOMES",
    "PERMUTED",
    "REVERSED",
    "Word",
    "grade_meaning",
]


@dataclass(frozen=True, slots=True)
class Word:
    """A short name for legends, and what it means."""

    name: str
    meaning: str


OUTCOMES: Mapping[Outcome, str] = MappingProxyType(
    {
        Outcome.VERIFIED: "The answers support what the device claims, up to the grade beside it.",
        Outcome.UNVERIFIED: (
            "The answers do not show yet what the device claims. Nothing is held against it; more "
            "answers may show it."
        ),
        Outcome.FRAUD: (
            "A test that may accuse crossed its threshold. An honest device is ever accused with a "
            "chance of one in a million at most. It proves that the claim is wrong, not why."
        ),
        Outcome.MISCONFIGURED: (
            "The answers come in a wrong form, such as reversed bits or a wrong width. This is "
            "taken for a mistake and named; it is no accusation, and mending it is forgiven. The "
            "figures show the answers as they came."
        ),
    }
)

GRADES: Mapping[Grade, str] = MappingProxyType(
    {
        Grade.S0: "Nothing is established.",
        Grade.S1: (
            "Every cheap simulator on our list is ruled out, a perfect copy of the machine is not."
        ),
        Grade.S2: (
            "Every cheap simulator is ruled out, and so is a perfect copy of the machine with "
            "fixed errors: the answers drift over time as no unchanging law does."
        ),
        Grade.S3: (
            "Every cheap simulator and every unchanging copy is ruled out, and the answers move "
            "together with an independent, trusted run on the machine that the device says it is: "
            "the drift is not made up."
        ),
    }
)

_EXACT = (
    "Its answers are exact within the stated bound, which is the only grade a simulator can have."
)


def grade_meaning(grade: Grade, device_class: DeviceClass) -> str:
    """Say what a grade stands for, which differs between the two classes.

    Example:
        >>> grade_meaning(Grade.S0, DeviceClass.QPU)
        'Nothing is established.'
    """
    is_exact = device_class is DeviceClass.SIMULATOR and grade is not Grade.S0
    return _EXACT if is_exact else GRADES[grade]


LIMITS: tuple[str, ...] = (
    (
        "Not “quantum”. Whoever can compute a device's answers can pass for it; up to about 35 "
        "qubits a simulator can, and some kinds of circuits can be imitated at any size. A grade "
        "names the simulators that are ruled out, no more."
    ),
    "Not where the device stands or who runs it. Answers alone cannot show that.",
    (
        "Not a promise about the next circuit. Fidelity is measured on test circuits of the sizes "
        "shown, up to the last epoch shown."
    ),
)

CLASSES: Mapping[SimulatorClass, Word] = MappingProxyType(
    {
        SimulatorClass.UNIFORM: Word("random bits", "coin flips instead of answers"),
        SimulatorClass.NOISELESS: Word("noiseless", "a perfect simulator"),
        SimulatorClass.WHITE_NOISE: Word("white noise", "a perfect answer or coin flips, mixed"),
        SimulatorClass.INDEPENDENT_FLIPS: Word(
            "independent flips", "a perfect answer with each bit flipped at its own rate"
        ),
        SimulatorClass.AVERAGE_TWIN: Word(
            "average twin", "a simulation with the error sheet's average rates"
        ),
        SimulatorClass.BLEND: Word("blend", "coin flips and flipped bits together"),
        SimulatorClass.STATIC_TWIN: Word(
            "static twin", "a perfect copy of the machine that never changes"
        ),
        SimulatorClass.DRIFT_TWIN: Word(
            "drifting twin", "a perfect copy of the machine with made-up drift"
        ),
        SimulatorClass.LATE_TWIN: Word(
            "late twin", "a copy that is told the machine's true errors one epoch late"
        ),
    }
)

ACCUSATIONS: Mapping[Accusation, Word] = MappingProxyType(
    {
        Accusation.BELOW_CLAIM: Word(
            "below claim", "circuits succeed at least as often as its error sheet implies"
        ),
        Accusation.TOO_GOOD: Word(
            "too good", "it reads out no better than a third of its own sheet's errors"
        ),
        Accusation.REPLAYED: Word("replayed", "every job was run; no answer is a copy"),
        Accusation.SCALED: Word("scaled", "every shot was run; counts are not multiplied up"),
        Accusation.ROUNDED: Word("rounded", "counts are shots, not rounded probabilities"),
    }
)

REVERSED = Word("reversed bits", "bits come in the agreed order, not backwards")
PERMUTED = Word("permuted bits", "bits come in the agreed order, not in another fixed one")
