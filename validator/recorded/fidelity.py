"""The fidelity of recorded circuits: one estimator for every ideal law.

F = (sum p n/N - 1/D)/(sum p^2 - 1/D): the normalised linear cross entropy, which for a certain
answer is its success probability normalised against uniform bits. Unbiased for the share F of ideal
shots where the rest is uniform; local noise scores higher (`xeb`). Programs count alike,
however often each ran, by random effects: the spread between programs is inside the interval.

Assumes for several programs that they are a sample of what the device runs. Blind spot: a law that
is flat or nearly so says nothing; it is left out where N shots could not tell F = 0 from F = 1 at
two standard errors, N (D sum p^2 - 1) < 4. Errors that move shots between equally likely strings
are not seen.
Source: Arute et al., Nature 574, 505 (2019), supplement IV.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from validator.estimators.random_effects import Effect, random_effects
from validator.interval import Interval
from validator.recorded.laws import project

if TYPE_CHECKING:
    from validator.recorded.laws import IdealLaw

__all__ = ["circuit_fidelity", "in_words", "mean_fidelity"]

_LEAST_INFORMATION = 4.0


def circuit_fidelity(law: IdealLaw, counts: Mapping[str, float], *, shots: int) -> Effect | None:
    """Estimate one answer's fidelity.

    Args:
        law: The circuit's ideal law.
        counts: {bitstring: shots or shares} over all declared bits.
        shots: Shots behind them.

    Returns:
        The estimate, which may leave [0, 1], and the variance that the shots give it, never
        below 1/N^2; None where the law is too flat.

    Example:
        >>> from validator.recorded.laws import CertainLaw
        >>> circuit_fidelity(CertainLaw((0,), (0,), "1"), {"1": 75, "0": 25}, shots=100).value
        0.5
    """
    total = math.fsum(counts.values())
    if total <= 0.0 or shots * law.excess < _LEAST_INFORMATION:
        return None
    keys = sorted(key for key in counts if counts[key] > 0)
    inside = np.array([_inside(key, law.bits) for key in keys])
    ideal = law.probabilities([project(key, law.bits) for key in keys]) * inside
    shares = np.array([counts[key] / total for key in keys])
    ratios = 2.0**law.width * ideal
    mean = math.fsum((ratios * shares).tolist())
    spread = math.fsum(((ratios - mean) ** 2 * shares).tolist()) / law.excess**2
    return Effect((mean - 1.0) / law.excess, max(spread / shots, 1.0 / shots**2))


def _inside(key: str, bits: Sequence[int]) -> bool:
    """Tell whether the bits that nothing measures are 0."""
    read = set(bits)
    return all(char == "0" for bit, char in enumerate(reversed(key)) if bit not in read)


def mean_fidelity(programs: Sequence[Sequence[Effect]]) -> Interval:
    """Estimate the mean over programs, each with the estimates of its answers.

    One program alone is bounded by the spread between its answers; one answer alone by its shots.

    Example:
        >>> f = mean_fidelity([[Effect(0.5, 1e-4), Effect(0.7, 1e-4)], [Effect(0.6, 1e-4)]])
        >>> round(f.estimate, 3)
        0.6
    """
    known = [answers for answers in programs if answers]
    if len(known) == 1:
        return random_effects(known[0]).mean
    return random_effects([_one_program(answers) for answers in known]).mean


def _one_program(answers: Sequence[Effect]) -> Effect:
    """Average a program's answers; their scatter counts where it is above that of shots."""
    count = len(answers)
    mean = math.fsum(answer.value for answer in answers) / count
    shots = math.fsum(answer.variance for answer in answers) / count
    seen = math.fsum((answer.value - mean) ** 2 for answer in answers) / max(1, count - 1)
    return Effect(mean, max(shots, seen) / count)


def in_words(certain: Sequence[bool]) -> str:
    """Say what the estimator is.

    Args:
        certain: For each program that was estimated, whether its ideal answer is one string.

    Example:
        >>> in_words([True])
        'success probability normalised against uniform bits, of 1 circuit'
    """
    if not certain:
        return "none: no circuit has an exact reference that tells fidelities apart"
    count = len(certain)
    circuits = "of 1 circuit" if count == 1 else f"mean of {count} circuits"
    if all(certain):
        return f"success probability normalised against uniform bits, {circuits}"
    if any(certain):
        return f"normalised linear XEB, a success probability where one answer is due, {circuits}"
    return f"normalised linear XEB, {circuits}"
