"""A miner's queue: what is open and who waits for it, how many jobs there are, what is old."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import delete, func, select

from providers.base import JobState
from qsubnet.store.miner_jobs import OPEN_STATES
from qsubnet.store.tables import miner_jobs

if TYPE_CHECKING:
    from sqlalchemy import Connection


@dataclass(frozen=True, slots=True)
class OpenJob:
    """A job that has not ended.

    Attributes:
        job_key: 64 hex digits.
        requester: Hotkey that sent it.
        accepted_ms: Unix time in milliseconds.
        at_backend: True once its handle is known.
    """

    job_key: str
    requester: str
    accepted_ms: int
    at_backend: bool


def open_jobs(connection: Connection) -> list[OpenJob]:
    """List what is queued or running, oldest first."""
    table = miner_jobs.c
    query = (
        select(table.job_key, table.requester, table.accepted_ms, table.handle.is_not(None))
        .where(table.state.in_(OPEN_STATES))
        .order_by(table.accepted_ms, table.job_key)
    )
    return [
        OpenJob(key, who, since, bool(there))
        for key, who, since, there in connection.execute(query)
    ]


def count_by_state(connection: Connection) -> dict[JobState, int]:
    """Count all jobs, every state included."""
    query = select(miner_jobs.c.state, func.count()).group_by(miner_jobs.c.state)
    found = {JobState(state): int(count) for state, count in connection.execute(query)}
    return {state: found.get(state, 0) for state in JobState}


def prune_ended(connection: Connection, *, before_ms: int) -> int:
    """Forget the jobs that ended before then; tell how many. Their keys may be used again."""
    done = connection.execute(
        delete(miner_jobs).where(
            miner_jobs.c.state.not_in(OPEN_STATES), miner_jobs.c.ended_ms < before_ms
        )
    )
    return done.rowcount
