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
from dataclasses import dataclass, field
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from validator.sequential import StartMixture, capped, hit_wealth, log10_mean, run_mixture

__all__ = [
    "MISTAKE_THRESHOLD",
    "KnownCounts",
    "Permuted",
    "Shape",
    "fitted_permutation",
    "permuted",
    "reordered",
    "reordering_evidence",
    "reversal_evidence",
    "reversed_evidence",
    "shape_of",
]

MISTAKE_THRESHOLD = 3.0
"""log10 e-value at which a mistake is named: 1 in 1,000 miners, for it costs pay, not honour."""

# Strong and weak devices need bold and careful bets; their plain average is a bet again.
_STAKES = (0.1, 0.3, 0.7, 1.8)

# Agreement of bits is counted in whole units of a shot's share, so that no machine sums otherwise.
_UNIT = 1 << 20
_IN_PLACE = 1 << 10
_FEWEST_MOVED = 8


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


def reversal_evidence(known: KnownCounts) -> float:
    """Return one circuit's capped log10 e-value that its bits came in reversed order.

    Example:
        >>> reversal_evidence(KnownCounts("0011", {"1100": 200})) > 1.4
        True
    """
    return reordering_evidence(known, sources=range(len(known.target) - 1, -1, -1))


def reversed_evidence(jobs: Sequence[KnownCounts]) -> StartMixture:
    """Fold `reversal_evidence` over circuits, in the order in which they were answered.

    Example:
        >>> job = KnownCounts("0011", {"1100": 200})
        >>> reversed_evidence([job] * 4).log10_e > MISTAKE_THRESHOLD
        True
    """
    return run_mixture(e for job in jobs if (e := reversal_evidence(job)) != 0.0)


def _agreement(job: KnownCounts) -> NDArray[np.int64]:
    """Return how well output bit i follows answer bit j in one job (n x n, units of 2^-20)."""
    width, size = len(job.target), (len(job.target) + 7) // 8
    data = b"".join(int(key, 2).to_bytes(size, "little") for key in job.counts)
    packed = np.frombuffer(data, dtype=np.uint8).reshape(len(job.counts), size)
    rows = np.unpackbits(packed, axis=1, count=width, bitorder="little")
    shots = np.fromiter(job.counts.values(), dtype=np.int64, count=len(job.counts))
    total = int(shots.sum())
    seen = _UNIT * (2 * (shots @ rows.astype(np.int64)) - total) // max(1, total)
    wanted = np.array([1 if c == "1" else -1 for c in reversed(job.target)], dtype=np.int64)
    return np.outer(seen, wanted)


def _assigned(agreement: NDArray[np.int64]) -> list[int]:
    """Return the assignment of most agreement; near-ties leave bits in place."""
    from scipy.optimize import linear_sum_assignment

    # Whole numbers below 2^53: the algorithm adds and subtracts them without rounding.
    table = agreement + _IN_PLACE * np.eye(len(agreement), dtype=np.int64)
    _, sources = linear_sum_assignment(table.astype(np.float64), maximize=True)
    return [int(source) for source in sources]


def fitted_permutation(jobs: Sequence[KnownCounts]) -> list[int]:
    """Return the re-ordering that explains past answers best, as `sources` of `reordered`.

    The assignment that maximises the agreement of output bits with answer bits; all jobs of one
    width, on the same qubits. Near-ties resolve towards leaving bits in place: bits whose answers
    were equal in all jobs can not be told apart, and stay where they are where that is possible.

    Example:
        >>> fitted_permutation([KnownCounts("01", {"10": 9}), KnownCounts("10", {"01": 9})])
        [1, 0]
    """
    return _assigned(sum((_agreement(job) for job in jobs[1:]), start=_agreement(jobs[0])))


@dataclass(frozen=True, slots=True, eq=False)
class Permuted:
    """The evidence that a device returns its bits in one wrong fixed order.

    Before each job the order is fitted to the EARLIER jobs only, which is what keeps the bet
    fair; the first job is never bet on. A few probes do not tell bits with equal answers apart;
    no bet depends on which of them is which, because the re-ordered answer is then the same.
    An order that changes less than an eighth of this answer's bits is not bet on either: on
    probes that are the same every epoch, a 0 that sticks at 1 beside a 1 that sticks at 0 looks
    exactly like two bits exchanged, and an honest machine may have such a pair.

    Attributes:
        state: The evidence.
        agreement: How output bits followed answer bits so far; None before the first job.

    Example:
        >>> Permuted().log10_e
        0.0
    """

    state: StartMixture = field(default_factory=StartMixture)
    agreement: NDArray[np.int64] | None = None

    @property
    def log10_e(self) -> float:
        """The e-value so far, log10."""
        return self.state.log10_e

    @property
    def sources(self) -> list[int]:
        """The order fitted to all jobs: one of those that explain them equally; [] before any."""
        return [] if self.agreement is None else _assigned(self.agreement)

    def after(self, job: KnownCounts) -> Permuted:
        """Return the evidence after one more job of the same width on the same qubits."""
        own = _agreement(job)
        if self.agreement is None or len(self.agreement) != len(own):
            return Permuted(self.state, own)
        state, sources = self.state, self.sources
        if _moved(job.target, sources=sources) * _FEWEST_MOVED >= len(job.target):
            evidence = reordering_evidence(job, sources=sources)
            state = state if evidence == 0.0 else state.after(evidence)
        return Permuted(state, self.agreement + own)


def permuted(jobs: Sequence[KnownCounts]) -> tuple[StartMixture, list[int]]:
    """Fold `Permuted` over jobs of one width on the same qubits, in order.

    Returns:
        The evidence, and the order fitted to all jobs.

    Example:
        >>> permuted([])[1]
        []
    """
    state = Permuted()
    for job in jobs:
        state = state.after(job)
    return state.state, state.sources


def _moved(target: str, *, sources: Sequence[int]) -> int:
    """Count the bits of an answer that a re-ordering changes."""
    return sum(a != b for a, b in zip(target, reordered(target, sources=sources), strict=True))
