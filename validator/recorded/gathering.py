"""Read every recorded answer against the ideal law of its program, one program at a time.

Programs get their law in the order in which they appear, as long as the work allowed lasts; those
left over have no reference, like programs that no reference can follow. Nothing here depends on
time, so that the same records give the same answers however they are grouped.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from circuits.errors import ProgramError
from validator.recorded.laws import ideal_law, work
from validator.recorded.study import Answer, study

if TYPE_CHECKING:
    from validator.recorded.execution import Execution
    from validator.recorded.laws import IdealLaw
    from validator.references.reference import Reference

__all__ = ["MOST_WORK", "gathered"]

MOST_WORK = 1 << 38
"""Amplitudes times operations that one file may cost: about a quarter of an hour on one core."""

_SLOW = 1 << 30

Watch = Callable[[str], None]


def gathered(
    executions: Sequence[Execution],
    *,
    reference: Reference,
    most_work: int = MOST_WORK,
    watch: Watch = lambda _: None,
) -> list[Answer]:
    """Read all answers.

    Args:
        executions: In the order of time.
        reference: Makes the ideal laws.
        most_work: What they may cost in all.
        watch: Told before each program that takes long.

    Returns:
        One for each execution, in that order.
    """
    groups: dict[str, list[Execution]] = {}
    for execution in executions:
        groups.setdefault(execution.identity, []).append(execution)
    found: dict[int, Answer] = {}
    left = most_work
    for number, group in enumerate(groups.values(), 1):
        cost = work(group[0].program) if group[0].program else 0
        if cost >= _SLOW:
            watch(f"reference of program {number} of {len(groups)}")
        law = _law(group[0], reference) if cost <= left else None
        left -= cost if law else 0
        read = [Answer(execution) for execution in group] if law is None else study(law, group)
        found |= {answer.execution.place: answer for answer in read}
    return [found[execution.place] for execution in executions]


def _law(execution: Execution, reference: Reference) -> IdealLaw | None:
    """Make the law; None for a measurement or reset in the middle, and for what is too wide."""
    if execution.program is None:
        return None
    try:
        return ideal_law(execution.program, reference)
    except ProgramError:
        return None
