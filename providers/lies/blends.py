"""Lies that spoil an exact simulator's shots until they are wrong in the promised share."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from providers.dense import probabilities
from providers.lies.answer import Answer, coins, generator, written
from providers.lies.promise import sheet_fidelity, sheet_flips
from providers.lies.twins import average_twin, calibrated_twin
from providers.stabilizer import is_clifford

if TYPE_CHECKING:
    from circuits.counts import Bits
    from circuits.draws import Draws
    from circuits.program import Program
    from providers.options import Options
    from providers.standin import StandIn

HEAVIEST = 0.2
"""Share of strings that a spoofer picks from; among such lists the collisions are fewest here."""


def white_noise(claimed: StandIn, _read: Options) -> Answer:
    """Right shots in the share that the sheet promises, coin flips else."""

    def answer(program: Program, shots: int, draws: Draws) -> Bits:
        right = claimed.ideal(program, shots=shots, draws=draws.child("right"))
        wrong = coins(program, shots, draws.child("wrong"))
        kept = generator(draws).random(shots) < sheet_fidelity(claimed.device, program)
        return np.where(kept[:, None], right, wrong)

    return answer


def independent_flips(claimed: StandIn, _read: Options) -> Answer:
    """Right shots, each bit flipped on its own at the rate that the sheet gives it."""

    def answer(program: Program, shots: int, draws: Draws) -> Bits:
        right = claimed.ideal(program, shots=shots, draws=draws.child("right"))
        return flipped(right, sheet_flips(claimed.device, program), draws)

    return answer


def flipped(rows: Bits, flips: dict[int, float], draws: Draws) -> Bits:
    """Flip each bit independently with its own chance; bits that are missing stay."""
    chance = np.zeros(rows.shape[1])
    chance[list(flips)] = list(flips.values())
    return rows ^ (generator(draws).random(rows.shape) < chance)


def heavy_strings(claimed: StandIn, read: Options) -> Answer:
    """Strings from the heaviest fifth, uniformly, as often as makes the XEB fidelity right.

    Only for circuits that are not Clifford; others are answered by `elsewhere`, a twin. With the
    list's mean of w = D p(x) the share of heavy shots is F (D sum p^2 - 1)/(mean w - 1), at
    most 1; the rest are coin flips.
    """
    twins = {"average_twin": average_twin, "calibrated_twin": calibrated_twin}
    otherwise = twins[read.word("elsewhere", "average_twin", twins)](claimed, read)

    def answer(program: Program, shots: int, draws: Draws) -> Bits:
        if is_clifford(program):
            return otherwise(program, shots, draws)
        law = probabilities(program)
        size = 2 ** len(written(program))
        heavy = sorted(law, key=lambda bits: (-law[bits], bits))[: max(1, round(HEAVIEST * size))]
        gain = size * sum(law[bits] for bits in heavy) / len(heavy) - 1
        due = sheet_fidelity(claimed.device, program) * (
            size * sum(p * p for p in law.values()) - 1
        )
        picked = strings(heavy)[generator(draws.child("picked")).integers(len(heavy), size=shots)]
        kept = generator(draws).random(shots) * gain < due
        return np.where(kept[:, None], picked, coins(program, shots, draws.child("wrong")))

    return answer


def strings(keys: list[str]) -> Bits:
    """Turn bitstrings into rows, column i = c[i].

    Example:
        >>> strings(["001"]).tolist()
        [[1, 0, 0]]
    """
    return np.array([[c == "1" for c in reversed(key)] for key in keys], dtype=np.uint8)
