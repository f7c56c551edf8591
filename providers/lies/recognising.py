"""Lies that look at the circuit first: honest where they feel watched, or solving the riddle."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from circuits.gates import GATES
from circuits.program import BARRIER, MEASURE, Program
from providers.lies.answer import Answer, coins
from providers.lies.blends import flipped
from providers.lies.promise import sheet_flips
from providers.stabilizer import is_clifford

if TYPE_CHECKING:
    from circuits.counts import Bits
    from circuits.draws import Draws
    from providers.options import Options
    from providers.standin import StandIn


def selective(claimed: StandIn, read: Options) -> Answer:
    """Honest on circuits that look like tests, coin flips on all others.

    Option `recognises`: "palindromes" (`is_palindrome`) or "fences" (`is_fenced`).
    """
    signs: dict[str, Callable[[Program], bool]] = {
        "fences": is_fenced,
        "palindromes": is_palindrome,
    }
    is_test = signs[read.word("recognises", "palindromes", signs)]

    def answer(program: Program, shots: int, draws: Draws) -> Bits:
        if is_test(program):
            return claimed.run(program, shots=shots, draws=draws)
        return coins(program, shots, draws)

    return answer


def mirror_solver(claimed: StandIn, _read: Options) -> Answer:
    """The solved answer of every mirror with flips at the sheet's rates, coin flips else."""

    def answer(program: Program, shots: int, draws: Draws) -> Bits:
        if not (is_palindrome(program) and is_clifford(program)):
            return coins(program, shots, draws)
        solved = claimed.ideal(program, shots=shots, draws=draws.child("solved"))
        return flipped(solved, sheet_flips(claimed.device, program), draws)

    return answer


def is_palindrome(program: Program) -> bool:
    """Tell whether the layers of two-qubit gates read the same backwards; no such gates do.

    A layer is what stands between two gates that share a qubit or two barriers.

    Example:
        >>> from circuits.program import Operation, barrier
        >>> there, back = Operation("cz", (0, 1)), Operation("cz", (1, 2))
        >>> fence = barrier(range(3))
        >>> [is_palindrome(Program(3, 1, ops)) for ops in ((there, back, there), (there, back))]
        [True, False]
    """
    layers: list[set[frozenset[int]]] = [set()]
    for op in program.operations:
        pair = op.name in GATES and len(op.qubits) == 2
        busy = {qubit for gate in layers[-1] for qubit in gate}
        if layers[-1] and (op.name == BARRIER or (pair and busy.intersection(op.qubits))):
            layers.append(set())
        if pair:
            layers[-1].add(frozenset(op.qubits))
    filled = [layer for layer in layers if layer]
    return filled == filled[::-1]


def is_fenced(program: Program) -> bool:
    """Tell whether a barrier over every qubit in use stands before the measurements.

    Example:
        >>> from circuits.program import Operation, barrier, measure
        >>> x, read = Operation("x", (0,)), measure(0, 0)
        >>> [is_fenced(Program(1, 1, ops)) for ops in ((x, barrier([0]), read), (x, read))]
        [True, False]
    """
    gates = [op for op in program.operations if op.name != MEASURE]
    last = gates[-1] if gates else None
    return last is not None and last.name == BARRIER and set(program.used_qubits) <= {*last.qubits}
