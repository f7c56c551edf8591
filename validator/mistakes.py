"""T0, honest mistakes: the wrong width or total, reversed bits, permuted qubits.

A mistake is named, never accused. The shape checks are arithmetic. The order checks bet on
circuits with a known answer; null: "each circuit's shots are at least as often nearer to its
answer than to the re-ordered answer, but for a share of at most 2 % of circuits", given the
past. Blind spot: answers that look the same after re-ordering carry no weight, and readout bias
can not fake it because both answers have the same number of ones.
Source: derived here; capped as in `validator.sequential`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from validator.sequential import StartMixture, capped, hit_wealth, log10_mean

__all__ = [
    "MISTAKE_THRESHOLD",
    "KnownCounts",
    "Shape",
    "fitted_permutation",
    "permuted",
    "reordered",
    "reordering_evidence",
    "reversed_evidence",
    "shape_of",
]

MISTAKE_THRESHOLD = 3.0
"""log10 e-value at which a mistake is named: 1 in 1,000 miners, for it costs pay, not honour."""

# Strong and weak devices need bold and careful bets; their plain average is a bet again.
_STAKES = (0.1, 0.3, 0.7, 1.8)


class Shape(StrEnum):
    """What the bare numbers of one answer show."""

    WHOLE = "whole"
    WRONG_WIDTH = "wrong_width"
    TRUNCATED = "truncated"
    PADDED = "padded"
    ONE_STRING = "one_string"


def shape_of(counts: Mapping[str, int], *, width: int, shots_asked: int) -> Shape:
    """Check width and total of one answer.

    Returns:
        The first that applies: WRONG_WIDTH (a key has another length), PADDED (more shots than
        asked), TRUNCATED (fewer), ONE_STRING (whole, and every shot the same: suspicious only
        where it recurs for different answers), WHOLE.

    Example:
        >>> shape_of({"00": 90}, width=2, shots_asked=100).value
        'truncated'
    """
    if any(len(key) != width for key in counts):
        return Shape.WRONG_WIDTH
    total = sum(counts.values())
    if total != shots_asked:
        return Shape.PADDED if total > shots_asked else Shape.TRUNCATED
    return Shape.ONE_STRING if sum(n > 0 for n in counts.values()) == 1 else Shape.WHOLE


@dataclass(frozen=True, slots=True)
class KnownCounts:
    """One circuit's counts beside its known answer, both with bit 0 rightmost, same width."""

    target: str
    counts: Mapping[str, int]


def reordered(bits: str, *, sources: Sequence[int]) -> str:
    """Return the bitstring whose bit i is bit `sources[i]` of `bits` (bit 0 rightmost).

    Example:
        >>> reordered("001", sources=[2, 1, 0])
        '100'
    """
    last = len(bits) - 1
    return "".join(bits[last - source] for source in reversed(sources))


def reordering_evidence(known: KnownCounts, *, sources: Sequence[int]) -> float:
    """Return one circuit's capped log10 e-value that its bits were re-ordered.

    The device is suspected to return x with x[i] = true[sources[i]]; shots nearer (Hamming) to
    the re-ordered answer are set against shots nearer to the answer, ties left out.

    Returns:
        0 where the re-ordered answer equals the answer: no bet.

    Example:
        >>> reordering_evidence(KnownCounts("001", {"100": 50}), sources=[2, 1, 0]) > 1.4
        True
    """
    moved = reordered(known.target, sources=sources)
    if moved == known.target:
        return 0.0
    here, there = int(known.target, 2), int(moved, 2)
    nearer_here = nearer_there = 0
    for key, shots in known.counts.items():
        lead = (int(key, 2) ^ here).bit_count() - (int(key, 2) ^ there).bit_count()
        nearer_here += shots if lead < 0 else 0
        nearer_there += shots if lead > 0 else 0
    decided = nearer_here + nearer_there
    if decided == 0:
        return 0.0
    bets = [hit_wealth(nearer_here, shots=decided, floor=0.5, stake=s) for s in _STAKES]
    return capped(log10_mean(bets))


def reversed_evidence(jobs: Sequence[KnownCounts]) -> StartMixture:
    """Fold the evidence that a device returns its bits in reversed order.

    Args:
        jobs: Circuits with known answers, in the order in which they were answered.

    Example:
        >>> job = KnownCounts("0011", {"1100": 200})
        >>> reversed_evidence([job] * 4).log10_e > MISTAKE_THRESHOLD
        True
    """
    state = StartMixture()
    for job in jobs:
        evidence = reordering_evidence(job, sources=range(len(job.target) - 1, -1, -1))
        state = state if evidence == 0.0 else state.after(evidence)
    return state


def _agreement(jobs: Sequence[KnownCounts]) -> NDArray[np.float64]:
    """Return how well output bit i follows answer bit j, summed over jobs (n x n)."""
    width = len(jobs[0].target)
    table = np.zeros((width, width))
    for job in jobs:
        wanted = np.array([1.0 if c == "1" else -1.0 for c in reversed(job.target)])
        shots = sum(job.counts.values())
        seen = np.zeros(width)
        for key in sorted(job.counts):
            signs = np.array([1.0 if c == "1" else -1.0 for c in reversed(key)])
            seen += job.counts[key] / max(1, shots) * signs
        table += np.outer(seen, wanted)
    return table


def fitted_permutation(jobs: Sequence[KnownCounts]) -> list[int]:
    """Return the re-ordering that explains past answers best, as `sources` of `reordered`.

    The assignment that maximises the agreement of output bits with answer bits; all jobs of one
    width, on the same qubits. Near-ties resolve towards leaving bits in place.

    Example:
        >>> fitted_permutation([KnownCounts("01", {"10": 9}), KnownCounts("10", {"01": 9})])
        [1, 0]
    """
    from scipy.optimize import linear_sum_assignment

    table = np.round(_agreement(jobs), 6) + 1e-3 * np.eye(len(jobs[0].target))
    _, sources = linear_sum_assignment(table, maximize=True)
    return [int(source) for source in sources]


def permuted(jobs: Sequence[KnownCounts]) -> tuple[StartMixture, list[int]]:
    """Fold the evidence that a device returns its bits in one wrong fixed order.

    Before each job the order is fitted to the EARLIER jobs only, which is what keeps the bet
    fair; the first job is never bet on.

    Args:
        jobs: Circuits of one width on the same qubits, with different known answers, in order.

    Returns:
        The evidence, and the order fitted to all jobs (for the sentence, and for the correction
        that should then restore the fidelity).

    Example:
        >>> permuted([])[1]
        []
    """
    state = StartMixture()
    for index in range(1, len(jobs)):
        evidence = reordering_evidence(jobs[index], sources=fitted_permutation(jobs[:index]))
        state = state if evidence == 0.0 else state.after(evidence)
    return state, fitted_permutation(jobs) if jobs else []
