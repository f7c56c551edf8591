"""The book of submissions, kept on disk: what is to be sent is in the journal before it is.

One process writes one journal; its lines are those of `providers.submissions`.
"""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING

from providers.base import JobState
from providers.errors import RetryLater
from providers.submissions import KEPT, ended_line, forget, load, rewrite, sent_line

if TYPE_CHECKING:
    from providers.journal import Journal, Line
    from providers.submissions import Entry
    from providers.vendor import Standing


class Register:
    """The book and its journal.

    Args:
        journal: Read whole at once.

    Raises:
        AdapterFault: The journal says what cannot be.
    """

    def __init__(self, journal: Journal) -> None:
        self.book = load(journal)
        self._journal = journal
        self._writing = asyncio.Lock()
        self._forgotten = 0

    async def intend(self, entry: Entry) -> None:
        """Note the whole job, once, before anything of it is sent.

        Raises:
            RetryLater: The journal cannot be written, here and below.
        """
        if entry.written:
            return
        entry.written = True
        try:
            await self._write(entry.line)
        except BaseException:
            entry.written = False
            raise

    async def know(self, entry: Entry, index: int, task_id: str) -> None:
        """Note under which id the vendor has a part."""
        part = entry.parts[index]
        part.task_id, part.doubtful = task_id, False
        await self._write(sent_line(entry.key, index, task_id))

    async def refuse(self, entry: Entry, reason: str) -> None:
        """Note that the vendor refused it; where nothing was started, its key is free again."""
        entry.refusal = reason
        if any(part.task_id for part in entry.parts):
            await self._write({"event": "refused", "key": entry.key, "detail": reason})
            return
        self.book.entries.pop(entry.key, None)
        await self._write({"event": "withdrawn", "key": entry.key})

    async def end(self, entry: Entry, standing: Standing) -> None:
        """Note once how the job ended."""
        if entry.ended:
            return
        entry.ended = standing
        if standing.state is not JobState.COMPLETED:  # else its programs are needed once more
            entry.put_away()
        await self._write(ended_line(entry.key, standing))
        await self._tidy()

    async def take(self, entry: Entry) -> None:
        """Note that the result was fetched; without the note the job is only kept longer."""
        entry.put_away()
        if not entry.taken:
            entry.taken = True
            with contextlib.suppress(RetryLater):
                await self._write({"event": "taken", "key": entry.key})
            await self._tidy()

    async def _tidy(self) -> None:
        """Forget old jobs, and shorten the journal now and then; it is as good without."""
        self._forgotten += forget(self.book)
        if self._forgotten >= KEPT:
            self._forgotten = 0
            async with self._writing:
                with contextlib.suppress(OSError):
                    await asyncio.to_thread(rewrite, self._journal, self.book.copy())

    async def _write(self, line: Line) -> None:
        async with self._writing:
            try:
                await asyncio.to_thread(self._journal.append, line)
            except OSError as error:
                raise RetryLater(f"the journal cannot be written: {error.strerror}") from None
