"""A device that is measured: asked one circuit a job, its failures and shots counted.

Assumes that a device which answers none of its first circuits will answer none of the rest.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from providers.base import Job
from qsubnet.errors import JobFailed
from qsubnet.judging.live import Pause, Watch, answer_of
from validator.plan import case_key

if TYPE_CHECKING:
    from circuits.program import Program
    from providers.base import Device, Provider

Answer = Mapping[str, int]
"""{bitstring: shots}, classical bit 0 rightmost, at least one shot, as wide as was asked."""

PATIENCE: Final = 5
_STEP: Final = 25


@dataclass(slots=True)
class Subject:
    """One device under measurement.

    Attributes:
        provider: Runs it.
        device: Its claim.
        secret: What circuits and job keys are drawn from.
        shots: Of every circuit.
        watch: Told what happens.
        pause: Waits between two looks at a job.
        asked: Circuits so far.
        answered: Those that came back as wide as asked and with a shot.
        shots_used: Shots of those.
        failures: Number of the others by what went wrong.
    """

    provider: Provider
    device: Device
    secret: bytes = field(repr=False)
    shots: int
    watch: Watch = lambda _: None
    pause: Pause = asyncio.sleep
    asked: int = 0
    answered: int = 0
    shots_used: int = 0
    failures: dict[str, int] = field(default_factory=dict)

    def key(self, *path: str | int) -> bytes:
        """Derive the key of a case."""
        return case_key(self.secret, "case", self.device.name, *path)

    async def answers(self, programs: Sequence[Program], *, what: str) -> list[Answer | None]:
        """Run programs one after another.

        Args:
            programs: Native to the device.
            what: Their name in progress.

        Returns:
            In their order; None for each that failed.

        Raises:
            JobFailed: The first `PATIENCE` circuits of all failed, or all of fewer did.
        """
        self.watch(f"{what} on {self.device.name!r}: {len(programs)} circuits")
        found = []
        for place, program in enumerate(programs, start=1):
            found.append(await self._answer(program, what))
            last = place == len(programs)
            if not self.answered and (last or self.asked >= PATIENCE):
                raise JobFailed(
                    f"device {self.device.name!r} answered none of its first {self.asked} "
                    f"circuits: {next(iter(self.failures))}"
                )
            if not place % _STEP and not last:
                self.watch(f"{what} on {self.device.name!r}: {place} of {len(programs)}")
        return found

    async def _answer(self, program: Program, what: str) -> Answer | None:
        job_key = case_key(self.secret, "job", self.device.name, self.asked).hex()
        job = Job(job_key, self.device.name, (program,), self.shots)
        self.asked += 1
        counts, _, failure = await answer_of(self.provider, job, self.pause)
        if counts is not None and counts.num_bits != program.num_bits:
            failure = f"bitstrings of {counts.num_bits} bits, asked were {program.num_bits}"
        elif counts is not None and not counts.shots:
            failure = "an answer without a shot"
        if counts is None or failure:
            self.failures[failure] = self.failures.get(failure, 0) + 1
            self.watch(f"{what} on {self.device.name!r}: {failure}")
            return None
        self.answered += 1
        self.shots_used += counts.shots
        return counts.table
