"""Repeated gates: what is repeated, and when; the contract of all families is in test_families."""

from __future__ import annotations

import pytest

from circuits.case import KnownAnswer
from circuits.errors import FamilyError
from circuits.program import BARRIER, MEASURE
from circuits.repeated_gates import RepeatedGates
from circuits.topology import Topology

LINE = Topology(6, tuple((i, i + 1) for i in range(5)), ("cz", "rz", "sx", "x"))


def test_the_same_disjoint_edges_run_in_every_row_and_none_is_left_out() -> None:
    case = RepeatedGates().generate(b"key", width=6, depth=24, topology=LINE)
    pairs = [op.qubits for op in case.program.operations if op.name == "cz"]
    row = pairs[: len(set(pairs))]
    assert pairs == row * 24
    used = [qubit for pair in row for qubit in pair]
    assert len(used) == len(set(used))
    left = set(range(6)) - set(used)
    assert not [edge for edge in LINE.edges if set(edge) <= left]


def test_a_fence_stands_between_any_two_rows() -> None:
    case = RepeatedGates().generate(b"key", width=6, depth=8, topology=LINE)
    names = [op.name for op in case.program.operations if op.name in ("cz", BARRIER)]
    rows = "".join("b" if name == BARRIER else "z" for name in names).split("b")
    assert [len(row) for row in rows if row] == [len(rows[1])] * 8


def test_ones_are_prepared_where_the_answer_has_them_and_bit_0_is_rightmost() -> None:
    strings = set()
    for k in range(8):
        case = RepeatedGates().generate(b"%d" % k, width=6, depth=8, topology=LINE)
        flipped = {op.qubits[0] for op in case.program.operations if op.name == "x"}
        measured = [op.qubits[0] for op in case.program.operations if op.name == MEASURE]
        assert isinstance(case.answer, KnownAnswer)
        bits = case.answer.bits
        assert {measured[i] for i in range(6) if bits[5 - i] == "1"} == flipped
        strings.add(bits)
    assert len(strings) > 3


def test_a_large_set_of_edges_is_chosen_and_idle_qubits_are_prepared_in_1() -> None:
    line = Topology(7, tuple((i, i + 1) for i in range(6)), ("cz", "rz", "sx", "x"))
    strings = set()
    for k in range(20):
        case = RepeatedGates().generate(b"%d" % k, width=7, depth=8, topology=line)
        pairs = {op.qubits for op in case.program.operations if op.name == "cz"}
        assert len(pairs) == 3, "one greedy set in four has two"
        (idle,) = set(range(7)) - {qubit for pair in pairs for qubit in pair}
        assert isinstance(case.answer, KnownAnswer)
        assert case.answer.bits[6 - idle] == "1"
        strings.add(case.answer.bits)
    assert len(strings) > 10


@pytest.mark.parametrize("depth", [-8, 0, 4, 12, 520])
def test_rows_that_are_not_the_identity_are_refused(depth: int) -> None:
    with pytest.raises(FamilyError, match=str(depth)):
        RepeatedGates().generate(b"key", width=6, depth=depth, topology=LINE)


def test_one_qubit_has_no_pair() -> None:
    with pytest.raises(FamilyError, match="at least 2"):
        RepeatedGates().generate(b"key", width=1, depth=8, topology=LINE)
