"""The gateway's work at the counter: take submissions once, show jobs, devices and results.

A submission is read, routed and compiled first; then one transaction writes the job and its
dispatch, or nothing. From there on everything follows from the store (`carrying`), so the service
may be killed anywhere; miners know every job by its key, so none runs twice.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import secrets
from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from providers.base import JobState
from qsubnet.errors import Busy, JobFailed, NotFound, PeerFault, Unreachable
from qsubnet.gateway.carrying import MAX_ATTEMPTS
from qsubnet.gateway.errors import IdempotencyConflict, NotFinished
from qsubnet.gateway.placing import Order
from qsubnet.gateway.results import checked_result
from qsubnet.store import dispatches, user_jobs
from qsubnet.store.user_jobs import Standing, UserJob
from qsubnet.wire.research import DeviceView, HealthView, JobList, JobView, ResultView

if TYPE_CHECKING:
    from qsubnet.gateway.carrying import Carrier
    from qsubnet.gateway.market import Market
    from qsubnet.gateway.naming import Naming
    from qsubnet.gateway.placing import Placement
    from qsubnet.gateway.preparing import Workshop
    from qsubnet.receipts import ReceiptDesk
    from qsubnet.store.database import Store
    from qsubnet.wire.research import SubmitRequest

MAX_OPEN: Final = 1_000
"""Jobs of one account that have not ended."""


class GatewayService:
    """Serves accounts.

    Args:
        store: The operator's.
        market: Offers and verdicts.
        workshop: Reads programs.
        placement: Chooses devices and compiles.
        carrier: Carries what was accepted.
        desk: Checks receipts.
        naming: Derives ids.
        now_ms: Unix time in milliseconds, shown to users, deciding nothing.
    """

    def __init__(
        self,
        store: Store,
        *,
        market: Market,
        workshop: Workshop,
        placement: Placement,
        carrier: Carrier,
        desk: ReceiptDesk,
        naming: Naming,
        now_ms: Callable[[], int],
    ) -> None:
        self._store = store
        self._market = market
        self._workshop = workshop
        self._placement = placement
        self._carrier = carrier
        self._desk = desk
        self._naming = naming
        self._now_ms = now_ms

    async def submit(
        self, request: SubmitRequest, *, account: str, idempotency_key: str | None
    ) -> JobView:
        """Accept a job, or tell where the one stands that has the same idempotency key.

        Raises:
            IdempotencyConflict: The key stands for another submission.
            BadInput, NotFound, CircuitError: The request is not what it must be; nothing was kept.
            Busy: The account has too many open jobs.
            Unreachable: No device can take it now.
        """
        digest = hashlib.sha256(request.model_dump_json().encode()).hexdigest()
        known = self._known(account, idempotency_key, digest)
        if known is not None:
            return view_of(known)
        self._check_open(account)
        job_id = self._naming.job_id(account, idempotency_key or f"\0{secrets.token_hex(16)}")
        programs = await self._workshop.read(request)
        order = Order(
            job_id,
            programs,
            request.shots,
            request.memory,
            request.device,
            request.optimization,
        )
        dispatch = await self._placement.place(order)
        job = UserJob(
            job_id=job_id,
            account=account,
            idempotency_key=idempotency_key,
            request_digest=digest,
            device_asked=request.device or "",
            shots_asked=request.shots,
            programs=json.dumps([program.text for program in programs]),
            dispatch_key=dispatch.job_key,
            attempt=0,
            created_ms=self._now_ms(),
            optimization=request.optimization,
        )
        with self._store.write() as connection:
            known = user_jobs.get(connection, job_id, account=account)
            if known is None:
                dispatches.add(connection, [dispatch])
                user_jobs.add(connection, job)
        self._carrier.wake()
        if known is not None:
            _check_same(known, digest)
        return self.job(job_id, account=account)

    def job(self, job_id: str, *, account: str) -> JobView:
        """Tell where a job stands.

        Raises:
            NotFound: The account has no such job.
        """
        return view_of(self._standing(job_id, account))

    def jobs(self, *, account: str, limit: int, after: str | None) -> JobList:
        """List a page of an account's jobs, newest first.

        Raises:
            NotFound: `after` is no job of the account.
        """
        start = self._standing(after, account) if after is not None else None
        with self._store.read() as connection:
            found = user_jobs.page(connection, account=account, limit=limit + 1, after=start)
        shown = [view_of(standing) for standing in found[:limit]]
        return JobList(jobs=shown, next=shown[-1].job_id if len(found) > limit else None)

    async def result(self, job_id: str, *, account: str) -> ResultView:
        """Give the result of a completed job, its receipt checked once more.

        Raises:
            NotFound: The account has no such job.
            NotFinished: It has not ended.
            JobFailed: It ended without a result.
        """
        standing = self._standing(job_id, account)
        if not standing.state.final:
            raise NotFinished(f"job {job_id} is {standing.state}, there is no result yet")
        with self._store.read() as connection:
            dispatch = dispatches.get(connection, standing.job.dispatch_key)
        if standing.state is not JobState.COMPLETED or dispatch is None:
            raise JobFailed(
                f"job {job_id} {standing.state}: {standing.detail or 'no reason given'}"
            )
        try:
            return await asyncio.to_thread(checked_result, self._desk, dispatch, standing)
        except PeerFault as error:
            raise JobFailed(f"the stored answer of job {job_id} does not hold: {error}") from error

    async def cancel(self, job_id: str, *, account: str) -> JobView:
        """Cancel a job; one that has ended stays as it is.

        Raises:
            NotFound: The account has no such job.
        """
        for _ in range(MAX_ATTEMPTS):  # it may be on its way to another device at this moment
            standing = self._standing(job_id, account)
            if standing.state.final:
                break
            await self._carrier.cancel(standing)
        return self.job(job_id, account=account)

    def devices(self) -> list[DeviceView]:
        """Show every device."""
        return self._market.views()

    def health(self) -> HealthView:
        """Tell how the gateway is."""
        with self._store.read() as connection:
            still_open = user_jobs.count_open(connection)
        return HealthView(
            status="ok" if self._market.permitted else "waiting",
            hotkey=self._desk.requester,
            devices=len(self._market.offers),
            jobs_open=still_open,
        )

    def _check_open(self, account: str) -> None:
        if not self._market.permitted:
            raise Unreachable(
                f"hotkey {self._desk.requester} of this gateway may not send jobs yet (validator "
                "permits are given at the end of an epoch); retry later"
            )
        with self._store.read() as connection:
            still_open = user_jobs.count_open(connection, account=account)
        if still_open >= MAX_OPEN:
            raise Busy(f"{still_open} of your jobs are open, {MAX_OPEN} may be; retry later")

    def _known(self, account: str, key: str | None, digest: str) -> Standing | None:
        if key is None:
            return None
        with self._store.read() as connection:
            known = user_jobs.by_idempotency_key(connection, key, account=account)
        if known is not None:
            _check_same(known, digest)
        return known

    def _standing(self, job_id: str, account: str) -> Standing:
        with self._store.read() as connection:
            found = user_jobs.get(connection, job_id, account=account)
        if found is None:
            raise NotFound(f"no job {job_id[:80]!r} of yours here")
        return found


def view_of(standing: Standing) -> JobView:
    """Show a job."""
    job = standing.job
    return JobView(
        job_id=job.job_id,
        state=standing.state.value,
        device=standing.device,
        miner=standing.miner_hotkey,
        shots_asked=job.shots_asked,
        programs=len(json.loads(job.programs)),
        created_ms=job.created_ms,
        ended_ms=job.ended_ms,
        detail=standing.detail if standing.state is not JobState.COMPLETED else "",
    )


def _check_same(known: Standing, digest: str) -> None:
    if known.job.request_digest != digest:
        raise IdempotencyConflict(
            f"the idempotency key stands for {known.job.job_id}, which was another submission; "
            "use a new key"
        )
