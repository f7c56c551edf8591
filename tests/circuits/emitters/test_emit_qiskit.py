"""The border to Qiskit: bit order both ways, the gates' unitaries, and Aer without a transpiler."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from qiskit.quantum_info import Operator
from qiskit_aer import AerSimulator

from circuits.emitters.qiskit import from_qiskit, qiskit_counts, qiskit_rows, to_qiskit
from circuits.gates import GATES
from circuits.program import Operation, Program, measure

if TYPE_CHECKING:
    from numpy.typing import NDArray


def _run(program: Program) -> dict[str, int]:
    compact, _ = program.compacted()
    result = AerSimulator().run(to_qiskit(compact), shots=8, memory=True).result()
    rows = qiskit_rows(result.get_memory())
    counts = qiskit_counts(result.get_counts(), program)
    assert counts == type(counts).from_rows(rows)
    return dict(counts.table)


def test_probe_reads_the_bits_written_by_hand(probe: tuple[Program, str]) -> None:
    program, expected = probe
    assert _run(program) == {expected: 8}


def test_measurements_and_resets_midway_read_the_bits_written_by_hand(
    midway: tuple[Program, str],
) -> None:
    program, expected = midway
    assert _run(program) == {expected: 8}


@settings(deadline=None, max_examples=60)
@given(data=st.data())
def test_programs_have_the_unitary_of_our_own_matrices_and_come_back(
    data: st.DataObject,
    programs: Callable[..., st.SearchStrategy[Program]],
    unitary: Callable[[Program], NDArray[np.complex128]],
    same_up_to_phase: Callable[..., bool],
) -> None:
    program = data.draw(programs())
    gates = Program(program.num_qubits, 1, tuple(op for op in program.operations if op.bit is None))
    theirs = Operator(to_qiskit(gates)).data
    assert same_up_to_phase(unitary(gates), theirs)
    back = from_qiskit(to_qiskit(program))
    assert same_up_to_phase(unitary(back), theirs)
    assert [op for op in back.operations if op.bit is not None] == [
        op for op in program.operations if op.bit is not None
    ]


def test_aer_runs_every_gate_as_emitted() -> None:
    for gate in GATES.values():
        op = Operation(gate.name, tuple(range(gate.num_qubits)), (0.3,) * gate.num_angles)
        circuit = to_qiskit(Program(3, 1, (op, measure(0, 0))))
        assert AerSimulator().run(circuit, shots=1).result().success


def test_a_program_in_qiskits_own_words_comes_back_unchanged() -> None:
    same = [g for g in GATES.values() if g.name not in ("gpi", "gpi2", "iswap", "sqrt_iswap")]
    operations = tuple(
        Operation(g.name, tuple(range(g.num_qubits)), (0.25, -0.5, 1.5)[: g.num_angles])
        for g in same
    )
    program = Program(
        5, 4, (*operations, Operation("reset", (4,)), Operation("barrier", (4, 1)), measure(4, 3))
    )
    assert from_qiskit(to_qiskit(program)) == program


def test_spaces_between_registers_are_dropped() -> None:
    assert qiskit_rows(["01 1"]).tolist() == [[1, 1, 0]]
    assert qiskit_counts({"01 1": 2, "000": 1}, Program(1, 3, ())).table == {"000": 1, "011": 2}
