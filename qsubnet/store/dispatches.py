"""Dispatches: every job that an operator has sent or will send to a miner, tests and users' alike.

A dispatch moves (held ->) due -> sent -> answered | failed | expired | cancelled, never back except
sent -> due when the miner has lost it. A held one waits for the commitment to its secrets and never
leaves before. Work is claimed by a short lease; two workers on one dispatch do no harm, because the
miner knows the job by its key, so a lease only saves work. An answered dispatch keeps its lease
until the miner has its receipt, so that after a crash somebody hands it over.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Literal

from sqlalchemy import Row, func, select, tuple_, update

from qsubnet.store.tables import dispatches

if TYPE_CHECKING:
    from sqlalchemy import Connection

LEASE_MS = 5_000

Purpose = Literal["test", "user"]


class DispatchState(StrEnum):
    """Where a dispatch stands on our side of the wire."""

    HELD = "held"
    DUE = "due"
    SENT = "sent"
    ANSWERED = "answered"
    FAILED = "failed"
    EXPIRED = "expired"
    CANCELLED = "cancelled"


OPEN_STATES = (DispatchState.DUE, DispatchState.SENT)


@dataclass(frozen=True, slots=True)
class Dispatch:
    """One job on its way to a miner; `claim`, `request` and `answer` are JSON texts.

    Attributes:
        job_key: 64 hex digits; the miner knows the job by it.
        purpose: `test` or `user`; never leaves the operator.
        miner_hotkey: Who is asked.
        device: The device's name at the miner.
        claim: `peer.DeviceClaim` as it stood when the job was made.
        request: `peer.JobRequest`.
        epoch: Epoch in which the job was made.
        state: See `DispatchState`.
        detail: Why it failed, in one sentence.
        answer: `peer.JobAnswer` with both signatures on its receipt, once answered.
    """

    job_key: str
    purpose: Purpose
    miner_hotkey: str
    device: str
    claim: str
    request: str
    epoch: int
    state: DispatchState = DispatchState.DUE
    detail: str = ""
    answer: str | None = None


_COLUMNS = tuple(dispatches.c[name] for name in Dispatch.__dataclass_fields__)


def _from_row(row: Row[tuple[object, ...]]) -> Dispatch:
    values = dict(row._mapping)  # noqa: SLF001 - SQLAlchemy's documented way to a row's mapping
    return Dispatch(**{**values, "state": DispatchState(values["state"])})


def add(connection: Connection, items: Iterable[Dispatch]) -> None:
    """Put new dispatches into the table; a key that is there already is an error."""
    rows = [{name: getattr(item, name) for name in Dispatch.__dataclass_fields__} for item in items]
    if rows:
        connection.execute(dispatches.insert(), rows)


def get(connection: Connection, job_key: str) -> Dispatch | None:
    """Look one dispatch up."""
    row = connection.execute(select(*_COLUMNS).where(dispatches.c.job_key == job_key)).first()
    return _from_row(row) if row else None


def of_epoch(connection: Connection, purpose: Purpose, epoch: int) -> list[Dispatch]:
    """List the dispatches of one epoch, by key."""
    query = (
        select(*_COLUMNS)
        .where(dispatches.c.purpose == purpose, dispatches.c.epoch == epoch)
        .order_by(dispatches.c.job_key)
    )
    return [_from_row(row) for row in connection.execute(query)]


def count_open(connection: Connection, purpose: Purpose) -> int:
    """Count what is neither answered nor given up, held ones aside."""
    query = select(func.count()).where(
        dispatches.c.purpose == purpose, dispatches.c.state.in_(OPEN_STATES)
    )
    return int(connection.execute(query).scalar_one())


def claim(
    connection: Connection,
    purpose: Purpose,
    *,
    owner: str,
    now_ms: int,
    limit: int,
    after: tuple[int, str] = (-1, ""),
    except_miners: Collection[str] = (),
) -> list[Dispatch]:
    """Lease up to `limit` dispatches that nobody else is working on, by epoch and key.

    Those are the open ones, and answered ones whose receipt the miner does not have yet.

    Args:
        connection: Of a transaction that may write.
        purpose: Whose dispatches.
        owner: Who leases; finds its own leases again.
        now_ms: Unix time in milliseconds.
        limit: At most so many.
        after: (epoch, key) of the last one of the page before.
        except_miners: Hotkeys that are left alone.
    """
    table = dispatches.c
    unfinished = table.state.in_(OPEN_STATES) | (
        (table.state == DispatchState.ANSWERED) & (table.lease_owner != "")
    )
    query = (
        select(*_COLUMNS)
        .where(
            table.purpose == purpose,
            unfinished,
            (table.lease_until_ms < now_ms) | (table.lease_owner == owner),
            tuple_(table.epoch, table.job_key) > after,
            table.miner_hotkey.not_in(list(except_miners)),
        )
        .order_by(table.epoch, table.job_key)
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    found = [_from_row(row) for row in connection.execute(query)]
    if found:
        connection.execute(
            update(dispatches)
            .where(table.job_key.in_([item.job_key for item in found]))
            .values(lease_owner=owner, lease_until_ms=now_ms + LEASE_MS)
        )
    return found


def move(
    connection: Connection,
    job_key: str,
    to: DispatchState,
    *,
    since: Sequence[DispatchState] = OPEN_STATES,
    detail: str = "",
    answer: str | None = None,
) -> bool:
    """Move a dispatch on; False where it is in none of the states `since` any more.

    Where that ends it, its lease ends too; not so where it is answered, because the receipt is
    still to be handed over.
    """
    values: dict[str, object] = {"state": to, "detail": detail[:2_000], "answer": answer}
    if to not in (*OPEN_STATES, DispatchState.ANSWERED):
        values |= {"lease_owner": "", "lease_until_ms": 0}
    done = connection.execute(
        update(dispatches)
        .where(dispatches.c.job_key == job_key, dispatches.c.state.in_(since))
        .values(**values)
    )
    return done.rowcount == 1


def release(connection: Connection, job_keys: Collection[str], *, owner: str) -> None:
    """Give back the leases of `owner` on open dispatches among `job_keys`."""
    connection.execute(
        update(dispatches)
        .where(
            dispatches.c.job_key.in_(list(job_keys)),
            dispatches.c.lease_owner == owner,
            dispatches.c.state.in_(OPEN_STATES),
        )
        .values(lease_owner="", lease_until_ms=0)
    )


def receipt_handed(connection: Connection, job_key: str) -> None:
    """Note that nothing is left to do for an answered dispatch."""
    connection.execute(
        update(dispatches)
        .where(dispatches.c.job_key == job_key)
        .values(lease_owner="", lease_until_ms=0)
    )


def let_go(connection: Connection, purpose: Purpose, epoch: int) -> int:
    """Make the held dispatches of an epoch due; tell how many."""
    done = connection.execute(
        update(dispatches)
        .where(
            dispatches.c.purpose == purpose,
            dispatches.c.state == DispatchState.HELD,
            dispatches.c.epoch == epoch,
        )
        .values(state=DispatchState.DUE)
    )
    return int(done.rowcount)


def withdraw(connection: Connection, purpose: Purpose, *, up_to_epoch: int, detail: str) -> int:
    """Cancel held dispatches, which never left; tell how many."""
    table = dispatches.c
    done = connection.execute(
        update(dispatches)
        .where(
            table.purpose == purpose,
            table.state == DispatchState.HELD,
            table.epoch <= up_to_epoch,
        )
        .values(state=DispatchState.CANCELLED, detail=detail)
    )
    return int(done.rowcount)


def expire(connection: Connection, purpose: Purpose, *, before_epoch: int) -> int:
    """Give up on open dispatches of earlier epochs; tell how many.

    Receipts of earlier epochs that no miner took are not handed over any more either.
    """
    table = dispatches.c
    done = connection.execute(
        update(dispatches)
        .where(
            table.purpose == purpose,
            table.state.in_(OPEN_STATES),
            table.epoch < before_epoch,
        )
        .values(
            state=DispatchState.EXPIRED,
            detail="no answer in time",
            lease_owner="",
            lease_until_ms=0,
        )
    )
    connection.execute(
        update(dispatches)
        .where(
            table.purpose == purpose,
            table.state == DispatchState.ANSWERED,
            table.lease_owner != "",
            table.epoch < before_epoch - 1,
        )
        .values(lease_owner="", lease_until_ms=0)
    )
    return int(done.rowcount)
