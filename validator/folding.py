"""Folding: the evidence of one device, carried from epoch to epoch.

Every bet is placed by the past alone, in the order of the records. The fold keeps sums, histograms
and running e-values, never answers, so that one more epoch costs the same however long the record
is. `validator.evidence` reads it out.

Blind spot: an accusation reads the random circuits of a simulator forwards and backwards, in no
other order; one that had its bits in another wrong order and mends it keeps them against it.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from circuits.case import KnownAnswer, SimulatedAnswer
from circuits.draws import Draws
from validator.answers import AnswerKind, KnownShots, known_shots
from validator.below_claim import BelowClaim, below_claim
from validator.claims import claim_for
from validator.estimators.mirror import MirrorAnswer, mirror_answer, polarization
from validator.estimators.xeb import XebCircuit, linear_xeb, xeb_circuit
from validator.fidelity import Measure
from validator.hardware import HardwareFold
from validator.integrity import Replays, Scaled, rounded
from validator.mistakes import KnownCounts, Permuted, Shape, reversal_evidence, shape_of
from validator.plan import MIRROR_DEPTH
from validator.probe_reads import PROBES, READOUT, REPEATED_GATES, probe_answer, probe_reads
from validator.record import Record, chronological
from validator.score import Work, capacity
from validator.sequential import Accusation, StartMixture, hedged
from validator.too_good import readout_ceiling, too_good
from validator.unread import unread

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from circuits.case import Case
    from providers.base import Device
    from validator.references.reference import Reference

    Law = NDArray[np.float64]

__all__ = ["Folding", "Peak"]

WIDEST_SCORED = 8
"""Wider mirrors measure the error per layer; their own success is near 0 on honest machines."""

WORKLOAD = ("brickwork", "trap")
"""Families like what users send: non-Clifford circuits, and circuits made of users' own."""

_APART = (Accusation.BELOW_CLAIM, Accusation.SCALED)
"""Tests with folds of their own."""

_NARROWEST_WIDE = 10
_WIDEST_LAW = 12
_WIDE_KEPT = 20
_MIRRORS_KEPT = 180
_WORK_KEPT = 60
"""Fidelities are of the newest circuits: about a month of mirrors and of what users send."""


@dataclass(frozen=True, slots=True)
class Peak:
    """An accusing e-value and its highest point so far, log10.

    An accusation holds from the first time that the evidence crosses its threshold (Ville's
    inequality bounds the supremum), so later luck does not take it back.
    """

    state: StartMixture = field(default_factory=StartMixture)
    highest: float = 0.0

    def after(self, factor: float) -> Peak:
        """Return the fold after one more e-value."""
        state = self.state.after(factor)
        return Peak(state, max(self.highest, state.log10_e))


@dataclass(slots=True)
class Folding:
    """What the records of one device have shown so far.

    Args:
        reference: Exact distributions.
        permutation_key: Seeds permutation tests; revealed only after the answers.
        is_qpu: The class that the device is judged as.

    Attributes:
        programs_asked: Records.
        programs_answered: Records with an answer in time.
        shots_used: Shots that came back.
        shapes: Answers of the newest epoch that has any, by shape.
        device: The newest claim; None before the first epoch.
        served: By family of the newest epoch, programs with whole answers and programs asked.
        qubit_shots: Capacity shown in the newest epoch, see `validator.score`.
        unread: Qubits that do not read out in the newest probes, see `validator.unread`.
        mirrors: The newest mirrors of at most `WIDEST_SCORED` qubits and the plan's depth.
        random_circuits: Random circuits against their exact laws, in order.
        traps: The newest traps made of circuits like users' own, in order.
        margins: By family, how far each circuit's fidelity lies above half of its claim's cube.
        wide: The newest answered mirrors of at least 10 qubits, as they are.
        claims: Evidence that it falls below its claim.
        scaled: Evidence that its counts share a divisor.
        fakes: Of the other tests that may accuse.
        reversed_bits: Evidence that the bits come reversed.
        permuted_bits: Evidence that the bits come in another fixed order.
        hardware: Evidence against each class of simulator; None for a simulator.
    """

    reference: Reference
    permutation_key: bytes
    is_qpu: bool
    programs_asked: int = 0
    programs_answered: int = 0
    shots_used: int = 0
    shapes: Mapping[Shape, int] = field(default_factory=lambda: dict.fromkeys(Shape, 0))
    device: Device | None = None
    served: Mapping[str, tuple[int, int]] = field(default_factory=dict)
    qubit_shots: int = 0
    unread: tuple[int, ...] = ()
    mirrors: deque[MirrorAnswer] = field(default_factory=lambda: deque(maxlen=_MIRRORS_KEPT))
    random_circuits: list[XebCircuit] = field(default_factory=list)
    traps: deque[MirrorAnswer] = field(default_factory=lambda: deque(maxlen=_WORK_KEPT))
    margins: dict[str, deque[float]] = field(
        default_factory=lambda: {family: deque(maxlen=_WORK_KEPT) for family in WORKLOAD}
    )
    wide: deque[Record] = field(default_factory=lambda: deque(maxlen=_WIDE_KEPT))
    claims: BelowClaim = field(default_factory=BelowClaim)
    fakes: dict[Accusation, Peak] = field(
        default_factory=lambda: {name: Peak() for name in Accusation if name not in _APART}
    )
    scaled: Scaled = field(default_factory=Scaled)
    reversed_bits: StartMixture = field(default_factory=StartMixture)
    permuted_bits: Permuted = field(default_factory=Permuted)
    hardware: HardwareFold | None = None
    replays: Replays = field(default_factory=Replays)

    def __post_init__(self) -> None:
        if self.is_qpu:
            self.hardware = HardwareFold.start(Draws(self.permutation_key, "permutations"))

    def add_epoch(self, records: Sequence[Record], *, trusted: Sequence[Record] = ()) -> None:
        """Go on by the records of one epoch.

        Args:
            records: All of the device's records of one epoch.
            trusted: Of a trusted run of the same readout probes on the machine that it claims.

        Raises:
            ValueError: None, or records of more than one epoch.
        """
        epochs = {record.epoch for record in records}
        if len(epochs) != 1:
            raise ValueError(f"need the records of exactly one epoch, got {sorted(epochs)}")
        ordered = chronological(records)
        self.device = ordered[-1].device
        answered = [record for record in ordered if record.shots_returned]
        shapes = [_shape(record) for record in answered]
        usable = [
            r for r, shape in zip(answered, shapes, strict=True) if shape != Shape.WRONG_WIDTH
        ]
        self.programs_asked += len(ordered)
        self.programs_answered += len(answered)
        self.shots_used += sum(record.shots_returned for record in answered)
        if answered:
            self.shapes = {shape: shapes.count(shape) for shape in Shape}
        self.qubit_shots = _qubit_shots(usable)
        self.served = _served(ordered)
        for record in usable:
            self._add(record)
        if self.hardware is not None:
            self.unread = _unread(usable, self.device, before=self.unread)
            self.hardware = self.hardware.after_trusted(probe_reads(usable), probe_reads(trusted))

    def _add(self, record: Record) -> None:
        case, table = record.case, _table(record)
        target = _target(record)
        if target:
            self._add_known(record, target)
        elif case and isinstance(case.answer, SimulatedAnswer) and record.shots_returned:
            law = self.reference.probabilities(record.program)
            circuit = xeb_circuit(table, ideal=law)
            self.random_circuits.append(circuit)
            self._compare(case, record.device, linear_xeb([circuit]).estimate)
            if record.program.num_bits <= _WIDEST_LAW:
                self._accuse(Accusation.ROUNDED, hedged(rounded(table, law=_listed(record, law))))
        if case and (factor := below_claim(record, reference=self.reference)) is not None:
            self.claims = self.claims.after(case.family, factor)
        if case or self.is_qpu:
            label = _label(record) if self.is_qpu else record.program.digest
            factor = self.replays.factor(label, record.program.num_bits, table)
            if factor is not None:
                self._accuse(Accusation.REPLAYED, factor)
            self.scaled = self.scaled.after(table)

    def _add_known(self, record: Record, target: str) -> None:
        """Go on by one circuit with a known answer."""
        table, case = _table(record), record.case
        known = KnownCounts(target, table)
        # Rows of one gate are left out: what is off in it may add up to an exchange of two qubits.
        is_row = case is not None and case.family == REPEATED_GATES
        if not is_row and (turned := reversal_evidence(known)) != 0.0:
            self.reversed_bits = self.reversed_bits.after(turned)
        if case is not None and case.family == READOUT:
            self.permuted_bits = self.permuted_bits.after(known)
        if case is not None and case.family == "mirror":
            if case.width <= WIDEST_SCORED and case.depth == MIRROR_DEPTH:
                self.mirrors.append(mirror_answer(table, target=target))
            if case.width >= _NARROWEST_WIDE:
                self.wide.append(record)
        if case is not None and case.family == "trap":
            self.traps.append(mirror_answer(table, target=target))
            self._compare(case, record.device, polarization(self.traps[-1]))
        if self.hardware is not None:
            self.hardware = self._after_known(self.hardware, record, target)

    def _after_known(self, hardware: HardwareFold, record: Record, target: str) -> HardwareFold:
        """Bet against simulators on one circuit of a qpu with a known answer."""
        family = record.case.family if record.case else ""
        if family == READOUT:
            self._accuse(Accusation.TOO_GOOD, _too_good(record, target))
        shots = _known_shots(record, target)
        if family != REPEATED_GATES:
            hardware = hardware.after(shots)
        return hardware.after_repeat(probe_answer(record, shots)) if family in PROBES else hardware

    def _compare(self, case: Case, device: Device, fidelity: float) -> None:
        """Set a circuit's fidelity beside its claim."""
        if case.family in self.margins:
            claim = claim_for(case, device, measure=Measure.POLARIZATION)
            self.margins[case.family].append(fidelity - claim**3 / 2)

    def _accuse(self, accusation: Accusation, factor: float) -> None:
        self.fakes[accusation] = self.fakes[accusation].after(factor)

    @property
    def accusations(self) -> dict[Accusation, float]:
        """The highest point of every test that may accuse, log10."""
        highest = {
            Accusation.BELOW_CLAIM: self.claims.highest,
            Accusation.SCALED: self.scaled.highest,
        }
        return highest | {name: peak.highest for name, peak in self.fakes.items()}


def _table(record: Record) -> Mapping[str, int]:
    return record.counts.table if record.counts else {}


def _target(record: Record) -> str:
    """Give the known answer of a test; '' where there is none."""
    case = record.case
    return case.answer.bits if case and isinstance(case.answer, KnownAnswer) else ""


def _shape(record: Record) -> Shape:
    return shape_of(_table(record), width=record.program.num_bits, shots_asked=record.shots_asked)


def _listed(record: Record, law: Law) -> dict[str, float]:
    return {format(i, f"0{record.program.num_bits}b"): float(p) for i, p in enumerate(law)}


def _too_good(record: Record, target: str) -> float:
    sheet, case = record.device.errors, record.case
    errors = [sheet.readout[qubit] for qubit in case.qubits] if sheet and case else []
    ceiling = readout_ceiling(errors, target=target)
    return too_good(_table(record).get(target, 0), shots=record.shots_returned, ceiling=ceiling)


def _known_shots(record: Record, target: str) -> KnownShots:
    case = record.case
    return known_shots(
        _table(record),
        target=target,
        qubits=case.qubits if case else (),
        kind=AnswerKind.READOUT if case and case.family == READOUT else AnswerKind.MIRROR,
        label=_label(record),
    )


def _unread(
    records: Iterable[Record], device: Device, *, before: tuple[int, ...]
) -> tuple[int, ...]:
    """Name the qubits that do not read out; as before where no probe of this claim was answered."""
    probes = [r for r in records if r.case and r.case.family == READOUT and r.device == device]
    if not probes or device.errors is None:
        return before
    answers = [_known_shots(record, _target(record)) for record in probes]
    return unread(answers, readout=device.errors.readout)


def _label(record: Record) -> str:
    return f"{record.job_key}/{record.index}"


def _served(records: Iterable[Record]) -> dict[str, tuple[int, int]]:
    """Count by family the programs with whole answers, and those that were asked."""
    served: dict[str, tuple[int, int]] = {}
    for record in records:
        if record.case:
            whole, asked = served.get(record.case.family, (0, 0))
            complete = record.shots_returned >= record.shots_asked
            served[record.case.family] = (whole + complete, asked + 1)
    return dict(sorted(served.items()))


def _qubit_shots(records: Iterable[Record]) -> int:
    """Count the capacity shown in one epoch, in which all devices were tested at once."""
    return capacity(
        Work(
            program=record.program.digest,
            width=record.case.width,
            shots_returned=min(record.shots_returned, record.shots_asked),
            in_time=True,
        )
        for record in records
        if record.case
    )
