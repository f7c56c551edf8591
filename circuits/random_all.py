"""Random all-to-all: Haar one-qubit gates between random pairings of all qubits, for a bank.

Test T7. Each of `depth` cycles is a layer of independent Haar-random one-qubit gates, then the
native two-qubit gate on a random maximal set of disjoint edges; a last one-qubit layer follows. On
a device that couples every pair each pairing is uniform over all perfect ones (all but one qubit
if the width is odd), drawn anew in every cycle. So no order of the qubits cuts few gates: at depth
16 a cut through the middle is crossed by about 8 gates for each qubit on one side, and a matrix
product state of small bond dimension loses the state within a few cycles.

The ideal law is simulated; once and offline where the width is beyond a reference: such circuits
come from a bank.

Assumes complete coupling for what is said of cuts; on a sparse graph it is a brickwork with random
layers. Blind spot: up to some 34 qubits whoever has the memory can simulate it, which is the point:
it shows that a simulator holds the state that it claims to, never that something is hardware.
Source: Arute et al., Nature 574, 505 (2019) for the cycles; DeCross et al., arXiv:2406.02501 for
circuits on random graphs and what they cost tensor networks.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from circuits.brickwork import random_gate
from circuits.case import Case, SimulatedAnswer
from circuits.draws import Draws
from circuits.errors import FamilyError
from circuits.layout import connected_qubits, disjoint_edges
from circuits.native import two_qubit
from circuits.program import Operation
from circuits.topology import Topology
from circuits.verbatim import Layer, verbatim_program

MAX_WIDTH = 34
MIN_DEPTH = 16
MAX_DEPTH = 1024

_MIN_WIDTH = 2


class RandomAll:
    """Random circuits without a geometry; the depth is the number of two-qubit layers."""

    name: Final = "random_all"

    def generate(self, key: bytes, *, width: int, depth: int, topology: Topology) -> Case:
        """Draw a circuit on a random connected set of qubits.

        Args:
            key: Secret until the answer is in.
            width: Qubits, 2 .. 34 and at most the largest connected part of the device.
            depth: Cycles, each with one two-qubit layer, 16 .. 1024.
            topology: The device; one that couples every pair, for the test that this is made for.

        Returns:
            A case with `SimulatedAnswer`.

        Raises:
            FamilyError: Width or depth out of range, no supported one-qubit gates, or no two-qubit
                gate that entangles.

        Example:
            >>> from circuits.topology import complete
            >>> device = complete(6, ["cx", "u"])
            >>> case = RandomAll().generate(b"key", width=6, depth=16, topology=device)
            >>> case.program.two_qubit_gates, sum(op.name == "u" for op in case.program.operations)
            (48, 102)
        """
        _check(topology, width, depth)
        draws = Draws(key, self.name, width, depth)
        qubits = connected_qubits(topology, width, draws.child("qubits"))
        program = verbatim_program(topology, qubits, _layers(draws, qubits, depth, topology))
        return Case(self.name, width, depth, qubits, program, SimulatedAnswer())


def _check(topology: Topology, width: int, depth: int) -> None:
    if not _MIN_WIDTH <= width <= MAX_WIDTH:
        raise FamilyError(f"random_all needs {_MIN_WIDTH} .. {MAX_WIDTH} qubits, got {width}")
    if not MIN_DEPTH <= depth <= MAX_DEPTH:
        raise FamilyError(f"random_all needs a depth {MIN_DEPTH} .. {MAX_DEPTH}, got {depth}")
    gate, _ = two_qubit(topology)
    if gate == "swap":
        raise FamilyError("random_all needs a two-qubit gate that entangles, got swap")


def _layers(
    draws: Draws, qubits: tuple[int, ...], depth: int, topology: Topology
) -> Iterator[Layer]:
    edges = topology.edges_within(qubits)
    gate, angles = two_qubit(topology)
    for cycle in range(depth + 1):
        stream = draws.child("angles", cycle)
        yield [op for qubit in qubits for op in random_gate(stream, qubit, topology)]
        if cycle < depth:
            pairing = disjoint_edges(edges, draws.child("pairing", cycle))
            yield [Operation(gate, edge, angles) for edge in pairing]
