"""The book of what was submitted to a vendor: one entry a job, rebuilt from the journal's lines.

The lines, in the order in which a job writes them:

- `intended`: the whole job (programs packed) and how it is split, before anything is sent;
- `sent`: the vendor's id of one part;
- `withdrawn`: the vendor refused the job and nothing was started, so its key is free again;
- `refused`: the vendor refused it after other parts had started;
- `ended`: how it ended, so that nobody asks the vendor again;
- `taken`: its result was fetched, so that the job may be forgotten;
- `forgotten`: all that is left of an old job, its key and digest.

Jobs that ended are kept up to a number, then the oldest are forgotten, except those whose result
nobody has fetched yet. A job that comes again under a forgotten key is looked up at the vendor
before it is sent. So is one whose lines were damaged, as far as its key can still be read.

Blind spots: a result that is never fetched keeps its job here. Of forgotten keys, too, only the
newest `REMEMBERED` are known.
"""

from __future__ import annotations

import asyncio
import base64
import contextlib
import json
import re
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

REMEMBERED = 100_000
"""Keys of forgotten jobs that are still known as such."""

EVENTS = ("intended", "sent", "withdrawn", "refused", "ended", "taken", "forgotten")

_KEY = re.compile(rb'"key": "([0-9a-f]{64})"')


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
        taken: Whether its result was fetched.
        lock: Held by whoever sends, looks up or stops.
    """

    key: str
    digest: str
    line: Line
    parts: list[Part]
    written: bool = False
    refusal: str = ""
    ended: Standing | None = None
    taken: bool = False
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
    def unpacked(self) -> bool:
        """Whether `tasks` are at hand."""
        return bool(self._tasks)

    @property
    def old(self) -> bool:
        """Whether nobody needs it here any more."""
        done = self.ended is not None and self.ended.state is JobState.COMPLETED
        return self.taken or bool(self.refusal) or (self.ended is not None and not done)

    @property
    def tasks(self) -> tuple[Task, ...]:
        """The tasks, one for each part; the programs are parsed when first asked for."""
        tasks = self._tasks
        if tasks:
            return tasks
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
        tasks = self._tasks = _tasks(job, self.parts)
        return tasks

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
        if self.taken:
            yield {"event": "taken", "key": self.key}


@dataclass(slots=True)
class Book:
    """All that is known of jobs.

    Attributes:
        entries: By key, in the order of submission.
        forgotten: Key -> digest of jobs that were here once, oldest first; '' where the digest
            is not known.
    """

    entries: dict[str, Entry] = field(default_factory=dict)
    forgotten: dict[str, str] = field(default_factory=dict)

    def enter(self, job: Job, *, programs_per_task: int) -> Entry:
        """Enter a new job; what was forgotten of its key may be at the vendor already."""
        entry = Entry.of(job, programs_per_task=programs_per_task)
        for part in entry.parts:
            part.doubtful = job.key in self.forgotten
        return self.entries.setdefault(job.key, entry)

    def digest(self, key: str) -> str:
        """The digest of the job that has or had the key; '' where none is known."""
        entry = self.entries.get(key)
        return entry.digest if entry else self.forgotten.get(key, "")

    def copy(self) -> Book:
        """Copy which jobs there are, not the jobs."""
        return Book(dict(self.entries), dict(self.forgotten))


def sent_line(key: str, index: int, task_id: str) -> Line:
    """The line that says under which id the vendor has part `index` of a job."""
    return {"event": "sent", "key": key, "part": index, "id": task_id}


def ended_line(key: str, standing: Standing) -> Line:
    """The line that says how a job ended."""
    state, detail = str(standing.state), standing.detail
    return {"event": "ended", "key": key, "state": state, "detail": detail}


def load(journal: Journal) -> Book:
    """Rebuild the book, and shorten the journal.

    Raises:
        AdapterFault: A line has unknown words, or says what cannot be.
    """
    book = Book()
    for line in journal.read():
        try:
            _apply(book, line)
        except (KeyError, ValueError, IndexError, TypeError) as error:
            found = str(dict(line))[:80]
            raise AdapterFault(f"the journal has a line out of place: {found}") from error
    for damaged in journal.damaged:
        for key in _KEY.findall(damaged):
            book.forgotten.setdefault(key.decode(), "")
    if forget(book) or journal.damaged:
        with contextlib.suppress(OSError):  # it is as true as it was, only longer
            rewrite(journal, book)
    return book


def forget(book: Book) -> int:
    """Drop the oldest of the jobs that nobody needs, beyond `KEPT`; returns how many."""
    old = [key for key, entry in book.entries.items() if entry.old]
    gone = old[: max(0, len(old) - KEPT)]
    for key in gone:
        book.forgotten.pop(key, None)
        book.forgotten[key] = book.entries.pop(key).digest
    while len(book.forgotten) > REMEMBERED:
        del book.forgotten[next(iter(book.forgotten))]
    return len(gone)


def rewrite(journal: Journal, book: Book) -> None:
    """Leave in the journal what the book still needs."""
    lines: list[Line] = [
        {"event": "forgotten", "key": key, "digest": digest}
        for key, digest in book.forgotten.items()
    ]
    for entry in book.entries.values():
        lines += entry.lines() if entry.written else ()
    journal.rewrite(lines)


def _apply(book: Book, line: Any) -> None:  # noqa: ANN401 - JSON, checked by use
    event, key = line["event"], line["key"]
    entry = book.entries.get(key)
    if event == "intended":
        book.entries.setdefault(key, Entry.read(line))
    elif event == "forgotten":
        book.forgotten[key] = line["digest"]
    elif event not in EVENTS:
        raise ValueError(event)
    elif entry is None:
        book.forgotten.setdefault(key, "")  # its first line is gone, so the vendor may have it
    elif event == "sent":
        part = entry.parts[line["part"]]
        part.task_id, part.doubtful = line["id"], False
    elif event == "withdrawn":
        del book.entries[key]
    elif event == "refused":
        entry.refusal = line["detail"]
    elif event == "taken":
        entry.taken = True
    else:
        entry.ended = Standing(JobState(line["state"]), line["detail"])


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
