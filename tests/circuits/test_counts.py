"""Counts: bit 0 rightmost, whatever the way in or out."""

from __future__ import annotations

import hashlib

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from circuits.counts import Counts, gather
from circuits.errors import CircuitError


def test_counts_put_bit_0_rightmost() -> None:
    rows = np.array([[1, 0, 0], [0, 0, 1], [1, 0, 0]], dtype=np.uint8)
    assert Counts.from_rows(rows).table == {"001": 2, "100": 1}


def test_distinct_outcomes_ascend_and_column_i_is_bit_i() -> None:
    outcomes, shots = Counts(3, {"110": 4, "001": 2, "111": 0}).distinct()
    assert outcomes.tolist() == [[1, 0, 0], [0, 1, 1]]
    assert shots.tolist() == [2, 4]


@given(
    rows=hnp.arrays(
        np.uint8, st.tuples(st.integers(1, 30), st.integers(1, 70)), elements=st.integers(0, 1)
    )
)
def test_rows_come_back_sorted_by_bitstring(rows: np.ndarray) -> None:
    counts = Counts.from_rows(rows)
    expected = sorted(rows.tolist(), key=lambda row: row[::-1])
    assert counts.rows().tolist() == expected
    assert counts.shots == len(rows)


def test_no_shots_are_an_empty_table() -> None:
    empty = Counts.from_rows(np.zeros((0, 4), dtype=np.uint8))
    assert (empty.table, empty.shots, empty.rows().shape) == ({}, 0, (0, 4))


def test_reversing_twice_changes_nothing() -> None:
    counts = Counts(3, {"110": 4, "001": 2})
    assert counts.reversed().table == {"011": 4, "100": 2}
    assert counts.reversed().reversed() == counts


def test_the_digest_is_the_hash_of_the_canonical_json_text() -> None:
    text = b'{"counts":{"01":3,"10":1},"num_bits":2}'
    assert Counts(2, {"10": 1, "01": 3, "11": 0}).digest == hashlib.sha256(text).hexdigest()


def test_gathered_bits_that_nobody_wrote_read_0() -> None:
    samples = np.array([[True, False], [True, True]])
    assert gather(samples, {3: 1, 0: 0}, num_bits=4).tolist() == [[1, 0, 0, 0], [1, 0, 0, 1]]
    assert gather(samples, {}, num_bits=2).tolist() == [[0, 0], [0, 0]]


@pytest.mark.parametrize(
    ("num_bits", "table", "message"),
    [
        (0, {}, "num_bits >= 1, got 0"),
        (2, {"1": 1}, "2 characters 0 or 1, got '1'"),
        (2, {"1 0": 1}, "got '1 0'"),
        (2, {"12": 1}, "got '12'"),
        (2, {"0x": 1}, "got '0x'"),
        (2, {"10": -1}, "got -1"),
        (2, {"10": 1.0}, "got 1.0"),
        (2, {"10": True}, "got True"),
    ],
)
def test_a_table_that_is_no_table_of_counts_is_refused(
    num_bits: int, table: dict[str, int], message: str
) -> None:
    with pytest.raises(CircuitError, match=message):
        Counts(num_bits, table)
