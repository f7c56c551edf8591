"""Do two devices agree? One secret circuit to both, compared by cross collision.

Where both have the same qubits, couplings and gates, the second gets the circuit with fresh random
Paulis and a secret mask on the bits; else it gets the circuit compiled to it. Up to 20 qubits the
circuit is simulated too, which tells each device's own XEB fidelity and so what to expect.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from circuits.case import SimulatedAnswer
from circuits.errors import FamilyError
from circuits.twins import Masked, Twins, masked
from qsubnet.errors import BadInput
from qsubnet.gateway.compiling import compile_for
from qsubnet.measuring.figure import CONFIDENCE, Figure, mean_of
from qsubnet.measuring.wish import widest
from validator.estimators.collision import cross_collision
from validator.estimators.twins import Agreement, compare_twins
from validator.estimators.xeb import XebCircuit, linear_xeb, xeb_circuit
from validator.interval import NO_SHOTS, Interval

if TYPE_CHECKING:
    from circuits.case import Case
    from providers.base import Json
    from qsubnet.measuring.subject import Answer, Subject
    from qsubnet.measuring.wish import Wish

TRAP: Final = (
    "Two devices that are wrong in the same way agree, and so does one that asks the other; noise "
    "that both share lies above the product of their fidelities."
)
XEB_TRAP: Final = (
    "An XEB fidelity is a fidelity only for white noise: local noise lies above it, and readout "
    "error is inside."
)
WIDE_TRAP: Final = (
    "Nobody simulated the circuit: it is the product of the two fidelities only for white noise "
    "and a circuit that scrambles."
)
USUAL_WIDTH: Final = 10
USUAL_DEPTH: Final = 12
SURE: Final = 1.0 - 1e-6
"""Level at which two answers are called odd or shared."""


@dataclass(frozen=True, slots=True)
class _Compared:
    """Two answers to one circuit; `xeb` of both and D sum p^2 - 1 where it was simulated."""

    cross: Interval
    agreement: Agreement
    shots: int
    excess: float | None = None
    xeb: tuple[XebCircuit, XebCircuit] | None = None


async def measure_twins(subject: Subject, wish: Wish) -> list[Figure]:
    """Measure circuits of 10 qubits and 12 cycles unless told."""
    second = wish.second
    if second is None:
        raise BadInput("twins need a second device: --second-provider")
    most = min(widest(subject.device), widest(second.device))
    width = wish.only_width(min(most, USUAL_WIDTH))
    depth = wish.only_depth(USUAL_DEPTH)
    cases = [
        Twins().generate(
            subject.key("twins", width, depth, index),
            width=width,
            depth=depth,
            topology=subject.device.topology,
        )
        for index in range(wish.circuits)
    ]
    others = [_other(case, subject, second, index) for index, case in enumerate(cases)]
    what = f"twins, {width} qubits, {depth} cycles"
    first_answers = await subject.answers([case.program for case in cases], what=what)
    second_answers = await second.answers([other.program for other in others], what=what)
    found = [
        _compare(case, a, other.undo(b), wish)
        for case, other, a, b in zip(cases, others, first_answers, second_answers, strict=True)
        if a is not None and b is not None
    ]
    names = (subject.device.name, second.device.name)
    return _figures(found, names, f"{width} qubits, {depth} cycles", width)


def _other(case: Case, first: Subject, second: Subject, index: int) -> Masked:
    """Write the circuit for the second device; its mask is zero where it has none."""
    plain = "0" * case.width
    if second.device.topology != first.device.topology:
        return Masked(compile_for(second.device, case.program), plain)
    try:
        return masked(case, second.key("twins", "mask", index), second.device.topology)
    except FamilyError:  # its two-qubit gate is no Clifford
        return Masked(case.program, plain)


def _compare(case: Case, a: Answer, b: Answer, wish: Wish) -> _Compared:
    cross = cross_collision(a, b, width=case.width, confidence=CONFIDENCE)
    shots = sum(a.values()) + sum(b.values())
    if not isinstance(case.answer, SimulatedAnswer):
        unknown = (NO_SHOTS, NO_SHOTS)
        word = compare_twins(a, b, width=case.width, fidelities=unknown, confidence=SURE).agreement
        return _Compared(cross, word, shots)
    ideal = wish.reference.probabilities(case.program)
    excess = len(ideal) * math.fsum((ideal * ideal).tolist()) - 1.0
    both = (xeb_circuit(a, ideal=ideal), xeb_circuit(b, ideal=ideal))
    fidelities = (
        linear_xeb([both[0]], confidence=SURE),
        linear_xeb([both[1]], confidence=SURE),
    )
    word = compare_twins(
        a, b, width=case.width, fidelities=fidelities, excess=excess, confidence=SURE
    ).agreement
    return _Compared(cross, word, shots, excess, both)


def _figures(found: list[_Compared], names: tuple[str, str], of: str, width: int) -> list[Figure]:
    words = [one.agreement.value for one in found]
    told: list[Json] = list(words)
    spread = ", ".join(f"{words.count(word)} {word}" for word in sorted(set(words)))
    note = f"circuit by circuit: {spread}" if words else "no circuit that both answered"
    about: dict[str, Json] = {"width": width, "agreement": told}
    shots = sum(one.shots for one in found)
    scaled = [
        one.cross.affine(scale=1.0 / one.excess) for one in found if one.excess is not None
    ] or [one.cross for one in found]
    simulated = [one.xeb for one in found if one.xeb is not None]
    trap = TRAP if simulated else WIDE_TRAP
    bounds = mean_of(scaled) if scaled else None
    figures = [
        Figure("agreement (cross collision)", of, bounds, len(found), shots, trap, note, about)
    ]
    for place, name in enumerate(names if simulated else ()):
        own = [both[place] for both in simulated]
        figures.append(
            Figure(
                f"XEB fidelity of the {('first', 'second')[place]} device",
                name,
                linear_xeb(own, confidence=CONFIDENCE),
                len(own),
                sum(circuit.shots for circuit in own),
                XEB_TRAP,
                about={"width": width, "device": name},
            )
        )
    return figures
