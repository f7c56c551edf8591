"""XEB fidelity of random circuits, linear and by maximum likelihood.

Assumes: shots are independent given the circuit; for the likelihood form also that a circuit's
law is F * ideal + (1 - F) * uniform with the spread of F over circuits caught by a dispersion
factor. Blind spot: "XEB fidelity" is a fidelity only for white noise. Local noise biases it
upward and it includes readout. Bit order: classical bit 0 is the rightmost character, so a
bitstring read as a binary number is the index into the ideal vector.
Source: F. Arute et al., Nature 574, 505 (2019), supplement IV; Rinott, Shoham and Kalai,
arXiv:2008.05177 (the two estimators' efficiency).
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from validator.interval import NO_SHOTS, Interval, over_circuits
from validator.special import check_level, normal_quantile, t_quantile

__all__ = ["XebCircuit", "likelihood_xeb", "linear_variance", "linear_xeb", "xeb_circuit"]

_STEPS = 40
# Vectorised logarithms differ in the last bits between processors; what follows must not.
_DIGITS = 9


@dataclass(frozen=True, slots=True, eq=False)
class XebCircuit:
    """What one random circuit's answer says about its fidelity.

    Attributes:
        ratios: w = D p(x) of each distinct string seen, ascending by string.
        counts: How often each was seen, same order, all positive.
        excess: D * sum over ALL strings of p^2, minus 1; positive (1 for Porter-Thomas).
    """

    ratios: NDArray[np.float64]
    counts: NDArray[np.int64]
    excess: float

    @property
    def shots(self) -> int:
        """Shots that came back."""
        return int(self.counts.sum())


def xeb_circuit(counts: Mapping[str, int], *, ideal: NDArray[np.float64]) -> XebCircuit:
    """Join one circuit's counts with its ideal probabilities.

    Args:
        counts: {bitstring: shots}, every key log2(len(ideal)) characters, bit 0 rightmost.
        ideal: All D = 2^n probabilities, index = the bitstring read as a binary number.

    Raises:
        ValueError: A key has another width, or the ideal law is uniform (XEB then says nothing).

    Example:
        >>> xeb_circuit({"1": 3, "0": 1}, ideal=np.array([0.25, 0.75])).ratios.tolist()
        [0.5, 1.5]
    """
    dim = len(ideal)
    width = dim.bit_length() - 1
    keys = sorted(key for key, shots in counts.items() if shots > 0)
    wrong = [key for key in keys if len(key) != width]
    if wrong:
        raise ValueError(f"need keys of {width} bits, got {wrong[0]!r}")
    excess = dim * math.fsum((ideal * ideal).tolist()) - 1.0
    if excess <= 1e-9:
        raise ValueError(f"need an ideal law that is not uniform, got D sum p^2 - 1 = {excess}")
    index = [int(key, 2) for key in keys]
    return XebCircuit(
        ratios=dim * np.asarray(ideal, dtype=np.float64)[index],
        counts=np.array([counts[key] for key in keys], dtype=np.int64),
        excess=excess,
    )


def linear_variance(fidelity: float, *, shots: int) -> float:
    """Return the shot variance of one Porter-Thomas circuit's linear XEB, (1 + 2F - F^2)/N.

    Example:
        >>> linear_variance(1.0, shots=200)
        0.01
    """
    return (1.0 + 2.0 * fidelity - fidelity * fidelity) / shots


def _linear(circuit: XebCircuit) -> tuple[float, float]:
    """Return one circuit's linear XEB and the variance that its shots give it."""
    shots = circuit.shots
    mean = math.fsum((circuit.ratios * circuit.counts).tolist()) / shots
    square = math.fsum(((circuit.ratios - mean) ** 2 * circuit.counts).tolist())
    value = (mean - 1.0) / circuit.excess
    floor = linear_variance(0.0, shots=shots)
    return value, max(square / max(1, shots - 1) / shots / circuit.excess**2, floor * 1e-3)


def linear_xeb(circuits: Sequence[XebCircuit], *, confidence: float = 0.95) -> Interval:
    """Estimate the mean XEB fidelity without assuming a noise law (unbiased, may leave [0, 1]).

    F = (mean w - 1)/(D sum p^2 - 1) per circuit, then `over_circuits`; a single circuit is
    bounded by its own shots alone (then for that circuit, not for the family).

    Returns:
        The interval; (0, 0.5, 1) without a shot.

    Example:
        >>> c = xeb_circuit({"1": 75, "0": 25}, ideal=np.array([0.25, 0.75]))
        >>> linear_xeb([c]).estimate
        1.0
    """
    values = [_linear(circuit) for circuit in circuits if circuit.shots > 0]
    if not values:
        return NO_SHOTS
    if len(values) == 1:
        mean, variance = values[0]
        half = normal_quantile(1.0 - check_level(confidence)) * math.sqrt(variance)
        return Interval(mean - half, mean, mean + half)
    within = math.fsum(variance for _, variance in values) / len(values)
    return over_circuits([v for v, _ in values], confidence=confidence, shot_variance=within)


def _pooled(circuits: Sequence[XebCircuit]) -> XebCircuit:
    return XebCircuit(
        ratios=np.concatenate([circuit.ratios for circuit in circuits]),
        counts=np.concatenate([circuit.counts for circuit in circuits]),
        excess=1.0,
    )


def _slope(fidelity: float, circuit: XebCircuit) -> float:
    """Return the derivative of the log-likelihood."""
    gain = circuit.ratios - 1.0
    return float((gain / np.maximum(1.0 + fidelity * gain, 1e-300) * circuit.counts).sum())


def _log_likelihood(fidelity: float, circuit: XebCircuit) -> float:
    mixed = np.maximum(1.0 + fidelity * (circuit.ratios - 1.0), 1e-300)
    return float((np.log(mixed) * circuit.counts).sum())


def _maximum(pool: XebCircuit) -> float:
    """Return the maximum of the concave log-likelihood over [0, 1], by bisection of the slope."""
    low, high = 0.0, 1.0
    if _slope(low, pool) <= 0.0:
        return low
    if _slope(high, pool) >= 0.0:
        return high
    for _ in range(_STEPS):
        middle = (low + high) / 2
        if _slope(middle, pool) > 0.0:
            low = middle
        else:
            high = middle
    return (low + high) / 2


def _allowed_drop(circuits: Sequence[XebCircuit], *, best: float, tail: float) -> float:
    """Return how far the log-likelihood may fall below its maximum inside the interval."""
    count = len(circuits)
    z = normal_quantile(1.0 - tail)
    if count == 1:
        return z * z / 2
    # Twice the gain of a fidelity for each circuit over one for all: chi-squared if they agree.
    own = math.fsum(_log_likelihood(_maximum(circuit), circuit) for circuit in circuits)
    common = math.fsum(_log_likelihood(best, circuit) for circuit in circuits)
    dispersion = 2.0 * (own - common) / (count - 1)
    if dispersion <= 1.0:
        return z * z / 2
    # A jump from z to t at dispersion 1 would undercover: t comes in as the evidence for it grows.
    weight = min(1.0, (dispersion - 1.0) * math.sqrt((count - 1) / 2.0))
    critical = z + weight * (t_quantile(1.0 - tail, df=count - 1) - z)
    return dispersion * critical * critical / 2


def _crossing(pool: XebCircuit, *, inside: float, end: float, level: float) -> float:
    """Return where the log-likelihood falls to `level` between the maximum and one end."""
    if _log_likelihood(end, pool) >= level:
        return end
    for _ in range(_STEPS):
        middle = (inside + end) / 2
        if _log_likelihood(middle, pool) >= level:
            inside = middle
        else:
            end = middle
    return end


def likelihood_xeb(circuits: Sequence[XebCircuit], *, confidence: float = 0.95) -> Interval:
    """Estimate the mean XEB fidelity by maximum likelihood; the sharp one near fidelity 1.

    The estimate is argmax over [0, 1] of sum ln(1 + F (w - 1)); the bounds invert the signed
    likelihood-ratio test, widened by the circuits' dispersion (never narrowed).
    Against it linear XEB is 74 % as efficient at F = .5, 36 % at .9, 16 % at .99. Only the lower
    side decides on exactness: the two-sided 95 % bound used for it is a one-sided 97.5 % one. An
    exact simulator's lower bound (8 to 24 Porter-Thomas circuits of 8 to 12 qubits, 3,000 shots
    each, 200 runs a cell) has the median .994 at 24,000 shots, .996 at 48,000, .997 at 72,000,
    and reaches .99 in 83-85 %, over 99 % and all of the runs; with brickwork circuits of depth 16
    on 10 and 12 qubits (120 runs a cell) in 86-88 and 98 %, and on 10 qubits in all runs at 72,000
    shots. Its least value at 24,000 shots was .981: one such set is not enough to be sure of an
    exact simulator.

    Returns:
        Bounds within [0, 1], rounded to 1e-9; (0, 0.5, 1) without a shot. A single circuit is
        bounded by its own shots alone.

    Example:
        >>> c = xeb_circuit({"1": 75, "0": 25}, ideal=np.array([0.25, 0.75]))
        >>> i = likelihood_xeb([c]); round(i.low, 2), round(i.estimate, 2), i.high
        (0.64, 1.0, 1.0)
    """
    tail = check_level(confidence)
    seen = [circuit for circuit in circuits if circuit.shots > 0]
    if not seen:
        return NO_SHOTS
    pool = _pooled(seen)
    best = round(_maximum(pool), _DIGITS)
    level = _log_likelihood(best, pool) - _allowed_drop(seen, best=best, tail=tail)
    low = round(_crossing(pool, inside=best, end=0.0, level=level), _DIGITS)
    high = round(_crossing(pool, inside=best, end=1.0, level=level), _DIGITS)
    return Interval(min(low, best), best, max(high, best))
