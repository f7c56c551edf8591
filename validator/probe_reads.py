"""Answers to the probes that are sent in every epoch, as what may move from epoch to epoch.

Two families are probes: `readout`, whose elements are qubits, and `repeated_gates`, whose elements
are pairs, since one gate error spoils both of a pair's bits, and then the qubits that no gate
touches, which decay for as long as the row lasts.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable
from typing import TYPE_CHECKING, Final

import numpy as np

from circuits.case import KnownAnswer
from circuits.program import BARRIER
from circuits.readout import Readout
from circuits.repeated_gates import RepeatedGates
from validator.answers import AnswerKind, KnownShots, known_shots
from validator.simulators.against_static import ProbeAnswer
from validator.simulators.drift_series import ProbeRead, probe_read

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from circuits.program import Program
    from validator.record import Record

__all__ = [
    "PROBES",
    "READOUT",
    "REPEATED_GATES",
    "is_probe",
    "probe_answer",
    "probe_reads",
    "row_reads",
]

READOUT: Final = Readout.name
REPEATED_GATES: Final = RepeatedGates.name

PROBES: Final = frozenset({READOUT, REPEATED_GATES})
"""Families of which a device gets the same programs in every epoch."""


def is_probe(record: Record) -> bool:
    """Tell whether a record is of a program that is sent in every epoch."""
    return record.case is not None and record.case.family in PROBES


def probe_reads(records: Iterable[Record]) -> list[ProbeRead]:
    """Read the answered probes of one epoch, each program once: narrow devices may get one twice.

    Answers of another width than the program's are left out.
    """
    reads: dict[str, list[ProbeRead]] = {}
    for record in records:
        probe = record.program.digest
        if is_probe(record) and record.shots_returned and probe not in reads:
            shots = _known_shots(record)
            if shots is not None:
                reads[probe] = _reads(record, shots, probe)
    return [read for several in reads.values() for read in several]


def row_reads(
    shots: KnownShots, *, probe: str, pairs: Collection[tuple[int, int]], first: int
) -> list[ProbeRead]:
    """Count the shots in which a pair's bits, one or both, are wrong; and those of idle qubits.

    Two reads, because gates and idle decay move apart; without idle qubits one.

    Args:
        shots: The answer.
        probe: Names the probe.
        pairs: Device qubits, distinct, each read in `shots`.
        first: Number of the first pair as an element, above every qubit's; idle qubits follow.

    Example:
        >>> answer = known_shots({"10101": 6, "11111": 3, "00110": 1}, target="10101",
        ...                      qubits=(0, 1, 2, 3, 4), kind=AnswerKind.READOUT, label="a")
        >>> gates, idle = row_reads(answer, probe="p", pairs=[(0, 1), (2, 3)], first=5)
        >>> gates
        ProbeRead(probe='p', qubits=(5, 6), target=(0, 0), wrong=(4, 3), shots=10)
        >>> idle
        ProbeRead(probe='p idle', qubits=(7,), target=(1,), wrong=(1,), shots=10)
    """
    wrong = tuple((shots.counts @ _wrong(shots, pairs).astype(np.int64)).tolist())
    elements, cut = tuple(range(first, first + len(wrong))), len(pairs)
    gates = ProbeRead(probe, elements[:cut], (0,) * cut, wrong[:cut], shots.shots)
    if len(wrong) == cut:
        return [gates]
    target = tuple(shots.target[place] for place in _idle(shots, pairs))
    return [gates, ProbeRead(f"{probe} idle", elements[cut:], target, wrong[cut:], shots.shots)]


def probe_answer(record: Record, shots: KnownShots) -> ProbeAnswer:
    """Give what a static law is asked about: a readout's strings; of a row of gates, its pairs.

    A pair's digit is 1 where one of its bits, or both, are wrong; pairs ascend from the right, and
    left of them the bits of idle qubits, 1 where wrong. Half of what moves both bits of a pair
    together would be lost if each were looked at alone.
    """
    label, probe = shots.label, record.program.digest
    if record.case is None or record.case.family != REPEATED_GATES:
        return ProbeAnswer(label, probe, record.counts.table if record.counts else {})
    counts: Counter[str] = Counter()
    wrong = _wrong(shots, _pairs(record.program))
    for row, number in zip(wrong.tolist(), shots.counts.tolist(), strict=True):
        counts["".join(map(str, reversed(row)))] += number
    return ProbeAnswer(label, probe, counts)


def _wrong(shots: KnownShots, pairs: Collection[tuple[int, int]]) -> NDArray[np.uint8]:
    """Tell what is wrong: (strings x elements), pairs in ascending order, then idle qubits."""
    column = {qubit: place for place, qubit in enumerate(shots.qubits)}
    first, second = ([column[pair[end]] for pair in sorted(pairs)] for end in (0, 1))
    either = shots.errors[:, first] | shots.errors[:, second]
    return np.concatenate([either, shots.errors[:, _idle(shots, pairs)]], axis=1)


def _idle(shots: KnownShots, pairs: Collection[tuple[int, int]]) -> list[int]:
    """Places of the qubits that are in no pair."""
    busy = {qubit for pair in pairs for qubit in pair}
    return [place for place, qubit in enumerate(shots.qubits) if qubit not in busy]


def _pairs(program: Program) -> set[tuple[int, int]]:
    return {
        (min(op.qubits), max(op.qubits))
        for op in program.operations
        if len(op.qubits) == 2 and op.name != BARRIER
    }


def _reads(record: Record, shots: KnownShots, probe: str) -> list[ProbeRead]:
    if record.case is None or record.case.family == READOUT:
        return [probe_read(shots, probe=probe)]
    return row_reads(
        shots, probe=probe, pairs=_pairs(record.program), first=record.program.num_qubits
    )


def _known_shots(record: Record) -> KnownShots | None:
    case, table = record.case, record.counts.table if record.counts else {}
    if case is None or not isinstance(case.answer, KnownAnswer):
        return None
    if any(len(key) != record.program.num_bits for key in table):
        return None
    return known_shots(
        table,
        target=case.answer.bits,
        qubits=case.qubits,
        kind=AnswerKind.READOUT,
        label=f"{record.job_key}/{record.index}",
    )
