"""Does a fixed probe scatter from job to job as shots do, more (drift), or less (rounded)?

chi2/df over k jobs of one probe is 1 for shots alone, 1 + N p sigma^2/(1 - p) if the success
probability itself moves with the relative standard deviation sigma, and far below 1 for counts
rounded from probabilities. On 5-qubit hardware values of 3 to 99 were seen over two weeks, .92
on the vendor's simulator.
Assumes: the same probe each time, shots independent within a job, p moving from job to job
roughly normally. Blind spot: a trend and a jump count like noise, a drift within a job is not
seen, correlated jobs look like less. Exactly equal counts mean replay (`integrity.replayed`
decides that); this module measures, `integrity.rounded` accuses.
Source: R. A. Fisher, Statistical Methods for Research Workers (1925), section 20. The binomial's
kurtosis needs no correction: to first order it cancels against the estimated p, -2/(N k) is left.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from validator.interval import Interval
from validator.special import check_level

__all__ = ["Dispersion", "Probe", "Reading", "dispersion", "expected_dispersion"]


class Reading(StrEnum):
    """What the ratio says at the chosen level."""

    SHOTS = "shots"
    DRIFT = "drift"
    ROUNDED = "rounded"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Probe:
    """One success counted over repeated jobs: a string, or one qubit's wrong reads.

    Attributes:
        hits: Successes of each job.
        shots: Shots of each job, all positive.

    Raises:
        ValueError: The lists differ in length or contradict each other.

    Example:
        >>> Probe(hits=(3, 5), shots=(100, 100)).hits
        (3, 5)
    """

    hits: tuple[int, ...]
    shots: tuple[int, ...]

    def __post_init__(self) -> None:
        if len(self.hits) != len(self.shots) or any(
            not 0 <= n <= shots or shots < 1
            for n, shots in zip(self.hits, self.shots, strict=False)
        ):
            raise ValueError(f"need 0 <= hits <= shots and shots >= 1 for each job, got {self}")


@dataclass(frozen=True, slots=True)
class Dispersion:
    """The scatter over jobs.

    Attributes:
        ratio: chi2/df; (0, 1, inf) where nothing can be said.
        sigma: Relative standard deviation of p from job to job, at least 0.
        reading: In words; drift and rounded only if the interval of `ratio` leaves 1 out.
    """

    ratio: Interval
    sigma: Interval
    reading: Reading


_NOTHING = Dispersion(Interval(0.0, 1.0, math.inf), Interval(0.0, 0.0, math.inf), Reading.UNKNOWN)


def expected_dispersion(rate: float, *, shots: int, sigma: float) -> float:
    """Return 1 + N p sigma^2/(1 - p).

    Example:
        >>> round(expected_dispersion(0.5, shots=1000, sigma=0.02), 6)
        1.4
    """
    return 1.0 + shots * rate * sigma * sigma / (1.0 - rate)


@dataclass(frozen=True, slots=True)
class _Part:
    """One probe: chi2, its degrees of freedom, what sigma^2 = 1 adds, the least scatter."""

    chi2: float
    df: int
    leverage: float
    least: float


def _part(probe: Probe) -> _Part | None:
    count, total = len(probe.hits), sum(probe.shots)
    rate = sum(probe.hits) / total if total else 0.0
    if count < 2 or not 0.0 < rate < 1.0:
        return None
    scale = rate * (1.0 - rate)
    chi2 = math.fsum((n - s * rate) ** 2 / s for n, s in zip(probe.hits, probe.shots, strict=True))
    effective = (total - math.fsum(s * s for s in probe.shots) / total) / (count - 1)
    mean_shots = total / count
    return _Part(
        chi2=chi2 / scale,
        df=count - 1,
        leverage=effective * rate / (1.0 - rate),
        # Two jobs one count apart: the least scatter that is not none.
        least=0.5 / (mean_shots * scale),
    )


def _chi2_quantile(level: float, *, df: int) -> float:
    from scipy import special

    return float(special.chdtri(df, 1.0 - level))


def _read(ratio: Interval) -> Reading:
    if ratio.low > 1.0:
        return Reading.DRIFT
    return Reading.ROUNDED if ratio.high < 1.0 else Reading.SHOTS


def dispersion(probes: Sequence[Probe], *, confidence: float = 0.95) -> Dispersion:
    """Bound chi2/df over repeated jobs, two-sided, pooled over independent probes.

    chi2 is taken as the ratio times a chi-squared variable. sigma solves
    sum chi2 = sum df (1 + N p sigma^2/(1-p)), which weighs probes by what they can show.
    With unequal jobs N is their effective size (total - sum N^2/total)/(k - 1).

    Args:
        probes: Each with at least two jobs; probes never or always hit are left out.
        confidence: Two-sided level.

    Returns:
        `Reading.UNKNOWN` and open bounds without a usable probe.

    Example:
        >>> dispersion([Probe((500, 560, 440, 500), (1000,) * 4)]).reading
        <Reading.DRIFT: 'drift'>
        >>> dispersion([Probe((500,) * 9, (1000,) * 9)]).reading
        <Reading.ROUNDED: 'rounded'>
    """
    tail = check_level(confidence)
    parts = [part for part in map(_part, probes) if part is not None]
    if not parts:
        return _NOTHING
    df = sum(part.df for part in parts)
    chi2 = math.fsum(part.chi2 for part in parts)
    least = min(part.least for part in parts)
    low = chi2 / _chi2_quantile(1.0 - tail, df=df)
    high = max(chi2, least) / _chi2_quantile(tail, df=df)
    ratio = Interval(min(low, chi2 / df), chi2 / df, max(high, chi2 / df))
    leverage = math.fsum(part.df * part.leverage for part in parts) / df
    ends = [
        math.sqrt(max(0.0, value - 1.0) / leverage)
        for value in (ratio.low, ratio.estimate, ratio.high)
    ]
    return Dispersion(ratio, Interval(*ends), _read(ratio))
