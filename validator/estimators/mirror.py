"""Mirror circuits: polarization and mean Hamming distance from the distances to a known answer.

Assumes: shots are independent given the circuit, and the answer is uniformly random (a random
Pauli frame), so that a uniformly random output scores 0 on average. Blind spot: S measures the
WHOLE mirror with preparation and readout, not one half; it equals process fidelity only when
averaged over random one-qubit Cliffords at both ends.
Source: T. Proctor et al., Nature Physics 18, 75 (2022); PRL 129, 150502 (2022).
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from validator.interval import Interval, clopper_pearson, over_circuits
from validator.special import check_level, normal_quantile

__all__ = [
    "MirrorAnswer",
    "mean_hamming",
    "mirror_answer",
    "mirror_polarization",
    "polarization",
    "polarization_floor",
    "polarization_variance",
    "process_fidelity",
    "readout_polarization",
]

_FEW_MISSES = 10


@dataclass(frozen=True, slots=True)
class MirrorAnswer:
    """One mirror circuit's shots by Hamming distance from its answer.

    Attributes:
        histogram: histogram[k] = shots at distance k, k = 0 .. n (length n + 1).

    Raises:
        ValueError: Fewer than one qubit, or a negative number of shots.
    """

    histogram: tuple[int, ...]

    def __post_init__(self) -> None:
        if len(self.histogram) < 2 or min(self.histogram) < 0:
            raise ValueError(f"need n + 1 >= 2 numbers >= 0, got {self.histogram}")

    @property
    def width(self) -> int:
        """Number of qubits."""
        return len(self.histogram) - 1

    @property
    def shots(self) -> int:
        """Shots that came back."""
        return sum(self.histogram)


def mirror_answer(counts: Mapping[str, int], *, target: str) -> MirrorAnswer:
    """Sort one circuit's shots by distance from the answer.

    Args:
        counts: {bitstring: shots}.
        target: The answer in the same bit order (bit 0 rightmost) and width.

    Raises:
        ValueError: A key has another width than the target.

    Example:
        >>> mirror_answer({"011": 5, "000": 2}, target="011").histogram
        (5, 0, 2, 0)
    """
    histogram = [0] * (len(target) + 1)
    for key in sorted(counts):
        if len(key) != len(target):
            raise ValueError(f"need keys of {len(target)} bits, got {key!r}")
        histogram[(int(key, 2) ^ int(target, 2)).bit_count()] += counts[key]
    return MirrorAnswer(tuple(histogram))


def _moment(answer: MirrorAnswer, base: float) -> float:
    """Return the mean of base^d over the shots."""
    return math.fsum(n * base**k for k, n in enumerate(answer.histogram)) / answer.shots


def _scale(width: int) -> float:
    """Return 4^n/(4^n - 1) without overflow."""
    return 1.0 / (1.0 - 0.25**width)


def polarization(answer: MirrorAnswer) -> float:
    """Return S = 4^n/(4^n-1) A - 1/(4^n-1), A = mean of (-1/2)^d; needs at least one shot.

    1 for the exact answer, 0 on average for uniform noise, negative values possible.

    Example:
        >>> polarization(MirrorAnswer((10, 0, 0)))
        1.0
    """
    scale = _scale(answer.width)
    return scale * _moment(answer, -0.5) - (scale - 1.0)


def polarization_variance(answer: MirrorAnswer) -> float:
    """Return the shot variance (4^n/(4^n-1))^2 (E[4^-d] - A^2)/N of one circuit's S.

    Example:
        >>> polarization_variance(MirrorAnswer((10, 0, 0)))
        0.0
    """
    spread = max(0.0, _moment(answer, 0.25) - _moment(answer, -0.5) ** 2)
    return _scale(answer.width) ** 2 * spread / answer.shots


def polarization_floor(width: int, *, shots: int) -> float:
    """Return the standard deviation of S under uniform noise: what S cannot resolve.

    E[4^-d] is (5/8)^n there, and A^2 is 16^-n.

    Example:
        >>> round(polarization_floor(4, shots=100), 4)
        0.0392
    """
    return _scale(width) * math.sqrt((0.625**width - 0.0625**width) / shots)


def process_fidelity(polarized: Interval, *, width: int) -> Interval:
    """Turn S into F_e = 1 - (4^n-1)(1-S)/4^n; see the module for when that is a fidelity.

    Example:
        >>> process_fidelity(Interval(0.0, 0.0, 1.0), width=1)
        Interval(low=0.25, estimate=0.25, high=1.0)
    """
    scale = 1.0 / _scale(width)
    return polarized.affine(scale=scale, shift=1.0 - scale)


def readout_polarization(errors: Sequence[float]) -> float:
    """Return the S that readout alone leaves, (4^n prod(1 - 3e/2) - 1)/(4^n - 1).

    Args:
        errors: Readout error of each qubit, averaged over 0 and 1.

    Example:
        >>> readout_polarization([0.0, 0.0])
        1.0
    """
    scale = _scale(len(errors))
    return scale * math.prod(1.0 - 1.5 * e for e in errors) - (scale - 1.0)


def _one_circuit(answer: MirrorAnswer, confidence: float) -> Interval:
    """Bound one circuit's S by its own shots alone."""
    value = polarization(answer)
    z = normal_quantile(1.0 - check_level(confidence))
    half = z * math.sqrt(polarization_variance(answer))
    return Interval(value - half, value, value + half)


def _few_misses_low(answers: Sequence[MirrorAnswer], confidence: float) -> float:
    """Bound the mean S from below without a normal law: x >= 3/2 [d = 0] - 1/2 shot by shot."""
    hits = sum(answer.histogram[0] for answer in answers)
    shots = sum(answer.shots for answer in answers)
    hit_rate = clopper_pearson(hits, shots, confidence=confidence).low
    scale = _scale(min(answer.width for answer in answers))
    return scale * (1.5 * hit_rate - 0.5) - (scale - 1.0)


def mirror_polarization(answers: Sequence[MirrorAnswer], *, confidence: float = 0.95) -> Interval:
    """Estimate the mean polarization of a family of mirrors.

    `over_circuits` over the circuits' S; a single circuit is bounded by its own shots alone.
    With fewer than 10 misses in all a normal law means nothing: the lower bound is then at most
    the exact binomial one, and the upper at least 1, so a perfect record is never error 0.

    Returns:
        The interval, within [-1, 1] up to sampling; (0, 0.5, 1) without a shot.

    Example:
        >>> mirror_polarization([MirrorAnswer((50, 0, 0))] * 2).high
        1.0
    """
    seen = [answer for answer in answers if answer.shots > 0]
    if len(seen) == 1:
        bounds = _one_circuit(seen[0], confidence)
    else:
        within = [polarization_variance(answer) for answer in seen]
        bounds = over_circuits(
            [polarization(answer) for answer in seen],
            confidence=confidence,
            shot_variance=math.fsum(within) / max(1, len(within)),
        )
    if not seen or sum(a.shots - a.histogram[0] for a in seen) >= _FEW_MISSES:
        return bounds
    low = min(bounds.low, _few_misses_low(seen, confidence))
    return Interval(min(low, bounds.estimate), bounds.estimate, max(bounds.high, 1.0))


def mean_hamming(answers: Sequence[MirrorAnswer], *, confidence: float = 0.95) -> Interval:
    """Estimate the mean share of wrong bits, dbar/n: 0 exact, 1/2 uniform noise.

    Measurable at widths where S is not. Lower is better. A single circuit is bounded by its
    own shots alone.

    Returns:
        The interval over circuits; (0, 0.5, 1) without a shot.

    Example:
        >>> mean_hamming([MirrorAnswer((8, 2, 0))]).estimate
        0.1
    """
    seen = [answer for answer in answers if answer.shots > 0]
    means, variances = [], []
    for answer in seen:
        shares = [(k / answer.width, n) for k, n in enumerate(answer.histogram)]
        mean = math.fsum(x * n for x, n in shares) / answer.shots
        spread = math.fsum((x - mean) ** 2 * n for x, n in shares) / answer.shots
        # Half a wrong bit more than was seen, so that no shots' spread reads 0.
        least = 0.5 / answer.width / answer.shots
        means.append(mean)
        variances.append(max(spread, least / answer.width) / answer.shots)
    if len(seen) == 1:
        half = normal_quantile(1.0 - check_level(confidence)) * math.sqrt(variances[0])
        return Interval(means[0] - half, means[0], means[0] + half)
    within = math.fsum(variances) / max(1, len(variances))
    return over_circuits(means, confidence=confidence, shot_variance=within)
