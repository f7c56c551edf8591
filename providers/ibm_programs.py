"""Our programs as a quantum program of IBM's executor, and its results as ours.

Nothing is transpiled: each program becomes one circuit item as wide as the device, with q[j] on
physical qubit j and its barriers where they stand. The executor runs circuits as they are; no
twirling, no dynamical decoupling, no mitigation is asked for.

Bit order: the executor returns a boolean array (shots x bits) for each classical register, column
i for bit i, which is ours.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from circuits.counts import Counts
from providers.base import ProgramResult, ResultKind
from providers.errors import AdapterFault

if TYPE_CHECKING:
    from circuits.program import Program

TAG = "qsubnet"
"""Where the passthrough data, which the service echoes, has the task's token."""


def quantum_program(programs: Sequence[Program], *, shots: int, width: int, token: str) -> Any:  # noqa: ANN401 - the SDK has no types
    """Write programs for the executor, one item each."""
    from qiskit_ibm_runtime import QuantumProgram

    from circuits.emitters.qiskit import to_qiskit

    written = QuantumProgram(shots=shots, passthrough_data={TAG: token})
    for program in programs:
        written.append_circuit_item(to_qiskit(replace(program, num_qubits=width)))
    return written


def program_results(
    result: Any,  # noqa: ANN401 - the SDK has no types
    programs: Sequence[Program],
    *,
    memory: bool,
) -> tuple[ProgramResult, ...]:
    """Read what the executor returned.

    Raises:
        AdapterFault: Another number of items, another register, or an array of another shape.
    """
    items = list(result)
    if len(items) != len(programs):
        raise AdapterFault(f"IBM gave {len(items)} results for {len(programs)} programs")
    return tuple(
        _one(item, program, memory=memory) for item, program in zip(items, programs, strict=True)
    )


def _one(item: Any, program: Program, *, memory: bool) -> ProgramResult:  # noqa: ANN401 - the SDK has no types
    rows: Any = dict(item).get("c")
    shape = tuple(getattr(rows, "shape", ()))
    if len(shape) != 2 or shape[1] != program.num_bits or rows.dtype != bool:
        raise AdapterFault(
            f"need booleans (shots x {program.num_bits}) in register c, IBM gave {sorted(item)} "
            f"with shape {shape}"
        )
    shots = None
    if memory:
        shots = tuple("".join("1" if bit else "0" for bit in reversed(row)) for row in rows)
    return ProgramResult(Counts.from_rows(rows), ResultKind.SHOTS, (), shots)
