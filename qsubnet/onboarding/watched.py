"""A provider that is watched: whatever is asked of it passes through, and its answers are kept.

The contract suite and the battery judge; this keeps what they saw, so that a finding can say
exactly what came back. Assumes one check at a time; nothing is ever forgotten.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from circuits.counts import Counts
    from circuits.program import Program
    from providers.base import (
        Device,
        Handle,
        Job,
        JobResult,
        JobState,
        Json,
        Provider,
        Quote,
        ResultKind,
    )

Tell = Callable[["Job"], None]


@dataclass(frozen=True, slots=True)
class Answered:
    """One program and what came back for it."""

    program: Program
    shots_asked: int
    counts: Counts
    kind: ResultKind
    processing: tuple[str, ...]


class Watched:
    """The whole Provider protocol around another provider.

    Args:
        provider: Does everything.
        tell: Hears of every job that the provider took, once a key.
    """

    def __init__(self, provider: Provider, *, tell: Tell = lambda _job: None) -> None:
        self._provider = provider
        self._tell = tell
        self._taken: dict[str, Job] = {}
        self._results: dict[str, JobResult] = {}

    @property
    def name(self) -> str:
        """The adapter's name in the table."""
        return self._provider.name

    @property
    def taken(self) -> tuple[Job, ...]:
        """Every job that the provider took, in order."""
        return tuple(self._taken.values())

    @property
    def answered(self) -> tuple[Answered, ...]:
        """Every program that came back, in the order of its job's submission.

        A result with another number of programs than were asked for is left out.
        """
        found = []
        for key, job in self._taken.items():
            result = self._results.get(key)
            if result is None or len(result.programs) != len(job.programs):
                continue
            for program, one in zip(job.programs, result.programs, strict=True):
                found.append(Answered(program, job.shots, one.counts, one.kind, one.processing))
        return tuple(found)

    async def devices(self) -> tuple[Device, ...]:
        """Describe every device on offer."""
        return await self._provider.devices()

    async def submit(self, job: Job) -> Handle:
        """Start a job, and remember it once it was taken."""
        handle = await self._provider.submit(job)
        if job.key not in self._taken:
            self._taken[job.key] = job
            self._tell(job)
        return handle

    async def find(self, key: str) -> Handle | None:
        """Look a job up by its key."""
        return await self._provider.find(key)

    async def state(self, handle: Handle) -> JobState:
        """Tell where the job stands."""
        return await self._provider.state(handle)

    async def result(self, handle: Handle) -> JobResult:
        """Fetch a result, and remember it."""
        result = await self._provider.result(handle)
        self._results[handle.key] = result
        return result

    async def cancel(self, handle: Handle) -> None:
        """Ask the backend to stop the job."""
        await self._provider.cancel(handle)

    async def calibration(self, device: str) -> Mapping[str, Json]:
        """Give the backend's own calibration record."""
        return await self._provider.calibration(device)

    async def quote(self, job: Job) -> Quote:
        """Tell what a job would cost."""
        return await self._provider.quote(job)
