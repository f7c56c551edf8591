"""What a validator keeps: the newest of what changes, the first of what is fixed."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from qsubnet.store import dispatches, evaluation
from qsubnet.store.database import Store, sqlite_url
from qsubnet.store.dispatches import Dispatch, DispatchState
from qsubnet.store.evaluation import CaseRow, EpochRow, EpochState, RecordRow


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    opened = Store(sqlite_url(tmp_path / "a.db"))
    yield opened
    opened.close()


def _test_of(key: str, *, device: str, claim: str, epoch: int) -> Dispatch:
    return Dispatch(key, "test", "m", device, claim, "{}", epoch)


def _record(key: str, counts: str | None) -> RecordRow:
    return RecordRow(key, 0, 1, "m", "d", 10, counts, None, "")


def test_a_miner_s_latest_claims_are_those_of_its_newest_epoch_alone(store: Store) -> None:
    with store.write() as connection:
        dispatches.add(
            connection,
            [
                _test_of("a", device="dropped", claim="1", epoch=1),
                _test_of("b", device="kept", claim="2", epoch=1),
                _test_of("c", device="kept", claim="3", epoch=2),
                Dispatch("d", "user", "m", "kept", "4", "{}", 3),
            ],
        )
        assert evaluation.latest_claims(connection) == {("m", "kept"): "3"}


def test_the_newest_verdict_of_each_device_is_shown_with_its_epoch(store: Store) -> None:
    with store.write() as connection:
        evaluation.add_verdict(connection, 1, "m", "d", {"verdict": "unverified"})
        evaluation.add_verdict(connection, 2, "m", "d", {"verdict": "verified"})
        evaluation.add_verdict(connection, 1, "n", "e", {"verdict": "fraud"})
        assert evaluation.newest_verdicts(connection) == {
            ("m", "d"): {"epoch": 2, "verdict": "verified"},
            ("n", "e"): {"epoch": 1, "verdict": "fraud"},
        }


def test_the_first_record_verdict_and_intent_stay(store: Store) -> None:
    with store.write() as connection:
        evaluation.add_records(connection, [_record("a", "first")])
        evaluation.add_verdict(connection, 1, "m", "d", {"n": 1})
        evaluation.add_intent(connection, 1, 0, {"m": 0.1 + 0.2})
    with store.write() as connection:
        evaluation.add_records(connection, [_record("a", "second")])
        evaluation.add_verdict(connection, 1, "m", "d", {"n": 2})
        evaluation.add_intent(connection, 1, 0, {"m": 1.0})
        evaluation.add_intent(connection, 1, 1, {})
        assert evaluation.verdicts_of(connection, 1) == {("m", "d"): {"n": 1}}
        # Floats come back bit for bit, so that the same intent has the same digest.
        assert evaluation.intents(connection, 1) == {0: {"m": 0.1 + 0.2}, 1: {}}


def test_a_record_is_given_with_its_case_and_what_was_sent(store: Store) -> None:
    case = CaseRow("a", 0, 1, "mirror", 2, 4, "00" * 32)
    with store.write() as connection:
        dispatches.add(connection, [_test_of("a", device="d", claim="c", epoch=1)])
        evaluation.add_epoch(connection, EpochRow(1, 20, "h", "c"), [case])
        dispatches.move(connection, "a", DispatchState.FAILED)
        assert evaluation.jobs_without_records(connection, ["failed"]) == ["a"]
        evaluation.add_records(connection, [_record("a", None)])
        assert evaluation.jobs_without_records(connection, ["failed"]) == []
        found = evaluation.full_records(connection, up_to_epoch=1)
        assert evaluation.full_records(connection, up_to_epoch=0) == []
    assert [(one.record, one.case, one.claim) for one in found] == [(_record("a", None), case, "c")]


def test_an_epoch_goes_from_drawn_to_closed(store: Store) -> None:
    with store.write() as connection:
        evaluation.add_epoch(connection, EpochRow(3, 60, "h", ""), [])
        row = evaluation.epoch(connection, 3)
        assert row is not None
        assert row.state is EpochState.DRAWN
        evaluation.move_epoch(connection, 3, EpochState.CLOSED)
        row = evaluation.epoch(connection, 3)
        assert row is not None
        assert row.state is EpochState.CLOSED
        assert evaluation.epoch(connection, 4) is None
