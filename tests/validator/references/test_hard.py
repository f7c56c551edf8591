"""Retirement: a table of families that fall in every way there is, on the day they fall."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

import pytest

from circuits.brickwork import Brickwork
from circuits.case import KnownAnswer
from circuits.mirror import Mirror
from circuits.topology import complete
from validator.references.hard import (
    BREAKS,
    HARD_FAMILIES,
    LEAST_WIDTH,
    Break,
    HardFamily,
    HardStatus,
    solved,
    standing,
    trusted_families,
)

TODAY = date(2026, 11, 22)
DAY = timedelta(days=1)
# Mirrors stand in for a family that is worth trusting: what is tested is the rule.
NEW = HardFamily(
    "mirror",
    "a paper",
    least_width=LEAST_WIDTH,
    trusted_from=TODAY,
    review_by=TODAY + 180 * DAY,
    family=Mirror(),
)


def status(family: HardFamily, *breaks: Break, on: date = TODAY) -> HardStatus:
    return standing(family, on=on, breaks=breaks).status


def test_no_family_is_trusted_today_nor_ever_was() -> None:
    for day in (date(2020, 1, 1), TODAY, date(2100, 1, 1)):
        assert trusted_families(day) == ()
    assert all(one.trusted_from is None for one in HARD_FAMILIES)


def test_every_break_on_record_is_of_a_family_in_the_table_and_has_a_reference() -> None:
    names = [one.name for one in HARD_FAMILIES]
    assert len(names) == len(set(names))
    assert {one.family for one in BREAKS} == set(names)
    assert all(one.reference and one.cost for one in BREAKS)


def test_a_family_is_trusted_from_its_day_to_its_review() -> None:
    assert status(NEW, on=TODAY - DAY) is HardStatus.RETIRED
    assert status(NEW) is HardStatus.TRUSTED
    assert status(NEW, on=TODAY + 180 * DAY) is HardStatus.TRUSTED
    late = standing(NEW, on=TODAY + 181 * DAY, breaks=())
    assert (late.status, late.since) == (HardStatus.RETIRED, TODAY + 180 * DAY)
    assert "nobody has reviewed it since 2026-11-22" in late.reason


def test_a_break_retires_it_from_its_day_and_for_good() -> None:
    fallen = Break("mirror", TODAY + 3 * DAY, "arXiv:0000.00000", "a laptop")
    assert status(NEW, fallen, on=TODAY + 2 * DAY) is HardStatus.TRUSTED
    for days in (3, 4, 180, 1000):
        found = standing(NEW, on=TODAY + days * DAY, breaks=[fallen])
        assert (found.status, found.since) == (HardStatus.RETIRED, fallen.on)
        assert "arXiv:0000.00000 (a laptop)" in found.reason


def test_a_break_of_another_family_changes_nothing() -> None:
    assert status(NEW, Break("other", TODAY, "x", "y")) is HardStatus.TRUSTED


def test_only_a_new_line_renews_trust_after_a_break() -> None:
    fallen = Break("mirror", TODAY, "x", "y")
    renewed = replace(NEW, trusted_from=TODAY + DAY)
    assert status(NEW, fallen, on=TODAY + DAY) is HardStatus.RETIRED
    assert status(renewed, fallen, on=TODAY + DAY) is HardStatus.TRUSTED


def test_trusted_families_come_by_name_and_without_the_fallen() -> None:
    other = replace(NEW, name="another")
    day = TODAY + DAY
    both = trusted_families(day, families=[NEW, other], breaks=[])
    assert [one.name for one in both] == ["another", "mirror"]
    fallen = Break("another", day, "x", "y")
    assert trusted_families(day, families=[NEW, other], breaks=[fallen]) == (NEW,)


def test_a_correct_answer_to_a_challenge_retires_its_family_at_once() -> None:
    case = Mirror().generate(b"open", width=98, depth=2, topology=complete(98, ["cx", "u"]))
    assert isinstance(case.answer, KnownAnswer)
    found = solved(case, case.answer.bits, on=TODAY, cost="one minute")
    assert found == Break("mirror", TODAY, f"program {case.program.digest}", "one minute")
    assert status(NEW, found) is HardStatus.RETIRED


def test_a_wrong_answer_retires_nothing() -> None:
    case = Mirror().generate(b"open", width=98, depth=2, topology=complete(98, ["cx", "u"]))
    assert isinstance(case.answer, KnownAnswer)
    wrong = ("1" if case.answer.bits[0] == "0" else "0") + case.answer.bits[1:]
    assert solved(case, wrong, on=TODAY, cost="none") is None


def test_a_case_without_one_known_string_is_no_challenge() -> None:
    case = Brickwork().generate(b"k", width=4, depth=2, topology=complete(4, ["cx", "u"]))
    with pytest.raises(TypeError, match="got SimulatedAnswer of brickwork"):
        solved(case, "0000", on=TODAY, cost="")


@pytest.mark.parametrize(
    "change",
    [{"family": None}, {"review_by": None}, {"source": ""}, {"least_width": 97}],
)
def test_trust_needs_a_source_a_way_to_draw_a_review_and_98_qubits(
    change: dict[str, str | int | None],
) -> None:
    with pytest.raises(ValueError, match="trust needs"):
        replace(NEW, **change)  # type: ignore[arg-type]
