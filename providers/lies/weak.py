"""Lies of engines that cannot run what is asked: every gate is turned into the nearest Clifford."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import TYPE_CHECKING

from circuits.program import Operation, Program
from circuits.topology import complete
from providers.engines import run_circuit
from providers.lies.answer import Answer
from providers.noise import place

if TYPE_CHECKING:
    from circuits.counts import Bits
    from circuits.draws import Draws
    from providers.options import Options
    from providers.standin import StandIn

_HALF = math.pi / 2
_STEPS = {"gpi": math.pi / 4, "cp": math.pi}
"""Angles of Clifford gates are whole multiples of this; of a quarter turn for the other gates."""

_INSTEAD: dict[str, tuple[str, ...]] = {
    "t": (),
    "tdg": (),
    "ccx": (),
    "sqrt_iswap": ("iswap",),
}


def clifford_only(claimed: StandIn, _read: Options) -> Answer:
    """The honest machine, on the rounded circuit."""

    def answer(program: Program, shots: int, draws: Draws) -> Bits:
        return claimed.run(rounded_gates(program), shots=shots, draws=draws)

    return answer


def clifford_simulator(_read: Options) -> Answer:
    """A stabilizer simulator without noise, on the rounded circuit."""

    def answer(program: Program, shots: int, draws: Draws) -> Bits:
        nothing = complete(program.num_qubits, ())
        circuit = place(rounded_gates(program), nothing, None)
        return run_circuit(circuit, shots=shots, draws=draws)

    return answer


def rounded_gates(program: Program) -> Program:
    """Round every angle to a Clifford's; t, tdg and ccx vanish, sqrt_iswap becomes iswap.

    Example:
        >>> turned = Program(1, 1, (Operation("rz", (0,), (1.4,)), Operation("t", (0,))))
        >>> [(op.name, round(op.angles[0], 3)) for op in rounded_gates(turned).operations]
        [('rz', 1.571)]
    """
    return Program(program.num_qubits, program.num_bits, tuple(_rounded(program)))


def _rounded(program: Program) -> Iterator[Operation]:
    for op in program.operations:
        if op.name in _INSTEAD:
            yield from (Operation(name, op.qubits) for name in _INSTEAD[op.name])
        elif op.angles:
            step = _STEPS.get(op.name, _HALF)
            yield Operation(op.name, op.qubits, tuple(round(a / step) * step for a in op.angles))
        else:
            yield op
