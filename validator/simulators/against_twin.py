"""Evidence against the average-rate twin: a simulator that knows only the sheet's averages.

Null: on a readout probe all bits are independent, all qubits prepared in 0 are misread at one
common rate and all prepared in 1 at another, both unknown and free to change from job to job.
Universal inference: e = q(y)/sup p(y). q is a product over qubits of what a beta law foretells that
has seen the qubit's PAST reads and began at the past rate of all (beta-binomial, empirical Bayes);
the supremum, in closed form, is the likelihood at the pooled rates of this very job.
Blind spot: a twin that copies every qubit's own rates (a later test over time).
Source: L. Wasserman, A. Ramdas and S. Balakrishnan, PNAS 117, 16880 (2020).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from validator.answers import AnswerKind, ErrorRates, KnownShots
from validator.sequential import hedged, log10_sum, rounded_down

__all__ = ["AverageTwin"]

_LN10 = math.log(10.0)

_SCALES = ((0.6, 1.0), (0.8, 3.0), (1.0, 8.0), (1.25, 3.0), (1.6, 1.0))
"""(factor on all past rates, its weight)."""

_PRIORS = (0.5, 2.0)
"""Wrong reads that the pooled rate counts for at first: few where qubits differ much."""

_FIRMEST = 2000.0
"""Past reads above which a qubit is not known better, because it drifts."""

_REMEMBERED = 4000
"""Reads above which a qubit's tally is halved: what is long past fades."""


def _log_pooled(wrong: int, read: int) -> float:
    """Return log10 of the largest chance of these reads at one common rate."""
    bad = wrong * math.log(wrong / read) if wrong else 0.0
    good = (read - wrong) * math.log1p(-wrong / read) if read > wrong else 0.0
    return (bad + good) / _LN10


def _log_beta(a: float, b: float) -> float:
    return math.lgamma(a) + math.lgamma(b) - math.lgamma(a + b)


@dataclass(frozen=True, slots=True)
class _Qubit:
    """One qubit's reads in this answer, and those before with the same value prepared."""

    wrong: int
    past_wrong: int
    past_read: int


def _log_bet(qubits: Sequence[_Qubit], *, read: int) -> float:
    """Return log10 q of one answer's reads, all prepared in one value."""
    wrong, reads = (
        sum(part) for part in zip(*((q.past_wrong, q.past_read) for q in qubits), strict=True)
    )
    pooled = (wrong + 1.0) / (reads + 20.0)
    whole = math.fsum(weight for _, weight in _SCALES) * len(_PRIORS)
    bets = []
    for scale, weight in _SCALES:
        for prior in _PRIORS:
            chances = []
            for qubit in qubits:
                seen = qubit.past_read + prior / pooled
                rate = min(0.5, scale * (qubit.past_wrong + prior) / seen)
                firmness = min(seen, _FIRMEST)
                a, b = firmness * rate, firmness * (1.0 - rate)
                chances.append(_log_beta(a + qubit.wrong, b + read - qubit.wrong) - _log_beta(a, b))
            bets.append(math.fsum(chances) / _LN10 + math.log10(weight / whole))
    return log10_sum(bets)


@dataclass(frozen=True, slots=True)
class AverageTwin:
    """The fold over readout probes of at least two qubits; other circuits pass through.

    Only qubits that were read before with the same prepared value are bet on. q is mixed over a
    common factor on all past rates, .6 to 1.6, for each prepared value, and hedged probe by probe.

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
        return AverageTwin(rounded_down(self.log10_e + gain), _faded(fitted))

    def _gain(self, shots: KnownShots, value: int) -> float:
        """Return log10 of the ratio over the qubits prepared in `value` and known from before."""
        wrong = (shots.counts @ shots.errors.astype(np.int64)).tolist()
        known = [
            _Qubit(number, *self.past.seen[key])
            for number, key in zip(wrong, zip(shots.qubits, shots.target, strict=True), strict=True)
            if key[1] == value and key in self.past.seen
        ]
        if not known:
            return 0.0
        pooled = _log_pooled(sum(q.wrong for q in known), shots.shots * len(known))
        return _log_bet(known, read=shots.shots) - pooled


def _faded(rates: ErrorRates) -> ErrorRates:
    """Halve the tallies that have grown beyond what is remembered."""
    return ErrorRates(
        {
            key: (wrong, read) if read <= _REMEMBERED else ((wrong + 1) // 2, (read + 1) // 2)
            for key, (wrong, read) in rates.seen.items()
        }
    )
