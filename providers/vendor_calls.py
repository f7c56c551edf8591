"""Calls to a vendor's half: only our own errors come back from it, and answers that fit the task.

What an SDK raises may quote the request that failed, credentials too; so an error that is not ours
is told by its kind and its place alone.
"""

from __future__ import annotations

import traceback
from collections.abc import Awaitable
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from providers.errors import AdapterFault, ProviderError, Rejected, RetryLater, UnknownHandle

if TYPE_CHECKING:
    from providers.vendor import Task, TaskResult

_T = TypeVar("_T")


async def asked(vendor: str, answer: Awaitable[_T]) -> _T:
    """Let only our own errors through, without their causes.

    Args:
        vendor: The adapter's name, for the message.
        answer: A call of one of its methods.

    Raises:
        AdapterFault: It raised anything else, which is the adapter's mistake.
    """
    try:
        return await answer
    except ProviderError as error:
        raise error from None
    except Exception as error:  # noqa: BLE001 - border, named below
        kind, place = type(error).__name__, _place(error)
    raise AdapterFault(f"{vendor} raised {kind} at {place}")


async def asked_again(vendor: str, answer: Awaitable[_T]) -> _T:
    """Ask about what is at the vendor already: a refusal to tell is not the end of it.

    Raises:
        RetryLater: The vendor refuses to answer; what ran stays there.
    """
    try:
        return await asked(vendor, answer)
    except UnknownHandle:
        raise
    except Rejected as error:
        raise RetryLater(str(error)) from None


def checked(vendor: str, task: Task, result: TaskResult) -> TaskResult:
    """Give back a result that fits what was sent.

    Raises:
        AdapterFault: It has other programs, widths or more shots than the task.
    """
    if len(result.programs) != len(task.programs):
        raise AdapterFault(
            f"{vendor} gave {len(result.programs)} results for {len(task.programs)} programs"
        )
    for index, (program, given) in enumerate(zip(task.programs, result.programs, strict=True)):
        if given.counts.num_bits != program.num_bits or given.counts.shots > task.shots:
            raise AdapterFault(
                f"{vendor} gave {given.counts.shots} shots of {given.counts.num_bits} bits for "
                f"program {index}, which has {program.num_bits} bits and {task.shots} shots"
            )
    return result


def _place(error: Exception) -> str:
    """Where an error was raised: file and line, nothing of what was there."""
    *_, last = traceback.walk_tb(error.__traceback__)
    return f"{Path(last[0].f_code.co_filename).name}:{last[1]}"
