"""Process fidelity of one circuit by mirror circuit fidelity estimation.

The circuit is the user's, compiled to the device, or a random brickwork that stands for one. All
mirrors are randomizations of this one circuit.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from circuits.case import KnownAnswer
from circuits.mcfe import traps
from circuits.program import BARRIER, Operation, Program
from circuits.twins import Twins
from providers.base import DeviceClass, ErrorRates
from qsubnet.errors import BadInput
from qsubnet.gateway.compiling import compile_for
from qsubnet.measuring.figure import CONFIDENCE, Figure
from qsubnet.measuring.wish import widest
from validator.estimators.mcfe import mcfe
from validator.estimators.mirror import MirrorAnswer, mirror_answer

if TYPE_CHECKING:
    from circuits.case import Case
    from providers.base import Device, Json
    from qsubnet.measuring.subject import Answer, Subject
    from qsubnet.measuring.wish import Wish

TRAP: Final = (
    "It assumes an inverse as noisy as the circuit, and a device that spoils the two reference "
    "ensembles raises it."
)
WHOLE_TRAP: Final = (
    "It holds preparation, readout and the inverse as well, so it lies below the circuit's own "
    "fidelity."
)
USUAL_WIDTH: Final = 5
USUAL_DEPTH: Final = 4


async def measure_mcfe(subject: Subject, wish: Wish) -> list[Figure]:
    """Measure the wish's program, or a random circuit of 5 qubits and 4 layers unless told."""
    program = _program(subject, wish)
    topology = subject.device.topology
    drawn = [traps(subject.key("mcfe", k), program, topology) for k in range(wish.circuits)]
    ensembles = [[one.m1 for one in drawn], [one.m2 for one in drawn], [one.m3 for one in drawn]]
    names = ("the circuit", "the inverse", "the ends")
    circuit, inverse, ends = [
        await _answers(subject, cases, f"mcfe, mirrors of {name}")
        for name, cases in zip(names, ensembles, strict=True)
    ]
    found = mcfe(circuit=circuit, inverse=inverse, ends=ends, confidence=CONFIDENCE)
    used = [*circuit, *inverse, *ends]
    width = len(program.used_qubits)
    of = f"{width} qubits, {program.two_qubit_gates} two-qubit gates"
    about: dict[str, Json] = {
        "width": width,
        "two_qubit_gates": program.two_qubit_gates,
        "program": program.digest,
    }
    shots = sum(answer.shots for answer in used)
    bounds = None if found.reason else found.fidelity
    whole = found.paid if circuit else None
    return [
        Figure("gamma", of, found.gamma, len(used), shots, TRAP, found.reason, about),
        Figure("process fidelity", of, bounds, len(used), shots, TRAP, found.reason, about),
        Figure(
            "process fidelity of the whole mirror",
            of,
            whole,
            len(circuit),
            sum(answer.shots for answer in circuit),
            WHOLE_TRAP,
            "the lower end never rises when an answer gets worse",
            about,
        ),
    ]


def _program(subject: Subject, wish: Wish) -> Program:
    if wish.program is not None:
        if wish.widths or wish.depths:
            raise BadInput("--width and --depth are those of a random circuit, not with --circuit")
        return directed(subject.device, wish.program)
    width = wish.only_width(min(widest(subject.device), USUAL_WIDTH))
    depth = wish.only_depth(USUAL_DEPTH)
    case = Twins().generate(
        subject.key("mcfe", "circuit"),
        width=width,
        depth=depth,
        topology=subject.device.topology,
    )
    return case.program


def directed(device: Device, program: Program) -> Program:
    """Compile a program, every two-qubit gate in its coupling's direction, as mirrors need it.

    Raises:
        BadInput: See `qsubnet.gateway.compiling.compile_for`.
    """
    topology = device.topology
    edges = set(topology.edges)
    n = topology.num_qubits
    exact = ErrorRates((0.0,) * n, (0.0,) * len(edges), (0.0,) * n)
    # For a simulator that couples every pair the compiler would not look at directions.
    machine = replace(device, device_class=DeviceClass.QPU, errors=device.errors or exact)
    compiled = compile_for(machine, program)
    operations = tuple(
        Operation(op.name, op.qubits[::-1], op.angles)  # a gate that knows no direction
        if len(op.qubits) == 2 and op.qubits not in edges and op.qubits[::-1] in edges
        else op
        for op in compiled.operations
        if op.name != BARRIER
    )
    return Program(n, compiled.num_bits, operations)


async def _answers(subject: Subject, cases: list[Case], what: str) -> list[MirrorAnswer]:
    answers: list[Answer | None] = await subject.answers(
        [case.program for case in cases], what=what
    )
    return [
        mirror_answer(answer, target=case.answer.bits)
        for case, answer in zip(cases, answers, strict=True)
        if answer is not None and isinstance(case.answer, KnownAnswer)
    ]
