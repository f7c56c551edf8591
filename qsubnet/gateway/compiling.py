"""Compile a program for a device: its own gates on its own couplings, q[j] being device qubit j.

What leaves for a miner is verbatim, like a test; so the gateway, not the miner, chooses qubits and
routes. Qiskit does it with a fixed seed: the same program, device and version give the same text.
On couplings it works at optimization level 2, the first at which published error rates guide the
choice of qubits; where every pair couples, level 1 suffices; who submits may choose another level.
Classical bits stay the user's own.

One-qubit gates that Qiskit has no words for (gpi, gpi2, prx) are written from `u` by
`circuits.native`, and sqrt_iswap twice for each iswap. Assumes that enough qubits are connected.
Blind spot: what the error sheet does not say, such as crosstalk.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from functools import lru_cache
from itertools import chain
from typing import TYPE_CHECKING, Any, Final

from circuits.errors import CircuitError
from circuits.gates import GATES
from circuits.native import rotation, wrap
from circuits.program import Operation, Program
from providers.base import DeviceClass
from qsubnet.errors import BadInput
from qsubnet.gateway.errors import TooWide
from qsubnet.wire.domain import PROGRAM_LIMITS

if TYPE_CHECKING:
    from qiskit import QuantumCircuit
    from qiskit.transpiler import Target

    from providers.base import Device

MAX_OPERATIONS: Final = 50_000
"""Operations of one program before compilation: bounds the time of compiling."""

_SEED: Final = 20
_DIRECTED: Final = frozenset({"cx", "ecr"})
_KNOWN_ONE_QUBIT: Final = frozenset({"id", "rz", "sx", "u", "x"})
_WHOLE_SETS: Final = (frozenset({"u"}), frozenset({"rz", "sx"}))
_WORST: Final = 0.999


def compile_for(device: Device, program: Program, optimization: int | None = None) -> Program:
    """Write `program` in the native gates of `device`, as wide as the device.

    Args:
        device: Where it will run.
        program: What the user wrote.
        optimization: Qiskit's level, 0 to 3; None chooses it by the device, see above.

    Raises:
        TooWide: It uses more qubits than the device, or than its couplings connect.
        BadInput: Too many operations, or native gates that cannot be compiled to.
        CircuitError: The compiled program is larger than programs may be.

    Example:
        >>> from circuits.program import measure
        >>> from circuits.topology import Topology
        >>> from providers.base import Device, DeviceClass
        >>> topology = Topology(3, ((1, 2),), ("cz", "u"))
        >>> device = Device("d", DeviceClass.SIMULATOR, topology, None, "aer")
        >>> bell = Program(2, 2, (Operation("h", (0,)), Operation("cx", (0, 1)),
        ...                       measure(0, 0), measure(1, 1)))
        >>> compiled = compile_for(device, bell)
        >>> compiled.num_qubits, compiled.used_qubits, compiled.two_qubit_gates
        (3, (1, 2), 1)
    """
    if len(program.operations) > MAX_OPERATIONS:
        raise BadInput(
            f"a program may have {MAX_OPERATIONS} operations, got {len(program.operations)}"
        )
    small, _ = program.compacted()
    width = device.topology.num_qubits
    if small.num_qubits > width:
        raise TooWide(
            f"the program uses {small.num_qubits} qubits, device {device.name!r} has {width}"
        )
    from circuits.emitters.qiskit import from_qiskit, to_qiskit

    circuit = _transpiled(to_qiskit(small), device, optimization)
    compiled = from_qiskit(circuit, limits=PROGRAM_LIMITS)
    operations = chain.from_iterable(_native(op, device) for op in compiled.operations)
    return Program(width, program.num_bits, tuple(operations))


def load_compiler() -> None:
    """Load the compiler, which takes seconds; call it once in the main thread before any other.

    Qiskit 2 crashes (a segmentation fault at the next register) when the thread that imported it
    first has ended, so no worker thread may be that one.
    """
    import qiskit
    import qiskit.transpiler

    _ = qiskit.QuantumCircuit(1, 1)


def _transpiled(
    circuit: QuantumCircuit, device: Device, optimization: int | None
) -> QuantumCircuit:
    from qiskit import transpile
    from qiskit.exceptions import QiskitError

    try:
        if _any_pair(device):
            words = list(_words(device))
            level = 1 if optimization is None else optimization
            return transpile(
                circuit, basis_gates=words, optimization_level=level, seed_transpiler=_SEED
            )
        level = 2 if optimization is None else optimization
        return transpile(
            circuit, target=_target(device), optimization_level=level, seed_transpiler=_SEED
        )
    except QiskitError as error:
        reason = str(error).strip("'\"")[:300]
        raise TooWide(
            f"the program does not fit the couplings and gates of device {device.name!r}: {reason}"
        ) from error


def _any_pair(device: Device) -> bool:
    """Say whether routing is needless: a simulator that couples every pair."""
    n = device.topology.num_qubits
    every = len(device.topology.edges) == n * (n - 1) // 2
    return every and device.device_class is DeviceClass.SIMULATOR


def _words(device: Device) -> tuple[str, ...]:
    """Name the gates that Qiskit is to compile to.

    Raises:
        BadInput: The device's gates make up no universal set that we know.
    """
    native = set(device.topology.native_gates)
    whole = any(needed <= native for needed in _WHOLE_SETS)
    ones = sorted(native & _KNOWN_ONE_QUBIT) if whole else ["u"]
    if not whole:
        try:
            rotation(native, theta=0.0, phi=0.0, lam=0.0)
        except CircuitError as error:
            raise BadInput(f"cannot compile for device {device.name!r}: {error}") from error
    two = device.topology.two_qubit_gate
    if two == "swap":
        raise BadInput(f"device {device.name!r} has swap alone on two qubits, which entangles none")
    return (*ones, *([_qiskit_word(two)] if two else []))


def _qiskit_word(two_qubit_gate: str) -> str:
    return "iswap" if two_qubit_gate == "sqrt_iswap" else two_qubit_gate


@lru_cache(maxsize=64)
def _target_of(
    num_qubits: int,
    words: tuple[str, ...],
    edges: tuple[tuple[tuple[int, int], float], ...],
    singles: tuple[tuple[float, float], ...],
) -> Target:
    from qiskit.circuit import Measure, Reset
    from qiskit.transpiler import InstructionProperties, Target

    def rated(error: float) -> InstructionProperties:
        return InstructionProperties(error=min(error, _WORST))

    target = Target(num_qubits=num_qubits)
    for word in words:
        gate = _gate(word)
        if gate.num_qubits == 2:
            target.add_instruction(gate, {edge: rated(error) for edge, error in edges})
        else:
            target.add_instruction(gate, {(q,): rated(e) for q, (e, _) in enumerate(singles)})
    target.add_instruction(Measure(), {(q,): rated(e) for q, (_, e) in enumerate(singles)})
    target.add_instruction(Reset(), {(q,): None for q in range(num_qubits)})
    return target


def _target(device: Device) -> Target:
    topology, sheet = device.topology, device.errors
    n = topology.num_qubits
    rates = sheet.two_qubit if sheet else (0.0,) * len(topology.edges)
    edges = dict(zip(topology.edges, rates, strict=True))
    if topology.two_qubit_gate not in _DIRECTED:
        edges |= {(b, a): rate for (a, b), rate in edges.items()}
    singles = (
        tuple(zip(sheet.one_qubit, sheet.readout, strict=True)) if sheet else ((0.0, 0.0),) * n
    )
    return _target_of(n, _words(device), tuple(sorted(edges.items())), singles)


def _gate(word: str) -> Any:  # noqa: ANN401 - the SDK has no types
    """Make Qiskit's gate of a word, its angles left open."""
    from qiskit.circuit import Parameter
    from qiskit.circuit.library import get_standard_gate_name_mapping

    gate = get_standard_gate_name_mapping()[word]
    angles = [Parameter(f"{word}{place}") for place in range(GATES[word].num_angles)]
    return gate.base_class(*angles)


def _native(op: Operation, device: Device) -> Iterator[Operation]:
    """Write one operation in the device's own words, each angle in its one spelling."""
    gates = device.topology.native_gates
    if op.name == "u" and "u" not in gates:
        theta, phi, lam = op.angles
        for name, angles in rotation(gates, theta=theta, phi=phi, lam=lam):
            yield Operation(name, op.qubits, angles)
    elif op.name == "iswap" and "iswap" not in gates:
        yield from (Operation("sqrt_iswap", op.qubits),) * 2
    elif op.name == "cp":
        yield Operation(op.name, op.qubits, (math.remainder(op.angles[0], 2 * math.pi),))
    else:
        yield Operation(op.name, op.qubits, tuple(map(wrap, op.angles)), op.bit)
