"""Lies that run nothing, or run everything without an error."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from providers.lies.answer import Answer, coins, generator

if TYPE_CHECKING:
    from circuits.counts import Bits
    from circuits.draws import Draws
    from circuits.program import Program
    from providers.options import Options
    from providers.standin import StandIn

REPLAY_FLIPS = 0.05
"""Chance of each bit to differ from the replayed answer's most frequent string."""


def uniform(_claimed: StandIn, _read: Options) -> Answer:
    """Fair coins."""
    return coins


def zeros(_claimed: StandIn, _read: Options) -> Answer:
    """Nothing but zeros."""

    def answer(program: Program, shots: int, _draws: Draws) -> Bits:
        return np.zeros((shots, program.num_bits), dtype=np.uint8)

    return answer


def replay(claimed: StandIn, _read: Options) -> Answer:
    """One recording per width.

    The recording stands for the first job of that width. It is a hash of the device, not of the
    order in which jobs arrive, so that it is the same however callers race; fewer shots are its
    beginning.
    """

    def answer(program: Program, shots: int, _draws: Draws) -> Bits:
        recorded = claimed.history.child("replay", program.num_bits)
        first = np.array(recorded.bits(program.num_bits), dtype=np.uint8)
        flips = generator(recorded).random((shots, program.num_bits)) < REPLAY_FLIPS
        return first ^ flips

    return answer


def noiseless(claimed: StandIn, _read: Options) -> Answer:
    """An exact simulator."""

    def answer(program: Program, shots: int, draws: Draws) -> Bits:
        return claimed.ideal(program, shots=shots, draws=draws)

    return answer
