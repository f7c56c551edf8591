"""Volumetric cells and the frontier."""

from __future__ import annotations

import math

import pytest

from validator.estimators.frontier import THRESHOLD, Cell, frontier, volumes
from validator.estimators.mirror import MirrorAnswer, mirror_polarization
from validator.interval import Interval


def _cell(width: int, depth: int, low: float) -> Cell:
    return Cell(width, depth, 8, Interval(low, low + 0.1, low + 0.2))


def test_the_threshold_is_one_over_e() -> None:
    assert pytest.approx(math.exp(-1)) == THRESHOLD
    assert _cell(4, 2, 0.3679).reached
    assert not _cell(4, 2, 0.3678).reached


def test_mirrors_are_averaged_by_width_and_depth() -> None:
    good, bad = MirrorAnswer((95, 5, 0)), MirrorAnswer((50, 30, 20))
    empty = MirrorAnswer((0, 0, 0))
    cells = volumes([(2, 8, bad), (2, 4, good), (2, 8, bad), (2, 4, good), (2, 16, empty)])
    assert [(c.width, c.depth, c.circuits) for c in cells] == [(2, 4, 2), (2, 8, 2)]
    assert cells[0].polarization == mirror_polarization([good, good])


def test_polarizations_alone_are_bounded_by_their_spread() -> None:
    (cell,) = volumes([(3, 2, value) for value in (0.5, 0.6, 0.7, 0.6)])
    # The cluster-t interval of these four numbers, as in the doctest of `over_circuits`.
    assert (round(cell.polarization.low, 3), round(cell.polarization.high, 3)) == (0.47, 0.73)
    (single,) = volumes([(3, 2, 0.9)])
    assert not single.reached


def test_numbers_and_answers_mix() -> None:
    (cell,) = volumes([(2, 2, 0.8), (2, 2, MirrorAnswer((90, 10, 0)))])
    assert cell.polarization.estimate == pytest.approx((0.8 + 0.84) / 2)


def test_the_frontier_is_the_deepest_cell_before_the_first_failure() -> None:
    cells = [
        _cell(4, 8, 0.5),
        _cell(4, 2, 0.8),
        _cell(4, 4, 0.6),
        _cell(8, 2, 0.4),
        _cell(8, 4, 0.1),
    ]
    assert frontier(cells) == {4: 8, 8: 2}


def test_spoiling_a_shallow_cell_never_moves_the_frontier_out() -> None:
    depths = (2, 4, 8, 16)
    lows = [0.8, 0.6, 0.5, 0.1]
    honest = frontier([_cell(4, d, low) for d, low in zip(depths, lows, strict=True)])[4]
    for spoiled in range(4):
        worse = [0.0 if k == spoiled else low for k, low in enumerate(lows)]
        cells = [_cell(4, d, low) for d, low in zip(depths, worse, strict=True)]
        assert frontier(cells)[4] <= honest
    assert honest == 8
