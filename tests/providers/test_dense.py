"""Expected values: closed forms, and Qiskit's Statevector as the second opinion."""

from __future__ import annotations

import math
from collections.abc import Callable

import pytest

from circuits.errors import ProgramError
from circuits.program import RESET, Operation, Program, barrier, measure
from providers.dense import probabilities


def test_a_rotation_gives_sin_squared_of_half_the_angle() -> None:
    program = Program(1, 1, (Operation("ry", (0,), (0.7,)), measure(0, 0)))
    assert probabilities(program)["1"] == pytest.approx(math.sin(0.35) ** 2)


def test_a_bell_pair_is_half_and_half() -> None:
    gates = (Operation("h", (4,)), Operation("cx", (4, 1)), barrier((1, 4)))
    program = Program(6, 3, (*gates, measure(4, 0), measure(1, 2)))
    assert probabilities(program) == pytest.approx({"000": 0.5, "101": 0.5})


def test_a_bit_that_nothing_writes_reads_0() -> None:
    program = Program(2, 4, (Operation("x", (0,)), Operation("x", (1,)), measure(1, 2)))
    assert probabilities(program) == pytest.approx({"0100": 1.0})


@pytest.mark.parametrize("width", [1, 2, 3, 5])
@pytest.mark.parametrize("seed", ["a", "b"])
def test_random_programs_agree_with_another_library(
    random_program: Callable[..., Program], seed: str, width: int
) -> None:
    from qiskit.quantum_info import Statevector

    from circuits.emitters.qiskit import to_qiskit

    program = random_program(seed, width=width)
    circuit = to_qiskit(program)
    circuit.remove_final_measurements()
    reads = {op.qubits[0]: op.bit for op in program.operations if op.bit is not None}
    order = sorted(reads, key=lambda qubit: reads[qubit] or 0)
    expected = Statevector(circuit).probabilities_dict(qargs=order)
    got = probabilities(program)
    assert set(got) == {key for key, p in expected.items() if p > 1e-15}
    assert got == pytest.approx({key: expected[key] for key in got}, abs=1e-12)


@pytest.mark.parametrize(
    "operations",
    [(Operation(RESET, (0,)), measure(0, 0)), (measure(0, 0), Operation("x", (0,)))],
)
def test_only_a_single_final_state_has_probabilities(operations: tuple[Operation, ...]) -> None:
    with pytest.raises(ProgramError, match="not supported here"):
        probabilities(Program(1, 1, operations))


def test_seventeen_used_qubits_are_too_many() -> None:
    with pytest.raises(ProgramError, match="at most 16 used qubits, got 17"):
        probabilities(Program(17, 1, (*(Operation("h", (q,)) for q in range(17)), measure(0, 0))))
