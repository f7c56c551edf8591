"""Put a miner together and serve it: adapter, store, wire, chain."""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import providers
from providers.base import Context
from providers.errors import ProviderError
from qsubnet.chain.calls import Announcement
from qsubnet.chain.local import open_local
from qsubnet.directory import EpochClock
from qsubnet.errors import ConfigurationError
from qsubnet.fence import require_own_names
from qsubnet.miner.app import HEALTH, miner_app
from qsubnet.miner.service import MinerService
from qsubnet.serving import background, bind, serve, url_of
from qsubnet.store.database import Store, sqlite_url
from qsubnet.wire.keys import Sr25519Verifier, load_key_file
from qsubnet.wire.nonces import SqliteNonceStore
from qsubnet.wire.signed_app import SignedApp

if TYPE_CHECKING:
    from collections.abc import Mapping

    from providers.base import Json, Provider
    from qsubnet.chain.base import Chain

_ADMITTED_FOR_S = 2.0


@dataclass(frozen=True, slots=True)
class MinerConfig:
    """What a miner needs to start.

    Attributes:
        adapter: Name in the table of providers.
        options: The adapter's own options.
        key_file: The miner's hotkey.
        ledger: The local ledger's file.
        state: Directory of the miner's store; made if missing.
        host: Where to listen.
        port: 0 for a free one.
        seed: Root of the simulators' seeds, any text.
    """

    adapter: str
    options: Mapping[str, Json]
    key_file: Path
    ledger: Path
    state: Path
    host: str
    port: int
    seed: str


async def serve_miner(config: MinerConfig) -> None:
    """Serve until a signal; unfinished jobs of the last run go on first.

    Raises:
        ConfigurationError: The key, the ledger, the adapter or an option is wrong.
    """
    require_own_names()
    config.state.mkdir(parents=True, exist_ok=True)
    signer = load_key_file(config.key_file)
    chain = open_local(config.ledger, verify=Sr25519Verifier().verify, signer=signer)
    clock = EpochClock(chain)
    await clock.refresh()
    service = MinerService(
        _provider(config, clock),
        store=Store(sqlite_url(config.state / "miner.db")),
        signer=signer,
        now_ms=lambda: time.time_ns() // 1_000_000,
        refresh_epoch=clock.refresh,
    )
    await service.start()
    app = SignedApp(
        miner_app(service, admit=Permits(chain).admits),
        signer=signer,
        nonces=SqliteNonceStore(config.state / "nonces.db", now_ns=time.time_ns),
        now_ns=time.time_ns,
        open_paths=[HEALTH],
    )
    listener = bind(config.host, config.port)
    await chain.announce(Announcement(url_of(listener)))
    async with background(service.work()):
        await serve(app, listener)


class Permits:
    """Who may send jobs: hotkeys with a validator permit, by a picture of the last seconds."""

    def __init__(self, chain: Chain) -> None:
        self._chain = chain
        self._permitted: frozenset[str] = frozenset()
        self._until = 0.0

    async def admits(self, hotkey: str) -> bool:
        """Tell whether `hotkey` may send jobs."""
        if time.monotonic() > self._until:
            picture = await self._chain.metagraph()
            self._permitted = frozenset(n.hotkey for n in picture.neurons if n.validator_permit)
            self._until = time.monotonic() + _ADMITTED_FOR_S
        return hotkey in self._permitted


def _provider(config: MinerConfig, clock: EpochClock) -> Provider:
    context = Context(seed=config.seed.encode(), epoch=lambda: clock.epoch)
    try:
        return providers.create(config.adapter, config.options, context)
    except KeyError as error:
        raise ConfigurationError(str(error.args[0])) from error
    except ProviderError as error:
        raise ConfigurationError(f"adapter {config.adapter}: {error}") from error
