"""A program of somebody else's that answers questions in JSON, one line each way.

It is started once, at the first question, without a shell and in a session of its own; it reads
questions on stdin until they end, and writes answers on stdout in any order, each with the id of
its question. Whatever it does wrong costs a question, never us: a line that is no answer costs the
oldest open question, a program that ends costs all open ones, and the next question starts it
anew, a few times. An answer that comes after its question was given up is dropped.

A question that takes too long is given up and the program left alone, since it may be slow; one
that has been silent through two such questions in a row is killed.

Assumes a POSIX system. Blind spot: what the program does besides is not fenced in any way: it is
the caller's own.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
from contextlib import suppress
from dataclasses import dataclass, field
from queue import SimpleQueue
from threading import Event, Lock, Thread
from typing import IO, TYPE_CHECKING, cast

from providers.errors import JobFailed

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from providers.base import Json

GRACE_S = 2.0
"""How long a program may take to end after the end of its input."""

LEAST_BYTES = 1 << 16
"""Every line may be that long, whatever was asked."""

_CHUNK = 1 << 16
_SILENT = 2
_SHOWN = 120


class LineProgram:
    r"""The program, started when it is needed.

    Args:
        command: Its argument list; the first word is looked up on the PATH.
        timeout_s: How long one question may stay open.
        restarts: How often it is started again after it ended by itself or was killed.
        log: Gets each line of its stderr; without one, stderr is ours.

    Example:
        >>> import sys
        >>> echo = "import sys\nfor line in sys.stdin: print(line, end='', flush=True)"
        >>> program = LineProgram([sys.executable, "-c", echo], timeout_s=30.0)
        >>> program.ask({"shots": 3}, most_bytes=100)
        {'id': 'job-1', 'shots': 3}
        >>> program.close()
    """

    def __init__(
        self,
        command: Sequence[str],
        *,
        timeout_s: float,
        restarts: int = 3,
        log: Callable[[str], None] | None = None,
    ) -> None:
        self._command = tuple(command)
        self._timeout_s = timeout_s
        self._restarts = restarts
        self._log = log
        self._lock = Lock()
        self._run: _Run | None = None
        self._asked = self._started = 0
        self._closing = False

    def ask(self, question: Mapping[str, Json], *, most_bytes: int) -> Mapping[str, Json]:
        """Ask one question and wait for its answer; threads may ask at the same time.

        Args:
            question: What is sent; an `id` is put before it.
            most_bytes: How long the answer's line may be.

        Returns:
            The answer, a JSON object with the question's `id`; its other words are unchecked.

        Raises:
            JobFailed: There is none; the message says why.
        """
        with self._lock:
            run = self._running()
            self._asked += 1
            name = f"job-{self._asked}"
            asked = run.send(name, {"id": name, **question}, max(most_bytes, LEAST_BYTES))
        if not asked.ended.wait(self._timeout_s):
            run.give_up(asked, f"the program did not answer within {self._timeout_s:g} s")
            asked.ended.wait()
        if asked.failure:
            raise JobFailed(asked.failure)
        return asked.answer

    def close(self) -> None:
        """End the program's input, wait a moment for its end, then kill it; nothing is left."""
        with self._lock:
            self._closing = True
        if self._run is not None:
            self._run.close()

    def _running(self) -> _Run:
        """Give the program that runs, a new one where it has ended; the lock is held."""
        if self._closing:
            raise JobFailed("the program is being closed")
        if self._run is not None and not self._run.over.is_set():
            return self._run
        if self._started > self._restarts:
            last = f": {self._run.reason}" if self._run else ""
            raise JobFailed(f"the program was started {self._started} times, no more{last}")
        self._started += 1
        try:
            self._run = _Run(self._command, self._log)
        except OSError as error:
            raise JobFailed(f"the program {self._command[0]!r} cannot start: {error}") from None
        return self._run


@dataclass(slots=True, eq=False)
class _Asked:
    """One open question; `ended` comes last."""

    name: str
    most_bytes: int
    ended: Event = field(default_factory=Event)
    answer: Mapping[str, Json] = field(default_factory=dict)
    failure: str = ""


class _Run:
    """One started program, with the threads that feed it and listen to it."""

    def __init__(self, command: Sequence[str], log: Callable[[str], None] | None) -> None:
        self.over = Event()
        self.reason = ""
        self._lock = Lock()
        self._open: dict[str, _Asked] = {}
        self._gone: set[str] = set()
        self._silent = 0
        self._outbox: SimpleQueue[bytes | None] = SimpleQueue()
        self._process = subprocess.Popen(  # noqa: S603 - the caller's own program, no shell
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE if log else None,
            start_new_session=True,
        )
        work = [self._feed, self._listen]
        if log:
            work.append(lambda: self._overhear(log))
        self._threads = [Thread(target=one, daemon=True) for one in work]
        for thread in self._threads:
            thread.start()

    def send(self, name: str, question: Mapping[str, Json], most_bytes: int) -> _Asked:
        """Put a question into the outbox; one to a program that has ended fails at once."""
        asked = _Asked(name, most_bytes)
        with self._lock:
            self._open[name] = asked
            if self.over.is_set():
                self._fail(asked, self.reason)
        self._outbox.put(json.dumps(question).encode() + b"\n")
        return asked

    def give_up(self, asked: _Asked, reason: str) -> None:
        """Close a question that took too long, unless it was just answered."""
        with self._lock:
            if asked.name not in self._open:
                return
            self._fail(asked, reason)
            self._silent += 1
            hung = self._silent >= _SILENT
        if hung:
            self._kill(f"the program was silent through {_SILENT} questions and was killed")

    def close(self) -> None:
        """End the input, and the program where it does not end by itself."""
        self._outbox.put(None)
        if not self.over.wait(GRACE_S):
            self._kill("the program was closed")
        for thread in self._threads:
            thread.join(GRACE_S)

    def _feed(self) -> None:
        """Write questions; runs in a thread, because a program that does not read blocks it."""
        with suppress(OSError), cast("IO[bytes]", self._process.stdin) as pipe:
            while (line := self._outbox.get()) is not None:
                pipe.write(line)
                pipe.flush()

    def _listen(self) -> None:
        """Read lines until the program ends or writes one that is too long; runs in a thread."""
        reason = ""
        with cast("IO[bytes]", self._process.stdout) as pipe:
            begun = b""
            while not reason and (chunk := os.read(pipe.fileno(), _CHUNK)):
                *lines, rest = chunk.split(b"\n")
                if lines:
                    lines[0] = begun + lines[0]
                    begun = rest
                else:
                    begun += rest
                reason = self._too_long(*lines, begun)
                for line in [] if reason else lines:
                    self._take(line)
        self._end(reason)

    def _too_long(self, *lines: bytes) -> str:
        with self._lock:
            most = max((asked.most_bytes for asked in self._open.values()), default=LEAST_BYTES)
        found = max(map(len, lines))
        return f"the program wrote a line of more than {most} bytes" if found > most else ""

    def _overhear(self, log: Callable[[str], None]) -> None:
        with cast("IO[bytes]", self._process.stderr) as pipe:
            while line := pipe.readline(_CHUNK):
                log(line.decode(errors="replace").rstrip("\n"))

    def _take(self, line: bytes) -> None:
        """Find the question that a line answers, and close it."""
        if not line.strip():
            return
        said = _read(line)
        name = said.get("id") if said else None
        with self._lock:
            self._silent = 0
            if said and isinstance(name, str) and name in self._open:
                asked = self._open.pop(name)
                self._gone.add(name)
                asked.answer = said
                asked.ended.set()
            elif not (isinstance(name, str) and name in self._gone) and self._open:
                shown = line[:_SHOWN].decode(errors="replace")
                what = f"answered an unknown id, {str(name)[:_SHOWN]!r}"
                oldest = next(iter(self._open.values()))
                wrote = what if name is not None else f"wrote a line that is no answer: {shown!r}"
                self._fail(oldest, f"the program {wrote}")

    def _fail(self, asked: _Asked, reason: str) -> None:
        """Close a question without an answer; the lock is held."""
        self._open.pop(asked.name, None)
        self._gone.add(asked.name)
        asked.failure = reason
        asked.ended.set()

    def _kill(self, reason: str) -> None:
        """Kill the program and its children; the listener then sees the end of its output."""
        with self._lock:
            self.reason = self.reason or reason
            if self._process.poll() is None:
                with suppress(ProcessLookupError):
                    os.killpg(self._process.pid, signal.SIGKILL)

    def _end(self, reason: str) -> None:
        """Close every open question once the program can say nothing more."""
        try:
            status = self._process.wait(0 if reason else GRACE_S)
        except subprocess.TimeoutExpired:
            self._kill(reason or "the program closed its output and went on")
            status = self._process.wait()
        with self._lock:
            ended = f"was killed by signal {-status}" if status < 0 else f"exit status {status}"
            self.reason = self.reason or reason or f"the program ended ({ended})"
            self.over.set()
            for asked in list(self._open.values()):
                self._fail(asked, self.reason)
        self._outbox.put(None)


def _read(line: bytes) -> dict[str, Json] | None:
    """Read one line; None where it is no JSON object, or names a word twice."""
    try:
        said = json.loads(line, object_pairs_hook=_distinct)
    except (ValueError, RecursionError):
        return None
    return said if isinstance(said, dict) else None


def _distinct(pairs: list[tuple[str, Json]]) -> dict[str, Json]:
    table = dict(pairs)
    if len(table) != len(pairs):
        raise ValueError("a word stands twice in one object")
    return table
