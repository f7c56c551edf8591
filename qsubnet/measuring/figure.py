"""A figure: a number that has a name in the field, with its interval and what it does not say."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from validator.interval import Interval, over_circuits
from validator.special import check_level, normal_quantile

if TYPE_CHECKING:
    from providers.base import Json

CONFIDENCE: Final = 0.95
"""Two-sided level of every interval."""


@dataclass(frozen=True, slots=True)
class Figure:
    """One measured number.

    Attributes:
        name: What the field calls it.
        of: What it is about, in words.
        bounds: At `CONFIDENCE`, unclamped; an end that nothing bounds is infinite. None where the
            answers do not define it; `note` says why then.
        circuits: Circuits whose answers it rests on.
        shots: Their shots that came back.
        trap: What it does not say, in one sentence.
        note: What else belongs to it, in words.
        about: The same as `of` for programs.
    """

    name: str
    of: str
    bounds: Interval | None
    circuits: int
    shots: int
    trap: str
    note: str = ""
    about: Mapping[str, Json] = field(default_factory=dict)

    def document(self) -> dict[str, Json]:
        """Write the figure as JSON; an end that nothing bounds is null, like what is undefined.

        Example:
            >>> Figure("ghz", "2 qubits", None, 0, 0, "", note="why").document()["low"] is None
            True
        """
        bounds = self.bounds
        low, middle, high = (bounds.low, bounds.estimate, bounds.high) if bounds else (None,) * 3
        return {
            "name": self.name,
            "of": self.of,
            "estimate": _finite(middle),
            "low": _finite(low),
            "high": _finite(high),
            "circuits": self.circuits,
            "shots": self.shots,
            "trap": self.trap,
            "note": self.note,
            **self.about,
        }


def _finite(value: float | None) -> float | None:
    return value if value is not None and math.isfinite(value) else None


def mean_of(parts: Sequence[Interval]) -> Interval:
    """Bound a mean over circuits from each circuit's own interval at `CONFIDENCE`.

    Cluster-t over the estimates; the spread is not believed below a quarter of what the intervals
    say. One circuit keeps its own interval: it then speaks for that circuit alone.

    Raises:
        ValueError: There is no circuit.

    Example:
        >>> mean_of([Interval(0.0, 0.5, 1.0)])
        Interval(low=0.0, estimate=0.5, high=1.0)
    """
    if not parts:
        raise ValueError("need at least one circuit, got none")
    if len(parts) == 1:
        return parts[0]
    reach = 2.0 * normal_quantile(1.0 - check_level(CONFIDENCE))
    within = math.fsum(((one.high - one.low) / reach) ** 2 for one in parts) / len(parts)
    return over_circuits(
        [one.estimate for one in parts], confidence=CONFIDENCE, shot_variance=within
    )
