"""Evidence that may be looked at any time: betting, caps, mixing over start times, thresholds.

An e-value has expectation at most 1 under its null whatever the past; multiplied along time it
is a wealth that exceeds 1/alpha with probability at most alpha, ever (Ville). Everything here
is log10 and rounded DOWN to 1e-9, so that the last bits of a logarithm decide nothing.

E_fraud has the null "each circuit's success, given the past, is at least its floor, but for a
share of at most 2 % of circuits". Crossing proves "below its claim", not intent. Blind spot: a
device that is above the floor on tests and below it on users' jobs. Missing answers do not
belong here; they count against the score.
Source: J. Ville (1939); I. Waudby-Smith and A. Ramdas, JRSS B 86, 1 (2024) (betting);
S. R. Howard et al., Ann. Statist. 49, 1055 (2021).
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum

__all__ = [
    "ALPHA",
    "ALPHA_SHARES",
    "Accusation",
    "StartMixture",
    "accusation_threshold",
    "best_stake",
    "betting_wealth",
    "capped",
    "hedged",
    "hit_wealth",
    "log10_mean",
    "log10_sum",
    "polarization_wealth",
    "rounded_down",
    "run_mixture",
    "start_weight",
]

ALPHA = 1e-6
CAP = 50.0
DELTA = 0.02
_GRAIN = 1e9


class Accusation(StrEnum):
    """The tests that may end in `fraud`; they share one alpha."""

    BELOW_CLAIM = "below_claim"
    TOO_GOOD = "too_good"
    REPLAYED = "replayed"
    SCALED = "scaled"
    ROUNDED = "rounded"


ALPHA_SHARES: Mapping[Accusation, float] = {
    Accusation.BELOW_CLAIM: 0.5,
    Accusation.TOO_GOOD: 0.2,
    Accusation.REPLAYED: 0.1,
    Accusation.SCALED: 0.1,
    Accusation.ROUNDED: 0.1,
}


def rounded_down(value: float) -> float:
    """Round a log10 down to 1e-9; -inf stays.

    Example:
        >>> rounded_down(1.23456789191)
        1.234567891
    """
    return value if math.isinf(value) else math.floor(value * _GRAIN) / _GRAIN


def log10_sum(values: Iterable[float]) -> float:
    """Return log10 of the sum of numbers given by their log10; -inf for none.

    Example:
        >>> log10_sum([0.0, 0.0, 0.0, math.log10(7)])
        1.0
    """
    kept = [value for value in values if value > -math.inf]
    if not kept:
        return -math.inf
    top = max(kept)
    return top + math.log10(math.fsum(10.0 ** (value - top) for value in kept))


def log10_mean(values: Iterable[float]) -> float:
    """Return log10 of the mean of numbers given by their log10 (a fixed-weight mixture).

    Example:
        >>> log10_mean([0.0, -math.inf]) == math.log10(0.5)
        True
    """
    listed = list(values)
    return log10_sum(listed) - math.log10(len(listed))


def hedged(log10_e: float, *, kept: float = 0.5) -> float:
    """Return log10 of kept + (1 - kept) e: an e-value that never loses more than 1/kept.

    A bet that may be far off is hedged before it is multiplied along time.

    Example:
        >>> round(hedged(-math.inf), 3), hedged(0.0)
        (-0.301, 0.0)
    """
    return rounded_down(log10_sum([math.log10(kept), math.log10(1.0 - kept) + log10_e]))


def accusation_threshold(accusation: Accusation, *, registration: int) -> float:
    """Return the log10 e-value at which a test may accuse.

    The j-th registration of a coldkey is charged 6 alpha/(pi^2 j^2), alpha = 1e-6, of which
    each test has its share: coming back often does not buy chances.

    Args:
        accusation: The test.
        registration: j, counted from 1.

    Raises:
        ValueError: `registration` is below 1.

    Example:
        >>> round(accusation_threshold(Accusation.BELOW_CLAIM, registration=1), 3)
        6.517
    """
    if registration < 1:
        raise ValueError(f"need registration >= 1, got {registration}")
    charged = 6.0 * ALPHA / (math.pi * registration) ** 2
    return -math.log10(charged * ALPHA_SHARES[accusation])


def best_stake(floor: float, *, alternative: float) -> float:
    """Return the stake that grows fastest if the true success is `alternative` < `floor`.

    lambda = (p0 - p1)/(p0 (1 - p0)), the likelihood ratio for hits, cut to [0, 1/(1 - p0)].

    Raises:
        ValueError: Not 0 < floor < 1.

    Example:
        >>> round(best_stake(0.25, alternative=0.125), 4)
        0.6667
    """
    if not 0.0 < floor < 1.0:
        raise ValueError(f"need 0 < floor < 1, got {floor}")
    stake = (floor - alternative) / (floor * (1.0 - floor))
    return min(max(0.0, stake), 1.0 / (1.0 - floor))


def betting_wealth(outcomes: Mapping[float, int], *, floor: float, stake: float) -> float:
    """Return log10 of W = prod(1 - stake (x - floor)) over one circuit's shots.

    Args:
        outcomes: {x: shots}, every x <= 1; its mean is bounded below by `floor` under the null.
        floor: m0.
        stake: lambda in [0, 1/(1 - floor)], fixed before the answer was known.

    Raises:
        ValueError: The stake or a value lies outside its range.

    Example:
        >>> betting_wealth({1.0: 0, 0.0: 0}, floor=0.5, stake=1.0)
        0.0
    """
    if not 0.0 <= stake * (1.0 - floor) <= 1.0 + 1e-12:
        raise ValueError(f"need 0 <= stake <= 1/(1 - floor), got stake={stake} floor={floor}")
    if any(x > 1.0 for x in outcomes):
        raise ValueError(f"need outcomes <= 1, got {max(outcomes)}")
    logs = []
    for x in sorted(outcomes):
        factor = max(0.0, 1.0 - stake * (x - floor))
        if outcomes[x] and factor == 0.0:
            return -math.inf
        if outcomes[x]:
            logs.append(outcomes[x] * math.log10(factor))
    return math.fsum(logs)


def hit_wealth(hits: int, *, shots: int, floor: float, stake: float) -> float:
    """Return `betting_wealth` for exact hits (x = 1) and misses (x = 0).

    Example:
        >>> round(hit_wealth(0, shots=10, floor=0.25, stake=2 / 3), 4)
        0.6695
    """
    if not 0 <= hits <= shots:
        raise ValueError(f"need 0 <= hits <= shots, got hits={hits} shots={shots}")
    return betting_wealth({1.0: hits, 0.0: shots - hits}, floor=floor, stake=stake)


def polarization_wealth(histogram: tuple[int, ...], *, floor: float, stake: float) -> float:
    """Return `betting_wealth` for x = (-1/2)^d, the shots given by distance d = 0 .. n.

    The mean of x is A = S (4^n - 1)/4^n + 1/4^n, never below the S it is compared with.

    Example:
        >>> polarization_wealth((0, 0, 0), floor=0.3, stake=1.0)
        0.0
    """
    outcomes = {(-0.5) ** k: shots for k, shots in enumerate(histogram)}
    return betting_wealth(outcomes, floor=floor, stake=stake)


def capped(log10_wealth: float, *, cap: float = CAP, delta: float = DELTA) -> float:
    """Return log10 of e = min(W, B)/(1 + delta (B - 1)): one circuit never decides alone.

    An e-value under "the circuit is below its floor with probability at most delta, given the
    past": bursts and outages are inside the null. At B = 50, delta = .02 a circuit weighs at
    most 25.3, so an accusation at 1e-6 needs at least five.

    Example:
        >>> round(10 ** capped(99.0), 2)
        25.25
    """
    return rounded_down(min(log10_wealth, math.log10(cap)) - math.log10(1.0 + delta * (cap - 1.0)))


def start_weight(step: int) -> float:
    """Return the weight w_t of a bet that begins with step t >= 1; see `StartMixture`.

    Example:
        >>> [start_weight(step) for step in (1, 2, 3)]
        [0.5, 0.25, 0.08333333333333333]
    """
    return 0.5 if step == 1 else 0.5 / (step * (step - 1))


@dataclass(frozen=True, slots=True)
class StartMixture:
    """Wealth mixed over start times: a long honest past does not protect a later fake.

    R_t = e_t (R_(t-1) + w_t), E = R_t + 1 - sum of w up to t, with w_1 = 1/2 and
    w_t = 1/(2 t (t - 1)) after, whose sum is 1 - 1/(2t). E is a supermartingale under the null.

    Attributes:
        steps: t, circuits so far.
        log10_running: log10 R_t.

    Example:
        >>> round(10 ** StartMixture().after(math.log10(8)).log10_e, 6)
        4.5
    """

    steps: int = 0
    log10_running: float = -math.inf

    @property
    def log10_e(self) -> float:
        """The e-value so far, log10, rounded down to 1e-9; 0 before the first circuit."""
        if self.steps == 0:
            return 0.0
        return rounded_down(log10_sum([self.log10_running, -math.log10(2 * self.steps)]))

    def after(self, log10_factor: float) -> StartMixture:
        """Return the mixture after one more circuit's e-value (log10; -inf allowed)."""
        step = self.steps + 1
        started = log10_sum([self.log10_running, math.log10(start_weight(step))])
        return StartMixture(step, rounded_down(log10_factor + started))


def run_mixture(log10_factors: Iterable[float]) -> StartMixture:
    """Fold e-values, in the order in which they were earned, into a mixture.

    Example:
        >>> run_mixture([]).log10_e
        0.0
    """
    state = StartMixture()
    for factor in log10_factors:
        state = state.after(factor)
    return state
