"""E_hw: which classes of simulator a device's own answers rule out.

The hardware label needs every cheap class rejected (S1), each at 1e6 (room for 256 miners): the
minimum over the classes decides. The static twin (S2) is rejected over time by readout probes that
are repeated in every epoch, the twin with made-up drift (S3) by a trusted run on the machine that
the device claims to be. Rejecting the listed classes supports "none of these simulators", never
"quantum" by itself.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from types import MappingProxyType
from typing import Any, Protocol, Self, cast

from circuits.draws import Draws
from validator.answers import KnownShots
from validator.sequential import hedged, rounded_down
from validator.simulators.against_blend import Blend
from validator.simulators.against_flips import IndependentFlips
from validator.simulators.against_late import LateTwin
from validator.simulators.against_noise import Noiseless, Uniform, WhiteNoise
from validator.simulators.against_static import ProbeAnswer, StaticLaw
from validator.simulators.against_twin import AverageTwin
from validator.simulators.drift_series import ProbeRead

__all__ = [
    "CHEAP_CLASSES",
    "HARDWARE_LOG10",
    "HARDWARE_MOST",
    "HardwareFold",
    "HardwareTest",
    "SimulatorClass",
    "hardware_evidence",
    "not_rejected",
]

HARDWARE_LOG10 = 6.0
"""log10 e-value at which a class counts as rejected."""

HARDWARE_MOST = 9.0
"""log10 e-value that a cheap class keeps at most. What is won above is thrown away, which leaves an
e-process, so that a long honest record does not protect the label of a later fake."""


CIRCUIT_MOST = 4.0
"""log10 that one circuit adds at most, so that one odd answer rules out no class."""

_KEPT = 0.1
"""What every bet keeps aside, so that one circuit loses at most one decade."""

_STEADY = 0.8
"""What a bet against a rejected class keeps aside: a grade must not flicker, nor last for ever."""

_EVERY = 3
"""A class at `HARDWARE_MOST` is bet against on every third circuit only, which saves time."""


class SimulatorClass(StrEnum):
    """A way to fake a QPU."""

    UNIFORM = "uniform"
    NOISELESS = "noiseless"
    WHITE_NOISE = "white_noise"
    INDEPENDENT_FLIPS = "independent_flips"
    AVERAGE_TWIN = "average_twin"
    BLEND = "blend"
    STATIC_TWIN = "static_twin"
    DRIFT_TWIN = "drift_twin"
    LATE_TWIN = "late_twin"


CHEAP_CLASSES: tuple[SimulatorClass, ...] = (
    SimulatorClass.UNIFORM,
    SimulatorClass.NOISELESS,
    SimulatorClass.WHITE_NOISE,
    SimulatorClass.INDEPENDENT_FLIPS,
    SimulatorClass.AVERAGE_TWIN,
    SimulatorClass.BLEND,
)
"""What S1 rules out; S2 rules out the static twin too, S3 the one with made-up drift. The late
twin, which is told the machine's rates of the epoch before, decides nothing and is shown beside."""


class HardwareTest(Protocol):
    """Evidence against one class: a fold whose every bet looks only at the past."""

    @property
    def log10_e(self) -> float:
        """The e-value so far, log10, rounded down to 1e-9."""
        ...

    def after(self, shots: KnownShots) -> Self:
        """Return the evidence after one more circuit."""
        ...


_STARTS: Mapping[SimulatorClass, Callable[[Draws], HardwareTest]] = MappingProxyType(
    {
        SimulatorClass.UNIFORM: lambda _: Uniform(),
        SimulatorClass.NOISELESS: lambda _: Noiseless(),
        SimulatorClass.WHITE_NOISE: lambda _: WhiteNoise(),
        SimulatorClass.INDEPENDENT_FLIPS: IndependentFlips,
        SimulatorClass.AVERAGE_TWIN: lambda _: AverageTwin(),
        SimulatorClass.BLEND: Blend,
    }
)


@dataclass(frozen=True, slots=True)
class HardwareFold:
    """The evidence against every class so far.

    Attributes:
        tests: Of the cheap classes.
        static: Of the static twin, on the readout probes.
        late: Of the late twin, which holds that of the twin with made-up drift; None before there
            is a trusted run.
        labels: Of the circuits so far.

    Example:
        >>> sum(HardwareFold.start(Draws(b"key")).log10_e.values())
        0.0
    """

    tests: Mapping[SimulatorClass, HardwareTest]
    static: StaticLaw
    late: LateTwin | None = None
    labels: frozenset[str] = frozenset()

    @classmethod
    def start(cls, draws: Draws) -> Self:
        """Begin; permutations are drawn from `draws`, of a key revealed after the answers."""
        return cls({name: start(draws) for name, start in _STARTS.items()}, StaticLaw(draws))

    @property
    def log10_e(self) -> dict[SimulatorClass, float]:
        """The e-values so far, log10, by class.

        Without a trusted run there is no drift twin's.
        """
        found = {name: test.log10_e for name, test in self.tests.items()}
        found[SimulatorClass.STATIC_TWIN] = self.static.log10_e
        if self.late is not None:
            found[SimulatorClass.DRIFT_TWIN] = self.late.made_up.log10_e
            found[SimulatorClass.LATE_TWIN] = self.late.log10_e
        return found

    def after(self, shots: KnownShots) -> HardwareFold:
        """Go on by one known-answer circuit; one without shots is skipped.

        Raises:
            ValueError: A circuit of that label was there before.
        """
        if shots.label in self.labels:
            raise ValueError(f"need distinct labels, got {shots.label!r} twice")
        labels = self.labels | {shots.label}
        if not shots.shots:
            return replace(self, labels=labels)
        rests = len(labels) % _EVERY != 0
        tests = {
            name: test if rests and test.log10_e >= HARDWARE_MOST else _steadied(test, shots)
            for name, test in self.tests.items()
        }
        return replace(self, tests=tests, labels=labels)

    def after_repeat(self, answer: ProbeAnswer) -> HardwareFold:
        """Go on by one answer to a program that is sent in every epoch."""
        return replace(self, static=self.static.after(answer))

    def after_trusted(
        self, device: Sequence[ProbeRead], trusted: Sequence[ProbeRead]
    ) -> HardwareFold:
        """Go on by an epoch's probes, as the device and a trusted run on its machine read them."""
        if self.late is None and not trusted:
            return self
        return replace(self, late=(self.late or LateTwin()).after(device, trusted))


def _steadied(test: HardwareTest, shots: KnownShots) -> HardwareTest:
    """Go on by one circuit, which decides little by itself, and less once the class is rejected."""
    after = test.after(shots)
    kept = _STEADY if test.log10_e >= HARDWARE_LOG10 else _KEPT
    gain = min(hedged(after.log10_e - test.log10_e, kept=kept), CIRCUIT_MOST)
    value = min(rounded_down(test.log10_e + gain), HARDWARE_MOST)
    steadied: HardwareTest = replace(cast("Any", after), log10_e=value)
    return steadied


def hardware_evidence(
    answers: Iterable[KnownShots], *, draws: Draws
) -> dict[SimulatorClass, float]:
    """Fold known-answer circuits into one log10 e-value per simulator class.

    Args:
        answers: In the order in which they were answered (that order is part of the evidence);
            labels must be distinct. Circuits without shots are skipped.
        draws: For permutations; from a key revealed after the answers.

    Raises:
        ValueError: Two circuits share a label.

    Example:
        >>> sum(hardware_evidence([], draws=Draws(b"key")).values())
        0.0
    """
    fold = HardwareFold.start(draws)
    for shots in answers:
        fold = fold.after(shots)
    return fold.log10_e


def not_rejected(evidence: Mapping[SimulatorClass, float]) -> tuple[SimulatorClass, ...]:
    """Return the cheap classes that the device may still be, in the fixed order; () means S1.

    A blend that could not be tested, because the device is too narrow, is not held against it.

    Example:
        >>> not_rejected({name: 7.0 for name in CHEAP_CLASSES})
        ()
    """
    return tuple(name for name in CHEAP_CLASSES if evidence.get(name, math.inf) < HARDWARE_LOG10)
