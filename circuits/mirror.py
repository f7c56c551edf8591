"""Randomized Clifford mirror: a circuit and its inverse, under independent Pauli frames.

Test T2; the answer is known at any width. With h = depth / 2, for k = 1 .. h: C_k is a layer of
independent, uniformly random one-qubit Cliffords on all qubits, T_k one of the native two-qubit
gate on a random maximal set of disjoint edges (greedy over a uniform order). In order of time

    C_1 T_1 ... C_h T_h  I  T_h^-1 C_h^-1 ... T_1^-1 C_1^-1

and each of the 2h + 1 one-qubit layers, the central I included, ends in an independent, uniformly
random Pauli on every qubit, multiplied into the layer's gates. So the two halves have independent
frames, and each gate of a layer C is by itself a uniform Clifford. Without noise the whole is a
Pauli, whose X part is the answer. The last frame alone makes the answer uniform over all strings
and independent of everything else that is drawn.

The native gate itself stands for its inverse: cx, cz, cp(pi), swap and ecr are their own; iswap
and rzz(pi/2) squared are Z on both qubits, rxx(pi/2) squared is X on both, which the frame takes
up. A gate that is no Clifford, such as sqrt_iswap, is refused.

Mirror polarization S = (4^n A - 1)/(4^n - 1), A = sum_d (-1/2)^d Pr(d) with d the Hamming distance
to the answer, averages over keys to the process polarization of the whole mirror with its
readout: uniform Cliffords at the start, their inverses at the end and a uniform answer make it so.

Assumes: the noise of a layer does not depend on which one-qubit gates it has.
Blind spot: the palindrome is plain to see, and its answer easy to compute: fidelity, never proof
of hardware. Only the central layer shows its Paulis bare.
Source: Proctor et al., Nature Physics 18, 75 (2022); Proctor et al., PRL 129, 150502 (2022).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from circuits.case import Case, KnownAnswer
from circuits.cliffords import CLIFFORDS, ENTANGLERS, IDENTITY
from circuits.draws import Draws
from circuits.errors import FamilyError
from circuits.layout import connected_qubits, disjoint_edges
from circuits.native import two_qubit
from circuits.program import Operation
from circuits.topology import Edge, Topology
from circuits.verbatim import Layer, clifford_on_qubit, verbatim_program

MAX_DEPTH = 1024
_MIN_WIDTH = 2

Codes = Sequence[int]


@dataclass(frozen=True, slots=True)
class _Mirror:
    """Ideal layers in order of time, and their frames, per qubit of `qubits`.

    Attributes:
        qubits: Device qubits, ascending.
        cliffords: Indices of one-qubit layers, one more than `edges` has layers.
        frames: Pauli codes that follow each one-qubit layer, same shape.
        edges: Two-qubit layers; the second half undoes the first.
    """

    qubits: tuple[int, ...]
    cliffords: tuple[Codes, ...]
    frames: tuple[Codes, ...]
    edges: tuple[tuple[Edge, ...], ...]


class Mirror:
    """Clifford mirrors; the depth is the number of two-qubit layers in both halves together."""

    name: Final = "mirror"

    def generate(self, key: bytes, *, width: int, depth: int, topology: Topology) -> Case:
        """Draw a mirror on a random connected set of qubits.

        Args:
            key: Secret until the answer is in.
            width: Qubits, 2 .. the largest connected part of the device.
            depth: Two-qubit layers in all, even, 2 .. 1024.
            topology: The device.

        Returns:
            A case with `KnownAnswer`.

        Raises:
            FamilyError: Width or depth out of range, no supported one-qubit gates, or no two-qubit
                gate that is a Clifford.

        Example:
            >>> line = Topology(3, ((0, 1), (1, 2)), ("cz", "rz", "sx", "x"))
            >>> case = Mirror().generate(b"key", width=3, depth=2, topology=line)
            >>> case.answer.bits, case.program.two_qubit_gates
            ('110', 2)
        """
        _check(topology, width, depth)
        draws = Draws(key, self.name, width, depth)
        qubits = connected_qubits(topology, width, draws.child("qubits"))
        mirror = _draw(draws, qubits, topology.edges_within(qubits), depth // 2)
        program = verbatim_program(topology, qubits, _layers(mirror, topology))
        bits = _answer(mirror, topology.two_qubit_gate)
        return Case(self.name, width, depth, qubits, program, KnownAnswer(bits))


def _check(topology: Topology, width: int, depth: int) -> None:
    if width < _MIN_WIDTH:
        raise FamilyError(f"mirror needs at least {_MIN_WIDTH} qubits, got {width}")
    if depth % 2 or not 2 <= depth <= MAX_DEPTH:
        raise FamilyError(f"mirror needs an even depth 2 .. {MAX_DEPTH}, got {depth}")
    gate, _ = two_qubit(topology)
    if gate not in ENTANGLERS:
        raise FamilyError(f"mirror needs a Clifford among {', '.join(ENTANGLERS)}, got {gate}")


def _draw(draws: Draws, qubits: tuple[int, ...], edges: tuple[Edge, ...], half: int) -> _Mirror:
    forward, matchings = [], []
    for layer in range(half):
        stream = draws.child("cliffords", layer)
        forward.append([stream.integer(len(CLIFFORDS)) for _ in qubits])
        matchings.append(disjoint_edges(edges, draws.child("edges", layer)))
    backward = [[CLIFFORDS[c].inverse for c in layer] for layer in reversed(forward)]
    return _Mirror(
        qubits,
        (*forward, [IDENTITY] * len(qubits), *backward),
        tuple(_frame(draws.child("frame", k), len(qubits)) for k in range(2 * half + 1)),
        (*matchings, *reversed(matchings)),
    )


def _frame(draws: Draws, width: int) -> list[int]:
    bits = draws.bits(2 * width)
    return [x + 2 * z for x, z in zip(bits[::2], bits[1::2], strict=True)]


def _layers(mirror: _Mirror, topology: Topology) -> Iterator[Layer]:
    """Write the layers in native gates, one-qubit and two-qubit layers in turn."""
    native = topology.native_gates
    gate, angles = two_qubit(topology)
    for k, (ideal, frame) in enumerate(zip(mirror.cliffords, mirror.frames, strict=True)):
        yield [
            operation
            for qubit, clifford, pauli in zip(mirror.qubits, ideal, frame, strict=True)
            for operation in clifford_on_qubit(native, CLIFFORDS[clifford].then[pauli], qubit)
        ]
        if k < len(mirror.edges):
            yield [Operation(gate, edge, angles) for edge in mirror.edges[k]]


def _answer(mirror: _Mirror, gate: str) -> str:
    """Carry the frames through the circuit: bits where the final Pauli has an X part."""
    entangler = ENTANGLERS[gate]
    pauli = dict.fromkeys(mirror.qubits, 0)
    half = len(mirror.edges) // 2
    for k, (ideal, frame) in enumerate(zip(mirror.cliffords, mirror.frames, strict=True)):
        for qubit, clifford, added in zip(mirror.qubits, ideal, frame, strict=True):
            pauli[qubit] = CLIFFORDS[clifford].images[pauli[qubit]] ^ added
        if k < len(mirror.edges):
            correction = entangler.square if k >= half else 0
            for a, b in mirror.edges[k]:
                pair = entangler.images[pauli[a] + 4 * pauli[b]] ^ correction
                pauli[a], pauli[b] = pair % 4, pair // 4
    return "".join(str(pauli[qubit] & 1) for qubit in reversed(mirror.qubits))
