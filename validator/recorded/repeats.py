"""Evidence against a static law, from programs that ran more than once.

Null: all answers to one program are independent shots of one fixed law, whatever it is: every
noise model that nobody changes between its runs. Given the sum of an answer and all earlier ones
to that program, string by string, how the shots of one string are shared out is hypergeometric and
nothing is left open. The bet: the string became more or less likely by a factor in its odds, mixed
over +-5 to 50 %. Strings are taken in turn from the most frequent of the sum, each against those
that are left, so their factors multiply; so do those of the answers, each against the sum before.

Blind spot: a simulator whose noise or whose choice of qubits its owner changes between runs; drift
that is small against the shot noise of an answer, which `series` sums up over all answers and
`against_static` bit by bit over 24 answers.
Source: R. A. Fisher, The Design of Experiments (1935) (the conditional law); the e-value is derived
here: a mixture of Fisher's noncentral laws over the central one.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from validator.sequential import hedged, log10_mean, rounded_down

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["Repeats", "share_evidence"]

_ODDS = tuple(sign * math.log1p(change) for change in (0.05, 0.1, 0.2, 0.5) for sign in (-1.0, 1.0))
_MOST_STRINGS = 16
_FEWEST = 5
_GRAIN = float(1 << 20)


def share_evidence(own: int, *, shots: int, earlier: int, earlier_shots: int) -> float:
    """Return the log10 e-value that one string's odds changed between two pools of shots.

    Args:
        own: Shots of the string in the new pool.
        shots: All shots of the new pool.
        earlier: Shots of the string in the old pool.
        earlier_shots: All shots of the old pool.

    Example:
        >>> share_evidence(60, shots=100, earlier=500, earlier_shots=1000) < 1
        True
        >>> share_evidence(900, shots=1000, earlier=500, earlier_shots=1000) > 20
        True
    """
    total = own + earlier
    if min(shots, earlier_shots, total, shots + earlier_shots - total) == 0:
        return 0.0
    support = np.arange(max(0, total - earlier_shots), min(shots, total) + 1)
    logs = _log_choose(shots, support) + _log_choose(earlier_shots, total - support)
    same = _log_sum(logs)
    bets = [odds * own + same - _log_sum(logs + odds * support) for odds in _ODDS]
    # The last bits of a logarithm of a factorial differ between machines, and decide nothing.
    return math.floor(log10_mean(bet / math.log(10.0) for bet in bets) * _GRAIN) / _GRAIN


def _log_choose(whole: int, parts: NDArray[np.int64]) -> NDArray[np.float64]:
    from scipy.special import gammaln

    chosen = gammaln(whole + 1.0) - gammaln(parts + 1.0) - gammaln(whole - parts + 1.0)
    return np.asarray(chosen, dtype=np.float64)


def _log_sum(logs: NDArray[np.float64]) -> float:
    top = float(logs.max())
    # What lies e^-45 below the top changes no digit, and costs exact sums most of their time.
    kept = logs[logs > top - 45.0]
    return top + math.log(math.fsum(np.exp(kept - top).tolist()))


@dataclass(slots=True)
class Repeats:
    """The fold over answers in the order of time.

    Attributes:
        log10_e: Evidence so far.
        repeated: Answers that had an earlier one to be compared with.

    Example:
        >>> past = Repeats()
        >>> for shots in (500, 100, 900):
        ...     past.add("p", {"0": shots, "1": 1000 - shots})
        >>> past.repeated, past.log10_e > 20
        (2, True)
    """

    log10_e: float = 0.0
    repeated: int = 0
    _sums: dict[str, dict[str, int]] = field(default_factory=dict)

    def add(self, program: str, counts: Mapping[str, int]) -> None:
        """Compare one more answer with the sum of the earlier ones to that program."""
        before = self._sums.setdefault(program, {})
        if before and any(counts.values()):
            self.repeated += 1
            self.log10_e = rounded_down(self.log10_e + hedged(_gain(counts, before)))
        for key in sorted(counts):
            before[key] = before.get(key, 0) + counts[key]


def _gain(counts: Mapping[str, int], before: Mapping[str, int]) -> float:
    """Multiply the strings' factors, the most frequent of the sum first."""
    sums = {key: counts.get(key, 0) + before.get(key, 0) for key in {*counts, *before}}
    ordered = sorted(sums, key=lambda key: (-sums[key], key))
    shots, earlier_shots, gain = sum(counts.values()), sum(before.values()), 0.0
    for key in ordered[:_MOST_STRINGS]:
        if sums[key] < _FEWEST:
            break
        own, earlier = counts.get(key, 0), before.get(key, 0)
        factor = share_evidence(own, shots=shots, earlier=earlier, earlier_shots=earlier_shots)
        gain += hedged(factor)
        shots, earlier_shots = shots - own, earlier_shots - earlier
    return gain
