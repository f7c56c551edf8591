"""What a check measured, beside what the device's sheet claims.

Readout: the share of wrong bits of the fixed probes, whose preparing X gates are counted with it.
Gates: how many times the sheet they err, from full layers of mirrors of one width at two depths
(`validator.estimators.layers`). Circuits: mirrors' polarization beside the product of the sheet.

Blind spot: few shots. Intervals are wide after one or two epochs, and a device without a known
answer at two depths (three qubits or fewer, or a simulator) has no figure per layer.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from circuits.case import Case, KnownAnswer
from validator.claims import claim_for
from validator.estimators.correctness import LayerCircuit
from validator.estimators.layers import LayerError, layer_error
from validator.estimators.mirror import mirror_answer, mirror_polarization
from validator.fidelity import Measure
from validator.interval import Interval

if TYPE_CHECKING:
    from circuits.counts import Counts
    from providers.base import Device
    from validator.record import Record


@dataclass(frozen=True, slots=True)
class Beside:
    """A figure as measured and as claimed; either is None where it is not known."""

    measured: Interval | None
    claimed: float | None


@dataclass(frozen=True, slots=True)
class Figures:
    """What a battery showed of a device's errors.

    Attributes:
        readout: Share of wrong bits of a measurement, averaged over qubits.
        worst_readout: (qubit, measured, claimed) of those furthest above their sheet, worst first.
        mirror: Polarization of mirrors of at most 8 qubits, averaged over circuits; the claim is
            the product over the sheet.
        layer: Error of one full layer of gates, in process units.
        layer_width: Qubits of that layer; 0 where there is none.
        gate_scale: Gate errors over the sheet's.
    """

    readout: Beside
    worst_readout: tuple[tuple[int, float, float], ...]
    mirror: Beside
    layer: Beside
    layer_width: int
    gate_scale: Interval | None


_WIDEST = 8
_SHOWN = 5
_FAR = 4.0


def figures(records: Sequence[Record], device: Device) -> Figures:
    """Compute the figures of a battery's records; those of a wrong width are left out."""
    known = [
        (case, case.answer.bits, record.counts)
        for record in records
        if (case := record.case) is not None and isinstance(case.answer, KnownAnswer)
        if record.counts is not None and record.counts.shots
        if record.counts.num_bits == record.program.num_bits
    ]
    probes = [(case, bits, counts) for case, bits, counts in known if case.family == "readout"]
    mirrors = [(case, bits, counts) for case, bits, counts in known if case.family == "mirror"]
    found = _layer(mirrors, device)
    return Figures(
        readout=_readout(probes, device),
        worst_readout=_worst(probes, device),
        mirror=_mirror([one for one in mirrors if one[0].width <= _WIDEST], device),
        layer=Beside(found.error, _claimed_layer(found)) if found else Beside(None, None),
        layer_width=found.width if found else 0,
        gate_scale=found.gate_scale if found and device.errors else None,
    )


_Known = tuple[Case, str, "Counts"]


def _tally(probes: Sequence[_Known]) -> dict[int, tuple[int, int]]:
    """Count by qubit the wrong bits and the shots."""
    tally: dict[int, tuple[int, int]] = {}
    for case, bits, counts in probes:
        outcomes, shots = counts.distinct()
        ones = outcomes.T.astype(int) @ shots
        for place, (qubit, one) in enumerate(zip(case.qubits, ones, strict=True)):
            wrong = counts.shots - int(one) if bits[-1 - place] == "1" else int(one)
            before = tally.get(qubit, (0, 0))
            tally[qubit] = (before[0] + wrong, before[1] + counts.shots)
    return tally


def _readout(probes: Sequence[_Known], device: Device) -> Beside:
    """Average over qubits; the interval is of the shots alone, for all qubits are looked at."""
    tally = _tally(probes)
    sheet = device.errors.readout if device.errors else None
    claimed = math.fsum(sheet) / len(sheet) if sheet else None
    if not tally:
        return Beside(None, claimed)
    rates = [wrong / shots for wrong, shots in tally.values()]
    mean = math.fsum(rates) / len(rates)
    variance = (
        math.fsum((wrong + 1) / (shots + 2) / shots for wrong, shots in tally.values())
        / len(rates) ** 2
    )
    half = 1.96 * math.sqrt(variance)
    return Beside(Interval(max(0.0, mean - half), mean, min(1.0, mean + half)), claimed)


def _worst(probes: Sequence[_Known], device: Device) -> tuple[tuple[int, float, float], ...]:
    """List qubits whose readout lies far above their sheet, more than shots explain."""
    if device.errors is None:
        return ()
    found = []
    for qubit, (wrong, shots) in _tally(probes).items():
        claimed, measured = device.errors.readout[qubit], wrong / shots
        spread = math.sqrt(max(claimed, 1 / shots) / shots)
        if measured > 2 * claimed and measured > claimed + _FAR * spread:
            found.append((qubit, measured, claimed))
    return tuple(sorted(found, key=lambda one: (one[2] - one[1], one[0]))[:_SHOWN])


def _mirror(mirrors: Sequence[_Known], device: Device) -> Beside:
    if not mirrors:
        return Beside(None, None)
    answers = [mirror_answer(counts.table, target=bits) for _, bits, counts in mirrors]
    claims = [claim_for(case, device, measure=Measure.POLARIZATION) for case, _, _ in mirrors]
    return Beside(mirror_polarization(answers), math.fsum(claims) / len(claims))


def _layer(mirrors: Sequence[_Known], device: Device) -> LayerError | None:
    """Estimate from the widest mirrors that have two depths."""
    for width in sorted({case.width for case, _, _ in mirrors}, reverse=True):
        circuits = [
            LayerCircuit(program=case.program, target=bits, counts=counts.table)
            for case, bits, counts in mirrors
            if case.width == width
        ]
        found = layer_error(circuits, device=device)
        if found is not None:
            return found
    return None


def _claimed_layer(found: LayerError) -> float | None:
    """Scale the layer's error back to the sheet's own level: 1 - (1 - e)^(1 / scale)."""
    scale, error = found.gate_scale.estimate, found.error.estimate
    if scale <= 0.0 or error >= 1.0:
        return None
    return -math.expm1(math.log1p(-error) / scale)
