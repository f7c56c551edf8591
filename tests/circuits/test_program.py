"""Program: one canonical text for one circuit, and what can not be built."""

from __future__ import annotations

import math

import numpy as np
import pytest

from circuits.errors import ProgramError
from circuits.gates import GATES
from circuits.program import (
    Operation,
    Program,
    barrier,
    decimal,
    final_measurements,
    measure,
    measurement_record,
)


def _every_gate() -> Program:
    gates = (
        Operation(g.name, (3, 0, 2)[: g.num_qubits], (0.1, -math.pi, 1e-7)[: g.num_angles])
        for g in GATES.values()
    )
    ends = (barrier((4, 1)), Operation("reset", (1,)), measure(3, 0), measure(0, 5))
    return Program(5, 6, (*gates, *ends))


def test_golden_digest_of_a_program_with_every_word() -> None:
    """Frozen when written: a change here renames every program and every record."""
    assert _every_gate().digest == (
        "e36779593d6a1be23bf229bb039c66a1ffdfde2c7c453aaa8d362e7fa18355ef"
    )


def test_only_the_definitions_that_are_used_are_written() -> None:
    text = Program(2, 1, (Operation("rzz", (0, 1), (1.0,)),)).text
    assert [line.split("(")[0] for line in text.splitlines() if line.startswith("gate")] == [
        "gate rzz"
    ]


def test_minus_zero_and_numpy_numbers_do_not_change_the_text() -> None:
    plain = Program(1, 1, (Operation("rz", (0,), (0.0,)), Operation("rz", (0,), (0.1,))))
    odd = Program(1, 1, (Operation("rz", (0,), (-0.0,)), Operation("rz", (0,), (np.float64(0.1),))))
    assert odd.text == plain.text


@pytest.mark.parametrize("angle", [5e-324, 1e-300, 0.1, 1 / 3, 1e22, 1.7976931348623157e308])
def test_decimals_read_back_to_the_same_float(angle: float) -> None:
    assert float(decimal(angle)) == angle
    assert float(decimal(-angle)) == -angle
    assert set(decimal(angle)) <= set("0123456789.")


def test_compacting_drops_idle_qubits_and_keeps_bits() -> None:
    program = Program(
        9, 4, (Operation("cx", (7, 2)), barrier((0, 2)), barrier((5,)), measure(7, 3))
    )
    compact, kept = program.compacted()
    assert kept == (2, 7)
    assert compact == Program(2, 4, (Operation("cx", (1, 0)), barrier((0,)), measure(1, 3)))
    assert Program(4, 1, ()).compacted() == (Program(1, 1, ()), (0,))


def test_used_qubits_are_those_that_something_happens_to() -> None:
    program = Program(9, 1, (Operation("h", (4,)), barrier((8,)), measure(1, 0)))
    assert program.used_qubits == (1, 4)
    assert _every_gate().two_qubit_gates == 9


def test_each_bit_keeps_its_last_measurement() -> None:
    program = Program(3, 5, (measure(0, 4), measure(1, 4), measure(1, 0)))
    assert measurement_record(program) == {0: 2, 4: 1}
    assert final_measurements(program) == {0: 1, 4: 1}


@pytest.mark.parametrize(
    ("operations", "message"),
    [
        ((Operation("reset", (1,)),), r"reset of q\[1\]"),
        ((measure(0, 0), Operation("cx", (1, 0))), r"cx acts on q\[0\] after"),
    ],
)
def test_measurements_that_are_not_final_are_refused(
    operations: tuple[Operation, ...], message: str
) -> None:
    with pytest.raises(ProgramError, match=message):
        final_measurements(Program(2, 2, operations))


def test_a_barrier_after_a_measurement_leaves_it_final() -> None:
    assert final_measurements(Program(1, 1, (measure(0, 0), barrier((0,))))) == {0: 0}


@pytest.mark.parametrize(
    ("operation", "message"),
    [
        (Operation("foo", (0,)), "unknown gate 'foo'"),
        (Operation("h", (0, 1)), "h acts on 1 qubits, got 2"),
        (Operation("cx", (0,)), "cx acts on 2 qubits, got 1"),
        (Operation("cx", (1, 1)), "names a qubit twice"),
        (Operation("h", (2,)), r"qubit 2 is outside q\[0\] .. q\[1\]"),
        (Operation("cx", (-1, 0)), "qubit -1 is outside"),
        (barrier(()), "barrier acts on"),
        (barrier((0, 0)), "twice"),
        (measure(0, 2), r"bit 2 is outside c\[0\] .. c\[1\]"),
        (measure(0, -1), "bit -1"),
        (Operation("h", (0,), bit=0), "'measure' writes a bit"),
        (Operation("measure", (0,)), "'measure' writes a bit"),
        (Operation("rz", (0,)), "rz takes 1 angles, got 0"),
        (Operation("h", (0,), (1.0,)), "h takes 0 angles, got 1"),
        (Operation("measure", (0,), (1.0,), bit=0), "measure takes 0 angles"),
        (Operation("rz", (0,), (math.nan,)), "not finite"),
        (Operation("rz", (0,), (math.inf,)), "not finite"),
    ],
)
def test_an_operation_that_does_not_fit_is_refused(operation: Operation, message: str) -> None:
    with pytest.raises(ProgramError, match=message):
        Program(2, 2, (operation,))


@pytest.mark.parametrize(("qubits", "bits"), [(0, 1), (1, 0)])
def test_a_program_has_at_least_one_qubit_and_one_bit(qubits: int, bits: int) -> None:
    with pytest.raises(ProgramError, match="at least 1 qubit and 1 bit"):
        Program(qubits, bits, ())
