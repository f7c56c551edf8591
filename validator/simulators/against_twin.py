"""Evidence against the average-rate twin: a simulator that knows only the sheet's averages.

Null: on a readout probe all bits are independent, all qubits prepared in 0 are misread at one
common rate and all prepared in 1 at another, both unknown and free to change from job to job.
Universal inference: e = q(y)/sup p(y), q a product of beta laws around PAST rates per qubit and
value, and the supremum, in closed form, the likelihood at the pooled rates of this very job.
Blind spot: a twin that copies every qubit's own rates (a later test over time).
Source: L. Wasserman, A. Ramdas and S. Balakrishnan, PNAS 117, 16880 (2020).
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import numpy as np

from validator.answers import AnswerKind, ErrorRates, KnownShots
from validator.sequential import hedged, log10_mean, rounded_down

__all__ = ["AverageTwin"]

_LN10 = math.log(10.0)

_SCALES = (0.5, 0.7, 0.85, 1.0, 1.2, 1.4, 2.0)
_FIRMNESS = (30.0, 300.0, 3000.0)


def _log_pooled(wrong: int, read: int) -> float:
    """Return log10 of the largest chance of these reads at one common rate."""
    bad = wrong * math.log(wrong / read) if wrong else 0.0
    good = (read - wrong) * math.log1p(-wrong / read) if read > wrong else 0.0
    return (bad + good) / _LN10


def _log_beta(a: float, b: float) -> float:
    return math.lgamma(a) + math.lgamma(b) - math.lgamma(a + b)


def _log_bet(wrong: int, read: int, rate: float) -> float:
    """Return log10 of the chance of one qubit's reads under beta laws around a past rate.

    Mixed over how firmly the past rate is believed, so that a qubit's own drift is forgiven.
    """
    bets = []
    for firmness in _FIRMNESS:
        a, b = firmness * rate, firmness * (1.0 - rate)
        bets.append((_log_beta(a + wrong, b + read - wrong) - _log_beta(a, b)) / _LN10)
    return log10_mean(bets)


@dataclass(frozen=True, slots=True)
class AverageTwin:
    """The fold over readout probes of at least two qubits; other circuits pass through.

    Only qubits that were read before with the same prepared value are bet on. q is mixed over a
    common factor on all past rates, .5 to 2, for each prepared value, and hedged probe by probe.

    Example:
        >>> AverageTwin().log10_e
        0.0
    """

    log10_e: float = 0.0
    past: ErrorRates = field(default_factory=ErrorRates)

    def after(self, shots: KnownShots) -> AverageTwin:
        """Return the evidence after one more circuit."""
        if shots.kind is not AnswerKind.READOUT or shots.width < 2 or shots.shots == 0:
            return self
        gain = hedged(math.fsum(self._gain(shots, value) for value in (0, 1)))
        fitted = self.past.after(shots, errors=shots.errors, counts=shots.counts)
        return AverageTwin(rounded_down(self.log10_e + gain), fitted)

    def _gain(self, shots: KnownShots, value: int) -> float:
        """Return log10 of the ratio over the qubits prepared in `value` and known from before."""
        wrong = [int(n) for n in shots.counts @ shots.errors.astype(np.int64)]
        rates = self.past.rates(shots)
        known = [
            (wrong[column], rates[column])
            for column, key in enumerate(zip(shots.qubits, shots.target, strict=True))
            if key[1] == value and key in self.past.seen
        ]
        if not known:
            return 0.0
        bets = [
            math.fsum(_log_bet(n, shots.shots, min(0.5, scale * r)) for n, r in known)
            for scale in _SCALES
        ]
        return log10_mean(bets) - _log_pooled(sum(n for n, _ in known), shots.shots * len(known))
