"""Bet one circuit against the floor that the device's own sheet implies.

Three ways to score a circuit, all bounded by 1 and with a mean of at least the floor where the
sheet is kept: hits of the known answer (readout probes), (-1/2)^d at Hamming distance d (mirrors),
and (p(x) - 1/D)/(p_max - 1/D) where only the ideal law p is known (random circuits). The bits are
read forwards and backwards and the lesser e-value counts (at most either, so it is one): reversed
bits are a mistake, and must not accuse once the device has mended it.

Each kind of circuit has a fold of its own, and their plain average accuses: a device that is good
on mirrors and bad on random circuits would otherwise win back with one what it loses with the
other. Random circuits whose floor lies too near to chance to be told from it are not bet on.

Assumes for random circuits: a circuit of fidelity F scores at least F times its ideal score. It is
exact for white noise; local noise scores higher (validator.estimators.xeb).
Blind spot: circuits above 20 qubits, or whose claim is below one half, never accuse.
Source: `validator.fidelity` (floors), `validator.sequential` (betting and the cap per circuit).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from circuits.case import KnownAnswer, SimulatedAnswer
from validator.claims import claim_for
from validator.estimators.mirror import mirror_answer
from validator.fidelity import Measure, accusation_floor
from validator.sequential import (
    StartMixture,
    best_stake,
    betting_wealth,
    capped,
    hit_wealth,
    log10_mean,
    polarization_wealth,
    rounded_down,
)

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from validator.record import Record
    from validator.references.reference import Reference

    Law = NDArray[np.float64]

__all__ = ["GROUPS", "BelowClaim", "below_claim", "law_wealth"]

GROUPS = ("readout", "mirror", "brickwork", "trap")
"""Families whose circuits may accuse, each in a fold of its own."""

_STAKES_FOR = (0.0, 0.5)
"""Shares of the floor that a random circuit's bets are best against; averaged."""

_LEAST_GROWTH = 3.0
"""Nats: below, a circuit costs more by the cap's divisor than it could tell."""

_FLATTEST = 1e-9
_DIGITS = 12


@dataclass(frozen=True, slots=True)
class BelowClaim:
    """The evidence that a device falls below its claim, and its highest point so far, log10.

    An accusation holds from the first time that the evidence crosses its threshold (Ville's
    inequality bounds the supremum), so later luck does not take it back.

    Example:
        >>> fold = BelowClaim()
        >>> for _ in range(6):
        ...     fold = fold.after("trap", 1.4)
        >>> round(fold.highest, 2)
        7.51
    """

    folds: Mapping[str, StartMixture] = field(
        default_factory=lambda: dict.fromkeys(GROUPS, StartMixture())
    )
    highest: float = 0.0

    def after(self, family: str, factor: float) -> BelowClaim:
        """Return the evidence after one more circuit's e-value; `family` is one of `GROUPS`."""
        folds = {**self.folds, family: self.folds[family].after(factor)}
        mean = rounded_down(log10_mean(fold.log10_e for fold in folds.values()))
        return BelowClaim(folds, max(self.highest, mean))


def below_claim(record: Record, *, reference: Reference) -> float | None:
    """Return one circuit's capped log10 e-value that it falls below its claim.

    Args:
        record: Answered with the right width.
        reference: Exact distributions, asked only where the circuit may accuse.

    Returns:
        None where the circuit may measure but never accuse.
    """
    case = record.case
    if case is None or case.family not in GROUPS:
        return None
    if isinstance(case.answer, KnownAnswer):
        wealth = _known(record, case.answer.bits)
    elif isinstance(case.answer, SimulatedAnswer):
        wealth = _simulated(record, reference)
    else:
        wealth = None
    return None if wealth is None else capped(wealth)


def _floor(record: Record, measure: Measure) -> float | None:
    case = record.case
    if case is None:
        return None
    return accusation_floor(claim_for(case, record.device, measure=measure), width=case.width)


def _known(record: Record, target: str) -> float | None:
    is_probe = record.case is not None and record.case.family == "readout"
    measure = Measure.HITS if is_probe else Measure.POLARIZATION
    floor = _floor(record, measure)
    if floor is None:
        return None
    table, stake = _table(record), best_stake(floor, alternative=floor / 2)
    bets = []
    for answer in (target, target[::-1]):
        if measure is Measure.HITS:
            hits, shots = table.get(answer, 0), record.shots_returned
            bets.append(hit_wealth(hits, shots=shots, floor=floor, stake=stake))
        else:
            distances = mirror_answer(table, target=answer).histogram
            bets.append(polarization_wealth(distances, floor=floor, stake=stake))
    return min(bets)


def _simulated(record: Record, reference: Reference) -> float | None:
    floor = _floor(record, Measure.POLARIZATION)
    if floor is None:
        return None
    law, table = reference.probabilities(record.program), _table(record)
    orders: tuple[Callable[[str], str], ...] = (lambda key: key, lambda key: key[::-1])
    if _growth(law, floor) * record.shots_asked < _LEAST_GROWTH:
        return None
    return min(law_wealth(table, law=law, fidelity=floor, read=read) for read in orders)


def _growth(law: Law, fidelity: float) -> float:
    """Return the nats a shot, to second order, that the bet gains on uniform answers."""
    mean, square = 1.0 / len(law), _power_sum(law, 2)
    return len(law) * (square - mean) * fidelity**2 / 2


def law_wealth(
    counts: Mapping[str, int],
    *,
    law: Law,
    fidelity: float,
    read: Callable[[str], str] = lambda key: key,
) -> float:
    """Return log10 of the wealth of betting that a circuit's fidelity is below `fidelity`.

    The plain average of two bets, whose stakes grow fastest, to second order, where the true
    fidelity is nothing and where it is half: (m0 - m1)/E[(x - m0)^2], cut to half of what a single
    shot could lose.

    Args:
        counts: {bitstring: shots}, bit 0 rightmost.
        law: All 2**n ideal probabilities, index = the bitstring as a binary number.
        fidelity: The floor, 0 .. 1.
        read: How a string is read before it is looked up.

    Returns:
        0 where the law is flat: such a circuit says nothing.

    Example:
        >>> import numpy as np
        >>> law_wealth({"1": 100}, law=np.array([0.9, 0.1]), fidelity=0.5) > 1
        True
    """
    mean = 1.0 / len(law)
    top = float(law.max()) - mean
    square, cube = _power_sum(law, 2), _power_sum(law, 3)
    excess = square - mean
    if top <= _FLATTEST or excess <= _FLATTEST:
        return 0.0
    floor = fidelity * excess / top
    # Second moment of x around the floor, of ideal and of uniform shots.
    shift = mean / top + floor
    ideal = cube / top**2 - 2 * shift * square / top + shift**2
    flat = mean * square / top**2 - 2 * shift * mean / top + shift**2
    outcomes: dict[float, int] = {}
    for key in sorted(counts):
        score = min(1.0, round((float(law[int(read(key), 2)]) - mean) / top, _DIGITS))
        outcomes[score] = outcomes.get(score, 0) + counts[key]
    bets = []
    for part in _STAKES_FOR:
        true = part * fidelity
        spread = true * ideal + (1.0 - true) * flat
        stake = min((1.0 - part) * floor / spread, 0.5 / (1.0 - floor)) if floor < 1.0 else 0.0
        bets.append(betting_wealth(outcomes, floor=floor, stake=stake))
    return log10_mean(bets)


def _power_sum(law: Law, power: int) -> float:
    """Sum powers of the probabilities; vectorised sums differ in their last bits, this does not."""
    return round(float((law**power).sum()), _DIGITS)


def _table(record: Record) -> Mapping[str, int]:
    return record.counts.table if record.counts else {}
