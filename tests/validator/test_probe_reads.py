"""Probes as rates: which records are probes, and what a pair's wrong shots are."""

from __future__ import annotations

from dataclasses import replace

from circuits.case import Case, KnownAnswer
from circuits.counts import Counts
from circuits.families import family
from circuits.repeated_gates import RepeatedGates
from circuits.topology import Topology
from providers.base import Device, DeviceClass, ErrorRates, ResultKind
from validator.answers import AnswerKind, KnownShots, known_shots
from validator.folding import Folding
from validator.probe_reads import is_probe, probe_answer, probe_reads
from validator.record import Record
from validator.references.reference import Reference, best_engine

LINE = Topology(4, ((0, 1), (1, 2), (2, 3)), ("cz", "rz", "sx", "x"))
QPU = Device("q", DeviceClass.QPU, LINE, ErrorRates((0.0,) * 4, (0.0,) * 3, (0.0,) * 4), "test")


def record(case: Case, table: dict[str, int], *, key: str = "a") -> Record:
    counts = Counts(len(next(iter(table))), table) if table else None
    return Record(
        hotkey="hk",
        device=QPU,
        epoch=1,
        job_key=key,
        index=0,
        program=case.program,
        shots_asked=100,
        counts=counts,
        kind=ResultKind.COUNTS,
        case=case,
        receipt_digest="",
    )


def rows() -> Case:
    """Two pairs, (0, 1) and (2, 3), with 1 on the first: the first seed that gives them."""
    for k in range(99):
        case = RepeatedGates().generate(b"%d" % k, width=4, depth=8, topology=LINE)
        asymmetric = isinstance(case.answer, KnownAnswer) and case.answer.bits == "0011"
        if case.program.two_qubit_gates == 16 and asymmetric:
            return case
    raise AssertionError("no seed gives two pairs")


def known(asked: Record) -> KnownShots:
    case = asked.case
    return known_shots(
        asked.counts.table if asked.counts else {},
        target=case.answer.bits,  # type: ignore[union-attr]
        qubits=case.qubits,  # type: ignore[union-attr]
        kind=AnswerKind.READOUT,
        label=f"{asked.job_key}/{asked.index}",
    )


def flipped(bits: str, *wrong: int) -> str:
    """Turn over some bits; bit 0 is the rightmost."""
    return "".join(
        ("1" if bit == "0" else "0") if len(bits) - 1 - place in wrong else bit
        for place, bit in enumerate(bits)
    )


def test_a_pair_is_wrong_once_when_either_or_both_of_its_bits_are() -> None:
    case = rows()
    bits = case.answer.bits  # type: ignore[union-attr]
    table = {bits: 90, flipped(bits, 0): 5, flipped(bits, 2, 3): 3, flipped(bits, 1, 3): 2}
    (read,) = probe_reads([record(case, table)])
    assert read.qubits == (4, 5)  # the elements after the device's four qubits
    assert read.wrong == (7, 5)
    assert (read.target, read.shots) == ((0, 0), 100)


def test_a_static_law_is_asked_about_pairs_of_a_row_and_strings_of_a_readout() -> None:
    case = rows()
    bits = case.answer.bits  # type: ignore[union-attr]
    table = {bits: 90, flipped(bits, 0): 4, flipped(bits, 0, 1): 1, flipped(bits, 3): 3}
    table[flipped(bits, 1, 3)] = 2
    asked = record(case, table)
    answer = probe_answer(asked, known(asked))
    assert answer.counts == {"00": 90, "01": 5, "10": 3, "11": 2}
    assert (answer.label, answer.probe) == ("a/0", case.program.digest)
    read = family("readout").generate(b"key", width=4, depth=0, topology=LINE)
    asked = record(read, {"0111": 7, "1000": 2})
    assert probe_answer(asked, known(asked)).counts == {"0111": 7, "1000": 2}


def test_qubits_that_no_gate_touches_follow_the_pairs() -> None:
    line = Topology(5, ((0, 1), (1, 2), (2, 3), (3, 4)), ("cz", "rz", "sx", "x"))
    case = RepeatedGates().generate(b"key", width=5, depth=8, topology=line)
    pairs = sorted({op.qubits for op in case.program.operations if op.name == "cz"})
    (idle,) = set(range(5)) - {qubit for pair in pairs for qubit in pair}
    bits = case.answer.bits  # type: ignore[union-attr]
    first, second = (pair[0] for pair in pairs)
    table = {bits: 90, flipped(bits, first): 4, flipped(bits, second, idle): 1}
    table[flipped(bits, idle)] = 5
    errors = ErrorRates((0.0,) * 5, (0.0,) * 4, (0.0,) * 5)
    asked = replace(record(case, table), device=replace(QPU, topology=line, errors=errors))
    gates, left = probe_reads([asked])
    assert (gates.qubits, gates.wrong) == ((5, 6), (4, 1))
    assert (left.qubits, left.target, left.wrong) == ((7,), (1,), (6,))
    assert gates.probe != left.probe, "what moves all gates at once does not move idle qubits"
    assert probe_answer(asked, known(asked)).counts == {"000": 90, "001": 4, "110": 1, "100": 5}


def test_a_readout_probe_is_read_qubit_by_qubit() -> None:
    case = family("readout").generate(b"key", width=4, depth=0, topology=LINE)
    bits = case.answer.bits  # type: ignore[union-attr]
    (read,) = probe_reads([record(case, {bits: 95, flipped(bits, 1): 5})])
    assert read.qubits == (0, 1, 2, 3)
    assert read.wrong == (0, 5, 0, 0)


def test_other_tests_missing_answers_wrong_widths_and_second_copies_are_left_out() -> None:
    mirror = family("mirror").generate(b"key", width=4, depth=2, topology=LINE)
    assert not is_probe(record(mirror, {"0000": 1}))
    case = rows()
    bits = case.answer.bits  # type: ignore[union-attr]
    kept = record(case, {bits: 100})
    again = record(case, {flipped(bits, 0): 100}, key="b")
    missing, narrow = record(case, {}), record(case, {"01": 100})
    assert [r.wrong for r in probe_reads([missing, narrow, kept, again, record(mirror, {})])] == [
        (0, 0)
    ]


def test_rows_of_one_gate_speak_of_drift_and_of_nothing_else() -> None:
    case = rows()
    bits = case.answer.bits  # type: ignore[union-attr]
    folding = Folding(Reference(best_engine()), b"0123456789abcdef", is_qpu=True)
    # Answers that read as reversed bits would, which a coherent error of a gate can bring about.
    folding.add_epoch([record(case, {bits[::-1]: 100})])
    assert folding.hardware is not None
    assert set(folding.hardware.static.chunks) == {case.program.digest}
    assert folding.hardware.labels == frozenset()
    assert folding.reversed_bits.log10_e == 0.0
    assert folding.claims.highest == 0.0
