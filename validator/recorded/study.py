"""What each answer to one program shows, before time orders it.

The ideal law of a program is made once, all its answers are read against it, and it is dropped:
only numbers per answer go on to the fold (`validator.recorded.evidence`), so that a file of wide
circuits costs one law of memory.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from validator.answers import AnswerKind, KnownShots, known_shots
from validator.estimators.xeb import XebCircuit
from validator.integrity import rounded
from validator.recorded.bets import WIDEST_LOOSE, Memory, law_table
from validator.recorded.claims import below_claim, is_probe, readout_too_good
from validator.recorded.classes import Likelihoods, likelihoods
from validator.recorded.fidelity import circuit_fidelity
from validator.recorded.laws import DenseLaw, project
from validator.recorded.order import Order, order_evidence, sources_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from validator.estimators.random_effects import Effect
    from validator.recorded.execution import Execution
    from validator.recorded.laws import IdealLaw

__all__ = ["Answer", "study"]

_WIDEST_ROUNDED = 12
_MOST_FLIPPED = 100_000
_LAW_DIGITS = 3


@dataclass(slots=True)
class Answer:
    """What one answer shows.

    Attributes:
        execution: The record.
        law: Names the ideal law, roughly: programs of one law may honestly answer alike. '' where
            there is none.
        certain: Whether the ideal answer is one string.
        fidelity: None where there is no law, or one that is too flat.
        fixed: The fixed bets, see `bets.LawTable`; None where the answer cannot be bet on.
        chances: Under each class; None with `fixed`.
        memory: For the bet on a program's own past.
        known: Its wrong bits, where the ideal answer is certain.
        xeb: For exactness.
        rounded: log10 e-value of `integrity.rounded`; None where it is not tested.
        orders: log10 e-value of each wrong order of bits; of a program's first answer only.
        below_claim: Of a program's first answer; None where it may not accuse.
        too_good: None where it is no readout probe.
    """

    execution: Execution
    law: str = ""
    certain: bool = False
    fidelity: Effect | None = None
    fixed: NDArray[np.float64] | None = None
    chances: Likelihoods | None = None
    memory: Memory | None = None
    known: KnownShots | None = None
    xeb: XebCircuit | None = None
    rounded: float | None = None
    orders: Mapping[Order, float] = field(default_factory=dict)
    below_claim: float | None = None
    too_good: float | None = None


def study(law: IdealLaw, executions: Sequence[Execution]) -> list[Answer]:
    """Read all answers to one program against its ideal law.

    Args:
        law: The ideal law.
        executions: Of one program, in the order of time.

    Returns:
        One for each execution, in that order.
    """
    answers = [
        Answer(execution, law=_named(law), certain=law.answer is not None)
        for execution in executions
    ]
    usable = [answer for answer in answers if answer.execution.fits]
    for answer in usable:
        execution = answer.execution
        answer.fidelity = circuit_fidelity(law, execution.counts, shots=execution.shots)
    counted = [answer for answer in usable if answer.execution.counted]
    _bet(law, [answer for answer in counted if _inside(law, answer.execution)])
    if counted:
        _accuse_once(law, counted[0])
    for answer in counted:
        _accuse(law, answer)
    return answers


def _named(law: IdealLaw) -> str:
    if law.answer is not None:
        return f"{law.bits} {law.answer}"
    assert isinstance(law, DenseLaw)  # noqa: S101 - the other form has an answer
    rough = np.round(law.values, _LAW_DIGITS)
    return f"{law.bits} {hashlib.sha256(rough.tobytes()).hexdigest()}"


def _inside(law: IdealLaw, execution: Execution) -> bool:
    """Tell whether every bit that nothing measures is 0, as on any device."""
    idle = [bit for bit in range(execution.num_bits) if bit not in law.bits]
    last = execution.num_bits - 1
    return all(key[last - bit] == "0" for key in execution.counts for bit in idle)


def _bet(law: IdealLaw, answers: Sequence[Answer]) -> None:
    """Tabulate the bets at all strings that were seen, then read each answer off."""
    tables = [_projected(law, answer.execution) for answer in answers]
    keys = sorted({key for table in tables for key in table})
    if not keys or law.width > 1000:
        return
    table = law_table(law, keys)
    again = len(answers) > 1 and law.width <= WIDEST_LOOSE
    for answer, seen in zip(answers, tables, strict=True):
        listed = sorted(seen)
        counts = np.array([seen[key] for key in listed], dtype=np.int64)
        rows = np.array([table.place[key] for key in listed], dtype=np.int64)
        answer.fixed = table.bets(rows, counts)
        answer.chances = likelihoods(law, listed, counts)
        if again:
            answer.memory = Memory(answer.execution.identity, table.base, rows, counts)
        ratios = 2.0**law.width * law.probabilities(listed)
        answer.xeb = XebCircuit(ratios, counts, law.excess)
        if law.answer is not None:
            answer.known = _known(law, answer.execution, seen)


def _projected(law: IdealLaw, execution: Execution) -> dict[str, int]:
    """Keep the measured bits alone."""
    return {project(key, law.bits): n for key, n in execution.table.items() if n}


def _known(law: IdealLaw, execution: Execution, seen: Mapping[str, int]) -> KnownShots | None:
    program, answer = execution.program, law.answer
    distinct = len(set(law.qubits)) == law.width
    if program is None or answer is None or not distinct or sum(seen.values()) > _MOST_FLIPPED:
        return None
    kind = AnswerKind.READOUT if is_probe(program) else AnswerKind.MIRROR
    return known_shots(
        seen, target=answer, qubits=law.qubits, kind=kind, label=str(execution.place)
    )


def _accuse_once(law: IdealLaw, answer: Answer) -> None:
    execution = answer.execution
    answer.orders = {
        order: order_evidence(
            law,
            execution.table,
            num_bits=execution.num_bits,
            sources=sources_of(order, num_bits=execution.num_bits, registers=execution.registers),
        )
        for order in Order
    }
    program, device = execution.program, execution.device
    if program is not None and device is not None and _inside(law, execution):
        answer.below_claim = below_claim(program, law, execution.table, device=device)


def _accuse(law: IdealLaw, answer: Answer) -> None:
    execution = answer.execution
    if execution.program is not None and execution.device is not None:
        answer.too_good = readout_too_good(
            execution.program, law, execution.table, device=execution.device
        )
    if isinstance(law, DenseLaw) and law.width <= _WIDEST_ROUNDED and _inside(law, execution):
        listed = {format(i, f"0{law.width}b"): float(p) for i, p in enumerate(law.values)}
        answer.rounded = rounded(_projected(law, execution), law=listed)
