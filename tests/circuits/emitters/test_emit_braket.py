"""The border to Braket: bit order, exact distributions, and what is refused."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from braket.devices import LocalSimulator
from hypothesis import given, settings
from hypothesis import strategies as st

from circuits.counts import Counts
from circuits.emitters.braket import (
    braket_gates,
    braket_probabilities,
    braket_rows,
    to_braket,
)
from circuits.errors import ProgramError
from circuits.program import Operation, Program, measure


def _exact(program: Program) -> dict[str, float]:
    circuit = braket_gates(program).probability()
    values = LocalSimulator().run(circuit, shots=0).result().values[0]
    rows, weights = braket_probabilities(values, program)
    keys = ["".join(map(str, row[::-1])) for row in rows.tolist()]
    assert keys == sorted(set(keys))
    return dict(zip(keys, weights.tolist(), strict=True))


def test_probe_reads_the_bits_written_by_hand(probe: tuple[Program, str]) -> None:
    program, expected = probe
    result = LocalSimulator().run(to_braket(program), shots=8).result()
    rows = braket_rows(result.measurements, result.measured_qubits, program)
    assert Counts.from_rows(rows).table == {expected: 8}


def test_exact_probabilities_of_a_probe_sit_on_the_bits_written_by_hand(
    probe: tuple[Program, str],
) -> None:
    program, expected = probe
    assert _exact(program.compacted()[0]) == {expected: pytest.approx(1.0)}


@settings(deadline=None, max_examples=25)
@given(data=st.data())
def test_programs_have_the_distribution_of_our_own_matrices(
    data: st.DataObject,
    programs: Callable[..., st.SearchStrategy[Program]],
    distribution: Callable[[Program], dict[str, float]],
) -> None:
    program = data.draw(programs())
    expected = distribution(program)
    found = _exact(program)
    for key in expected.keys() | found.keys():
        assert found.get(key, 0.0) == pytest.approx(expected.get(key, 0.0), abs=1e-9)


@settings(deadline=None, max_examples=25)
@given(data=st.data())
def test_programs_have_the_unitary_of_our_own_matrices(
    data: st.DataObject,
    programs: Callable[..., st.SearchStrategy[Program]],
    unitary: Callable[[Program], np.ndarray],
    same_up_to_phase: Callable[..., bool],
) -> None:
    program = data.draw(programs())
    gates = Program(program.num_qubits, 1, tuple(op for op in program.operations if op.bit is None))
    width = program.num_qubits
    theirs = braket_gates(gates).to_unitary().reshape([2] * (2 * width))
    turned = [*reversed(range(width)), *reversed(range(width, 2 * width))]
    little = theirs.transpose(turned).reshape(2**width, 2**width)
    assert same_up_to_phase(unitary(gates), little)


def test_columns_follow_the_measured_qubits_of_the_result() -> None:
    program = Program(3, 3, (measure(0, 0), measure(1, 1), measure(2, 2)))
    assert braket_rows(np.array([[1, 0, 0]]), [2, 0, 1], program).tolist() == [[0, 0, 1]]


def test_one_qubit_measured_into_two_bits_is_measured_once() -> None:
    program = Program(1, 2, (Operation("x", (0,)), measure(0, 0), measure(0, 1)))
    result = LocalSimulator().run(to_braket(program), shots=3).result()
    assert list(result.measured_qubits) == [0]
    rows = braket_rows(result.measurements, result.measured_qubits, program)
    assert rows.tolist() == [[1, 1]] * 3


def test_a_measurement_or_reset_midway_is_refused(midway: tuple[Program, str]) -> None:
    with pytest.raises(ProgramError, match=r"measurement: measuring in the middle|reset of q\[0\]"):
        to_braket(midway[0])


def test_a_program_that_measures_nothing_is_refused() -> None:
    with pytest.raises(ProgramError, match="measures nothing"):
        to_braket(Program(2, 2, (Operation("x", (0,)),)))


def test_a_result_that_lacks_a_measured_qubit_is_refused() -> None:
    with pytest.raises(ProgramError, match=r"lacks measured qubits \[1\]"):
        braket_rows(np.array([[1]]), [0], Program(2, 2, (measure(0, 0), measure(1, 1))))
