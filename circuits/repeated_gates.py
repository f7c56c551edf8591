"""Repeated gates: the same two-qubit gates over and over, so that their errors add up.

One layer of X gates prepares a string, 1 on qubits that no gate will touch; then the native
two-qubit gate runs on a fixed set of disjoint edges, the first of the largest of eight maximal
ones, `depth` times in a row, which is the identity for every native gate that we know when `depth`
is a multiple of 8; then all qubits are read. Each pair's errors add up over the row, so the rate at
which its bits come out wrong is large, and moves as that pair's gate error moves; the qubits left
over decay for as long. Repeated in every epoch, this shows drift with far fewer shots than readout
alone, for the information that N shots carry on a relative change of a rate p grows as N p/(1 - p).

The set of probes is fixed, as that of `circuits.readout`: the same key in every epoch.

Assumes: two-qubit gates from `circuits.native.two_qubit`, all of order 2, 4 or 8 up to a phase.
Blind spot: diagonal errors are seen only where later gates turn them; a device that recognises the
probe can answer it well: evidence of drift, never of fidelity.
Source: rows of one gate amplify its error: Sheldon, Magesan, Chow and Gambetta, Phys. Rev. A 93,
060302 (2016); the growth of evidence is that of `validator.simulators.against_static`.
"""

from __future__ import annotations

from typing import Final

from circuits.case import Case, KnownAnswer
from circuits.draws import Draws
from circuits.errors import FamilyError
from circuits.layout import connected_qubits, disjoint_edges
from circuits.native import flip, two_qubit
from circuits.program import Operation
from circuits.topology import Topology
from circuits.verbatim import on_qubit, verbatim_program

ORDER: Final = 8
"""Every native two-qubit gate done so often is the identity."""

MAX_DEPTH: Final = 512
_SETS: Final = 8
"""Drawn; every pair more is one more gate whose drift shows."""


class RepeatedGates:
    """Rows of one two-qubit gate on disjoint edges, drawn from the key."""

    name: Final = "repeated_gates"

    def generate(self, key: bytes, *, width: int, depth: int, topology: Topology) -> Case:
        """Draw a string and a large set of disjoint edges, and repeat the gate on them.

        Args:
            key: Fixed over the epochs for a fixed probe.
            width: Qubits, 2 .. the largest connected part of the device.
            depth: Gates in a row, a multiple of 8 up to 512.
            topology: The device.

        Returns:
            A case with `KnownAnswer`: the string that was prepared.

        Raises:
            FamilyError: Another width or depth, or no native form of X.

        Example:
            >>> line = Topology(3, ((0, 1), (1, 2)), ("cz", "rz", "sx", "x"))
            >>> case = RepeatedGates().generate(b"key", width=3, depth=8, topology=line)
            >>> case.answer.bits, case.program.two_qubit_gates
            ('111', 8)
        """
        if depth % ORDER or not ORDER <= depth <= MAX_DEPTH:
            raise FamilyError(
                f"{self.name} needs a depth of 8, 16 .. {MAX_DEPTH} gates in a row, got {depth}"
            )
        if width < 2:
            raise FamilyError(f"{self.name} needs at least 2 qubits, got {width}")
        draws = Draws(key, self.name, width, depth)
        qubits = connected_qubits(topology, width, draws.child("qubits"))
        inside = topology.edges_within(qubits)
        sets = [disjoint_edges(inside, draws.child("edges", place)) for place in range(_SETS)]
        edges = max(sets, key=len)
        busy = {qubit for edge in edges for qubit in edge}
        drawn = draws.child("bits").bits(width)
        prepared = [bit or qubit not in busy for qubit, bit in zip(qubits, drawn, strict=True)]
        gate, angles = two_qubit(topology)
        steps = flip(topology.native_gates)
        flips = [
            operation
            for qubit, bit in zip(qubits, prepared, strict=True)
            if bit
            for operation in on_qubit(steps, qubit)
        ]
        row = [Operation(gate, edge, angles) for edge in edges]
        program = verbatim_program(topology, qubits, [flips, *[row] * depth])
        bits = "".join("01"[bit] for bit in reversed(prepared))
        return Case(self.name, width, depth, qubits, program, KnownAnswer(bits))
