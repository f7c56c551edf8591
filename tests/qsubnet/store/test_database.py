"""The store: both ways to the newest schema agree, and a transaction is whole or absent."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest
from alembic import command
from sqlalchemy import create_engine, inspect, select, text

from qsubnet.errors import ConfigurationError
from qsubnet.store.database import HEAD, Store, alembic_config, sqlite_url
from qsubnet.store.tables import epochs

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path


def _schema(url: str) -> Mapping[str, object]:
    engine = create_engine(url)
    inspector = inspect(engine)
    schema = {
        name: (
            sorted((c["name"], str(c["type"]), c["nullable"]) for c in inspector.get_columns(name)),
            inspector.get_pk_constraint(name)["constrained_columns"],
            sorted(str(i["column_names"]) for i in inspector.get_indexes(name)),
            sorted(str(u["column_names"]) for u in inspector.get_unique_constraints(name)),
            sorted(str(f["constrained_columns"]) for f in inspector.get_foreign_keys(name)),
        )
        for name in sorted(inspector.get_table_names())
        if name != "alembic_version"
    }
    engine.dispose()
    return schema


def test_migrations_and_tables_give_the_same_schema(tmp_path: Path) -> None:
    migrated, made = sqlite_url(tmp_path / "migrated.db"), sqlite_url(tmp_path / "made.db")
    command.upgrade(alembic_config(migrated), "head")
    Store(made).close()
    assert _schema(migrated) == _schema(made)
    engine = create_engine(migrated)
    with engine.connect() as connection:
        assert connection.execute(text("SELECT version_num FROM alembic_version")).scalar() == HEAD
    engine.dispose()


def test_a_store_of_the_first_revision_is_brought_up_to_date(tmp_path: Path) -> None:
    url = sqlite_url(tmp_path / "old.db")
    command.upgrade(alembic_config(url), "0001")
    Store(url).close()
    engine = create_engine(url)
    with engine.connect() as connection:
        assert connection.execute(text("SELECT version_num FROM alembic_version")).scalar() == HEAD
        connection.execute(text("SELECT optimization FROM user_jobs"))
    engine.dispose()


def test_a_store_of_an_unknown_revision_is_refused(tmp_path: Path) -> None:
    url = sqlite_url(tmp_path / "future.db")
    store = Store(url)
    with store.write() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    store.close()
    with pytest.raises(ConfigurationError, match="9999"):
        Store(url)


def _write_and_fail(store: Store, row: Mapping[str, object]) -> None:
    with store.write() as connection:
        connection.execute(epochs.insert().values(row))
        raise RuntimeError("half way")


def test_an_error_inside_a_transaction_keeps_nothing_of_it(tmp_path: Path) -> None:
    store = Store(sqlite_url(tmp_path / "a.db"))
    row = {"epoch": 1, "block": 20, "block_hash": "h", "commitment": "c", "state": "planned"}
    with pytest.raises(RuntimeError, match="half way"):
        _write_and_fail(store, row)
    with store.read() as connection:
        assert connection.execute(select(epochs)).all() == []
    store.close()


def test_many_may_open_a_new_store_at_the_same_moment(tmp_path: Path) -> None:
    url = sqlite_url(tmp_path / "a.db")
    with ThreadPoolExecutor(8) as pool:
        stores = list(pool.map(Store, [url] * 8))
    for store in stores:
        store.close()


def test_writers_wait_for_each_other_and_none_is_lost(tmp_path: Path) -> None:
    url = sqlite_url(tmp_path / "a.db")
    Store(url).close()

    def write(worker: int) -> None:
        store = Store(url)
        for number in range(20):
            epoch = 20 * worker + number
            row = {"epoch": epoch, "block": 0, "block_hash": "", "commitment": "", "state": ""}
            with store.write() as connection:
                connection.execute(epochs.insert().values(row))
        store.close()

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(write, range(4)))
    store = Store(url)
    with store.read() as connection:
        assert len(connection.execute(select(epochs)).all()) == 80
    store.close()


@pytest.mark.parametrize(
    "url",
    ["", "no url", "nosuchdb://user:hunter2@host/x", "sqlite:////nowhere/at/all/a.db"],
)
def test_a_store_that_cannot_be_opened_is_refused_without_its_password(url: str) -> None:
    with pytest.raises(ConfigurationError, match=r"need a store URL|cannot open the store") as got:
        Store(url)
    assert "hunter2" not in str(got.value)


def test_a_file_that_is_no_database_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.db"
    path.write_text("not a database" * 100)
    with pytest.raises(ConfigurationError, match="cannot open the store"):
        Store(sqlite_url(path))
