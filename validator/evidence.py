"""Evidence: all e-values and intervals of one device, a pure function of its records.

Every fold runs over the records in chronological order and bets by the past alone. Records
without a case (users' jobs) count for integrity only; records without an answer count as missing,
never as wrong. Evidence is of the device's whole record, but for its shapes and its capacity,
which are the newest epoch's: who mends a wrong width is no longer called by it. First form: the
classes of `validator.hardware`, mirrors and readout probes as known answers, XEB by exact
reference.

Blind spot: an accusation looks at bits as they came or read backwards, whichever is better for
the device; one that had them in another wrong order and mends it keeps the circuits of that time
against it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from circuits.case import KnownAnswer, SimulatedAnswer
from circuits.draws import Draws
from providers.base import DeviceClass
from validator.answers import AnswerKind, KnownShots, known_shots
from validator.claims import claim_for
from validator.fidelity import Measure, accusation_floor
from validator.hardware import SimulatorClass, hardware_evidence
from validator.integrity import replay_factors, rounded, scaled
from validator.interval import NO_SHOTS, Interval
from validator.mirror import MirrorAnswer, mirror_answer, mirror_polarization
from validator.mistakes import KnownCounts, Shape, permuted, reversed_evidence, shape_of
from validator.record import Record, chronological
from validator.reference import Reference
from validator.score import Work, capacity
from validator.sequential import (
    Accusation,
    StartMixture,
    best_stake,
    capped,
    hedged,
    hit_wealth,
    polarization_wealth,
)
from validator.too_good import readout_ceiling, too_good
from validator.xeb import XebCircuit, likelihood_xeb, xeb_circuit

_WIDEST_LAW = 12


@dataclass(frozen=True, slots=True)
class Evidence:
    """What the records of one device show.

    Attributes:
        programs_asked: Records.
        programs_answered: Records with an answer in time.
        shots_used: Shots that came back.
        shapes: Answers of the newest epoch that has any, by shape.
        fidelity: Of the estimator named.
        estimator: What `fidelity` is, in words: the mirror polarization (class qpu), averaged
            over circuits of the widths named, so that the spread between widths is inside the
            interval; or the XEB fidelity (class simulator).
        accusations: log10 e-value of each test that may accuse, at its highest point so far.
        reversed_bits: log10 e-value that the bits come reversed.
        permuted_bits: log10 e-value that the bits come in another fixed order.
        hardware: log10 e-value against each cheap class of simulator; empty for simulators.
        qubit_shots: Capacity shown in the newest epoch, see `validator.score`.
    """

    programs_asked: int
    programs_answered: int
    shots_used: int
    shapes: Mapping[Shape, int]
    fidelity: Interval
    estimator: str
    accusations: Mapping[Accusation, float]
    reversed_bits: float
    permuted_bits: float
    hardware: Mapping[SimulatorClass, float]
    qubit_shots: int


def evidence(
    records: Iterable[Record], *, reference: Reference, permutation_key: bytes
) -> Evidence:
    """Compute the evidence of one device.

    Args:
        records: All of one hotkey and device; any order.
        reference: Exact distributions for XEB.
        permutation_key: Seeds permutation tests; revealed only after the answers.

    Raises:
        ValueError: Records of more than one device, or none.
    """
    ordered = chronological(records)
    owners = {(record.hotkey, record.device.name) for record in ordered}
    if len(owners) != 1:
        raise ValueError(f"need the records of exactly one device, got {sorted(owners)}")
    answered = [record for record in ordered if record.counts is not None]
    usable = [record for record in answered if _shape(record) != Shape.WRONG_WIDTH]
    shapes = [_shape(record) for record in answered if record.epoch == answered[-1].epoch]
    is_qpu = ordered[-1].device.device_class is DeviceClass.QPU
    known = [record for record in usable if _target(record)]
    fidelity, estimator = _fidelity(usable, reference, is_qpu=is_qpu)
    return Evidence(
        programs_asked=len(ordered),
        programs_answered=len(answered),
        shots_used=sum(record.shots_returned for record in answered),
        shapes={shape: shapes.count(shape) for shape in Shape},
        fidelity=fidelity,
        estimator=estimator,
        accusations=_accusations(usable, reference, is_qpu=is_qpu),
        reversed_bits=reversed_evidence([_known_counts(record) for record in known]).log10_e,
        permuted_bits=_permuted(known),
        hardware=_hardware(known, permutation_key) if is_qpu else {},
        qubit_shots=_qubit_shots(usable, epoch=ordered[-1].epoch),
    )


def _table(record: Record) -> Mapping[str, int]:
    return record.counts.table if record.counts else {}


def _target(record: Record) -> str:
    """Give the known answer of a test; '' where there is none."""
    case = record.case
    return case.answer.bits if case and isinstance(case.answer, KnownAnswer) else ""


def _shape(record: Record) -> Shape:
    return shape_of(_table(record), width=record.program.num_bits, shots_asked=record.shots_asked)


def _known_counts(record: Record) -> KnownCounts:
    return KnownCounts(_target(record), _table(record))


def _of(records: Sequence[Record], family: str) -> list[Record]:
    return [record for record in records if record.case and record.case.family == family]


def _fidelity(
    records: Sequence[Record], reference: Reference, *, is_qpu: bool
) -> tuple[Interval, str]:
    if is_qpu:
        mirrors = [_mirror(record) for record in _of(records, "mirror")]
        return mirror_polarization(mirrors), _mean_over_widths(mirrors)
    circuits = [_xeb(record, reference) for record in _simulated(records)]
    exactness = likelihood_xeb(circuits) if circuits else NO_SHOTS
    return exactness, "XEB fidelity"


def _mean_over_widths(mirrors: Sequence[MirrorAnswer]) -> str:
    """Say what is averaged: all circuits alike, whatever their width."""
    widths = [str(width) for width in sorted({mirror.width for mirror in mirrors})]
    if not widths:
        return "mirror polarization"
    return f"mirror polarization (mean over circuits of {', '.join(widths)} qubits)"


def _mirror(record: Record) -> MirrorAnswer:
    return mirror_answer(_table(record), target=_target(record))


def _simulated(records: Sequence[Record]) -> list[Record]:
    return [
        record
        for record in records
        if record.case and isinstance(record.case.answer, SimulatedAnswer)
    ]


def _xeb(record: Record, reference: Reference) -> XebCircuit:
    return xeb_circuit(_table(record), ideal=reference.probabilities(record.program))


def _accusations(
    records: Sequence[Record], reference: Reference, *, is_qpu: bool
) -> dict[Accusation, float]:
    below = [e for record in records if (e := _below_claim(record)) is not None]
    probes = _of(records, "readout") if is_qpu else []
    return {
        Accusation.BELOW_CLAIM: _peak(below),
        Accusation.TOO_GOOD: _peak(_too_good(record) for record in probes),
        Accusation.REPLAYED: _peak(_replays(records, is_qpu=is_qpu)),
        Accusation.SCALED: _hedged_fold(lambda r: scaled(_table(r)), records),
        Accusation.ROUNDED: _hedged_fold(
            lambda r: rounded(_table(r), law=_law(r, reference)),
            [r for r in _simulated(records) if r.program.num_bits <= _WIDEST_LAW],
        ),
    }


def _hedged_fold(test: Callable[[Record], float], records: Iterable[Record]) -> float:
    return _peak(hedged(test(record)) for record in records)


def _peak(factors: Iterable[float]) -> float:
    """Fold e-values along time and give the highest point, log10.

    An accusation holds from the first time that the evidence crosses its threshold (Ville's
    inequality bounds the supremum), so later luck does not take it back.
    """
    state, highest = StartMixture(), 0.0
    for factor in factors:
        state = state.after(factor)
        highest = max(highest, state.log10_e)
    return highest


def _below_claim(record: Record) -> float | None:
    """Bet one known-answer circuit against its floor; None where it may not accuse.

    The bits are read forwards and backwards and the lesser e-value counts (at most either, so it
    is one): reversed bits are a mistake, and must not accuse once the device has mended it.
    """
    case, target = record.case, _target(record)
    if case is None or not target:
        return None
    measure = Measure.POLARIZATION if case.family == "mirror" else Measure.HITS
    floor = accusation_floor(claim_for(case, record.device, measure=measure), width=case.width)
    if floor is None:
        return None
    stake = best_stake(floor, alternative=floor / 2)
    table, bets = _table(record), []
    for answer in (target, target[::-1]):
        if measure is Measure.HITS:
            hits, shots = table.get(answer, 0), record.shots_returned
            bets.append(hit_wealth(hits, shots=shots, floor=floor, stake=stake))
        else:
            distances = mirror_answer(table, target=answer).histogram
            bets.append(polarization_wealth(distances, floor=floor, stake=stake))
    return capped(min(bets))


def _too_good(record: Record) -> float:
    sheet, case = record.device.errors, record.case
    errors = [sheet.readout[qubit] for qubit in case.qubits] if sheet and case else []
    ceiling = readout_ceiling(errors, target=_target(record))
    hits = _table(record).get(_target(record), 0)
    return too_good(hits, shots=record.shots_returned, ceiling=ceiling)


def _replays(records: Sequence[Record], *, is_qpu: bool) -> list[float]:
    """Compare each answer with the earlier ones that it must differ from.

    A machine never repeats itself, so a `qpu` is compared job by job, equal programs included: a
    recording of the fixed probes is a replay. A simulator with a fixed seed repeats itself
    honestly on the same program, and on programs of one law, which a user could send; so of a
    simulator only tests are compared, and only those of different programs.
    """
    compared = [record for record in records if is_qpu or record.case]
    return replay_factors(
        (f"{r.job_key}/{r.index}" if is_qpu else r.program.digest, r.program.num_bits, _table(r))
        for r in compared
    )


def _law(record: Record, reference: Reference) -> dict[str, float]:
    values = reference.probabilities(record.program)
    return {format(i, f"0{record.program.num_bits}b"): float(p) for i, p in enumerate(values)}


def _permuted(known: Sequence[Record]) -> float:
    """Look for one fixed re-ordering on the probes, which share qubits and width."""
    jobs = [_known_counts(record) for record in _of(known, "readout")]
    return permuted(jobs)[0].log10_e


def _hardware(known: Sequence[Record], key: bytes) -> Mapping[SimulatorClass, float]:
    return hardware_evidence([_known_shots(r) for r in known], draws=Draws(key, "permutations"))


def _known_shots(record: Record) -> KnownShots:
    case = record.case
    return known_shots(
        _table(record),
        target=_target(record),
        qubits=case.qubits if case else (),
        kind=AnswerKind.MIRROR if case and case.family == "mirror" else AnswerKind.READOUT,
        label=f"{record.job_key}/{record.index}",
    )


def _qubit_shots(records: Sequence[Record], *, epoch: int) -> int:
    """Count the capacity shown in the newest epoch, in which all devices were tested at once."""
    return capacity(
        Work(
            program=record.program.digest,
            width=record.case.width,
            shots_returned=min(record.shots_returned, record.shots_asked),
            in_time=True,
        )
        for record in records
        if record.case and record.epoch == epoch
    )
