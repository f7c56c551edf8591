"""Worlds: named ways in which an honest device differs from its public sheet.

A stand-in lives in one of them (option `world`). "Drift of 10 %" means that the logarithm of each
readout error rate has a standard deviation of .10 over epochs, apart from jumps.

Assumes: every one of them is honest. A burst or an outage is announced by nobody; an outage ends
its jobs with an error, a burst leaves wrong shots among right ones.
Source: bursts: McEwen et al., Nature Physics 18, 107 (2022), many qubits of a chip relax at once;
jumps by two-level systems: Klimov et al., PRL 121, 090502 (2018). The sizes are choices.
"""

from __future__ import annotations

from dataclasses import dataclass

from providers.drift import DRIFT, Drift
from providers.noise import LAW, Law


@dataclass(frozen=True, slots=True)
class Bursts:
    """Stretches of shots in which part of the chip answers at random.

    Attributes:
        chance: Per program that is run.
        stretch: Share of the program's shots, in a row.
        reach: Share of the device's qubits, those nearest to a random centre.
    """

    chance: float
    stretch: float
    reach: float


@dataclass(frozen=True, slots=True)
class World:
    """What surrounds an honest device.

    Attributes:
        said: What it is, in one sentence.
        drift: What the sheet does not show of single elements.
        law: What it does not show of elements together.
        bursts: None unless there are any.
        outage: Chance that a whole epoch ends every job with an error.
    """

    said: str
    drift: Drift = DRIFT
    law: Law = LAW
    bursts: Bursts | None = None
    outage: float = 0.0


DEFAULT_WORLD = "usual"

WORLDS: dict[str, World] = {
    DEFAULT_WORLD: World("It drifts by 15 % and jumps now and then."),
    "calm": World(
        "It drifts by 5 %.",
        Drift(read_spread=0.05, gate_spread=0.05, jump_chance=0.0),
    ),
    "drifting": World(
        "It drifts by 10 %.",
        Drift(read_spread=0.10, gate_spread=0.10, jump_chance=0.0),
    ),
    "volatile": World(
        "It drifts by 20 %.",
        Drift(read_spread=0.20, gate_spread=0.20, jump_chance=0.0, high=3.0),
    ),
    "tls_jumps": World(
        "Single qubits jump to other error rates and back every few epochs.",
        Drift(
            read_spread=0.05,
            gate_spread=0.05,
            jump_chance=0.03,
            jump_spread=0.8,
            memory=0.8,
            low=0.4,
            high=4.0,
        ),
    ),
    "stale": World(
        "Its sheet is months old: errors are half as large again and the order of qubits changed.",
        Drift(
            memory=0.98,
            read_spread=0.35,
            gate_spread=0.25,
            worse=1.5,
            worse_spread=0.2,
            low=0.4,
            high=2.5,
        ),
    ),
    "crosstalk": World(
        "Layers of 20 simultaneous qubits err two to three times as often as the sheet says.",
        law=Law(crosstalk=0.4, joint=0.25, spectator=0.1, joint_read=0.15),
    ),
    "bursts": World(
        "In every tenth program a burst makes 60 % of the chip answer at random for 8 % of shots.",
        bursts=Bursts(chance=0.1, stretch=0.08, reach=0.6),
    ),
    "outages": World(
        "In every eighth epoch it is down and ends every job with an error.",
        outage=0.125,
    ),
    "lopsided": World(
        "A 1 is misread seven times as often as a 0.",
        Drift(asymmetry=7.0, asymmetry_spread=0.15),
    ),
}
