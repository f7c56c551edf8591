"""The journal on a real disk: whole lines, torn lines, foreign lines."""

from __future__ import annotations

from pathlib import Path

import pytest

from providers.errors import AdapterFault
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
def test_a_foreign_line_is_an_error_that_names_it(tmp_path: Path, foreign: bytes) -> None:
    path = tmp_path / "a.journal"
    path.write_bytes(b'{"a": 1}\n' + foreign + b'\n{"b": 2}\n')
    with pytest.raises(AdapterFault, match=r"line 2 of the journal a\.journal"):
        Journal(path)


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
