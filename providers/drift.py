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


def rates_at(snapshot: Snapshot, draws: Draws, *, epoch: int, drift: Drift = DRIFT) -> Rates:
    """Say what the device of `snapshot` really does at `epoch`.

    Args:
        snapshot: What was published.
        draws: The device's own stream: one seed and device name, one history.
        epoch: Any integer.
        drift: Sizes.

    Example:
        >>> from circuits.draws import Draws
        >>> from providers.snapshots import load
        >>> hanoi = load("hanoi")
        >>> now, later = (rates_at(hanoi, Draws(b"seed", "qpu"), epoch=e) for e in (0, 9))
        >>> now.read_0_given_1[0] > now.read_1_given_0[0], now == later
        (True, False)
    """
    sheet = snapshot.errors

    def factor(kind: str, size: int, spread: float) -> Reals:
        fixed = drift.worse * np.exp(
            drift.worse_spread * _normals(draws.child(kind, "worse"), size)
        )
        walk = _walk(draws.child(kind), size, epoch=epoch, spread=spread, drift=drift)
        return np.asarray(fixed * walk, dtype=np.float64)

    width = len(sheet.readout)
    one = factor("one_qubit", width, drift.gate_spread)
    two = factor("two_qubit", len(sheet.two_qubit), drift.gate_spread)
    read = _times(sheet.readout, factor("readout", width, drift.read_spread), most=0.5)
    spread = drift.asymmetry_spread * _normals(draws.child("asymmetry"), width)
    ratio = np.clip(drift.asymmetry * np.exp(spread), 1.5, 9.0)
    pairs = [(min(edge), max(edge)) for edge in snapshot.topology.edges]
    return Rates(
        one_qubit=_floats(1.5 * _times(sheet.one_qubit, one, most=0.5)),
        two_qubit=dict(
            zip(pairs, _floats(1.25 * _times(sheet.two_qubit, two, most=0.75)), strict=True)
        ),
        read_0_given_1=_floats(np.minimum(2 * read * ratio / (1 + ratio), 0.5)),
        read_1_given_0=_floats(2 * read / (1 + ratio)),
        relax_hz=_inverse(snapshot.t1_s, one),
        dephase_hz=_inverse(snapshot.t2_s, one),
        one_qubit_s=snapshot.one_qubit_s,
        two_qubit_s=dict(zip(pairs, snapshot.two_qubit_s, strict=True)),
    )


def _walk(draws: Draws, size: int, *, epoch: int, spread: float, drift: Drift) -> Reals:
    """Factors at `epoch`, mean about 1, from the innovations of the epochs that still count."""
    total = np.zeros(size)
    scale = spread * math.sqrt(1 - drift.memory**2)
    for age in range(math.ceil(math.log(FADED) / math.log(drift.memory))):
        born = draws.child("epoch", epoch - age)
        shock = scale * _normals(born, size)
        struck = _uniforms(born, size) < drift.jump_chance
        shock += np.where(struck, drift.jump_spread * _normals(born, size), 0.0)
        total += drift.memory**age * shock
    factors = np.exp(total - spread**2 / 2)
    return np.asarray(np.clip(factors, drift.low, drift.high), dtype=np.float64)


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
