"""The strict parser of the flat profile: one regular line, one operation, no surprises.

It reads what `Program.text` writes and a little more (comments, blank lines, free spacing,
integer angles): hand-written programs are welcome as long as they stay flat. Rich OpenQASM is
`circuits.importing`'s work. Time is linear in the text; nothing nests, so nothing can explode.
"""

from __future__ import annotations

import re

from circuits.errors import LimitError, ProgramError
from circuits.gates import GATES
from circuits.program import (
    BARRIER,
    DEFAULT_LIMITS,
    HEADER,
    MEASURE,
    Limits,
    Operation,
    Program,
    check_operation,
    checked_text,
)

_DEFINITIONS = {gate.definition: gate.name for gate in GATES.values() if gate.definition}
_BUILT_IN = frozenset(name for name, gate in GATES.items() if not gate.definition)
_REGISTER = re.compile(r"(qubit|bit)\s*\[([0-9]{1,7})\]\s*(q|c)\s*;\Z")
_MEASURE = re.compile(r"c\[([0-9]{1,7})\]\s*=\s*measure\s+q\[([0-9]{1,7})\]\s*;\Z")
_OPERATION = re.compile(r"([a-z_][a-z0-9_]*)\s*(?:\(([^();]*)\))?\s*([^;()]*);\Z")
_QUBIT = re.compile(r"\s*q\[([0-9]{1,7})\]\s*\Z")
_ANGLE = re.compile(r"\s*-?[0-9]{1,400}(?:\.[0-9]{1,400})?\s*\Z")


def parse(text: str | bytes, limits: Limits = DEFAULT_LIMITS) -> Program:
    r"""Read a program in the flat profile.

    Args:
        text: The profile text; bytes must be UTF-8.
        limits: What the program may weigh.

    Raises:
        LimitError: Too many bytes, lines, qubits or bits.
        ProgramError: Any line that the profile does not have; `.line` says which.

    Example:
        >>> header = 'OPENQASM 3.0;\ninclude "stdgates.inc";\n'
        >>> parse(header + "qubit[1] q;\nbit[1] c;\nx q[0];\n").operations
        (Operation(name='x', qubits=(0,), angles=(), bit=None),)
    """
    lines = [
        (number, line)
        for number, raw in enumerate(checked_text(text, limits).split("\n"), 1)
        if (line := raw.split("//", 1)[0].strip())
    ]
    if not lines:
        raise ProgramError("program is empty")
    return _Reader(lines, limits).program()


class _Reader:
    """Walks over the non-empty lines; each `_take` consumes one."""

    def __init__(self, lines: list[tuple[int, str]], limits: Limits) -> None:
        self._lines = lines
        self._at = 0
        self._limits = limits
        self._defined: set[str] = set(_BUILT_IN)

    def program(self) -> Program:
        for expected in HEADER:
            number, line = self._take(expected)
            if line != expected:
                raise ProgramError(f"need {expected!r}, got {line[:80]!r}", line=number)
        while self._at < len(self._lines) and self._lines[self._at][1] in _DEFINITIONS:
            self._define(*self._take("a definition"))
        num_qubits = self._register("qubit", "q", self._limits.num_qubits)
        num_bits = self._register("bit", "c", self._limits.num_bits)
        body = self._lines[self._at :]
        operations = self._operations(body)
        try:
            return Program(num_qubits, num_bits, operations)
        except ProgramError:  # look once more, one by one, to say which line it is
            for (number, _), operation in zip(body, operations, strict=True):
                try:
                    check_operation(operation, num_qubits, num_bits)
                except ProgramError as error:
                    raise ProgramError(str(error), line=number) from None
            raise

    def _operations(self, body: list[tuple[int, str]]) -> tuple[Operation, ...]:
        """Read each distinct line once."""
        known: dict[str, Operation] = {}
        for number, line in body:
            if line not in known:
                try:
                    known[line] = self._operation(line)
                except ProgramError as error:
                    raise ProgramError(str(error), line=number) from None
        return tuple(known[line] for _, line in body)

    def _take(self, expected: str) -> tuple[int, str]:
        if self._at >= len(self._lines):
            raise ProgramError(f"text ends where {expected!r} was due", line=self._lines[-1][0])
        self._at += 1
        return self._lines[self._at - 1]

    def _define(self, number: int, line: str) -> None:
        name = _DEFINITIONS[line]
        if name in self._defined:
            raise ProgramError(f"gate {name} is defined twice", line=number)
        self._defined.add(name)

    def _register(self, word: str, name: str, most: int) -> int:
        number, line = self._take(f"{word}[n] {name};")
        found = _REGISTER.match(line)
        if not found or (found[1], found[3]) != (word, name):
            raise ProgramError(f"need '{word}[n] {name};', got {line[:80]!r}", line=number)
        if not 1 <= int(found[2]) <= most:
            raise LimitError(f"need 1 .. {most} {word}s, got {int(found[2])}", line=number)
        return int(found[2])

    def _operation(self, line: str) -> Operation:
        if found := _MEASURE.match(line):
            return Operation(MEASURE, (int(found[2]),), bit=int(found[1]))
        found = _OPERATION.match(line)
        if not found:
            raise ProgramError(f"need one operation ending in ';', got {line[:80]!r}")
        name, angles, operands = found.groups()
        if name in GATES and name not in self._defined:
            raise ProgramError(f"gate {name} needs its definition: {GATES[name].definition}")
        return Operation(name, _qubits(operands, name), _angles(angles))


def _qubits(operands: str, name: str) -> tuple[int, ...]:
    indices = []
    for operand in operands.split(","):
        found = _QUBIT.match(operand)
        if not found:
            allowed = "a list of q[i]" if name == BARRIER else "operands q[i]"
            raise ProgramError(f"{name[:40]} needs {allowed}, got {operand.strip()[:40]!r}")
        indices.append(int(found[1]))
    return tuple(indices)


def _angles(text: str | None) -> tuple[float, ...]:
    if text is None:
        return ()
    parts = text.split(",")
    for part in parts:
        if not _ANGLE.match(part):
            raise ProgramError(f"need an angle as a plain decimal, got {part.strip()[:40]!r}")
    return tuple(map(float, parts))
