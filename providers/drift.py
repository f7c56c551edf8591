"""Drift: how a device at one epoch differs from its public sheet.

Three things separate the two. A fixed part: each element was a little worse than published from
the start, and a 1 is read wrongly more often than a 0. A walk: the logarithm of every error rate
is a stationary first-order autoregression over epochs, with a jump now and then. And staleness:
the sheet stays as it was published while the device walks on. A factor f acts like the channel
done f times, so that a bad element gets worse but never worse than random.

Every number is a hash of (seed, device, element, epoch), so any epoch can be computed at once, in
any order, again after a restart. The autoregression is written as its moving average, cut where
its memory has faded below `FADED`.

Source: rates of superconducting qubits walk and jump over hours to days: Klimov et al., PRL 121,
090502 (2018); Burnett et al., npj Quantum Inf. 5, 54 (2019). The sizes are choices within that.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

from providers.noise import Rates

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from circuits.draws import Draws
    from providers.snapshots import Snapshot

    Reals = NDArray[np.float64]

FADED = 1e-3
UNKNOWN_S = 20e-6
"""T1 and T2 of a qubit that none is published for: short, since such qubits are broken."""


@dataclass(frozen=True, slots=True)
class Drift:
    """Sizes of what the sheet does not show; spreads are standard deviations of a logarithm.

    Attributes:
        memory: Correlation of the walk between successive epochs.
        read_spread: Walk of the readout error.
        gate_spread: Walk of gate errors and of idle decay.
        jump_chance: Chance of a jump per element and epoch.
        jump_spread: Size of a jump; it fades with `memory`.
        worse: Factor on every published error from the start (median).
        worse_spread: Its spread between elements.
        asymmetry: P(0|1)/P(1|0), median; measured machines lie between 2 and 9.
        asymmetry_spread: Its spread between qubits; the ratio is kept in 1.5 .. 9.
        low: The walk's factor never falls below this,
        high: nor rises above this.
    """

    memory: float = 0.9
    read_spread: float = 0.15
    gate_spread: float = 0.12
    jump_chance: float = 0.01
    jump_spread: float = 0.4
    worse: float = 1.15
    worse_spread: float = 0.08
    asymmetry: float = 3.0
    asymmetry_spread: float = 0.35
    low: float = 0.5
    high: float = 2.0


DRIFT = Drift()


class Ageing:
    """One device's whole history; epochs may be asked for in any order.

    What happened in an epoch is drawn once and kept, so that the next epoch costs one more draw
    and not the whole past again.

    Args:
        snapshot: What was published.
        draws: The device's own stream: one seed and device name, one history.
        drift: Sizes.
        fork: What happens after epoch 0 comes from this stream instead: a history that is the
            device's own up to then and made up afterwards.

    Example:
        >>> from circuits.draws import Draws
        >>> from providers.snapshots import load
        >>> hanoi, seed = load("hanoi"), Draws(b"seed", "qpu")
        >>> own, made_up = Ageing(hanoi, seed), Ageing(hanoi, seed, fork=Draws(b""))
        >>> own.rates(0) == made_up.rates(0), own.rates(1) == made_up.rates(1)
        (True, False)
    """

    def __init__(
        self, snapshot: Snapshot, draws: Draws, *, drift: Drift = DRIFT, fork: Draws | None = None
    ) -> None:
        self._snapshot = snapshot
        self._draws = draws
        self._drift = drift
        width, pairs = len(snapshot.errors.readout), len(snapshot.errors.two_qubit)
        sizes = {"one_qubit": width, "two_qubit": pairs, "readout": width}
        self._fixed = {
            kind: drift.worse
            * np.exp(drift.worse_spread * _normals(draws.child(kind, "worse"), size))
            for kind, size in sizes.items()
        }
        self._walks = {
            kind: _Walk(draws.child(kind), size, drift, fork.child(kind) if fork else None)
            for kind, size in sizes.items()
        }
        spread = drift.asymmetry_spread * _normals(draws.child("asymmetry"), width)
        self._ratio = np.clip(drift.asymmetry * np.exp(spread), 1.5, 9.0)

    def rates(self, epoch: int) -> Rates:
        """Say what the device really does at `epoch`, any integer."""
        snapshot, sheet, drift = self._snapshot, self._snapshot.errors, self._drift
        one = self._factor("one_qubit", epoch, drift.gate_spread)
        two = self._factor("two_qubit", epoch, drift.gate_spread)
        factor = self._factor("readout", epoch, drift.read_spread)
        read = _times(sheet.readout, factor, most=0.5)
        pairs = [(min(edge), max(edge)) for edge in snapshot.topology.edges]
        return Rates(
            one_qubit=_floats(1.5 * _times(sheet.one_qubit, one, most=0.5)),
            two_qubit=dict(
                zip(pairs, _floats(1.25 * _times(sheet.two_qubit, two, most=0.75)), strict=True)
            ),
            read_0_given_1=_floats(np.minimum(2 * read * self._ratio / (1 + self._ratio), 0.5)),
            read_1_given_0=_floats(2 * read / (1 + self._ratio)),
            relax_hz=_inverse(snapshot.t1_s, one),
            dephase_hz=_inverse(snapshot.t2_s, one),
            one_qubit_s=snapshot.one_qubit_s,
            two_qubit_s=dict(zip(pairs, snapshot.two_qubit_s, strict=True)),
        )

    def _factor(self, kind: str, epoch: int, spread: float) -> Reals:
        walk = self._walks[kind].at(epoch, spread=spread)
        return np.asarray(self._fixed[kind] * walk, dtype=np.float64)


def rates_at(snapshot: Snapshot, draws: Draws, *, epoch: int, drift: Drift = DRIFT) -> Rates:
    """Say what the device of `snapshot` really does at one epoch; for several use `Ageing`.

    Example:
        >>> from circuits.draws import Draws
        >>> from providers.snapshots import load
        >>> hanoi = load("hanoi")
        >>> now, later = (rates_at(hanoi, Draws(b"seed", "qpu"), epoch=e) for e in (0, 9))
        >>> now.read_0_given_1[0] > now.read_1_given_0[0], now == later
        (True, False)
    """
    return Ageing(snapshot, draws, drift=drift).rates(epoch)


class _Walk:
    """The walk of all elements of one kind."""

    def __init__(self, draws: Draws, size: int, drift: Drift, fork: Draws | None) -> None:
        self._draws = draws
        self._fork = fork
        self._size = size
        self._drift = drift
        self._born = lru_cache(maxsize=1024)(self._event)

    def at(self, epoch: int, *, spread: float) -> Reals:
        """Factors at `epoch`, mean about 1, from the innovations of the epochs that still count."""
        drift = self._drift
        total = np.zeros(self._size)
        scale = spread * math.sqrt(1 - drift.memory**2)
        for age in range(math.ceil(math.log(FADED) / math.log(drift.memory))):
            shock, jump = self._born(epoch - age)
            total += drift.memory**age * (scale * shock + jump)
        factors = np.exp(total - spread**2 / 2)
        return np.asarray(np.clip(factors, drift.low, drift.high), dtype=np.float64)

    def _event(self, epoch: int) -> tuple[Reals, Reals]:
        """What happened in one epoch: standard normal shocks, and jumps (mostly 0)."""
        source = self._draws if self._fork is None or epoch <= 0 else self._fork
        born = source.child("epoch", epoch)
        shock = _normals(born, self._size)
        struck = _uniforms(born, self._size) < self._drift.jump_chance
        jumps = self._drift.jump_spread * _normals(born, self._size)
        return shock, np.where(struck, jumps, 0.0)


def _uniforms(draws: Draws, size: int) -> Reals:
    """Uniform on (0, 1), 53 bits each."""
    words = np.frombuffer(draws.take(8 * size), dtype=">u8") >> np.uint64(11)
    return np.asarray((words.astype(np.float64) + 0.5) / 2.0**53, dtype=np.float64)


def _normals(draws: Draws, size: int) -> Reals:
    """Standard normals by Box and Muller's transform."""
    radius = np.sqrt(-2 * np.log(_uniforms(draws, size)))
    return np.asarray(radius * np.cos(2 * np.pi * _uniforms(draws, size)), dtype=np.float64)


def _times(errors: tuple[float, ...], factors: Reals, *, most: float) -> Reals:
    """Error of a symmetric channel done `factors` times; at `most` it leaves nothing."""
    left = 1 - np.minimum(errors, most) / most
    return np.asarray(most * (1 - left**factors), dtype=np.float64)


def _floats(values: Reals) -> tuple[float, ...]:
    return tuple(float(value) for value in values)


def _inverse(times_s: tuple[float, ...], factor: Reals) -> tuple[float, ...]:
    """Decay rates in Hz."""
    return tuple(float(f) / (t or UNKNOWN_S) for t, f in zip(times_s, factor, strict=True))
