"""What a device's sheet promises for one drawn circuit.

Virtual operations (`rz`, `id`, `p`, and the diagonal one-qubit gates) carry no error on published
sheets; every other one-qubit gate costs the qubit's one-qubit rate. Source: `validator.fidelity`.
"""

from __future__ import annotations

from circuits.case import Case
from circuits.gates import GATES
from providers.base import Device
from validator.fidelity import Measure, claimed_fidelity

VIRTUAL = frozenset({"id", "rz", "p", "z", "s", "sdg", "t", "tdg"})


def claim_for(case: Case, device: Device, *, measure: Measure) -> float:
    """Return F_claim of `case` on `device`; 1 for a device that publishes no errors.

    Args:
        case: Drawn on the device's own topology.
        device: The claim as it stood when the case was sent.
        measure: What the circuit will be scored by.
    """
    sheet = device.errors
    if sheet is None:
        return 1.0
    rates = {frozenset(e): r for e, r in zip(device.topology.edges, sheet.two_qubit, strict=True)}
    one, two = [], []
    for operation in case.program.operations:
        gate = GATES.get(operation.name)
        if gate is None or operation.name in VIRTUAL:
            continue
        if gate.num_qubits == 1:
            one.append(sheet.one_qubit[operation.qubits[0]])
        else:
            two.append(rates[frozenset(operation.qubits)])
    return claimed_fidelity(
        one_qubit=one,
        two_qubit=two,
        readout=[sheet.readout[qubit] for qubit in case.qubits],
        measure=measure,
    )
