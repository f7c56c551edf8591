"""Every engine against the gates' matrices, multiplied out one by one, and against each other."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import pytest
from numpy.typing import NDArray

from circuits.brickwork import Brickwork
from circuits.errors import ProgramError
from circuits.gates import GATES, matrix
from circuits.program import Operation, Program, barrier
from circuits.random_all import RandomAll
from circuits.topology import complete
from validator.references.engines import (
    DENSE_QUBITS,
    AerEngine,
    ByWidth,
    best_engine,
    engine,
    gpu_engine,
)
from validator.references.statevector import statevector

NAMES = ["dense", "qsim", "aer-cpu"]


def multiplied(program: Program) -> NDArray[np.complex128]:
    """Multiply the gates out; index bit k of the state is qubit k."""
    state = np.zeros(2**program.num_qubits, dtype=np.complex128)
    state[0] = 1.0
    for gate in program.operations:
        if gate.name not in GATES:
            continue
        unitary = matrix(gate.name, gate.angles)
        new = np.zeros_like(state)
        for index, amplitude in enumerate(state):
            column = sum((index >> q & 1) << k for k, q in enumerate(gate.qubits))
            rest = index & ~sum(1 << q for q in gate.qubits)
            for row in range(len(unitary)):
                target = rest | sum((row >> k & 1) << q for k, q in enumerate(gate.qubits))
                new[target] += unitary[row, column] * amplitude
        state = new
    return state


def every_gate() -> Program:
    """Every gate of the profile, on qubits in no order, with one-qubit gates in between."""
    angles, operations = (0.7, -0.4, 1.9), []
    for k, gate in enumerate(GATES.values()):
        qubits = tuple(int(q) for q in np.random.default_rng(k).permutation(4)[: gate.num_qubits])
        operations.append(Operation(gate.name, qubits, angles[: gate.num_angles]))
        operations.append(Operation("u", (k % 4,), (0.3 + k, 0.2, -0.9)))
    return Program(4, 1, (*operations, barrier((0, 1))))


def gates_of(program: Program) -> Program:
    """The gates alone."""
    gates = tuple(op for op in program.operations if op.name in GATES)
    return Program(program.num_qubits, program.num_bits, gates)


@pytest.mark.parametrize("name", NAMES)
def test_an_engine_gives_the_state_that_the_matrices_give(name: str) -> None:
    program = every_gate()
    (found,) = engine(name).states([program])
    assert abs(np.vdot(found, multiplied(program))) == pytest.approx(1.0, abs=1e-5)
    assert engine(name).name == name


def test_the_dense_state_is_exact_to_double_precision() -> None:
    program = every_gate()
    assert abs(np.vdot(statevector(program), multiplied(program))) == pytest.approx(1, abs=1e-12)


def test_a_state_of_nothing_is_all_zeros() -> None:
    assert statevector(Program(2, 1, ())).tolist() == [1, 0, 0, 0]


def test_the_dense_engine_refuses_a_reset() -> None:
    with pytest.raises(ProgramError, match=r"a reset of q\[1\]"):
        statevector(Program(2, 1, (Operation("reset", (1,)),)))


@pytest.mark.parametrize("gates", [("cx", "u"), ("cz", "rz", "sx", "x")])
def test_engines_agree_on_wide_random_circuits(gates: tuple[str, ...]) -> None:
    # Single precision: relative to the largest probability, as the reference's tolerance is.
    topology = complete(13, gates)
    drawn = Brickwork().generate(b"agree", width=13, depth=8, topology=topology)
    laws = []
    for name in NAMES:
        (state,) = engine(name).states([gates_of(drawn.program)])
        law = np.abs(state.astype(np.complex128)) ** 2
        laws.append(law / law.sum())  # single precision loses some of the norm, too
    for law in laws[1:]:
        assert np.abs(law - laws[0]).max() <= 1e-5 * laws[0].max()


@pytest.mark.parametrize("name", NAMES)
def test_states_come_in_the_order_of_the_programs(name: str) -> None:
    programs = [
        Program(width, 1, (Operation("x", (width - 1,)), Operation("h", (0,))))
        for width in (3, 1, 2, 3)
    ]
    for program, state in zip(programs, engine(name).states(programs), strict=True):
        assert np.allclose(np.abs(state), np.abs(multiplied(program)), atol=1e-6)


@pytest.mark.parametrize("name", NAMES)
def test_no_programs_give_no_states(name: str) -> None:
    assert list(engine(name).states([])) == []


class Noted:
    """An engine that notes the widths that it is asked for."""

    name = "noted"

    def __init__(self) -> None:
        self.asked: list[list[int]] = []

    def states(self, programs: Sequence[Program]) -> Iterator[NDArray[np.complex128]]:
        """Give zeros."""
        self.asked.append([program.num_qubits for program in programs])
        return (np.zeros(1 << program.num_qubits, dtype=complex) for program in programs)


def test_narrow_programs_stay_here_and_wide_ones_go_together() -> None:
    wide = Noted()
    widths = (DENSE_QUBITS + 1, 2, DENSE_QUBITS, DENSE_QUBITS + 2)
    states = ByWidth(wide).states([Program(width, 1, ()) for width in widths])
    assert [state.size for state in states] == [1 << width for width in widths]
    assert wide.asked == [[DENSE_QUBITS + 1, DENSE_QUBITS + 2]]


def test_single_precision_is_enough_for_a_bank() -> None:
    program = gates_of(
        RandomAll().generate(b"one", width=10, depth=16, topology=complete(10, ["cx", "u"])).program
    )
    (rough,) = AerEngine(single=True).states([program])
    law = np.abs(statevector(program)) ** 2
    assert np.abs(np.abs(rough) ** 2 - law).max() <= 1e-5 * law.max()


def test_the_best_engine_is_a_gpu_that_works_or_else_qsim_above_the_dense_one() -> None:
    expected = "dense+aer-gpu" if gpu_engine() else "dense+qsim"
    assert best_engine().name == expected


def test_an_unknown_engine_is_refused() -> None:
    with pytest.raises(ValueError, match="need dense, qsim, aer-cpu or aer-gpu, got 'abacus'"):
        engine("abacus")
