"""Reading Qiskit circuits: what is opened, what keeps its place, and what is refused."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np
import pytest
from qiskit import ClassicalRegister, QuantumCircuit, QuantumRegister, transpile
from qiskit.circuit import AnnotatedOperation, ControlModifier, Gate, Parameter
from qiskit.circuit import library as gates
from qiskit.quantum_info import Clifford, Operator

from circuits.emitters.qiskit_reading import from_qiskit
from circuits.errors import LimitError, ProgramError
from circuits.program import Limits, Operation, Program, measure

if TYPE_CHECKING:
    from numpy.typing import NDArray

OPENED = {
    "u1": gates.U1Gate(0.3),
    "u2": gates.U2Gate(0.3, 0.4),
    "u3": gates.U3Gate(0.3, 0.4, 0.5),
    "cy": gates.CYGate(),
    "ch": gates.CHGate(),
    "crx": gates.CRXGate(0.7),
    "cu": gates.CUGate(0.1, 0.2, 0.3, 0.4),
    "csx": gates.CSXGate(),
    "dcx": gates.DCXGate(),
    "ryy": gates.RYYGate(0.7),
    "rzx": gates.RZXGate(0.7),
    "cswap": gates.CSwapGate(),
    "ccz": gates.CCZGate(),
    "open control": gates.CXGate(ctrl_state=0),
    "two open controls": gates.CCXGate(ctrl_state=1),
    "xx_plus_yy, not the root of iswap": gates.XXPlusYYGate(0.3, 0.2),
    "xx_plus_yy, the root of iswap": gates.XXPlusYYGate(-math.pi / 2),
    "unitary": gates.UnitaryGate(np.diag([1, 1j, -1, 1])),
    "annotated": AnnotatedOperation(gates.HGate(), ControlModifier(2)),
    "clifford": Clifford(gates.ECRGate()),
    "pauli string": gates.PauliGate("XYZ"),
}


@pytest.mark.parametrize("name", OPENED)
def test_a_gate_that_the_profile_lacks_is_opened_to_the_same_operator(
    name: str,
    unitary: Callable[[Program], NDArray[np.complex128]],
    same_up_to_phase: Callable[..., bool],
) -> None:
    circuit = QuantumCircuit(QuantumRegister(4, "a"), ClassicalRegister(1, "b"))
    circuit.append(OPENED[name], [3, 0, 2][: OPENED[name].num_qubits])
    assert same_up_to_phase(unitary(from_qiskit(circuit)), Operator(circuit).data)


def test_a_custom_gate_of_a_known_name_keeps_its_own_meaning() -> None:
    body = QuantumCircuit(1)
    body.z(0)
    mine = Gate("h", 1, [])
    mine.definition = body
    circuit = QuantumCircuit(1, 1)
    circuit.append(mine, [0])
    assert from_qiskit(circuit).operations == (Operation("z", (0,)),)


def test_registers_are_joined_in_the_order_of_their_declaration() -> None:
    circuit = QuantumCircuit(
        *(QuantumRegister(2, "z"), QuantumRegister(1, "a")),
        *(ClassicalRegister(1, "y"), ClassicalRegister(2, "b")),
    )
    circuit.x(2)
    circuit.measure(2, 1)
    circuit.measure(0, 2)
    assert from_qiskit(circuit).operations == (Operation("x", (2,)), measure(2, 1), measure(0, 2))


def test_a_routed_circuit_keeps_device_qubits_and_its_own_bits() -> None:
    circuit = QuantumCircuit(2, 2)
    circuit.x(0)
    circuit.cx(0, 1)
    circuit.measure([0, 1], [1, 0])
    routed = transpile(
        circuit,
        basis_gates=["sx", "rz", "x", "cz"],
        coupling_map=[[0, 1], [1, 2], [2, 3]],
        initial_layout=[3, 0],
        optimization_level=0,
        seed_transpiler=1,
    )
    program = from_qiskit(routed)
    assert program.num_qubits == 4
    assert {op.name for op in program.operations} <= {"sx", "rz", "x", "cz", "measure"}
    pairs = {tuple(sorted(op.qubits)) for op in program.operations if op.name == "cz"}
    assert pairs <= {(0, 1), (1, 2), (2, 3)}
    where = routed.layout.final_index_layout()
    assert {op.bit: op.qubits[0] for op in program.operations if op.bit is not None} == {
        1: where[0],
        0: where[1],
    }


def test_a_subcircuit_carries_its_measurements_along() -> None:
    inner = QuantumCircuit(2, 1)
    inner.x(1)
    inner.measure(1, 0)
    circuit = QuantumCircuit(3, 2)
    circuit.append(inner.to_instruction(), [1, 2], [1])
    assert from_qiskit(circuit).operations == (Operation("x", (2,)), measure(2, 1))


def test_loops_over_a_fixed_range_are_unrolled_within_each_other() -> None:
    outer, inner = Parameter("i"), Parameter("j")
    circuit = QuantumCircuit(2, 1)
    with circuit.for_loop(range(2), outer):
        circuit.rz(outer * 1.0, 0)
        with circuit.for_loop((5, 7), inner):
            circuit.rx(outer + inner, 1)
    assert [(op.name, op.angles) for op in from_qiskit(circuit).operations] == [
        *(("rz", (0.0,)), ("rx", (5.0,)), ("rx", (7.0,))),
        *(("rz", (1.0,)), ("rx", (6.0,)), ("rx", (8.0,))),
    ]


def _conditional() -> QuantumCircuit:
    circuit = QuantumCircuit(1, 1)
    circuit.measure(0, 0)
    with circuit.if_test((circuit.clbits[0], 1)):
        circuit.x(0)
    return circuit


def _delayed() -> QuantumCircuit:
    circuit = QuantumCircuit(1, 1)
    circuit.delay(10, 0)
    return circuit


def _free() -> QuantumCircuit:
    circuit = QuantumCircuit(1, 1)
    circuit.rx(Parameter("theta"), 0)
    return circuit


def _opaque() -> QuantumCircuit:
    circuit = QuantumCircuit(1, 1)
    circuit.append(Gate("secret", 1, []), [0])
    return circuit


@pytest.mark.parametrize(
    ("circuit", "message"),
    [
        (_conditional(), "'if_else' is not supported"),
        (_delayed(), "'delay' is not supported"),
        (_opaque(), "'secret' is not supported"),
        (_free(), "parameter 'theta'"),
        (QuantumCircuit(2), "no classical bits"),
        (QuantumCircuit(0, 1), "no qubits"),
    ],
)
def test_what_the_profile_has_no_word_for_is_refused(circuit: QuantumCircuit, message: str) -> None:
    with pytest.raises(ProgramError, match=message):
        from_qiskit(circuit)


def _doubling(depth: int, *, empty: bool) -> QuantumCircuit:
    body = QuantumCircuit(1)
    if not empty:
        body.x(0)
    for level in range(depth + 1):
        gate = Gate(f"g{level}", 1, [])
        gate.definition = body
        body = QuantumCircuit(1, 1) if level == depth else QuantumCircuit(1)
        body.append(gate, [0], copy=False)
        body.append(gate, [0], copy=False)
    return body


@pytest.mark.parametrize("empty", [False, True])
def test_definitions_that_double_sixty_times_meet_a_limit(empty: bool) -> None:  # noqa: FBT001
    with pytest.raises(LimitError, match="more than"):
        from_qiskit(_doubling(60, empty=empty), limits=Limits(lines=2_000))


def test_a_loop_without_end_and_without_body_meets_a_limit() -> None:
    circuit = QuantumCircuit(1, 1)
    with circuit.for_loop(range(10**9)):
        pass
    with pytest.raises(LimitError, match="8000 steps"):
        from_qiskit(circuit, limits=Limits(lines=2_000))


@pytest.mark.parametrize(
    ("limits", "message"),
    [
        (Limits(num_qubits=2), "program has 3 qubits, allowed are 2"),
        (Limits(num_bits=1), "program has 2 classical bits, allowed are 1"),
    ],
)
def test_widths_beyond_the_limits_are_refused(limits: Limits, message: str) -> None:
    with pytest.raises(LimitError, match=message):
        from_qiskit(QuantumCircuit(3, 2), limits=limits)
