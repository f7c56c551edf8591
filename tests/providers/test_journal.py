"""The journal on a real disk: whole lines, torn lines, foreign lines."""

from __future__ import annotations

import contextlib
import resource
from collections.abc import Iterator
from pathlib import Path

import pytest

from providers.journal import Journal


def test_lines_are_read_back_in_order_by_a_fresh_process(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "deep" / "a.journal")
    journal.append({"event": "intended", "key": "1"})
    journal.append({"event": "sent", "id": "ä\n"})
    assert Journal(tmp_path / "deep" / "a.journal").read() == (
        {"event": "intended", "key": "1"},
        {"event": "sent", "id": "ä\n"},
    )


def test_a_line_is_in_the_file_when_append_returns(tmp_path: Path) -> None:
    path = tmp_path / "a.journal"
    Journal(path).append({"a": 1})
    assert path.read_bytes() == b'{"a": 1}\n'


@pytest.mark.parametrize("cut", range(1, 9))
def test_a_torn_last_line_is_dropped_wherever_it_was_cut(tmp_path: Path, cut: int) -> None:
    path = tmp_path / "a.journal"
    path.write_bytes(b'{"a": 1}\n' + b'{"b": 2}\n'[:cut])
    journal = Journal(path)
    journal.append({"c": 3})
    assert journal.read() == ({"a": 1},)
    assert Journal(path).read() == ({"a": 1}, {"c": 3})


@pytest.mark.parametrize("foreign", [b"{", b"[1]", b"\xff", b""])
def test_a_damaged_line_is_put_aside_and_named_and_the_others_are_read(
    tmp_path: Path, foreign: bytes
) -> None:
    path = tmp_path / "a.journal"
    path.write_bytes(b'{"a": 1}\n' + foreign + b'\n{"b": 2}\n')
    with pytest.warns(
        RuntimeWarning, match=r"line 2 of the journal a\.journal.*a\.journal\.damaged"
    ):
        journal = Journal(path)
    assert journal.read() == ({"a": 1}, {"b": 2})
    assert journal.damaged == (foreign,)
    assert (tmp_path / "a.journal.damaged").read_bytes() == foreign + b"\n"


@contextlib.contextmanager
def full_after(size: int) -> Iterator[None]:
    """Let no file grow beyond `size` bytes: the system writes what fits, and then fails."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def test_a_line_that_did_not_fit_on_the_disk_leaves_nothing_behind(tmp_path: Path) -> None:
    path = tmp_path / "a.journal"
    journal = Journal(path)
    journal.append({"a": 1})
    with full_after(13), pytest.raises(OSError, match="too large"):
        journal.append({"b": "so much that it does not fit"})
    assert path.read_bytes() == b'{"a": 1}\n'
    journal.append({"c": 3})
    assert Journal(path).read() == ({"a": 1}, {"c": 3})


def test_a_rewrite_replaces_everything_and_leaves_no_other_file(tmp_path: Path) -> None:
    path = tmp_path / "a.journal"
    journal = Journal(path)
    journal.append({"a": 1})
    journal.rewrite([{"b": 2}])
    journal.append({"c": 3})
    assert Journal(path).read() == ({"b": 2}, {"c": 3})
    assert list(tmp_path.iterdir()) == [path]


def test_without_a_path_nothing_is_kept() -> None:
    journal = Journal(None)
    journal.append({"a": 1})
    journal.rewrite([{"a": 1}])
    assert journal.read() == ()
