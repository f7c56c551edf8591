"""Fixed probes of two machines as series in time: how each element's error rate moves.

An element is a qubit that is read, a pair whose gate is repeated, or a qubit that idles meanwhile
(`validator.probe_reads`); below all are called qubits.

A qubit's reads with 0 and with 1 prepared are two cells with levels of their own and, mostly, one
drift. A cell's rate is followed as the angle asin sqrt(rate), whose shot noise is 1/(4N + 2) at
any rate (F. J. Anscombe, Biometrika 35, 246 (1948)); a step of the angle over tan(angle)/2 is a
step of the rate's logarithm. Both cells' steps from the reference's first answer are averaged with
weights that never change, so that a level stays a level when shots are spent differently.
What all elements of one kind do at once (temperature, the line) is taken out of each epoch; a kind
is what the same probes show, so readout and gates move apart.

Blind spot: a cell read in two probes is one cell, whatever the other qubits do in each.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from validator.answers import KnownShots

__all__ = ["Movement", "ProbeRead", "Roster", "by_name", "probe_read"]

_USUAL_SPREAD = 0.1
_NOISIEST = 2.0 * _USUAL_SPREAD**2
"""Shot noise of a log rate (variance) above which a qubit is not followed: each that is costs a nat
or two for its free level, and such a one hardly earns that back."""


@dataclass(frozen=True, slots=True)
class ProbeRead:
    """How often each qubit was read wrongly in one answer to one fixed probe.

    Attributes:
        probe: Names the probe: the same in every epoch, on the device and on the reference.
        qubits: Elements that it shows, distinct: device qubits, or numbers above them.
        target: What is prepared on each, 0 or 1.
        wrong: Wrong reads of each, 0 .. `shots`.
        shots: Reads of each.

    Raises:
        ValueError: These contradict each other.

    Example:
        >>> ProbeRead("p", (0, 1), (0, 1), (3, 9), 1000).wrong
        (3, 9)
    """

    probe: str
    qubits: tuple[int, ...]
    target: tuple[int, ...]
    wrong: tuple[int, ...]
    shots: int

    def __post_init__(self) -> None:
        sizes = {len(set(self.qubits)), len(self.qubits), len(self.target), len(self.wrong)}
        if len(sizes) != 1:
            raise ValueError(f"need one bit and count per distinct qubit, got {self}")
        if any(not 0 <= wrong <= self.shots for wrong in self.wrong):
            raise ValueError(f"need 0 <= wrong <= {self.shots} shots, got {self.wrong}")


def probe_read(shots: KnownShots, *, probe: str) -> ProbeRead:
    """Count the wrong reads of each qubit; `probe` is the program's digest, say.

    Example:
        >>> from validator.answers import AnswerKind, known_shots
        >>> answer = known_shots({"01": 3, "11": 1}, target="01", qubits=(4, 7),
        ...                      kind=AnswerKind.READOUT, label="a")
        >>> probe_read(answer, probe="p")
        ProbeRead(probe='p', qubits=(4, 7), target=(1, 0), wrong=(0, 1), shots=4)
    """
    wrong = tuple(int(n) for n in shots.counts @ shots.errors.astype(np.int64))
    return ProbeRead(probe, shots.qubits, shots.target, wrong, shots.shots)


def by_name(reads: Iterable[ProbeRead]) -> dict[str, ProbeRead]:
    """Sort one machine's answers of one epoch by probe, those without shots left out.

    Raises:
        ValueError: A probe was answered twice.
    """
    listed = [read for read in reads if read.shots]
    named = {read.probe: read for read in sorted(listed, key=lambda read: read.probe)}
    if len(named) != len(listed):
        raise ValueError(f"need each probe once an epoch, got {[read.probe for read in listed]}")
    return named


@dataclass(frozen=True, slots=True)
class Movement:
    """One machine in one epoch.

    Attributes:
        steps: Log rate of each qubit against the reference's first, less what all moved.
        noises: Variance of each by shot noise.
    """

    steps: tuple[float, ...]
    noises: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class _Cell:
    """One qubit and prepared value.

    Attributes:
        value: 0 or 1.
        start: The reference's first angle.
        lift: Step of the angle when the rate grows e-fold.
        weight: In the qubit's mean; a qubit's weights sum to 1.
    """

    value: int
    start: float
    lift: float
    weight: float


@dataclass(frozen=True, slots=True)
class Roster:
    """Which probes and qubits are followed, and in which units; fixed once.

    Attributes:
        probes: All of them are needed in every epoch.
        cells: Of each qubit, ascending by qubit.
        kinds: Of each qubit, by number; qubits of one kind are shown by the same probes.
        pulls: Weight of each qubit in the shared movement of its kind; their sum is 1 in each kind.
            A qubit alone in its kind shares nothing, and has 0.
    """

    probes: tuple[str, ...]
    cells: Mapping[int, tuple[_Cell, ...]]
    kinds: tuple[int, ...]
    pulls: tuple[float, ...]

    @property
    def freedoms(self) -> tuple[float, ...]:
        """For each qubit, the share of its kind's degrees of freedom that is its own movement."""
        sizes = [self.kinds.count(kind) for kind in self.kinds]
        return tuple((size - 1) / size if size > 1 else 1.0 for size in sizes)

    @classmethod
    def settled(
        cls, device: Mapping[str, ProbeRead], trusted: Mapping[str, ProbeRead]
    ) -> Roster | None:
        """Fix it by the first epoch in which both answered the same probes.

        Qubits that shot noise hides are left out, unless fewer than two would be left.

        Returns:
            None where they share no probe, or fewer than two qubits.
        """
        shared = [name for name in device if name in trusted and _alike(device, trusted, name)]
        tally = _tally([trusted[name] for name in shared])
        every = {qubit: _cells(tally, qubit) for qubit in sorted({qubit for qubit, _ in tally})}
        if len(every) < 2:
            return None
        sharp = {q: found for q, found in every.items() if _step(tally, q, found)[1] <= _NOISIEST}
        cells = sharp if len(sharp) > 1 else every
        qubits = list(cells)
        kinds = _kinds([trusted[name] for name in shared], qubits)
        usual = [1.0 / (_step(tally, q, cells[q])[1] + _USUAL_SPREAD**2) for q in qubits]
        whole = [
            math.fsum(w for w, other in zip(usual, kinds, strict=True) if other == kind)
            for kind in range(max(kinds) + 1)
        ]
        pulls = tuple(
            weight / whole[kind] if kinds.count(kind) > 1 else 0.0
            for weight, kind in zip(usual, kinds, strict=True)
        )
        return cls(tuple(shared), cells, kinds, pulls)

    def movement(self, reads: Mapping[str, ProbeRead]) -> Movement | None:
        """Tell how one machine stands in one epoch; None where a probe is missing.

        The estimate of the shared movement takes its pull's share of a qubit's variance with it;
        what is left is scaled back.
        """
        if any(name not in reads for name in self.probes):
            return None
        tally = _tally([reads[name] for name in self.probes])
        if any((q, cell.value) not in tally for q, cells in self.cells.items() for cell in cells):
            return None
        found = [_step(tally, qubit, cells) for qubit, cells in self.cells.items()]
        pulled = [
            (kind, pull * step)
            for kind, pull, (step, _) in zip(self.kinds, self.pulls, found, strict=True)
        ]
        shared = [
            math.fsum(step for other, step in pulled if other == kind)
            for kind in range(max(self.kinds) + 1)
        ]
        return Movement(
            tuple(
                (step - shared[kind]) / math.sqrt(1.0 - pull)
                for kind, pull, (step, _) in zip(self.kinds, self.pulls, found, strict=True)
            ),
            tuple(noise for _, noise in found),
        )


def _kinds(reads: Sequence[ProbeRead], qubits: Iterable[int]) -> tuple[int, ...]:
    """Number the kinds of qubits, by the set of probes that shows them."""
    shown = [tuple(qubit in read.qubits for read in reads) for qubit in qubits]
    numbers = {key: number for number, key in enumerate(dict.fromkeys(shown))}
    return tuple(numbers[key] for key in shown)


def _alike(device: Mapping[str, ProbeRead], trusted: Mapping[str, ProbeRead], name: str) -> bool:
    ours, theirs = device[name], trusted[name]
    return (ours.qubits, ours.target) == (theirs.qubits, theirs.target)


def _tally(reads: Iterable[ProbeRead]) -> dict[tuple[int, int], tuple[int, int]]:
    """Sum wrong reads and reads by qubit and prepared value."""
    tally: dict[tuple[int, int], tuple[int, int]] = {}
    for read in reads:
        for key, wrong in zip(zip(read.qubits, read.target, strict=True), read.wrong, strict=True):
            before = tally.get(key, (0, 0))
            tally[key] = (before[0] + wrong, before[1] + read.shots)
    return tally


def _cells(tally: Mapping[tuple[int, int], tuple[int, int]], qubit: int) -> tuple[_Cell, ...]:
    """Weigh a qubit's cells by how sharply each shows a step of the rate's logarithm."""
    values = [value for value in (0, 1) if (qubit, value) in tally]
    starts = [_angle(*tally[qubit, value]) for value in values]
    lifts = [math.tan(start) / 2.0 for start in starts]
    known = [tally[qubit, v][1] * lift * lift for v, lift in zip(values, lifts, strict=True)]
    total = math.fsum(known)
    return tuple(
        _Cell(value, start, lift, information / total)
        for value, start, lift, information in zip(values, starts, lifts, known, strict=True)
    )


def _angle(wrong: int, reads: int) -> float:
    """Return asin sqrt(rate) with Anscombe's correction."""
    return math.asin(math.sqrt((wrong + 0.375) / (reads + 0.75)))


def _step(
    tally: Mapping[tuple[int, int], tuple[int, int]], qubit: int, cells: Iterable[_Cell]
) -> tuple[float, float]:
    """Return one qubit's step from its start, and the variance that shot noise gives it."""
    steps, noises = [], []
    for cell in cells:
        wrong, reads = tally[qubit, cell.value]
        scale = cell.weight / cell.lift
        steps.append(scale * (_angle(wrong, reads) - cell.start))
        noises.append(scale * scale / (4.0 * reads + 2.0))
    return math.fsum(steps), math.fsum(noises)
