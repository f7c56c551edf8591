"""The heavy steps of a submission, in threads and within bounds: reading programs, compiling them.

Both block, so they run in worker threads, a few at a time. Reading has its own limits (it happens
in a child process). A thread cannot be stopped: compiling that takes too long is given up by the
caller, while its place stays taken until it really ends.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Final, TypeVar

from circuits.errors import LimitError, ProgramError
from circuits.importing import ImportLimits, SourceFormat, import_program
from qsubnet.gateway.compiling import compile_for
from qsubnet.wire.domain import PROGRAM_LIMITS

if TYPE_CHECKING:
    from circuits.program import Program
    from providers.base import Device
    from qsubnet.wire.research import SubmitRequest

T = TypeVar("T")

PLACES: Final = 2
COMPILE_S: Final = 60.0
MAX_COMPILED_BYTES: Final = 12 * 2**20
"""All programs of a job together; a miner reads requests of 16 MiB."""

Read = Callable[[str, SourceFormat], "Program"]
Compile = Callable[["Device", "Program", int | None], "Program"]


def read_source(source: str, format: SourceFormat) -> Program:  # noqa: A002 - the word of the interface
    """Read one text in its fenced child."""
    return import_program(source, format=format, limits=ImportLimits(program=PROGRAM_LIMITS))


class Workshop:
    """Reads and compiles.

    Args:
        read: Reads one text; blocks.
        compiles: Compiles one program; blocks.
        compile_s: How long compiling one job may take, in seconds.
    """

    def __init__(
        self,
        *,
        read: Read = read_source,
        compiles: Compile = compile_for,
        compile_s: float = COMPILE_S,
    ) -> None:
        self._read = read
        self._compile = compiles
        self._compile_s = compile_s
        self._reading = asyncio.Semaphore(PLACES)
        self._compiling = asyncio.Semaphore(PLACES)

    async def read(self, request: SubmitRequest) -> list[Program]:
        """Read every program of a request.

        Raises:
            ProgramError: The first that cannot be read, by its place where there are several.
        """
        sources = request.sources
        format_ = SourceFormat(request.format)
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(self._read_one(source, format_)) for source in sources]
        outcomes = [task.result() for task in tasks]
        programs = []
        for index, outcome in enumerate(outcomes):
            if isinstance(outcome, ProgramError):
                if len(outcomes) == 1:
                    raise outcome
                raise type(outcome)(f"program {index}: {outcome}")
            programs.append(outcome)
        return programs

    async def compile(
        self, device: Device, programs: Sequence[Program], *, optimization: int | None = None
    ) -> list[Program]:
        """Compile for a device, as hard as `compile_for` is told.

        Raises:
            LimitError: It took too long, or the result is too large to send.
            QsubnetError, CircuitError: See `compile_for`.
        """

        def work() -> list[Program]:
            return [self._compile(device, program, optimization) for program in programs]

        await self._compiling.acquire()
        task = asyncio.create_task(asyncio.to_thread(work))
        task.add_done_callback(lambda _done: self._compiling.release())
        try:
            compiled = await asyncio.wait_for(asyncio.shield(task), self._compile_s)
        except TimeoutError:
            raise LimitError(
                f"compiling takes more than {self._compile_s:g} s, the most allowed"
            ) from None
        size = sum(len(program.text) for program in compiled)
        if size > MAX_COMPILED_BYTES:
            raise LimitError(
                f"the compiled programs have {size} bytes, allowed are {MAX_COMPILED_BYTES}"
            )
        return compiled

    async def _read_one(self, source: str, format_: SourceFormat) -> Program | ProgramError:
        async with self._reading:
            try:
                return await asyncio.to_thread(self._read, source, format_)
            except ProgramError as error:
                return error
