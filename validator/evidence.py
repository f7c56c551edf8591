"""Evidence: all e-values and intervals of one device, a pure function of its records.

Records without a case (users' jobs) count for integrity only; records without an answer count as
missing, never as wrong. Evidence is of the device's whole record, but for its shapes and its
capacity, which are the newest epoch's: who mends a wrong width is no longer called by it.
The bets themselves are in `validator.folding`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import TYPE_CHECKING

from circuits.case import KnownAnswer
from circuits.layout import largest_part
from providers.base import DeviceClass
from validator.estimators.correctness import LayerCircuit
from validator.estimators.layers import layer_error
from validator.estimators.mirror import MirrorAnswer, mirror_polarization
from validator.estimators.xeb import likelihood_xeb
from validator.folding import Folding
from validator.hardware import SimulatorClass
from validator.interval import NO_SHOTS, Interval, over_circuits
from validator.record import Record, chronological
from validator.simulators.against_blend import FEWEST_SHOTS, NARROWEST

if TYPE_CHECKING:
    from validator.mistakes import Shape
    from validator.references.reference import Reference
    from validator.sequential import Accusation

__all__ = ["Evidence", "evidence", "evidence_by_epoch", "evidence_of"]


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
        user_like: Polarization of traps made of circuits like users' own; class qpu.
        margins: By family of circuits like what users send, the mean of fidelity minus half of
            the claim's cube (class qpu).
        unread: Qubits that the newest readout probes do not show to read out (class qpu).
        layer_error: Error of one full-width layer in process units, model-based, from the newest
            wide mirrors of two depths; None where it is not measurable or was not asked for.
        accusations: log10 e-value of each test that may accuse, at its highest point so far.
        reversed_bits: log10 e-value that the bits come reversed.
        permuted_bits: log10 e-value that the bits come in another fixed order.
        hardware: log10 e-value against each class of simulator; empty for simulators, and no
            entry for the twin with made-up drift before there is a trusted run.
        served: By family of the newest epoch, programs with whole answers and programs asked.
        qubit_shots: Capacity shown in the newest epoch, see `validator.score`.
    """

    programs_asked: int
    programs_answered: int
    shots_used: int
    shapes: Mapping[Shape, int]
    fidelity: Interval
    estimator: str
    user_like: Interval
    margins: Mapping[str, Interval]
    unread: tuple[int, ...]
    layer_error: Interval | None
    accusations: Mapping[Accusation, float]
    reversed_bits: float
    permuted_bits: float
    hardware: Mapping[SimulatorClass, float]
    served: Mapping[str, tuple[int, int]]
    qubit_shots: int


def evidence(
    records: Iterable[Record],
    *,
    reference: Reference,
    permutation_key: bytes,
    trusted: Iterable[Record] = (),
) -> Evidence:
    """Compute the evidence of one device.

    Args:
        records: All of one hotkey and device; any order.
        reference: Exact distributions for XEB.
        permutation_key: Seeds permutation tests; revealed only after the answers.
        trusted: Answers to the same readout probes in the same epochs by an independent, trusted
            run on the machine that the device claims to be.

    Raises:
        ValueError: Records of more than one device, or none.
    """
    *_, (_, folding) = _folded(
        records, reference=reference, permutation_key=permutation_key, trusted=trusted
    )
    return evidence_of(folding, layers=True)


def evidence_by_epoch(
    records: Iterable[Record],
    *,
    reference: Reference,
    permutation_key: bytes,
    trusted: Iterable[Record] = (),
) -> Iterator[tuple[int, Evidence]]:
    """Compute the evidence as it stood after each epoch, but for layer errors: how it grew.

    The same arguments and errors as `evidence`, which gives the last of these.
    """
    for epoch, folding in _folded(
        records, reference=reference, permutation_key=permutation_key, trusted=trusted
    ):
        yield epoch, evidence_of(folding)


def _folded(
    records: Iterable[Record],
    *,
    reference: Reference,
    permutation_key: bytes,
    trusted: Iterable[Record],
) -> Iterator[tuple[int, Folding]]:
    """Yield the one fold after each epoch; it goes on changing."""
    ordered = chronological(records)
    owners = {(record.hotkey, record.device.name) for record in ordered}
    if len(owners) != 1:
        raise ValueError(f"need the records of exactly one device, got {sorted(owners)}")
    is_qpu = ordered[-1].device.device_class is DeviceClass.QPU
    folding = Folding(reference, permutation_key, is_qpu)
    checks = list(trusted)
    for epoch, group in groupby(ordered, key=lambda record: record.epoch):
        folding.add_epoch(list(group), trusted=[r for r in checks if r.epoch == epoch])
        yield epoch, folding


def evidence_of(folding: Folding, *, layers: bool = False) -> Evidence:
    """Read the evidence out of a fold, which may go on; `layer_error` is slow, so only if asked."""
    fidelity, estimator = _fidelity(folding)
    return Evidence(
        programs_asked=folding.programs_asked,
        programs_answered=folding.programs_answered,
        shots_used=folding.shots_used,
        shapes=folding.shapes,
        fidelity=fidelity,
        estimator=estimator,
        user_like=mirror_polarization(list(folding.traps)),
        margins=_margins(folding),
        unread=folding.unread,
        layer_error=_layer_error(folding) if layers else None,
        accusations=folding.accusations,
        reversed_bits=folding.reversed_bits.log10_e,
        permuted_bits=folding.permuted_bits.log10_e,
        hardware=_hardware(folding),
        served=folding.served,
        qubit_shots=folding.qubit_shots,
    )


def _hardware(folding: Folding) -> dict[SimulatorClass, float]:
    """Give the evidence against each class; a device that cannot be asked has none on the blend.

    Of two qubits every law is nearly a blend, and few shots tell none.
    """
    if folding.hardware is None:
        return {}
    found, device = folding.hardware.log10_e, folding.device
    wide = device is not None and largest_part(device.topology) >= NARROWEST
    if not wide or device is None or device.max_shots < FEWEST_SHOTS:
        del found[SimulatorClass.BLEND]
    return found


def _margins(folding: Folding) -> dict[str, Interval]:
    """Bound the mean margin of each family; without circuits nothing is shown."""
    if not folding.is_qpu:
        return {}
    return {
        family: over_circuits(list(values), span=(-1.0, 1.0))
        for family, values in folding.margins.items()
    }


def _layer_error(folding: Folding) -> Interval | None:
    """Estimate from the newest wide mirrors of the newest width."""
    if not folding.wide:
        return None
    newest = folding.wide[-1]
    circuits = [
        LayerCircuit(
            program=record.program,
            target=record.case.answer.bits,
            counts=record.counts.table,
        )
        for record in folding.wide
        if record.case and record.counts and isinstance(record.case.answer, KnownAnswer)
        if record.program.num_bits == newest.program.num_bits
    ]
    found = layer_error(circuits, device=newest.device)
    return found.error if found else None


def _fidelity(folding: Folding) -> tuple[Interval, str]:
    if folding.is_qpu:
        mirrors = list(folding.mirrors)
        return mirror_polarization(mirrors), _mean_over_widths(mirrors)
    circuits = folding.random_circuits
    return likelihood_xeb(circuits) if circuits else NO_SHOTS, "XEB fidelity"


def _mean_over_widths(mirrors: Sequence[MirrorAnswer]) -> str:
    """Say what is averaged: all circuits alike, whatever their width."""
    widths = [str(width) for width in sorted({mirror.width for mirror in mirrors})]
    if not widths:
        return "mirror polarization"
    return f"mirror polarization (mean over circuits of {', '.join(widths)} qubits)"
