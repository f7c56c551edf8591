"""What a validator keeps: epochs, secret cases, records, verdicts and weight intents.

Records and verdicts are only ever added; writing one twice changes nothing, so a killed validator
simply does its last step again. An epoch's verdicts and intents are fixed in one transaction.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from sqlalchemy import func, select, update
from sqlalchemy.dialects import postgresql, sqlite

from qsubnet.store.tables import cases, dispatches, epochs, records, verdicts, weight_intents

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from sqlalchemy import Connection, Table


class EpochState(StrEnum):
    """How far a validator has come in an epoch.

    drawn: tests are written down and held back. planned: the commitment is public, tests may leave.
    judged: verdicts and weight intents are fixed. closed: the chain has been told.
    """

    DRAWN = "drawn"
    PLANNED = "planned"
    JUDGED = "judged"
    CLOSED = "closed"


@dataclass(frozen=True, slots=True)
class EpochRow:
    """One epoch of this validator.

    Attributes:
        epoch: Number.
        block: The block that opened it.
        block_hash: Its hash, from which cases are drawn.
        commitment: To the case keys, 64 hex digits; '' where nobody was tested.
        state: See `EpochState`.
    """

    epoch: int
    block: int
    block_hash: str
    commitment: str
    state: EpochState = EpochState.DRAWN


@dataclass(frozen=True, slots=True)
class CaseRow:
    """The secret of one program of a test: enough to draw the case again."""

    job_key: str
    place: int
    epoch: int
    family: str
    width: int
    depth: int
    case_key: str


@dataclass(frozen=True, slots=True)
class RecordRow:
    """One program's outcome; `counts` is JSON, None where no answer came in time."""

    job_key: str
    place: int
    epoch: int
    miner_hotkey: str
    device: str
    shots_asked: int
    counts: str | None
    kind: str | None
    receipt_digest: str


@dataclass(frozen=True, slots=True)
class FullRecord:
    """A record with what was sent and the secret that it was drawn from."""

    record: RecordRow
    case: CaseRow
    claim: str
    request: str


def insert_new(connection: Connection, table: Table, rows: Sequence[Mapping[str, object]]) -> None:
    """Insert rows, leaving those whose primary key is there already as they are."""
    if not rows:
        return
    make = postgresql.insert if connection.dialect.name == "postgresql" else sqlite.insert
    connection.execute(make(table).on_conflict_do_nothing(), list(rows))


def _values(item: object, names: Iterable[str]) -> dict[str, object]:
    return {name: getattr(item, name) for name in names}


def epoch(connection: Connection, number: int) -> EpochRow | None:
    """Look one epoch up."""
    row = connection.execute(select(epochs).where(epochs.c.epoch == number)).first()
    if row is None:
        return None
    return EpochRow(row.epoch, row.block, row.block_hash, row.commitment, EpochState(row.state))


def add_epoch(connection: Connection, row: EpochRow, secrets: Sequence[CaseRow]) -> None:
    """Write an epoch with its secret cases; their dispatches are in the table already."""
    connection.execute(epochs.insert(), _values(row, EpochRow.__dataclass_fields__))
    if secrets:
        fields = CaseRow.__dataclass_fields__
        connection.execute(cases.insert(), [_values(item, fields) for item in secrets])


def move_epoch(connection: Connection, number: int, to: EpochState) -> None:
    """Note how far an epoch has come."""
    connection.execute(update(epochs).where(epochs.c.epoch == number).values(state=to))


def case_rows(connection: Connection, job_key: str) -> list[CaseRow]:
    """List the secret cases of one job, by place."""
    query = select(cases).where(cases.c.job_key == job_key).order_by(cases.c.place)
    return [CaseRow(**row._mapping) for row in connection.execute(query)]  # noqa: SLF001 - SQLAlchemy's documented mapping


def jobs_without_records(connection: Connection, states: Sequence[str]) -> list[str]:
    """List the keys of tests in one of `states` whose records are not written yet."""
    query = (
        select(dispatches.c.job_key)
        .where(
            dispatches.c.purpose == "test",
            dispatches.c.state.in_(states),
            dispatches.c.job_key.not_in(select(records.c.job_key)),
        )
        .order_by(dispatches.c.job_key)
    )
    return list(connection.execute(query).scalars())


def add_records(connection: Connection, rows: Sequence[RecordRow]) -> None:
    """Add records; those that are there already stay."""
    fields = RecordRow.__dataclass_fields__
    insert_new(connection, records, [_values(row, fields) for row in rows])


def full_records(connection: Connection, *, up_to_epoch: int) -> list[FullRecord]:
    """List every record of a test up to an epoch, by miner, device, job and place."""
    query = (
        select(records, cases, dispatches.c.claim, dispatches.c.request)
        .join(cases, (cases.c.job_key == records.c.job_key) & (cases.c.place == records.c.place))
        .join(dispatches, dispatches.c.job_key == records.c.job_key)
        .where(records.c.epoch <= up_to_epoch)
        .order_by(records.c.miner_hotkey, records.c.device, records.c.job_key, records.c.place)
    )
    found = []
    for row in connection.execute(query):
        by_column = row._mapping  # noqa: SLF001 - SQLAlchemy's documented mapping
        record = RecordRow(**{n: by_column[records.c[n]] for n in RecordRow.__dataclass_fields__})
        case = CaseRow(**{n: by_column[cases.c[n]] for n in CaseRow.__dataclass_fields__})
        found.append(FullRecord(record, case, row.claim, row.request))
    return found


def latest_claims(connection: Connection) -> dict[tuple[str, str], str]:
    """Give the claims of each miner's newest tested epoch, by miner hotkey and device."""
    table = dispatches.c
    newest = (
        select(table.miner_hotkey, func.max(table.epoch).label("epoch"))
        .where(table.purpose == "test")
        .group_by(table.miner_hotkey)
        .subquery()
    )
    query = (
        select(table.miner_hotkey, table.device, table.claim)
        .join(
            newest,
            (table.miner_hotkey == newest.c.miner_hotkey) & (table.epoch == newest.c.epoch),
        )
        .where(table.purpose == "test")
        .order_by(table.job_key)
    )
    return {(row.miner_hotkey, row.device): row.claim for row in connection.execute(query)}


def add_verdict(
    connection: Connection, number: int, hotkey: str, device: str, document: Mapping[str, object]
) -> None:
    """Add the verdict of one device in one epoch."""
    text = json.dumps(document, sort_keys=True, separators=(",", ":"))
    row = {"epoch": number, "miner_hotkey": hotkey, "device": device, "document": text}
    insert_new(connection, verdicts, [row])


def newest_verdicts(connection: Connection) -> dict[tuple[str, str], dict[str, object]]:
    """Give the newest verdict document by miner hotkey and device."""
    table = verdicts.c
    newest = (
        select(table.miner_hotkey, table.device, func.max(table.epoch).label("epoch"))
        .group_by(table.miner_hotkey, table.device)
        .subquery()
    )
    query = select(verdicts).join(
        newest,
        (table.miner_hotkey == newest.c.miner_hotkey)
        & (table.device == newest.c.device)
        & (table.epoch == newest.c.epoch),
    )
    return {
        (row.miner_hotkey, row.device): {"epoch": row.epoch, **json.loads(row.document)}
        for row in connection.execute(query)
    }


def verdicts_of(connection: Connection, number: int) -> dict[tuple[str, str], dict[str, object]]:
    """Give the verdict documents of one epoch by miner hotkey and device."""
    query = select(verdicts).where(verdicts.c.epoch == number)
    return {
        (row.miner_hotkey, row.device): json.loads(row.document)
        for row in connection.execute(query)
    }


def add_intent(
    connection: Connection, number: int, mechanism: int, weights: Mapping[str, float]
) -> None:
    """Fix the weights of one mechanism before the chain hears of them; the first ones stay."""
    text = json.dumps(weights, sort_keys=True)
    row = {"epoch": number, "mechanism": mechanism, "weights": text}
    insert_new(connection, weight_intents, [row])


def intents(connection: Connection, number: int) -> dict[int, dict[str, float]]:
    """Give the fixed weights of an epoch by mechanism, ascending."""
    table = weight_intents.c
    query = (
        select(table.mechanism, table.weights)
        .where(table.epoch == number)
        .order_by(table.mechanism)
    )
    return {row.mechanism: json.loads(row.weights) for row in connection.execute(query)}


def keep_receipt(
    connection: Connection, number: int, mechanism: int, receipt: Mapping[str, object]
) -> None:
    """Keep what the chain said to an intent."""
    table = weight_intents.c
    connection.execute(
        update(weight_intents)
        .where(table.epoch == number, table.mechanism == mechanism)
        .values(receipt=json.dumps(receipt, sort_keys=True))
    )
