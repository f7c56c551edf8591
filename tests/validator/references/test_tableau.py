"""Expected values: the families' own answers, computed by Pauli propagation, and small circuits."""

import math

import pytest

from circuits.case import KnownAnswer
from circuits.errors import ProgramError
from circuits.mirror import Mirror
from circuits.program import Operation, Program, measure
from circuits.topology import Topology
from validator.references.tableau import certain_answer


@pytest.mark.parametrize("width", [2, 20, 120])
def test_a_mirror_has_the_answer_that_its_family_gives(width: int) -> None:
    line = Topology(width, tuple((q, q + 1) for q in range(width - 1)), ("cz", "rz", "sx", "x"))
    for key in (b"one", b"two"):
        case = Mirror().generate(key, width=width, depth=8, topology=line)
        assert isinstance(case.answer, KnownAnswer)
        assert certain_answer(case.program) == case.answer.bits


def test_one_random_bit_leaves_no_certain_answer() -> None:
    gates = (Operation("h", (0,)), Operation("x", (1,)))
    assert certain_answer(Program(2, 2, (*gates, measure(0, 0), measure(1, 1)))) is None
    assert certain_answer(Program(2, 2, (*gates, measure(1, 1)))) == "10"


def test_a_gate_that_is_no_clifford_leaves_no_certain_answer() -> None:
    assert certain_answer(Program(1, 1, (Operation("t", (0,)), measure(0, 0)))) is None


def test_clifford_angles_count_as_clifford_gates() -> None:
    turned = Program(300, 1, (Operation("rx", (299,), (math.pi,)), measure(299, 0)))
    assert certain_answer(turned) == "1"


def test_measuring_in_the_middle_is_refused() -> None:
    with pytest.raises(ProgramError):
        certain_answer(Program(1, 1, (measure(0, 0), Operation("x", (0,)))))
