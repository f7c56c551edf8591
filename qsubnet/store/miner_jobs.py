"""Miner jobs: what a miner has accepted, so that nothing is lost or run twice over a restart."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import func, select, update

from providers.base import JobState
from qsubnet.store.tables import miner_jobs

if TYPE_CHECKING:
    from sqlalchemy import Connection, Row

OPEN_STATES = (JobState.QUEUED, JobState.RUNNING)


@dataclass(frozen=True, slots=True)
class MinerJob:
    """One accepted job; `request`, `handle`, `answer` and `receipt` are JSON texts.

    Attributes:
        job_key: 64 hex digits, chosen by the requester.
        requester: Hotkey that sent it; nobody else may ask for it.
        request: `peer.JobRequest`.
        request_digest: SHA-256 (hex) of `request`; a key stands for one request.
        state: Where it stands.
        accepted_ms: Unix time in milliseconds.
        detail: The backend's sentence after a failure.
        handle: `providers.base.Handle`, once the backend has the job.
        answer: `peer.JobAnswer` with our signature, once completed.
        receipt: The receipt with both signatures, once the requester gave it back.
    """

    job_key: str
    requester: str
    request: str
    request_digest: str
    state: JobState
    accepted_ms: int
    detail: str = ""
    handle: str | None = None
    answer: str | None = None
    receipt: str | None = None


_COLUMNS = tuple(miner_jobs.c[name] for name in MinerJob.__dataclass_fields__)


def _from_row(row: Row[tuple[object, ...]]) -> MinerJob:
    values = dict(row._mapping)  # noqa: SLF001 - SQLAlchemy's documented way to a row's mapping
    return MinerJob(**{**values, "state": JobState(values["state"])})


def add(connection: Connection, job: MinerJob) -> None:
    """Put a new job into the table."""
    connection.execute(
        miner_jobs.insert(), {name: getattr(job, name) for name in MinerJob.__dataclass_fields__}
    )


def get(connection: Connection, job_key: str) -> MinerJob | None:
    """Look one job up."""
    row = connection.execute(select(*_COLUMNS).where(miner_jobs.c.job_key == job_key)).first()
    return _from_row(row) if row else None


def unfinished(connection: Connection) -> list[str]:
    """List the keys of what is queued or running, oldest first."""
    query = (
        select(miner_jobs.c.job_key)
        .where(miner_jobs.c.state.in_(OPEN_STATES))
        .order_by(miner_jobs.c.accepted_ms, miner_jobs.c.job_key)
    )
    return list(connection.execute(query).scalars())


def count_unfinished(connection: Connection, *, requester: str | None = None) -> int:
    """Count what is queued or running, of one requester or of all."""
    query = select(func.count()).where(miner_jobs.c.state.in_(OPEN_STATES))
    if requester is not None:
        query = query.where(miner_jobs.c.requester == requester)
    return int(connection.execute(query).scalar_one())


def set_handle(connection: Connection, job_key: str, handle: str) -> bool:
    """Remember the backend's handle; False where the job has ended meanwhile."""
    done = connection.execute(
        update(miner_jobs)
        .where(miner_jobs.c.job_key == job_key, miner_jobs.c.state.in_(OPEN_STATES))
        .values(handle=handle, state=JobState.RUNNING)
    )
    return done.rowcount == 1


def end(
    connection: Connection,
    job_key: str,
    state: JobState,
    *,
    ended_ms: int,
    detail: str = "",
    answer: str | None = None,
) -> bool:
    """End an unfinished job; False where it has ended already."""
    done = connection.execute(
        update(miner_jobs)
        .where(miner_jobs.c.job_key == job_key, miner_jobs.c.state.in_(OPEN_STATES))
        .values(state=state, detail=detail[:2_000], answer=answer, ended_ms=ended_ms)
    )
    return done.rowcount == 1


def keep_receipt(connection: Connection, job_key: str, receipt: str) -> None:
    """File the receipt that both sides have signed."""
    connection.execute(
        update(miner_jobs).where(miner_jobs.c.job_key == job_key).values(receipt=receipt)
    )
