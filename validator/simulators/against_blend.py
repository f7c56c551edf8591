"""Evidence against blends: independent flips, and a share of the shots replaced by uniform strings.

Null: within one circuit the shots are independent; each has its bits flipped independently, or,
with some chance, is a uniform string. All rates and that chance are unknown and free from circuit
to circuit. This is the class that holds uniform bits, white noise and independent flips together.

Universal inference, circuit by circuit, on mirrors of 3 to 13 qubits: e = q(y)/sup p(y), p any
blend. q is fitted on other shots of the same circuit: of the shots in random order the first three
tenths are only learnt from, the next three bet on and then learnt from too, the rest bet on. The
supremum is over the shots that were bet on. Many shots of one deep mirror tell much more than few
of many: on stand-ins of 5 to 127 qubits, 1,600 shots of 5 to 8 qubits and 8 layers reach six
decades in nearly every circuit, 800 in two of three.

q: bits flip alone, coupled pairs flip together, and a share of strings is uniform. Flips are sums
modulo 2 of independent events, so parities' means multiply: with m_S = E prod (1 - 2 y_i) over S,
a pair that flips together at rate s shows as ln(m_ij/(m_i m_j)) = -2 ln(1 - 2s), and a uniform
share w adds -ln(1 - w) to every pair's. A Walsh transform turns the parities into the law. Mixed
over how much a pair must stand out, over w, and over how much single strings are trusted.

Assumes: the law is static within one circuit. The supremum is by expectation maximisation from
several starts, which certifies nothing; its value is raised by `SLACK` instead.
Blind spot: simulators whose pairs of bits err together like a device's; a drift inside a circuit
looks like correlation.
Source: L. Wasserman, A. Ramdas and S. Balakrishnan, PNAS 117, 16880 (2020).
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from circuits.draws import Draws
from validator.answers import AnswerKind, KnownShots
from validator.sequential import hedged, log10_mean, rounded_down
from validator.simulators.chunk_turns import uniform_order

__all__ = ["FEWEST_SHOTS", "NARROWEST", "SLACK", "Blend", "best_blend", "blend_evidence"]

NARROWEST = 3
"""Of two qubits every law is nearly a blend."""

SLACK = 0.05
"""Nats by which the supremum is raised for what the search may have missed."""

_LEARNT = (0.3, 0.6, 1.0)
_STANDING_OUT = (1.0, 2.0, 3.5)
_TRUST = (30.0, 300.0, math.inf)
_UNIFORM = 0.03
_STARTS = (0.0, 0.02, 0.1, 0.4, 0.9)
_STEPS = 300
_SETTLED = 1e-9
_FINE = float(1 << 32)
FEWEST_SHOTS = 500
"""Circuits of fewer shots seldom win and are not bet on."""

_WIDEST = 13
_KEPT = 0.9

Integers = NDArray[np.int64]
Reals = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Blend:
    """The fold over mirrors of 3 to 13 qubits; other circuits pass through.

    A bet wins seldom but then much, so nine tenths are kept aside.

    Attributes:
        draws: Under which shots are ordered; from the revealed key.
        log10_e: Evidence so far.

    Example:
        >>> Blend(Draws(b"key")).log10_e
        0.0
    """

    draws: Draws
    log10_e: float = 0.0

    def after(self, shots: KnownShots) -> Blend:
        """Return the evidence after one more circuit."""
        narrow = NARROWEST <= shots.width <= _WIDEST
        if shots.kind is not AnswerKind.MIRROR or not narrow or shots.shots < FEWEST_SHOTS:
            return self
        draws = self.draws.child("blend", shots.label)
        gain = hedged(blend_evidence(shots, draws=draws), kept=_KEPT)
        return Blend(self.draws, rounded_down(self.log10_e + gain))


def blend_evidence(shots: KnownShots, *, draws: Draws) -> float:
    """Return log10 e of one circuit of 3 to about 13 qubits; 0 for fewer than 500 shots.

    Time and memory grow with 2^n.

    Args:
        shots: The circuit's answer.
        draws: For the order of the shots.

    Example:
        >>> import numpy as np
        >>> from validator.answers import AnswerKind, known_shots
        >>> few = known_shots({"000": 9}, target="000", qubits=(0, 1, 2),
        ...                   kind=AnswerKind.MIRROR, label="x")
        >>> blend_evidence(few, draws=Draws(b"key"))
        0.0
    """
    if shots.shots < FEWEST_SHOTS:
        return 0.0
    places = shots.errors.astype(np.int64) @ (1 << np.arange(shots.width, dtype=np.int64))
    order = uniform_order(shots.shots, draws=draws)
    dealt = np.repeat(places, shots.counts)[order]
    cuts = [int(share * shots.shots) for share in _LEARNT]
    size = 1 << shots.width
    bets = [0.0] * (len(_STANDING_OUT) * 2 * len(_TRUST))
    for start, end in pairwise(cuts):
        seen = np.bincount(dealt[:start], minlength=size)
        new = np.bincount(dealt[start:end], minlength=size)
        laws = _laws(seen, width=shots.width)
        bets = [bet + _log_chance(new, law) for bet, law in zip(bets, laws, strict=True)]
    tested = np.bincount(dealt[cuts[0] :], minlength=size)
    best = best_blend(tested, width=shots.width) + SLACK
    return log10_mean([(bet - best) / math.log(10.0) for bet in bets])


def _log_chance(counts: Integers, law: Reals) -> float:
    seen = np.flatnonzero(counts)
    pairs = zip(counts[seen].tolist(), law[seen].tolist(), strict=True)
    return math.fsum(number * math.log(chance) for number, chance in pairs)


def best_blend(counts: Integers, *, width: int) -> float:
    """Return the highest log likelihood (nats) of any blend that the search finds.

    Args:
        counts: Shots of each of the 2^width strings of wrong bits, at least one shot.
        width: n.

    Example:
        >>> round(best_blend(np.array([0, 0, 0, 5]), width=2), 6)
        0.0
    """
    seen = np.flatnonzero(counts)
    wrong = ((seen >> np.arange(width)[:, None]) & 1).astype(np.int64)
    return max(_climbed(counts[seen], wrong, start=np.array(_STARTS)))


def _climbed(counts: Integers, wrong: Integers, *, start: Reals) -> list[float]:
    """Maximise from each share of uniform strings; sums are of whole numbers, on any machine.

    Args:
        counts: Of each string that was seen.
        wrong: (width x strings) bits.
        start: Shares, below 1; from 0 nothing is climbed, its best rates are known.
    """
    shots, uniform = int(counts.sum()), 0.5 ** len(wrong)
    share = start[:, None].copy()
    least = np.where(share > 0.0, 0.5 / shots, 0.0)
    rates = np.clip((wrong @ counts / shots - share / 2) / (1.0 - share), least, 1.0)
    flips = _flips(rates, wrong)
    going = np.flatnonzero(start > 0.0)
    for _ in range(_STEPS):
        mixed = (1.0 - share[going]) * flips[going]
        own = np.rint(counts * (mixed / (mixed + share[going] * uniform)) * _FINE).astype(np.int64)
        total = own.sum(axis=1, keepdims=True)
        going, own, total = (part[total[:, 0] > 0] for part in (going, own, total))
        if not going.size:
            break
        flips[going] = _flips((own @ wrong.T) / total, wrong)
        before, share[going] = share[going], np.maximum(0.0, 1.0 - total / (shots * _FINE))
        going = going[np.abs(share[going] - before)[:, 0] >= _SETTLED]
    laws = (1.0 - share) * flips + share * uniform
    return [
        math.fsum(
            n * math.log(p) if p > 0 else -math.inf
            for n, p in zip(counts.tolist(), law, strict=True)
        )
        for law in laws.tolist()
    ]


def _flips(rates: Reals, wrong: Integers) -> Reals:
    """Return each string's chance by independent flips, at (laws x width) rates."""
    chances = np.where(wrong, rates[:, :, None], 1.0 - rates[:, :, None])
    law = chances[:, 0]
    for bit in range(1, len(wrong)):
        law = law * chances[:, bit]
    return law


def _laws(seen: Integers, *, width: int) -> Iterator[Reals]:
    """Yield the laws that are bet on, fitted on counts of the 2^width strings."""
    shots = int(seen.sum())
    columns = (np.arange(1 << width) >> np.arange(width)[:, None]) & 1
    means, excess = _parities(seen, columns, shots=shots)
    ranked = sorted(value for value, _ in excess.values())
    common = max(0.0, ranked[len(ranked) // 4])
    for sigmas in _STANDING_OUT:
        for offset in (0.0, common):
            pairs = {
                pair: max(0.5, math.exp(-(value - offset) / 2))
                for pair, (value, spread) in excess.items()
                if value - offset > sigmas * spread
            }
            law = _pair_law(means, pairs, columns, white=-math.expm1(-offset))
            for trust in _TRUST:
                yield law if math.isinf(trust) else (seen + trust * law) / (shots + trust)


def _parities(
    seen: Integers, columns: Integers, *, shots: int
) -> tuple[list[float], dict[tuple[int, int], tuple[float, float]]]:
    """Return m_i, and for each pair ln(m_ij/(m_i m_j)) with its spread if there is none."""
    wrong = (columns @ seen).tolist()
    both = ((columns * seen) @ columns.T).tolist()
    means = [min(max((shots - 2 * n) / (shots + 1), 0.05), shots / (shots + 1)) for n in wrong]
    rates = [max((1.0 - mean) / 2, math.sqrt(0.3 / shots)) for mean in means]
    excess = {}
    for i in range(len(means)):
        for j in range(i):
            product = means[i] * means[j]
            even = max(0.01, (shots - 2 * (wrong[i] + wrong[j] - 2 * both[i][j])) / shots)
            spread = 4.0 * math.sqrt(rates[i] * rates[j] / shots) / product
            excess[i, j] = (math.log(even / product), spread)
    return means, excess


def _pair_law(
    means: Sequence[float],
    pairs: dict[tuple[int, int], float],
    columns: Integers,
    *,
    white: float,
) -> Reals:
    """Return the law of all strings: flips with m_i, pairs with 1 - 2s, a share of uniform."""
    left = [mean / (1.0 - white) for mean in means]
    for (i, j), factor in pairs.items():
        left[i] /= factor
        left[j] /= factor
    singles = [min(mean, 0.9998) for mean in left]
    first, second = ([pair[end] for pair in pairs] for end in (0, 1))
    flipped = np.concatenate([columns[first] ^ columns[second], columns])
    factors = np.array([*pairs.values(), *singles])
    parities = np.multiply.reduce(np.where(flipped, factors[:, None], 1.0), axis=0)
    law = np.maximum(_walsh(parities), 0.0)
    law /= math.fsum(law.tolist())
    kept = (1.0 - white) * (1.0 - _UNIFORM)
    return np.asarray(kept * law + (1.0 - kept) / len(law))


def _walsh(values: Reals) -> Reals:
    """Return the Walsh-Hadamard transform over 2^n places, by sums and differences."""
    step = 1
    while step < len(values):
        halves = values.reshape(-1, 2, step)
        turned = np.empty_like(halves)
        np.add(halves[:, 0], halves[:, 1], out=turned[:, 0])
        np.subtract(halves[:, 0], halves[:, 1], out=turned[:, 1])
        values = turned.reshape(-1)
        step *= 2
    return values
