"""Evidence against blends: independent flips, and a share of the shots replaced by uniform strings.

Null: within one circuit the shots are independent; each has its bits flipped independently, or,
with some chance, is a uniform string. All rates and that chance are unknown and free from circuit
to circuit. This is the class that holds uniform bits, white noise and independent flips together.

Circuits of 14 to 255 qubits, of any kind: shots with more wrong bits than a cut are dropped. Flips
that pass have given margins and are uniform otherwise (`validator.simulators.margins`), so
T(y)/mean{T(y), T(pi_1 y) .. T(pi_B y)}, with T from past-fitted scores of pairs, is exact for them.
Of the uniform strings few pass the cut; those that do are paid for: with
rho = Pr(pass)/Pr(dropped) of a uniform string and M dropped shots,

    e = min(E, cap)/(1 + (cap - 1) rho (M + 1))

has expectation at most 1 whatever their share is. For N uniform strings, a of them passing and
M = N - a, Pr(dropped) E[a h(M)] = Pr(pass) E[M h(M-1)] for any h; with h(M) = 1/(1 + k (M + 1)),
k = (cap - 1) rho, E[h] + (cap - 1) E[a h] <= 1 follows, since x/(1 + k x) rises with x.

The null is in fact wider: the odds of all bits of a shot may share a factor of the shot.
Assumes: rates are static within one circuit. Blind spots: a simulator whose pairs of bits err
together like a device's; circuits of fewer than 14 qubits are not bet on.
Source: derived here.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from circuits.draws import Draws
from validator.answers import KnownShots
from validator.sequential import hedged, log10_mean, rounded_down
from validator.simulators.margins import PairTables, same_margins

__all__ = ["NARROWEST_BLEND", "Blend"]

NARROWEST_BLEND = 14
"""Circuits of fewer qubits are bet on only if they are mirrors, and slower to tell a blend."""

_WIDEST = 255
_TABLES = {40: 499, _WIDEST: 199}
_MOST_WRONG = 12
_PASSING = 0.02
_SHARPNESS = 2.0
_KEPT = 0.3
_COUPLED = 2.3
_RATIOS = ((2.0, 0.4), (4.0, 0.4), (16.0, 0.2))
_UNIT = 1 << 10

Integers = NDArray[np.int64]
Past = Mapping[tuple[int, int], tuple[int, int]]


def _nothing() -> Past:
    return MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Blend:
    """The fold over known-answer circuits of 14 to 255 qubits; others pass through.

    A circuit's bet keeps three tenths aside.

    Attributes:
        draws: Under which tables are drawn; from the revealed key.
        log10_e: Evidence so far.
        past: {(qubit, qubit): (pairs seen, pairs expected from the margins)}, units of 1/1024.

    Example:
        >>> Blend(Draws(b"key")).log10_e
        0.0
    """

    draws: Draws
    log10_e: float = 0.0
    past: Past = field(default_factory=_nothing)

    def after(self, shots: KnownShots) -> Blend:
        """Return the evidence after one more circuit."""
        if not NARROWEST_BLEND <= shots.width <= _WIDEST:
            return self
        draws = self.draws.child("blend", shots.label)
        cut = _cut(shots.width, shots=shots.shots)
        wrong = shots.errors.sum(axis=1, dtype=np.int64)
        passing = (wrong >= 1) & (wrong <= cut)
        if not ((wrong >= 2) & passing).any():
            return self
        errors = np.repeat(shots.errors[passing], shots.counts[passing], axis=0)
        times = next(tables for width, tables in _TABLES.items() if shots.width <= width)
        tables = same_margins(errors, draws=draws, times=times)
        ratio = _log10_ratio(tables.sums(_scores(self.past, shots.qubits)).tolist())
        dropped = int(shots.counts[wrong > cut].sum())
        gain = ratio if ratio is None else _paid(ratio, shots, cut=cut, dropped=dropped, most=times)
        kept = 0.0 if gain is None else hedged(gain, kept=_KEPT)
        learnt = _learn(self.past, shots.qubits, tables, times=times)
        return Blend(self.draws, rounded_down(self.log10_e + kept), learnt)


def _odds_of_passing(width: int, *, cut: int) -> float:
    """Return rho: how often a uniform string has 1 .. `cut` wrong bits, over more than that."""
    passing = sum(math.comb(width, wrong) for wrong in range(1, cut + 1))
    return float(passing / (2**width - 1 - passing))


def _cut(width: int, *, shots: int) -> int:
    """Choose the most wrong bits of a shot that is kept, by width and number of shots alone."""
    cut = 2
    while cut < _MOST_WRONG and _odds_of_passing(width, cut=cut + 1) * shots <= _PASSING:
        cut += 1
    return cut


def _paid(log10_ratio: float, shots: KnownShots, *, cut: int, dropped: int, most: int) -> float:
    """Return log10 of the e-value after the charge for uniform strings that may have passed.

    The cap is fixed by width and shots, so that the charge stays below 2 while fewer than a
    twentieth of the shots is dropped.
    """
    rho = _odds_of_passing(shots.width, cut=cut)
    cap = min(most + 1.0, 1.0 + 1.0 / (rho * (1.0 + shots.shots / 20.0)))
    charge = 1.0 + (cap - 1.0) * rho * (dropped + 1)
    return min(log10_ratio, math.log10(cap)) - math.log10(charge)


def _ratio(seen: float, expected: float, *, width: int) -> float:
    """Return how many times more often than the margins say a pair errs together, by its past.

    Most pairs do not; about 2.3 partners of a qubit may, 2, 4 or 16 times more often. The mean
    over this prior after `seen` pairs where `expected` (a Poisson mean) were due.
    """
    coupled = min(0.5, _COUPLED / width)
    logs = [(1.0, math.log1p(-coupled))]
    for ratio, share in _RATIOS:
        log = math.log(coupled * share) + seen * math.log(ratio) - (ratio - 1.0) * expected
        logs.append((ratio, log))
    top = max(log for _, log in logs)
    weights = [(ratio, math.exp(log - top)) for ratio, log in logs]
    return math.fsum(r * w for r, w in weights) / math.fsum(w for _, w in weights)


def _scores(past: Past, qubits: tuple[int, ...]) -> Integers:
    """Return whole-number pair scores, the log of `_ratio`; 0 where nothing is known."""
    scores = np.zeros((len(qubits), len(qubits)), dtype=np.int64)
    for i, first in enumerate(qubits):
        for j in range(i):
            known = past.get((min(first, qubits[j]), max(first, qubits[j])))
            if known:
                ratio = _ratio(known[0] / _UNIT, known[1] / _UNIT, width=len(qubits))
                scores[i, j] = round(_UNIT * math.log(ratio))
    return scores


def _learn(past: Past, qubits: tuple[int, ...], tables: PairTables, *, times: int) -> Past:
    width = len(qubits)
    seen = tables.seen(width, tables=slice(0, 1))
    others = _UNIT * tables.seen(width, tables=slice(1, None)) // times
    learnt = dict(past)
    for i, first in enumerate(qubits):
        for j in range(i):
            pair = (min(first, qubits[j]), max(first, qubits[j]))
            before = learnt.get(pair, (0, 0))
            learnt[pair] = (before[0] + _UNIT * int(seen[i, j]), before[1] + int(others[i, j]))
    return learnt


def _log10_ratio(sums: list[int]) -> float | None:
    """Return log10 of T(first)/mean T, T = exp(2 z), z standardised over the tables."""
    mean = math.fsum(sums) / len(sums)
    spread = math.sqrt(math.fsum((s - mean) ** 2 for s in sums) / len(sums))
    if spread == 0.0:
        return None
    logs = [_SHARPNESS * (s - mean) / spread / math.log(10.0) for s in sums]
    return logs[0] - log10_mean(logs)
