"""Expected values: the rule that an answer never shows by accident."""

from dataclasses import FrozenInstanceError

import pytest

from circuits.case import Case, KnownAnswer, SimulatedAnswer
from circuits.program import Program, measure

PROGRAM = Program(2, 2, (measure(0, 0), measure(1, 1)))


def case(answer: KnownAnswer | SimulatedAnswer) -> Case:
    return Case("readout", 2, 0, (0, 1), PROGRAM, answer)


def test_a_log_of_a_case_shows_what_it_is_but_not_its_answer() -> None:
    text = f"{case(KnownAnswer('10'))} {case(KnownAnswer('10'))!r}"
    assert "10" not in text
    assert "Answer" not in text
    assert "family='readout', width=2, depth=0, qubits=(0, 1)" in text


def test_a_known_answer_does_not_print_its_bits() -> None:
    assert "10" not in f"{KnownAnswer('10')} {KnownAnswer('10')!r}"


def test_cases_with_different_answers_differ() -> None:
    assert case(KnownAnswer("10")) == case(KnownAnswer("10"))
    assert case(KnownAnswer("10")) != case(KnownAnswer("01"))
    assert case(KnownAnswer("10")) != case(SimulatedAnswer())


def test_a_case_can_not_be_changed() -> None:
    with pytest.raises(FrozenInstanceError):
        case(SimulatedAnswer()).width = 3  # type: ignore[misc]  # that is the point
