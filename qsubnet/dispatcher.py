"""The dispatcher: the one way by which jobs leave for miners, tests and users' jobs alike.

It takes dispatches from the store, hands them to their miners, asks how they stand, fetches what
is finished, verifies and countersigns the receipt, and stores the answer. Each step is idempotent,
so it may be killed anywhere: the store says where to go on, and the miner knows every job by its
key. What a miner does wrong ends that dispatch, never the dispatcher.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from typing import TYPE_CHECKING, Protocol

from qsubnet.errors import PeerFault, Refused, Unreachable
from qsubnet.store import dispatches
from qsubnet.store.dispatches import Dispatch, DispatchState, Purpose
from qsubnet.wire import peer

if TYPE_CHECKING:
    from qsubnet.receipts import ReceiptDesk
    from qsubnet.store.database import Store
    from qsubnet.wire.miner_port import MinerPort

log = logging.getLogger(__name__)

_PER_MINER = 4
_BATCH = 256


class Directory(Protocol):
    """Finds miners by hotkey."""

    def port(self, hotkey: str) -> MinerPort | None:
        """Give the port of a miner that has announced where it serves; else None."""
        ...


class Dispatcher:
    """Moves dispatches along.

    Args:
        store: The operator's store.
        directory: Finds miners; refreshed by its owner.
        desk: Verifies and countersigns receipts as this operator.
        owner: Names this process in leases.
        now_ms: Unix time in milliseconds, for leases only.
    """

    def __init__(
        self,
        store: Store,
        *,
        directory: Directory,
        desk: ReceiptDesk,
        owner: str,
        now_ms: Callable[[], int],
    ) -> None:
        self._store = store
        self._directory = directory
        self._desk = desk
        self._owner = owner
        self._now_ms = now_ms
        self._gates: dict[str, asyncio.Semaphore] = {}

    async def step(self, purpose: Purpose) -> int:
        """Move every open dispatch of `purpose` as far as it goes without waiting.

        Returns:
            How many dispatches are still open.
        """
        with self._store.write() as connection:
            taken = dispatches.claim(
                connection, purpose, owner=self._owner, now_ms=self._now_ms(), limit=_BATCH
            )
        await asyncio.gather(*(self._advance(dispatch) for dispatch in taken))
        with self._store.write() as connection:
            dispatches.release(connection, self._owner)
            return dispatches.count_open(connection, purpose)

    async def cancel(self, job_key: str) -> None:
        """Give a dispatch up, and tell its miner if that can be reached now."""
        with self._store.write() as connection:
            found = dispatches.get(connection, job_key)
            moved = dispatches.move(
                connection, job_key, DispatchState.CANCELLED, detail="cancelled by the requester"
            )
        port = found and self._directory.port(found.miner_hotkey)
        if moved and found and found.state is DispatchState.SENT and port:
            try:
                await port.cancel(job_key)
            except (Unreachable, Refused, PeerFault) as error:
                log.info("cancel not delivered", extra={"job_key": job_key, "error": str(error)})

    async def _advance(self, dispatch: Dispatch) -> None:
        gate = self._gates.setdefault(dispatch.miner_hotkey, asyncio.Semaphore(_PER_MINER))
        port = self._directory.port(dispatch.miner_hotkey)
        if port is None:
            return
        async with gate:
            try:
                await self._exchange(dispatch, port)
            except Unreachable as error:
                log.info(
                    "miner unreachable", extra={"job_key": dispatch.job_key, "error": str(error)}
                )
            except (Refused, PeerFault) as error:
                self._move(dispatch, DispatchState.FAILED, detail=str(error))

    async def _exchange(self, dispatch: Dispatch, port: MinerPort) -> None:
        if dispatch.state is DispatchState.DUE:
            status = await port.submit(peer.JobRequest.model_validate_json(dispatch.request))
            self._move(dispatch, DispatchState.SENT)
        else:
            known = await port.status(dispatch.job_key)
            if known is None:
                self._move(dispatch, DispatchState.DUE)
                return
            status = known
        if status.state == "completed":
            await self._settle(dispatch, port)
        elif status.state in {"failed", "cancelled"}:
            self._move(
                dispatch, DispatchState.FAILED, detail=status.detail or f"the job {status.state}"
            )

    async def _settle(self, dispatch: Dispatch, port: MinerPort) -> None:
        """Fetch, verify, countersign and store an answer, then give the miner its receipt."""
        settled = self._desk.settle(dispatch, await port.answer(dispatch.job_key))
        self._move(dispatch, DispatchState.ANSWERED, answer=settled.model_dump_json())
        try:
            await port.hand_receipt(dispatch.job_key, settled.receipt)
        except (Unreachable, Refused, PeerFault) as error:
            log.info("receipt not taken", extra={"job_key": dispatch.job_key, "error": str(error)})

    def _move(
        self, dispatch: Dispatch, to: DispatchState, *, detail: str = "", answer: str | None = None
    ) -> None:
        with self._store.write() as connection:
            dispatches.move(connection, dispatch.job_key, to, detail=detail, answer=answer)
        if to is DispatchState.FAILED:
            log.warning(
                "dispatch failed", extra={"job_key": dispatch.job_key, "detail": detail[:500]}
            )
