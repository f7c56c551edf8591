"""Put a miner together and serve it: adapter, store, wire, chain."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import math
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Protocol, runtime_checkable

import providers
from providers.base import Context
from providers.errors import ProviderError
from qsubnet.chain.calls import Announcement
from qsubnet.chain.errors import ChainError
from qsubnet.chain.local import open_local
from qsubnet.directory import EpochClock
from qsubnet.errors import ConfigurationError, Unreachable
from qsubnet.fence import require_own_names
from qsubnet.lock import sole
from qsubnet.miner.app import HEALTH, miner_app
from qsubnet.miner.service import MinerService
from qsubnet.serving import background, bind, serve, url_of
from qsubnet.store.database import Store, sqlite_url
from qsubnet.wire.keys import Sr25519Verifier, load_key_file
from qsubnet.wire.nonces import SqliteNonceStore
from qsubnet.wire.signed_app import SignedApp

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from providers.base import Json, Provider
    from qsubnet.chain.base import Chain
    from qsubnet.chain.local import LocalChain
    from qsubnet.wire.keys import Sr25519Signer

log = logging.getLogger(__name__)

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
        Busy: Another miner serves from this state directory.
    """
    require_own_names()
    config.state.mkdir(parents=True, exist_ok=True)
    with sole(config.state / "miner.lock", role="miner"):
        signer = load_key_file(config.key_file)
        chain = open_local(config.ledger, verify=Sr25519Verifier().verify, signer=signer)
        with contextlib.closing(chain):
            await _serve(config, chain, signer)


async def _serve(config: MinerConfig, chain: LocalChain, signer: Sr25519Signer) -> None:
    clock = EpochClock(chain)
    await clock.refresh()
    with (
        contextlib.closing(Store(sqlite_url(config.state / "miner.db"))) as store,
        contextlib.closing(
            SqliteNonceStore(config.state / "nonces.db", now_ns=time.time_ns)
        ) as nonces,
    ):
        provider = _provider(config, clock)
        service = MinerService(
            provider,
            store=store,
            signer=signer,
            now_ms=lambda: time.time_ns() // 1_000_000,
            refresh_epoch=clock.refresh,
        )
        await service.start()
        app = SignedApp(
            miner_app(service, admit=Permits(chain, now_s=time.monotonic).admits),
            signer=signer,
            nonces=nonces,
            now_ns=time.time_ns,
            open_paths=[HEALTH],
        )
        listener = bind(config.host, config.port)
        try:
            await chain.announce(Announcement(url_of(listener)))
            log.info("miner serves", extra={"hotkey": signer.identity, "url": url_of(listener)})
            async with background(service.work()):
                await serve(app, listener)
        finally:
            listener.close()
            if isinstance(provider, _Closing):
                # What is queued in worker threads would else be run to its end.
                await asyncio.to_thread(provider.close)


@runtime_checkable
class _Closing(Protocol):
    """A provider that has something to close."""

    def close(self) -> None: ...


class Permits:
    """Who may send jobs: hotkeys with a validator permit, by a picture of the last seconds.

    Nobody is turned away by an old picture: permits are given at the end of an epoch, and tests
    come at once.

    Args:
        chain: Read from.
        now_s: A clock that never goes back, in seconds.
    """

    def __init__(self, chain: Chain, *, now_s: Callable[[], float]) -> None:
        self._chain = chain
        self._now_s = now_s
        self._permitted: frozenset[str] = frozenset()
        self._until = -math.inf

    async def admits(self, hotkey: str) -> bool:
        """Tell whether `hotkey` may send jobs.

        Raises:
            Unreachable: The chain cannot be read now.
        """
        if self._now_s() > self._until or hotkey not in self._permitted:
            try:
                picture = await self._chain.metagraph()
            except ChainError as error:
                raise Unreachable(f"the chain cannot be read now: {error}") from error
            self._permitted = frozenset(n.hotkey for n in picture.neurons if n.validator_permit)
            self._until = self._now_s() + _ADMITTED_FOR_S
        return hotkey in self._permitted


def _provider(config: MinerConfig, clock: EpochClock) -> Provider:
    context = Context(config.seed.encode(), lambda: clock.epoch, config.state)
    try:
        return providers.create(config.adapter, config.options, context)
    except KeyError as error:
        raise ConfigurationError(str(error.args[0])) from error
    except ProviderError as error:
        raise ConfigurationError(f"adapter {config.adapter}: {error}") from error
