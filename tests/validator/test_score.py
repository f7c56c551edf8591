"""Scores: only verified work pays, by the lower bound, linearly in capacity."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from validator.interval import Interval
from validator.score import GRADE_FACTORS, Grade, Work, capacity, score

_QUALITY = st.floats(0, 1).map(lambda low: Interval(low, max(low, 0.5), 1.0))
_WORK = st.builds(
    Work,
    program=st.sampled_from("abcdef"),
    width=st.integers(1, 100),
    shots_returned=st.integers(0, 1000),
    in_time=st.booleans(),
)


def test_the_score_is_the_stated_product() -> None:
    good = Interval(0.9, 0.95, 1.0)
    assert score(good, qubit_shots=200, grade=Grade.S2, verified=True) == pytest.approx(126.0)
    assert dict(GRADE_FACTORS) == {"S0": 0.0, "S1": 0.5, "S2": 0.7, "S3": 1.0}


@settings(deadline=None)
@given(quality=_QUALITY, size=st.integers(0, 10**9), grade=st.sampled_from(Grade))
def test_only_verified_work_pays(quality: Interval, size: int, grade: Grade) -> None:
    assert score(quality, qubit_shots=size, grade=grade, verified=False) == 0.0
    assert score(quality, qubit_shots=size, grade=Grade.S0, verified=True) == 0.0


@settings(deadline=None)
@given(low=_QUALITY, high=_QUALITY, size=st.integers(0, 10**9), grade=st.sampled_from(Grade))
def test_better_quality_never_scores_less(
    low: Interval, high: Interval, size: int, grade: Grade
) -> None:
    low, high = sorted((low, high), key=lambda i: i.low)
    worse = score(low, qubit_shots=size, grade=grade, verified=True)
    assert worse <= score(high, qubit_shots=size, grade=grade, verified=True)


def test_the_estimate_alone_changes_nothing() -> None:
    scores = {
        score(Interval(0.4, e, 0.9), qubit_shots=10, grade=Grade.S3, verified=True)
        for e in (0.4, 0.6, 0.9)
    }
    assert scores == {4.0}


def test_a_bound_outside_0_to_1_counts_as_its_nearest_end() -> None:
    over, under = Interval(1.2, 1.3, 1.4), Interval(-0.2, 0.1, 0.4)
    assert score(over, qubit_shots=10, grade=Grade.S3, verified=True) == 10.0
    assert score(under, qubit_shots=10, grade=Grade.S3, verified=True) == 0.0


@settings(deadline=None)
@given(st.lists(_WORK, max_size=12))
def test_capacity_forgets_order_and_repeats(done: list[Work]) -> None:
    assert capacity(done) == capacity(list(reversed(done))) == capacity(done + done)


@settings(deadline=None)
@given(st.lists(_WORK, max_size=12), st.integers(0, 12))
def test_splitting_distinct_work_over_two_hotkeys_gains_no_capacity(
    done: list[Work], cut: int
) -> None:
    distinct = list({work.program: work for work in done}.values())
    assert capacity(distinct[:cut]) + capacity(distinct[cut:]) == capacity(distinct)


def test_late_answers_are_no_capacity() -> None:
    assert capacity([Work("a", 5, 100, in_time=False)]) == 0


def test_impossible_work_is_refused() -> None:
    with pytest.raises(ValueError, match="width >= 1"):
        Work("a", 0, 1, in_time=True)
    with pytest.raises(ValueError, match="qubit_shots >= 0"):
        score(Interval(0, 0, 0), qubit_shots=-1, grade=Grade.S1, verified=True)
