"""Program -> stim.Circuit: Clifford programs only, at any width.

stim qubit j is q[j] (not compacted: sparse indices cost stim next to nothing). One-qubit gates are
recognised by their matrix, so any angles that amount to one of the 24 Cliffords are accepted;
`cp`, `rzz` and `rxx` need multiples of their Clifford angle. A barrier becomes a TICK.

Outcomes: stim records measurements in program order; `stim_rows` puts them on our bits.

Blind spot: a product of two non-Clifford gates that is Clifford (t t) is refused gate by gate.
"""

from __future__ import annotations

import math
import threading
from functools import cache, lru_cache
from types import ModuleType
from typing import TYPE_CHECKING

from circuits.counts import gather
from circuits.errors import ProgramError
from circuits.gates import GATES, matrix
from circuits.program import BARRIER, MEASURE, RESET, measurement_record

if TYPE_CHECKING:
    import numpy as np
    import stim
    from numpy.typing import NDArray

    from circuits.counts import Bits
    from circuits.gates import Matrix
    from circuits.program import Program

TOLERANCE = 1e-9
"""Largest deviation, in a matrix element or in radians, that still counts as Clifford."""

_FIRST_USE = threading.Lock()

_WORDS = {MEASURE: ("M {0}",), RESET: ("R {0}",)}
_TWO_QUBIT = {
    "cx": ("CX {0} {1}",),
    "cz": ("CZ {0} {1}",),
    "swap": ("SWAP {0} {1}",),
    "iswap": ("ISWAP {0} {1}",),
    "ecr": ("S {0}", "SQRT_X {1}", "CX {0} {1}", "X {0}"),
}
_TURNS: dict[str, tuple[float, tuple[tuple[str, ...], ...]]] = {
    "cp": (math.pi, ((), ("CZ {0} {1}",))),
    "rzz": (
        math.pi / 2,
        ((), ("SQRT_ZZ {0} {1}",), ("Z {0}", "Z {1}"), ("SQRT_ZZ_DAG {0} {1}",)),
    ),
    "rxx": (
        math.pi / 2,
        ((), ("SQRT_XX {0} {1}",), ("X {0}", "X {1}"), ("SQRT_XX_DAG {0} {1}",)),
    ),
}


@cache
def _loaded() -> ModuleType:
    import stim

    stim.gate_data("H").unitary_matrix  # noqa: B018 - see `load_stim`
    stim.Circuit("M 0").compile_sampler(seed=0).sample(1)
    module: ModuleType = stim
    return module


def load_stim() -> ModuleType:
    """Import stim so that threads may use it; everything of ours gets stim from here.

    Stim binds to numpy at its first exchange of arrays, under a C++ guard. Two threads that come
    there at once wait for each other for ever, one with the guard and one with the interpreter's
    lock (seen with stim 1.16: 21 of 25 tries). So the first exchange happens here, one thread at a
    time.

    Example:
        >>> load_stim() is load_stim()
        True
    """
    with _FIRST_USE:
        module: ModuleType = _loaded()
    return module


def to_stim(program: Program) -> stim.Circuit:
    """Write a Clifford program as a stim circuit.

    Raises:
        ProgramError: A gate that is not Clifford at its angles (tolerance 1e-9).

    Example:
        >>> from circuits.program import Operation, Program, measure
        >>> print(to_stim(Program(9, 1, (Operation("rx", (7,), (math.pi,)), measure(7, 0)))))
        X 7
        M 7
    """
    lines = []
    for op in program.operations:
        if op.name == BARRIER:
            lines.append("TICK")
            continue
        lines += [part.format(*op.qubits) for part in _instructions(op.name, op.angles)]
    circuit: stim.Circuit = load_stim().Circuit("\n".join(lines))
    return circuit


def stim_rows(samples: NDArray[np.bool_] | Bits, program: Program) -> Bits:
    """Put the measurement record of `to_stim(program)` on our bits.

    Args:
        samples: (shots x measurements), as `circuit.compile_sampler().sample(shots)` returns
            without `bit_packed`.
        program: The program that was emitted.

    Returns:
        (shots x bits), column i = c[i]; a bit written twice keeps the last value.

    Example:
        >>> from circuits.counts import Counts
        >>> from circuits.program import Operation, Program, measure
        >>> program = Program(2, 2, (Operation("x", (0,)), measure(0, 0), measure(1, 1)))
        >>> samples = to_stim(program).compile_sampler().sample(5)
        >>> Counts.from_rows(stim_rows(samples, program)).table
        {'01': 5}
    """
    return gather(samples, measurement_record(program), num_bits=program.num_bits)


@lru_cache(maxsize=4096)
def _instructions(name: str, angles: tuple[float, ...]) -> tuple[str, ...]:
    """Templates of stim instructions for one operation; `{k}` is operand k."""
    if name in _WORDS:
        return _WORDS[name]
    if name in _TWO_QUBIT:
        return _TWO_QUBIT[name]
    if name in _TURNS:
        unit, powers = _TURNS[name]
        if abs(math.remainder(angles[0], unit)) > TOLERANCE:
            raise ProgramError(
                f"stim runs Clifford gates only: {name} needs a multiple of {unit / math.pi:g} pi, "
                f"got {angles[0]!r}"
            )
        return powers[round(angles[0] / unit) % len(powers)]
    if GATES[name].num_qubits == 1:
        return (f"{_clifford_name(name, angles)} {{0}}",)
    raise ProgramError(f"stim runs Clifford gates only, got {name}")


def _clifford_name(name: str, angles: tuple[float, ...]) -> str:
    import numpy as np

    names, unitaries = _cliffords()
    ours = matrix(name, angles)
    overlaps = np.einsum("kij,ij->k", unitaries.conj(), ours)
    best = int(np.argmax(np.abs(overlaps)))
    phase = overlaps[best] / abs(overlaps[best])
    if np.max(np.abs(ours - phase * unitaries[best])) > TOLERANCE:
        shown = f"{name}({', '.join(map(repr, angles))})" if angles else name
        raise ProgramError(f"stim runs Clifford gates only, got {shown}")
    return names[best]


@cache
def _cliffords() -> tuple[tuple[str, ...], Matrix]:
    """Stim's own 24 one-qubit gates: names and (24 x 2 x 2) unitaries.

    Stim gives single precision; real and imaginary parts are snapped to the only sizes there are.
    """
    import numpy as np

    stim = load_stim()
    unitaries = {
        name: data.unitary_matrix
        for name, data in sorted(stim.gate_data().items())
        if data.is_unitary and data.is_single_qubit_gate
    }
    sizes = np.array([-1, -math.sqrt(0.5), -0.5, 0, 0.5, math.sqrt(0.5), 1])
    parts = np.array(list(unitaries.values()), dtype=np.complex128).view(np.float64)
    nearest = np.abs(parts[..., None] - sizes).argmin(axis=-1)
    return tuple(unitaries), np.ascontiguousarray(sizes[nearest]).view(np.complex128)
