"""Put a validator together and run it: once for cron, until the epoch is closed, or for ever.

One validator per state directory: a lock file says who runs. Interrupting is always safe.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy.exc import SQLAlchemyError

from qsubnet.chain.errors import ChainError
from qsubnet.chain.local import open_local
from qsubnet.directory import ChainDirectory
from qsubnet.dispatcher import PATIENCE_S, PROMPT_S, Dispatcher
from qsubnet.errors import Unreachable
from qsubnet.fence import require_own_names
from qsubnet.lock import sole
from qsubnet.receipts import ReceiptDesk
from qsubnet.store.database import Store
from qsubnet.validating.metrics import write_metrics
from qsubnet.validating.secret import load_secret
from qsubnet.validating.service import Round, ValidatingService
from qsubnet.wire.keys import Sr25519Verifier, load_key_file
from qsubnet.wire.miner_port import miner_http
from qsubnet.wire.nonces import NonceSource
from qsubnet.wire.signed_client import SignedClient
from validator.references.reference import Reference, best_engine

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
        metrics_file: Written after each round; None for none.
    """

    key_file: Path
    ledger: Path
    state: Path
    database: str
    metrics_file: Path | None = None


async def run_validator(
    config: ValidatorConfig, *, wait: bool = False, every_s: float | None = None
) -> Round:
    """Run one round; or with `wait` rounds until the epoch is closed; or one every `every_s`.

    Raises:
        Busy: Another validator runs on this state directory.
        Unreachable: The chain did not take what it had to, or the store failed; run again.
    """
    require_own_names()
    config.state.mkdir(parents=True, exist_ok=True)
    lasting = wait or every_s is not None
    with sole(config.state / "validator.lock", role="validator"):
        # A single round gives every miner its time; a lasting one comes back to the slow ones.
        prompt_s = PROMPT_S if lasting else PATIENCE_S
        async with _service(config, prompt_s=prompt_s) as service:
            while True:
                with _measured(config.metrics_file, service.store) as found:
                    result = await _rounds(service, wait=wait, forgiving=every_s is not None)
                    found.append(result)
                if every_s is None:
                    return result
                await asyncio.sleep(every_s)


@contextlib.contextmanager
def _measured(path: Path | None, store: Store) -> Iterator[list[Round]]:
    """Write metrics of what the body puts into the list, or of its failure."""
    began, found = time.monotonic(), list[Round]()
    try:
        yield found
    finally:
        if path is not None:
            ended_well = bool(found) and found[0].epoch >= 0
            write_metrics(
                path,
                store=store,
                found=found[0] if ended_well else None,
                seconds=time.monotonic() - began,
                now_s=time.time(),
            )


async def _rounds(service: ValidatingService, *, wait: bool, forgiving: bool) -> Round:
    while True:
        try:
            result = await service.round()
        except (ChainError, SQLAlchemyError) as error:
            role = "chain" if isinstance(error, ChainError) else "store"
            if not forgiving:
                raise Unreachable(f"the {role}: {error}") from error
            log.warning("round ended early", extra={"error": f"the {role}: {error}"})
            return Round(epoch=-1, open_tests=0, closed=False)
        if not wait or result.closed or not result.open_tests:
            return result
        await asyncio.sleep(_WAIT_POLL_S)


@contextlib.asynccontextmanager
async def _service(config: ValidatorConfig, *, prompt_s: float) -> AsyncIterator[ValidatingService]:
    signer = load_key_file(config.key_file)
    async with contextlib.AsyncExitStack() as opened:
        chain = open_local(config.ledger, verify=Sr25519Verifier().verify, signer=signer)
        opened.callback(chain.close)
        store = Store(config.database)
        opened.callback(store.close)
        http = await opened.enter_async_context(miner_http())
        client = SignedClient(
            http,
            signer=signer,
            nonces=NonceSource(now_ns=time.time_ns),
            timeout_s=PATIENCE_S,
        )
        directory = ChainDirectory(chain, client)
        desk = ReceiptDesk(signer)
        dispatcher = Dispatcher(
            store,
            directory=directory,
            desk=desk,
            owner="validator",  # the lock leaves one, which finds the leases of a killed one again
            now_ms=lambda: time.time_ns() // 1_000_000,
            prompt_s=prompt_s,
        )
        opened.push_async_callback(dispatcher.close)
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
