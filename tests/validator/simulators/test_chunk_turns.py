"""Permuted tables: the same chunks, other places, each place alike."""

from __future__ import annotations

import numpy as np
import pytest

from circuits.draws import Draws
from validator.simulators.chunk_turns import permuted_sums, uniform_order


def test_the_first_table_is_the_table_itself_and_none_loses_a_chunk() -> None:
    rng = np.random.default_rng(1)
    table, jobs = rng.integers(0, 9, size=(37, 5)), np.arange(37) % 3
    modes = (jobs == np.arange(3)[:, None]).astype(np.int64)
    sums = np.concatenate(list(permuted_sums(table, modes, draws=Draws(b"k"), times=600)))
    assert sums.shape == (601, 3, 5)
    assert (sums[0] == modes @ table).all()
    assert (sums.sum(axis=1) == table.sum(axis=0)).all()
    # Every chunk is in every job with the share of places that the job has.
    expected = modes.sum(axis=1)[:, None] / 37 * table.sum(axis=0)
    assert sums[1:].mean(axis=0) == pytest.approx(expected, rel=0.15)


def test_large_numbers_stay_exact() -> None:
    table = np.array([[2**20 + 1], [2**21 + 3], [5]])
    modes = np.array([[1, -1, 2**14 + 1]])
    seen = {
        float(total)
        for sums in permuted_sums(table, modes, draws=Draws(b"k"), times=50)
        for total in sums.ravel()
    }
    turned = [table[np.roll(np.arange(3), s)] for s in range(3)]
    orders = [*turned, *(t[[1, 0, 2]] for t in turned)]
    assert seen <= {float(np.float32((modes @ order)[0, 0])) for order in orders}
    assert len(seen) == 3


def test_orders_are_the_same_on_every_machine() -> None:
    assert uniform_order(6, draws=Draws(b"key", "order")).tolist() == [0, 1, 2, 5, 4, 3]
