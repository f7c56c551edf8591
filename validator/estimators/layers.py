"""Error of one layer at any width, from how mean correctness falls with depth.

At 100 qubits and more no shot of a mirror is right as a whole, but every bit is right more often
than not. Its correctness 1 - 2 Pr(wrong) is a product over the errors that it sees
(`propagation`) and its readout. All gate errors are taken as one scale times the
device's own sheet, all readout errors as another scale times the sheet's; circuits of two depths
tell the two apart, since readout strikes once. Of the sheet only proportions enter, its level
drops out.

This is a model: Pauli errors, with those of gates, of waiting and of neighbouring gates together in
proportion to the sheet. On simulated machines of 118 to 154 qubits with crosstalk, dephasing while
waiting, joint errors and drifted rates, mirrors of depths 2 and 8 or 2 and 16 with 10,000 shots in
all give the layer error within 5 %, 1.5 % root mean square; the sum of its errors is off by up to
2.5 % for the machine and not for the shots, which `MODEL_ERROR` puts into the interval.

No score may rest on the two-depth figure: who spoils the shallow circuits makes the readout look
bad and the layers good. `pessimistic_layer_error` never falls when a circuit gets worse.

Source: products of Pauli eigenvalues: Flammia & Wallman, ACM Trans. Quantum Comput. 1, 1 (2020);
layer errors in process units: McKay et al., arXiv:2311.05933. The combination is derived here; the
fit is `validator.estimators.decay`'s.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from circuits.topology import Edge
from providers.base import Device
from validator.estimators.correctness import LayerCircuit, Observed, observe
from validator.estimators.decay import MOST, Circuits, Proportions, fit_scales, scale_given_readout
from validator.estimators.mirror import mean_hamming
from validator.estimators.propagation import Element, Place
from validator.interval import Interval
from validator.special import check_level, normal_quantile, t_quantile

__all__ = [
    "LayerError",
    "layer_error",
    "layer_error_of",
    "pessimistic_layer_error",
    "proportions",
]

WAITING = 0.5
"""Error of a qubit that waits through a two-qubit layer, as a share of the mean gate's: sheets do
not list it, and a gate that errs by decoherence alone costs as much as two qubits' waiting."""

MODEL_ERROR = 0.02
"""Standard deviation of the gate scale, relative, from what the model leaves out: measured."""

NOMINAL = (0.001, 0.01, 0.01)
"""Pulse, two-qubit gate and readout where a sheet has nothing; only their proportions matter."""

_GRAIN = 1e9


@dataclass(frozen=True, slots=True)
class LayerError:
    """Error of one layer of one-qubit gates and one of two-qubit gates, on the layers that ran.

    Attributes:
        width: Qubits of the layer.
        error: 1 - prod(1 - e) over all that errs in the two, from all depths together, geometric
            mean over layers; model-based, a figure to show and never to pay by.
        pessimistic: See `pessimistic_layer_error`.
        gate_scale: Gate errors over the sheet's (over `NOMINAL` without a sheet).
        readout_scale: Readout errors likewise.
        hamming: Depth -> mean share of wrong bits with its interval.
    """

    width: int
    error: Interval
    pessimistic: float
    gate_scale: Interval
    readout_scale: float
    hamming: Mapping[int, Interval]


def proportions(device: Device) -> Proportions:
    """Read the sheet in process units: 3r/2 a pulse, 5r/4 a two-qubit gate.

    A part of the sheet that is all zero, or no sheet, is replaced by `NOMINAL`.

    Example:
        >>> from circuits.topology import Topology
        >>> from providers.base import DeviceClass
        >>> line = Topology(2, ((1, 0),), ("cz", "rz", "sx"))
        >>> proportions(Device("d", DeviceClass.SIMULATOR, line, None, "p")).gates[
        ...     Place.TWO_QUBIT, (0, 1)]
        0.01
    """
    width, sheet = device.topology.num_qubits, device.errors
    pairs: list[Edge] = [(min(edge), max(edge)) for edge in device.topology.edges]
    one = [1.5 * r for r in sheet.one_qubit] if sheet else []
    two = [1.25 * r for r in sheet.two_qubit] if sheet else []
    read = list(sheet.readout) if sheet else []
    one = one if any(one) else [NOMINAL[0]] * width
    two = two if any(two) else [NOMINAL[1]] * len(pairs)
    read = read if any(read) else [NOMINAL[2]] * width
    waiting = WAITING * math.fsum(two) / max(1, len(two))
    gates: dict[Element, float] = {}
    for qubit in range(width):
        gates[Place.ONE_QUBIT, (qubit,)] = one[qubit]
        gates[Place.IDLE, (qubit,)] = waiting
    gates.update(((Place.TWO_QUBIT, pair), rate) for pair, rate in zip(pairs, two, strict=True))
    return Proportions(gates, dict(enumerate(read)))


def layer_error(
    circuits: Sequence[LayerCircuit], *, device: Device, confidence: float = 0.95
) -> LayerError | None:
    """Estimate the error of one layer from circuits of at least two depths.

    Args:
        circuits: Mirrors, or other layered Clifford circuits with known answers; those without
            a shot or that are not Clifford are set aside.
        device: Whose sheet and topology.
        confidence: Two-sided level, strictly between 0 and 1.

    Returns:
        None, "not measurable": fewer than two depths were answered, or nothing is left of the
        answers at any depth.

    Raises:
        ValueError: Circuits of more than one width, a circuit that is not the device's, counts
            of another width than their program.
    """
    seen = [observed for circuit in circuits if (observed := observe(circuit)) is not None]
    return layer_error_of(seen, device=device, confidence=confidence)


def layer_error_of(
    seen: Sequence[Observed], *, device: Device, confidence: float = 0.95
) -> LayerError | None:
    """Estimate from circuits that were set beside their answers before; see `layer_error`.

    The interval is a t interval over circuits with two degrees of freedom less than circuits, not
    narrower than half of what shots alone would give (two circuits: by shots alone), and
    `MODEL_ERROR` beside it.
    """
    tail = check_level(confidence)
    used = [observed for observed in seen if observed.depth]
    if len({observed.width for observed in used}) > 1:
        raise ValueError(f"need one width, got {sorted({observed.width for observed in used})}")
    depths = sorted({observed.depth for observed in used})
    if len(depths) < 2:
        return None
    shape = proportions(device)
    fit = fit_scales(Circuits(used, shape))
    if fit is None:
        return None
    spare = len(used) - 2
    normal = normal_quantile(1.0 - tail)
    quantile = t_quantile(1.0 - tail, df=spare) if spare else normal
    half = math.hypot(quantile * fit.standard_error, normal * MODEL_ERROR * fit.gates)
    scales = (max(0.0, fit.gates - half), fit.gates, fit.gates + half)
    return LayerError(
        width=used[0].width,
        error=Interval(*(_layer(used, shape, scale) for scale in scales)),
        pessimistic=pessimistic_layer_error(used, device=device),
        gate_scale=Interval(*map(_rounded, scales)),
        readout_scale=_rounded(fit.readout),
        hamming={
            depth: mean_hamming([o.answer for o in used if o.depth == depth], confidence=confidence)
            for depth in depths
        },
    )


def pessimistic_layer_error(seen: Sequence[Observed], *, device: Device) -> float:
    """Put on gates and layers all that the sheet's own readout errors do not explain.

    Each depth is met by itself, and the worst counts: so the figure rises or stays when any
    circuit gets worse, and one good depth does not help. It needs no second depth. It may lie
    below the two-depth figure where the device reads better than its sheet says; who publishes
    worse readout errors than it has lowers it, so a sheet must be fixed before the answers and
    held against the readout probes.

    Returns:
        0 .. 1; 1 for no circuit with a two-qubit layer at all.

    Raises:
        ValueError: A circuit is not the device's.
    """
    used = [observed for observed in seen if observed.depth]
    if not used:
        return 1.0
    shape = proportions(device)
    sheet = device.errors.readout if device.errors else [0.0] * device.topology.num_qubits
    claimed = Proportions(shape.gates, dict(enumerate(sheet)))
    groups = [[o for o in used if o.depth == depth] for depth in {o.depth for o in used}]
    worst = max(scale_given_readout(Circuits(group, claimed)) for group in groups)
    return _layer(used, shape, worst)


def _rounded(value: float) -> float:
    return round(value * _GRAIN) / _GRAIN


def _layer(seen: Sequence[Observed], shape: Proportions, scale: float) -> float:
    """Return the error of one layer of each kind at a scale, over the layers that ran."""
    paired = sum(observed.carried.two_qubit_layers for observed in seen)
    single = sum(observed.carried.one_qubit_layers for observed in seen)
    lost = []
    for observed in seen:
        for (place, qubits), gates in observed.carried.runs().items():
            layers = single if place is Place.ONE_QUBIT and single else paired
            error = min(scale * shape.gates[place, qubits], MOST[place])
            lost.append(gates * math.log1p(-error) / layers)
    return _rounded(-math.expm1(math.fsum(lost)))
