"""Put a validator together and run it: once for cron, until the epoch is closed, or for ever.

One validator per state directory: a lock file says who runs. Interrupting is always safe.
"""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import logging
import os
import time
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from pathlib import Path

from qsubnet.chain.errors import ChainError
from qsubnet.chain.local import open_local
from qsubnet.directory import ChainDirectory
from qsubnet.dispatcher import Dispatcher
from qsubnet.errors import Busy, Unreachable
from qsubnet.fence import require_own_names
from qsubnet.receipts import ReceiptDesk
from qsubnet.store.database import Store
from qsubnet.validating.secret import load_secret
from qsubnet.validating.service import Round, ValidatingService
from qsubnet.wire.keys import Sr25519Verifier, load_key_file
from qsubnet.wire.nonces import NonceSource
from qsubnet.wire.signed_client import SignedClient
from validator.reference import Reference, best_engine

log = logging.getLogger(__name__)

_WAIT_POLL_S = 0.1


@dataclass(frozen=True, slots=True)
class ValidatorConfig:
    """What a validator needs to start.

    Attributes:
        key_file: The validator's hotkey.
        ledger: The local ledger's file.
        state: Directory of lock and secret; made if missing.
        database: SQLAlchemy URL of the operator's store.
    """

    key_file: Path
    ledger: Path
    state: Path
    database: str


async def run_validator(
    config: ValidatorConfig, *, wait: bool = False, every_s: float | None = None
) -> Round:
    """Run one round; or with `wait` rounds until the epoch is closed; or one every `every_s`.

    Raises:
        Busy: Another validator runs on this state directory.
        Unreachable: The chain did not take what it had to; run again.
    """
    require_own_names()
    config.state.mkdir(parents=True, exist_ok=True)
    with _lock(config.state / "validator.lock"):
        async with _service(config) as service:
            while True:
                result = await _rounds(service, wait=wait, forgiving=every_s is not None)
                if every_s is None:
                    return result
                await asyncio.sleep(every_s)


async def _rounds(service: ValidatingService, *, wait: bool, forgiving: bool) -> Round:
    while True:
        try:
            result = await service.round()
        except ChainError as error:
            if not forgiving:
                raise Unreachable(f"the chain: {error}") from error
            log.warning("round ended early", extra={"error": str(error)})
            result = Round(epoch=-1, open_tests=0, closed=False)
        if not wait or result.closed or not result.open_tests:
            return result
        await asyncio.sleep(_WAIT_POLL_S)


@contextlib.asynccontextmanager
async def _service(config: ValidatorConfig) -> AsyncIterator[ValidatingService]:
    import httpx

    signer = load_key_file(config.key_file)
    chain = open_local(config.ledger, verify=Sr25519Verifier().verify, signer=signer)
    store = Store(config.database)
    async with httpx.AsyncClient(trust_env=False) as http:
        client = SignedClient(http, signer=signer, nonces=NonceSource(now_ns=time.time_ns))
        directory = ChainDirectory(chain, client)
        desk = ReceiptDesk(signer)
        dispatcher = Dispatcher(
            store,
            directory=directory,
            desk=desk,
            owner=f"validator-{os.getpid()}",
            now_ms=lambda: time.time_ns() // 1_000_000,
        )
        yield ValidatingService(
            chain=chain,
            directory=directory,
            dispatcher=dispatcher,
            desk=desk,
            store=store,
            reference=Reference(best_engine()),
            secret=load_secret(config.state / "case-secret"),
            hotkey=signer.identity,
        )
    store.close()


@contextlib.contextmanager
def _lock(path: Path) -> Iterator[None]:
    """Hold an exclusive lock on `path`; it is gone with the process."""
    with path.open("a") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise Busy(f"another validator holds {path}; it does the work") from error
        yield
