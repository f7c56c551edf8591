"""Traps: mirror circuits made of a given user circuit, which bound how well that circuit runs.

Test T5, mirror circuit fidelity estimation. For a circuit C in native gates, in order of time:

    M1 = L  C   inv(C)  L^-1      C itself, gate by gate, then its randomized inverse
    M2 = L  C'  inv(C') L^-1      C randomized too
    M3 = L  L^-1                  the ends alone

L is a layer of independent uniformly random one-qubit Cliffords, L^-1 ends in random Paulis, and
randomized means a fresh random Pauli frame through every one-qubit layer (`circuits.frames`), which
also takes up what the inverse of a two-qubit gate lacks. Without noise the whole is a Pauli, whose
X part is the answer, uniform over all strings. The three are drawn independently.

With S the mirror polarization (`circuits.mirror`), gamma = E[S(M1)] / sqrt(E[S(M2)] E[S(M3)])
estimates the process polarization of C: M1 holds C, an inverse and the ends, M2 two of the
randomized form and the ends, M3 the ends; F = 1 - (4^n - 1)(1 - gamma)/4^n.

Assumes: Clifford two-qubit gates; noise that does not depend on which one-qubit turns a layer has;
the randomized forward half is as noisy as the inverse.
Blind spot: the palindrome shows to whoever looks; spoiling M2 or M3 raises gamma, so pay on S(M1),
which is a lower proxy, and report gamma.
Source: Proctor et al., arXiv:2204.07568.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Final, Literal

from circuits.brickwork import random_gate
from circuits.case import Case, KnownAnswer
from circuits.cliffords import CLIFFORDS, ENTANGLERS
from circuits.draws import Draws
from circuits.errors import FamilyError
from circuits.frames import Frame, Skeleton, framed_layers, skeleton
from circuits.layout import connected_qubits, disjoint_edges
from circuits.native import two_qubit
from circuits.program import BARRIER, MEASURE, Operation, Program, barrier, measure
from circuits.topology import Topology
from circuits.verbatim import Layer, clifford_on_qubit, verbatim_program

MAX_DEPTH = 1024
_MIN_WIDTH = 2

Kind = Literal["trap", "trap_m2", "trap_m3"]
"""Which of the three: M1, M2 or M3; also the case's family."""


@dataclass(frozen=True, slots=True)
class Traps:
    """The three mirror circuits of one user circuit.

    Attributes:
        m1: The circuit itself and its randomized inverse.
        m2: Both randomized.
        m3: The ends alone.
    """

    m1: Case
    m2: Case
    m3: Case


def traps(key: bytes, program: Program, topology: Topology) -> Traps:
    """Draw one of each kind for a user's circuit.

    Args:
        key: Secret until the answers are in; another key gives other frames and answers.
        program: Verbatim, in native gates: one-qubit gates of any kind, Clifford two-qubit gates
            on edges, barriers, and measurements at the end. Which of its qubits are measured, and
            into which bits, does not matter: a trap reads all that it uses, ascending.
        topology: The device.

    Returns:
        Cases with `KnownAnswer`; the depth of each is the number of two-qubit layers of `program`.

    Raises:
        FamilyError: A gate that does not fit (see `circuits.frames.skeleton`), or no supported
            one-qubit gates.
        ProgramError: A measurement or reset in the middle.

    Example:
        >>> line = Topology(2, ((0, 1),), ("cz", "rz", "sx"))
        >>> user = Program(2, 1, (Operation("sx", (0,)), Operation("cz", (0, 1)), measure(0, 0)))
        >>> found = traps(b"key", user, line)
        >>> [case.program.two_qubit_gates for case in (found.m1, found.m2, found.m3)]
        [2, 2, 0]
        >>> found.m1.answer.bits
        '11'
    """
    return Traps(
        _trap("trap", key, program, topology),
        _trap("trap_m2", key, program, topology),
        _trap("trap_m3", key, program, topology),
    )


def _trap(kind: Kind, key: bytes, program: Program, topology: Topology) -> Case:
    circuit = skeleton(program, topology)
    qubits = circuit.qubits
    if not qubits:
        raise FamilyError("need a program that uses a qubit, got one that uses none")
    draws = Draws(key, kind, program.digest)
    ends, last = draws.child("ends"), draws.child("last")
    start = {qubit: ends.integer(len(CLIFFORDS)) for qubit in qubits}
    frame = dict.fromkeys(qubits, 0)
    native = topology.native_gates
    layers: list[Layer] = [[op for q in qubits for op in clifford_on_qubit(native, start[q], q)]]
    layers.extend(_middle(kind, circuit, frame, draws, program, topology))
    finish: list[Operation] = []
    bits = ""
    for qubit in qubits:
        back, pauli = CLIFFORDS[start[qubit]].inverse, last.integer(4)
        finish += clifford_on_qubit(native, CLIFFORDS[back].then[pauli], qubit)
        bits = str((CLIFFORDS[back].images[frame[qubit]] ^ pauli) & 1) + bits
    written = verbatim_program(topology, qubits, [*layers, finish])
    return Case(kind, len(qubits), len(circuit.gates), qubits, written, KnownAnswer(bits))


def _middle(
    kind: Kind, circuit: Skeleton, frame: Frame, draws: Draws, program: Program, topology: Topology
) -> Iterator[Layer]:
    """Write what stands between the ends; `frame` is then the Pauli that is left."""
    if kind == "trap_m3":
        return
    if kind == "trap_m2":
        yield from framed_layers(circuit, frame, draws.child("forward"), topology)
    else:
        yield _as_it_is(program, circuit.qubits)
    yield from framed_layers(circuit.inverted(), frame, draws.child("backward"), topology)


def _as_it_is(program: Program, qubits: tuple[int, ...]) -> list[Operation]:
    """The user's own operations; barriers do not reach qubits that nothing uses."""
    inside = set(qubits)
    gates = (op for op in program.operations if op.name != MEASURE)
    fitted = (
        barrier(qubit for qubit in op.qubits if qubit in inside) if op.name == BARRIER else op
        for op in gates
    )
    return [op for op in fitted if op.qubits]


class Trap:
    """Traps of a random circuit, so that they can be planned without a user; one `kind` each.

    The circuit stands for a user's: on a random connected set of qubits, `depth` times a
    Haar-random gate on a random half of the qubits and the native two-qubit gate on a random
    maximal set of disjoint edges, all qubits measured. Its traps have no barrier either, so that
    nothing but the palindrome tells them from users' jobs. The three kinds make the same circuit of
    the same key.

    Args:
        kind: Which of M1, M2 and M3.
    """

    def __init__(self, kind: Kind) -> None:
        self.name: Final = kind

    def generate(self, key: bytes, *, width: int, depth: int, topology: Topology) -> Case:
        """Draw a circuit and one trap of it.

        Args:
            key: Secret until the answer is in.
            width: Qubits, 2 .. the largest connected part of the device.
            depth: Two-qubit layers of the circuit as drawn, 1 .. 1024.
            topology: The device.

        Returns:
            A case with `KnownAnswer`.

        Raises:
            FamilyError: Width or depth out of range, no supported one-qubit gates, or no two-qubit
                gate that is a Clifford.

        Example:
            >>> line = Topology(3, ((0, 1), (1, 2)), ("cz", "rz", "sx", "x"))
            >>> case = Trap("trap").generate(b"key", width=3, depth=4, topology=line)
            >>> case.answer.bits, case.program.two_qubit_gates
            ('100', 8)
        """
        _check(topology, width, depth)
        program = _user_circuit(Draws(key, "trap", width, depth), width, depth, topology)
        case = _trap(self.name, key, program, topology)
        return replace(case, depth=depth, program=_without_fences(case.program))


def _without_fences(program: Program) -> Program:
    """Leave out barriers: compiled users' circuits have none, and verbatim runs need none."""
    operations = tuple(op for op in program.operations if op.name != BARRIER)
    return Program(program.num_qubits, program.num_bits, operations)


def _check(topology: Topology, width: int, depth: int) -> None:
    if width < _MIN_WIDTH:
        raise FamilyError(f"a trap needs at least {_MIN_WIDTH} qubits, got {width}")
    if not 1 <= depth <= MAX_DEPTH:
        raise FamilyError(f"a trap needs a depth 1 .. {MAX_DEPTH}, got {depth}")
    gate, _ = two_qubit(topology)
    if gate not in ENTANGLERS:
        raise FamilyError(f"a trap needs a Clifford among {', '.join(ENTANGLERS)}, got {gate}")


def _user_circuit(draws: Draws, width: int, depth: int, topology: Topology) -> Program:
    qubits = connected_qubits(topology, width, draws.child("qubits"))
    edges = topology.edges_within(qubits)
    gate, angles = two_qubit(topology)
    operations: list[Operation] = []
    for layer in range(depth):
        chosen, stream = draws.child("turned", layer).bits(width), draws.child("angles", layer)
        for qubit, turned in zip(qubits, chosen, strict=True):
            operations += random_gate(stream, qubit, topology) if turned else []
        matching = disjoint_edges(edges, draws.child("edges", layer))
        operations += [Operation(gate, edge, angles) for edge in matching]
    operations += [measure(qubit, bit) for bit, qubit in enumerate(qubits)]
    return Program(topology.num_qubits, width, tuple(operations))
