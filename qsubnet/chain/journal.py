"""The file of a local ledger: one append-only table of events in SQLite.

Several processes may hold it open. A write is one transaction under SQLite's write lock, so a
process killed at any moment leaves either the whole of its last write or nothing of it; triggers
refuse to change or remove an event. WAL, so that readers never wait for the writer; every commit is
flushed to the disk before it is answered.

Assumes a local file system: WAL does not work over a network share.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from qsubnet.chain.errors import (
    LedgerBusy,
    LedgerCorrupt,
    LedgerMismatch,
    LedgerMissing,
    OutcomeUnknown,
)
from qsubnet.chain.model import Event

FORMAT: Final = 1
APPLICATION: Final = 0x71736E31
"""Marks the file as ours: 'qsn1' as an integer."""

BUSY_TIMEOUT_S: Final = 30.0

_TABLE: Final = """
CREATE TABLE IF NOT EXISTS events (
    sequence INTEGER PRIMARY KEY,
    block INTEGER NOT NULL,
    position INTEGER NOT NULL,
    kind TEXT NOT NULL,
    payload TEXT NOT NULL,
    hash TEXT NOT NULL,
    UNIQUE (block, position)
) STRICT
"""
_GUARDS: Final = tuple(
    f"CREATE TRIGGER IF NOT EXISTS events_no_{what.lower()} BEFORE {what} ON events "
    "BEGIN SELECT RAISE(ABORT, 'events are append-only'); END"
    for what in ("UPDATE", "DELETE")
)
_BUSY: Final = frozenset({sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED})


class Journal:
    """A connection to the events of one ledger. For one thread at a time."""

    def __init__(
        self, path: Path, *, create: bool = False, busy_timeout_s: float = BUSY_TIMEOUT_S
    ) -> None:
        """Open the file.

        Args:
            path: The ledger's file.
            create: Make the file and its table if they are not there.
            busy_timeout_s: How long to wait for another process's write.

        Raises:
            LedgerMissing: There is no such file, or no table in it, and `create` is not set.
            LedgerMismatch: The file is of another format, or no ledger.
        """
        mode = "rwc" if create else "rw"
        if not create and not path.is_file():
            raise LedgerMissing(f"no ledger at {path}")
        with _translated():
            self._db = sqlite3.connect(
                f"{path.absolute().as_uri()}?mode={mode}",
                uri=True,
                timeout=busy_timeout_s,
                isolation_level=None,
                check_same_thread=False,
            )
        try:
            with _translated():
                self._prepare(path, create=create)
        except BaseException:
            self._db.close()
            raise

    def _prepare(self, path: Path, *, create: bool) -> None:
        # In this order: another process that is creating sets both in one transaction.
        tables = self._db.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]
        unmarked = self._pragma("application_id") == 0
        if unmarked and tables:
            raise LedgerMismatch(f"{path} is a database of something else")
        if unmarked and create:
            self._db.execute("PRAGMA journal_mode = WAL")
            with self.transaction():
                self._db.execute(_TABLE)
                for guard in _GUARDS:
                    self._db.execute(guard)
                self._db.execute(f"PRAGMA application_id = {APPLICATION}")
                self._db.execute(f"PRAGMA user_version = {FORMAT}")
        found = (self._pragma("application_id"), self._pragma("user_version"))
        if found == (0, 0):
            raise LedgerMissing(f"no ledger in {path} yet")
        if found != (APPLICATION, FORMAT):
            raise LedgerMismatch(f"need mark and format {(APPLICATION, FORMAT)}, got {found}")
        self._db.execute("PRAGMA synchronous = FULL")

    def _pragma(self, name: str) -> int:
        return int(self._db.execute(f"PRAGMA {name}").fetchone()[0])

    def close(self) -> None:
        """Close the connection; the events stay."""
        self._db.close()

    def read(self, since: int = 0) -> list[Event]:
        """Read the events from sequence number `since` on, as of one moment.

        Raises:
            LedgerBusy: The file stayed locked.
            LedgerCorrupt: The file is damaged.
        """
        query = (
            "SELECT sequence, block, position, kind, payload, hash FROM events "
            "WHERE sequence >= ? ORDER BY sequence"
        )
        with _translated():
            return [Event(*row) for row in self._db.execute(query, (since,))]

    def append(self, event: Event) -> None:
        """Write one event, inside `transaction`."""
        row = (event.sequence, event.block, event.index, event.kind, event.payload, event.hash)
        with _translated():
            self._db.execute("INSERT INTO events VALUES (?, ?, ?, ?, ?, ?)", row)

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Hold the write lock, and commit if the block ends well.

        Raises:
            LedgerBusy: The lock was not to be had in time; nothing is written.
            OutcomeUnknown: The commit failed half-way.
        """
        with _translated():
            self._db.execute("BEGIN IMMEDIATE")
        try:
            yield
        except BaseException:
            self._db.rollback()
            raise
        try:
            self._db.execute("COMMIT")
        except sqlite3.Error as error:
            if self._db.in_transaction:
                self._db.rollback()
            raise OutcomeUnknown(f"the commit failed: {error}") from error


@contextmanager
def _translated() -> Iterator[None]:
    """Say what to do about SQLite's errors."""
    try:
        yield
    except sqlite3.OperationalError as error:
        if (error.sqlite_errorcode & 0xFF) in _BUSY:
            raise LedgerBusy(f"another process holds the ledger: {error}") from error
        raise LedgerCorrupt(f"SQLite refuses: {error}") from error
    except sqlite3.DatabaseError as error:
        if error.sqlite_errorcode == sqlite3.SQLITE_NOTADB:
            raise LedgerMismatch(f"not a ledger: {error}") from error
        raise LedgerCorrupt(f"SQLite refuses: {error}") from error
