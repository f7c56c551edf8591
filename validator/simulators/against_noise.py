"""Evidence against the simplest simulators: uniform bits, no noise, white noise of any strength.

Each is a fold over circuits with known answers, in the order in which they were answered; every
bet is fixed by the circuits BEFORE. Under its null each factor has expectation at most 1 given
the past. Blind spot: blends (white noise on top of independent flips) are a class of their own
and are not rejected by rejecting these.
Source: derived here; likelihood ratios against a simple null, and for unknown white noise the
law of the misses, which is uniform whatever the strength is, even if it changes shot by shot.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from validator.answers import AnswerKind, ErrorRates, KnownShots, log_product_law
from validator.sequential import hedged, log10_mean, rounded_down

__all__ = ["Noiseless", "Uniform", "WhiteNoise"]

_LN10 = math.log(10.0)
_TRUST = 0.9
_FLOOR = 1e-12
_SCALES = (0.5, 1.0, 2.0)
_MOST = 0.5
_WIDEST = 1000


def _no_rates() -> Mapping[AnswerKind, ErrorRates]:
    return MappingProxyType({})


def _log_gain(shots: KnownShots, rates: list[float]) -> float:
    """Return log10 of prod over misses of (D-1) g(y), g = .9 product law off zero + .1 uniform."""
    errors, counts = shots.misses()
    log_some = math.log(-math.expm1(math.fsum(math.log1p(-r) for r in rates)))
    log_others = math.log(2.0**shots.width - 1.0)
    bets = (math.exp(law - log_some + log_others) for law in log_product_law(errors, rates))
    parts = (
        int(n) * math.log10(_TRUST * bet + 1.0 - _TRUST)
        for bet, n in zip(bets, counts, strict=True)
    )
    return math.fsum(parts)


@dataclass(frozen=True, slots=True)
class Uniform:
    """Null: every shot is uniform over all D strings. E = prod D q(x).

    q is a past-fitted mixture for "no error" or "some error": the answer with the past share of
    hits, any other string uniformly; that alone tells a device from coins.

    Example:
        >>> Uniform().log10_e
        0.0
    """

    log10_e: float = 0.0
    hits: Mapping[AnswerKind, tuple[int, int]] = field(default_factory=lambda: MappingProxyType({}))

    def after(self, shots: KnownShots) -> Uniform:
        """Return the evidence after one more circuit."""
        hit, total = self.hits.get(shots.kind, (1, 4))
        share = hit / total
        missed = int(shots.misses()[1].sum())
        right = shots.shots - missed
        log_dim = shots.width * math.log(2.0)
        log_others = log_dim + math.log1p(-math.exp(-log_dim))
        gain = right * (log_dim + math.log(share))
        gain += missed * (log_dim - log_others + math.log1p(-share))
        hits = {**self.hits, shots.kind: (hit + right, total + shots.shots)}
        return Uniform(rounded_down(self.log10_e + gain / _LN10), hits)


@dataclass(frozen=True, slots=True)
class Noiseless:
    """Null: every shot is the answer. E = prod q(z)/p(z), z = "some bit is wrong".

    p of a wrong shot is floored at 1e-12 instead of 0, so one wrong shot is worth some ten
    decades and not infinity.

    Example:
        >>> Noiseless().log10_e
        0.0
    """

    log10_e: float = 0.0
    misses: Mapping[AnswerKind, tuple[int, int]] = field(
        default_factory=lambda: MappingProxyType({})
    )

    def after(self, shots: KnownShots) -> Noiseless:
        """Return the evidence after one more circuit."""
        missed_before, total = self.misses.get(shots.kind, (1, 4))
        share = missed_before / total
        missed = int(shots.misses()[1].sum())
        gain = missed * (math.log(share) - math.log(_FLOOR))
        gain += (shots.shots - missed) * math.log1p(-share)
        misses = {**self.misses, shots.kind: (missed_before + missed, total + shots.shots)}
        return Noiseless(rounded_down(self.log10_e + gain / _LN10), misses)


@dataclass(frozen=True, slots=True)
class WhiteNoise:
    """Null: a shot is the answer or uniform over all strings, in any and changing proportion.

    Then a miss is uniform on D - 1 strings: E = prod over misses of (D-1) g(y), with
    g = .9 (past-fitted product law, renormalised off zero) + .1 uniform, mixed over a half, one
    and two times the past rates (a new depth has other rates) and hedged circuit by circuit.
    Circuits of one qubit carry nothing, and those above 1,000 are left out.

    Example:
        >>> WhiteNoise().log10_e
        0.0
    """

    log10_e: float = 0.0
    past: Mapping[AnswerKind, ErrorRates] = field(default_factory=_no_rates)

    def after(self, shots: KnownShots) -> WhiteNoise:
        """Return the evidence after one more circuit."""
        if not 2 <= shots.width <= _WIDEST:
            return self
        past = self.past.get(shots.kind, ErrorRates())
        rates = past.rates(shots)
        bets = [_log_gain(shots, [min(_MOST, scale * rate) for rate in rates]) for scale in _SCALES]
        gain = hedged(log10_mean(bets))
        errors, counts = shots.misses()
        fitted = {**self.past, shots.kind: past.after(shots, errors=errors, counts=counts)}
        return WhiteNoise(rounded_down(self.log10_e + gain), fitted)
