"""The probe set: small programs whose right answer shows every mistake in qubit and bit order.

X on each qubit, permuted and partial measurement, idle qubits, twelve bits (where names sort as
c_0, c_1, c_10), sparse qubits, the middle of the register, reset, a second measurement, and an
entangled state that looks different under every reordering of its bits. All are written in the
device's own gates on its own couplings.

Blind spot: they find what is systematically wrong, not what is imprecise.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from circuits import native
from circuits.errors import FamilyError
from circuits.program import RESET, Operation, Program, measure
from circuits.topology import Topology
from providers.base import Device, DeviceClass

_TWELVE = (10, 2, 1, 11, 0, 3, 4, 5, 6, 7, 8, 9)
# Found by search: with each entangling gate of the profile, either way round, two or three qubits
# stay at least .17 in total variation from every reordering of themselves.
_FIRST, _SECOND = (0.77, 1.28, 1.06), (2.11, 5.15, 0.28)


@dataclass(frozen=True, slots=True)
class Probe:
    """A program and what a right backend gives.

    Attributes:
        name: What it is about.
        program: In the device's gates and qubits.
        expected: The one bitstring of a noiseless device, or '' where the answer is a
            distribution (see `providers.dense`).
        optional: A backend may refuse it, in so many words; it must not get it wrong.
    """

    name: str
    program: Program
    expected: str
    optional: bool = False


def flip(topology: Topology, qubit: int) -> tuple[Operation, ...]:
    """Turn |0> into |1> with native gates; () where the device has none for it.

    Example:
        >>> [operation.name for operation in flip(Topology(1, (), ("rz", "sx", "x")), 0)]
        ['x']
    """
    try:
        steps = native.flip(topology.native_gates)
    except FamilyError:
        return ()
    return tuple(Operation(name, (qubit,), angles) for name, angles in steps)


def _rotation(topology: Topology, qubit: int, angle: float) -> tuple[Operation, ...]:
    """Turn |0> by `angle` radians (P(1) = sin^2(angle/2)); the gates are known to suffice."""
    steps = native.rotation(topology.native_gates, theta=angle, phi=0.0, lam=0.0)
    return tuple(Operation(name, (qubit,), angles) for name, angles in steps)


def probe_set(device: Device) -> tuple[Probe, ...]:
    """Build the probes that fit the device's width, gates and couplings.

    Example:
        >>> from circuits.topology import complete
        >>> two = Device("two", DeviceClass.SIMULATOR, complete(2, ["cx", "u"]), None, "aer")
        >>> [probe.expected for probe in probe_set(two)][:2]
        ['01', '10']
    """
    topology = device.topology
    if device.device_class is DeviceClass.SIMULATOR:
        gates = {*topology.native_gates, "u", "x"}
        topology = Topology(topology.num_qubits, topology.edges, tuple(sorted(gates)))
    if not flip(topology, 0):
        return ()
    return tuple(_probes(topology, device))


def _probes(topology: Topology, device: Device) -> Iterator[Probe]:
    n = topology.num_qubits
    yield from _each_qubit(topology)
    if n >= 2:
        few = tuple(range(min(n, 5)))
        turned = few[1:] + few[:1]
        yield _reading("permuted measurement", topology, (0,), dict(enumerate(turned)), len(few))
        yield _reading("partial measurement", topology, (0, n - 1), {2: n - 1}, 3)
        yield _reading("idle qubits", topology, (n - 1,), {0: n - 1, 1: 0}, 2)
        twelve = {_TWELVE[q]: q for q in range(min(n, 12))}
        yield _reading("twelve bits", topology, (0, 3) if n > 3 else (0,), twelve, 12)
    if n >= 5:
        sparse = {0: n - 1, 1: n // 2, 2: 1}
        yield _reading("sparse qubits", topology, (n - 1, n // 2), sparse, 3)
        middle = {i: n // 3 + i for i in range(3)}
        yield _reading("middle of the register", topology, (n // 3,), middle, 3)
    on = flip(topology, 0)
    anew = Program(n, 1, (*on, Operation(RESET, (0,)), measure(0, 0)))
    yield Probe("reset", anew, "0", optional=True)
    twice = Program(n, 2, (measure(0, 0), *on, measure(0, 1)))
    yield Probe("measurement before a gate", twice, "10", optional=True)
    path = best_path(device)
    if len(path) >= 2:
        yield Probe("entangled, unlike its reorderings", _entangled(topology, path), "")


def _each_qubit(topology: Topology) -> Iterator[Probe]:
    """X on each qubit, in few programs: program k flips the qubits with bit k in their number.

    Numbers run from 1, so that every qubit is flipped somewhere and no two read alike.
    """
    n = topology.num_qubits
    for k in range(n.bit_length()):
        flipped = tuple(q for q in range(n) if (q + 1) >> k & 1)
        name = f"X on each qubit, bit {k} of its number"
        yield _reading(name, topology, flipped, {q: q for q in range(n)}, n)


def _reading(
    name: str, topology: Topology, flipped: Sequence[int], reads: dict[int, int], num_bits: int
) -> Probe:
    """Flip some qubits and read bit -> qubit."""
    gates = [operation for qubit in flipped for operation in flip(topology, qubit)]
    ends = [measure(qubit, bit) for bit, qubit in sorted(reads.items())]
    bits = ["1" if reads.get(bit) in flipped else "0" for bit in reversed(range(num_bits))]
    return Probe(name, Program(topology.num_qubits, num_bits, (*gates, *ends)), "".join(bits))


def _entangled(topology: Topology, path: Sequence[int]) -> Program:
    """Rotate, couple along the path, rotate, measure path[i] into c[i]; distinct angles."""
    operations: list[Operation] = []
    for qubit, angle in zip(path, _FIRST, strict=False):
        operations += _rotation(topology, qubit, angle)
    edges = set(topology.edges)
    name, angles = native.two_qubit(topology)
    for a, b in pairwise(path):
        pair = (a, b) if (a, b) in edges else (b, a)
        operations.append(Operation(name, pair, angles))
    for qubit, angle in zip(path, _SECOND, strict=False):
        operations += _rotation(topology, qubit, angle)
    ends = [measure(qubit, bit) for bit, qubit in enumerate(path)]
    return Program(topology.num_qubits, len(path), (*operations, *ends))


def best_path(device: Device) -> tuple[int, ...]:
    """Up to three qubits in a row, over the couplings with the least published error."""
    edges = device.topology.edges
    if not edges or not device.topology.two_qubit_gate:
        return ()
    sheet = device.errors
    error = dict(zip(edges, sheet.two_qubit if sheet else [0.0] * len(edges), strict=True))
    first = min(edges, key=lambda edge: (error[edge], edge))
    near = [
        (error[edge], end, other)
        for edge in edges
        for end, other in (edge, edge[::-1])
        if end in first and other not in first
    ]
    if not near:
        return first
    _, end, other = min(near)
    return (first[0] if end == first[1] else first[1], end, other)
