"""The bet on a recorded answer: a law for its shots that only the past and the circuit decide.

A fixed table of local-error laws (the ideal law, every bit then misread by itself, some shots
uniform), each also loosened: shots drawn from a Dirichlet law around it, which forgives what the
table does not describe. A program that ran before is also bet on by its own past shares. The bets
are averaged with weights that follow their past success; a little weight always returns to
every bet, so that a device may change. The average is a law, whatever it is fitted to.

All logarithms natural. Rounded to whole multiples of 2^-20 a record, so that what is summed later
depends on no order. Blind spot: above `WIDEST_LOOSE` bits only the table itself bets.
Source: mixtures of laws over discrete outcomes are laws; fixed share: M. Herbster and
M. K. Warmuth, Machine Learning 32, 151 (1998).
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from validator.recorded.laws import IdealLaw

    Vector = NDArray[np.float64]
    Whole = NDArray[np.int64]

__all__ = ["WIDEST_LOOSE", "Bettor", "LawTable", "Memory", "law_table", "log_dirichlet"]

WIDEST_LOOSE = 12

MISREAD = (
    (0.0, 0.0),
    (0.003, 0.006),
    (0.01, 0.01),
    (0.01, 0.03),
    (0.03, 0.03),
    (0.03, 0.09),
    (0.1, 0.1),
    (0.1, 0.25),
)
"""Chances that a 0 reads 1 and that a 1 reads 0, from the best machines to poor ones."""

WHITE = (1e-4, 0.03, 0.1, 0.3, 0.6, 0.95)
"""Share of uniform shots; never 0, so that no string is impossible."""

FIRMNESS = (3000.0, 300.0, 30.0)
"""Shots that a loosened law is worth: machines stray from a fixed law by chi2/dof of 2 to 40."""

_SHARED = 0.05
_PRIOR_SHOTS = 20.0
_RECALLED = 0.25
_GRAIN = float(1 << 20)


@dataclass(frozen=True, eq=False)
class LawTable:
    """The fixed bets on one program, at the strings that any of its answers holds.

    Attributes:
        width: Measured bits.
        place: String -> row.
        logs: (strings x laws) logarithms of the fixed laws.
        base: The average of those laws, one probability a string.
    """

    width: int
    place: Mapping[str, int]
    logs: NDArray[np.float64]
    base: Vector

    def bets(self, rows: Whole, counts: Whole) -> Vector:
        """Give ln of the chance of these shots, in order, under each law and each firmness."""
        logs = self.logs[rows]
        found = [counts @ logs]
        if self.width <= WIDEST_LOOSE:
            laws = np.exp(logs)
            found += [log_dirichlet(counts, firmness * laws, firmness) for firmness in FIRMNESS]
        return _quantised(np.concatenate(found))


def log_dirichlet(counts: Whole, weights: NDArray[np.float64], total: float) -> Vector:
    """Give ln of the chance of a sequence of shots whose law is itself Dirichlet distributed.

    Args:
        counts: Shots of each string that was seen.
        weights: (strings x laws) parameters of those strings.
        total: Sum of the parameters over ALL strings.

    Returns:
        One number a law: ln of G(t)/G(t+N) prod G(w + n)/G(w).
    """
    from scipy.special import gammaln

    steps = gammaln(weights + counts[:, None]) - gammaln(weights)
    whole = math.lgamma(total) - math.lgamma(total + float(counts.sum()))
    return np.asarray(steps.sum(axis=0) + whole, dtype=np.float64)


def law_table(law: IdealLaw, keys: Sequence[str]) -> LawTable:
    """Tabulate the fixed bets.

    Args:
        law: The program's ideal law.
        keys: All distinct strings of all its answers, of the law's width.
    """
    flat = math.log(2.0) * law.width
    columns = [
        np.logaddexp(math.log1p(-white) + flipped, math.log(white) - flat)
        for up, down in MISREAD
        for flipped in (law.log_flipped(keys, up=up, down=down),)
        for white in WHITE
    ]
    logs = np.stack(columns, axis=1)
    place = {key: row for row, key in enumerate(keys)}
    return LawTable(law.width, place, logs, np.exp(logs).mean(axis=1))


def _quantised(values: Vector) -> Vector:
    return np.asarray(np.round(values * _GRAIN) / _GRAIN)


@dataclass(frozen=True, eq=False)
class Memory:
    """What a program's later answers may be bet on by: its own earlier ones.

    Attributes:
        identity: Of the program.
        base: Probability of each string before any answer; shared by all its records.
        rows: Strings of this answer.
        counts: Their shots.
    """

    identity: str
    base: Vector
    rows: Whole
    counts: Whole


@dataclass(slots=True)
class Bettor:
    """Holds the weights of the bets along time.

    Example:
        >>> bettor = Bettor()
        >>> round(bettor.bet(np.array([-1.0, -3.0]), None), 3)
        -1.566
    """

    _weights: dict[int, Vector] = field(default_factory=dict)
    _past: dict[str, Vector] = field(default_factory=dict)

    def bet(self, fixed: Vector, memory: Memory | None) -> float:
        """Give ln of the chance of one answer under the average bet, then learn from it.

        Args:
            fixed: From `LawTable.bets`.
            memory: The program's own past, where the program may run again.
        """
        count = len(fixed)
        recalled = self._recalled(memory)
        logs = np.concatenate([fixed, recalled])
        weights = self._weights_of(count)
        awake = len(logs)
        shares = weights[:awake] / weights[:awake].sum()
        top = float(logs.max())
        parts = shares * np.exp(logs - top)
        mean = math.fsum(parts.tolist())
        # Bets that could not be placed keep their weight.
        weights[:awake] = parts / mean * weights[:awake].sum()
        prior = _prior(count)
        self._weights[count] = (1.0 - _SHARED) * weights + _SHARED * prior
        self._learn(memory)
        return top + math.log(mean)

    def _weights_of(self, count: int) -> Vector:
        return self._weights.get(count, _prior(count)).copy()

    def _recalled(self, memory: Memory | None) -> Vector:
        """Bet by the shares of the program's earlier answers; () where there are none."""
        if memory is None or memory.identity not in self._past:
            return np.zeros(0)
        past = self._past[memory.identity]
        law = (past + _PRIOR_SHOTS * memory.base) / (past.sum() + _PRIOR_SHOTS)
        seen = law[memory.rows][:, None]
        logs = [log_dirichlet(memory.counts, f * seen, f)[0] for f in _RECALL_FIRMNESS]
        return _quantised(np.array(logs))

    def _learn(self, memory: Memory | None) -> None:
        if memory is None:
            return
        past = self._past.get(memory.identity, np.zeros(len(memory.base))).copy()
        past[memory.rows] += memory.counts
        self._past[memory.identity] = past


_RECALL_FIRMNESS = (30000.0, 3000.0, 300.0, 30.0)


def _prior(count: int) -> Vector:
    fixed = np.full(count, (1.0 - _RECALLED) / count)
    return np.concatenate(
        [fixed, np.full(len(_RECALL_FIRMNESS), _RECALLED / len(_RECALL_FIRMNESS))]
    )
