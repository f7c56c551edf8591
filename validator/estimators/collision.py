"""Collisions: what two answers, or one with itself, have in common, without any simulation.

X = D sum n_x(n_x-1)/(N(N-1)) - 1 estimates D sum q^2 - 1 of the device's own law q, and
X' = D sum n_x m_x/(N M) - 1 that of two laws, D sum q r - 1. Under white noise they are F^2 V and
F1 F2 V, V = D sum p^2 - 1 of the ideal law. Standard deviations at a flat law: sqrt(2 D)/N and
sqrt(D/(N M)), so n about 20 at 1e4 shots. Work is linear in the distinct strings seen.
Assumes: independent shots of one law within each job. Blind spot: honest noise that is not white
lies ABOVE F^2 V: a readout bias b_i adds prod(1 + b_i^2) - 1 (undo secret X masks with
`unmasked` first), and local errors add more the lower F is. Exact averages over 1-D brickwork of
6 and 7 qubits with local depolarizing noise: at most 1.17 F^2 V in any circuit with XEB fidelity
F >= .4 (net of readout bias), but 1.4 at .2 and 2 at .05, above the 1.54 that a spoofer with
heavy strings needs at least. So `honest_ceiling` is None below F = .4: nobody is accused there.
Source: derived here (Hoeffding's U-statistics, Ann. Math. Stat. 19, 293 (1948)); the 1.544 is
the minimum of (e^t - 1)/t^2 over list sizes e^-t under Porter-Thomas.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from validator.interval import Interval
from validator.special import check_level, normal_quantile

__all__ = [
    "ALLOWANCE",
    "LEAST_FIDELITY",
    "cross_collision",
    "cross_collision_sd",
    "honest_ceiling",
    "self_collision",
    "self_collision_sd",
    "shared_shots",
    "unmasked",
    "white_noise_collision",
]

ALLOWANCE = 1.25
"""How far over F^2 V honest local noise may lie: between 1.17 (seen) and 1.54 (spoofers)."""
LEAST_FIDELITY = 0.4


def unmasked(counts: Mapping[str, int], *, mask: str) -> dict[str, int]:
    """Undo secret X gates before measurement: flip the bits where `mask` has a 1.

    Example:
        >>> unmasked({"01": 3, "11": 1}, mask="10")
        {'11': 3, '01': 1}
    """
    if any(len(key) != len(mask) for key in counts):
        raise ValueError(f"need keys of {len(mask)} bits, got {sorted(counts)[:3]}")
    flips, width = int(mask, 2), len(mask)
    return {format(int(key, 2) ^ flips, f"0{width}b"): n for key, n in counts.items()}


def self_collision_sd(width: int, *, shots: int) -> float:
    """Return the standard deviation sqrt(2 D)/N of X at a flat law.

    Example:
        >>> self_collision_sd(1, shots=100)
        0.02
    """
    return math.sqrt(2.0 * 2.0**width) / shots


def cross_collision_sd(width: int, *, shots: tuple[int, int]) -> float:
    """Return the standard deviation sqrt(D/(N M)) of X' at flat laws.

    Example:
        >>> round(cross_collision_sd(20, shots=(10_000, 10_000)), 4)
        0.1024
    """
    return math.sqrt(2.0**width / (shots[0] * shots[1]))


def white_noise_collision(*, fidelities: tuple[float, float], excess: float) -> float:
    """Return F1 F2 V (self collision: both the same), V = D sum p^2 - 1.

    Example:
        >>> white_noise_collision(fidelities=(0.5, 0.5), excess=1.0)
        0.25
    """
    return fidelities[0] * fidelities[1] * excess


def honest_ceiling(fidelity: float, *, excess: float, biases: Sequence[float] = ()) -> float | None:
    """Return the largest D sum q^2 - 1 that noise explains: (1 + 1.25 F^2 V) prod(1 + b^2) - 1.

    Args:
        fidelity: Upper bound of the XEB fidelity of the same answer.
        excess: V.
        biases: Per qubit Pr(reads 0) - Pr(reads 1) of a fair bit; for readout errors e0, e1 it
            is |e1 - e0|. Empty after masks were undone.

    Returns:
        None below F = .4, where honest local noise reaches what spoofers show.

    Example:
        >>> honest_ceiling(0.8, excess=1.0)
        0.8
        >>> honest_ceiling(0.2, excess=1.0) is None
        True
    """
    if fidelity < LEAST_FIDELITY:
        return None
    bias = math.prod(1.0 + b * b for b in biases)
    return (1.0 + ALLOWANCE * fidelity * fidelity * excess) * bias - 1.0


@dataclass(frozen=True, slots=True)
class _Pairs:
    """Colliding pairs: how many, of how many, and the part of their variance beyond Poisson's.

    Attributes:
        seen: Colliding pairs.
        possible: All pairs.
        shared: Extra variance, from pairs that share a shot.
    """

    seen: int
    possible: int
    shared: float

    def bounds(self, *, confidence: float) -> Interval:
        """Invert the score test of the number of pairs: good from a few collisions on, also 0.

        Its variance is taken as proportional to its mean, Poisson's 1 and what `shared` adds.
        """
        z = normal_quantile(1.0 - check_level(confidence))
        rate = self.seen / self.possible
        own = 1.0 - rate + self.shared / max(1, self.seen)
        middle = self.seen + own * z * z / 2
        half = z * math.sqrt(own * self.seen + (own * z / 2) ** 2)
        low, high = middle - half, middle + half
        return Interval(min(low / self.possible, rate), rate, max(high / self.possible, rate))


def _own_pairs(counts: Mapping[str, int]) -> _Pairs:
    """Count pairs within one answer; Var C = P (theta - theta^2) + N(N-1)(N-2) (T - theta^2)."""
    numbers = [n for n in counts.values() if n > 0]
    shots = sum(numbers)
    twice = _twice(counts)
    triples = sum(n * (n - 1) * (n - 2) for n in numbers)
    ways = shots * (shots - 1) * (shots - 2)
    excess = triples - ways * (twice / (shots * (shots - 1))) ** 2
    return _Pairs(twice // 2, shots * (shots - 1) // 2, max(0.0, excess))


def _common_pairs(a: Mapping[str, int], b: Mapping[str, int]) -> _Pairs:
    """Count pairs between two answers by joining them on the string."""
    if len(b) < len(a):
        a, b = b, a
    both = [(n, b[key]) for key, n in a.items() if b.get(key, 0) > 0]
    first, second = sum(a.values()), sum(b.values())
    seen = sum(n * m for n, m in both)
    square = (seen / (first * second)) ** 2
    excess = sum(n * m * (m - 1) for n, m in both) - first * second * (second - 1) * square
    excess += sum(m * n * (n - 1) for n, m in both) - second * first * (first - 1) * square
    return _Pairs(seen, first * second, max(0.0, excess))


def _nothing(width: int) -> Interval:
    return Interval(0.0, 0.0, 2.0**width - 1.0)


def self_collision(counts: Mapping[str, int], *, width: int, confidence: float = 0.95) -> Interval:
    """Estimate D sum q^2 - 1 of one answer's law; 0 flat, V exact, F^2 V white noise.

    Variance D^2 (4 (sum q^3 - (sum q^2)^2)/N + 2 sum q^2/N^2), both parts from the counts; the
    second as a score interval, for collisions may be few. Covers .95 to .96 from 10 qubits on, .93
    where 500 shots fall on 64 strings. For one circuit's law: combine circuits with
    `random_effects`.

    Returns:
        Unclamped; (0, 0, D - 1), all that can be, with fewer than two shots.

    Example:
        >>> round(self_collision({"0": 500, "1": 500}, width=1).estimate, 3)
        -0.001
    """
    if sum(counts.values()) < 2:
        return _nothing(width)
    bounds = _own_pairs(counts).bounds(confidence=confidence)
    return bounds.affine(scale=2.0**width, shift=-1.0)


def cross_collision(
    first: Mapping[str, int],
    second: Mapping[str, int],
    *,
    width: int,
    confidence: float = 0.95,
) -> Interval:
    """Estimate D sum q r - 1 of two answers to one circuit; F1 F2 V under white noise.

    Returns:
        Unclamped; (0, 0, D - 1) if either answer is empty.

    Example:
        >>> cross_collision({"0": 50, "1": 50}, {"0": 50, "1": 50}, width=1).estimate
        0.0
    """
    if not sum(first.values()) or not sum(second.values()):
        return _nothing(width)
    bounds = _common_pairs(first, second).bounds(confidence=confidence)
    return bounds.affine(scale=2.0**width, shift=-1.0)


def shared_shots(
    first: Mapping[str, int], second: Mapping[str, int], *, confidence: float = 0.95
) -> Interval:
    """Estimate which share of the shorter answer's shots was copied from, or to, the other.

    s shared shots put s pairs on top of those of independent shots (D s/(N M), so D/N for equal
    answers); independent laws collide at most with sqrt(sum q^2 sum r^2) (Cauchy-Schwarz), and
    each sum comes from its own answer. A positive lower bound means shared shots, whatever the
    two laws are. Bounds are normal; what a shot does to all three numbers at once cancels for
    equal laws. They hold for independent answers, and are wider than need be where shots are
    shared.

    Returns:
        Around 0 for independent equal laws, below 0 for different ones, unclamped; (-1, 0, 1)
        with fewer than two shots in either.

    Example:
        >>> answer = {format(i, "010b"): 1 for i in range(300)}
        >>> shared_shots(answer, answer).low > 0.8
        True
    """
    shots = sum(first.values()), sum(second.values())
    if min(shots) < 2:
        return Interval(-1.0, 0.0, 1.0)
    common = _common_pairs(first, second)
    own = [_own_pairs(first), _own_pairs(second)]
    # Half a pair where none was seen, so that the root has a slope.
    rates = [max(pairs.seen, 0.5) / pairs.possible for pairs in own]
    expected = common.possible * math.sqrt(rates[0] * rates[1])
    # Poisson's part of all three, one pair more than seen.
    variance = common.seen + 1.0 + sum(expected**2 / (4.0 * (p.seen + 1.0)) for p in own)
    variance += _unlike(first, second, slope=expected / (shots[0] * rates[0]))
    variance += _unlike(second, first, slope=expected / (shots[1] * rates[1]))
    value = (common.seen - expected) / min(shots)
    half = normal_quantile(1.0 - check_level(confidence)) * math.sqrt(variance) / min(shots)
    return Interval(value - half, value, value + half)


def _unlike(a: Mapping[str, int], b: Mapping[str, int], *, slope: float) -> float:
    """Return the variance that single shots of `a` give, without bias: 0 for equal laws.

    A shot on x adds M r_x common pairs and `slope` q_x expected ones; N times the variance of
    the difference over q, each power of a share by its falling factorial.
    """
    first, second = sum(a.values()), sum(b.values())
    both = [(n, b[key]) for key, n in a.items() if key in b]
    square = second * sum(n * m * (m - 1) for n, m in both) / (second - 1)
    cross = slope * sum(n * (n - 1) * m for n, m in both) / (first - 1)
    triples = sum(n * (n - 1) * (n - 2) for n in a.values())
    cube = slope * slope * triples / ((first - 1) * max(1, first - 2))
    mean = (sum(n * m for n, m in both) - slope * _twice(a) / (first - 1)) / first
    return max(0.0, square - 2.0 * cross + cube - first * mean * mean)


def _twice(counts: Mapping[str, int]) -> int:
    return sum(n * (n - 1) for n in counts.values())
