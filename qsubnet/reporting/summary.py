"""The facts at the head of a report: the claim, what was asked and answered, the key figures."""

from __future__ import annotations

from typing import TYPE_CHECKING

from providers.base import DeviceClass
from qsubnet.reporting.figures import percents, spread
from qsubnet.reporting.material import known_circuits
from validator.estimators.layers import layer_error

if TYPE_CHECKING:
    from qsubnet.reporting.material import Material
    from validator.estimators.layers import LayerError

__all__ = ["facts", "measured_layer"]

_KINDS = {DeviceClass.QPU: "a quantum machine (qpu)", DeviceClass.SIMULATOR: "a simulator"}
_KEPT = 20
_LEAST_WIDTH = 10


def facts(material: Material) -> list[tuple[str, str]]:
    """List what the reader wants to know first, as name and value."""
    device, found = material.device, material.verdict.evidence
    topology = device.topology
    epochs = sorted({record.epoch for record in material.records})
    known = [
        ("Says it is", f"{_KINDS[device.device_class]} of {topology.num_qubits} qubits"),
        (
            "Couplings",
            f"{len(topology.edges)} pairs, native gates {', '.join(topology.native_gates)}",
        ),
        ("Epochs", f"{len(epochs)} (from {epochs[0]} to {epochs[-1]})"),
        ("Answered", f"{found.programs_answered} of {found.programs_asked} test programs"),
        ("Shots used", f"{found.shots_used:,}"),
        ("Fidelity [95 %]", f"{spread(found.fidelity)}, {found.estimator}"),
    ]
    layer = measured_layer(material)
    if layer is not None:
        known.append(
            (
                f"Error of one layer of {layer.width} qubits [95 %]",
                (
                    f"{percents(layer.error)}; gates err {layer.gate_scale.estimate:.2f} "
                    f"[{layer.gate_scale.low:.2f}, {layer.gate_scale.high:.2f}] times, readout "
                    f"{layer.readout_scale:.2f} times as much as its sheet says"
                ),
            )
        )
    known.append(("Score", f"{material.verdict.score:,.0f} verified qubit-shots"))
    return known


def measured_layer(material: Material) -> LayerError | None:
    """Fit the newest wide mirrors of the newest width; None where that cannot be measured."""
    wide = [
        record
        for record in material.records
        if record.case and record.case.family == "mirror" and record.case.width >= _LEAST_WIDTH
        if record.device.topology == material.device.topology
    ]
    circuits = known_circuits(wide)[-_KEPT:]
    newest = [c for c in circuits if c.program.num_bits == circuits[-1].program.num_bits]
    return layer_error(newest, device=material.device)
