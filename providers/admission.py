"""What a device can run: width, shots, programs, and a machine's own gates and couplings.

Blind spot: it looks at operations one by one, so it knows no limit on depth or duration.
"""

from __future__ import annotations

from circuits.gates import GATES
from circuits.program import MEASURE, Operation, Program
from circuits.topology import Topology
from providers.base import Device, DeviceClass, Job
from providers.errors import Rejected

_DIRECTED = frozenset({"cx", "ecr"})


def check_job(device: Device, job: Job) -> None:
    """Raise Rejected unless `device` can run `job` as it stands.

    A `simulator` takes every gate of the profile on every pair. A `qpu` here does not compile, so
    with or without `verbatim` it wants its own gates on its own couplings, and `cx` and `ecr` in
    the coupling's direction.

    Example:
        >>> from circuits.program import measure
        >>> from circuits.topology import complete
        >>> two = Device("two", DeviceClass.SIMULATOR, complete(2, ["cx"]), None, "aer")
        >>> check_job(two, Job("0" * 64, "two", (Program(3, 1, (measure(2, 0),)),), 10))
        Traceback (most recent call last):
        ...
        providers.errors.Rejected: program 0 has 3 qubits, device 'two' has 2
    """
    if job.shots > device.max_shots or len(job.programs) > device.max_programs:
        raise Rejected(
            f"device {device.name!r} takes at most {device.max_programs} programs of "
            f"{device.max_shots} shots, got {len(job.programs)} of {job.shots}"
        )
    for index, program in enumerate(job.programs):
        width = program.num_qubits if job.verbatim else len(program.used_qubits)
        if width > device.topology.num_qubits:
            raise Rejected(
                f"program {index} has {width} qubits, device {device.name!r} has "
                f"{device.topology.num_qubits}"
            )
        if not any(operation.name == MEASURE for operation in program.operations):
            raise Rejected(f"program {index} measures nothing, need at least one measurement")
        if device.device_class is DeviceClass.QPU:
            _check_native(device, program, index)


def _check_native(device: Device, program: Program, index: int) -> None:
    """Raise Rejected at the first operation that the hardware does not have."""
    topology = device.topology
    native, pairs = set(topology.native_gates), set(topology.edges)
    for operation in program.operations:
        if operation.name not in GATES:
            continue
        if operation.name not in native or not _coupled(operation, topology, pairs):
            raise Rejected(
                f"program {index}: {operation.name} on qubits {list(operation.qubits)} is not "
                f"native to {device.name!r}, which has {', '.join(topology.native_gates)} on its "
                f"{len(pairs)} couplings"
            )


def _coupled(operation: Operation, topology: Topology, pairs: set[tuple[int, int]]) -> bool:
    if max(operation.qubits) >= topology.num_qubits:
        return False
    if len(operation.qubits) == 1:
        return True
    if len(operation.qubits) > 2:
        return False
    a, b = operation.qubits
    return (a, b) in pairs or (operation.name not in _DIRECTED and (b, a) in pairs)
