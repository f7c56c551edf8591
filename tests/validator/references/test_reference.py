"""References against the dense definition: gates' matrices multiplied out, bit order and all."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from numpy.typing import NDArray

from circuits.case import PatchedAnswer
from circuits.errors import LimitError, ProgramError
from circuits.gates import matrix
from circuits.patches import Patches
from circuits.program import Operation, Program, barrier, measure
from circuits.topology import Topology
from validator.references.engines import engine
from validator.references.reference import MAX_QUBITS, QUANTUM, TOLERANCE, Reference

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


class Scripted:
    """An engine that gives uniform states and lists what it was asked, batch by batch."""

    name = "scripted"

    def __init__(self) -> None:
        self.batches: list[list[Program]] = []

    @property
    def asked(self) -> list[Program]:
        """Everything that was asked."""
        return [program for batch in self.batches for program in batch]

    def states(self, programs: Sequence[Program]) -> Iterator[NDArray[np.complex128]]:
        """Give equal amplitudes."""
        if programs:
            self.batches.append(list(programs))
        return (np.ones(2**program.num_qubits, dtype=np.complex128) for program in programs)


@pytest.mark.parametrize("name", ["dense", "qsim", "aer-cpu", "dense+qsim"])
def test_bits_get_the_marginal_of_the_qubits_that_they_read(name: str) -> None:
    # c[0] reads q[2], c[2] reads q[0]; q[1] is not measured and c[1] never written.
    program = Program(3, 3, (*GATES, barrier((0, 1, 2)), measure(2, 0), measure(0, 2)))
    weights = np.abs(_dense(GATES, 3)) ** 2
    expected = np.zeros(8)
    for state, weight in enumerate(weights):
        expected[(state >> 2 & 1) | (state & 1) << 2] += weight
    found = Reference(engine(name)).probabilities(program)
    assert np.abs(found - expected).max() <= TOLERANCE * expected.max()
    assert len({round(p, 3) for p in expected if p > 0}) == 4  # nothing agrees by symmetry


def test_bits_that_read_the_qubits_in_order_get_the_state_as_it_is() -> None:
    program = Program(3, 3, (*GATES, *(measure(k, k) for k in range(3))))
    found = Reference(engine("dense")).probabilities(program)
    assert np.allclose(found, np.abs(_dense(GATES, 3)) ** 2, atol=1e-11)


def test_idle_qubits_cost_nothing() -> None:
    scripted = Scripted()
    wide = Program(300, 1, (Operation("x", (299,)), measure(299, 0)))
    assert Reference(scripted).probabilities(wide).tolist() == [0.5, 0.5]
    assert scripted.asked[0].num_qubits == 1


def test_probabilities_are_quantised_and_cannot_be_written_to() -> None:
    found = Reference(Scripted()).probabilities(Program(1, 1, (measure(0, 0),)))
    assert np.array_equal(found, np.round(found / QUANTUM) * QUANTUM)
    with pytest.raises(ValueError, match="read-only"):
        found[0] = 1.0


def test_a_program_is_simulated_once_while_it_is_remembered() -> None:
    scripted = Scripted()
    reference = Reference(scripted, kept=4)
    one, two, three = (
        Program(1, 1, (*(Operation("x", (0,)),) * k, measure(0, 0))) for k in range(3)
    )
    for program in (one, two, one, three, one):  # `two` was unused for longest when `three` came
        reference.probabilities(program)
    assert len(scripted.asked) == 3
    reference.probabilities(two)
    assert len(scripted.asked) == 4
    assert reference.engine == "scripted"


def test_a_distribution_above_the_cache_is_still_given() -> None:
    reference = Reference(Scripted(), kept=1)
    assert len(reference.probabilities(Program(1, 2, (measure(0, 0),)))) == 4


def test_a_batch_is_one_question_without_what_is_known_and_without_repeats() -> None:
    scripted = Scripted()
    reference = Reference(scripted)
    one, two, three = (
        Program(1, 1, (*(Operation("x", (0,)),) * k, measure(0, 0))) for k in range(3)
    )
    reference.probabilities(two)
    laws = reference.probabilities_of([one, two, three, one])
    assert [len(batch) for batch in scripted.batches] == [1, 2]
    assert [law.tolist() for law in laws] == [[0.5, 0.5]] * 4


def test_a_batch_gives_what_single_questions_give() -> None:
    programs = [
        Program(3, 3, (*GATES[k:], *(measure(q, q) for q in range(3)))) for k in range(len(GATES))
    ]
    together = Reference(engine("aer-cpu")).probabilities_of(programs)
    alone = [Reference(engine("aer-cpu")).probabilities(program) for program in programs]
    assert all(np.array_equal(a, b) for a, b in zip(together, alone, strict=True))


def test_one_bad_program_stops_the_batch_before_anything_is_simulated() -> None:
    scripted = Scripted()
    bad = Program(1, 1, (measure(0, 0), Operation("x", (0,))))
    with pytest.raises(ProgramError):
        Reference(scripted).probabilities_of([Program(1, 1, (measure(0, 0),)), bad])
    assert scripted.asked == []


def test_an_executor_gives_what_this_process_gives() -> None:
    programs = [Program(3, 3, (*GATES[k:], *(measure(q, q) for q in range(3)))) for k in range(4)]
    with ThreadPoolExecutor(2) as executor:
        elsewhere = Reference(engine("dense"), executor=executor).probabilities_of(programs)
    here = Reference(engine("dense")).probabilities_of(programs)
    assert all(np.array_equal(a, b) for a, b in zip(elsewhere, here, strict=True))


def test_patches_have_the_law_of_the_whole_circuit() -> None:
    line = Topology(9, tuple((q, q + 1) for q in range(8)), ("cz", "rz", "sx", "x"))
    case = Patches(limit=3).generate(b"law", width=9, depth=4, topology=line)
    assert isinstance(case.answer, PatchedAnswer)
    reference = Reference(engine("dense"))
    law = reference.product(case.program, case.answer)
    whole = reference.probabilities(case.program)
    assert len(law.laws) > 2
    joint = [law.probability(f"{index:09b}") for index in range(512)]
    assert np.allclose(joint, whole, atol=1e-10)
    assert law.excess == pytest.approx(512 * float(whole @ whole) - 1)


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
