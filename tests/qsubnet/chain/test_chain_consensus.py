from __future__ import annotations

import json
import os
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from qsubnet.chain.consensus import ONE, Outcome, settle

unhurried = settings(deadline=None)  # the machine is shared; time is no property here
MINERS = st.shared(st.integers(1, 6), key="miners")
ROW = MINERS.flatmap(lambda n: st.lists(st.integers(0, 65_535), min_size=n, max_size=n))
VALIDATORS = st.lists(st.tuples(st.integers(0, 10**12), ROW), min_size=1, max_size=7)


def settled(validators: list[tuple[int, list[int]]]) -> Outcome:
    return settle([stake for stake, _ in validators], [row for _, row in validators])


def by_definition(stakes: list[int], rows: list[list[int]]) -> list[Fraction]:
    """Incentive straight from the definition, in rationals and without sorting."""
    weights = [[Fraction(w, sum(row)) if sum(row) else Fraction(0) for w in row] for row in rows]
    half = Fraction(sum(stakes), 2)
    ranks = []
    for column in zip(*weights, strict=True):
        backed = [
            level
            for level in column
            if sum(s for s, w in zip(stakes, column, strict=True) if w >= level) >= half
        ]
        level = max(backed) if sum(stakes) else Fraction(0)
        ranks.append(sum(s * min(w, level) for s, w in zip(stakes, column, strict=True)))
    whole = sum(ranks)
    return [Fraction(rank, 1) / whole if whole else Fraction(0) for rank in ranks]


@unhurried
@given(VALIDATORS)
def test_incentive_is_that_of_the_definition_in_rationals(
    validators: list[tuple[int, list[int]]],
) -> None:
    expected = by_definition([s for s, _ in validators], [row for _, row in validators])
    for ours, theirs in zip(settled(validators).incentive, expected, strict=True):
        # Each weight is rounded down by less than 2^-64; a share moves by a few of those, more
        # only when all the agreed weight is tiny: the smallest is 1 in 6 * 65535.
        assert abs(ours - theirs) < Fraction(1, 2**40)


@unhurried
@given(VALIDATORS)
def test_incentive_and_dividends_sum_to_one_or_to_nothing(
    validators: list[tuple[int, list[int]]],
) -> None:
    outcome = settled(validators)
    whole = 1 if any(outcome.ranks) else 0
    assert sum(outcome.incentive) == whole
    assert sum(outcome.dividends) == whole


@unhurried
@given(VALIDATORS, st.data())
def test_more_weight_for_a_miner_never_lowers_its_incentive(
    validators: list[tuple[int, list[int]]], data: st.DataObject
) -> None:
    i = data.draw(st.integers(0, len(validators) - 1))
    j = data.draw(st.integers(0, len(validators[0][1]) - 1))
    raised = [(stake, list(row)) for stake, row in validators]
    raised[i][1][j] += data.draw(st.integers(1, 65_535))
    before, after = settled(validators), settled(raised)
    assert after.levels[j] >= before.levels[j]
    assert after.incentive[j] >= before.incentive[j]


@unhurried
@given(VALIDATORS, st.data())
def test_relabelling_miners_relabels_their_incentive(
    validators: list[tuple[int, list[int]]], data: st.DataObject
) -> None:
    order = data.draw(st.permutations(range(len(validators[0][1]))))
    relabelled = settled([(stake, [row[j] for j in order]) for stake, row in validators])
    outcome = settled(validators)
    assert relabelled.incentive == tuple(outcome.incentive[j] for j in order)
    assert relabelled.dividends == outcome.dividends


@unhurried
@given(VALIDATORS, st.data())
def test_relabelling_validators_relabels_their_dividends(
    validators: list[tuple[int, list[int]]], data: st.DataObject
) -> None:
    order = data.draw(st.permutations(range(len(validators))))
    relabelled = settled([validators[i] for i in order])
    outcome = settled(validators)
    assert relabelled.incentive == outcome.incentive
    assert relabelled.dividends == tuple(outcome.dividends[i] for i in order)


@unhurried
@given(VALIDATORS, ROW, st.integers(1, 10**12))
def test_a_minority_of_stake_moves_no_consensus_that_the_majority_agrees_on(
    minority: list[tuple[int, list[int]]], agreed: list[int], extra: int
) -> None:
    majority = (sum(stake for stake, _ in minority) + extra, agreed)
    assert settled([majority, *minority]).levels == settled([majority]).levels


@unhurried
@given(VALIDATORS, VALIDATORS)
def test_a_minority_raises_no_miner_above_the_majoritys_highest_weight(
    minority: list[tuple[int, list[int]]], majority: list[tuple[int, list[int]]]
) -> None:
    assume(sum(s for s, _ in minority) < sum(s for s, _ in majority))
    levels = settled([*minority, *majority]).levels
    for j, level in enumerate(levels):
        assert level <= max(settle([1], [row]).levels[j] for _, row in majority)


def test_exactly_half_of_the_stake_is_enough() -> None:
    assert settle([5, 5], [[1, 0], [0, 1]]).levels == (ONE, ONE)
    assert settle([5, 6], [[1, 0], [0, 1]]).levels == (0, ONE)


def test_a_validator_that_stands_alone_earns_nothing() -> None:
    assert settle([3, 3, 1], [[1, 1, 0], [1, 1, 0], [0, 0, 1]]).dividends == (
        Fraction(1, 2),
        Fraction(1, 2),
        Fraction(0),
    )


def test_a_vote_for_nobody_counts_against_everybody() -> None:
    assert settle([6, 5], [[0], [1]]).incentive == (Fraction(0),)


def test_without_stake_or_validators_nobody_earns() -> None:
    assert settle([0], [[7, 1]]).incentive == (Fraction(0), Fraction(0))
    assert settle([], []).incentive == ()


@pytest.mark.parametrize(
    ("stakes", "rows", "kappa"),
    [
        ([1], [], Fraction(1, 2)),
        ([1, 1], [[1], [1, 2]], Fraction(1, 2)),
        ([-1], [[1]], Fraction(1, 2)),
        ([1], [[-1]], Fraction(1, 2)),
        ([1], [[1]], Fraction(0)),
        ([1], [[1]], Fraction(3, 2)),
    ],
)
def test_inputs_that_make_no_sense_are_refused(
    stakes: list[int], rows: list[list[int]], kappa: Fraction
) -> None:
    with pytest.raises(ValueError, match=r"need|must"):
        settle(stakes, rows, kappa=kappa)


@pytest.fixture
def vectors() -> dict[str, Any]:
    folder = os.environ.get("QSUBNET_REFERENCE_DATA")
    if folder is None:
        pytest.skip("QSUBNET_REFERENCE_DATA does not name the folder with yuma_chain_vectors.json")
    path = Path(folder) / "yuma_chain_vectors.json"
    if not path.is_file():
        pytest.skip(f"{path} is not there")
    loaded: dict[str, Any] = json.loads(path.read_text())
    return loaded


def test_miners_earn_what_they_do_in_bittensors_own_epochs(vectors: dict[str, Any]) -> None:
    # Bonds change validators' part only, so the miners' part must agree in every epoch. Half the
    # emission is theirs; Bittensor computes in 32 binary places, hence 2 rao.
    case = vectors["yc2_bonds"]
    half = case["rao_emission"] // 2
    rows = [[0] * case["n"] for _ in range(case["n"])]
    for epoch in case["epochs"]:
        for validator, row in epoch["set"].items():
            rows[int(validator)] = [int(row.get(str(j), 0)) for j in range(case["n"])]
        others = [
            [0 if i == j else weight for j, weight in enumerate(row)] for i, row in enumerate(rows)
        ]
        outcome = settle(case["stakes"], others, kappa=Fraction(case["kappa_u16"], 65_535))
        for uid in range(4, case["n"]):
            expected = epoch["emission_rao"][uid]
            assert float(outcome.incentive[uid] * half) == pytest.approx(expected, abs=2)


def test_validators_earn_what_they_do_in_bittensors_first_epochs(vectors: dict[str, Any]) -> None:
    # Before bonds have a memory; afterwards dividends differ by design.
    common = vectors["yc3"]["common"]
    for case in vectors["yc3"]["cases"]:
        rows = case["weights_by_epoch"].get("0") or case["weights_by_epoch"]["*"]
        stakes = case["stakes"][: len(rows)]
        outcome = settle(stakes, rows, kappa=Fraction(common["kappa_u16"], 65_535))
        expected = pytest.approx(case["dividends"][0], abs=common["tolerance"])
        assert [float(share) for share in outcome.dividends] == expected
