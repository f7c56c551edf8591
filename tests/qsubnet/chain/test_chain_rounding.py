from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from qsubnet.chain.rounding import largest_remainder, to_u16

unhurried = settings(deadline=None)  # the machine is shared; time is no property here
weights = st.lists(st.floats(min_value=0, max_value=1e9, allow_nan=False), min_size=1, max_size=20)


@unhurried
@given(weights)
def test_u16_weights_are_those_of_bittensors_own_conversion(values: list[float]) -> None:
    conversion = pytest.importorskip("bittensor.intents.weights", reason="needs Bittensor's SDK")
    uids, units = conversion.normalize(range(len(values)), values) if any(values) else ([], [])
    ours = to_u16(values)
    assert {i: unit for i, unit in enumerate(ours) if unit} == dict(zip(uids, units, strict=True))


def test_a_weight_of_nothing_but_zeros_stays_zero() -> None:
    assert to_u16([0.0, 0.0]) == (0, 0)
    assert to_u16([]) == ()


@pytest.mark.parametrize("wrong", [-1.0, float("nan"), float("inf")])
def test_a_weight_that_is_no_weight_is_refused(wrong: float) -> None:
    with pytest.raises(ValueError, match="finite and not negative"):
        to_u16([1.0, wrong])


def test_seats_are_apportioned_as_in_the_textbook_case() -> None:
    # Hare quota with largest remainders, votes and seats as in the usual textbook comparison of
    # quotas (10 seats, 100,000 votes).
    votes = [47_000, 16_000, 15_800, 12_000, 6_100, 3_100]
    assert largest_remainder(10, votes) == (5, 2, 1, 1, 1, 0)


def test_equal_remainders_go_to_the_earlier_claimant() -> None:
    assert largest_remainder(5, [1, 1, 1]) == (2, 2, 1)


@unhurried
@given(st.integers(0, 10**18), st.lists(st.integers(0, 10**24), max_size=30))
def test_parts_sum_exactly_and_keep_to_their_quota(total: int, shares: list[int]) -> None:
    parts = largest_remainder(total, shares)
    whole = sum(shares)
    assert sum(parts) == (total if whole else 0)
    for part, share in zip(parts, shares, strict=True):
        # The quota rule of Hamilton's method: rounded down or up, never more.
        assert not whole or total * share // whole <= part <= -(-total * share // whole)


@pytest.mark.parametrize(("total", "shares"), [(-1, [1]), (1, [-1, 2])])
def test_negative_amounts_are_refused(total: int, shares: list[int]) -> None:
    with pytest.raises(ValueError, match="need total >= 0 and shares >= 0"):
        largest_remainder(total, shares)
