"""Evidence against a simulator with independent bit flips, by permuting each qubit's column.

Null: within one circuit the error bits of different qubits are independent and each qubit's are
exchangeable over shots, at any unknown rates. Then permuting each column changes nothing, and
E = T(y)/mean{T(y), T(pi_1 y) ... T(pi_B y)} is exact at any number of shots, at most B + 1.
Permutations are fresh for every circuit (drawn under its label from the revealed key), so
circuits' e-values multiply. Assumes: rates are static within one circuit. Blind spots: a drift
inside a job looks like correlation; a simulator with correlated errors is not in this null.
Source: B. Phipson and G. K. Smyth, SAGMB 9, 39 (2010) (exact Monte Carlo tests); the e-value
form is derived here.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from circuits.draws import Draws
from validator.answers import AnswerKind, KnownShots
from validator.sequential import hedged, rounded_down

__all__ = ["PERMUTATIONS", "IndependentFlips", "integers", "pair_counts", "shifted_tables"]

PERMUTATIONS = 99
_SHARPNESS = 2.0
_WIDEST = 40
_FEWEST_PAIRS = 10
_KEPT = 0.1
_UNIT = 1 << 10
_AT_ONCE = 1 << 20
"""Bits of the tables that are looked at together."""


def pair_counts(errors: NDArray[np.uint8]) -> NDArray[np.int64]:
    """Return how many shots have both bits i and j wrong.

    Args:
        errors: (.. x shots x n) table or tables of 0 and 1.

    Returns:
        (.. x n x n), exact.

    Example:
        >>> pair_counts(np.array([[1, 1], [0, 1]], dtype=np.uint8)).tolist()
        [[1, 1], [1, 2]]
    """
    # Sums of 0 and 1 below 2^24 are exact in single precision, and many times faster.
    tables = errors.astype(np.float32)
    return np.asarray(np.swapaxes(tables, -1, -2) @ tables).astype(np.int64)


def shifted_tables(
    errors: NDArray[np.uint8], *, draws: Draws, times: int
) -> Iterator[NDArray[np.uint8]]:
    """Yield tables that are as likely as `errors` if the columns are independent.

    The rows are shuffled once, all columns alike (counts have no order); then every column is
    turned cyclically by its own uniform number of rows, anew for each table. These turns are a
    group of permutations of the columns, which is all that exactness needs, at a thirtieth of
    the cost of full permutations.

    Yields:
        (some x shots x n) arrays, a few tables at once; `times` tables in all.

    Example:
        >>> e = np.array([[1, 0], [0, 0]], dtype=np.uint8)
        >>> [t.sum(axis=(1, 2)).tolist() for t in shifted_tables(e, draws=Draws(b"k"), times=2)]
        [[1, 1]]
    """
    shots, width = errors.shape
    shuffled = errors[_permutation(draws, shots)].T
    # Row t of column i's windows is that column turned by t.
    windows = np.lib.stride_tricks.sliding_window_view(
        np.concatenate([shuffled, shuffled], axis=1), shots, axis=1
    )
    columns = np.arange(width)
    turns = integers(draws, [shots] * (times * width)).reshape(times, width)
    some = max(1, _AT_ONCE // errors.size)
    for start in range(0, times, some):
        yield np.swapaxes(windows[columns, turns[start : start + some]], 1, 2)


def integers(draws: Draws, bounds: Sequence[int]) -> NDArray[np.int64]:
    """Return `draws.integer(bound)` for each bound up to 2^48, the same numbers all at once.

    Example:
        >>> stream = Draws(b"k")
        >>> [stream.integer(10), stream.integer(20)], integers(Draws(b"k"), [10, 20]).tolist()
        ([7, 13], [7, 13])
    """
    limits = np.array(bounds, dtype=np.uint64)
    words = _words(draws, len(limits))
    # As in `Draws.integer`: the words above the last whole multiple of the bound are drawn again.
    last = np.uint64(2**64 - 1)
    highest = last - (last % limits + np.uint64(1)) % limits
    while (refused := np.flatnonzero(words > highest)).size:
        place = int(refused[0])
        words = np.concatenate([words[:place], words[place + 1 :], _words(draws, 1)])
    return (words % limits).astype(np.int64)


def _words(draws: Draws, count: int) -> NDArray[np.uint64]:
    return np.frombuffer(draws.take(8 * count), dtype=">u8").astype(np.uint64)


def _permutation(draws: Draws, size: int) -> list[int]:
    """Return `draws.permutation(size)`."""
    order = list(range(size))
    others = integers(draws, range(size, 1, -1)).tolist()
    for last, other in zip(range(size - 1, 0, -1), others, strict=True):
        order[last], order[other] = order[other], order[last]
    return order


def _scores(
    past: Mapping[tuple[int, int], tuple[int, int]], qubits: tuple[int, ...]
) -> NDArray[np.int64]:
    """Return whole-number pair scores: past log of seen over expected pairs, 1 if unknown."""
    scores = np.zeros((len(qubits), len(qubits)), dtype=np.int64)
    for i, first in enumerate(qubits):
        for j in range(i):
            pair = (min(first, qubits[j]), max(first, qubits[j]))
            seen, expected = past.get(pair, (0, 0))
            score = math.log((seen / _UNIT + 8.0) / (expected / _UNIT + 4.0))
            scores[i, j] = round(_UNIT * min(2.0, max(-2.0, score)))
    return scores


@dataclass(frozen=True, slots=True)
class IndependentFlips:
    """The fold over mirror circuits of 2 to 40 qubits; other circuits pass through.

    T = exp(2 z), z = the sum of past-fitted scores over pairs of wrong bits, standardised over
    the B + 1 tables (a symmetric function of them, so E stays exact).
    Each circuit's bet keeps a tenth aside: it weighs at most 90 and costs at most 10.

    Attributes:
        draws: Under which permutations are drawn; from the revealed key.
        log10_e: Evidence so far.
        past: {(qubit, qubit): (pairs seen, pairs expected if independent)}, units of 1/1024.

    Example:
        >>> IndependentFlips(Draws(b"key")).log10_e
        0.0
    """

    draws: Draws
    log10_e: float = 0.0
    past: Mapping[tuple[int, int], tuple[int, int]] = field(
        default_factory=lambda: MappingProxyType({})
    )

    def after(self, shots: KnownShots) -> IndependentFlips:
        """Return the evidence after one more circuit."""
        if shots.kind is not AnswerKind.MIRROR or not 2 <= shots.width <= _WIDEST:
            return self
        errors = np.repeat(shots.errors, shots.counts, axis=0)
        own = pair_counts(errors)
        if _expected_pairs(own, shots=shots.shots) < _FEWEST_PAIRS:
            return self
        scores = _scores(self.past, shots.qubits)
        draws = self.draws.child("flips", shots.label)
        shifted = shifted_tables(errors, draws=draws, times=PERMUTATIONS)
        sums = [int((scores * own).sum())]
        for tables in shifted:
            sums += (scores * pair_counts(tables)).sum(axis=(1, 2)).tolist()
        gain = hedged(_log10_ratio(sums), kept=_KEPT)
        return IndependentFlips(
            self.draws, rounded_down(self.log10_e + gain), self._learn(shots, own)
        )

    def _learn(
        self, shots: KnownShots, own: NDArray[np.int64]
    ) -> Mapping[tuple[int, int], tuple[int, int]]:
        past = dict(self.past)
        for i, first in enumerate(shots.qubits):
            for j in range(i):
                pair = (min(first, shots.qubits[j]), max(first, shots.qubits[j]))
                seen, expected = past.get(pair, (0, 0))
                chance = _UNIT * int(own[i, i]) * int(own[j, j]) // shots.shots
                past[pair] = (seen + _UNIT * int(own[i, j]), expected + chance)
        return past


def _expected_pairs(own: NDArray[np.int64], *, shots: int) -> float:
    """Return the pairs that independence predicts, from the columns' sums alone.

    Whether to bet must not depend on anything that permuting a column changes.
    """
    wrong = [int(n) for n in np.diagonal(own)]
    return (sum(wrong) ** 2 - sum(n * n for n in wrong)) / (2 * shots)


def _log10_ratio(sums: list[int]) -> float:
    """Return log10 of T(first)/mean T, T = exp(2 z)."""
    mean = math.fsum(sums) / len(sums)
    spread = math.sqrt(math.fsum((s - mean) ** 2 for s in sums) / len(sums))
    if spread == 0.0:
        return 0.0
    exponents = [_SHARPNESS * (s - mean) / spread for s in sums]
    top = max(exponents)
    total = math.fsum(math.exp(e - top) for e in exponents) / len(sums)
    return (exponents[0] - top - math.log(total)) / math.log(10.0)
