"""The border to stim: bit order, the gates' unitaries, and what is refused."""

from __future__ import annotations

import math
import subprocess
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np
import pytest
import stim
from hypothesis import given, settings
from hypothesis import strategies as st

from circuits.counts import Counts
from circuits.emitters.stim import stim_rows, to_stim
from circuits.errors import ProgramError
from circuits.program import Operation, Program, barrier, measure

if TYPE_CHECKING:
    from numpy.typing import NDArray


def _counts(program: Program) -> Counts:
    samples = to_stim(program).compile_sampler(seed=1).sample(8)
    return Counts.from_rows(stim_rows(samples, program))


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
def test_clifford_programs_have_the_unitary_of_our_own_matrices(
    data: st.DataObject,
    programs: Callable[..., st.SearchStrategy[Program]],
    unitary: Callable[[Program], NDArray[np.complex128]],
    same_up_to_phase: Callable[..., bool],
    clifford_names: tuple[str, ...],
) -> None:
    program = data.draw(programs(names=clifford_names, unit=math.pi / 2))
    gates = Program(program.num_qubits, 1, tuple(op for op in program.operations if op.bit is None))
    padded = stim.Circuit(f"I {program.num_qubits - 1}") + to_stim(gates)
    theirs = stim.Tableau.from_circuit(padded).to_unitary_matrix(endian="little")
    assert same_up_to_phase(unitary(gates), theirs.astype(np.complex128))


@pytest.mark.parametrize("turns", range(-4, 5))
def test_controlled_phase_is_accepted_at_multiples_of_pi(
    turns: int,
    unitary: Callable[[Program], NDArray[np.complex128]],
    same_up_to_phase: Callable[..., bool],
) -> None:
    program = Program(2, 1, (Operation("cp", (1, 0), (turns * math.pi,)),))
    padded = stim.Circuit("I 1") + to_stim(program)
    theirs = stim.Tableau.from_circuit(padded).to_unitary_matrix(endian="little")
    assert same_up_to_phase(unitary(program), theirs.astype(np.complex128))


def test_angles_that_cancel_to_a_clifford_are_accepted() -> None:
    eighth = math.pi / 4
    program = Program(1, 1, (Operation("u", (0,), (0.0, eighth, eighth)),))
    assert str(to_stim(program)) == "S 0"


@pytest.mark.parametrize("offset", [-9e-10, 9e-10])
def test_angles_within_the_tolerance_are_rounded(offset: float) -> None:
    program = Program(2, 1, (Operation("rzz", (0, 1), (math.pi / 2 + offset,)),))
    assert str(to_stim(program)) == "SQRT_ZZ 0 1"


@pytest.mark.parametrize(
    "operation",
    [
        Operation("t", (0,)),
        Operation("tdg", (0,)),
        Operation("rz", (0,), (math.pi / 2 + 1e-8,)),
        Operation("rx", (0,), (0.3,)),
        Operation("u", (0,), (0.1, 0.2, 0.3)),
        Operation("gpi2", (0,), (math.pi / 8,)),
        Operation("cp", (0, 1), (math.pi / 2,)),
        Operation("rzz", (0, 1), (math.pi / 4,)),
        Operation("rxx", (0, 1), (1e-8,)),
        Operation("sqrt_iswap", (0, 1)),
        Operation("ccx", (0, 1, 2)),
    ],
    ids=lambda op: op.name,
)
def test_a_gate_that_is_not_clifford_is_named_in_the_error(operation: Operation) -> None:
    with pytest.raises(ProgramError, match=rf"Clifford.*{operation.name}"):
        to_stim(Program(3, 1, (operation,)))


def test_a_barrier_is_a_tick_and_idle_qubits_keep_their_number() -> None:
    program = Program(40, 1, (Operation("h", (33,)), barrier((33, 39)), measure(33, 0)))
    assert str(to_stim(program)) == "H 33\nTICK\nM 33"


def test_no_shots_make_empty_rows() -> None:
    program = Program(2, 5, (measure(1, 4),))
    assert stim_rows(np.zeros((0, 1), dtype=np.bool_), program).shape == (0, 5)


def test_two_threads_may_use_stim_for_the_first_time_at_once() -> None:
    code = (
        "import sys, threading\n"
        "sys.setswitchinterval(1e-6)\n"
        "from circuits.emitters.stim import to_stim\n"
        "from circuits.program import Operation, Program, measure\n"
        "program = Program(2, 2, (Operation('sx', (0,)), Operation('cz', (0, 1)), measure(0, 0)))\n"
        "start = threading.Barrier(2)\n"
        "def first(): start.wait(); to_stim(program).compile_sampler(seed=1).sample(10)\n"
        "thread = threading.Thread(target=first); thread.start()\n"
        "start.wait(); to_stim(program); thread.join(); print('done')\n"
    )
    for _ in range(4):
        done = subprocess.run(
            [sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True
        )
        assert done.stdout == "done\n"
