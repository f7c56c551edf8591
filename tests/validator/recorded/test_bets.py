"""The bets: each is a law, and the average learns from the past alone."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest

from validator.recorded.bets import Bettor, Memory, law_table, log_dirichlet
from validator.recorded.laws import DenseLaw

LAW = DenseLaw((0, 1), (0, 1), np.array([0.5, 0.0, 0.1, 0.4]))
STRINGS = ["00", "01", "10", "11"]


def _answers(shots: int) -> list[tuple[int, ...]]:
    """All sequences of shots, as rows of the table."""
    return list(product(range(4), repeat=shots))


def _seen(answer: tuple[int, ...]) -> tuple[np.ndarray, np.ndarray]:
    rows, counts = np.unique(answer, return_counts=True)
    return rows.astype(np.int64), counts.astype(np.int64)


def test_every_bet_is_a_law_over_all_sequences_of_shots() -> None:
    table = law_table(LAW, STRINGS)
    total = sum(np.exp(table.bets(*_seen(answer))) for answer in _answers(3))
    # Total probability; the bets are rounded to 2^-20.
    assert total == pytest.approx(1.0, abs=1e-5)


def test_the_average_bet_is_a_law_whatever_the_past_was() -> None:
    table = law_table(LAW, STRINGS)
    past = [(0, 0, 3), (1, 1, 1), (2, 3, 3)]

    def after(answer: tuple[int, ...]) -> float:
        bettor, bets = Bettor(), []
        for earlier in (*past, answer):
            rows, counts = _seen(earlier)
            memory = Memory("p", table.base, rows, counts)
            bets.append(bettor.bet(table.bets(rows, counts), memory))
        return bets[-1]

    assert sum(np.exp(after(answer)) for answer in _answers(3)) == pytest.approx(1.0, abs=1e-5)


def test_a_dirichlet_law_of_one_shot_is_its_mean() -> None:
    found = log_dirichlet(np.array([1]), np.array([[2.0, 5.0]]), 10.0)
    assert np.exp(found) == pytest.approx([0.2, 0.5])


def test_the_average_bet_comes_to_the_best_law_and_back_again() -> None:
    bettor = Bettor()
    good, bad = np.array([-10.0, -20.0]), np.array([-20.0, -10.0])
    first = [bettor.bet(good, None) for _ in range(20)]
    assert first[-1] == pytest.approx(-10.0, abs=0.4)
    later = [bettor.bet(bad, None) for _ in range(20)]
    assert later[0] < -10.5
    assert later[-1] == pytest.approx(-10.0, abs=0.4)


def test_a_programs_own_past_outbids_laws_that_do_not_fit() -> None:
    table = law_table(LAW, STRINGS)
    rows, counts = np.array([0, 1, 2, 3]), np.array([100, 700, 100, 100])
    bettor = Bettor()
    fixed = table.bets(rows, counts)
    memory = Memory("p", table.base, rows, counts)
    bets = [bettor.bet(fixed, memory) for _ in range(4)]
    assert bets[0] < fixed.max() + 1e-9
    assert bets[-1] > fixed.max() + 1.0
