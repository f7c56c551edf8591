"""The book of what was submitted to a vendor: one entry a job, rebuilt from the journal's lines.

The lines, in the order in which a job writes them:

- `intended`: the whole job (programs packed) and how it is split, before anything is sent;
- `sent`: the vendor's id of one part;
- `withdrawn`: the vendor refused the job and nothing was started, so its key is free again;
- `refused`: the vendor refused it after other parts had started;
- `ended`: how it ended, so that nobody asks the vendor again.

Jobs that ended are kept up to a number, then the oldest are forgotten; so are their lines.
"""

from __future__ import annotations

import asyncio
import base64
import json
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from circuits.parsing import parse
from providers.base import Handle, Job, JobState
from providers.errors import AdapterFault
from providers.vendor import Standing, Task, token_of

if TYPE_CHECKING:
    from providers.journal import Journal, Line

KEPT = 256
"""Ended jobs that are remembered; their programs stay packed."""

EVENTS = ("intended", "sent", "withdrawn", "refused", "ended")


@dataclass(slots=True)
class Part:
    """One task of a job: its id once it is known, and whether it may have been sent without one.

    `programs` says which programs of the job it has, `standing` its last word once it ended.
    """

    programs: slice
    task_id: str = ""
    doubtful: bool = False
    standing: Standing | None = None


@dataclass(slots=True)
class Entry:
    """One job in the book.

    Attributes:
        key: The job's key.
        digest: The job's digest, against another job of the same key.
        line: What the journal has (or will have) of it under `intended`.
        parts: Its tasks.
        written: Whether `line` is in the journal.
        refusal: Why the vendor took it not, or not whole; '' else.
        ended: How it ended, once it has.
        lock: Held by whoever sends, looks up or stops.
    """

    key: str
    digest: str
    line: Line
    parts: list[Part]
    written: bool = False
    refusal: str = ""
    ended: Standing | None = None
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    _tasks: tuple[Task, ...] = ()

    @classmethod
    def of(cls, job: Job, *, programs_per_task: int) -> Entry:
        """Enter a new job, split into as few tasks as the vendor takes."""
        line: Line = {
            "event": "intended",
            "key": job.key,
            "digest": job.digest,
            "device": job.device,
            "shots": job.shots,
            "verbatim": job.verbatim,
            "memory": job.memory,
            "num_programs": len(job.programs),
            "programs": _packed([program.text for program in job.programs]),
            "programs_per_task": programs_per_task,
        }
        return cls._split(line, job)

    @classmethod
    def read(cls, line: Line) -> Entry:
        """Rebuild an entry from its line; what was sent of it is not known yet."""
        entry = cls._split(line, None)
        entry.written = True
        for part in entry.parts:
            part.doubtful = True
        return entry

    @classmethod
    def _split(cls, line: Any, job: Job | None) -> Entry:  # noqa: ANN401 - JSON, or made above
        size, total = line["programs_per_task"], line["num_programs"]
        parts = [Part(slice(at, min(at + size, total))) for at in range(0, total, size)]
        entry = cls(line["key"], line["digest"], line, parts)
        if job is not None:
            entry._tasks = _tasks(job, parts)
        return entry

    @property
    def tasks(self) -> tuple[Task, ...]:
        """The tasks, one for each part; the programs are parsed when first asked for."""
        if not self._tasks:
            line: Any = self.line
            programs = tuple(map(parse, _unpacked(line["programs"])))
            job = Job(
                self.key,
                line["device"],
                programs,
                line["shots"],
                verbatim=line["verbatim"],
                memory=line["memory"],
            )
            if job.digest != self.digest:
                raise AdapterFault(f"the journal has job {self.key} with another digest")
            self._tasks = _tasks(job, self.parts)
        return self._tasks

    def put_away(self) -> None:
        """Drop the parsed programs, which weigh some hundred times their packed text."""
        self._tasks = ()

    def handle(self, provider: str) -> Handle | None:
        """The job's handle once the vendor has every part, else None."""
        ids = [part.task_id for part in self.parts]
        if not all(ids) or self.refusal:
            return None
        return Handle(provider, str(self.line["device"]), self.key, ",".join(ids))

    def lines(self) -> Iterator[Line]:
        """All that the journal needs to know of it."""
        yield self.line
        for index, part in enumerate(self.parts):
            if part.task_id:
                yield sent_line(self.key, index, part.task_id)
        if self.refusal:
            yield {"event": "refused", "key": self.key, "detail": self.refusal}
        if self.ended:
            yield ended_line(self.key, self.ended)


def sent_line(key: str, index: int, task_id: str) -> Line:
    """The line that says under which id the vendor has part `index` of a job."""
    return {"event": "sent", "key": key, "part": index, "id": task_id}


def ended_line(key: str, standing: Standing) -> Line:
    """The line that says how a job ended."""
    state, detail = str(standing.state), standing.detail
    return {"event": "ended", "key": key, "state": state, "detail": detail}


def load(journal: Journal) -> dict[str, Entry]:
    """Rebuild the book, key -> entry in the order of submission, and shorten the journal.

    Raises:
        AdapterFault: A line speaks of a job that the journal does not have, or in unknown words.
    """
    book: dict[str, Entry] = {}
    for line in journal.read():
        try:
            _apply(book, line)
        except (KeyError, ValueError, IndexError, TypeError) as error:
            found = str(dict(line))[:80]
            raise AdapterFault(f"the journal has a line out of place: {found}") from error
    if forget(book):
        rewrite(journal, book)
    return book


def forget(book: dict[str, Entry]) -> int:
    """Drop the oldest ended jobs beyond `KEPT`; returns how many."""
    ended = [key for key, entry in book.items() if entry.ended or entry.refusal]
    for key in ended[: max(0, len(ended) - KEPT)]:
        del book[key]
    return max(0, len(ended) - KEPT)


def rewrite(journal: Journal, book: dict[str, Entry]) -> None:
    """Leave in the journal what the book still needs."""
    journal.rewrite([line for entry in book.values() if entry.written for line in entry.lines()])


def _apply(book: dict[str, Entry], line: Any) -> None:  # noqa: ANN401 - JSON, checked by use
    event, key = line["event"], line["key"]
    if event == "intended":
        book.setdefault(key, Entry.read(line))
    elif event not in EVENTS:
        raise ValueError(event)
    elif key not in book:
        pass  # of a job that was forgotten between the line and its writing
    elif event == "sent":
        part = book[key].parts[line["part"]]
        part.task_id, part.doubtful = line["id"], False
    elif event == "withdrawn":
        del book[key]
    elif event == "refused":
        book[key].refusal = line["detail"]
    else:
        book[key].ended = Standing(JobState(line["state"]), line["detail"])


def _packed(texts: list[str]) -> str:
    """Texts as one short text; programs repeat themselves a lot."""
    return base64.b64encode(zlib.compress(json.dumps(texts).encode())).decode()


def _unpacked(packed: str) -> list[str]:
    texts: list[str] = json.loads(zlib.decompress(base64.b64decode(packed)))
    return texts


def _tasks(job: Job, parts: list[Part]) -> tuple[Task, ...]:
    return tuple(
        Task(
            token_of(job.key, index),
            job.device,
            job.programs[part.programs],
            job.shots,
            job.verbatim,
            job.memory,
        )
        for index, part in enumerate(parts)
    )
