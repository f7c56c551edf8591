"""E_hw: which classes of simulator a device's own answers rule out.

The hardware label needs EVERY class rejected, each at 1e6 (room for 256 miners): the minimum
over the classes decides. Classes so far: uniform bits, no noise, white noise of any strength,
independent flips at any rates, the average-rate twin. The static per-qubit twin, the twin with
made-up drift and blends of flips and white noise are not tested here yet, so grades above S1
can not follow from this module. Rejecting the listed classes supports "none of these
simulators", never "quantum" by itself.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import Protocol, Self

from circuits.draws import Draws
from validator.against_flips import IndependentFlips
from validator.against_noise import Noiseless, Uniform, WhiteNoise
from validator.against_twin import AverageTwin
from validator.answers import KnownShots

__all__ = [
    "HARDWARE_CLASSES",
    "HARDWARE_LOG10",
    "HardwareFold",
    "HardwareTest",
    "SimulatorClass",
    "hardware_evidence",
    "not_rejected",
]

HARDWARE_LOG10 = 6.0
"""log10 e-value at which a class counts as rejected."""


class SimulatorClass(StrEnum):
    """A way to fake a QPU."""

    UNIFORM = "uniform"
    NOISELESS = "noiseless"
    WHITE_NOISE = "white_noise"
    INDEPENDENT_FLIPS = "independent_flips"
    AVERAGE_TWIN = "average_twin"


HARDWARE_CLASSES: tuple[SimulatorClass, ...] = tuple(SimulatorClass)


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
    }
)


@dataclass(frozen=True, slots=True)
class HardwareFold:
    """The evidence against every class so far.

    Attributes:
        tests: By class.
        labels: Of the circuits so far.

    Example:
        >>> sorted(HardwareFold.start(Draws(b"key")).log10_e.values())
        [0.0, 0.0, 0.0, 0.0, 0.0]
    """

    tests: Mapping[SimulatorClass, HardwareTest]
    labels: frozenset[str] = frozenset()

    @classmethod
    def start(cls, draws: Draws) -> Self:
        """Begin; permutations are drawn from `draws`, of a key revealed after the answers."""
        return cls({name: start(draws) for name, start in _STARTS.items()})

    @property
    def log10_e(self) -> dict[SimulatorClass, float]:
        """The e-values so far, log10, by class."""
        return {name: test.log10_e for name, test in self.tests.items()}

    def after(self, shots: KnownShots) -> HardwareFold:
        """Go on by one known-answer circuit; one without shots is skipped.

        Raises:
            ValueError: A circuit of that label was there before.
        """
        if shots.label in self.labels:
            raise ValueError(f"need distinct labels, got {shots.label!r} twice")
        labels = self.labels | {shots.label}
        if not shots.shots:
            return HardwareFold(self.tests, labels)
        return HardwareFold({name: t.after(shots) for name, t in self.tests.items()}, labels)


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
        >>> sorted(hardware_evidence([], draws=Draws(b"key")).values())
        [0.0, 0.0, 0.0, 0.0, 0.0]
    """
    fold = HardwareFold.start(draws)
    for shots in answers:
        fold = fold.after(shots)
    return fold.log10_e


def not_rejected(evidence: Mapping[SimulatorClass, float]) -> tuple[SimulatorClass, ...]:
    """Return the classes that the device may still be, in the fixed order; () is S1's part.

    Example:
        >>> not_rejected({name: 7.0 for name in HARDWARE_CLASSES})
        ()
    """
    return tuple(name for name in HARDWARE_CLASSES if evidence[name] < HARDWARE_LOG10)
