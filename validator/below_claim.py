"""Bet one circuit against the floor that the device's own sheet implies.

Three ways to score a circuit, all bounded by 1 and with a mean of at least the floor where the
sheet is kept: hits of the known answer (readout probes), (-1/2)^d at Hamming distance d (mirrors),
and (p(x) - 1/D)/(p_max - 1/D) where only the ideal law p is known (random circuits). Each circuit
counts what the most favourable order of its bits leaves (`validator.any_order`): bits in a wrong
order are a mistake, which must not accuse before it is found nor after it is mended.

Each kind of circuit has a fold of its own, and their plain average accuses: a device that is good
on mirrors and bad on random circuits would otherwise win back with one what it loses with the
other. Random circuits whose floor lies too near to chance to be told from it are not bet on.

Assumes for random circuits: a circuit of fidelity F scores at least F times its ideal score. It is
exact for white noise; local noise scores higher (validator.estimators.xeb).
Blind spot: circuits above 20 qubits, or whose claim is below one half, never accuse; nor do random
circuits of a qpu above 6 qubits, which have too many orders. A simulator is claimed to be exact at
its full width, where only forwards and backwards are read: one that permutes is below its claim.
Source: `validator.fidelity` (floors), `validator.sequential` (betting and the cap per circuit).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from circuits.case import KnownAnswer, SimulatedAnswer
from providers.base import DeviceClass
from validator.any_order import (
    WIDEST_LAW,
    least_law_wealth,
    least_polarization_wealth,
    most_hits,
)
from validator.claims import claim_for
from validator.fidelity import Measure, accusation_floor
from validator.sequential import (
    StartMixture,
    best_stake,
    betting_wealth,
    capped,
    hit_wealth,
    log10_mean,
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
    if measure is Measure.HITS:
        hits, shots = most_hits(table, target=target), record.shots_returned
        return hit_wealth(hits, shots=shots, floor=floor, stake=stake)
    return least_polarization_wealth(table, target=target, floor=floor, stake=stake)


def _simulated(record: Record, reference: Reference) -> float | None:
    floor, width = _floor(record, Measure.POLARIZATION), record.program.num_bits
    is_narrow = width <= WIDEST_LAW
    if floor is None or (record.device.device_class is DeviceClass.QPU and not is_narrow):
        return None
    law, table = reference.probabilities(record.program), _table(record)
    if _growth(law, floor) * record.shots_asked < _LEAST_GROWTH:
        return None
    if is_narrow:
        bets = _bets(law, floor)
        gains = [[math.log10(bet.factor(score)) for score in bet.scores] for bet in bets]
        return least_law_wealth(table, gains=gains, width=width) if bets else 0.0
    orders: tuple[Callable[[str], str], ...] = (lambda key: key, lambda key: key[::-1])
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
    wealths = []
    for bet in _bets(law, fidelity):
        outcomes: dict[float, int] = {}
        for key in sorted(counts):
            score = bet.scores[int(read(key), 2)]
            outcomes[score] = outcomes.get(score, 0) + counts[key]
        wealths.append(betting_wealth(outcomes, floor=bet.floor, stake=bet.stake))
    return log10_mean(wealths) if wealths else 0.0


@dataclass(frozen=True, slots=True)
class _Bet:
    """One bet on a law: the score of each string, the floor of their mean, and the stake."""

    scores: Sequence[float]
    floor: float
    stake: float

    def factor(self, score: float) -> float:
        return 1.0 - self.stake * (score - self.floor)


def _bets(law: Law, fidelity: float) -> list[_Bet]:
    """Return the bets whose average is placed; none where the law is flat."""
    mean = 1.0 / len(law)
    top = float(law.max()) - mean
    square, cube = _power_sum(law, 2), _power_sum(law, 3)
    excess = square - mean
    if top <= _FLATTEST or excess <= _FLATTEST:
        return []
    floor = fidelity * excess / top
    # Second moment of a score around the floor, of ideal and of uniform shots.
    shift = mean / top + floor
    ideal = cube / top**2 - 2 * shift * square / top + shift**2
    flat = mean * square / top**2 - 2 * shift * mean / top + shift**2
    scores = [min(1.0, round((float(p) - mean) / top, _DIGITS)) for p in law]
    bets = []
    for part in _STAKES_FOR:
        true = part * fidelity
        spread = true * ideal + (1.0 - true) * flat
        stake = min((1.0 - part) * floor / spread, 0.5 / (1.0 - floor)) if floor < 1.0 else 0.0
        bets.append(_Bet(scores, floor, stake))
    return bets


def _power_sum(law: Law, power: int) -> float:
    """Sum powers of the probabilities; vectorised sums differ in their last bits, this does not."""
    return round(float((law**power).sum()), _DIGITS)


def _table(record: Record) -> Mapping[str, int]:
    return record.counts.table if record.counts else {}
