"""Turns: nobody waits for more than one job of each other requester, whatever others send."""

from __future__ import annotations

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from qsubnet.miner.turns import Waiting, in_turn


def _jobs(*names: str) -> list[Waiting]:
    """Jobs in order of their acceptance, called by requester and number."""
    return [Waiting(f"{name}{at}", name, at) for at, name in enumerate(names)]


def test_a_single_job_goes_before_the_second_of_whoever_sent_many() -> None:
    assert in_turn(_jobs(*"aaaab"), last_turn={}) == ["a0", "b4", "a1", "a2", "a3"]


def test_jobs_of_one_requester_keep_their_order() -> None:
    jobs = [Waiting("late", "a", 9), Waiting("early", "a", 1), Waiting("b", "b", 5)]
    assert in_turn(jobs, last_turn={}) == ["early", "b", "late"]


def test_whose_turn_is_longest_ago_goes_first() -> None:
    assert in_turn(_jobs("a", "b", "c"), last_turn={"a": 7, "b": 3, "c": 5}) == ["b1", "c2", "a0"]
    assert in_turn(_jobs("a", "b"), last_turn={"a": 7})[0] == "b1"


def test_equal_times_are_decided_by_the_key_so_that_the_order_is_one() -> None:
    jobs = [Waiting(key, "a", 1) for key in "zyx"]
    assert in_turn(jobs, last_turn={}) == ["x", "y", "z"]


@given(st.lists(st.sampled_from("abcd"), max_size=30), st.permutations("abcd"))
def test_served_one_by_one_everybody_gets_a_turn_within_a_round(
    names: list[str], order: list[str]
) -> None:
    """Between two turns of one requester, every other that waits has exactly one."""
    left = _jobs(*names)
    last_turn = {name: number for number, name in enumerate(order)}
    served: list[str] = []
    while left:
        key = in_turn(left, last_turn=last_turn)[0]
        served.append(key[0])
        last_turn[key[0]] = len(order) + len(served)
        left = [job for job in left if job.key != key]
    assert Counter(served) == Counter(names)
    for start, name in enumerate(served):
        again = served[start + 1 :].index(name) + start + 1 if name in served[start + 1 :] else None
        if again is not None:
            between = Counter(served[start + 1 : again])
            waiting = set(served[again:]) - {name}
            assert waiting <= set(between)
            assert set(between.values()) <= {1}


@given(st.lists(st.sampled_from("abc"), max_size=20))
def test_the_order_holds_every_job_once_whatever_the_order_of_the_list(names: list[str]) -> None:
    jobs = _jobs(*names)
    found = in_turn(jobs, last_turn={"b": 2})
    assert sorted(found) == sorted(job.key for job in jobs)
    assert found == in_turn(jobs[::-1], last_turn={"b": 2})
