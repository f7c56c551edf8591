"""What an adapter of a remote backend writes: the vendor's half of the provider boundary.

`providers.remote.RemoteProvider` is the other half. It splits jobs into tasks, keeps the journal,
and never sends a task twice; a `Vendor` only speaks the vendor's language, and never retries.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol, runtime_checkable

from providers.base import JobState

if TYPE_CHECKING:
    from circuits.program import Program
    from providers.base import Cost, Device, Json, ProgramResult


@dataclass(frozen=True, slots=True)
class Task:
    """The part of a job that the vendor takes at once.

    Attributes:
        token: 64 hex digits from the job's key and the part's index (`token_of`): the vendor's
            idempotency token, or a tag to find the task by.
        device: A device name of this provider.
        programs: 1 .. `Vendor.programs_per_task`.
        shots: Per program, at least 1.
        verbatim: q[j] is device qubit j; do not re-route or optimise.
        memory: Keep the shots in order, where the backend has them.
    """

    token: str
    device: str
    programs: tuple[Program, ...]
    shots: int
    verbatim: bool
    memory: bool


@dataclass(frozen=True, slots=True)
class Standing:
    """Where a task stands, and the vendor's own words on a failure."""

    state: JobState
    detail: str = ""


@dataclass(frozen=True, slots=True)
class TaskResult:
    """What a task gave: a result for each program in order, and the vendor's record, whole."""

    programs: tuple[ProgramResult, ...]
    record: Mapping[str, Json]


class Vendor(Protocol):
    """One vendor's service. All methods raise `ProviderError` only, and none retries by itself.

    RetryLater is for what certainly started nothing; whatever may have arrived is OutcomeUnknown.
    """

    @property
    def name(self) -> str:
        """The adapter's name in the table."""
        ...

    @property
    def programs_per_task(self) -> int:
        """Most programs that the vendor takes at once, at least 1."""
        ...

    async def devices(self) -> tuple[Device, ...]:
        """Describe every device on offer, as of now."""
        ...

    def admit(self, device: Device, program: Program) -> None:
        """Raise Rejected where the vendor cannot run a program that fits the device."""
        ...

    async def send(self, task: Task) -> str:
        """Start `task` and return the vendor's id of it, which has no comma.

        Raises:
            Rejected: The vendor refuses it (400, 401, 403 ...): nothing was started.
            RetryLater: Certainly nothing was started: 429, 503 before acceptance, no connection.
            OutcomeUnknown: A timeout or a cut after the request went out.
        """
        ...

    async def lookup(self, task: Task) -> str | None:
        """Find the task's id by its token; None where the vendor never saw it."""
        ...

    async def standing(self, task: Task, task_id: str) -> Standing:
        """Tell where the task stands.

        Raises:
            UnknownHandle: The vendor does not know the id.
        """
        ...

    async def fetch(self, task: Task, task_id: str) -> TaskResult:
        """Fetch the results; only called once the task is completed.

        Raises:
            JobFailed: There are none after all; the message is the vendor's.
        """
        ...

    async def stop(self, task: Task, task_id: str) -> None:
        """Ask the vendor to stop the task; no error where it has ended already."""
        ...

    async def calibration(self, device: str) -> Mapping[str, Json]:
        """Give the vendor's record of a device as published, with its time under its own name."""
        ...

    async def cost(self, task: Task) -> Cost | None:
        """Tell what the vendor asks for the task; None where it does not say."""
        ...


@runtime_checkable
class Withdrawing(Protocol):
    """A provider that can also stop a job that has no handle, or none yet."""

    async def withdraw(self, key: str) -> None:
        """End the job of this key wherever it stands; nothing more of it is sent.

        Returns:
            Nothing, at once where no job has this key or where it has completed.

        Raises:
            RetryLater: The job has ended here, but some of it may still run at the backend: the
                same call tries again.
        """
        ...


def token_of(key: str, index: int) -> str:
    """The token of the task that is part `index` (0-based) of the job called `key`.

    Example:
        >>> token_of("0" * 64, 1)[:16]
        '0014ab94578f46aa'
    """
    return hashlib.sha256(f"{key}:{index}".encode()).hexdigest()
