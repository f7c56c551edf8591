"""Carry accepted jobs to their end: drive the dispatcher, check answers, redirect what failed.

One endless loop, woken by submissions, resting while nothing is open. Everything it decides is
written in one transaction per job, so it may be killed anywhere and does its last step again.
"""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from sqlalchemy.exc import SQLAlchemyError

from circuits.errors import CircuitError
from circuits.parsing import parse
from qsubnet.errors import PeerFault, QsubnetError
from qsubnet.gateway.placing import Order, Placement
from qsubnet.gateway.results import checked_result
from qsubnet.store import dispatches, user_jobs
from qsubnet.store.dispatches import Dispatch, DispatchState
from qsubnet.wire import peer
from qsubnet.wire.domain import PROGRAM_LIMITS

if TYPE_CHECKING:
    from qsubnet.dispatcher import Dispatcher
    from qsubnet.gateway.market import Market
    from qsubnet.gateway.naming import Naming
    from qsubnet.receipts import ReceiptDesk
    from qsubnet.store.database import Store
    from qsubnet.store.user_jobs import Standing

log = logging.getLogger(__name__)

MAX_ATTEMPTS: Final = 3
"""Devices that a job is sent to, one after the other, where the choice was the gateway's."""

_FIRST_PAUSE_S: Final = 0.05
_LONGEST_PAUSE_S: Final = 1.0


class Carrier:
    """Carries jobs.

    Args:
        store: The operator's.
        market: Says whether this operator may send jobs.
        placement: Finds the next device for a job that failed.
        dispatcher: Sends and fetches.
        desk: Checks receipts.
        naming: Derives job keys.
        now_ms: Unix time in milliseconds, shown to users, deciding nothing.
    """

    def __init__(
        self,
        store: Store,
        *,
        market: Market,
        placement: Placement,
        dispatcher: Dispatcher,
        desk: ReceiptDesk,
        naming: Naming,
        now_ms: Callable[[], int],
    ) -> None:
        self._store = store
        self._market = market
        self._placement = placement
        self._dispatcher = dispatcher
        self._desk = desk
        self._naming = naming
        self._now_ms = now_ms
        self._wake = asyncio.Event()

    def wake(self) -> None:
        """Tell the loop that there is something new."""
        self._wake.set()

    async def work(self) -> None:
        """Carry jobs until cancelled."""
        pause = _FIRST_PAUSE_S
        while True:
            self._wake.clear()
            try:
                left, moved = await self.step()
            except SQLAlchemyError:
                log.warning("store failed, later again", exc_info=True)
                left, moved = 1, 0
            if not left:
                await self._wake.wait()
                pause = _FIRST_PAUSE_S
                continue
            pause = _FIRST_PAUSE_S if moved else min(pause * 1.25, _LONGEST_PAUSE_S)
            try:
                await asyncio.wait_for(self._wake.wait(), pause)
                pause = _FIRST_PAUSE_S
            except TimeoutError:
                pass

    async def close(self) -> None:
        """Stop waiting for miners; what they have not answered is asked again after a restart."""
        await self._dispatcher.close()

    async def step(self) -> tuple[int, int]:
        """Move every open job as far as it goes without waiting.

        Returns:
            How many jobs are still open, and how many were ended or redirected.
        """
        if self._market.permitted:
            await self._dispatcher.step("user")
        with self._store.read() as connection:
            waiting = user_jobs.unchecked(connection)
        for standing in waiting:
            await self._conclude(standing)
        with self._store.read() as connection:
            return user_jobs.count_open(connection), len(waiting)

    async def cancel(self, standing: Standing) -> None:
        """Give a job up; one that has ended stays as it is."""
        await self._dispatcher.cancel(standing.job.dispatch_key)
        with self._store.read() as connection:
            found = dispatches.get(connection, standing.job.dispatch_key)
        if found is not None and found.state is DispatchState.CANCELLED:
            self._end(standing, "")
        self.wake()

    async def _conclude(self, standing: Standing) -> None:
        """End a job whose dispatch has ended, or send it to another device."""
        with self._store.read() as connection:
            dispatch = dispatches.get(connection, standing.job.dispatch_key)
        if dispatch is None:
            raise RuntimeError(f"job {standing.job.job_id} lost its dispatch")
        fault = dispatch.detail
        if dispatch.state is DispatchState.ANSWERED:
            fault = await self._fault_of(dispatch, standing)
        if dispatch.state is DispatchState.CANCELLED or not fault:
            self._end(standing, "")
        elif not await self._redirected(standing, dispatch):
            self._end(standing, fault)
            log.warning("job failed", extra={"job_id": standing.job.job_id, "detail": fault[:500]})

    async def _fault_of(self, dispatch: Dispatch, standing: Standing) -> str:
        """Say why an answer does not count, or ''."""
        try:
            await asyncio.to_thread(checked_result, self._desk, dispatch, standing)
        except PeerFault as error:
            return str(error)
        return ""

    def _end(self, standing: Standing, detail: str) -> None:
        with self._store.write() as connection:
            user_jobs.end(connection, standing.job, ended_ms=self._now_ms(), detail=detail)

    async def _redirected(self, standing: Standing, failed: Dispatch) -> bool:
        """Send a job to the next device that suffices, if the choice was ours; say if so."""
        job = standing.job
        if job.device_asked or job.attempt + 1 >= MAX_ATTEMPTS:
            return False
        request = peer.JobRequest.model_validate_json(failed.request)
        order = Order(
            job.job_id,
            [parse(text, PROGRAM_LIMITS) for text in json.loads(job.programs)],
            job.shots_asked,
            request.memory,
            None,
            job.optimization,
        )
        try:
            dispatch = await self._placement.place(
                order, attempt=job.attempt + 1, without=self._tried(standing)
            )
        except (QsubnetError, CircuitError) as error:
            log.info("no other device", extra={"job_id": job.job_id, "error": str(error)})
            return False
        with self._store.write() as connection:
            user_jobs.redirect(connection, job, dispatch)
        log.info("redirected", extra={"job_id": job.job_id, "device": dispatch.device})
        return True

    def _tried(self, standing: Standing) -> set[tuple[str, str]]:
        job = standing.job
        keys = [self._naming.job_key(job.job_id, attempt=n) for n in range(job.attempt + 1)]
        with self._store.read() as connection:
            tried = [dispatches.get(connection, key) for key in keys]
        here = (standing.miner_hotkey, standing.device)
        return {(one.miner_hotkey, one.device) for one in tried if one} | {here}
