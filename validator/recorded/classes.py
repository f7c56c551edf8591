"""Evidence against the cheap simulators, from answers to any circuits with an ideal law.

Universal inference: e = q(shots)/sup p(shots), q the bet that only the past decides
(`validator.recorded.bets`), the supremum over what the null leaves open, from this answer alone:

- uniform: nothing is open.
- noiseless: nothing; p is floored at 1e-12, so a shot that the ideal law forbids is worth some
  ten decades and not infinity.
- white noise of any strength F, one for each answer: sup over F of sum n ln(F p + (1-F)/D), concave
  in F, bounded from above by the tangent at the end of a bisection.
- independent flips: only where the ideal answer is one string. Then wrong bits are independent,
  and the supremum is each bit's own share of wrong reads.

Assumes that F does not change within one answer's shots. Blind spot: flips on top of an answer
that is not certain, and blends of flips and white noise, are not tested here.
Source: L. Wasserman, A. Ramdas and S. Balakrishnan, PNAS 117, 16880 (2020).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from validator.recorded.laws import IdealLaw

    Vector = NDArray[np.float64]
    Whole = NDArray[np.int64]

__all__ = ["Likelihoods", "likelihoods", "white_noise_supremum"]

_LN10 = math.log(10.0)
_FLOOR = 1e-12
_STEPS = 50
_GRAIN = float(1 << 20)


@dataclass(frozen=True, slots=True)
class Likelihoods:
    """The log of the largest chance of one answer's shots, in order, under each class.

    Attributes:
        uniform: Every string alike.
        noiseless: The ideal law, floored.
        white_noise: The best mixture of both.
        flips: The best independent flips of one certain string; None where none is certain.
    """

    uniform: float
    noiseless: float
    white_noise: float
    flips: float | None


def likelihoods(law: IdealLaw, keys: Sequence[str], counts: Whole) -> Likelihoods:
    """Compute them for one answer.

    Args:
        law: The ideal law.
        keys: The distinct strings of the answer, of the law's width.
        counts: Their shots, all positive.

    Example:
        >>> from validator.recorded.laws import CertainLaw
        >>> found = likelihoods(CertainLaw((0,), (0,), "1"), ["1"], np.array([10]))
        >>> found.noiseless, round(found.uniform, 4)
        (0.0, -6.9315)
    """
    ideal = law.probabilities(keys)
    uniform = -float(counts.sum()) * law.width * math.log(2.0)
    floored = np.log(np.maximum(ideal, _FLOOR))
    return Likelihoods(
        uniform=_rounded_up(uniform),
        noiseless=_rounded_up(math.fsum((counts * floored).tolist())),
        white_noise=_rounded_up(uniform + white_noise_supremum(2.0**law.width * ideal, counts)),
        flips=None if law.answer is None else _rounded_up(_flips(law.answer, keys, counts)),
    )


def _rounded_up(value: float) -> float:
    """Round a denominator up to a multiple of 2^-20: last bits decide nothing."""
    return math.ceil(value * _GRAIN) / _GRAIN


def white_noise_supremum(ratios: Vector, counts: Whole) -> float:
    """Bound sup over F in [0, 1] of sum n ln(1 + F (w - 1)) from above, closely.

    Args:
        ratios: w = D p of each string.
        counts: Its shots.

    Example:
        >>> round(white_noise_supremum(np.array([2.0, 0.0]), np.array([1, 1])), 9)
        0.0
    """
    gain = ratios - 1.0
    low, high = 0.0, 1.0
    if _slope(gain, counts, low) <= 0.0:
        return 0.0
    if ratios.min() > 0.0 and _slope(gain, counts, high) >= 0.0:
        return math.fsum((counts * np.log(ratios)).tolist())
    for _ in range(_STEPS):
        middle = (low + high) / 2
        if _slope(gain, counts, middle) > 0.0:
            low = middle
        else:
            high = middle
    # Concave: nowhere above the tangent at `low`, where the function still rises.
    value = math.fsum((counts * np.log1p(low * gain)).tolist())
    return value + _slope(gain, counts, low) * (high - low)


def _slope(gain: Vector, counts: Whole, fidelity: float) -> float:
    return float((counts * gain / np.maximum(1.0 + fidelity * gain, 1e-300)).sum())


def _flips(answer: str, keys: Sequence[str], counts: Whole) -> float:
    """Give ln of the chance of these wrong bits at each bit's own share of them."""
    shots, target = int(counts.sum()), int(answer, 2)
    total = 0.0
    for bit in range(len(answer)):
        wrong = sum(
            int(n) for key, n in zip(keys, counts, strict=True) if (int(key, 2) ^ target) >> bit & 1
        )
        for part in (wrong, shots - wrong):
            total += part * math.log(part / shots) if part else 0.0
    return total
