"""Nonces: which signed requests were accepted already, kept through restarts and kills.

Assumes that every process of one hotkey shares one file on a local disk. Blind spot: commits
reach the operating system, not the platter (`synchronous=NORMAL`), so after a loss of power
a request younger than the freshness window could be accepted once more.
Source: SQLite, "Write-Ahead Logging" (sqlite.org/wal.html), section on performance.
"""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from qsubnet.errors import ConfigurationError

__all__ = ["RETENTION_S", "NonceSource", "NonceStoreUnavailable", "SqliteNonceStore"]

RETENTION_S: Final = 120.0
"""Seconds that an accepted nonce is remembered; must exceed maximum age plus clock skew."""

_NANO: Final = 1_000_000_000
_MAX_BACKSTEP_NS: Final = _NANO
_BUSY_TIMEOUT_S: Final = 10.0
_SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS nonce (
    hotkey TEXT NOT NULL, nonce_ns INTEGER NOT NULL, PRIMARY KEY (hotkey, nonce_ns)
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS nonce_by_time ON nonce (nonce_ns);
CREATE TABLE IF NOT EXISTS floor (
    id INTEGER PRIMARY KEY CHECK (id = 1), nonce_ns INTEGER NOT NULL
);
INSERT OR IGNORE INTO floor VALUES (1, 0);
"""


class NonceStoreUnavailable(ConfigurationError):
    """The store can not be read or written; the request must be refused, a retry may help."""


class SqliteNonceStore:
    """The accepted (hotkey, nonce) pairs of the recent past, in one SQLite file.

    Pairs older than `retention` are forgotten as time passes, but never silently: the newest
    forgotten nonce becomes a floor, and everything at or below it counts as seen. So a clock
    that jumps ahead and back does not open a window for replays. Safe for threads of one
    process and for several processes on one file.

    Example:
        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     with SqliteNonceStore(Path(folder, "n.db"), now_ns=lambda: 1000) as store:
        ...         store.check_and_store("5F", 7), store.check_and_store("5F", 7)
        (True, False)
    """

    def __init__(
        self, path: Path, *, now_ns: Callable[[], int], retention_s: float = RETENTION_S
    ) -> None:
        """Open or create the store.

        Args:
            path: The file; its folder must exist.
            now_ns: Unix time in nanoseconds, read only to decide what may be forgotten.
            retention_s: Seconds to remember a pair; positive.

        Raises:
            ValueError: `retention_s` is not positive.
            NonceStoreUnavailable: The file can not be opened or is no such store.
        """
        if not retention_s > 0:
            raise ValueError(f"need retention_s > 0, got {retention_s}")
        self.retention = retention_s
        """Seconds; Bittensor's verifier compares it with its freshness window."""
        self._path = path
        self._now_ns = now_ns
        self._retention_ns = int(retention_s * _NANO)
        self._next_prune_ns = 0
        self._lock = threading.Lock()
        try:
            self._db = _connect(path)
        except sqlite3.Error as error:
            raise NonceStoreUnavailable(f"can not open the nonce store {path}: {error}") from error

    def check_and_store(self, hotkey_ss58: str, nonce_ns: int) -> bool:
        """Record a pair and say whether it is new.

        The pair is committed before True is returned: a kill right after loses nothing.

        Args:
            hotkey_ss58: The authenticated sender.
            nonce_ns: Its nonce, Unix time in nanoseconds, 0 .. 2^63 - 1.

        Returns:
            True the first time; False for a pair seen before, or too old to know.

        Raises:
            NonceStoreUnavailable: The file failed; treat the request as refused.
        """
        with self._lock:
            try:
                return self._check_and_store(hotkey_ss58, nonce_ns)
            except (sqlite3.Error, OverflowError) as error:
                raise NonceStoreUnavailable(f"nonce store {self._path}: {error}") from error

    def close(self) -> None:
        """Close the file. Closing twice is harmless."""
        with self._lock:
            self._db.close()

    def __enter__(self) -> Self:
        """Return the open store."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Close the file."""
        self.close()

    def _check_and_store(self, hotkey: str, nonce_ns: int) -> bool:
        """Do the work in one immediate transaction, so that two processes take turns."""
        self._db.execute("BEGIN IMMEDIATE")
        try:
            self._prune()
            (floor,) = self._db.execute("SELECT nonce_ns FROM floor").fetchone()
            is_new = nonce_ns > floor and self._insert(hotkey, nonce_ns)
        except BaseException:
            self._db.rollback()
            raise
        self._db.commit()
        return is_new

    def _insert(self, hotkey: str, nonce_ns: int) -> bool:
        """Insert the pair unless it is there."""
        statement = "INSERT OR IGNORE INTO nonce VALUES (?, ?)"
        return self._db.execute(statement, (hotkey, nonce_ns)).rowcount == 1

    def _prune(self) -> None:
        """Forget what is older than the retention, a few times per retention at most."""
        now = self._now_ns()
        if self._next_prune_ns - self._retention_ns <= now < self._next_prune_ns:
            return
        cutoff = (now - self._retention_ns,)
        newest = "SELECT max(nonce_ns) FROM nonce WHERE nonce_ns < ?"
        (forgotten,) = self._db.execute(newest, cutoff).fetchone()
        if forgotten is not None:
            self._db.execute("UPDATE floor SET nonce_ns = max(nonce_ns, ?)", (forgotten,))
            self._db.execute("DELETE FROM nonce WHERE nonce_ns < ?", cutoff)
        self._next_prune_ns = now + self._retention_ns // 4


class NonceSource:
    """Fresh nonces for one sender: the time in nanoseconds, never twice in this process.

    Example:
        >>> source = NonceSource(now_ns=lambda: 5)
        >>> source.fresh(), source.fresh()
        (5, 6)
    """

    def __init__(self, *, now_ns: Callable[[], int]) -> None:
        """Take the clock to read: Unix time in nanoseconds."""
        self._now_ns = now_ns
        self._last = -1
        self._lock = threading.Lock()

    def fresh(self) -> int:
        """Return a nonce that this source has not returned lately.

        Within one second of repeats the nonces count up; after a clock was set back further
        they follow the clock, because a receiver would refuse nonces from the future.
        """
        with self._lock:
            now = self._now_ns()
            counted = self._last + 1
            self._last = counted if now < counted <= now + _MAX_BACKSTEP_NS else now
            return self._last


def _connect(path: Path) -> sqlite3.Connection:
    """Open the file in WAL mode with explicit transactions and the tables in place."""
    db = sqlite3.connect(
        path, timeout=_BUSY_TIMEOUT_S, isolation_level=None, check_same_thread=False
    )
    try:
        db.execute("PRAGMA journal_mode = WAL")
        db.execute("PRAGMA synchronous = NORMAL")
        db.executescript(_SCHEMA)
    except sqlite3.Error:
        db.close()
        raise
    return db
