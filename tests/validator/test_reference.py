"""References against the dense definition: gates' matrices multiplied out, bit order and all."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest
from numpy.typing import NDArray

from circuits.errors import LimitError, ProgramError
from circuits.gates import matrix
from circuits.program import Operation, Program, barrier, measure
from validator.reference import (
    MAX_QUBITS,
    QUANTUM,
    TOLERANCE,
    AerEngine,
    Engine,
    QsimEngine,
    Reference,
    best_engine,
)

# No symmetry under reversing qubits, bits or the operands of a gate.
GATES = (
    Operation("h", (0,)),
    Operation("u", (2,), (0.7, 0.2, -0.4)),
    Operation("cx", (0, 1)),
    Operation("ry", (1,), (0.9,)),
    Operation("cx", (2, 1)),
    Operation("sx", (0,)),
    Operation("t", (1,)),
    Operation("cz", (1, 2)),
    Operation("ry", (2,), (0.3,)),
)


def _dense(gates: tuple[Operation, ...], qubits: int) -> NDArray[np.complex128]:
    """Multiply the gates out; index bit k of the state is qubit k."""
    state = np.zeros(2**qubits, dtype=np.complex128)
    state[0] = 1.0
    for gate in gates:
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


@cache
def _engine(name: str) -> Engine:
    return QsimEngine() if name == "qsim" else AerEngine()


class Scripted:
    """An engine that gives a uniform state and lists what it was asked."""

    name = "scripted"

    def __init__(self) -> None:
        self.asked: list[Program] = []

    def amplitudes(self, program: Program) -> NDArray[np.complex128]:
        """Give equal amplitudes."""
        self.asked.append(program)
        return np.ones(2**program.num_qubits, dtype=np.complex128)


@pytest.mark.parametrize("name", ["qsim", "aer-cpu"])
def test_an_engine_gives_the_state_that_the_matrices_give(name: str) -> None:
    program = Program(3, 1, GATES)
    engine = _engine(name)
    overlap = abs(np.vdot(engine.amplitudes(program), _dense(GATES, 3)))
    assert overlap == pytest.approx(1.0, abs=1e-5)
    assert engine.name == name


@pytest.mark.parametrize("name", ["qsim", "aer-cpu"])
def test_bits_get_the_marginal_of_the_qubits_that_they_read(name: str) -> None:
    # c[0] reads q[2], c[2] reads q[0]; q[1] is not measured and c[1] never written.
    program = Program(3, 3, (*GATES, barrier((0, 1, 2)), measure(2, 0), measure(0, 2)))
    weights = np.abs(_dense(GATES, 3)) ** 2
    expected = np.zeros(8)
    for state, weight in enumerate(weights):
        expected[(state >> 2 & 1) | (state & 1) << 2] += weight
    found = Reference(_engine(name)).probabilities(program)
    assert np.abs(found - expected).max() <= TOLERANCE * expected.max()
    assert len({round(p, 3) for p in expected if p > 0}) == 4  # nothing agrees by symmetry


def test_idle_qubits_cost_nothing() -> None:
    engine = Scripted()
    wide = Program(300, 1, (Operation("x", (299,)), measure(299, 0)))
    assert Reference(engine).probabilities(wide).tolist() == [0.5, 0.5]
    assert engine.asked[0].num_qubits == 1


def test_probabilities_are_quantised_and_cannot_be_written_to() -> None:
    found = Reference(Scripted()).probabilities(Program(1, 1, (measure(0, 0),)))
    assert np.array_equal(found, np.round(found / QUANTUM) * QUANTUM)
    with pytest.raises(ValueError, match="read-only"):
        found[0] = 1.0


def test_a_program_is_simulated_once_while_it_is_remembered() -> None:
    engine = Scripted()
    reference = Reference(engine, kept=4)
    one, two, three = (
        Program(1, 1, (*(Operation("x", (0,)),) * k, measure(0, 0))) for k in range(3)
    )
    for program in (one, two, one, three, one):  # `two` was unused for longest when `three` came
        reference.probabilities(program)
    assert len(engine.asked) == 3
    reference.probabilities(two)
    assert len(engine.asked) == 4
    assert reference.engine == "scripted"


def test_a_distribution_above_the_cache_is_still_given() -> None:
    reference = Reference(Scripted(), kept=1)
    assert len(reference.probabilities(Program(1, 2, (measure(0, 0),)))) == 4


@pytest.mark.parametrize(
    "program",
    [
        Program(1, 1, (measure(0, 0), Operation("x", (0,)))),
        Program(1, 1, (Operation("reset", (0,)), measure(0, 0))),
    ],
)
def test_measuring_in_the_middle_is_refused(program: Program) -> None:
    with pytest.raises(ProgramError):
        Reference(Scripted()).probabilities(program)


def test_too_many_qubits_or_bits_are_refused() -> None:
    many = MAX_QUBITS + 1
    qubits = Program(many, 1, tuple(Operation("x", (q,)) for q in range(many)))
    bits = Program(1, many, (measure(0, 0),))
    for program in (qubits, bits):
        with pytest.raises(LimitError, match=f"at most {MAX_QUBITS} qubits and bits"):
            Reference(Scripted()).probabilities(program)


def test_the_best_engine_is_a_gpu_that_works_or_else_qsim() -> None:
    one = Program(1, 1, (Operation("h", (0,)),))
    try:
        AerEngine("GPU").amplitudes(one)
    except Exception:  # noqa: BLE001 - Aer refuses in many ways, as `best_engine` says
        expected = "qsim"
    else:
        expected = "aer-gpu"
    assert best_engine().name == expected
