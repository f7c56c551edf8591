"""Twins: one secret random circuit to two devices, or twice to one, compared with each other.

Test T6. The circuit is a brickwork (`circuits.brickwork`) at any width: up to 20 qubits a reference
can simulate it, beyond that nobody is asked to, and two runs of it are all there is: two faithful
ones agree more often than chance does. `masked` writes the same circuit once more with fresh
random Paulis around every gate (`circuits.frames`): another text gate by gate, the same law up to
a secret mask on the bits, undone afterwards. So a device does not recognise what it or another has
answered before, and a readout bias that two devices share does not make them agree.

Assumes: the two devices have the same qubits, couplings and native gates (the same one twice, or
two of one make); masks need a two-qubit gate that is a Clifford.
Blind spot: two devices that are wrong in the same way agree, and one that relays to the other does.
Two runs of N shots of a deep circuit share about 2 N^2 / 2^n outcomes: beyond 28 qubits none.
Source: linear cross-entropy between two devices, as Elben et al., PRL 124, 010504 (2020) compare
states; masks are readout twirling, van den Berg et al., Phys. Rev. A 105, 032620 (2022).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from circuits.brickwork import MAX_DEPTH, MAX_WIDTH, brickwork_layers
from circuits.case import Answer, Case, NoAnswer, SimulatedAnswer
from circuits.draws import Draws
from circuits.errors import FamilyError
from circuits.frames import framed_layers, skeleton
from circuits.layout import connected_qubits
from circuits.native import two_qubit
from circuits.program import Program
from circuits.topology import Topology
from circuits.verbatim import verbatim_program

_MIN_WIDTH = 2


class Twins:
    """Random circuits to be run twice; the depth is the cycles."""

    name: Final = "twins"

    def generate(self, key: bytes, *, width: int, depth: int, topology: Topology) -> Case:
        """Draw a circuit on a random connected set of qubits.

        Args:
            key: Secret until both answers are in.
            width: Qubits, 2 .. the largest connected part of the device.
            depth: Cycles, each with one two-qubit layer, 1 .. 1024.
            topology: The device, or what the two devices share.

        Returns:
            A case with `SimulatedAnswer` up to 20 qubits, else with `NoAnswer`.

        Raises:
            FamilyError: Width or depth out of range, no supported one-qubit gates, or no two-qubit
                gate that entangles.

        Example:
            >>> line = Topology(30, tuple((q, q + 1) for q in range(29)), ("cz", "rz", "sx", "x"))
            >>> [Twins().generate(b"key", width=width, depth=2, topology=line).answer
            ...  for width in (20, 21)]
            [SimulatedAnswer(), NoAnswer()]
        """
        _check(topology, width, depth)
        draws = Draws(key, self.name, width, depth)
        qubits = connected_qubits(topology, width, draws.child("qubits"))
        program = verbatim_program(
            topology, qubits, brickwork_layers(draws, qubits, depth, topology)
        )
        answer: Answer = SimulatedAnswer() if width <= MAX_WIDTH else NoAnswer()
        return Case(self.name, width, depth, qubits, program, answer)


def _check(topology: Topology, width: int, depth: int) -> None:
    if width < _MIN_WIDTH:
        raise FamilyError(f"twins need at least {_MIN_WIDTH} qubits, got {width}")
    if not 1 <= depth <= MAX_DEPTH:
        raise FamilyError(f"twins need a depth 1 .. {MAX_DEPTH}, got {depth}")
    gate, _ = two_qubit(topology)
    if gate == "swap":
        raise FamilyError("twins need a two-qubit gate that entangles, got swap")


@dataclass(frozen=True, slots=True)
class Masked:
    """A case's program written anew, whose outcomes are those of the case under a mask.

    Attributes:
        program: What the miner sees; same qubits, bits and two-qubit gates as the case's.
        mask: Bitstring, classical bit 0 rightmost; where it is 1 the outcome comes flipped. Secret.
    """

    program: Program
    mask: str = field(repr=False)

    def undo(self, table: Mapping[str, int]) -> dict[str, int]:
        """Give the counts that the case's own program would have given.

        Raises:
            ValueError: A key of another length than the mask.

        Example:
            >>> Masked(Program(1, 2, ()), "10").undo({"00": 3, "11": 4})
            {'10': 3, '01': 4}
        """
        flips = int(self.mask, 2)
        width = len(self.mask)
        if any(len(key) != width for key in table):
            raise ValueError(f"need keys of {width} bits, got {sorted(table)[:3]}")
        return {f"{int(key, 2) ^ flips:0{width}b}": shots for key, shots in table.items()}


def masked(case: Case, key: bytes, topology: Topology) -> Masked:
    """Write a case once more: random Paulis around every gate, a uniform mask on the bits.

    Args:
        case: Any whose two-qubit gates are Clifford; its answer holds for the undone counts.
        key: Secret; with the same key the same text and mask.
        topology: The device that `case` was drawn for.

    Raises:
        FamilyError: A two-qubit gate that is no Clifford (see `circuits.frames.skeleton`).

    Example:
        >>> line = Topology(3, ((0, 1), (1, 2)), ("cz", "rz", "sx", "x"))
        >>> case = Twins().generate(b"key", width=3, depth=2, topology=line)
        >>> masked(case, b"other key", line).mask
        '100'
    """
    circuit = skeleton(case.program, topology)
    frame = dict.fromkeys(case.qubits, 0)
    draws = Draws(key, "mask", case.program.digest)
    layers = list(framed_layers(circuit, frame, draws, topology))
    mask = "".join(str(frame[qubit] & 1) for qubit in reversed(case.qubits))
    return Masked(verbatim_program(topology, case.qubits, layers), mask)
