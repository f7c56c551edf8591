"""What a bank is for, and what making one costs in time and memory.

Source of the memory per amplitude: qsim keeps one array of single precision; Aer keeps its state
and gives a copy of it in double precision.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from circuits.gates import GATES
from circuits.program import Program
from circuits.random_all import MAX_WIDTH, MIN_DEPTH, RandomAll
from circuits.topology import complete
from qsubnet.errors import BadInput
from validator.references.bank import levels_of
from validator.references.bank_subset import draw_subset

if TYPE_CHECKING:
    from validator.references.engines import Engine

LEAST_KEPT = 10
MOST_KEPT = 28
"""log2 of the strings kept of one entry unless told otherwise: 64 MiB of levels."""


@dataclass(frozen=True, slots=True)
class BankSpec:
    """What a bank is for.

    Attributes:
        id: Of the bank; part of every key.
        qubits: Width, 4 .. 34.
        depth: Two-qubit layers, at least 16.
        gates: Native gates of the devices that it is for, which couple every pair.
        entries: How many there will be.
        kept_bits: log2 of the number of strings kept of each.
        deadline_s: Seconds after dispatch in which an answer counts.
        secret_digest: SHA-256 (hex) of the secret.

    Raises:
        BadInput: A number is out of range.
    """

    id: str
    qubits: int
    depth: int
    gates: tuple[str, ...]
    entries: int
    kept_bits: int
    deadline_s: float
    secret_digest: str

    def __post_init__(self) -> None:
        if not LEAST_KEPT <= self.qubits <= MAX_WIDTH:
            raise BadInput(f"need {LEAST_KEPT} .. {MAX_WIDTH} qubits, got {self.qubits}")
        if self.depth < MIN_DEPTH or self.entries < 1:
            raise BadInput(
                f"need a depth of at least {MIN_DEPTH} and at least 1 entry, got {self.depth} and "
                f"{self.entries}"
            )
        if not LEAST_KEPT <= self.kept_bits <= self.qubits:
            raise BadInput(f"need {LEAST_KEPT} .. {self.qubits} kept bits, got {self.kept_bits}")
        if not self.deadline_s > 0 or set(self.gates) - set(GATES):
            raise BadInput(
                f"need a deadline above 0 s and gates of {', '.join(GATES)}, got "
                f"{self.deadline_s} and {', '.join(self.gates)}"
            )


def drawn(spec: BankSpec, key: bytes, *, width: int) -> Program:
    """Draw a circuit of a bank, or a narrower one like it."""
    topology = complete(width, spec.gates)
    return RandomAll().generate(key, width=width, depth=spec.depth, topology=topology).program


def gates_only(program: Program) -> Program:
    """Leave measurements and barriers out."""
    gates = tuple(op for op in program.operations if op.name in GATES)
    return Program(program.num_qubits, program.num_bits, gates)


def seconds_each(spec: BankSpec, engine: Engine, *, probe: int = 20) -> float:
    """Guess how long one entry takes, from narrower circuits of the same depth on this machine.

    Two widths separate what grows as 2**n from what does not; caches and memory are kinder to the
    narrow ones, so the guess is low rather than high.

    Args:
        spec: The bank.
        engine: Simulates.
        probe: Width of the larger of the two.
    """
    wide = min(probe, spec.qubits)
    narrow = max(LEAST_KEPT, wide - 4)
    taken = {}
    for width in (narrow, wide):
        program = gates_only(drawn(spec, b"probe", width=width))
        subset = draw_subset(b"probe", bits=width, kept=min(width, spec.kept_bits))
        begun = time.monotonic()
        (state,) = engine.states([program])
        simulated = time.monotonic()
        levels_of(state, subset)
        taken[width] = (simulated - begun, (time.monotonic() - simulated) / subset.size)
    work, sorting = taken[wide]
    grows = (wide << wide) - (narrow << narrow)
    slope = max(0.0, work - taken[narrow][0]) / grows if grows else work / (wide << wide)
    return (
        work
        + slope * ((spec.qubits << spec.qubits) - (wide << wide))
        + (sorting * (1 << spec.kept_bits))
    )


def bytes_needed(spec: BankSpec, engine: Engine) -> int:
    """Say how much main memory one entry takes at its peak: the state, and the levels twice.

    qsim holds 8 bytes an amplitude and gives them away; Aer 16, and copies them.
    """
    amplitude = 8 if engine.name == "qsim" else 32
    return (amplitude << spec.qubits) + ((1 << spec.kept_bits) // 2) + (1 << 28)


def bank_engine() -> Engine:
    """Pick what simulates: Aer on a GPU in single precision if one works, else qsim, else Aer.

    Raises:
        ModuleNotFoundError: Neither qsim nor Aer is installed.
    """
    from validator.references.engines import AerEngine, QsimEngine, gpu_engine

    gpu = gpu_engine(single=True)
    if gpu:
        return gpu
    try:
        return QsimEngine()
    except ModuleNotFoundError:
        return AerEngine(single=True)
