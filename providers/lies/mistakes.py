"""No lies: honest machines whose answers come in the wrong form, not at all, or half broken."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from providers.errors import JobFailed
from providers.lies.answer import Answer, coins

if TYPE_CHECKING:
    from circuits.counts import Bits
    from circuits.draws import Draws
    from circuits.program import Program
    from providers.options import Options
    from providers.standin import StandIn


def reversed_bits(claimed: StandIn, _read: Options) -> Answer:
    """The first bit last."""

    def answer(program: Program, shots: int, draws: Draws) -> Bits:
        return claimed.run(program, shots=shots, draws=draws)[:, ::-1]

    return answer


def permuted(claimed: StandIn, _read: Options) -> Answer:
    """Bits in one fixed wrong order per width."""

    def answer(program: Program, shots: int, draws: Draws) -> Bits:
        order = claimed.history.child("order", program.num_bits).permutation(program.num_bits)
        return claimed.run(program, shots=shots, draws=draws)[:, order]

    return answer


def swapped_registers(claimed: StandIn, _read: Options) -> Answer:
    """The upper half of the bits, kept as a register of its own, where the lower belongs."""

    def answer(program: Program, shots: int, draws: Draws) -> Bits:
        rows = claimed.run(program, shots=shots, draws=draws)
        return np.roll(rows, -(program.num_bits // 2), axis=1)

    return answer


def truncated(claimed: StandIn, read: Options) -> Answer:
    """Only `share` (.75) of the shots that were asked for."""
    share = read.real("share", 0.75, low=0.0, high=1.0)

    def answer(program: Program, shots: int, draws: Draws) -> Bits:
        return claimed.run(program, shots=shots, draws=draws)[: max(1, round(share * shots))]

    return answer


def wrong_width(claimed: StandIn, _read: Options) -> Answer:
    """One bit too many, always 0 and leftmost, as a register of the next size would give."""

    def answer(program: Program, shots: int, draws: Draws) -> Bits:
        rows = claimed.run(program, shots=shots, draws=draws)
        return np.hstack([rows, np.zeros((shots, 1), dtype=np.uint8)])

    return answer


def flaky(claimed: StandIn, read: Options) -> Answer:
    """`share` (.2) of the programs end with the backend's error."""
    share = read.real("share", 0.2, low=0.0, high=1.0)

    def answer(program: Program, shots: int, draws: Draws) -> Bits:
        if draws.child("fails").random() < share:
            raise JobFailed("the control electronics lost their connection; the queue is slow")
        return claimed.run(program, shots=shots, draws=draws)

    return answer


def half_broken(claimed: StandIn, read: Options) -> Answer:
    """A fixed `share` (.25) of the qubits read nearly at random, whatever the sheet says."""
    share = read.real("share", 0.25, low=0.0, high=1.0)
    size = claimed.device.topology.num_qubits
    order = claimed.history.child("broken").permutation(size)
    broken = set(order[: round(share * size)])

    def answer(program: Program, shots: int, draws: Draws) -> Bits:
        rows = claimed.run(program, shots=shots, draws=draws)
        noise = coins(program, shots, draws.child("noise"))
        lost = coins(program, shots, draws.child("lost")) | coins(program, shots, draws.child("x"))
        for op in program.operations:
            if op.bit is not None and op.qubits[0] in broken:
                rows[:, op.bit] = np.where(lost[:, op.bit], noise[:, op.bit], rows[:, op.bit])
        return rows

    return answer
