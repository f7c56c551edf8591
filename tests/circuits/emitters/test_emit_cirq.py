"""The border to cirq: bit order, the gates' unitaries, moments at barriers."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import cirq
import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from circuits.counts import Counts
from circuits.emitters.cirq import cirq_rows, to_cirq
from circuits.program import Operation, Program, barrier, measure

if TYPE_CHECKING:
    from numpy.typing import NDArray


def _counts(program: Program) -> Counts:
    result = cirq.Simulator(seed=1).run(to_cirq(program), repetitions=8)
    return Counts.from_rows(cirq_rows(result, program))


def test_probe_reads_the_bits_written_by_hand(probe: tuple[Program, str]) -> None:
    program, expected = probe
    assert _counts(program).table == {expected: 8}


def test_measurements_and_resets_midway_read_the_bits_written_by_hand(
    midway: tuple[Program, str],
) -> None:
    program, expected = midway
    assert _counts(program).table == {expected: 8}


@settings(deadline=None, max_examples=60)
@given(data=st.data())
def test_programs_have_the_unitary_of_our_own_matrices(
    data: st.DataObject,
    programs: Callable[..., st.SearchStrategy[Program]],
    unitary: Callable[[Program], NDArray[np.complex128]],
    same_up_to_phase: Callable[..., bool],
) -> None:
    program = data.draw(programs())
    gates = Program(program.num_qubits, 1, tuple(op for op in program.operations if op.bit is None))
    order = cirq.LineQubit.range(program.num_qubits)
    theirs = to_cirq(gates).unitary(
        qubit_order=list(reversed(order)), qubits_that_should_be_present=order
    )
    assert same_up_to_phase(unitary(gates), theirs)


def test_gates_do_not_slide_across_a_barrier() -> None:
    program = Program(2, 1, (Operation("x", (0,)), barrier((0, 1)), Operation("x", (1,))))
    assert [len(moment) for moment in to_cirq(program)] == [1, 1]
    free = Program(2, 1, (Operation("x", (0,)), Operation("x", (1,))))
    assert [len(moment) for moment in to_cirq(free)] == [2]


def test_idle_qubits_do_not_appear_but_keep_the_others_numbers() -> None:
    program = Program(9, 1, (Operation("x", (7,)), measure(7, 0)))
    assert to_cirq(program).all_qubits() == {cirq.LineQubit(7)}


def test_rows_keep_the_order_of_the_shots() -> None:
    program = Program(2, 2, (Operation("h", (0,)), measure(0, 1), measure(1, 0)))
    result = cirq.Simulator(seed=3).run(to_cirq(program), repetitions=20)
    rows = cirq_rows(result, program)
    assert rows[:, 1].tolist() == result.measurements["m0"][:, 0].tolist()
    assert set(rows[:, 1].tolist()) == {0, 1}
