"""The stabilizer tableau: the one string that a Clifford program returns, at any width.

For records of circuits that nobody drew here: a program of Clifford gates whose every measured
bit is certain has its answer read off the tableau, in time that grows with the square of the
width. Families give their own answers (`circuits.mirror`); this checks them in tests.

Blind spot: no law for Clifford programs whose outcomes are random; they are simulated if narrow.
Source: Gottesman, arXiv:quant-ph/9807006; Aaronson and Gottesman, PRA 70, 052328 (2004); stim.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from circuits.emitters.stim import load_stim, to_stim
from circuits.errors import ProgramError
from circuits.program import MEASURE, Program, final_measurements

if TYPE_CHECKING:
    import stim


def certain_answer(program: Program) -> str | None:
    """Give the only string that a noiseless device can return.

    Args:
        program: Measurements at the end only, no reset; any width.

    Returns:
        Bit 0 rightmost, bits that nothing writes are 0; None where a gate is no Clifford or some
        measured bit is not certain.

    Raises:
        ProgramError: A measurement or reset in the middle.

    Example:
        >>> from circuits.program import Operation, measure
        >>> flipped = Operation("x", (1,)), Operation("cx", (1, 0))
        >>> certain_answer(Program(2, 3, (*flipped, measure(0, 0), measure(1, 2))))
        '101'
        >>> certain_answer(Program(1, 1, (Operation("h", (0,)), measure(0, 0))))
    """
    read = final_measurements(program)
    small, kept = program.compacted()
    gates = tuple(op for op in small.operations if op.name != MEASURE)
    try:
        circuit = to_stim(Program(small.num_qubits, small.num_bits, gates))
    except ProgramError:
        return None
    tableau: stim.TableauSimulator = load_stim().TableauSimulator()
    tableau.do(circuit)
    place = {old: new for new, old in enumerate(kept)}
    bits = ["0"] * program.num_bits
    for bit, qubit in read.items():
        sign = tableau.peek_z(place[qubit])
        if sign == 0:
            return None
        bits[-1 - bit] = "1" if sign < 0 else "0"
    return "".join(bits)
