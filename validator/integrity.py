"""T0, faked counts: replayed, scaled up, or rounded from probabilities.

Null, for every test here: "the job's N shots are independent draws from one law, given the
past", whatever that law is. Nothing is assumed about the device, so a bad one is never accused.
Blind spots: a law on one or two strings leaves no trace of fakery (a simulator without noise
on a product state returns one string), and shots with a drift inside the job are outside the
null as stated; scaling by no whole number is not seen. A job without traces has e = 0 or below
1, so hedge each one (`sequential.hedged`) and fold them with `sequential.run_mixture`; `Scaled`
and `Replays` see to that themselves.
Source: derived here from the multinomial and from Poisson counts conditioned on their total.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache, lru_cache

import numpy as np
from numpy.typing import NDArray

from validator.sequential import hedged, rounded_down, start_weight

__all__ = [
    "Replays",
    "Scaled",
    "log10_likeliest",
    "replay_factors",
    "replayed",
    "rounded",
    "scaled",
]

_LN10 = math.log(10.0)
_LARGEST_DIVISOR = 64
_DIVISORS = np.arange(2, _LARGEST_DIVISOR + 1)
_SHARES = [1.0 / (g * (g - 1)) for g in range(2, _LARGEST_DIVISOR + 1)]
_SPARE = 1.0 / _LARGEST_DIVISOR
"""What the shares 1/(g (g - 1)) leave over of 1, which bets nothing."""

_MISFIT_LOG10 = -1.0
"""What a count is worth that a divisor does not divide."""

_HOPELESS = -12.0
_MOST_LOG10 = 100.0
"""Where a fold is cut off."""


def log10_likeliest(counts: Iterable[int]) -> float:
    """Return log10 of the largest probability that any law gives to exactly these counts.

    The multinomial maximum N!/prod(n!) prod((n/N)^n): 1 for a single string, about e^-N for N
    different ones.

    Example:
        >>> log10_likeliest([7]), round(log10_likeliest([1, 1]), 4)
        (0.0, -0.301)
    """
    seen = sorted(n for n in counts if n > 0)
    shots = sum(seen)
    if shots == 0 or len(seen) == 1:
        return 0.0
    own = math.lgamma(shots + 1) - shots * math.log(shots)
    rest = math.fsum(n * math.log(n) - math.lgamma(n + 1) for n in seen)
    return min(0.0, (own + rest) / _LN10)


def replayed(counts: Mapping[str, int], *, earlier: Sequence[Mapping[str, int]]) -> float:
    """Return the log10 e-value of a job whose counts exactly equal those of an earlier one.

    e = [equal to any of t earlier jobs]/(t M), M from `log10_likeliest`; the union bound over
    the t comparisons is inside. Compare a miner's job with all its earlier jobs of the same
    width. Not for equal programs of a simulator: one with a fixed seed answers the same program
    with the same counts, outside this null and yet honestly.

    Args:
        counts: {bitstring: shots} of the job.
        earlier: The same of every earlier job that it is compared with, all of them.

    Returns:
        -inf without a match (use `sequential.hedged` to fold), 0 without an earlier job.

    Example:
        >>> replayed({"01": 1, "10": 1}, earlier=[{"10": 1, "01": 1}]) > 0.3
        True
        >>> replayed({"00": 9}, earlier=[{"00": 9}])
        0.0
    """
    if not earlier:
        return 0.0
    equal = _frozen(counts) in map(_frozen, earlier)
    return _recurring(counts, compared=len(earlier), equal=equal)


@dataclass(slots=True)
class Replays:
    """A device's answers so far, by what they must differ from; `replayed` for a whole record.

    Answers of one label may repeat each other; those of different labels and one width must not.
    Each answer costs the same time, however many there were.

    Example:
        >>> past, same = Replays(), {"01": 1, "10": 1}
        >>> [past.factor(label, 2, same) is None for label in ("a", "a", "b")]
        [True, True, False]
    """

    _asked: dict[int, Counter[str]] = field(default_factory=dict)
    _owners: dict[tuple[int, frozenset[tuple[str, int]]], set[str]] = field(default_factory=dict)

    def factor(self, label: str, width: int, counts: Mapping[str, int]) -> float | None:
        """Compare one more answer with the earlier ones, and remember it.

        Returns:
            The hedged log10 e-value; None where there is no earlier answer to differ from.
        """
        past = self._asked.setdefault(width, Counter())
        before = self._owners.setdefault((width, _frozen(counts)), set())
        compared = past.total() - past[label]
        equal = not before <= {label}
        past[label] += 1
        before.add(label)
        if not compared:
            return None
        return hedged(_recurring(counts, compared=compared, equal=equal))


def replay_factors(answers: Iterable[tuple[str, int, Mapping[str, int]]]) -> list[float]:
    """Return the factors of a whole record, in order: (label, width, counts) of each answer.

    Example:
        >>> same = {"01": 1, "10": 1}
        >>> [round(f, 3) for f in replay_factors([("a", 2, same), ("a", 2, same), ("b", 2, same)])]
        [0.0]
    """
    past = Replays()
    factors = (past.factor(*answer) for answer in answers)
    return [factor for factor in factors if factor is not None]


def _frozen(counts: Mapping[str, int]) -> frozenset[tuple[str, int]]:
    return frozenset(item for item in counts.items() if item[1] > 0)


def _recurring(counts: Mapping[str, int], *, compared: int, equal: bool) -> float:
    """Return `replayed` where the comparison is done; at least one earlier job."""
    if not equal or not any(counts.values()):
        return -math.inf
    return rounded_down(-log10_likeliest(counts.values()) - math.log10(compared))


def _log10_total(shots: int) -> float:
    """Return log10 of Pr(a Poisson number of mean N is N): the price of a fixed total."""
    return (shots * math.log(shots) - shots - math.lgamma(shots + 1)) / _LN10


@lru_cache(maxsize=_LARGEST_DIVISOR)
def _divisible(divisor: int) -> float:
    """Return the largest Pr(g divides n | n >= 1) over all Poisson means.

    For g = 2 it is (1 - e^-m)/2, below 1/2. Else the maximum lies near m = g, where it is a
    lone peak; the grid is fine enough that 1 % on top covers what lies between its points.
    """
    if divisor == 2:
        return 0.5
    best = 1.0 / divisor
    for step in range(1, 60 * divisor):
        mean = step / 20
        terms = (
            math.exp(k * math.log(mean) - mean - math.lgamma(k + 1))
            for k in range(divisor, int(mean + 12 * math.sqrt(mean) + 2 * divisor), divisor)
        )
        best = max(best, math.fsum(terms) / -math.expm1(-mean))
    return min(1.0, 1.01 * best)


def scaled(counts: Mapping[str, int], *, divisor: int) -> float:
    """Return the log10 e-value of counts that one number divides: shots scaled up.

    For independent Poisson counts let f = 1 where n = 0, f = c = 1/10 where g does not divide n,
    and f = (1 - (1 - a) c)/a where it divides n >= 1, with a = max Pr(g | n, n >= 1) over all
    rates: f has mean at most 1 at every rate. Fixing the total N costs the factor
    Pr(Poisson(N) = N). It grows with the number of DIFFERENT strings, by nearly g for each; a
    count that does not fit costs a factor of 10, because who repeats N/g shots, rounded up, and
    cuts the rest off to return N has one such count.

    Args:
        counts: {bitstring: shots} of the job.
        divisor: g, 2 .. 64.

    Returns:
        Far below 0 where many counts do not fit (use `sequential.hedged` to fold).

    Example:
        >>> scaled({"00": 3, "01": 2}, divisor=2) < 0
        True
        >>> scaled({format(i, "06b"): 4 for i in range(50)}, divisor=4) > 20
        True
    """
    seen = [n for n in counts.values() if n > 0]
    if not seen:
        return 0.0
    misfits = sum(n % divisor != 0 for n in seen)
    earned = (len(seen) - misfits) * _fitting(divisor) + misfits * _MISFIT_LOG10
    return rounded_down(earned + _log10_total(sum(seen)))


@lru_cache(maxsize=_LARGEST_DIVISOR)
def _fitting(divisor: int) -> float:
    """Return log10 of what a divisible count earns."""
    chance = _divisible(divisor)
    return math.log10((1.0 - (1.0 - chance) * 10.0**_MISFIT_LOG10) / chance)


@cache
def _all_fitting() -> NDArray[np.float64]:
    return np.array([_fitting(divisor) for divisor in _DIVISORS.tolist()])


@dataclass(frozen=True, slots=True)
class Scaled:
    """The evidence that a device's counts share a divisor, over all its answers.

    The divisor is looked for once, not in each answer: `scaled` is folded for every g = 2 .. 64
    apart, and their average with weights 1/(g (g - 1)) accuses. So answers of a few strings add
    up, which on narrow devices is all there is.

    The folds are `sequential.StartMixture`s kept as plain numbers, because there are many of them;
    sums and products come out the same on every machine.

    Attributes:
        steps: Answers so far.
        running: R of each divisor's fold, from 2 on; what is won above 1e100 is thrown away.
        highest: The highest point so far, log10; an accusation holds from its first crossing.

    Example:
        >>> fold = Scaled()
        >>> for _ in range(20):
        ...     fold = fold.after({"00": 70, "01": 20, "10": 10})
        >>> fold.highest > 7
        True
    """

    steps: int = 0
    running: tuple[float, ...] = (0.0,) * (_LARGEST_DIVISOR - 1)
    highest: float = 0.0

    def after(self, counts: Mapping[str, int]) -> Scaled:
        """Return the evidence after one more answer; one without shots changes nothing."""
        alike = Counter(n for n in counts.values() if n > 0)
        if not alike:
            return self
        strings = np.array(list(alike.values()), dtype=np.int64)
        misfits = strings @ (np.array(list(alike))[:, None] % _DIVISORS != 0)
        earned = (alike.total() - misfits) * _all_fitting() + misfits * _MISFIT_LOG10
        price = _log10_total(sum(n * times for n, times in alike.items()))
        factors = [
            0.5 if gain < _HOPELESS else 0.5 + 0.5 * 10.0 ** min(rounded_down(gain), _MOST_LOG10)
            for gain in (earned + price).tolist()
        ]
        step = self.steps + 1
        weight, waiting = start_weight(step), 0.5 / step
        running = tuple(
            min(factor * (before + weight), 10.0**_MOST_LOG10)
            for factor, before in zip(factors, self.running, strict=True)
        )
        total = math.fsum(
            (now + waiting) * share for now, share in zip(running, _SHARES, strict=True)
        )
        found = rounded_down(math.log10(_SPARE + total))
        return Scaled(step, running, max(self.highest, found))


def _within_one(middle: int) -> float:
    """Return log10 of the largest Pr(n in {m-1, m, m+1}) over all Poisson rates; m >= 2.

    The rate is the cube root of (m-1) m (m+1), where the derivative of the sum vanishes.
    """
    rate = math.exp(math.log((middle - 1) * middle * (middle + 1)) / 3.0)
    chance = middle * math.log(rate) - rate - math.lgamma(middle + 1)
    return (chance + math.log(middle / rate + 1.0 + rate / (middle + 1))) / _LN10


def rounded(counts: Mapping[str, int], *, law: Mapping[str, float]) -> float:
    """Return the log10 e-value of counts that follow a law more closely than chance allows.

    Every string must lie within one of N p rounded (which rounding down, up, to the nearest or
    by largest remainder all do). For Poisson counts the product of the inverse largest chances,
    at whatever rates, is an e-value, again after the price of a fixed total. This is the limit
    of a dispersion far below 1; it decides with a few dozen strings at one job and with two
    over a dozen jobs.

    Args:
        counts: {bitstring: shots} of the job.
        law: {bitstring: probability}, fixed before the job: the ideal law, or the shares of an
            earlier answer to the same program. Strings not listed have probability 0.

    Returns:
        -inf if some string differs by more (use `sequential.hedged` to fold), 0 without shots.

    Example:
        >>> rounded({"0": 503, "1": 497}, law={"0": 0.5, "1": 0.5})
        -inf
        >>> rounded({"0": 500, "1": 500}, law={"0": 0.5, "1": 0.5}) > 0.6
        True
    """
    shots = sum(counts.values())
    if shots == 0:
        return 0.0
    gains = []
    for key in sorted(set(law) | set(counts)):
        middle = math.floor(shots * law.get(key, 0.0) + 0.5)
        if abs(counts.get(key, 0) - middle) > 1:
            return -math.inf
        if middle >= 2:
            gains.append(-_within_one(middle))
    return rounded_down(math.fsum(gains) + _log10_total(shots))
