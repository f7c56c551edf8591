"""Gates: their matrices against Qiskit's and against their own definition lines."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from qiskit import qasm3
from qiskit.circuit import library
from qiskit.quantum_info import Operator

from circuits.gates import GATES, matrix
from circuits.program import Operation, Program

QISKIT = {
    "id": library.IGate,
    "x": library.XGate,
    "y": library.YGate,
    "z": library.ZGate,
    "h": library.HGate,
    "s": library.SGate,
    "sdg": library.SdgGate,
    "t": library.TGate,
    "tdg": library.TdgGate,
    "sx": library.SXGate,
    "sxdg": library.SXdgGate,
    "rx": library.RXGate,
    "ry": library.RYGate,
    "rz": library.RZGate,
    "p": library.PhaseGate,
    "u": library.UGate,
    "prx": library.RGate,
    "cx": library.CXGate,
    "cz": library.CZGate,
    "swap": library.SwapGate,
    "ecr": library.ECRGate,
    "iswap": library.iSwapGate,
    "cp": library.CPhaseGate,
    "rzz": library.RZZGate,
    "rxx": library.RXXGate,
    "ccx": library.CCXGate,
}
ANGLES = (0.3, -1.1, 2.7)


@pytest.mark.parametrize("name", QISKIT)
def test_a_matrix_is_that_of_qiskits_gate_up_to_phase(
    name: str, same_up_to_phase: Callable[..., bool]
) -> None:
    angles = ANGLES[: GATES[name].num_angles]
    assert same_up_to_phase(matrix(name, angles), Operator(QISKIT[name](*angles)).data)


def test_ionqs_gates_have_the_matrices_of_its_documentation(
    same_up_to_phase: Callable[..., bool],
) -> None:
    """IonQ: GPi = [[0, e^-i a], [e^i a, 0]], GPi2 = [[1, -i e^-i a], [-i e^i a, 1]] / sqrt 2."""
    a = 0.7
    plus, minus = np.exp(1j * a), np.exp(-1j * a)
    assert same_up_to_phase(matrix("gpi", (a,)), np.array([[0, minus], [plus, 0]]))
    assert same_up_to_phase(
        matrix("gpi2", (a,)), np.array([[1, -1j * minus], [-1j * plus, 1]]) / math.sqrt(2)
    )


def test_sqrt_iswap_is_the_root_of_iswap() -> None:
    np.testing.assert_allclose(
        matrix("sqrt_iswap") @ matrix("sqrt_iswap"), matrix("iswap"), atol=1e-15
    )


@pytest.mark.parametrize("name", GATES)
def test_qiskit_reads_the_text_of_every_gate_as_the_same_operator(
    name: str, same_up_to_phase: Callable[..., bool]
) -> None:
    gate = GATES[name]
    operands = (2, 0, 1)[: gate.num_qubits]
    op = Operation(name, operands, ANGLES[: gate.num_angles])
    program = Program(3, 1, (op,))
    read = Operator(qasm3.loads(program.text).remove_final_measurements(inplace=False)).data
    expected = np.zeros((8, 8), dtype=np.complex128)
    for column in range(8):  # by hand: operand k of the gate is bit k of its index
        inner = sum((column >> q & 1) << k for k, q in enumerate(operands))
        rest = column & ~sum(1 << q for q in operands)
        for row, value in enumerate(matrix(name, op.angles)[:, inner]):
            expected[rest | sum((row >> k & 1) << q for k, q in enumerate(operands)), column] = (
                value
            )
    assert same_up_to_phase(expected, read)


@given(name=st.sampled_from(sorted(GATES)), angles=st.tuples(*[st.floats(-50, 50)] * 3))
def test_every_matrix_is_unitary(name: str, angles: tuple[float, ...]) -> None:
    u = matrix(name, angles[: GATES[name].num_angles])
    np.testing.assert_allclose(u @ u.conj().T, np.eye(2 ** GATES[name].num_qubits), atol=1e-12)


def test_a_wrong_number_of_angles_is_refused() -> None:
    with pytest.raises(ValueError, match="rz has 1 angles, got 2"):
        matrix("rz", (1.0, 2.0))
