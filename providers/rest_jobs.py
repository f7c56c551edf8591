"""Jobs at vendors that are spoken to over REST: their ids, their programs, and whether they exist.

A POST that may have started work leaves a doubt behind wherever its answer cannot be read, and so
does a look through the vendor's list that did not reach the list's end. Both are `OutcomeUnknown`:
the work is looked up again before another request that costs money.
"""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from providers.errors import OutcomeUnknown, ProviderError, UnknownHandle
from providers.rest import text

if TYPE_CHECKING:
    from collections.abc import Iterator

    from circuits.program import Program
    from providers.rest import Answer
    from providers.vendor import Task

_LONGEST = 128


@contextmanager
def in_doubt(vendor: str) -> Iterator[None]:
    """Whatever fails in here leaves it open whether the vendor has the job.

    Raises:
        OutcomeUnknown: For every error of ours, with its words.

    Example:
        >>> with in_doubt("ionq"):
        ...     path_step("", vendor="ionq")
        Traceback (most recent call last):
        ...
        providers.errors.OutcomeUnknown: whether ionq has the job is unknown: ionq has no job ''
    """
    try:
        yield
    except OutcomeUnknown:
        raise
    except ProviderError as error:
        raise OutcomeUnknown(f"whether {vendor} has the job is unknown: {error}") from error


def created_id(answer: Answer, *, vendor: str) -> str:
    """Read the id in the answer to a request that has created a job.

    Raises:
        OutcomeUnknown: There is none to read, as where a proxy answered in the vendor's place.
    """
    with in_doubt(vendor):
        return path_step(text(answer.json(vendor), "id", vendor=vendor), vendor=vendor)


def beyond(vendor: str, *, lookup_jobs: int) -> OutcomeUnknown:
    """Say that a job may be older than those that were looked through.

    Example:
        >>> print(beyond("ionq", lookup_jobs=1000))
        ionq lists more jobs than the newest 1000, where ours is not: raise the option lookup_jobs
    """
    return OutcomeUnknown(
        f"{vendor} lists more jobs than the newest {lookup_jobs}, where ours is not: "
        "raise the option lookup_jobs"
    )


def path_step(job_id: str, *, vendor: str) -> str:
    """Take a job id that is one step of a path, and nothing else.

    Raises:
        UnknownHandle: It is none, so that the vendor cannot have such a job.

    Example:
        >>> path_step("0197379a-c3b8", vendor="ionq")
        '0197379a-c3b8'
    """
    plain = job_id.replace("-", "").replace("_", "")
    if not plain.isascii() or not plain.isalnum() or len(job_id) > _LONGEST:
        raise UnknownHandle(f"{vendor} has no job {job_id[:80]!r}")
    return job_id


def placed(task: Task) -> Program:
    """The task's one program on the qubits that the vendor is told: ours, unless they are free."""
    (program,) = task.programs
    return program if task.verbatim else program.compacted()[0]
