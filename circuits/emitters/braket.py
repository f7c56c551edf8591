"""Program -> braket.circuits.Circuit.

Braket qubit j is q[j] (not compacted). Braket measures each qubit once and at the end, has no
reset and one unnamed register: a program that needs more is refused. A barrier stays a barrier; a
device that rewrites circuits needs a verbatim box besides, which is its adapter's business.

Outcomes: Braket's columns follow `measured_qubits`, leftmost first, not the register; `braket_rows`
puts samples on our bits and `braket_probabilities` an exact distribution. For the latter emit with
`braket_gates` and ask for `probability()` of ALL qubits, without targets: for permuted targets the
local simulator answers in another order than asked (seen in 1.127).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

from circuits.counts import gather
from circuits.errors import ProgramError
from circuits.program import BARRIER, MEASURE, final_measurements

if TYPE_CHECKING:
    import numpy as np
    from braket.circuits import Circuit
    from numpy.typing import NDArray

    from circuits.counts import Bits
    from circuits.program import Operation, Program

_METHODS = {
    "id": "i",
    "sdg": "si",
    "tdg": "ti",
    "sx": "v",
    "sxdg": "vi",
    "p": "phaseshift",
    "cx": "cnot",
    "sqrt_iswap": "xy",
    "cp": "cphaseshift",
    "rzz": "zz",
    "rxx": "xx",
    "ccx": "ccnot",
}


def to_braket(program: Program) -> Circuit:
    """Write a program as a Braket circuit with its measurements at the end.

    Raises:
        ProgramError: A reset, a gate after a measurement of its qubit, or no measurement at all
            (Braket would then measure everything).

    Example:
        >>> from circuits.program import Operation, Program, measure
        >>> circuit = to_braket(Program(3, 2, (Operation("x", (2,)), measure(2, 0), measure(0, 1))))
        >>> [(i.operator.name, list(map(int, i.target))) for i in circuit.instructions]
        [('X', [2]), ('Measure', [2]), ('Measure', [0])]
    """
    from braket.circuits import Circuit

    measured = list(dict.fromkeys(final_measurements(program).values()))
    if not measured:
        raise ProgramError("program measures nothing, need at least one measurement")
    circuit = Circuit()
    for op in program.operations:
        if op.name != MEASURE:
            _append(circuit, op)
    for qubit in measured:
        circuit.measure(qubit)
    return circuit


def braket_gates(program: Program) -> Circuit:
    """Write a program without its measurements, touching every qubit 0 .. `num_qubits` - 1.

    Add one result type to it (`probability()`, `state_vector()`), index bit of q[0] leftmost.

    Raises:
        ProgramError: As `to_braket`, but for a program that measures nothing.
    """
    from braket.circuits import Circuit

    final_measurements(program)
    circuit = Circuit()
    for qubit in range(program.num_qubits):
        circuit.i(qubit)
    for op in program.operations:
        if op.name != MEASURE:
            _append(circuit, op)
    return circuit


def braket_rows(
    measurements: NDArray[np.integer], measured_qubits: Sequence[int], program: Program
) -> Bits:
    """Put Braket's samples on our bits.

    Args:
        measurements: `result.measurements`, (shots x measured qubits).
        measured_qubits: `result.measured_qubits`, the qubit of each column.
        program: The program that was emitted.

    Returns:
        (shots x bits), column i = c[i], in the order of the shots; a bit never written reads 0.

    Raises:
        ProgramError: A qubit that the program measures is missing in the result.

    Example:
        >>> import numpy as np
        >>> from circuits.program import Operation, Program, measure
        >>> program = Program(3, 3, (Operation("x", (2,)), measure(2, 0), measure(0, 1)))
        >>> braket_rows(np.array([[0, 1]]), [0, 2], program)
        array([[1, 0, 0]], dtype=uint8)
    """
    column = {int(qubit): place for place, qubit in enumerate(measured_qubits)}
    reads = final_measurements(program)
    missing = sorted(set(reads.values()) - set(column))
    if missing:
        raise ProgramError(f"result lacks measured qubits {missing}, it has {sorted(column)}")
    columns = {bit: column[qubit] for bit, qubit in reads.items()}
    return gather(measurements, columns, num_bits=program.num_bits)


def braket_probabilities(
    values: NDArray[np.float64], program: Program
) -> tuple[Bits, NDArray[np.float64]]:
    """Put an exact distribution over all qubits on our bits.

    Args:
        values: What `probability()` on `braket_gates(program)` returned: 2**num_qubits numbers, the
            index bit of q[0] most significant.
        program: The program that was emitted.

    Returns:
        (outcomes x bits) array, column i = c[i], in ascending order of the bitstring, each outcome
        once; and their probabilities, normalised to 1. Outcomes below 1e-15 are dropped.

    Example:
        >>> import numpy as np
        >>> from circuits.program import Program, measure
        >>> rows, p = braket_probabilities(np.array([0, 0.25, 0, 0.75]), Program(2, 2, (
        ...     measure(0, 0), measure(1, 1))))
        >>> rows.tolist(), p.tolist()
        ([[0, 1], [1, 1]], [0.25, 0.75])
    """
    import numpy as np

    index = np.flatnonzero(np.asarray(values) > _NOISE)
    top = program.num_qubits - 1
    reads = final_measurements(program)
    columns = {bit: place for place, bit in enumerate(reads)}
    samples = np.array([index >> (top - qubit) & 1 for qubit in reads.values()], dtype=np.uint8)
    rows = gather(samples.reshape(len(reads), -1).T, columns, num_bits=program.num_bits)
    outcomes, owner = np.unique(rows[:, ::-1], axis=0, return_inverse=True)
    p = np.bincount(owner.reshape(-1), weights=np.asarray(values)[index])
    return outcomes[:, ::-1], p / p.sum()


_NOISE = 1e-15


def _append(circuit: Circuit, op: Operation) -> None:
    if op.name == BARRIER:
        circuit.barrier(list(op.qubits))
        return
    angles = (math.pi / 2,) if op.name == "sqrt_iswap" else op.angles
    method = getattr(circuit, _METHODS.get(op.name, op.name))
    method(*op.qubits, *angles)
