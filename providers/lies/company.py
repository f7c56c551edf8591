"""Lies about who answers, and since when: rings of hotkeys, and honesty that ends."""

from __future__ import annotations

from typing import TYPE_CHECKING

from circuits.draws import Draws
from providers.base import Context
from providers.lies.answer import Answer, Make
from providers.lies.blank import noiseless, uniform
from providers.lies.blends import white_noise
from providers.standin import StandIn

if TYPE_CHECKING:
    from circuits.counts import Bits
    from circuits.program import Program
    from providers.options import Options

FAKES: dict[str, Make] = {
    "noiseless": noiseless,
    "uniform": uniform,
    "white_noise": white_noise,
}


def honest_then_fake(claimed: StandIn, read: Options) -> Answer:
    """Honest before epoch `turns_at` (8), then the `fake` ("uniform")."""
    turns_at = read.whole("turns_at", 8, low=0, high=10**9)
    fake = FAKES[read.word("fake", "uniform", FAKES)](claimed, read)

    def answer(program: Program, shots: int, draws: Draws) -> Bits:
        if claimed.epoch() < turns_at:
            return claimed.run(program, shots=shots, draws=draws)
        return fake(program, shots, draws)

    return answer


def one_device(claimed: StandIn, read: Options) -> Answer:
    """One real machine behind every hotkey of the `ring` ("ring"): its history is shared."""
    machine = _shared(claimed, read)

    def answer(program: Program, shots: int, draws: Draws) -> Bits:
        return machine.run(program, shots=shots, draws=draws)

    return answer


def colluders(claimed: StandIn, read: Options) -> Answer:
    """One real machine for the `ring`; who gets a program that another had answers with its shots.

    The shared notebook is a hash of ring, epoch and program, so that no state is shared; fewer
    shots are not the beginning of more.
    """
    machine = _shared(claimed, read)

    def answer(program: Program, shots: int, _draws: Draws) -> Bits:
        noted = machine.history.child("noted", machine.epoch(), program.digest)
        return machine.run(program, shots=shots, draws=noted)

    return answer


def _shared(claimed: StandIn, read: Options) -> StandIn:
    """The ring's machine: seed and name are the ring's, so is the history."""
    ring = Draws(read.text("ring", "ring").encode(), "ring")
    context = Context(ring.take(32), claimed.epoch)
    return StandIn(claimed.snapshot, "shared", context, world=claimed.world)
