"""Where a hotkey stands on the ledger, and what a score would earn there at today's weights.

The ledger holds shares, not scores. A hotkey that is paid already keeps its share; for a newcomer
the paid miners of its mechanism are taken to score, on average, as much as it does.

Blind spot: that is a guess about others' work, and every newcomer makes all shares smaller.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING

from qsubnet.chain.model import PPB
from validator.weights import shares

if TYPE_CHECKING:
    from pathlib import Path

    from qsubnet.chain.genesis import ChainParams
    from qsubnet.chain.model import Metagraph, Neuron

_NEWCOMER = "newcomer"


@dataclass(frozen=True, slots=True)
class Picture:
    """What a ledger shows now."""

    metagraph: Metagraph
    params: ChainParams

    def neuron(self, hotkey: str) -> Neuron | None:
        """Find a hotkey's neuron; None where it has no seat, or '' was asked for."""
        return self.metagraph.neuron(hotkey) if hotkey else None


@dataclass(frozen=True, slots=True)
class Prospect:
    """What a score is expected to earn in one mechanism.

    Attributes:
        share: Of the mechanism's miners' pay, 0 .. 1.
        emission_rao: An epoch.
        paid_miners: Others that are paid there now.
        how: What the share rests on.
    """

    share: float
    emission_rao: int
    paid_miners: int
    how: str


async def look(ledger: Path) -> Picture:
    """Read a local ledger.

    Raises:
        qsubnet.chain.errors.ChainError: It is not there, or no ledger.
    """
    from qsubnet.chain.local import open_local
    from qsubnet.wire.keys import Sr25519Verifier

    chain = await asyncio.to_thread(open_local, ledger, verify=Sr25519Verifier().verify)
    async with chain:
        return Picture(await chain.metagraph(), await chain.params())


def prospect(picture: Picture, *, score: float, mechanism: int, hotkey: str = "") -> Prospect:
    """Say what a score would earn.

    Args:
        picture: Of the ledger.
        score: Of the device, 0 or more.
        mechanism: 0 for a qpu, 1 for a simulator.
        hotkey: The miner's, where it has one.
    """
    paid = {
        neuron.hotkey: neuron.standing(mechanism).incentive_ppb
        for neuron in picture.metagraph.neurons
        if neuron.standing(mechanism).incentive_ppb > 0
    }
    mine = paid.pop(hotkey, 0)
    if score <= 0.0:
        share, how = 0.0, "a score of 0 earns nothing"
    elif mine:
        share, how = mine / PPB, "what this hotkey is paid now"
    else:
        total = sum(paid.values())
        scores = {other: score * len(paid) * ppb / total for other, ppb in paid.items()}
        share = shares({**scores, _NEWCOMER: score})[_NEWCOMER]
        how = (
            f"as if the {len(paid)} miners that are paid there scored as much on average"
            if paid
            else "nobody else is paid there now"
        )
    budget = miners_budget_rao(picture.params, mechanism)
    return Prospect(share, int(Fraction(share).limit_denominator(PPB) * budget), len(paid), how)


def miners_budget_rao(params: ChainParams, mechanism: int) -> int:
    """Give what an epoch pays the miners of one mechanism, rounded down.

    Example:
        >>> from qsubnet.chain.genesis import ChainParams
        >>> miners_budget_rao(ChainParams(emission_per_epoch_rao=1_000, incentive_percent=41), 0)
        205
    """
    whole = sum(one.share for one in params.mechanisms)
    mine = next((one.share for one in params.mechanisms if one.number == mechanism), 0)
    return params.emission_per_epoch_rao * mine * params.incentive_percent // (100 * whole)
