"""Quantum volume: width by width until one fails, by the published rule.

Assumes the device runs the circuits as they are: they are drawn in its own gates on its couplings.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from circuits.brickwork import MAX_WIDTH
from circuits.volume import Volume
from qsubnet.errors import BadInput
from qsubnet.measuring.figure import CONFIDENCE, Figure
from qsubnet.measuring.wish import widest
from validator.estimators.heavy_output import VolumeTest, heavy_circuit, quantum_volume, volume_test
from validator.interval import Interval

if TYPE_CHECKING:
    from circuits.case import Case
    from qsubnet.measuring.subject import Answer, Subject
    from qsubnet.measuring.wish import Wish
    from validator.estimators.heavy_list import HitCircuit

TRAP: Final = (
    "A lower bound: the circuits are routed simply on random connected sets of qubits, so a "
    "better compiler on better qubits reaches more, and every simulator of so many qubits passes."
)
HEAVY_TRAP: Final = (
    "Heavy outputs are a pass mark at 2/3 and not a fidelity; an ideal device has about .85, and "
    "one that flips coins .5."
)
FIDELITY_TRAP: Final = "It is a fidelity for white noise only; local noise lies above it."
_AT_ONCE: Final = 1 << 22  # probabilities that are held


async def measure_volume(subject: Subject, wish: Wish) -> list[Figure]:
    """Measure the widths in order, 2 and up unless told, until one fails."""
    most = min(widest(subject.device), MAX_WIDTH)
    if wish.widths and wish.widths[-1] > most:
        raise BadInput(f"quantum volume is measured up to {most} qubits, got {wish.widths[-1]}")
    tests: list[VolumeTest] = []
    figures: list[Figure] = []
    for width in wish.widths or range(2, most + 1):
        circuits = await _circuits(subject, wish, width)
        tests.append(volume_test(circuits, width=width, confidence=CONFIDENCE))
        figures += _figures(tests[-1], circuits)
        subject.watch(f"volume, {width} qubits: {tests[-1].reason}")
        if not tests[-1].passed:
            break
    return [_volume(tests, figures), *figures]


async def _circuits(subject: Subject, wish: Wish, width: int) -> list[HitCircuit]:
    cases = [
        Volume().generate(
            subject.key("volume", width, index),
            width=width,
            depth=width,
            topology=subject.device.topology,
        )
        for index in range(wish.circuits)
    ]
    what = f"volume, {width} qubits"
    answers = await subject.answers([case.program for case in cases], what=what)
    pairs = [(case, a) for case, a in zip(cases, answers, strict=True) if a is not None]
    step = max(1, _AT_ONCE >> width)
    found: list[HitCircuit] = []
    for start in range(0, len(pairs), step):
        found += _hits(pairs[start : start + step], wish)
    return found


def _hits(pairs: list[tuple[Case, Answer]], wish: Wish) -> list[HitCircuit]:
    laws = wish.reference.probabilities_of([case.program for case, _ in pairs])
    return [heavy_circuit(answer, ideal=law) for (_, answer), law in zip(pairs, laws, strict=True)]


def _figures(test: VolumeTest, circuits: list[HitCircuit]) -> list[Figure]:
    shots = sum(circuit.shots for circuit in circuits)
    of, number = f"{test.width} qubits", len(circuits)
    word = {True: "passed", False: "failed", None: "not decided"}[test.passed]
    about = {"width": test.width, "passed": test.passed, "bound": test.bound}
    return [
        Figure(
            "heavy output probability",
            of,
            test.heavy,
            number,
            shots,
            HEAVY_TRAP,
            note=f"{word}: {test.reason}",
            about=about,
        ),
        Figure(
            "heavy output fidelity",
            of,
            test.fidelity,
            number,
            shots,
            FIDELITY_TRAP,
            about={"width": test.width},
        ),
    ]


def _volume(tests: list[VolumeTest], figures: list[Figure]) -> Figure:
    value = float(quantum_volume(tests))
    heavy = figures[::2]
    last = tests[-1]
    reason = f"{last.width} qubits passed and are the widest that was tried"
    if not last.passed:
        reason = f"{last.width} qubits did not pass"
    return Figure(
        name="quantum volume",
        of=f"widths {', '.join(str(test.width) for test in tests)}",
        bounds=Interval(value, value, float("inf")),
        circuits=sum(figure.circuits for figure in heavy),
        shots=sum(figure.shots for figure in heavy),
        trap=TRAP,
        note=reason,
        about={"widths": [test.width for test in tests]},
    )
