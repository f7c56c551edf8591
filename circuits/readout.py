"""Readout probes: product states whose answer is the prepared string.

Test T1. One layer of X gates, nothing else: what comes back shows state preparation and
measurement, the asymmetry of 1 -> 0 against 0 -> 1, and, repeated, their drift.

The set of probes is fixed: the caller passes the same key every epoch and gets the same programs,
so that drift is the only thing that changes. They are therefore no secret after the first epoch,
and a device that recognises them can answer them well: evidence of drift and asymmetry, never of
fidelity.
"""

from __future__ import annotations

from typing import Final

from circuits.case import Case, KnownAnswer
from circuits.draws import Draws
from circuits.errors import FamilyError
from circuits.native import flip
from circuits.topology import Topology
from circuits.verbatim import on_qubit, verbatim_program

FAIR: Final = 0
MOSTLY_ONES: Final = 1

_EIGHT = 8


class Readout:
    """Product states of the computational basis, drawn from the key."""

    name: Final = "readout"

    def generate(self, key: bytes, *, width: int, depth: int, topology: Topology) -> Case:
        """Draw a string of `width` bits and prepare it.

        Args:
            key: Fixed over the epochs for a fixed probe.
            width: Qubits, 1 .. the device; usually all. Fewer are a uniformly random set, which
                need not be connected, since nothing couples.
            depth: `FAIR` (0) bits, or `MOSTLY_ONES` (1): seven bits in eight are 1, whose reads
                err most often and so tell most about their drift.
            topology: The device.

        Returns:
            A case with `KnownAnswer`; X where the bit is 1, no gate where it is 0.

        Raises:
            FamilyError: Another depth, too few or too many qubits, or no native form of X.

        Example:
            >>> line = Topology(3, ((0, 1), (1, 2)), ("cz", "rz", "sx", "x"))
            >>> case = Readout().generate(b"key", width=3, depth=0, topology=line)
            >>> case.answer.bits, [op.qubits for op in case.program.operations if op.name == "x"]
            ('011', [(0,), (1,)])
        """
        if depth not in (FAIR, MOSTLY_ONES):
            raise FamilyError(f"readout has depth 0 (fair) or 1 (mostly ones), got {depth}")
        if not 1 <= width <= topology.num_qubits:
            raise FamilyError(f"need 1 .. {topology.num_qubits} qubits on this device, got {width}")
        draws = Draws(key, self.name, width)
        qubits = tuple(sorted(draws.child("qubits").permutation(topology.num_qubits)[:width]))
        prepared = _prepared(draws, width, depth)
        steps = flip(topology.native_gates)
        flips = [
            operation
            for qubit, bit in zip(qubits, prepared, strict=True)
            if bit
            for operation in on_qubit(steps, qubit)
        ]
        program = verbatim_program(topology, qubits, [flips])
        bits = "".join(map(str, reversed(prepared)))
        return Case(self.name, width, depth, qubits, program, KnownAnswer(bits))


def _prepared(draws: Draws, width: int, depth: int) -> list[int]:
    if depth == FAIR:
        return list(draws.child("bits").bits(width))
    stream = draws.child("mostly ones")
    return [int(stream.integer(_EIGHT) > 0) for _ in range(width)]
