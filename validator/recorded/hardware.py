"""Which classes of simulator the recorded answers of any circuits rule out.

The classes and the threshold are those of `validator.hardware`. Circuits with one certain answer
go through the tests there as well, and where two tests of one class have something to say, the
average of their e-values counts, which is an e-value again. A class without data has none.

Assumes the answers are in the order of time. Blind spot: permutation tests draw from a key that
the records themselves determine, so whoever writes records can try many; one test of one circuit
weighs at most as much as the permutations that it draws.
Source: `validator.recorded.classes`, `validator.recorded.repeats`, `validator.recorded.series`,
`validator.hardware`.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from validator.hardware import hardware_evidence
from validator.recorded.bets import Bettor
from validator.recorded.repeats import Repeats
from validator.recorded.series import series_evidence
from validator.sequential import hedged, log10_mean, rounded_down
from validator.simulators.against_static import BLOCK, ProbeAnswer, StaticLaw

if TYPE_CHECKING:
    from circuits.draws import Draws
    from validator.recorded.study import Answer

__all__ = ["class_evidence"]

_LN10 = math.log(10.0)
_MOST_KNOWN = 64
_MOST_DEALT = 100_000


@dataclass(slots=True)
class _Inference:
    """Universal inference, folded: log10 e-values, and how many answers each class had."""

    bettor: Bettor = field(default_factory=Bettor)
    log10_e: dict[str, float] = field(default_factory=dict)

    def add(self, answer: Answer) -> None:
        if answer.fixed is None or answer.chances is None:
            return
        bet = self.bettor.bet(answer.fixed, answer.memory)
        chances = answer.chances
        # Nothing is open under the first two, and the bet never falls far below them: no hedge.
        self._gain("uniform", (bet - chances.uniform) / _LN10)
        self._gain("noiseless", (bet - chances.noiseless) / _LN10)
        self._gain("white_noise", hedged((bet - chances.white_noise) / _LN10))
        if chances.flips is not None:
            self._gain("independent_flips", hedged((bet - chances.flips) / _LN10))

    def _gain(self, name: str, log10_factor: float) -> None:
        self.log10_e[name] = rounded_down(self.log10_e.get(name, 0.0) + log10_factor)


def class_evidence(answers: Sequence[Answer], *, draws: Draws) -> dict[str, float]:
    """Fold the answers into one log10 e-value for each class that they say something about.

    Args:
        answers: In the order of time.
        draws: For permutations.

    Returns:
        By the words of `validator.hardware.SimulatorClass`; classes without data are missing.

    Example:
        >>> from circuits.draws import Draws
        >>> class_evidence([], draws=Draws(b"key"))
        {}
    """
    inference = _Inference()
    for answer in answers:
        inference.add(answer)
    values = {name: [value] for name, value in inference.log10_e.items()}
    for name, value in _known_classes(answers, draws).items():
        values.setdefault(name, []).append(value)
    # Flips alone are a blend of flips and no white noise: what rules out one rules out both.
    if "independent_flips" in values:
        values["independent_flips"] += values.get("blend", [])
    static = _static(answers, draws)
    if static is not None:
        values["static_twin"] = [static]
    return {name: rounded_down(log10_mean(several)) for name, several in values.items()}


_HERE = frozenset({"uniform", "noiseless", "white_noise", "static_twin", "drift_twin"})
"""Classes that the tests of this package decide, or that records can say nothing about."""


def _known_classes(answers: Sequence[Answer], draws: Draws) -> Mapping[str, float]:
    """Run the tests of certain answers, on the first of them: they are many enough."""
    known = [answer.known for answer in answers if answer.known is not None][:_MOST_KNOWN]
    if not known:
        return {}
    found = hardware_evidence(known, draws=draws.child("known"))
    # Exactly 0 is a test that never placed a bet: these circuits say nothing about its class.
    return {name.value: e for name, e in found.items() if name.value not in _HERE and e != 0.0}


def _static(answers: Sequence[Answer], draws: Draws) -> float | None:
    """Test programs that ran again, whether or not anything is known of their law."""
    runs = [a.execution for a in answers if a.execution.fits and a.execution.counted]
    times = Counter(execution.identity for execution in runs)
    repeats, walks = Repeats(), StaticLaw(draws.child("static"))
    series: dict[str, list[Mapping[str, int]]] = {}
    walked = False
    for execution in runs:
        if times[execution.identity] < 2:
            continue
        table = execution.table
        repeats.add(execution.identity, table)
        if sum(table.values()) > _MOST_DEALT:
            continue
        series.setdefault(execution.identity, []).append(table)
        if times[execution.identity] >= BLOCK:
            walked = True
            label = str(execution.place)
            walks = walks.after(ProbeAnswer(label, execution.identity, table))
    if not repeats.repeated:
        return None
    # What is averaged must not hang on what the shots say: no evidence counts as 1.
    found = [repeats.log10_e, series_evidence(series, draws=draws.child("series")) or 0.0]
    return rounded_down(log10_mean([*found, walks.log10_e] if walked else found))
