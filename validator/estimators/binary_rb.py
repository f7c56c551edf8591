"""Binary RB: the fidelity of a random layer from circuits whose answer is one sign.

A circuit prepares a random product stabilizer, runs m random Clifford layers, and measures the
Pauli that the stabilizer became; a shot scores +1 or -1 by its sign. Then mean = A r^m and the
layer's process infidelity is (4^n - 1)(1 - r)/4^n: a uniformly random non-identity Pauli
survives a stochastic Pauli channel of entanglement fidelity F with (4^n F - 1)/(4^n - 1).
Assumes: stochastic noise (or randomized compiling), layers that scramble. Blind spot: r is a
ratio in disguise. Spoiling the SHORT circuits lowers A and raises r, so r is reported, never
paid. `BinaryRb.paid` fixes A at a known upper bound (1 if nothing is known), and its lower end
falls with every circuit that gets worse; it charges preparation and measurement to the layers.
Source: J. Hines et al., PRX Quantum 5, 030334 (2024) (arXiv:2309.05147); the factor derived here.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from validator.estimators.exponential import DecayPoint, fit_decay, fixed_amplitude_rate
from validator.estimators.monotone import monotone_mean, shot_spread
from validator.estimators.ratio import circuit_mean
from validator.interval import NO_SHOTS, Interval

__all__ = ["BinaryRb", "BinaryRun", "binary_rb", "paid_rate"]

_FEW_MISSES = 10


@dataclass(frozen=True, slots=True)
class BinaryRun:
    """One circuit's shots.

    Attributes:
        length: Random layers m, >= 0.
        plus: Shots with the right sign.
        shots: Shots that came back.

    Raises:
        ValueError: A negative length, or plus outside 0 .. shots.

    Example:
        >>> BinaryRun(length=4, plus=90, shots=100).value
        0.8
    """

    length: int
    plus: int
    shots: int

    def __post_init__(self) -> None:
        if self.length < 0 or not 0 <= self.plus <= self.shots:
            raise ValueError(f"need length >= 0 and 0 <= plus <= shots, got {self}")

    @property
    def value(self) -> float:
        """Mean of the signs; -1, the worst, without a shot, so that silence never pays."""
        return (2 * self.plus - self.shots) / self.shots if self.shots else -1.0


@dataclass(frozen=True, slots=True)
class BinaryRb:
    """A fitted decay.

    Attributes:
        decay: r, unclamped; None where undefined.
        infidelity: Process infidelity of a layer, unclamped; (0, 0.5, 1) where undefined.
        paid: Process FIDELITY of a layer with the amplitude fixed: a lower-bound proxy.
        reason: Why r is undefined; empty if it is not.
    """

    decay: Interval | None
    infidelity: Interval
    paid: Interval
    reason: str


def _points(runs: Sequence[BinaryRun]) -> list[DecayPoint]:
    """Group by length; a length with one circuit says nothing about spread and is left out."""
    shots = sum(run.shots for run in runs)
    misses = shots - sum(run.plus for run in runs)
    rate = (misses + 2) / (shots + 4)
    points = []
    for length in sorted({run.length for run in runs}):
        group = [run for run in runs if run.length == length]
        if len(group) < 2:
            continue
        least = 4.0 * rate * (1.0 - rate) / sum(run.shots for run in group)
        within = sum((1.0 - run.value**2) / run.shots for run in group) / len(group)
        mean = circuit_mean(
            [run.value for run in group],
            shot_variance=within,
            least_variance=least if misses < _FEW_MISSES else 0.0,
        )
        points.append(DecayPoint(length, len(group), mean))
    return points


def paid_rate(
    runs: Sequence[BinaryRun], *, amplitude: float = 1.0, confidence: float = 0.95
) -> Interval:
    """Bound r from below with the amplitude fixed; the lower end never rises with worse answers.

    Solves mean over circuits of amplitude * r^m = the bound of `monotone_mean` of all values,
    circuits of length 0 left out (they say nothing of r). A circuit without a shot counts -1.

    Args:
        runs: Every circuit that was asked.
        amplitude: Upper bound of A known WITHOUT this device's short circuits, in [.5, 1].
        confidence: Two-sided level.

    Returns:
        Within [0, 2]; the estimate is below the true r where the true A is below `amplitude`.
        (0, 0.5, 1) without a shot.

    Raises:
        ValueError: The amplitude is outside [.5, 1].

    Example:
        >>> runs = [BinaryRun(4, 95, 100)] * 10
        >>> round(paid_rate(runs).estimate**4, 6)
        0.9
    """
    used = [run for run in runs if run.length > 0]
    shots = [run.shots for run in used if run.shots]
    if not shots:
        return NO_SHOTS
    bounds = monotone_mean(
        [run.value for run in used],
        floor=-1.0,
        least_spread=shot_spread(min(shots), span=2.0),
        confidence=confidence,
    )
    lengths = [run.length for run in used]
    low, middle, high = (
        fixed_amplitude_rate(value, lengths=lengths, amplitude=amplitude)
        for value in (bounds.low, bounds.estimate, bounds.high)
    )
    return Interval(low, middle, high)


def binary_rb(
    runs: Sequence[BinaryRun], *, width: int, amplitude: float = 1.0, confidence: float = 0.95
) -> BinaryRb:
    """Estimate a layer's infidelity from signs at two or more lengths.

    Variance: the spread between circuits of a length, which at one shot a circuit is the
    binomial one; bounds by `fit_decay`.

    Args:
        runs: Circuits; at least two a length, best eight or more.
        width: Qubits n of the layers.
        amplitude: For `BinaryRb.paid` alone, see `paid_rate`.
        confidence: Two-sided level.

    Returns:
        Everything (0, 0.5, 1) without a shot.

    Raises:
        ValueError: Fewer than one qubit, or an amplitude outside [.5, 1].

    Example:
        >>> runs = [BinaryRun(m, round(50 + 50 * 0.9**m), 100) for m in (1, 4, 16)] * 8
        >>> round(binary_rb(runs, width=2).infidelity.estimate, 2)
        0.09
    """
    if width < 1:
        raise ValueError(f"need width >= 1, got {width}")
    seen = [run for run in runs if run.shots]
    scale = 1.0 - 0.25**width
    paid = paid_rate(runs, amplitude=amplitude, confidence=confidence)
    worth = paid.affine(scale=scale, shift=1.0 - scale) if seen else NO_SHOTS
    points = _points(seen)
    if len(points) < 2:
        return BinaryRb(None, NO_SHOTS, worth, "fewer than 2 lengths with at least 2 circuits")
    decay = fit_decay(points, confidence=confidence)
    if decay is None:
        return BinaryRb(None, NO_SHOTS, worth, "no decay can be told from the noise")
    return BinaryRb(decay, decay.affine(scale=-scale, shift=scale), worth, "")
