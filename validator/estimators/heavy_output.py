"""Quantum volume: heavy outputs, the fidelity they mean, and the rule that passes a width.

A string is heavy if its ideal probability lies above the median. h = share of heavy shots;
F = (h - 1/2)/(h_ideal - 1/2) with each circuit's own h_ideal. Its mean over Haar-random STATES is
.792 .817 .831 .839 at n = 2 .. 5 and (1 + ln 2)/2 = .8466 in the limit; n layers of random pairs
are not quite that: .788(3) .849(2) .840(1) .853(2) .849(1) at n = 2 .. 6 (odd widths leave a
qubit idle in each layer), so no table replaces the circuit's own value.
Assumes: Haar-random SU(4) layers, n of them on n qubits. Blind spot: F is a fidelity for white
noise only, and the rule tests h against 2/3, not F; every simulator of n qubits passes. A
report that researchers expect, never a reason to pay.
Source: A. W. Cross et al., Phys. Rev. A 100, 032328 (2019), algorithm 1 and appendix C.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from validator.estimators.heavy_list import HitCircuit, hit_fidelity
from validator.interval import NO_SHOTS, Interval, over_circuits

__all__ = ["LEAST_CIRCUITS", "VolumeTest", "heavy_circuit", "quantum_volume", "volume_test"]

LEAST_CIRCUITS = 100
_PASS = 2.0 / 3.0


def heavy_circuit(counts: Mapping[str, int], *, ideal: NDArray[np.float64]) -> HitCircuit:
    """Count one circuit's heavy shots.

    Args:
        counts: {bitstring: shots}, bit 0 rightmost.
        ideal: All 2^n probabilities, index = the bitstring read as a binary number.

    Returns:
        With the true share of heavy strings, which is 1/2 unless probabilities tie.

    Raises:
        ValueError: A key has another width, or no string is heavier than the median.

    Example:
        >>> heavy_circuit({"1": 3, "0": 1}, ideal=np.array([0.25, 0.75])).hits
        3
    """
    width = len(ideal).bit_length() - 1
    wrong = sorted(key for key in counts if len(key) != width)
    if wrong:
        raise ValueError(f"need keys of {width} bits, got {wrong[0]!r}")
    heavy = ideal > np.median(ideal)
    hits = sum(n for key, n in counts.items() if heavy[int(key, 2)])
    return HitCircuit(
        hits=hits,
        shots=sum(counts.values()),
        ideal=min(1.0, math.fsum(ideal[heavy].tolist())),
        share=int(heavy.sum()) / len(ideal),
    )


@dataclass(frozen=True, slots=True)
class VolumeTest:
    """Quantum volume circuits of one width.

    Attributes:
        width: Qubits n = layers.
        heavy: h over circuits.
        fidelity: F over circuits, unclamped.
        bound: h - 2 sqrt(h (1 - h)/circuits), the number that must exceed 2/3.
        passed: None with fewer than 100 circuits: the rule says nothing then.
        reason: The rule in numbers.
    """

    width: int
    heavy: Interval
    fidelity: Interval
    bound: float
    passed: bool | None
    reason: str


def volume_test(
    circuits: Sequence[HitCircuit], *, width: int, confidence: float = 0.95
) -> VolumeTest:
    """Judge one width by the published rule, with intervals over circuits beside it.

    The rule's own error bar 2 sqrt(h(1-h)/circuits) counts a circuit as one shot, which holds
    for any spread between circuits. `heavy` is the cluster-t interval, narrower and honest.

    Args:
        circuits: Those with shots count.
        width: Qubits.
        confidence: Two-sided level of the intervals.

    Example:
        >>> one = HitCircuit(hits=80, shots=100, ideal=0.84, share=0.5)
        >>> volume_test([one] * 100, width=5).passed
        True
        >>> volume_test([one] * 99, width=5).reason
        'need at least 100 circuits, got 99'
    """
    seen = [circuit for circuit in circuits if circuit.shots]
    if not seen:
        return VolumeTest(width, NO_SHOTS, NO_SHOTS, 0.0, None, "no shots")
    rates = [(c.hits + 1) / (c.shots + 2) for c in seen]
    within = math.fsum(p * (1 - p) / c.shots for p, c in zip(rates, seen, strict=True)) / len(seen)
    heavy = over_circuits(
        [c.hits / c.shots for c in seen], confidence=confidence, shot_variance=within
    )
    share = heavy.estimate
    bound = share - 2.0 * math.sqrt(share * (1.0 - share) / len(seen))
    enough = len(seen) >= LEAST_CIRCUITS
    word = "above" if bound > _PASS else "not above"
    reason = f"{share:.4f} - 2 sd = {bound:.4f} is {word} 2/3 over {len(seen)} circuits"
    if not enough:
        reason = f"need at least {LEAST_CIRCUITS} circuits, got {len(seen)}"
    return VolumeTest(
        width=width,
        heavy=heavy,
        fidelity=hit_fidelity(seen, confidence=confidence),
        bound=bound,
        passed=bound > _PASS if enough else None,
        reason=reason,
    )


def quantum_volume(tests: Iterable[VolumeTest]) -> int:
    """Return 2^n of the largest width that passed, 1 if none did.

    Example:
        >>> quantum_volume([])
        1
    """
    return 1 << max((test.width for test in tests if test.passed), default=0)
