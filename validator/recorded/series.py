"""Evidence against a static law, from how the strings' shares of repeated programs move in time.

Null: as in `validator.recorded.repeats`, all answers to one program are independent shots of one
fixed law, whatever it is. Drift of hardware is small against the shot noise of one answer, but it
goes into every program, into any string, and lasts: most of it lies in slow modes of a whole
series, which `repeats`, one answer against the past, looks for one by one.

Shots are dealt out at random to chunks. Given the pool of a program's chunks, which answer each
came from is a uniformly random question, so E = T(y)/mean{T(y), T(pi_1 y) .. T(pi_B y)} is an
e-value, at most B + 1. T is the likelihood ratio (to second order, mode by mode of a cosine
transform) for shares that walk; a walk has a size in units of one answer's shot noise, and either a
memory of .9 from answer to answer or none. Programs are independent, and so are blocks of at most
120 answers: a walk's gains add up over them, and the ten walks are mixed over the whole record.

Assumes: the number of answers was not chosen by what they say. Blind spots: programs whose shots
hardly repeat a string, which `against_static` looks at bit by bit; answers of far fewer shots than
the others; one block alone weighs at most B + 1.
Source: as `validator.simulators.against_static`.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from itertools import pairwise, product
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from validator.sequential import log10_mean, rounded_down
from validator.simulators.chunk_turns import permuted_sums, uniform_order
from validator.simulators.slow_modes import UNIT, log10_ratio, slow_modes

if TYPE_CHECKING:
    from circuits.draws import Draws

__all__ = ["series_evidence"]

TABLES = 1999
"""B: permuted tables of a block."""

_CHUNK = 50
_MOST_CHUNKS = 960
_MOST_ANSWERS = 120
_MOST_STRINGS = 16
_MOST_MODES = 32
_WALKS = tuple(product((0.15, 0.6, 2.5, 10.0, 40.0), (0.0, 0.9)))
"""Variance of a share over answers in units of one answer's shot noise, and memory."""

_WEIGHT = 1024
_FARTHEST = 32767.0

Integers = NDArray[np.int64]
Reals = NDArray[np.float64]


def series_evidence(
    series: Mapping[str, Sequence[Mapping[str, int]]], *, draws: Draws
) -> float | None:
    """Return the log10 e-value against a static law, over all programs.

    Args:
        series: By program its answers' counts, in the order of time.
        draws: Under which shots are dealt and chunks permuted.

    Returns:
        At least -1.05, since an eleventh of the stake never bets; None where no program has two
        answers of enough shots.

    Example:
        >>> from circuits.draws import Draws
        >>> still = {"p": [{"0": 500, "1": 500}] * 8}
        >>> moved = {"p": [{"0": 500 + 40 * t, "1": 500 - 40 * t} for t in range(8)]}
        >>> [series_evidence(one, draws=Draws(b"key")) > 3 for one in (still, moved)]
        [False, True]
    """
    gains = [
        _gains(block, draws=draws.child(name, place))
        for name, answers in sorted(series.items())
        for place, block in enumerate(_blocks(answers))
    ]
    betting = [own for own in gains if own is not None]
    if not betting:
        return None
    return rounded_down(
        log10_mean([0.0, *(math.fsum(walk) for walk in zip(*betting, strict=True))])
    )


def _blocks(answers: Sequence[Mapping[str, int]]) -> list[Sequence[Mapping[str, int]]]:
    """Split a program's answers evenly into as few blocks as may be."""
    number = max(1, -(-len(answers) // _MOST_ANSWERS))
    ends = [len(answers) * place // number for place in range(number + 1)]
    return [answers[start:end] for start, end in pairwise(ends)]


def _gains(answers: Sequence[Mapping[str, int]], *, draws: Draws) -> list[float] | None:
    """Return log10 E of each walk for one block."""
    strings = _strings(answers)
    if not strings:
        return None
    size = max(_CHUNK, -(-sum(sum(one.values()) for one in answers) // _MOST_CHUNKS))
    dealt = [
        _chunks(counts, strings, size=size, draws=draws.child("deal", place))
        for place, counts in enumerate(answers)
    ]
    chunks = [table for table in dealt if len(table)]
    if len(chunks) < 2:
        return None
    table = np.concatenate(chunks)
    table = table[:, table.sum(axis=0) > 0]  # a string may be in dropped rests alone
    if not table.size:
        return None
    shares = table.sum(axis=0) / (size * len(table))
    shots = [size * len(own) for own in chunks]
    typical = sum(shots) / len(shots)
    modes = slow_modes(shots, typical=typical, most=_MOST_MODES)
    owners = np.repeat(np.arange(len(chunks)), [len(own) for own in chunks])
    # What a law of these shares gives to each mode.
    law = np.multiply.outer(modes @ np.array(shots), shares)
    scale = 1.0 / np.sqrt(typical * shares)
    weights = _weights(len(chunks))
    exponents = np.concatenate(
        [
            _squares((sums - law) * scale).sum(axis=2) @ weights
            for sums in permuted_sums(table, modes[:, owners], draws=draws, times=TABLES)
        ]
    )
    return [
        rounded_down(log10_ratio(column)) for column in exponents.T / (2 * UNIT * UNIT * _WEIGHT)
    ]


def _strings(answers: Sequence[Mapping[str, int]]) -> list[str]:
    """The most frequent strings, where they are half of all shots and seen once an answer."""
    sums: Counter[str] = Counter()
    for counts in answers:
        sums.update(counts)
    ordered = sorted(sums, key=lambda key: (-sums[key], key))[:_MOST_STRINGS]
    kept = [key for key in ordered if sums[key] >= len(answers)]
    return kept if 2 * sum(sums[key] for key in kept) >= sums.total() else []


def _chunks(
    counts: Mapping[str, int], strings: Sequence[str], *, size: int, draws: Draws
) -> Integers:
    """Deal the shots out at random and count: (chunks x strings); a rest is dropped."""
    places = {key: place for place, key in enumerate(strings)}
    keys = sorted(key for key, shots in counts.items() if shots > 0)
    found = np.repeat(
        np.array([places.get(key, len(strings)) for key in keys], dtype=np.int64),
        np.array([counts[key] for key in keys], dtype=np.int64),
    )
    whole = len(found) // size
    order = uniform_order(len(found), draws=draws)[: whole * size]
    rows = np.arange(whole).repeat(size)
    table = np.zeros((whole, len(strings) + 1), dtype=np.int64)
    np.add.at(table, (rows, found[order]), 1)
    return table[:, :-1]


def _weights(answers: int) -> Reals:
    """Return s/(1 + s) for each mode (rows) and walk (columns), whole numbers.

    s is the walk's variance times its power in the mode.
    """
    even = slow_modes([1] * answers, typical=1.0, most=_MOST_MODES)
    columns = []
    for size, memory in _WALKS:
        near = np.array([round(_WEIGHT * memory**apart) for apart in range(answers)])
        places = np.arange(answers)
        spread = near[np.abs(places - places[:, None])]
        power = ((even @ spread) * even).sum(axis=1) / (UNIT * UNIT * _WEIGHT)
        columns.append(np.rint(_WEIGHT * size * power / (1.0 + size * power)))
    return np.array(columns).T


def _squares(deviations: Reals) -> Reals:
    """Return squares of deviations, in units of sd/UNIT, whole numbers."""
    whole = np.clip(np.rint(deviations), -_FARTHEST, _FARTHEST)
    return np.asarray(whole * whole, dtype=np.float64)
