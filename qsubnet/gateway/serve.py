"""Put a gateway together and serve it: operator's key and store, chain, market, dispatcher."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from qsubnet.chain.errors import ChainError
from qsubnet.chain.local import open_local
from qsubnet.directory import ChainDirectory
from qsubnet.dispatcher import Dispatcher
from qsubnet.fence import require_own_names
from qsubnet.gateway.accounts import Accounts
from qsubnet.gateway.app import gateway_app
from qsubnet.gateway.carrying import Carrier
from qsubnet.gateway.compiling import load_compiler
from qsubnet.gateway.market import Market
from qsubnet.gateway.metrics import PREFIX, gateway_registry, obstacles
from qsubnet.gateway.naming import Naming
from qsubnet.gateway.placing import Placement
from qsubnet.gateway.preparing import Workshop
from qsubnet.gateway.service import GatewayService
from qsubnet.lock import sole
from qsubnet.receipts import ReceiptDesk
from qsubnet.serving import background, bind, serve, serve_beside, url_of
from qsubnet.store.database import Store
from qsubnet.telemetry import Counted, side_app
from qsubnet.validating.secret import load_secret
from qsubnet.wire.keys import Sr25519Verifier, load_key_file
from qsubnet.wire.miner_port import miner_http
from qsubnet.wire.nonces import NonceSource
from qsubnet.wire.signed_client import SignedClient

if TYPE_CHECKING:
    import httpx
    from prometheus_client import CollectorRegistry
    from starlette.types import ASGIApp

    from qsubnet.chain.base import Chain
    from qsubnet.wire.keys import Sr25519Signer

log = logging.getLogger(__name__)

REFRESH_S = 2.0
"""Seconds between two looks at the chain and at what miners offer."""
EXCHANGE_S = 20.0
"""Seconds that one exchange with a miner may take."""


@dataclass(frozen=True, slots=True)
class GatewayConfig:
    """What a gateway needs to start.

    Attributes:
        key_file: The operator's hotkey, the same as its validator's.
        ledger: The local ledger's file.
        state: Directory of the gateway's secret; made if missing.
        database: SQLAlchemy URL of the operator's store, shared with its validator.
        host: Where to listen.
        port: 0 for a free one.
        api_keys: `accounts.key_digest` of each API key -> name of its account.
        metrics: Host and port of the side port; None for none.
    """

    key_file: Path
    ledger: Path
    state: Path
    database: str
    host: str
    port: int
    api_keys: Mapping[str, str]
    metrics: tuple[str, int] | None = None


@dataclass(frozen=True, slots=True)
class Gateway:
    """A gateway's parts that somebody outside drives."""

    service: GatewayService
    carrier: Carrier
    market: Market


async def serve_gateway(config: GatewayConfig, ready: Callable[[str], None] | None = None) -> None:
    """Serve until a signal; unfinished jobs of the last run go on first.

    Args:
        config: What to serve with.
        ready: Called once with the base URL, when requests are answered.

    Raises:
        ConfigurationError: The key, the ledger, the store or an API key is wrong.
        Busy: Another gateway serves from this state directory.
    """
    require_own_names()
    accounts = Accounts(config.api_keys)
    config.state.mkdir(parents=True, exist_ok=True)
    with sole(config.state / "gateway.lock", role="gateway"):
        signer = load_key_file(config.key_file)
        chain = open_local(config.ledger, verify=Sr25519Verifier().verify, signer=signer)
        with contextlib.closing(chain), contextlib.closing(Store(config.database)) as store:
            async with miner_http() as http:
                secret = load_secret(config.state / "gateway-secret")
                gateway = make_gateway(store, chain=chain, http=http, signer=signer, secret=secret)
                registry = gateway_registry(gateway.service, store=store)
                routes = gateway_app(gateway.service, accounts=accounts)
                app = Counted(routes, routes=routes.routes, registry=registry, prefix=PREFIX)
                with contextlib.ExitStack() as opened:
                    listener = opened.enter_context(
                        contextlib.closing(bind(config.host, config.port))
                    )
                    works = [gateway.carrier.work(), keep_fresh(gateway)]
                    if config.metrics is not None:
                        side = opened.enter_context(contextlib.closing(bind(*config.metrics)))
                        log.info("metrics served", extra={"url": url_of(side)})
                        works.append(serve_beside(_side(gateway, registry), side))
                    async with background(*works):
                        if ready is not None:
                            ready(url_of(listener))
                        await serve(app, listener)
                await gateway.carrier.close()


def _side(gateway: Gateway, registry: CollectorRegistry) -> ASGIApp:
    return side_app(registry, obstacles=lambda: obstacles(gateway.service))


def make_gateway(
    store: Store,
    *,
    chain: Chain,
    http: httpx.AsyncClient,
    signer: Sr25519Signer,
    secret: bytes,
    workshop: Workshop | None = None,
    now_ns: Callable[[], int] = time.time_ns,
) -> Gateway:
    """Put the parts together; nothing runs yet. Call it in the main thread: it loads the compiler.

    Args:
        store: The operator's.
        chain: Read from.
        http: Carries what is asked of miners.
        signer: The operator's hotkey.
        secret: From which ids and keys are derived.
        workshop: Reads and compiles; the usual one unless given.
        now_ns: Unix time in nanoseconds, for nonces, leases and what users are shown.
    """
    load_compiler()

    def now_ms() -> int:
        return now_ns() // 1_000_000

    client = SignedClient(
        http, signer=signer, nonces=NonceSource(now_ns=now_ns), timeout_s=EXCHANGE_S
    )
    directory = ChainDirectory(chain, client)
    desk, naming, shop = ReceiptDesk(signer), Naming(secret), workshop or Workshop()
    market = Market(directory, store=store, hotkey=signer.identity)
    placement = Placement(market, workshop=shop, naming=naming)
    dispatcher = Dispatcher(store, directory=directory, desk=desk, owner="gateway", now_ms=now_ms)
    carrier = Carrier(
        store,
        market=market,
        placement=placement,
        dispatcher=dispatcher,
        desk=desk,
        naming=naming,
        now_ms=now_ms,
    )
    service = GatewayService(
        store,
        market=market,
        workshop=shop,
        placement=placement,
        carrier=carrier,
        desk=desk,
        naming=naming,
        now_ms=now_ms,
    )
    return Gateway(service, carrier, market)


async def keep_fresh(gateway: Gateway) -> None:
    """Refresh the market until cancelled, and wake the carrier once jobs may be sent."""
    while True:
        permitted = gateway.market.permitted
        try:
            await gateway.market.refresh()
        except ChainError as error:
            log.warning("chain out of reach", extra={"error": str(error)})
        if gateway.market.permitted and not permitted:
            gateway.carrier.wake()
        await asyncio.sleep(REFRESH_S)
