"""Lies about the shots themselves: rounded laws, scaled counts, picked shots."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from providers.dense import MOST_QUBITS, probabilities
from providers.lies.answer import Answer, generator, written
from providers.lies.twins import average_twin
from providers.stabilizer import is_clifford

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from circuits.counts import Bits
    from circuits.draws import Draws
    from circuits.program import Program
    from providers.options import Options
    from providers.standin import StandIn

SCALE = 10
"""A scaled answer repeats every shot so often."""

LARGER = 16
"""A law is estimated from so many times the shots that it is then rounded to."""

REFILL = 2
"""A picky machine runs so many times the shots it returns."""


def rounded(claimed: StandIn, read: Options) -> Answer:
    """The average twin's law, scaled to the shots and rounded; the same counts every time.

    The law is the frequency among 16 times the shots, drawn once per program. What rounding leaves
    over goes to the largest remainders.
    """
    law = average_twin(claimed, read)

    def answer(program: Program, shots: int, _draws: Draws) -> Bits:
        once = claimed.history.child("law", program.digest)
        rows = law(program, LARGER * shots, once.child("shots"))
        packed, number = np.unique(np.packbits(rows, axis=1), axis=0, return_counts=True)
        kept = apportioned(number / LARGER, shots, once)
        outcomes = np.unpackbits(packed, axis=1, count=program.num_bits)
        return np.repeat(outcomes, kept, axis=0)

    return answer


def apportioned(due: NDArray[np.float64], shots: int, draws: Draws) -> NDArray[np.int64]:
    """Round shares that sum to `shots` to whole numbers that do; ties are broken by chance.

    Example:
        >>> from circuits.draws import Draws
        >>> apportioned(np.array([1.25, 2.5, 0.25]), 4, Draws(b"")).tolist()
        [1, 3, 0]
    """
    whole = np.floor(due).astype(np.int64)
    chance = generator(draws).random(due.size)
    order = np.lexsort((chance, whole - due))
    whole[order[: shots - int(whole.sum())]] += 1
    return whole


def scaled(claimed: StandIn, _read: Options) -> Answer:
    """A tenth of the shots, honestly run, each told ten times."""

    def answer(program: Program, shots: int, draws: Draws) -> Bits:
        few = claimed.run(program, shots=-(-shots // SCALE), draws=draws)
        return np.repeat(few, SCALE, axis=0)[:shots]

    return answer


def post_selected(claimed: StandIn, _read: Options) -> Answer:
    """An honest machine that runs twice the shots and returns the half that looks better.

    Better is a larger probability where the law can be computed, and otherwise fewer bits that
    differ from the majority's.
    """

    def answer(program: Program, shots: int, draws: Draws) -> Bits:
        rows = claimed.run(program, shots=REFILL * shots, draws=draws)
        if is_clifford(program) or len(program.used_qubits) > MOST_QUBITS:
            majority = 2 * rows.sum(axis=0, dtype=np.int64) > len(rows)
            worth = -np.sum(rows != majority, axis=1, dtype=np.int64).astype(np.float64)
        else:
            worth = _probability(program, rows)
        best = np.argsort(-worth, kind="stable")[:shots]
        return rows[np.sort(best)]

    return answer


def _probability(program: Program, rows: Bits) -> NDArray[np.float64]:
    law, bits = probabilities(program), written(program)
    places = 1 << np.arange(len(bits))
    table = np.zeros(2 ** len(bits))
    for key, p in law.items():
        table[sum(int(key[-1 - bit]) << k for k, bit in enumerate(bits))] = p
    return np.asarray(table[rows[:, bits] @ places], dtype=np.float64)
