"""Layer infidelity by binary randomized benchmarking, for layers of so many qubits."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from circuits.binary_rb import BinaryRB
from circuits.case import ParityAnswer
from qsubnet.measuring.figure import CONFIDENCE, Figure
from qsubnet.measuring.ghz import right_parities
from qsubnet.measuring.lengths import decay_lengths
from qsubnet.measuring.wish import widest
from validator.estimators.binary_rb import BinaryRun, binary_rb

if TYPE_CHECKING:
    from qsubnet.measuring.subject import Subject
    from qsubnet.measuring.wish import Wish

TRAP: Final = (
    "It is a rate of decay, so a device that spoils short circuits looks better; the layers are "
    "Clifford, on random connected sets of qubits, and anyone can simulate them."
)
USUAL_WIDTH: Final = 8


async def measure_binary_rb(subject: Subject, wish: Wish) -> list[Figure]:
    """Measure the widths, or one of at most 8 qubits; depths are the lengths of the decay."""
    figures = []
    for width in wish.widths or (min(widest(subject.device), USUAL_WIDTH),):
        lengths = wish.depths or decay_lengths(subject.device, qubits=width, pairs=width // 2)
        runs = []
        for length in lengths:
            runs += await _runs(subject, wish.circuits, width, length)
        figures.append(_figure(runs, width, lengths))
    return figures


async def _runs(subject: Subject, circuits: int, width: int, length: int) -> list[BinaryRun]:
    cases = [
        BinaryRB().generate(
            subject.key("binary_rb", width, length, index),
            width=width,
            depth=length,
            topology=subject.device.topology,
        )
        for index in range(circuits)
    ]
    what = f"binary-rb, {width} qubits, length {length}"
    answers = await subject.answers([case.program for case in cases], what=what)
    return [
        BinaryRun(length, right_parities(answer, case.answer), sum(answer.values()))
        for case, answer in zip(cases, answers, strict=True)
        if answer is not None and isinstance(case.answer, ParityAnswer)
    ]


def _figure(runs: list[BinaryRun], width: int, lengths: tuple[int, ...]) -> Figure:
    found = binary_rb(runs, width=width, confidence=CONFIDENCE)
    return Figure(
        name="layer infidelity",
        of=f"{width} qubits, lengths {', '.join(map(str, lengths))}",
        bounds=None if found.reason else found.infidelity,
        circuits=len(runs),
        shots=sum(run.shots for run in runs),
        trap=TRAP,
        note=found.reason,
        about={"width": width, "lengths": list(lengths)},
    )
