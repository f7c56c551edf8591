"""Directory and clock: one picture of the chain until somebody looks again."""

from __future__ import annotations

from typing import Any

import pytest

from qsubnet.chain.calls import Announcement
from qsubnet.chain.errors import LedgerBusy
from qsubnet.directory import ChainDirectory, EpochClock


def test_only_who_announced_has_a_port_and_only_after_a_refresh(town: Any, tools: Any) -> None:
    async def story() -> None:
        directory = ChainDirectory(town.chain("val"), town.client("val"))
        await town.settle_in(miners=["m"])
        miner, validator = (tools.signer_of(name).identity for name in ("m", "val"))
        assert directory.port(miner) is None
        picture = await directory.refresh()
        assert {neuron.hotkey for neuron in picture.neurons} == {miner, validator}
        assert list(directory.ports()) == [miner]
        assert directory.port(validator) is None
        assert directory.port("nobody") is None

    tools.run(story())


def test_a_miner_that_moved_is_found_after_the_next_refresh(town: Any, tools: Any) -> None:
    async def story() -> None:
        await town.settle_in(miners=["m"])
        miner = tools.signer_of("m").identity
        directory = await town.directory("val")
        await town.chain("m").announce(Announcement("http://elsewhere.test:81"))
        assert directory.port(miner)._base == "http://m.test:80"
        await directory.refresh()
        assert directory.port(miner)._base == "http://elsewhere.test:81"

    tools.run(story())


def test_the_clock_shows_the_epoch_of_the_last_look(
    town: Any, tools: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def story() -> None:
        clock = EpochClock(town.ledger)
        await clock.refresh()
        assert clock.epoch == 0
        await town.ledger.advance_to(60)
        assert clock.epoch == 0
        await clock.refresh()
        assert clock.epoch == 3

        async def busy() -> Any:
            raise LedgerBusy("held")

        monkeypatch.setattr(town.ledger, "head", busy)
        with pytest.raises(LedgerBusy):
            await clock.refresh()
        assert clock.epoch == 3

    tools.run(story())
