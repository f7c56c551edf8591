"""Shares of one mechanism: the properties that weights must have."""

from __future__ import annotations

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from validator.weights import shares

_SCORES = st.dictionaries(
    st.text("abcdefgh", min_size=1, max_size=4),
    st.one_of(st.just(0.0), st.floats(1e-6, 1e12)),
    max_size=10,
)


@settings(deadline=None)
@given(_SCORES)
def test_shares_sum_to_1_or_are_all_0(scores: dict[str, float]) -> None:
    total = math.fsum(shares(scores).values())
    if any(scores.values()):
        assert total == pytest.approx(1.0)
    else:
        assert total == 0.0


@settings(deadline=None)
@given(_SCORES)
def test_a_higher_score_never_has_the_lower_share(scores: dict[str, float]) -> None:
    result = shares(scores)
    ranked = sorted(scores, key=lambda hotkey: scores[hotkey])
    assert [result[h] for h in ranked] == sorted(result.values())


@settings(deadline=None)
@given(_SCORES, st.floats(1.0, 1e6))
def test_raising_one_score_never_lowers_its_share(scores: dict[str, float], factor: float) -> None:
    for hotkey, value in scores.items():
        raised = {**scores, hotkey: value * factor}
        assert shares(raised)[hotkey] >= shares(scores)[hotkey] - 1e-12


@settings(deadline=None)
@given(_SCORES)
def test_names_and_order_change_nothing(scores: dict[str, float]) -> None:
    renamed = {f"{hotkey[::-1]}/{hotkey}": value for hotkey, value in reversed(scores.items())}
    before = shares(scores)
    assert {f"{h[::-1]}/{h}": share for h, share in before.items()} == shares(renamed)


@settings(deadline=None)
@given(_SCORES, st.floats(0, 1))
def test_one_miner_split_in_two_gains_nothing(scores: dict[str, float], part: float) -> None:
    for hotkey, value in scores.items():
        split = {**scores, hotkey: value * part, "zz-second": value - value * part}
        together = shares(split)[hotkey] + shares(split)["zz-second"]
        assert together <= shares(scores)[hotkey] + 1e-9


@settings(deadline=None)
@given(_SCORES)
def test_newcomers_without_a_score_change_nothing(scores: dict[str, float]) -> None:
    crowded = {**scores, **{f"zz{i}": 0.0 for i in range(5)}}
    result = shares(crowded)
    assert {h: result[h] for h in scores} == shares(scores)


@settings(deadline=None)
@given(_SCORES)
def test_the_result_is_sorted_by_hotkey(scores: dict[str, float]) -> None:
    assert list(shares(scores)) == sorted(scores)


@pytest.mark.parametrize("bad", [-1.0, math.nan, math.inf])
def test_impossible_scores_are_refused(bad: float) -> None:
    with pytest.raises(ValueError, match="need finite scores >= 0"):
        shares({"a": bad})


def test_extreme_scores_neither_overflow_nor_vanish() -> None:
    assert shares({"a": 1e308, "b": 1e308}) == {"a": 0.5, "b": 0.5}
    assert shares({"a": 5e-324, "b": 5e-324}) == {"a": 0.5, "b": 0.5}
