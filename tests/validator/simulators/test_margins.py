"""Tables with given margins: uniform over all that there are, counted by hand or enumeration."""

from __future__ import annotations

import hashlib
from collections import Counter
from itertools import product

import numpy as np
import pytest

from circuits.draws import Draws
from validator.simulators.margins import same_margins


def test_margins_stay() -> None:
    rng = np.random.default_rng(1)
    errors = (rng.random((60, 9)) < 0.25).astype(np.uint8)
    pairs = same_margins(errors, draws=Draws(b"k"), times=40)
    # A row of w wrong bits has w(w-1)/2 pairs, each bit of it in w - 1 of them.
    weights = errors.sum(axis=1)
    expected = ((weights - 1)[:, None] * errors).sum(axis=0)
    own = np.bincount(np.concatenate([pairs.first[:, 0], pairs.second[:, 0]]), minlength=9)
    assert own.tolist() == expected.tolist()
    assert pairs.first.shape == ((weights * (weights - 1) // 2).sum(), 41)
    assert (pairs.first > pairs.second).all()


def test_pairs_of_the_table_itself_are_counted() -> None:
    rng = np.random.default_rng(2)
    errors = (rng.random((50, 6)) < 0.3).astype(np.uint8)
    seen = same_margins(errors, draws=Draws(b"k"), times=1).seen(6, tables=slice(0, 1))
    both = errors.T.astype(int) @ errors
    assert seen.tolist() == np.tril(both, -1).tolist()
    scores = np.tril(np.arange(36).reshape(6, 6), -1)
    sums = same_margins(errors, draws=Draws(b"k"), times=1).sums(scores)
    assert int(sums[0]) == int((both * scores).sum())


def test_every_table_of_the_same_margins_comes_up_alike() -> None:
    # 3 shots of 2, 1 and 1 wrong bits over 3 bits that are wrong 2, 1 and 1 times. Which pair
    # stands in the first row: bits 01 or 02 in 2 tables each (the rest in either order), 12 in 1.
    errors = np.array([[1, 1, 0], [1, 0, 0], [0, 0, 1]], dtype=np.uint8)
    tables: Counter[tuple[int, int]] = Counter()
    for rows in product(product((0, 1), repeat=3), repeat=3):
        table = np.array(rows)
        if table.sum(axis=1).tolist() == [2, 1, 1] and table.sum(axis=0).tolist() == [2, 1, 1]:
            high, low = sorted(np.flatnonzero(table[0]).tolist(), reverse=True)
            tables[high, low] += 1
    assert tables == {(1, 0): 2, (2, 0): 2, (2, 1): 1}
    drawn: Counter[tuple[int, int]] = Counter()
    for run in range(60):
        pairs = same_margins(errors, draws=Draws(b"k", run), times=100)
        first, second = pairs.first[0, 1:].tolist(), pairs.second[0, 1:].tolist()
        drawn.update(zip(first, second, strict=True))
    # Tables of one run share a hub, so the spread is that of some hundred to some thousand draws.
    for pair, number in tables.items():
        assert drawn[pair] / 6000 == pytest.approx(number / 5, abs=0.06)


def test_tables_are_the_same_on_every_machine() -> None:
    errors = (np.arange(120).reshape(20, 6) % 5 == 0).astype(np.uint8)
    errors[:, 0] = 1
    pairs = same_margins(errors, draws=Draws(b"key", "margins"), times=7)
    data = np.concatenate([pairs.first, pairs.second])
    digest = hashlib.sha256(np.ascontiguousarray(data).tobytes()).hexdigest()
    assert digest[:16] == "5e7171531622bda7"


def test_single_wrong_bits_have_no_pairs() -> None:
    pairs = same_margins(np.eye(4, dtype=np.uint8), draws=Draws(b"k"), times=3)
    assert pairs.first.shape[0] == 0
    assert (
        same_margins(np.zeros((3, 4), dtype=np.uint8), draws=Draws(b"k"), times=2).first.size == 0
    )
