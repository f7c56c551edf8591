"""Frames: rewriting a native circuit with random Paulis around every one-qubit gate.

A circuit whose two-qubit gates are Clifford is read as layers R_0 G_1 R_1 ... G_m R_m in order of
time: R_k arbitrary one-qubit turns, G_k disjoint two-qubit gates. `framed_layers` writes the same
unitary up to a known last Pauli: each turn R becomes Q R P, where P is the Pauli that comes in and
Q a fresh uniformly random one that goes on, through the next gate G as G Q G^-1. So every native
one-qubit gate looks different each time and the circuit does the same. A layer has turns where the
circuit has a gate, where a two-qubit gate follows, and on all qubits at both ends.

Assumes: every two-qubit gate is a Clifford that is its own inverse up to a Pauli; then the inverse
of a circuit has the same two-qubit gates in reverse order.
Source: randomized compiling, Wallman and Emerson, Phys. Rev. A 94, 052325 (2016).
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from circuits.cliffords import ENTANGLERS
from circuits.draws import Draws
from circuits.errors import FamilyError
from circuits.gates import GATES
from circuits.native import rotation
from circuits.program import BARRIER, MEASURE, Operation, Program, final_measurements
from circuits.topology import Topology
from circuits.turns import STILL, Turn, after, angles_of, framed, inverse, turn_of
from circuits.verbatim import on_qubit

_HALF_PERIODS = {"cp": math.pi, "rzz": math.pi / 2, "rxx": math.pi / 2}
_TOLERANCE = 1e-9

Frame = dict[int, int]
"""Device qubit -> Pauli code, as in `circuits.cliffords`."""


@dataclass(frozen=True, slots=True)
class Skeleton:
    """A circuit as layers of one-qubit turns and disjoint two-qubit gates.

    Attributes:
        qubits: Device qubits, ascending.
        turns: One-qubit layers, one more than `gates` has; a qubit without an entry idles.
        gates: Two-qubit layers.
        undoes: Each gate stands for its inverse.
    """

    qubits: tuple[int, ...]
    turns: tuple[Mapping[int, Turn], ...]
    gates: tuple[tuple[Operation, ...], ...]
    undoes: bool = False

    def inverted(self) -> Skeleton:
        """The inverse circuit: the same two-qubit gates in reverse order."""
        turns = tuple(
            {qubit: inverse(turn) for qubit, turn in layer.items()} for layer in self.turns[::-1]
        )
        return Skeleton(self.qubits, turns, self.gates[::-1], not self.undoes)


def skeleton(program: Program, topology: Topology) -> Skeleton:
    """Read a verbatim program, each gate in the earliest layer that its qubits and barriers allow.

    Args:
        program: One-qubit gates of any kind, native Clifford two-qubit gates on edges, barriers,
            and measurements at the end, which are left out.
        topology: The device: program and device have the same qubits.

    Raises:
        FamilyError: Another width, a gate on three qubits, a two-qubit gate that is not native,
            on no edge or no Clifford.
        ProgramError: A measurement or reset in the middle.

    Example:
        >>> line = Topology(3, ((0, 1), (1, 2)), ("cz", "rz", "sx"))
        >>> gates = [Operation("sx", (0,)), Operation("cz", (0, 1)), Operation("cz", (1, 2))]
        >>> found = skeleton(Program(3, 1, tuple(gates)), line)
        >>> [len(layer) for layer in found.turns], [len(layer) for layer in found.gates]
        ([3, 2, 3], [1, 1])
    """
    if program.num_qubits != topology.num_qubits:
        raise FamilyError(
            f"need a program on the device's {topology.num_qubits} qubits, got {program.num_qubits}"
        )
    final_measurements(program)
    qubits = program.used_qubits
    level = dict.fromkeys(range(program.num_qubits), 0)
    gates: list[list[Operation]] = []
    turns: list[dict[int, Turn]] = [{}]
    for op in program.operations:
        if op.name == MEASURE:
            continue
        layer = max(level[qubit] for qubit in op.qubits)
        if op.name != BARRIER and len(op.qubits) == 1:
            before = turns[layer].get(op.qubits[0], STILL)
            turns[layer][op.qubits[0]] = after(turn_of(op.name, op.angles), before)
            continue
        if op.name != BARRIER:
            _check_gate(op, topology)
            if layer == len(gates):
                gates.append([])
                turns.append({})
            gates[layer].append(op)
            for qubit in op.qubits:
                turns[layer].setdefault(qubit, STILL)
        level.update(dict.fromkeys(op.qubits, layer + (op.name != BARRIER)))
    for end in (turns[0], turns[-1]):
        for qubit in qubits:
            end.setdefault(qubit, STILL)
    return Skeleton(qubits, tuple(turns), tuple(map(tuple, gates)))


def _check_gate(op: Operation, topology: Topology) -> None:
    if GATES[op.name].num_qubits != 2 or op.name not in topology.native_gates:
        raise FamilyError(f"need native gates on at most two qubits, got {op.name}")
    if op.qubits not in topology.edges:
        raise FamilyError(f"need {op.name} on an edge in native direction, got {list(op.qubits)}")
    half = _HALF_PERIODS.get(op.name, 0.0)
    if op.name not in ENTANGLERS or (
        half and abs(math.remainder(op.angles[0] - half, 2 * half)) > _TOLERANCE
    ):
        shown = f"{op.name}({op.angles[0]!r})" if op.angles else op.name
        raise FamilyError(f"need a Clifford among {', '.join(ENTANGLERS)}, got {shown}")


def framed_layers(
    circuit: Skeleton, frame: Frame, draws: Draws, topology: Topology
) -> Iterator[list[Operation]]:
    """Write a circuit with fresh random Paulis, layer by layer, in native gates.

    Args:
        circuit: What is to be done.
        frame: The Pauli by which the state that comes in differs from the ideal one; changed in
            place: once the iterator has ended, the Pauli by which the state that goes out does.
        draws: Stream of the Paulis; it advances.
        topology: The device.

    Raises:
        FamilyError: No supported set of one-qubit gates is native.
    """
    for k, turns in enumerate(circuit.turns):
        layer = []
        for qubit in sorted(turns):
            fresh = draws.integer(4)
            turn = framed(turns[qubit], before=frame[qubit], behind=fresh)
            frame[qubit] = fresh
            theta, phi, lam = angles_of(turn)
            steps = rotation(topology.native_gates, theta=theta, phi=phi, lam=lam)
            layer += on_qubit(steps, qubit)
        yield layer
        if k < len(circuit.gates):
            _pass(frame, circuit.gates[k], undoes=circuit.undoes)
            yield list(circuit.gates[k])


def _pass(frame: Frame, gates: tuple[Operation, ...], *, undoes: bool) -> None:
    """Carry a frame through a layer of two-qubit gates; G^-1 = (G G) G up to phase."""
    for gate in gates:
        a, b = gate.qubits
        entangler = ENTANGLERS[gate.name]
        pair = entangler.images[frame[a] + 4 * frame[b]] ^ (entangler.square if undoes else 0)
        frame[a], frame[b] = pair % 4, pair // 4
