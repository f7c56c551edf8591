"""User jobs: what researchers submitted, each beside the dispatch that carries it to a miner.

Where a job stands follows from its dispatch and is stored once, there. What is added here: that
its answer was checked (`ended_ms`), and why it does not count if it does not (`detail`). A job
and its dispatch are written in one transaction.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import func, select, update

from providers.base import JobState
from qsubnet.store.dispatches import DispatchState
from qsubnet.store.dispatches import add as add_dispatches
from qsubnet.store.tables import dispatches, user_jobs

if TYPE_CHECKING:
    from sqlalchemy import Connection, Row, Select

    from qsubnet.store.dispatches import Dispatch

_ENDED = (
    DispatchState.ANSWERED,
    DispatchState.FAILED,
    DispatchState.EXPIRED,
    DispatchState.CANCELLED,
)


@dataclass(frozen=True, slots=True)
class UserJob:
    """One submission.

    Attributes:
        job_id: What its owner calls it.
        account: Its owner.
        idempotency_key: The owner's name for the submission, or None.
        request_digest: SHA-256 (hex) of the request; an idempotency key stands for one request.
        device_asked: As the owner wrote it; '' leaves the choice to the gateway.
        shots_asked: Of each program.
        programs: JSON list of profile texts, before compilation.
        dispatch_key: The dispatch that carries it now.
        attempt: 0, then 1 more for each device that failed.
        created_ms: Unix time in milliseconds.
        ended_ms: The same; None until its answer was checked or there will be none.
        detail: Why an answer that came does not count.
        optimization: How hard to compile, as the owner wrote it, or None.
    """

    job_id: str
    account: str
    idempotency_key: str | None
    request_digest: str
    device_asked: str
    shots_asked: int
    programs: str
    dispatch_key: str
    attempt: int
    created_ms: int
    ended_ms: int | None = None
    detail: str = ""
    optimization: int | None = None


@dataclass(frozen=True, slots=True)
class Standing:
    """A job beside where its dispatch stands."""

    job: UserJob
    dispatch_state: DispatchState
    dispatch_detail: str
    miner_hotkey: str
    device: str

    @property
    def state(self) -> JobState:
        """Where the job stands for its owner: completed only once its answer was checked."""
        if self.job.ended_ms is None:
            waits = self.dispatch_state is DispatchState.DUE
            return JobState.QUEUED if waits else JobState.RUNNING
        if self.dispatch_state is DispatchState.CANCELLED:
            return JobState.CANCELLED
        if self.dispatch_state is DispatchState.ANSWERED and not self.job.detail:
            return JobState.COMPLETED
        return JobState.FAILED

    @property
    def detail(self) -> str:
        """Why it failed, or ''."""
        return self.job.detail or self.dispatch_detail


_FIELDS = tuple(UserJob.__dataclass_fields__)


def _standings() -> Select[tuple[object, ...]]:
    return select(
        *(user_jobs.c[name] for name in _FIELDS),
        dispatches.c.state.label("dispatch_state"),
        dispatches.c.detail.label("dispatch_detail"),
        dispatches.c.miner_hotkey,
        dispatches.c.device,
    ).join(dispatches, dispatches.c.job_key == user_jobs.c.dispatch_key)


def _from_row(row: Row[tuple[object, ...]]) -> Standing:
    values = dict(row._mapping)  # noqa: SLF001 - SQLAlchemy's documented way to a row's mapping
    job = UserJob(**{name: values[name] for name in _FIELDS})
    return Standing(
        job,
        DispatchState(values["dispatch_state"]),
        values["dispatch_detail"],
        values["miner_hotkey"],
        values["device"],
    )


def add(connection: Connection, job: UserJob) -> None:
    """Write a new job down; its dispatch is in the table already."""
    connection.execute(user_jobs.insert(), {name: getattr(job, name) for name in _FIELDS})


def get(connection: Connection, job_id: str, *, account: str) -> Standing | None:
    """Look up one job of an account."""
    query = _standings().where(user_jobs.c.job_id == job_id, user_jobs.c.account == account)
    row = connection.execute(query).first()
    return _from_row(row) if row else None


def by_idempotency_key(connection: Connection, key: str, *, account: str) -> Standing | None:
    """Look up what an account submitted under a key of its own."""
    query = _standings().where(user_jobs.c.idempotency_key == key, user_jobs.c.account == account)
    row = connection.execute(query).first()
    return _from_row(row) if row else None


def page(
    connection: Connection, *, account: str, limit: int, after: Standing | None
) -> list[Standing]:
    """List an account's jobs, newest first, beginning behind `after`."""
    table = user_jobs.c
    query = _standings().where(table.account == account)
    if after is not None:
        older = table.created_ms < after.job.created_ms
        same = (table.created_ms == after.job.created_ms) & (table.job_id < after.job.job_id)
        query = query.where(older | same)
    query = query.order_by(table.created_ms.desc(), table.job_id.desc()).limit(limit)
    return [_from_row(row) for row in connection.execute(query)]


def unchecked(connection: Connection) -> list[Standing]:
    """List the jobs whose dispatch has ended and whose answer nobody has checked, oldest first."""
    query = (
        _standings()
        .where(user_jobs.c.ended_ms.is_(None), dispatches.c.state.in_(_ENDED))
        .order_by(user_jobs.c.created_ms, user_jobs.c.job_id)
    )
    return [_from_row(row) for row in connection.execute(query)]


def count_open(connection: Connection, *, account: str | None = None) -> int:
    """Count the jobs that have not ended, of one account or of all."""
    query = select(func.count()).where(user_jobs.c.ended_ms.is_(None))
    if account is not None:
        query = query.where(user_jobs.c.account == account)
    return int(connection.execute(query).scalar_one())


def end(connection: Connection, job: UserJob, *, ended_ms: int, detail: str = "") -> bool:
    """End a job that the dispatch it had then still carries; False where that has changed."""
    table = user_jobs.c
    done = connection.execute(
        update(user_jobs)
        .where(
            table.job_id == job.job_id,
            table.dispatch_key == job.dispatch_key,
            table.ended_ms.is_(None),
        )
        .values(ended_ms=ended_ms, detail=detail[:2_000])
    )
    return done.rowcount == 1


def redirect(connection: Connection, job: UserJob, dispatch: Dispatch) -> bool:
    """Let a new dispatch carry an open job; False, and nothing written, where the job has moved."""
    table = user_jobs.c
    same = (table.job_id == job.job_id) & (table.attempt == job.attempt) & table.ended_ms.is_(None)
    if connection.execute(select(table.job_id).where(same).with_for_update()).first() is None:
        return False
    add_dispatches(connection, [dispatch])
    connection.execute(
        update(user_jobs).where(same).values(dispatch_key=dispatch.job_key, attempt=job.attempt + 1)
    )
    return True
