"""The child process of `circuits.importing`: confine itself, read one text, answer in JSON.

Started as `python -m circuits._import_child ORDER` with the text on stdin; ORDER is a JSON object
of language, cpu_s, memory_bytes and limits. The answer on stdout is {"program": profile text} or
{"error": message, "line": 1-based or null, "limit": bool}.

OpenQASM 2 is read with Qiskit's own names for the gates that the text uses without defining them
(`sx`, `p`, `u`, which Qiskit's exporter takes for granted): only for those, because a custom
instruction silently replaces a definition that the text does give.
"""

from __future__ import annotations

import io
import json
import os
import re
import resource
import sys
from contextlib import redirect_stderr, redirect_stdout
from importlib import import_module
from typing import TYPE_CHECKING

from circuits.emitters.qiskit_reading import from_qiskit
from circuits.errors import LimitError, ProgramError
from circuits.program import Limits, checked_text

if TYPE_CHECKING:
    from qiskit import QuantumCircuit

_OPEN_FILES = 64
_IMPORTERS = {"openqasm2": "qasm2", "openqasm3": "qasm3"}
_QASM2_PLACE = re.compile(r"<input>:(\d+),\d+: (.*)\Z", re.DOTALL)
_QASM2_UNDEFINED = re.compile(r"'(\w+)' is not defined in this scope\Z")
_QASM3_PLACE = re.compile(r"(\d+),\d+: (.*)\Z", re.DOTALL)
_QASM3_SYNTAX = re.compile(r"line (\d+):\d+ ([^\n]*)")


def main() -> None:
    """Read the order, the text, and answer once."""
    order = json.loads(sys.argv[1])
    _give_up(resource.RLIMIT_CORE, 0)
    _give_up(resource.RLIMIT_AS, order["memory_bytes"])
    _give_up(resource.RLIMIT_CPU, order["cpu_s"], grace=1)
    import_module(f"qiskit.{_IMPORTERS[order['language']]}")  # it tries to write a temporary file
    _give_up(resource.RLIMIT_FSIZE, 0)
    _give_up(resource.RLIMIT_NOFILE, _OPEN_FILES)
    answer_to = os.fdopen(os.dup(1), "wb")
    text = sys.stdin.buffer.read().decode()
    noise = io.StringIO()
    with redirect_stdout(noise), redirect_stderr(noise):
        answer = _answer(text, order["language"], Limits(**order["limits"]), noise)
    answer_to.write(json.dumps(answer).encode())
    answer_to.close()


def _give_up(kind: int, most: int, *, grace: int = 0) -> None:
    """Lower one resource limit for good; the hard limit lies `grace` above the soft one."""
    allowed = resource.getrlimit(kind)[1]
    hard = most + grace if allowed == resource.RLIM_INFINITY else min(most + grace, allowed)
    resource.setrlimit(kind, (min(most, hard), hard))


def _answer(
    text: str, language: str, limits: Limits, noise: io.StringIO
) -> dict[str, str | int | bool | None]:
    try:
        unfolded = from_qiskit(_read(text, language), limits=limits).text
        return {"program": checked_text(unfolded, limits)}
    except (MemoryError, RecursionError) as error:
        word = "memory" if isinstance(error, MemoryError) else "nesting"
        return {"error": f"program takes too much {word} to read", "line": None, "limit": True}
    except ProgramError as error:
        return {"error": str(error), "line": error.line, "limit": isinstance(error, LimitError)}
    except BaseException as error:  # noqa: BLE001 - a border; the importer's panics are no Exception
        message, line = _placed(error, noise.getvalue())
        return {"error": f"{language}: {message}", "line": line, "limit": False}


def _read(text: str, language: str) -> QuantumCircuit:
    if language == "openqasm2":
        return _read_openqasm2(text)
    from qiskit import qasm3

    return qasm3.loads(text)


def _read_openqasm2(text: str) -> QuantumCircuit:
    from qiskit import qasm2

    spare = {known.name: known for known in qasm2.LEGACY_CUSTOM_INSTRUCTIONS}
    added: list[qasm2.CustomInstruction] = []
    while True:
        try:
            return qasm2.loads(text, custom_instructions=added, include_path=())
        except qasm2.QASM2ParseError as error:
            undefined = _QASM2_UNDEFINED.search(error.message)
            if not undefined or undefined[1] not in spare:
                raise
            added.append(spare.pop(undefined[1]))


def _placed(error: BaseException, noise: str) -> tuple[str, int | None]:
    """Split an importer's message into what and where."""
    message = str(getattr(error, "message", error))
    for pattern in (_QASM2_PLACE, _QASM3_PLACE):
        if found := pattern.match(message):
            return found[2], int(found[1])
    if found := _QASM3_SYNTAX.search(noise):
        return found[2], int(found[1])
    return f"the importer failed with {type(error).__name__}: {message}", None


if __name__ == "__main__":
    main()
