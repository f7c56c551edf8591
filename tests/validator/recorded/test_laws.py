"""Ideal laws of recorded programs: both forms against closed forms and against each other."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from circuits.errors import ProgramError
from circuits.program import Operation, Program, measure
from validator.recorded.laws import CertainLaw, DenseLaw, ideal_law
from validator.references.reference import Reference

STRINGS = [format(i, "03b") for i in range(8)]


def test_a_program_with_one_answer_has_a_certain_law_at_any_width(
    reference: Reference, certain_program: Callable[[str], Program]
) -> None:
    narrow = ideal_law(certain_program("0110"), reference)
    assert isinstance(narrow, CertainLaw)
    assert narrow.answer == "0110"
    answer = "10" * 40
    wide = ideal_law(certain_program(answer), reference)
    assert isinstance(wide, CertainLaw)
    assert wide.answer == answer


def test_a_wide_program_of_random_answers_has_no_law(reference: Reference) -> None:
    fan = tuple(Operation("h", (q,)) for q in range(30)) + tuple(measure(q, q) for q in range(30))
    assert ideal_law(Program(30, 30, fan), reference) is None


def test_a_measurement_in_the_middle_is_refused(reference: Reference) -> None:
    middle = Program(1, 1, (measure(0, 0), Operation("h", (0,))))
    with pytest.raises(ProgramError, match="after its measurement"):
        ideal_law(middle, reference)


def test_bits_that_nothing_measures_are_left_out(reference: Reference) -> None:
    bell = (Operation("h", (0,)), Operation("cx", (0, 1)))
    law = ideal_law(Program(2, 9, (*bell, measure(1, 7), measure(0, 2))), reference)
    assert isinstance(law, DenseLaw)
    assert (law.bits, law.qubits) == ((2, 7), (0, 1))
    # A Bell pair in closed form.
    assert law.values == pytest.approx([0.5, 0.0, 0.0, 0.5])
    assert law.excess == pytest.approx(1.0)


def test_misread_bits_of_a_certain_law_agree_with_the_dense_one() -> None:
    certain = CertainLaw((0, 1, 2), (0, 1, 2), "101")
    dense = DenseLaw((0, 1, 2), (0, 1, 2), np.eye(8)[0b101])
    for up, down in ((0.1, 0.3), (0.02, 0.02)):
        ours = certain.log_flipped(STRINGS, up=up, down=down)
        assert ours == pytest.approx(dense.log_flipped(STRINGS, up=up, down=down))
        assert np.exp(ours).sum() == pytest.approx(1.0)


def test_misread_bits_follow_their_own_rates() -> None:
    law = DenseLaw((0, 1), (0, 1), np.array([0.0, 1.0, 0.0, 0.0]))
    found = np.exp(law.log_flipped(["00", "01", "10", "11"], up=0.1, down=0.3))
    # Bit 0 was 1 and falls with .3, bit 1 was 0 and rises with .1: a product, by hand.
    assert found == pytest.approx([0.27, 0.63, 0.03, 0.07])
