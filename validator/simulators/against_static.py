"""Evidence against every static simulator, from the drift of programs that are sent over and over.

Null: the shots of one fixed program (a probe) are independent draws from one fixed law, the same in
all jobs. The law is free: correlated bits, bursts and bits of any rates are inside. Shots are
summed in chunks; given the pool of chunks, which chunk came from which job is then a uniformly
random question, and E = T(y)/mean{T(y), T(pi_1 y) .. T(pi_B y)} is exact, at most B + 1.

Drift remembers: most of it lies in slow changes, which only a long row of jobs shows. So tests
look at 24 answers, and since one test weighs at most B + 1, each answer's chunks are dealt out to
five tests. A chunk is permuted once; the bets before it have not seen it, and those
after it know it. T is the likelihood ratio (to second order, mode by mode of a cosine transform)
of all chunks known or permuted, for bits whose error rates walk by a relative spread of 2.5 to 20 %
with the memory of `providers.drift` or with none; the eight walks are mixed over the whole record.

Assumes: one probe has one law, and a law does not react to how often it was asked. Blind spots: a
twin with made-up drift, and any change that is no drift of hardware (a twin that is recalibrated).
Source: exact Monte Carlo tests: B. Phipson and G. K. Smyth, SAGMB 9, 39 (2010); J. Hemerik and
J. Goeman, TEST 27, 811 (2018) (random elements of a group); the dealing of chunks is derived here.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from itertools import product
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from circuits.draws import Draws
from validator.sequential import log10_mean, rounded_down
from validator.simulators.chunk_turns import permuted_sums, uniform_order
from validator.simulators.slow_modes import UNIT, cosine, log10_ratio, slow_modes

__all__ = ["BLOCK", "CHUNK", "TABLES", "TESTS", "ProbeAnswer", "StaticLaw"]

CHUNK = 50
"""Shots summed together; a rest below it is dropped."""

TABLES = 1999
"""B: permuted tables of one test."""

TESTS = 5
"""Of one block, each on chunks of its own."""

BLOCK = 24
"""Answers of one probe that are looked at together; then its next block begins."""

_WON_MOST = 10.0
"""Where the log10 wealth of a walk is cut off."""

_SPREADS = (0.025, 0.05, 0.1, 0.2)
"""A pair that comes out wrong in four shots of ten moves half as much as its gates do."""

_MEMORIES = (0.0, 0.9)
_WALKS = tuple(product(_SPREADS, _MEMORIES))
_WEIGHT = 1024
_MOST = 32767.0

Integers = NDArray[np.int64]
Reals = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class ProbeAnswer:
    """One answer to a program that is sent again and again.

    Attributes:
        label: Unique name of the job and circuit; permutations are drawn under it.
        probe: Digest of the program; the same digest is the same probe.
        counts: {string of 0 and 1: shots}, bit 0 rightmost.
    """

    label: str
    probe: str
    counts: Mapping[str, int]


def _no_answers() -> Mapping[str, tuple[Integers, ...]]:
    return MappingProxyType({})


@dataclass(frozen=True, slots=True, eq=False)
class StaticLaw:
    """The fold over answers in the order of time.

    Attributes:
        draws: Under which shots are dealt and permutations drawn; from the revealed key.
        gains: log10 e-value of the bets on each walk.
        chunks: The present block of each probe: per answer a (chunks x bits) table of ones.

    Example:
        >>> law = StaticLaw(Draws(b"key"))
        >>> law.after(ProbeAnswer("a", "p", {"01": 100})).log10_e
        0.0
    """

    draws: Draws
    gains: tuple[float, ...] = (0.0,) * len(_WALKS)
    chunks: Mapping[str, tuple[Integers, ...]] = field(default_factory=_no_answers)

    @property
    def log10_e(self) -> float:
        """The e-value so far, log10, rounded down to 1e-9; a ninth of the stake never bets.

        What a walk wins above 1e10 is thrown away, so that a long record protects no later fake.
        """
        return rounded_down(log10_mean([0.0, *self.gains]))

    def after(self, answer: ProbeAnswer) -> StaticLaw:
        """Return the evidence after one more answer; fewer shots than a chunk are skipped.

        Raises:
            ValueError: The probe's earlier answers have another width.
        """
        draws = self.draws.child("static", answer.label)
        new = _chunks(answer.counts, draws=draws.child("deal"))
        if not len(new):
            return self
        block = (*self.chunks.get(answer.probe, ()), new)
        if block[0].shape[1] != new.shape[1]:
            raise ValueError(f"need {block[0].shape[1]} bits of this probe, got {new.shape[1]}")
        if len(block) < BLOCK:
            return StaticLaw(self.draws, self.gains, {**self.chunks, answer.probe: block})
        gains = self.gains
        for test in range(TESTS):
            won = _gains(block, test=test, draws=draws.child("test", test))
            gains = tuple(
                min(rounded_down(a + b), _WON_MOST) for a, b in zip(gains, won, strict=True)
            )
        return StaticLaw(self.draws, gains, {**self.chunks, answer.probe: ()})


def _chunks(counts: Mapping[str, int], *, draws: Draws) -> Integers:
    """Deal the shots out at random and sum them up: (chunks x bits), column i = bit i."""
    keys = sorted(key for key, shots in counts.items() if shots > 0)
    shots = np.array([counts[key] for key in keys], dtype=np.int64)
    whole = int(shots.sum()) // CHUNK
    if not whole:
        return np.zeros((0, 0), dtype=np.int64)
    width = len(keys[0])
    bits = np.frombuffer("".join(keys).encode(), dtype=np.uint8).reshape(len(keys), width) - 48
    order = uniform_order(int(shots.sum()), draws=draws)[: whole * CHUNK]
    dealt = bits[np.repeat(np.arange(len(keys)), shots)[order], ::-1]
    return np.asarray(dealt.reshape(whole, CHUNK, width).sum(axis=1, dtype=np.int64))


def _gains(block: Sequence[Integers], *, test: int, draws: Draws) -> list[float]:
    """Return log10 E of one test for each walk."""
    parts = [_part(len(chunks), test) for chunks in block]
    shots = [CHUNK * end for _, end in parts]
    fresh = np.concatenate([c[a:b] for c, (a, b) in zip(block, parts, strict=True)])
    seen = np.array([c[:b].sum(axis=0) for c, (_, b) in zip(block, parts, strict=True)])
    ones = seen.sum(axis=0)
    moving = (ones > 0) & (ones < sum(shots))
    if not len(fresh) or not moving.any():
        return [0.0] * len(_WALKS)
    rates = ones[moving] / sum(shots)
    typical = sum(shots) / len(shots)
    modes = slow_modes(shots, typical=typical, most=len(shots))
    # What a law of these rates gives to each mode, and the known chunks; the rest is permuted.
    law = np.multiply.outer(modes @ np.array(shots), rates)
    known = np.array([c[:a, moving].sum(axis=0) for c, (a, _) in zip(block, parts, strict=True)])
    offset = (modes @ known - law).astype(np.float32)
    scale = (1.0 / np.sqrt(typical * rates * (1.0 - rates))).astype(np.float32)
    owners = [index for index, (a, b) in enumerate(parts) for _ in range(a, b)]
    weights = _weights(rates, typical=typical, answers=len(block))
    tables = permuted_sums(fresh[:, moving], modes[:, owners], draws=draws, times=TABLES)
    exponents = np.concatenate([_squares((sums + offset) * scale) @ weights for sums in tables])
    return [log10_ratio(column) for column in exponents.T / (2 * UNIT * UNIT * _WEIGHT)]


def _squares(deviations: NDArray[np.float32]) -> Reals:
    """Return squares of deviations, in units of sd/UNIT: (tables x (modes * bits)), whole."""
    whole = np.clip(np.rint(deviations, out=deviations), -_MOST, _MOST, out=deviations)
    return (whole * whole).reshape(len(whole), -1).astype(np.float64)


def _part(chunks: int, test: int) -> tuple[int, int]:
    """Say which of an answer's chunks a test permutes; those before are known.

    Rounded up, so that an answer of few chunks is known, with one of them, from the first test on.
    """
    return -(-test * chunks // TESTS), -(-(test + 1) * chunks // TESTS)


def _weights(rates: Reals, *, typical: float, answers: int) -> Reals:
    """Return s/(1 + s) for each mode and bit (rows) and walk (columns), whole numbers.

    s is the variance that a walk adds to a mode, in units of the shots' own: N p spread^2/(1 - p)
    times the walk's power in the mode, p the rate of the rarer value.
    """
    rare = np.minimum(rates, 1.0 - rates)
    columns = []
    for spread, memory in _WALKS:
        power = np.array([_power(mode, answers, memory) for mode in range(1, answers)])
        added = np.multiply.outer(power, typical * rare * spread**2 / (1.0 - rare))
        columns.append(np.rint(_WEIGHT * added / (1.0 + added)).ravel())
    return np.array(columns).T


@cache
def _power(mode: int, answers: int, memory: float) -> float:
    """Return the variance of a mode of a stationary walk of unit variance."""
    weights = [cosine(mode, answer, answers) for answer in range(answers)]
    return math.fsum(
        weights[i] * weights[j] * (memory ** abs(i - j) if i != j else 1.0)
        for i in range(answers)
        for j in range(answers)
    )
