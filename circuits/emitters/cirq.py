"""Program -> cirq.Circuit.

`cirq.LineQubit(j)` is q[j] (not compacted; qubits without an operation do not appear in the
circuit, so name a `qubit_order` when you ask for a state). A barrier starts a new moment for all
qubits. Global phase is dropped. `ecr`, which cirq lacks, is written in Clifford gates it has.

Outcomes: the k-th measurement of the program has the key `m<k>`, so that no sorting of keys and no
repeated key can permute bits; `cirq_rows` puts them on ours.
"""

from __future__ import annotations

import math
from functools import cache, partial
from typing import TYPE_CHECKING

from circuits.program import BARRIER, MEASURE, measurement_record

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import cirq

    from circuits.counts import Bits
    from circuits.program import Program

    Emit = Callable[[Sequence[float], Sequence[cirq.Qid]], list[cirq.Operation]]


def to_cirq(program: Program) -> cirq.Circuit:
    """Write a program as a cirq circuit.

    Example:
        >>> from circuits.program import Operation, Program, measure
        >>> print(to_cirq(Program(3, 1, (Operation("x", (2,)), measure(2, 0)))))
        2: ───X───M('m0')───
    """
    import cirq

    gates = _gates()
    segments: list[list[cirq.Operation]] = [[]]
    ordinal = 0
    for op in program.operations:
        if op.name == BARRIER:
            segments.append([])
        elif op.name == MEASURE:
            segments[-1].append(cirq.measure(cirq.LineQubit(op.qubits[0]), key=f"m{ordinal}"))
            ordinal += 1
        else:
            qubits = tuple(map(cirq.LineQubit, op.qubits))
            segments[-1] += gates[op.name](op.angles, qubits)
    return cirq.Circuit(moment for segment in segments for moment in cirq.Circuit(segment))


def cirq_rows(result: cirq.Result, program: Program) -> Bits:
    """Put the measurements of `to_cirq(program)` on our bits.

    Args:
        result: What a cirq sampler returned for one run of the emitted circuit.
        program: The program that was emitted.

    Returns:
        (shots x bits), column i = c[i], in the order of the shots; a bit that is never written
        reads 0, one written twice keeps the last value.

    Example:
        >>> import cirq
        >>> from circuits.program import Operation, Program, measure
        >>> program = Program(2, 3, (Operation("x", (0,)), measure(1, 0), measure(0, 2)))
        >>> cirq_rows(cirq.Simulator().run(to_cirq(program), repetitions=1), program)
        array([[0, 0, 1]], dtype=uint8)
    """
    import numpy as np

    rows = np.zeros((result.repetitions, program.num_bits), dtype=np.uint8)
    for bit, ordinal in measurement_record(program).items():
        rows[:, bit] = result.measurements[f"m{ordinal}"][:, 0]
    return rows


@cache
def _gates() -> dict[str, Emit]:
    """For each gate of the profile, cirq's operations from (angles, qubits)."""
    import cirq

    fixed: dict[str, cirq.Gate] = {
        "id": cirq.I,
        "x": cirq.X,
        "y": cirq.Y,
        "z": cirq.Z,
        "h": cirq.H,
        "s": cirq.S,
        "sdg": cirq.ZPowGate(exponent=-0.5),
        "t": cirq.T,
        "tdg": cirq.ZPowGate(exponent=-0.25),
        "sx": cirq.XPowGate(exponent=0.5),
        "sxdg": cirq.XPowGate(exponent=-0.5),
        "cx": cirq.CX,
        "cz": cirq.CZ,
        "swap": cirq.SWAP,
        "iswap": cirq.ISWAP,
        "sqrt_iswap": cirq.SQRT_ISWAP,
        "ccx": cirq.CCX,
        "reset": cirq.ResetChannel(),
    }
    turned: dict[str, Callable[..., cirq.Gate]] = {
        "rx": cirq.rx,
        "ry": cirq.ry,
        "rz": cirq.rz,
        "p": lambda a: cirq.ZPowGate(exponent=a / math.pi),
        "u": _u,
        "prx": _prx,
        "gpi": lambda a: _prx(math.pi, a),
        "gpi2": lambda a: _prx(math.pi / 2, a),
        "cp": lambda a: cirq.CZPowGate(exponent=a / math.pi),
        "rzz": lambda a: cirq.ZZPowGate(exponent=a / math.pi),
        "rxx": lambda a: cirq.XXPowGate(exponent=a / math.pi),
    }
    table: dict[str, Emit] = {"ecr": _ecr}
    for name, gate in fixed.items():
        table[name] = partial(_fixed, gate)
    for name, kind in turned.items():
        table[name] = partial(_turned, kind)
    return table


def _fixed(gate: cirq.Gate, _: Sequence[float], qubits: Sequence[cirq.Qid]) -> list[cirq.Operation]:
    return [gate.on(*qubits)]


def _turned(
    kind: Callable[..., cirq.Gate], angles: Sequence[float], qubits: Sequence[cirq.Qid]
) -> list[cirq.Operation]:
    return [kind(*angles).on(*qubits)]


def _u(theta: float, phi: float, lam: float) -> cirq.Gate:
    """U = Rz(phi) Ry(theta) Rz(lam), as cirq's Z**z Z**a X**x Z**-a."""
    import cirq

    return cirq.PhasedXZGate(
        x_exponent=theta / math.pi,
        z_exponent=(phi + lam) / math.pi,
        axis_phase_exponent=0.5 - lam / math.pi,
    )


def _prx(theta: float, phi: float) -> cirq.Gate:
    import cirq

    return cirq.PhasedXPowGate(exponent=theta / math.pi, phase_exponent=phi / math.pi)


def _ecr(_: Sequence[float], qubits: Sequence[cirq.Qid]) -> list[cirq.Operation]:
    import cirq

    first, second = qubits
    root = cirq.XPowGate(exponent=0.5)
    return [cirq.S(first), root(second), cirq.CX(first, second), cirq.X(first)]
