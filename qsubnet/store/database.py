"""Open a store: one engine, the schema at its newest revision, SQLite tuned for many processes.

A new store is made from the tables at once and stamped with the newest revision; an older one is
migrated by Alembic. A test proves that both ways end in the same schema. SQLite runs in WAL mode,
so readers never wait; a transaction that writes takes the lock when it begins, so that two
writers wait for each other instead of failing half way.

Blind spot: SQLite's `synchronous=NORMAL` keeps every committed transaction over a killed process,
but a loss of power may take the last ones back; whoever asked for them then asks again.
"""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, Engine, create_engine, event, inspect, text
from sqlalchemy.exc import ArgumentError, DBAPIError, NoSuchModuleError

from qsubnet.errors import ConfigurationError
from qsubnet.store.tables import metadata

if TYPE_CHECKING:
    from alembic.config import Config

HEAD = "0002"
_BUSY_TIMEOUT_S = 60.0
_WAL_TRIES = 100
_WAL_PAUSE_S = 0.05


class Store:
    """An open database; cheap to share between threads, one per process.

    Args:
        url: SQLAlchemy URL, such as `sqlite:///state/operator.db` or `postgresql+psycopg://...`.

    Raises:
        ConfigurationError: The URL is none, the database cannot be opened, or it is newer than
            this software. The message never shows a password.
    """

    def __init__(self, url: str) -> None:
        self._engine = _engine(url)
        shown = self._engine.url.render_as_string(hide_password=True)
        try:
            _bring_up_to_date(self._engine, url, shown=shown)
        except DBAPIError as error:
            self._engine.dispose()
            raise ConfigurationError(f"cannot open the store {shown}: {error.orig}") from error
        except BaseException:
            self._engine.dispose()
            raise

    @contextmanager
    def write(self) -> Iterator[Connection]:
        """Open a transaction that may write; it is all kept or, on any error, nothing is."""
        with self._engine.connect() as connection:
            if self._engine.dialect.name == "sqlite":
                connection.exec_driver_sql("BEGIN IMMEDIATE")
            try:
                yield connection
            except BaseException:
                connection.rollback()
                raise
            connection.commit()

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """Open a consistent view for reading."""
        with self._engine.connect() as connection:
            if self._engine.dialect.name == "sqlite":
                connection.exec_driver_sql("BEGIN")
            try:
                yield connection
            finally:
                connection.rollback()

    def close(self) -> None:
        """Close every connection."""
        self._engine.dispose()


def sqlite_url(path: Path) -> str:
    """Give the URL of a SQLite file."""
    return f"sqlite:///{path}"


def _engine(url: str) -> Engine:
    try:
        return _tuned_engine(url)
    except (ArgumentError, NoSuchModuleError, ModuleNotFoundError) as error:
        scheme = url.partition("://")[0][:40]
        raise ConfigurationError(
            f"need a store URL such as sqlite:///state/operator.db or postgresql+psycopg://..., "
            f"with its driver installed, got one that begins with {scheme!r}: "
            f"{type(error).__name__}"
        ) from None


def _tuned_engine(url: str) -> Engine:
    if not url.startswith("sqlite"):
        return create_engine(url)
    engine = create_engine(url, connect_args={"timeout": _BUSY_TIMEOUT_S})

    @event.listens_for(engine, "connect")
    def _tune(connection: Any, _record: object) -> None:  # noqa: ANN401 - the driver's own type
        connection.isolation_level = None  # transactions begin where `write` and `read` say so
        cursor = connection.cursor()
        _enter_wal(cursor)
        cursor.execute("PRAGMA synchronous=NORMAL")
        cursor.execute("PRAGMA foreign_keys=ON")
        cursor.close()

    return engine


def _enter_wal(cursor: sqlite3.Cursor) -> None:
    """Switch to WAL; SQLite does not wait by itself where another process does the same."""
    for left in reversed(range(_WAL_TRIES)):
        try:
            cursor.execute("PRAGMA journal_mode=WAL")
        except sqlite3.OperationalError as error:
            if not left or "locked" not in str(error):
                raise
            time.sleep(_WAL_PAUSE_S)
        else:
            return


def _bring_up_to_date(engine: Engine, url: str, *, shown: str) -> None:
    with engine.connect() as connection:
        if engine.dialect.name == "sqlite":
            connection.exec_driver_sql("BEGIN IMMEDIATE")
        names = set(inspect(connection).get_table_names())
        if "alembic_version" not in names:
            metadata.create_all(connection)
            connection.execute(text("CREATE TABLE alembic_version (version_num VARCHAR(32))"))
            connection.execute(text("INSERT INTO alembic_version VALUES (:v)"), {"v": HEAD})
            connection.commit()
            return
        version = connection.execute(text("SELECT version_num FROM alembic_version")).scalar()
        connection.rollback()
    if version != HEAD:
        _migrate(url, str(version), shown=shown)


def _migrate(url: str, version: str, *, shown: str) -> None:
    from alembic import command
    from alembic.util import CommandError

    try:
        command.upgrade(alembic_config(url), "head")
    except CommandError as error:
        raise ConfigurationError(
            f"the store {shown} is at revision {version}, this software knows up to {HEAD}"
        ) from error


def alembic_config(url: str) -> Config:
    """Configure Alembic for `url`; the migrations ship inside the package."""
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    config.set_main_option("sqlalchemy.url", url.replace("%", "%%"))
    return config
