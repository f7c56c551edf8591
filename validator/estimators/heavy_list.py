"""Fidelity from hits in a list of strings whose ideal share is known: heavy output, heavy lists.

A list holds the fraction f of all strings and the ideal share P of the probability; a device
with white noise hits it with F P + (1 - F) f, so F = (hit - f)/(P - f). With the likeliest 20 %
of the strings stored that is the sharpest XEB-like number which needs no ideal probability at
judging time: sd 1.24/sqrt(N) at small F (linear XEB: 1/sqrt(N)), for n = 26-34 where a law
does not fit into memory.
Assumes: white noise; each list used once (a bank's entries are one-time: whoever knows the list
hits it for free). Blind spot: local noise lies above, and a spoofer that returns only heavy
strings scores above 1; the upper side is for `collision`.
Source: derived here; S. Aaronson and L. Chen, arXiv:1612.05903 (heavy outputs).
"""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from validator.interval import NO_SHOTS, Interval, wilson
from validator.special import check_level, t_quantile

__all__ = [
    "BEST_SHARE",
    "HitCircuit",
    "heavy_list_sd",
    "hit_fidelity",
    "list_hits",
    "porter_thomas_mass",
]

BEST_SHARE = 0.2
"""The stored share with the least variance under Porter-Thomas (the minimum is at .203)."""


@dataclass(frozen=True, slots=True)
class HitCircuit:
    """One circuit's hits.

    Attributes:
        hits: Shots inside the list.
        shots: Shots that came back.
        ideal: P, the ideal probability of the list.
        share: f, the list's share of all 2^n strings; below `ideal`.

    Raises:
        ValueError: The numbers contradict each other, or the list tells nothing (P <= f).

    Example:
        >>> HitCircuit(hits=52, shots=100, ideal=0.52, share=0.2).share
        0.2
    """

    hits: int
    shots: int
    ideal: float
    share: float

    def __post_init__(self) -> None:
        if not 0 <= self.hits <= self.shots or not 0.0 < self.share < self.ideal <= 1.0:
            raise ValueError(f"need 0 <= hits <= shots and 0 < share < ideal <= 1, got {self}")


def list_hits(
    counts: Mapping[str, int], *, listed: Collection[str], ideal: float, share: float
) -> HitCircuit:
    """Count the shots inside a list; one look-up for each distinct string.

    Args:
        counts: {bitstring: shots}, bit 0 rightmost.
        listed: The strings, in the same form; a set or a mapping, so that a look-up is fast.
        ideal: Their ideal probability.
        share: Their number over 2^n.

    Example:
        >>> list_hits({"00": 3, "01": 1}, listed={"00"}, ideal=0.7, share=0.25).hits
        3
    """
    hits = sum(n for key, n in counts.items() if key in listed)
    return HitCircuit(hits, sum(counts.values()), ideal=ideal, share=share)


def porter_thomas_mass(share: float) -> float:
    """Return the ideal probability of the likeliest `share` of strings, f (1 + ln(1/f)).

    Example:
        >>> round(porter_thomas_mass(0.5), 4)
        0.8466
    """
    return share * (1.0 - math.log(share))


def heavy_list_sd(shots: int, *, share: float = BEST_SHARE) -> float:
    """Return the standard deviation of F at small F, sqrt(f (1 - f)/N)/(P - f).

    Example:
        >>> round(heavy_list_sd(1), 2)
        1.24
    """
    return math.sqrt(share * (1.0 - share) / shots) / (porter_thomas_mass(share) - share)


def _one(circuit: HitCircuit, confidence: float) -> Interval:
    reach = circuit.ideal - circuit.share
    bounds = wilson(circuit.hits, circuit.shots, confidence=confidence)
    return bounds.affine(scale=1.0 / reach, shift=-circuit.share / reach)


def hit_fidelity(circuits: Sequence[HitCircuit], *, confidence: float = 0.95) -> Interval:
    """Estimate F over circuits, each with its own P.

    Least squares of hit - f on P - f through the origin, so that a circuit whose list tells
    little weighs little. Variance: between circuits, sum a^2 e^2/(1 - leverage) over (sum a^2)^2
    with a = P - f, not below a quarter of what shots alone give; t with k - 1 degrees of freedom.

    Returns:
        Unclamped; one circuit is bounded by its own shots (Wilson); (0, 0.5, 1) without a shot.

    Source:
        J. G. MacKinnon and H. White, J. Econometrics 29, 305 (1985), HC2.

    Example:
        >>> hit_fidelity([HitCircuit(52, 100, ideal=0.52, share=0.2)] * 3).estimate
        1.0
    """
    tail = check_level(confidence)
    seen = [circuit for circuit in circuits if circuit.shots]
    if not seen:
        return NO_SHOTS
    if len(seen) == 1:
        return _one(seen[0], confidence)
    reach = [circuit.ideal - circuit.share for circuit in seen]
    above = [circuit.hits / circuit.shots - circuit.share for circuit in seen]
    square = math.fsum(a * a for a in reach)
    value = math.fsum(a * y for a, y in zip(reach, above, strict=True)) / square
    spread = math.fsum(
        (a * (y - value * a)) ** 2 / (1.0 - a * a / square)
        for a, y in zip(reach, above, strict=True)
    )
    # Two hits and two misses more than seen: no shots' variance is 0.
    rates = [(c.hits + 2) / (c.shots + 4) for c in seen]
    shots = math.fsum(
        a * a * p * (1.0 - p) / c.shots for a, p, c in zip(reach, rates, seen, strict=True)
    )
    error = math.sqrt(max(spread, 0.25 * shots)) / square
    half = t_quantile(1.0 - tail, df=len(seen) - 1) * error
    return Interval(value - half, value, value + half)
