"""What a score would earn: by the ledger's own shares, and never more than the budget."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from qsubnet.chain.errors import LedgerMissing
from qsubnet.chain.genesis import ChainParams
from qsubnet.chain.model import Block, Metagraph, Neuron, Standing
from qsubnet.onboarding.finding import Level
from qsubnet.onboarding.standing import Picture, look, miners_budget_rao, prospect
from qsubnet.onboarding.subject import standing_advice

PARAMS = ChainParams(emission_per_epoch_rao=1_000_000, incentive_percent=50)
"""Two mechanisms of equal shares: 250,000 rao an epoch for the miners of each."""


def _neuron(name: str, ppb: int, *, mechanism: int = 1) -> Neuron:
    standings = tuple(Standing(m, incentive_ppb=ppb if m == mechanism else 0) for m in (0, 1))
    return Neuron(
        hotkey=name,
        coldkey="cold",
        uid=0,
        registered_block=0,
        stake_rao=0,
        validator_permit=False,
        endpoint=None,
        standings=standings,
        earned_rao=0,
    )


def _picture(*neurons: Neuron) -> Picture:
    block = Block(20, "0" * 64)
    metagraph = Metagraph(block=block, epoch=1, pending=0, neurons=neurons, last_epoch=None)
    return Picture(metagraph, PARAMS)


def test_alone_a_score_earns_the_whole_budget_of_its_mechanism() -> None:
    found = prospect(_picture(_neuron("a", 10**9, mechanism=0)), score=5.0, mechanism=1)
    assert (found.share, found.emission_rao, found.paid_miners) == (1.0, 250_000, 0)


@pytest.mark.parametrize("ppbs", [(10**9,), (900_000_000, 100_000_000), (250_000_000,) * 4])
def test_a_newcomer_shares_with_those_that_are_paid_whatever_the_unit_of_scores(
    ppbs: tuple[int, ...],
) -> None:
    picture = _picture(*(_neuron(str(number), ppb) for number, ppb in enumerate(ppbs)))
    for score in (0.001, 1e6):
        found = prospect(picture, score=score, mechanism=1)
        # As much as the others on average: one part of n + 1.
        assert found.share == pytest.approx(1 / (len(ppbs) + 1))
        assert found.emission_rao <= 250_000


def test_who_is_paid_already_keeps_its_share() -> None:
    picture = _picture(_neuron("a", 400_000_000), _neuron("mine", 600_000_000))
    found = prospect(picture, score=1.0, mechanism=1, hotkey="mine")
    assert (found.share, found.emission_rao) == (0.6, 150_000)


def test_no_score_earns_nothing() -> None:
    found = prospect(_picture(_neuron("mine", 10**9)), score=0.0, mechanism=1, hotkey="mine")
    assert (found.share, found.emission_rao) == (0.0, 0)


def test_the_budget_follows_the_mechanisms_shares() -> None:
    assert [miners_budget_rao(PARAMS, number) for number in (0, 1, 2)] == [250_000, 250_000, 0]


def test_a_hotkey_without_a_seat_is_warned_of() -> None:
    picture = _picture(_neuron("a", 0))
    (finding,) = standing_advice(picture, "mine")
    assert (finding.level, "no seat" in finding.what) == (Level.WARNING, True)
    assert standing_advice(picture, "a") == standing_advice(picture, "") == []


def test_a_ledger_that_is_not_there_is_not_made(tmp_path: Path) -> None:
    with pytest.raises(LedgerMissing):
        asyncio.run(look(tmp_path / "ledger.db"))
    assert list(tmp_path.iterdir()) == []
