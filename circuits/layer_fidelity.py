"""Layer fidelity: disjoint pairs of a device benchmarked at the same time, a parity for each.

The couplings of the qubits under test are split into layers of disjoint edges
(`circuits.layout.edge_layers`; two on a line, three on heavy hexagons). One circuit belongs to one
layer T, whose units are its pairs and each qubit that it leaves idle. In order of time

    C_1 T C_2 T ... C_m T M

C_k is a layer of independent, uniformly random one-qubit Cliffords on all qubits. Each unit has a
uniformly random Pauli of its own other than the identity, carried to the end as in
`circuits.binary_rb`; M turns it into Z. So each unit has a parity that is certain, and
E[(-1)^wrong] = A r^m unit by unit; a unit of k qubits keeps F = 1 - (4^k - 1)(1 - r)/4^k in a
layer with its one-qubit gates, and the layer fidelity is the product of F over the units of all
layers, EPLG = 1 - LF^(1/number of pairs).

The qubits and layers are public, functions of device and width, so that all circuits of a device
tell about the same layers; which layer a drawn circuit belongs to depends on the key.

Assumes: the noise of a layer does not depend on which one-qubit gates it has.
Blind spot: Clifford circuits of independent pairs: trivial to simulate; a report, never a proof.
Source: McKay et al., arXiv:2311.05933, with the binary form of Hines et al., PRX Quantum 5, 030334
(2024) in place of an inverting gate.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from circuits.case import Case, ParitiesAnswer
from circuits.cliffords import CLIFFORDS, ENTANGLERS
from circuits.draws import Draws
from circuits.errors import FamilyError
from circuits.layout import connected_qubits, edge_layers
from circuits.native import two_qubit
from circuits.parity import SignedPauli, random_support, turned_to_z
from circuits.program import Operation
from circuits.topology import Edge, Topology
from circuits.verbatim import Layer, clifford_on_qubit, verbatim_program

MAX_DEPTH = 1024
_MIN_WIDTH = 2
_NAME: Final = "layer_fidelity"


def device_layers(
    topology: Topology, *, width: int
) -> tuple[tuple[int, ...], tuple[tuple[Edge, ...], ...]]:
    """Give the qubits under test and the layers of disjoint edges that cover their couplings.

    Raises:
        FamilyError: No connected set is that wide.

    Example:
        >>> line = Topology(4, ((0, 1), (1, 2), (2, 3)), ("cz", "rz", "sx"))
        >>> device_layers(line, width=4)
        ((0, 1, 2, 3), (((0, 1), (2, 3)), ((1, 2),)))
    """
    qubits = connected_qubits(topology, width, Draws(b"", _NAME, width))
    return qubits, edge_layers(topology.edges_within(qubits))


class LayerFidelity:
    """Circuits of one layer of disjoint pairs; the depth is how often the layer is done."""

    name: Final = _NAME

    def generate(self, key: bytes, *, width: int, depth: int, topology: Topology) -> Case:
        """Draw a layer, each with the same probability, and a circuit of it.

        Args:
            key: Secret until the answer is in.
            width: Qubits, 2 .. the largest connected part of the device.
            depth: Two-qubit layers m, 1 .. 1024.
            topology: The device.

        Returns:
            A case with `ParitiesAnswer`; its units of two bits are the layer's pairs.

        Raises:
            FamilyError: Width or depth out of range, no supported one-qubit gates, or no two-qubit
                gate that is a Clifford.

        Example:
            >>> line = Topology(4, ((0, 1), (1, 2), (2, 3)), ("cz", "rz", "sx", "x"))
            >>> LayerFidelity().generate(b"key", width=4, depth=3, topology=line).answer.units
            ((0,), (1, 2), (3,))
        """
        _check(topology, width, depth)
        _, layers = device_layers(topology, width=width)
        chosen = Draws(key, _NAME, width, depth).child("layer").integer(len(layers))
        return layer_case(key, layer=chosen, width=width, depth=depth, topology=topology)


def layer_case(key: bytes, *, layer: int, width: int, depth: int, topology: Topology) -> Case:
    """Draw a circuit of the layer of that index in `device_layers`, else as the family does.

    Raises:
        FamilyError: As the family, or there is no such layer.
    """
    _check(topology, width, depth)
    qubits, layers = device_layers(topology, width=width)
    if not 0 <= layer < len(layers):
        raise FamilyError(f"need a layer 0 .. {len(layers) - 1}, got {layer}")
    edges = layers[layer]
    draws = Draws(key, _NAME, width, depth, layer)
    stream = draws.child("cliffords")
    cliffords = [[stream.integer(len(CLIFFORDS)) for _ in qubits] for _ in range(depth)]
    units = _units(qubits, edges)
    paulis = [_carried(unit, edges, qubits, cliffords, draws, topology) for unit in units]
    codes = {qubit: code for pauli in paulis for qubit, code in pauli.codes.items()}
    last = turned_to_z((codes[qubit] for qubit in qubits), draws.child("measured"))
    turn = dict(zip(qubits, last, strict=True))
    for pauli in paulis:
        for qubit in pauli.codes:
            pauli.pass_clifford(qubit, turn[qubit])
    program = verbatim_program(
        topology, qubits, _layers(qubits, [*cliffords, last], edges, topology)
    )
    place = {qubit: bit for bit, qubit in enumerate(qubits)}
    answer = ParitiesAnswer(
        tuple(tuple(place[qubit] for qubit in unit) for unit in units),
        tuple(pauli.answer(qubits) for pauli in paulis),
    )
    return Case(_NAME, width, depth, qubits, program, answer)


def _check(topology: Topology, width: int, depth: int) -> None:
    if width < _MIN_WIDTH:
        raise FamilyError(f"layer_fidelity needs at least {_MIN_WIDTH} qubits, got {width}")
    if not 1 <= depth <= MAX_DEPTH:
        raise FamilyError(f"layer_fidelity needs a depth 1 .. {MAX_DEPTH}, got {depth}")
    gate, _ = two_qubit(topology)
    if gate not in ENTANGLERS:
        allowed = ", ".join(ENTANGLERS)
        raise FamilyError(f"layer_fidelity needs a Clifford among {allowed}, got {gate}")


def _units(qubits: Sequence[int], edges: Sequence[Edge]) -> list[tuple[int, ...]]:
    busy = {qubit for edge in edges for qubit in edge}
    pairs = [(min(edge), max(edge)) for edge in edges]
    return sorted([*pairs, *((qubit,) for qubit in qubits if qubit not in busy)])


def _carried(
    unit: tuple[int, ...],
    edges: Sequence[Edge],
    qubits: Sequence[int],
    cliffords: Sequence[Sequence[int]],
    draws: Draws,
    topology: Topology,
) -> SignedPauli:
    """Draw the unit's Pauli and carry it to the end of the last two-qubit layer."""
    pauli = SignedPauli(random_support(unit, draws.child("support", unit[0])), qubits=unit)
    own = [edge for edge in edges if edge[0] in unit]
    columns = [(qubit, qubits.index(qubit)) for qubit in unit]
    gate = ENTANGLERS[topology.two_qubit_gate]
    for layer in cliffords:
        for qubit, column in columns:
            pauli.pass_clifford(qubit, layer[column])
        pauli.pass_entanglers(gate, own)
    return pauli


def _layers(
    qubits: tuple[int, ...],
    cliffords: Sequence[Sequence[int]],
    edges: Sequence[Edge],
    topology: Topology,
) -> Iterator[Layer]:
    gate, angles = two_qubit(topology)
    for k, layer in enumerate(cliffords):
        yield [
            operation
            for qubit, clifford in zip(qubits, layer, strict=True)
            for operation in clifford_on_qubit(topology.native_gates, clifford, qubit)
        ]
        if k < len(cliffords) - 1:
            yield [Operation(gate, edge, angles) for edge in edges]
