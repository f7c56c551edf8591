"""Binary randomized benchmarking: a random stabilizer in, its image out, one parity to check.

Test T3; the answer is known at any width, and there is no way back to recognise. In order of time

    C_1 T_1 C_2 T_2 ... C_m T_m M

C_k is a layer of independent, uniformly random one-qubit Cliffords on all qubits, T_k one of the
native two-qubit gate on a random maximal set of disjoint edges. A uniformly random Pauli s other
than the identity is a stabilizer of the product state after C_1: Z on each qubit with probability
3/4 (not all without) before it. Carried to the end, s is a Pauli s' with a sign; M turns each of
its letters into Z by a uniformly random Clifford among those that do. So the parity of the bits
read where s' acts is certain, and its sign a fair coin.

An error channel just after C_1 multiplies E[(-1)^wrong] over s by the mean eigenvalue over all
non-identity Paulis, which is the process polarization (4^n F - 1)/(4^n - 1) of the channel; layers
of uniform Cliffords make each layer's polarization a factor: E[(-1)^wrong] = A r^m, and the
infidelity of a layer is (4^n - 1)(1 - r)/4^n. A holds preparation, M and readout.

Assumes: the noise of a layer does not depend on which one-qubit gates it has; errors do not cancel
between layers (random Paulis, contained in the uniform Cliffords, see to it).
Blind spot: one bit of evidence a shot; Clifford circuits are easy to simulate, so it shows
fidelity, never hardware. Whoever spoils short circuits raises r: pay on E[(-1)^wrong] itself.
Source: Hines, Hothem, Blume-Kohout, Whaley and Proctor, PRX Quantum 5, 030334 (2024).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from circuits.case import Case
from circuits.cliffords import CLIFFORDS, ENTANGLERS
from circuits.draws import Draws
from circuits.errors import FamilyError
from circuits.layout import connected_qubits, disjoint_edges
from circuits.native import two_qubit
from circuits.parity import SignedPauli, random_support, turned_to_z
from circuits.program import Operation
from circuits.topology import Edge, Topology
from circuits.verbatim import Layer, clifford_on_qubit, verbatim_program

MAX_DEPTH = 1024
_MIN_WIDTH = 2


class BinaryRB:
    """Random Clifford circuits whose answer is a parity; the depth is the two-qubit layers."""

    name: Final = "binary_rb"

    def generate(self, key: bytes, *, width: int, depth: int, topology: Topology) -> Case:
        """Draw a circuit on a random connected set of qubits.

        Args:
            key: Secret until the answer is in.
            width: Qubits, 2 .. the largest connected part of the device.
            depth: Two-qubit layers m, 1 .. 1024.
            topology: The device.

        Returns:
            A case with `ParityAnswer`.

        Raises:
            FamilyError: Width or depth out of range, no supported one-qubit gates, or no two-qubit
                gate that is a Clifford.

        Example:
            >>> line = Topology(3, ((0, 1), (1, 2)), ("cz", "rz", "sx", "x"))
            >>> case = BinaryRB().generate(b"key", width=3, depth=4, topology=line)
            >>> case.answer.mask, case.answer.sign, case.program.two_qubit_gates
            ('010', 1, 4)
        """
        _check(topology, width, depth)
        draws = Draws(key, self.name, width, depth)
        qubits = connected_qubits(topology, width, draws.child("qubits"))
        cliffords, edges = _draw(draws, qubits, topology.edges_within(qubits), depth)
        pauli = SignedPauli(random_support(qubits, draws.child("support")), qubits=qubits)
        _carry(pauli, cliffords, edges, topology.two_qubit_gate)
        last = turned_to_z((pauli.codes[q] for q in qubits), draws.child("measured"))
        for qubit, clifford in zip(qubits, last, strict=True):
            pauli.pass_clifford(qubit, clifford)
        layers = _layers(qubits, [*cliffords, last], edges, topology)
        program = verbatim_program(topology, qubits, layers)
        return Case(self.name, width, depth, qubits, program, pauli.answer(qubits))


def _check(topology: Topology, width: int, depth: int) -> None:
    if width < _MIN_WIDTH:
        raise FamilyError(f"binary_rb needs at least {_MIN_WIDTH} qubits, got {width}")
    if not 1 <= depth <= MAX_DEPTH:
        raise FamilyError(f"binary_rb needs a depth 1 .. {MAX_DEPTH}, got {depth}")
    gate, _ = two_qubit(topology)
    if gate not in ENTANGLERS:
        raise FamilyError(f"binary_rb needs a Clifford among {', '.join(ENTANGLERS)}, got {gate}")


def _draw(
    draws: Draws, qubits: tuple[int, ...], edges: tuple[Edge, ...], depth: int
) -> tuple[list[list[int]], list[tuple[Edge, ...]]]:
    """Draw the one-qubit layers (indices of Cliffords) and the two-qubit layers."""
    cliffords, matchings = [], []
    for layer in range(depth):
        stream = draws.child("cliffords", layer)
        cliffords.append([stream.integer(len(CLIFFORDS)) for _ in qubits])
        matchings.append(disjoint_edges(edges, draws.child("edges", layer)))
    return cliffords, matchings


def _carry(
    pauli: SignedPauli,
    cliffords: Sequence[Sequence[int]],
    edges: Sequence[tuple[Edge, ...]],
    gate: str,
) -> None:
    for layer, pairs in zip(cliffords, edges, strict=True):
        for qubit, clifford in zip(pauli.codes, layer, strict=True):
            pauli.pass_clifford(qubit, clifford)
        pauli.pass_entanglers(ENTANGLERS[gate], pairs)


def _layers(
    qubits: tuple[int, ...],
    cliffords: Sequence[Sequence[int]],
    edges: Sequence[tuple[Edge, ...]],
    topology: Topology,
) -> Iterator[Layer]:
    """Write the layers in native gates, one-qubit and two-qubit layers in turn."""
    gate, angles = two_qubit(topology)
    for k, layer in enumerate(cliffords):
        yield [
            operation
            for qubit, clifford in zip(qubits, layer, strict=True)
            for operation in clifford_on_qubit(topology.native_gates, clifford, qubit)
        ]
        if k < len(edges):
            yield [Operation(gate, edge, angles) for edge in edges[k]]
