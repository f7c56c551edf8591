"""Azure's targets by their maker: what each takes, how it is told not to optimise, what it gives.

A target that is not here is refused with the reason, never tried.
Source: azure-quantum 3.13.0 (`target.IonQ`, `target.Quantinuum`, `target.rigetti`, `qiskit.job`),
Quantinuum's API options (no-opt, no-reduce, tket-opt-level), Microsoft's page on IonQ (debias).
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from circuits.counts import Counts
from providers.azure_texts import QASM_GATES, QUIL_GATES, check_native, check_quil, openqasm2, quil
from providers.base import ProgramResult, ResultKind
from providers.errors import AdapterFault, Rejected
from providers.ionq_gates import check, circuit, width
from providers.ionq_results import from_machine, from_simulator
from providers.rest import entries, item

if TYPE_CHECKING:
    from circuits.draws import Draws
    from circuits.program import Program
    from providers.base import Json

    Read = Callable[[Json, Program, int, Draws], ProgramResult]

IONQ_SIMULATOR = "ionq.simulator"


@dataclass(frozen=True, slots=True)
class Format:
    """How to talk to one maker's targets.

    Attributes:
        provider: Azure's word for the maker.
        takes: Of the input.
        gives: Of the output.
        kind: The input's media type.
        machine: Real hardware, by the target's name.
        gates: Our gates that it has as its own; empty where it takes all of ours.
        check: Raises Rejected where a program cannot be written.
        write: The program as the target takes it.
        read: (content, program, shots asked, draws) -> result.
        params: Beside the shots, what tells the target to run the circuit as it stands.
    """

    provider: str
    takes: str
    gives: str
    kind: str
    machine: bool
    gates: tuple[str, ...]
    check: Callable[[Program], None]
    write: Callable[[Program], bytes]
    read: Read
    params: Mapping[str, Json] = field(default_factory=dict)


def format_of(target: str) -> Format:
    """Choose by the target's name.

    Raises:
        Rejected: Nothing here speaks to it.

    Example:
        >>> format_of("quantinuum.qpu.h2-1").takes
        'honeywell.openqasm.v1'
        >>> format_of("rigetti.sim.qvm")
        Traceback (most recent call last):
        ...
        providers.errors.Rejected: azure target 'rigetti.sim.qvm' is not among those that can be \
run as they stand: ionq.simulator, ionq.qpu.*, quantinuum.qpu.*, quantinuum.sim.*e, rigetti.qpu.*
    """
    if target == IONQ_SIMULATOR or target.startswith("ionq.qpu"):
        return _ionq(native=target != IONQ_SIMULATOR)
    if target.startswith("quantinuum.qpu.") or (
        target.startswith("quantinuum.sim.") and target.endswith("e")
    ):
        return _quantinuum(machine=".qpu." in target)
    if target.startswith("rigetti.qpu."):
        return _rigetti()
    raise Rejected(
        f"azure target {target[:80]!r} is not among those that can be run as they stand: "
        "ionq.simulator, ionq.qpu.*, quantinuum.qpu.*, quantinuum.sim.*e, rigetti.qpu.*"
    )


def _ionq(*, native: bool) -> Format:
    def write(program: Program) -> bytes:
        gates: list[Json] = [*circuit(program, native=native)]
        gateset = "native" if native else "qis"
        return json.dumps({"gateset": gateset, "qubits": width(program), "circuit": gates}).encode()

    def read(content: Json, program: Program, shots: int, draws: Draws) -> ProgramResult:
        histogram = item(content, "histogram", vendor="azure")
        if native:
            return from_machine(histogram, program, shots=shots)
        return from_simulator(histogram, program, shots=shots, draws=draws)

    return Format(
        "ionq",
        "ionq.circuit.v1",
        "ionq.quantum-results.v1",
        "application/json",
        machine=native,
        gates=("gpi", "gpi2", "rxx", "rzz") if native else (),
        check=lambda program: check(program, native=native),
        write=write,
        read=read,
        params={"error-mitigation": {"debias": False}} if native else {},
    )


def _quantinuum(*, machine: bool) -> Format:
    return Format(
        "quantinuum",
        "honeywell.openqasm.v1",
        "honeywell.quantum-results.v1",
        "application/qasm",
        machine=machine,
        gates=tuple(sorted(QASM_GATES)),
        check=lambda program: check_native(program, QASM_GATES, machine="Quantinuum"),
        write=lambda program: openqasm2(program).encode(),
        read=_from_registers,
        params={"no-opt": True, "no-reduce": True, "tket-opt-level": None},
    )


def _rigetti() -> Format:
    return Format(
        "rigetti",
        "rigetti.quil.v1",
        "rigetti.quil-results.v1",
        "text/plain",
        machine=True,
        gates=tuple(sorted(QUIL_GATES)),
        check=check_quil,
        write=lambda program: quil(program).encode(),
        read=_from_readout,
        params={"skipQuilc": True},
    )


def _from_registers(content: Json, program: Program, _shots: int, _draws: Draws) -> ProgramResult:
    """Read {"c0": ["0", "1", ...], ...}: one register a bit, one text a shot."""
    written = sorted({op.bit for op in program.operations if op.bit is not None})
    columns = {
        bit: [str(one) for one in entries(item(content, f"c{bit}", vendor="azure"), vendor="azure")]
        for bit in written
    }
    if len({len(column) for column in columns.values()}) > 1:
        raise AdapterFault("azure: registers of one result differ in their number of shots")
    memory, lost = [], 0
    for shot in zip(*columns.values(), strict=True):
        if set(shot) - {"0", "1"}:
            lost += 1
            continue
        memory.append(_placed(dict(zip(columns, shot, strict=True)), program.num_bits))
    steps = (f"{lost} shots with a lost qubit dropped",) if lost else ()
    return _in_order(memory, program, steps)


def _from_readout(content: Json, program: Program, _shots: int, _draws: Draws) -> ProgramResult:
    """Read {"ro": [[0, 1], ...]}: one row a shot, column i is ro[i]."""
    memory = []
    for row in entries(item(content, "ro", vendor="azure"), vendor="azure"):
        bits = entries(row, vendor="azure")
        if len(bits) != program.num_bits or any(bit not in (0, 1) for bit in bits):
            raise AdapterFault(
                f"azure: need {program.num_bits} bits a shot in ro, got {str(row)[:80]}"
            )
        memory.append("".join(str(bit) for bit in reversed(bits)))
    return _in_order(memory, program, ())


def _placed(values: Mapping[int, str], num_bits: int) -> str:
    return "".join(values.get(bit, "0") for bit in reversed(range(num_bits)))


def _in_order(memory: list[str], program: Program, steps: tuple[str, ...]) -> ProgramResult:
    counts = Counts(program.num_bits, dict(Counter(memory)))
    return ProgramResult(counts, ResultKind.SHOTS, steps, tuple(memory))
