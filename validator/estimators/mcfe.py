"""The process fidelity of ANY circuit from three ensembles of mirrors (MCFE), and what to pay on.

M1 = C, then a randomized inverse; M2 = a randomized C, then a randomized inverse; M3 = the random
local Cliffords of the ends alone. gamma = E[S(M1)]/sqrt(E[S(M2)] E[S(M3)]) is the polarization
of C without its preparation, measurement and inverse; F_e(C) = 1 - (4^n-1)(1-gamma)/4^n.
Assumes: the same random ends in all three (uniformly random one-qubit Cliffords, a random
target), Clifford two-qubit gates, an inverse as noisy as the circuit. Blind spot: NOT
adversary-safe. Whoever tells M2 or M3 from M1 and spoils them raises gamma, so gamma is
reported, never paid. `Mcfe.paid` uses M1 alone, which preparation, measurement and inverse can
only lower: a lower-bound proxy.
Source: T. Proctor et al., arXiv:2204.07568.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from validator.estimators.mirror import (
    MirrorAnswer,
    polarization,
    polarization_variance,
    process_fidelity,
)
from validator.estimators.monotone import monotone_mean, shot_spread
from validator.estimators.ratio import CircuitMean, circuit_mean, fieller, root_product
from validator.interval import NO_SHOTS, Interval

__all__ = ["Mcfe", "mcfe"]

_FEW_MISSES = 10
# One shot's (-1/2)^d lies in [-1/2, 1].
_SPAN = 1.5


@dataclass(frozen=True, slots=True)
class Mcfe:
    """What three ensembles of mirrors say of one circuit.

    Attributes:
        gamma: Polarization of the circuit alone, unclamped; None where undefined.
        fidelity: F_e of the circuit; (0, 0.5, 1) where gamma is undefined.
        paid: Process fidelity of the WHOLE M1 mirror with preparation and measurement, its
            lower end never rising when any circuit of any ensemble gets worse.
        reason: Why gamma is undefined; empty if it is not.
    """

    gamma: Interval | None
    fidelity: Interval
    paid: Interval
    reason: str


def _mean(answers: Sequence[MirrorAnswer]) -> CircuitMean:
    """Return the mean polarization of at least two circuits.

    With fewer than 10 misses in all, two are added before the shots' variance is taken, for
    the spread of a perfect record is 0 and its error is not.
    """
    shots = sum(answer.shots for answer in answers)
    misses = shots - sum(answer.histogram[0] for answer in answers)
    rate = (misses + 2) / (shots + 4)
    least = _SPAN**2 * rate * (1.0 - rate) / shots if misses < _FEW_MISSES else 0.0
    within = sum(polarization_variance(answer) for answer in answers) / len(answers)
    return circuit_mean(
        [polarization(answer) for answer in answers], shot_variance=within, least_variance=least
    )


def _paid(answers: Sequence[MirrorAnswer], *, asked: int, confidence: float) -> Interval:
    """Bound the mean S of M1; a circuit without a shot scores the least, every shot one bit off."""
    if not answers:
        return NO_SHOTS
    least = polarization(MirrorAnswer((0, 1, *([0] * (answers[0].width - 1)))))
    values = [polarization(answer) for answer in answers] + [least] * (asked - len(answers))
    spread = shot_spread(min(answer.shots for answer in answers), span=_SPAN)
    return monotone_mean(values, least_spread=spread, confidence=confidence)


def _gamma(
    sets: Sequence[Sequence[MirrorAnswer]], *, confidence: float
) -> tuple[Interval | None, str]:
    few = [f"M{i}" for i, one in enumerate(sets, start=1) if len(one) < 2]
    if few:
        return None, f"fewer than 2 circuits in {', '.join(few)}"
    first, second, third = (_mean(one) for one in sets)
    for name, mean in (("M2", second), ("M3", third)):
        if not mean.above_zero(confidence=confidence):
            return None, f"the polarization of {name} is not significantly above 0"
    bounds = fieller(first, root_product(second, third), confidence=confidence)
    return bounds, "" if bounds else "the references are not significantly above 0 together"


def mcfe(
    *,
    circuit: Sequence[MirrorAnswer],
    inverse: Sequence[MirrorAnswer],
    ends: Sequence[MirrorAnswer],
    confidence: float = 0.95,
) -> Mcfe:
    """Estimate a circuit's process fidelity from M1 (`circuit`), M2 (`inverse`), M3 (`ends`).

    The variance is that between circuits of each ensemble (not below a quarter of the shots');
    the interval of gamma inverts the t test of m1 - g sqrt(m2 m3) = 0 (Fieller), with the delta
    method inside the root: the root's own bias is v/(8 m^2) of it, .1 % at m2, m3 known to 10 %.

    Args:
        circuit: Answers of M1, one per randomization of ONE circuit.
        inverse: Answers of M2.
        ends: Answers of M3.
        confidence: Two-sided level.

    Returns:
        gamma undefined (with the reason) with fewer than two answered circuits in an ensemble,
        or a reference not significantly above 0. Without any shot all are (0, 0.5, 1).

    Raises:
        ValueError: The ensembles differ in width.

    Example:
        >>> good, half = MirrorAnswer((90, 10, 0)), MirrorAnswer((50, 30, 20))
        >>> result = mcfe(circuit=[half] * 8, inverse=[good] * 8, ends=[good] * 8)
        >>> result.gamma.estimate < 0.5 and result.paid.low < result.fidelity.low
        True
        >>> mcfe(circuit=[half] * 8, inverse=[], ends=[good] * 8).reason
        'fewer than 2 circuits in M2'
    """
    everything = [*circuit, *inverse, *ends]
    widths = sorted({answer.width for answer in everything})
    if len(widths) > 1:
        raise ValueError(f"need one width in all three ensembles, got {widths}")
    if not widths:
        return Mcfe(None, NO_SHOTS, NO_SHOTS, "no circuits")
    sets = [[answer for answer in one if answer.shots] for one in (circuit, inverse, ends)]
    gamma, reason = _gamma(sets, confidence=confidence)
    paid = _paid(sets[0], asked=len(circuit), confidence=confidence)
    return Mcfe(
        gamma=gamma,
        fidelity=process_fidelity(gamma, width=widths[0]) if gamma else NO_SHOTS,
        paid=process_fidelity(paid, width=widths[0]) if sets[0] else NO_SHOTS,
        reason=reason,
    )
