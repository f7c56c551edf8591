"""The noise of a sheet for Aer: what an honest noisy simulator does, and nothing besides.

A sheet of class `simulator` with error rates is a claim that validators measure. So every gate is
followed by a depolarising channel whose average infidelity is the sheet's number for its qubit or
pair, and every measured bit flips with the sheet's chance, both ways alike. Turns about z (and
`id`) are free: control electronics turn a frame for them.

The channels are put into the circuit one by one, at the program's own gates, so that a gate which
Aer lacks and the emitter splits errs once. Pairs without a coupling, gates on two qubits other
than the sheet's and gates on three have no published number and are refused.

Blind spot: nothing but what a sheet says: no crosstalk, no drift, no idle errors. `standin` has
those.
Source: depolarising with probability p has average infidelity p (d - 1)/d: Magesan et al., Phys.
Rev. Lett. 106, 180504 (2011).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from circuits.gates import GATES
from circuits.program import Program
from providers.errors import Rejected

if TYPE_CHECKING:
    from qiskit import QuantumCircuit

    from providers.base import Device, ErrorRates

FREE = frozenset({"id", "p", "rz", "s", "sdg", "t", "tdg", "z"})
"""Gates without a pulse, hence without an error."""


def admit(device: Device, program: Program) -> None:
    """Refuse what the sheet has no error rate for.

    Raises:
        Rejected: A gate on a pair that is not coupled, another two-qubit gate than the sheet's, or
            a gate on three qubits.

    Example:
        >>> from circuits.program import Operation
        >>> from circuits.topology import Topology
        >>> from providers.base import Device, DeviceClass, ErrorRates
        >>> rates = ErrorRates((0.0,) * 2, (0.01,), (0.0,) * 2)
        >>> line = Topology(2, ((0, 1),), ("cz", "u"))
        >>> two = Device("two", DeviceClass.SIMULATOR, line, rates, "aer")
        >>> admit(two, Program(2, 1, (Operation("cz", (1, 0)),)))
        >>> admit(two, Program(2, 1, (Operation("cx", (0, 1)),)))
        Traceback (most recent call last):
        ...
        providers.errors.Rejected: 'two' publishes an error of cz on its 1 couplings, got cx on...
    """
    topology = device.topology
    pairs = {frozenset(edge) for edge in topology.edges}
    for name, qubits in {(op.name, op.qubits) for op in program.operations if op.name in GATES}:
        if len(qubits) > 1 and (name != topology.two_qubit_gate or frozenset(qubits) not in pairs):
            raise Rejected(
                f"{device.name!r} publishes an error of {topology.two_qubit_gate or 'no gate'} on "
                f"its {len(pairs)} couplings, got {name} on {list(qubits)}"
            )


def noisy_circuit(
    program: Program,
    kept: Sequence[int],
    device: Device,
    *,
    form: Callable[[Program], Program] = lambda program: program,
) -> QuantumCircuit:
    """Write a program for Aer with a channel after every gate that errs.

    Args:
        program: Already compacted.
        kept: For each of its qubits the device's.
        device: Publishes errors; `admit` has let the program in.
        form: Rewrites a gate in others, for a method that does not know it; it errs once.
    """
    from circuits.emitters.qiskit import to_qiskit

    rates = _Rates(device)
    circuit = to_qiskit(Program(program.num_qubits, program.num_bits, ()))
    for op in program.operations:
        single = Program(program.num_qubits, program.num_bits, (op,))
        circuit.compose(to_qiskit(form(single)), inplace=True)
        if op.name in GATES and op.name not in FREE:
            channel = rates.channel(tuple(kept[qubit] for qubit in op.qubits))
            if channel is not None:
                circuit.append(channel, list(op.qubits))
    return circuit


def readout_noise(kept: Sequence[int], device: Device) -> Any:  # noqa: ANN401 - the SDK has no types
    """Give Aer's model of the readout alone, for a compacted program on the device's `kept`."""
    from qiskit_aer.noise import NoiseModel, ReadoutError

    model = NoiseModel()
    for qubit, flip in enumerate(_errors(device).readout[old] for old in kept):
        if flip > 0.0:
            model.add_readout_error(ReadoutError([[1 - flip, flip], [flip, 1 - flip]]), [qubit])
    return model


class _Rates:
    """The channels of a device, each made once."""

    def __init__(self, device: Device) -> None:
        errors = _errors(device)
        pairs = zip(device.topology.edges, errors.two_qubit, strict=True)
        self._infidelity = {frozenset({q}): r for q, r in enumerate(errors.one_qubit)}
        self._infidelity |= {frozenset(pair): r for pair, r in pairs}
        self._made: dict[frozenset[int], Any] = {}

    def channel(self, qubits: tuple[int, ...]) -> Any:  # noqa: ANN401 - the SDK has no types
        """Give the channel after a gate on device qubits `qubits`; None where it never errs."""
        place = frozenset(qubits)
        if place not in self._made:
            self._made[place] = _depolarising(self._infidelity[place], len(qubits))
        return self._made[place]


def _errors(device: Device) -> ErrorRates:
    if device.errors is None:
        raise Rejected(f"{device.name!r} publishes no errors, so there is no noise to simulate")
    return device.errors


def _depolarising(infidelity: float, num_qubits: int) -> Any:  # noqa: ANN401 - the SDK has no types
    """Make the depolarising channel of an average gate infidelity, as far as there is one."""
    from qiskit_aer.noise import depolarizing_error

    if infidelity <= 0.0:
        return None
    d = 2**num_qubits
    most = d * d / (d * d - 1)  # all Paulis but the identity, none left
    return depolarizing_error(min(infidelity * d / (d - 1), most), num_qubits)
