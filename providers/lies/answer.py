"""What every lie is: a function from programs to shots, and the chance that it draws from."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from circuits.counts import Bits
    from circuits.draws import Draws
    from circuits.program import Program
    from providers.options import Options
    from providers.standin import StandIn

Answer = Callable[["Program", int, "Draws"], "Bits"]
"""(program, shots, draws) -> (shots x num_bits), column i = c[i]."""

Make = Callable[["StandIn", "Options"], Answer]
"""(machine that is claimed, options of this lie) -> answer."""

Simulate = Callable[["Options"], Answer]
"""Options of this lie -> answer of what is sold as an exact simulator."""


def generator(draws: Draws) -> np.random.Generator:
    """Seed numpy's chance from a stream, which advances.

    Example:
        >>> from circuits.draws import Draws
        >>> a, b = (generator(Draws(b"key")).integers(1000) for _ in range(2)); bool(a == b)
        True
    """
    return np.random.Generator(np.random.PCG64(draws.integer(2**128)))


def written(program: Program) -> list[int]:
    """The bits that some measurement writes, ascending; the others read 0."""
    return sorted({op.bit for op in program.operations if op.bit is not None})


def coins(program: Program, shots: int, draws: Draws) -> Bits:
    """Flip a fair coin for every bit that is measured.

    Example:
        >>> from circuits.draws import Draws
        >>> from circuits.program import Program, measure
        >>> coins(Program(1, 3, (measure(0, 1),)), 400, Draws(b"key")).any(axis=0).tolist()
        [False, True, False]
    """
    rows = np.zeros((shots, program.num_bits), dtype=np.uint8)
    bits = written(program)
    rows[:, bits] = generator(draws).integers(0, 2, (shots, len(bits)), dtype=np.uint8)
    return rows
