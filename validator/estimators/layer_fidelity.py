"""Layer fidelity and EPLG: all pairs of a chip at once, one decay a pair, and their product.

The chip's two-qubit gates are cut into disjoint layers; in each layer every pair (and every idle
qubit) is benchmarked at the same time, its signs decaying as A r^m. A unit of k qubits keeps
F = 1 - (4^k - 1)(1 - r)/4^k; LF = product over all units of all layers; EPLG = 1 - LF^(1/n_2q)
with n_2q two-qubit gates over all layers. Process-error units: average gate error = .8 EPLG.
Assumes: signs of random stabilizers a unit (no offset), the same circuits for all units of a
layer, so that crosstalk and what units have in common is inside. Blind spot: vendors report
their best chain, so compare like with like; every decay is a ratio in disguise and rises when
short circuits are spoiled, hence `LayerFidelity.paid` with fixed amplitudes.
Source: D. C. McKay et al., arXiv:2311.05933 (there with direct RB; the sign form is binary RB).
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from validator.estimators.exponential import (
    DecayPoint,
    fixed_amplitude_rate,
    log_rate,
    log_rate_slopes,
)
from validator.estimators.monotone import monotone_mean, shot_spread
from validator.estimators.ratio import circuit_mean, pooled_df
from validator.interval import NO_SHOTS, Interval
from validator.special import check_level, t_quantile

__all__ = ["LayerFidelity", "LayerRun", "layer_fidelity"]

_FEW_MISSES = 10.0


@dataclass(frozen=True, slots=True)
class LayerRun:
    """One circuit of one layer.

    Attributes:
        length: m >= 1.
        shots: Shots that came back, at least 1.
        values: Mean sign of each unit, in the order of the layer's units, in [-1, 1].

    Raises:
        ValueError: One of them is outside its range.

    Example:
        >>> LayerRun(length=4, shots=100, values=(0.9, 0.8)).length
        4
    """

    length: int
    shots: int
    values: tuple[float, ...]

    def __post_init__(self) -> None:
        if self.length < 1 or self.shots < 1 or any(not -1.0 <= v <= 1.0 for v in self.values):
            raise ValueError(f"need length, shots >= 1 and values in [-1, 1], got {self}")


@dataclass(frozen=True, slots=True)
class LayerFidelity:
    """The product over a chip.

    Attributes:
        fidelity: LF; (0, 0.5, 1) where undefined.
        eplg: Process error per layered gate, likewise.
        gate_error: Average gate infidelity .8 EPLG, likewise.
        paid: LF with every amplitude fixed, its lower end never rising with a worse circuit.
        reason: Why LF is undefined; empty if it is not.
    """

    fidelity: Interval
    eplg: Interval
    gate_error: Interval
    paid: Interval
    reason: str


@dataclass(frozen=True, slots=True)
class _Layer:
    """One layer's circuits by length, with the qubits of each unit."""

    units: tuple[int, ...]
    groups: Mapping[int, Sequence[LayerRun]]

    def points(self, unit: int) -> list[DecayPoint]:
        return [
            DecayPoint(m, len(group), circuit_mean([run.values[unit] for run in group]))
            for m, group in self.groups.items()
        ]


def _layer(runs: Sequence[LayerRun], units: Sequence[int]) -> _Layer:
    wrong = [run for run in runs if len(run.values) != len(units)]
    if wrong or any(k not in {1, 2} for k in units):
        raise ValueError(f"need a value for each of the units {list(units)} of 1 or 2 qubits")
    lengths = sorted({run.length for run in runs})
    groups = {m: [run for run in runs if run.length == m] for m in lengths}
    return _Layer(tuple(units), {m: group for m, group in groups.items() if len(group) > 1})


@dataclass(frozen=True, slots=True)
class _Share:
    """What a layer adds to ln LF, with its variance by length (variance, df) and shot floor."""

    log_fidelity: float
    noise: tuple[tuple[float, int], ...]
    per_miss: float


def _share(layer: _Layer) -> _Share | None:
    """Fit every unit; propagate each CIRCUIT through all units, so that common noise counts."""
    logs: list[float] = []
    slopes: list[list[float]] = []
    for unit, qubits in enumerate(layer.units):
        points = layer.points(unit)
        x = log_rate(points)
        scale = 1.0 - 0.25**qubits
        if x is None or scale * (1.0 - math.exp(x)) >= 1.0:
            return None
        kept = 1.0 - scale * (1.0 - math.exp(x))
        logs.append(math.log(kept))
        slopes.append([scale * math.exp(x) / kept * s for s in log_rate_slopes(points, at=x)])
    noise, per_miss = [], 0.0
    for index, group in enumerate(layer.groups.values()):
        pull = [slope[index] for slope in slopes]
        effects = [math.fsum(a * v for a, v in zip(pull, run.values, strict=True)) for run in group]
        mean = circuit_mean(effects)
        noise.append((mean.variance, mean.df))
        per_miss += 4.0 * math.fsum(a * a for a in pull) / sum(run.shots for run in group)
    return _Share(math.fsum(logs), tuple(noise), per_miss)


def _few_misses(layers: Sequence[_Layer]) -> float | None:
    """Return a rate of wrong signs to fall back on if fewer than 10 were seen, else None."""
    runs = [run for layer in layers for group in layer.groups.values() for run in group]
    shots = math.fsum(run.shots * len(run.values) for run in runs)
    misses = math.fsum(run.shots * (1.0 - v) / 2.0 for run in runs for v in run.values)
    return (misses + 2.0) / (shots + 4.0) if misses < _FEW_MISSES else None


def _fidelity(layers: Sequence[_Layer], *, tail: float) -> Interval | None:
    shares = [_share(layer) if len(layer.groups) > 1 else None for layer in layers]
    found = [share for share in shares if share is not None]
    if len(found) < len(shares):
        return None
    noise = [part for share in found for part in share.noise]
    variance = math.fsum(v for v, _ in noise)
    rate = _few_misses(layers)
    if rate is not None:
        floor = rate * (1.0 - rate) * math.fsum(share.per_miss for share in found)
        variance = max(variance, floor)
    value = math.fsum(share.log_fidelity for share in found)
    half = t_quantile(1.0 - tail, df=pooled_df(noise)) * math.sqrt(variance)
    return Interval(math.exp(value - half), math.exp(value), math.exp(value + half))


def _paid(
    runs: Sequence[Sequence[LayerRun]],
    units: Sequence[Sequence[int]],
    *,
    amplitude: float,
    confidence: float,
) -> Interval:
    """Multiply each unit's fixed-amplitude fidelity, the level split over the units."""
    number = sum(map(len, units))
    each = 1.0 - (1.0 - confidence) / number
    ends = [1.0, 1.0, 1.0]
    for layer, qubits in zip(runs, units, strict=True):
        lengths = [run.length for run in layer]
        spread = shot_spread(min(run.shots for run in layer), span=2.0)
        for unit, k in enumerate(qubits):
            values = [run.values[unit] for run in layer]
            bounds = monotone_mean(values, floor=-1.0, least_spread=spread, confidence=each)
            for i, value in enumerate((bounds.low, bounds.estimate, bounds.high)):
                rate = fixed_amplitude_rate(value, lengths=lengths, amplitude=amplitude)
                ends[i] *= 1.0 - (1.0 - 0.25**k) * (1.0 - rate)
    return Interval(*ends)


def _per_gate(fidelity: Interval, gates: int) -> Interval:
    low, middle, high = (
        1.0 - value ** (1.0 / gates) for value in (fidelity.high, fidelity.estimate, fidelity.low)
    )
    return Interval(low, middle, high)


def layer_fidelity(
    runs: Sequence[Sequence[LayerRun]],
    *,
    units: Sequence[Sequence[int]],
    amplitude: float = 1.0,
    confidence: float = 0.95,
) -> LayerFidelity:
    """Estimate LF and EPLG from the circuits of all disjoint layers.

    ln LF is linear in the circuits to first order; its variance is that between circuits of each
    layer and length, each circuit taken through all its units at once (units of one circuit are
    not independent), t with Satterthwaite's degrees of freedom. Units with a growing or lost
    decay leave LF undefined: lengths must be short enough for the worst pair.

    Args:
        runs: For each layer, every circuit that was asked; at least 2 a length and 2 lengths,
            best 8 circuits a length. One that did not come back: values -1.
        units: For each layer, the qubits (1 or 2) of each unit.
        amplitude: For `paid` alone: an upper bound of A known without this device, in [.5, 1].
        confidence: Two-sided level.

    Returns:
        Everything (0, 0.5, 1) without a circuit. `paid` splits its level over the units (right
        for any dependence), so it is wide for a whole chip: about 3.5 instead of 2 standard
        deviations a unit, and these add up instead of averaging out.

    Raises:
        ValueError: Layers and units do not fit each other, or there is no pair at all.

    Example:
        >>> runs = [LayerRun(m, 100, (0.98**m, 0.98**m)) for m in (1, 8) for _ in range(8)]
        >>> round(layer_fidelity([runs], units=[[2, 2]]).eplg.estimate, 5)
        0.01875
    """
    tail = check_level(confidence)
    gates = sum(k == 2 for layer in units for k in layer)
    if len(runs) != len(units) or gates == 0:
        raise ValueError(f"need units with a pair for each of {len(runs)} layers, got {units}")
    layers = [_layer(layer, qubits) for layer, qubits in zip(runs, units, strict=True)]
    if not all(runs):
        return LayerFidelity(NO_SHOTS, NO_SHOTS, NO_SHOTS, NO_SHOTS, "a layer has no circuits")
    paid = _paid(runs, units, amplitude=amplitude, confidence=confidence)
    fidelity = _fidelity(layers, tail=tail)
    if fidelity is None:
        why = "a unit's decay cannot be told from growth or noise, or has fewer than 2 lengths"
        return LayerFidelity(NO_SHOTS, NO_SHOTS, NO_SHOTS, paid, why)
    eplg = _per_gate(fidelity, gates)
    return LayerFidelity(fidelity, eplg, eplg.affine(scale=0.8), paid, "")
