"""Filters of one drifting error rate: a machine alone, beside its device, before a late copy.

The logarithm of a rate drifts around a level that never moves, as a first-order autoregression of
a known memory and size, a `Hypothesis`. `Alone` gives the largest likelihood over ALL levels, so
that whoever knows the level exactly gains nothing; `Beside` starts from a broad prior of the level
and learns it, and the drift, from both machines; `Behind` does so where the device shows the drift
of the epoch before.

Exact for Gaussian drift and noise (R. E. Kalman, J. Basic Eng. 82, 35 (1960)). Blind spot: jumps
are in none; their user mixes over sizes and caps. All logarithms are natural.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

__all__ = ["Alone", "Behind", "Beside", "Hypothesis"]

_LEVEL_SPREAD = 1.0


@dataclass(frozen=True, slots=True)
class Hypothesis:
    """A law of drift around a level.

    Attributes:
        memory: Correlation of successive epochs, 0 .. below 1.
        drift: Variance around the level, stationary.
    """

    memory: float
    drift: float

    def ahead(self, variance: float) -> float:
        """Return the variance one epoch on of a drift known to `variance` now.

        Example:
            >>> Hypothesis(0.0, 0.01).ahead(0.002)
            0.01
        """
        return self.memory * self.memory * (variance - self.drift) + self.drift


@dataclass(frozen=True, slots=True)
class Alone:
    """One machine's series under one hypothesis, as a function of its unknown level.

    Attributes:
        mean: Predicted drift if the level is 0; it falls by `reach` per unit of level.
        reach: See `mean`.
        variance: Of that prediction.
        sums: Over scored epochs: ln F, e^2/F, e c/F and c^2/F, with F the predicted variance and
            e - c * level the surprise.
        every: The same over all epochs.
    """

    mean: float
    reach: float
    variance: float
    sums: tuple[float, float, float, float] = (0.0, 0.0, 0.0, 0.0)
    every: tuple[float, float, float, float] = (0.0, 0.0, 0.0, 0.0)

    @classmethod
    def start(cls, law: Hypothesis) -> Alone:
        """Before any epoch."""
        return cls(0.0, 0.0, law.drift)

    def after(self, seen: float, noise: float, *, law: Hypothesis, scored: int) -> Alone:
        """Return the filter after an epoch's `seen` log rate, of variance `noise`.

        `scored` is 1 where the epoch counts in `best`, 0 where it is only learnt from.
        """
        predicted = self.variance + noise
        e, c = seen - self.mean, 1.0 - self.reach
        gain = self.variance / predicted
        news = (math.log(predicted), e * e / predicted, e * c / predicted, c * c / predicted)
        a0, b0, c0, d0 = self.every
        every = (a0 + news[0], b0 + news[1], c0 + news[2], d0 + news[3])
        sums = self.sums
        if scored:
            a1, b1, c1, d1 = sums
            sums = (a1 + news[0], b1 + news[1], c1 + news[2], d1 + news[3])
        mean = law.memory * (self.mean + gain * e)
        reach = law.memory * (self.reach + gain * c)
        return Alone(mean, reach, law.ahead(self.variance * (1.0 - gain)), sums, every)

    def unseen(self, *, law: Hypothesis) -> Alone:
        """Return the filter after an epoch without an answer."""
        mean, reach = law.memory * self.mean, law.memory * self.reach
        return Alone(mean, reach, law.ahead(self.variance), self.sums, self.every)

    def best(self) -> float:
        """Return the log likelihood of the scored epochs, given the others, at the best level.

        Up to ln(2 pi)/2 an epoch.

        Example:
            >>> law = Hypothesis(0.0, 0.0)
            >>> one = Alone.start(law).after(0.3, 1.0, law=law, scored=1)
            >>> one.best()
            0.0
        """
        logs, ee, ec, cc = self.sums
        return 0.5 * ((ec * ec / cc if cc else 0.0) - logs - ee)

    def marginal(self) -> float:
        """Return the log likelihood of all epochs with the level integrated out.

        Up to a constant that every hypothesis shares. It weighs hypotheses fairly, where `best`
        would favour those that the level can bend furthest.
        """
        logs, ee, ec, cc = self.every
        return -0.5 * (logs + ee - ec * ec / cc + math.log(cc)) if cc else 0.0


@dataclass(frozen=True, slots=True)
class Beside:
    """Drift and level of one machine that two devices are thought to show.

    Attributes:
        drift: Mean of the drift.
        level: Mean of the level.
        variances: Of the drift, of both together, of the level.
    """

    drift: float
    level: float
    variances: tuple[float, float, float]

    @classmethod
    def start(cls, law: Hypothesis) -> Beside:
        """Before any epoch: the level is hardly known."""
        return cls(0.0, 0.0, (law.drift, 0.0, _LEVEL_SPREAD**2))

    def after(self, seen: float, noise: float) -> tuple[Beside, float]:
        """Return the filter after one device's log rate, and the log density that it gave to it.

        Up to ln(2 pi)/2.

        Example:
            >>> Beside(0.0, 0.0, (0.0, 0.0, 0.5)).after(1.0, 0.5)
            (Beside(drift=0.0, level=0.5, variances=(0.0, 0.0, 0.25)), -0.5)
        """
        dd, dm, mm = self.variances
        u, v = dd + dm, dm + mm
        predicted = u + v + noise
        e = seen - self.drift - self.level
        step = e / predicted
        left = (dd - u * u / predicted, dm - u * v / predicted, mm - v * v / predicted)
        filtered = Beside(self.drift + u * step, self.level + v * step, left)
        return filtered, -0.5 * (math.log(predicted) + e * step)

    def next_epoch(self, *, law: Hypothesis) -> Beside:
        """Return the prediction for the next epoch."""
        dd, dm, mm = self.variances
        a = law.memory
        return Beside(a * self.drift, self.level, (law.ahead(dd), a * dm, mm))


@dataclass(frozen=True, slots=True)
class Behind:
    """The machine's drift one epoch ago and now, and its level; a device shows the former.

    Attributes:
        means: Of drift before, drift now, level.
        variances: Before-before, before-now, now-now, before-level, now-level, level-level.
    """

    means: tuple[float, float, float]
    variances: tuple[float, float, float, float, float, float]

    @classmethod
    def start(cls, law: Hypothesis) -> Behind:
        """Before any epoch: the level is hardly known."""
        d = law.drift
        return cls((0.0, 0.0, 0.0), (d, law.memory * d, d, 0.0, 0.0, _LEVEL_SPREAD**2))

    def after_copy(self, seen: float, noise: float) -> tuple[Behind, float]:
        """Return the filter after the device's log rate, and the log density that it gave to it.

        Up to ln(2 pi)/2.

        Example:
            >>> Behind.start(Hypothesis(0.0, 0.0)).after_copy(1.0, 1.0)[1] == -0.5 * (
            ...     math.log(2.0) + 0.5)
            True
        """
        bb, bn, _, bl, nl, ll = self.variances
        return self._after(seen - self.means[0], noise, (bb + bl, bn + nl, bl + ll), place=0)

    def after_machine(self, seen: float, noise: float) -> tuple[Behind, float]:
        """Return the same after the reference's log rate."""
        _, bn, nn, bl, nl, ll = self.variances
        return self._after(seen - self.means[1], noise, (bn + bl, nn + nl, nl + ll), place=1)

    def _after(
        self, away: float, noise: float, pulls: tuple[float, float, float], *, place: int
    ) -> tuple[Behind, float]:
        """Take in a sum of one drift and the level, whose covariance with each mean is `pulls`."""
        b, n, level = pulls
        predicted = pulls[place] + level + noise
        e = away - self.means[2]
        step = e / predicted
        bb, bn, nn, bl, nl, ll = self.variances
        means = (self.means[0] + b * step, self.means[1] + n * step, self.means[2] + level * step)
        left = (
            bb - b * b / predicted,
            bn - b * n / predicted,
            nn - n * n / predicted,
            bl - b * level / predicted,
            nl - n * level / predicted,
            ll - level * level / predicted,
        )
        return Behind(means, left), -0.5 * (math.log(predicted) + e * step)

    def next_epoch(self, *, law: Hypothesis) -> Behind:
        """Return the prediction for the next epoch."""
        _, _, nn, _, nl, ll = self.variances
        a, now = law.memory, self.means[1]
        return Behind((now, a * now, self.means[2]), (nn, a * nn, law.ahead(nn), nl, a * nl, ll))
