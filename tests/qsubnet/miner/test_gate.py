"""The gate: closed within declared windows and while draining, and it says when to come back."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from qsubnet.miner.configuration import Window
from qsubnet.miner.gate import RESTART_S, Gate

START = datetime(2027, 1, 5, 8, tzinfo=UTC)


def _window(first_h: float, last_h: float, reason: str = "cooling down") -> Window:
    return Window(
        start=START + timedelta(hours=first_h), end=START + timedelta(hours=last_h), reason=reason
    )


def _gate(*windows: Window, at_s: float) -> Gate:
    now_ms = int((START.timestamp() + at_s) * 1_000)
    return Gate(windows, now_ms=lambda: now_ms)


def test_it_is_open_outside_every_window() -> None:
    for at_s in (-1, 3_600, 7_200):
        assert _gate(_window(0, 1), at_s=at_s).closed() is None


def test_within_a_window_it_says_why_and_in_how_many_seconds_to_come_back() -> None:
    closed = _gate(_window(0, 1), at_s=600.5).closed()
    assert closed is not None
    assert (closed.word, closed.retry_after_s) == ("maintenance", 3_000)
    assert str(closed) == "maintenance until 2027-01-05T09:00:00+00:00: cooling down"


def test_where_windows_overlap_the_last_end_counts() -> None:
    closed = _gate(_window(0, 1), _window(0.5, 3), at_s=2_400).closed()
    assert closed is not None
    assert closed.retry_after_s == 3 * 3_600 - 2_400


def test_windows_that_are_over_are_not_announced() -> None:
    gate = _gate(_window(4, 5), _window(0, 1), _window(2, 3), at_s=3_600)
    assert gate.ahead() == (_window(2, 3), _window(4, 5))


def test_draining_closes_it_for_good() -> None:
    gate = _gate(at_s=0)
    assert not gate.draining
    gate.drain()
    closed = gate.closed()
    assert closed is not None
    assert (gate.draining, closed.word, closed.retry_after_s) == (True, "draining", RESTART_S)
