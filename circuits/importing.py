"""Rich OpenQASM 2 and 3 -> Program, once, at the edge.

A text that is already in the flat profile is parsed in this process. Anything else is read by
Qiskit's own importers in a child process with limits on memory, CPU, wall time, files and output,
because a short text can unfold without end and the importers can crash. The child gets the text by
stdin, an environment without secrets, and answers with the profile's text, which is parsed
again here: nothing that it says is trusted.

Registers are joined in the order of their declaration: bit 0 of the first one is c[0]. Files can
not be included (`qelib1.inc` and `stdgates.inc` are built into the importers). Loops over a fixed
range are unrolled; conditions, timing and classical arithmetic are refused.

Assumes a POSIX system (resource limits). Blind spot: OpenQASM 3 without the profile's flatness is
slow, about 0.6 ms of CPU a gate.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from contextlib import suppress
from dataclasses import asdict, dataclass
from enum import StrEnum
from pathlib import Path
from signal import Signals
from threading import Event, Thread, Timer
from typing import IO

from circuits.errors import LimitError, ProgramError
from circuits.parsing import parse
from circuits.program import DEFAULT_LIMITS, Limits, Program, checked_text

_CHILD = "circuits._import_child"
_KEPT_ENVIRONMENT = ("LD_LIBRARY_PATH", "PATH", "PYTHONPATH", "SYSTEMROOT", "VIRTUAL_ENV")
_ANSWER_MARGIN = 100_000
_SHOWN = 400
_CPU_BASE_S = 4
_CPU_S_PER_BYTE = 1e-4


class SourceFormat(StrEnum):
    """The language of a source text; `auto` reads its version line."""

    AUTO = "auto"
    OPENQASM2 = "openqasm2"
    OPENQASM3 = "openqasm3"


@dataclass(frozen=True, slots=True)
class ImportLimits:
    """What one import may use.

    Attributes:
        program: Limits of the source text and of the program that it unfolds to.
        memory_bytes: Address space of the child.
        cpu_s: CPU seconds of the child at most, whole; a short text gets fewer (see `cpu_for`).
        timeout_s: Wall seconds until the child is killed.
        nesting: Depth of brackets in the text.
    """

    program: Limits = DEFAULT_LIMITS
    memory_bytes: int = 2 << 30
    cpu_s: int = 20
    timeout_s: float = 60.0
    nesting: int = 100

    def cpu_for(self, text_bytes: int) -> int:
        """CPU seconds for a text of that size, whole: the import of Qiskit and 0.1 ms a byte.

        A text that takes much longer than honest texts of its size unfolds without end.
        """
        return min(self.cpu_s, _CPU_BASE_S + round(text_bytes * _CPU_S_PER_BYTE))


DEFAULT_IMPORT_LIMITS = ImportLimits()


def import_program(
    source: str | bytes,
    *,
    format: SourceFormat = SourceFormat.AUTO,  # noqa: A002 - the word that users know
    limits: ImportLimits = DEFAULT_IMPORT_LIMITS,
    interpreter: str = sys.executable,
) -> Program:
    """Read OpenQASM 2, OpenQASM 3 or the flat profile.

    Blocks for a second or two where a child is needed.

    Args:
        source: The text; bytes must be UTF-8.
        format: The language, where the text has no version line.
        limits: What the text, the program and the child may weigh.
        interpreter: The Python that runs the child; needs `circuits`' dependencies.

    Raises:
        LimitError: The text or what it unfolds to is too large, or the child met its limits.
        ProgramError: The text is wrong, measures nothing, or needs what the profile has no word
            for; `.line` is given where the importer knows it.

    Example:
        >>> program = import_program(
        ...     'OPENQASM 2.0; include "qelib1.inc"; qreg a[1]; qreg b[1]; creg m[2];'
        ...     'cu1(pi) a[0], b[0]; measure b[0] -> m[1];')
        >>> print(program.text.splitlines()[-1])
        c[1] = measure q[1];
    """
    text = checked_text(source, limits.program).removeprefix("\ufeff")
    if not text.strip():
        raise ProgramError("program is empty")
    if "\0" in text:
        raise ProgramError("program has a NUL character")
    program = _flat(text, limits.program)
    if program is None:
        _check_nesting(text, limits.nesting)
        language = _language(text, format)
        order = {
            "language": language,
            "cpu_s": limits.cpu_for(len(text.encode())),
            "memory_bytes": limits.memory_bytes,
            "limits": asdict(limits.program),
        }
        command = [interpreter, "-B", "-P", "-m", _CHILD, json.dumps(order)]
        program = _imported(text, command, limits)
    if not any(op.bit is not None for op in program.operations):
        raise ProgramError(
            "program measures nothing: end it with measurements, such as 'c = measure q;' "
            "(OpenQASM 3) or 'measure q -> c;' (OpenQASM 2)"
        )
    return program


def _flat(text: str, limits: Limits) -> Program | None:
    try:
        return parse(text, limits)
    except LimitError:
        raise
    except ProgramError:
        return None


def _check_nesting(text: str, most: int) -> None:
    """Refuse deep brackets before a recursive parser sees them."""
    depth = 0
    for number, raw in enumerate(text.split("\n"), 1):
        for character in raw.split("//", 1)[0]:
            if character in "([{":
                depth += 1
                if depth > most:
                    raise LimitError(f"brackets nest more than {most} deep", line=number)
            elif character in ")]}":
                depth = max(0, depth - 1)


def _language(text: str, named: SourceFormat) -> SourceFormat:
    """Read the version line, which only comments may precede."""
    if named is not SourceFormat.AUTO:
        return named
    rest = text.lstrip()
    while rest.startswith(("//", "/*")):
        end = "\n" if rest.startswith("//") else "*/"
        rest = rest.partition(end)[2].lstrip()
    word, _, version = rest.partition(";")[0].partition("OPENQASM")
    major = version.strip().partition(".")[0]
    if not word and major in ("2", "3"):
        return SourceFormat(f"openqasm{major}")
    raise ProgramError(
        f"need 'OPENQASM 2.0;' or 'OPENQASM 3.0;' first (or name the format), got {rest[:40]!r}"
    )


def _imported(text: str, command: list[str], limits: ImportLimits) -> Program:
    """Have the child read the text, and judge what it says as if a stranger had said it."""
    most = 2 * limits.program.text_bytes + _ANSWER_MARGIN
    answer, status, late = _ask_child(
        command, text.encode(), timeout_s=limits.timeout_s, most_bytes=most
    )
    if late:
        raise LimitError(f"import took longer than {limits.timeout_s:g} s")
    if len(answer) > most:
        raise LimitError(f"import answered with more than {most} bytes")
    if status == -Signals.SIGXCPU:
        seconds = limits.cpu_for(len(text.encode()))
        raise LimitError(f"import takes more than {seconds} s of CPU, allowed for its size")
    if status < 0:
        mib = limits.memory_bytes >> 20
        raise LimitError(f"import ran out of {mib} MiB of memory or of stack (signal {-status})")
    try:
        said = json.loads(answer)
        program, error, line = said.get("program"), said.get("error"), said.get("line")
    except (ValueError, AttributeError, RecursionError):
        raise ProgramError(f"import ended without an answer (exit status {status})") from None
    if isinstance(program, str):
        return parse(program, limits.program)
    kind = LimitError if said.get("limit") is True else ProgramError
    raise kind(str(error)[:_SHOWN], line=line if isinstance(line, int) else None)


def _ask_child(
    command: list[str], data: bytes, *, timeout_s: float, most_bytes: int
) -> tuple[bytes, int, bool]:
    """Run the child once.

    Returns:
        At most `most_bytes` + 1 bytes of its answer, its exit status, and whether it was killed
        for taking too long.
    """
    late = Event()
    with subprocess.Popen(  # noqa: S603 - our own interpreter and module, no shell
        command,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env=_environment(),
    ) as child:

        def stop() -> None:
            late.set()
            child.kill()

        timer = Timer(timeout_s, stop)
        feeder = Thread(target=_feed, args=(child.stdin, data))
        timer.start()
        feeder.start()
        try:
            answer = child.stdout.read(most_bytes + 1) if child.stdout else b""
            if len(answer) <= most_bytes:
                child.wait()
        finally:
            timer.cancel()
            child.kill()
            feeder.join()
    return answer, child.returncode, late.is_set()


def _feed(pipe: IO[bytes], data: bytes) -> None:
    """Write the text; a child that died has closed its end."""
    with suppress(BrokenPipeError), pipe:
        pipe.write(data)


def _environment() -> dict[str, str]:
    """What the child needs to find its modules, and none of the parent's secrets."""
    kept = {name: os.environ[name] for name in _KEPT_ENVIRONMENT if name in os.environ}
    root = str(Path(__file__).resolve().parent.parent)
    kept["PYTHONPATH"] = os.pathsep.join(filter(None, (root, kept.get("PYTHONPATH"))))
    threads = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "RAYON_NUM_THREADS")
    return {**kept, **dict.fromkeys(threads, "1"), "HOME": "/", "PYTHONUTF8": "1"}
