"""One mean from circuits that each know their own variance: random effects, Hartung-Knapp.

y_i = mu + u_i + e_i, Var u = tau^2 (circuits differ), Var e_i = v_i (shots). Weights
1/(v_i + tau^2), tau^2 by Paule-Mandel, and the variance of the mean from the weighted spread
itself with Student's t (with the normal quantile 95 % intervals cover 90 % at 8 circuits).
Assumes: the v_i do not follow the y_i. Blind spot: a binomial variance p(1-p)/N at the OBSERVED
p is small where p came out extreme, which biases the mean; feed variances at a smoothed or
pooled p, or use `interval.over_circuits` where all circuits have the same shots.
Source: R. C. Paule and J. Mandel, J. Res. NBS 87, 377 (1982); J. Hartung and G. Knapp, Statist.
Med. 20, 3875 (2001); W. Viechtbauer, Statist. Med. 26, 37 (2007) (the interval of tau^2).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from validator.interval import NO_SHOTS, Interval
from validator.special import check_level, normal_quantile, t_quantile

__all__ = ["Effect", "RandomEffects", "effect_of", "random_effects"]

_LEAST_SHARE = 0.25
_HALVINGS = 60


@dataclass(frozen=True, slots=True)
class Effect:
    """One circuit's estimate and the variance that its shots give it.

    Raises:
        ValueError: The estimate is not finite or the variance not above 0.

    Example:
        >>> Effect(0.8, 1e-4).variance
        0.0001
    """

    value: float
    variance: float

    def __post_init__(self) -> None:
        if not (math.isfinite(self.value) and 0.0 < self.variance < math.inf):
            raise ValueError(f"need a finite value and a variance above 0, got {self}")


def effect_of(bounds: Interval, *, confidence: float = 0.95) -> Effect:
    """Read an effect back from a normal interval of one circuit.

    Example:
        >>> round(effect_of(Interval(0.404, 0.6, 0.796)).variance, 4)
        0.01
    """
    z = normal_quantile(1.0 - check_level(confidence))
    return Effect(bounds.estimate, ((bounds.high - bounds.low) / (2.0 * z)) ** 2)


@dataclass(frozen=True, slots=True)
class RandomEffects:
    """What the circuits have in common, and how far they differ.

    Attributes:
        mean: mu.
        spread: tau, the standard deviation between circuits beyond shots; (0, 0, inf) where
            fewer than two circuits leave it open.
    """

    mean: Interval
    spread: Interval


def _centre(effects: Sequence[Effect], tau2: float) -> tuple[float, float, float]:
    """Return the weighted mean, the sum of weights, and the weighted squared spread Q."""
    weights = [1.0 / (effect.variance + tau2) for effect in effects]
    total = math.fsum(weights)
    mean = math.fsum(w * e.value for w, e in zip(weights, effects, strict=True)) / total
    spread = math.fsum(w * (e.value - mean) ** 2 for w, e in zip(weights, effects, strict=True))
    return mean, total, spread


def _tau2(effects: Sequence[Effect], *, spread: float) -> float:
    """Return tau^2 at which Q equals `spread`, 0 if it is below that already (Q falls in tau^2)."""
    if _centre(effects, 0.0)[2] <= spread:
        return 0.0
    values = [effect.value for effect in effects]
    # Q(tau^2) <= (k - 1) * sample variance / tau^2 <= k * range^2 / tau^2.
    low, high = 0.0, len(values) * (max(values) - min(values)) ** 2 / spread
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        if _centre(effects, middle)[2] > spread:
            low = middle
        else:
            high = middle
    return (low + high) / 2


def _df(effects: Sequence[Effect], tau2: float) -> int:
    """Return the effective number of circuits, (sum w)^2/sum w^2 rounded, less 1; at least 1."""
    weights = [1.0 / (effect.variance + tau2) for effect in effects]
    effective = math.fsum(weights) ** 2 / math.fsum(w * w for w in weights)
    return max(1, round(effective) - 1)


def _chi2_quantile(level: float, *, df: int) -> float:
    from scipy import special

    return float(special.chdtri(df, 1.0 - level))


def random_effects(effects: Sequence[Effect], *, confidence: float = 0.95) -> RandomEffects:
    """Combine circuits of one family.

    mean: mu +- t sqrt(q/sum w) with q = sum w (y - mu)^2/(k - 1), which is 1 where tau^2 > 0 and
    below 1 where the circuits agree better than their shots let them; q is not believed below a
    quarter. t has as many degrees of freedom as circuits that carry weight, less 1: k - 1 for
    equal variances (coverage .948 to .959); where they differ 25-fold, k - 1 would cover .932 at
    8 circuits with tau like the shots' error, and this covers .947 to .98.
    spread: the tau at which Q has its chi-squared quantiles (Q-profile).

    Returns:
        One circuit: bounded by its own shots alone. None: (0, 0.5, 1).

    Example:
        >>> same = random_effects([Effect(0.5, 0.01), Effect(0.6, 0.04), Effect(0.55, 0.01)])
        >>> round(same.mean.estimate, 3), same.spread.estimate
        (0.533, 0.0)
    """
    tail = check_level(confidence)
    count = len(effects)
    if count == 0:
        return RandomEffects(NO_SHOTS, Interval(0.0, 0.0, math.inf))
    if count == 1:
        value = effects[0].value
        half = normal_quantile(1.0 - tail) * math.sqrt(effects[0].variance)
        own = Interval(value - half, value, value + half)
        return RandomEffects(own, Interval(0.0, 0.0, math.inf))
    tau2 = _tau2(effects, spread=count - 1.0)
    mean, total, spread = _centre(effects, tau2)
    scale = max(_LEAST_SHARE, spread / (count - 1))
    half = t_quantile(1.0 - tail, df=_df(effects, tau2)) * math.sqrt(scale / total)
    low = _tau2(effects, spread=_chi2_quantile(1.0 - tail, df=count - 1))
    high = _tau2(effects, spread=_chi2_quantile(tail, df=count - 1))
    return RandomEffects(
        mean=Interval(mean - half, mean, mean + half),
        spread=Interval(math.sqrt(low), math.sqrt(tau2), math.sqrt(high)),
    )
