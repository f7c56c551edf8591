"""Put a miner together and serve it: adapter, store, wire, chain, and the side port."""

from __future__ import annotations

import asyncio
import contextlib
import functools
import logging
import os
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Protocol, runtime_checkable

import providers
from providers.base import Context
from providers.errors import ProviderError
from qsubnet.chain.calls import Announcement
from qsubnet.chain.local import open_local
from qsubnet.directory import EpochClock
from qsubnet.errors import ConfigurationError, Unreachable
from qsubnet.fence import require_own_names
from qsubnet.lock import sole
from qsubnet.miner.admission import Permits
from qsubnet.miner.app import OPEN, miner_app
from qsubnet.miner.guarded import Guarded
from qsubnet.miner.metrics import PREFIX, MinerMetrics
from qsubnet.miner.redaction import Redactor, credentials_in
from qsubnet.miner.service import MinerService, Policy
from qsubnet.serving import background, bind, serve, serve_beside, url_of
from qsubnet.store.database import Store, sqlite_url
from qsubnet.telemetry import Counted, side_app
from qsubnet.wire.keys import Sr25519Verifier, load_key_file
from qsubnet.wire.nonces import SqliteNonceStore
from qsubnet.wire.signed_app import SignedApp

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Mapping
    from typing import Any

    from providers.base import Json, Provider
    from qsubnet.chain.local import LocalChain
    from qsubnet.miner.configuration import Window
    from qsubnet.wire.keys import Sr25519Signer

log = logging.getLogger(__name__)


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
        max_concurrent: Jobs at the backend at once, at least 1.
        maintenance: Windows in which no new job is taken.
        min_stake_rao: Stake that a requester needs beside its permit.
        drain_s: How long a signal waits for what is at the backend.
        keep_days: Days after which an ended job is forgotten; None keeps all.
        metrics: Host and port of the side port; None for none.
        announce: Endpoint for the chain, where requesters reach this miner by another address than
            it listens on (a container, a proxy): `http(s)://host:port`; None for its own.
    """

    adapter: str
    options: Mapping[str, Json]
    key_file: Path
    ledger: Path
    state: Path
    host: str
    port: int
    seed: str
    max_concurrent: int = 4
    maintenance: tuple[Window, ...] = ()
    min_stake_rao: int = 0
    drain_s: float = 5.0
    keep_days: int | None = None
    metrics: tuple[str, int] | None = None
    announce: str | None = None


async def serve_miner(config: MinerConfig) -> None:
    """Serve until a signal; unfinished jobs of the last run go on first.

    Raises:
        ConfigurationError: The key, the ledger, the adapter or an option is wrong.
        Unreachable: The backend does not answer.
        Busy: Another miner serves from this state directory.
    """
    require_own_names()
    config.state.mkdir(mode=0o700, parents=True, exist_ok=True)
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
        redactor, metrics = redactor_for(config), MinerMetrics()
        inner = make_provider(config, epoch=lambda: clock.epoch, redactor=redactor)
        provider = Guarded(inner, redactor=redactor, observer=metrics)
        try:
            service = await _service(config, provider, store, signer, clock, metrics)
            await _listen(config, chain, service, provider, signer, nonces, metrics)
        finally:
            if isinstance(inner, _Closing):
                # What is queued in worker threads would else be run to its end.
                await asyncio.to_thread(inner.close)


async def _service(
    config: MinerConfig,
    provider: Guarded,
    store: Store,
    signer: Sr25519Signer,
    clock: EpochClock,
    metrics: MinerMetrics,
) -> MinerService:
    service = MinerService(
        provider,
        store=store,
        signer=signer,
        now_ms=lambda: time.time_ns() // 1_000_000,
        refresh_epoch=clock.refresh,
        policy=Policy(config.max_concurrent, config.maintenance, config.keep_days, metrics.ended),
    )
    try:
        await service.start()
    except ProviderError as error:
        raise Unreachable(f"adapter {config.adapter} describes no device: {error}") from None
    metrics.watch(service)
    return service


async def _listen(
    config: MinerConfig,
    chain: LocalChain,
    service: MinerService,
    provider: Guarded,
    signer: Sr25519Signer,
    nonces: SqliteNonceStore,
    metrics: MinerMetrics,
) -> None:
    permits = Permits(chain, now_s=time.monotonic, min_stake_rao=config.min_stake_rao)

    def obstacles() -> list[str]:
        return [] if provider.reachable else ["the backend is out of reach"]

    inner = miner_app(service, admit=permits.admits, refused=metrics.refused, obstacles=obstacles)
    signed = SignedApp(inner, signer=signer, nonces=nonces, now_ns=time.time_ns, open_paths=OPEN)
    app = Counted(signed, routes=inner.routes, registry=metrics.registry, prefix=PREFIX)

    def all_obstacles() -> list[str]:
        closed = service.gate.closed()
        return [*([str(closed)] if closed else []), *obstacles()]

    async with contextlib.AsyncExitStack() as opened:
        listener = opened.enter_context(contextlib.closing(bind(config.host, config.port)))
        works: list[Coroutine[Any, Any, None]] = [service.work(), service.prune()]
        if config.metrics is not None:
            side = opened.enter_context(contextlib.closing(bind(*config.metrics)))
            works.append(serve_beside(side_app(metrics.registry, obstacles=all_obstacles), side))
            log.info("metrics served", extra={"url": url_of(side)})
        await opened.enter_async_context(background(*works))
        await chain.announce(_announcement(config, url_of(listener)))
        log.info("miner serves", extra={"hotkey": signer.identity, "url": url_of(listener)})
        await serve(app, listener, drain=functools.partial(service.drain, within_s=config.drain_s))


def _announcement(config: MinerConfig, own_url: str) -> Announcement:
    if config.announce is None and config.host in {"0.0.0.0", "::"}:  # noqa: S104 - compared
        log.warning("no other machine reaches this address; use --announce", extra={"url": own_url})
    try:
        return Announcement(config.announce or own_url)
    except ValueError as error:
        raise ConfigurationError(f"--announce: {error}") from None


@runtime_checkable
class _Closing(Protocol):
    """A provider that has something to close."""

    def close(self) -> None: ...


def redactor_for(config: MinerConfig) -> Redactor:
    """Make what masks the credentials of this process."""
    return Redactor(credentials_in(os.environ, options=config.options))


def make_provider(config: MinerConfig, *, epoch: Callable[[], int], redactor: Redactor) -> Provider:
    """Make the adapter that a configuration names; what it says is redacted.

    Raises:
        ConfigurationError: There is none of that name, or it does not start.
    """
    context = Context(config.seed.encode(), epoch, config.state)
    try:
        return providers.create(config.adapter, config.options, context)
    except KeyError as error:
        raise ConfigurationError(str(error.args[0])) from error
    except ProviderError as error:
        text = redactor.text(str(error))
        raise ConfigurationError(f"adapter {config.adapter}: {text}") from None
    except Exception as error:  # border: an adapter's own bug; a bare traceback is not redacted
        log.exception("adapter does not start", extra={"adapter": config.adapter})
        name = type(error).__name__
        raise ConfigurationError(f"adapter {config.adapter} raises {name}; see the log") from None
