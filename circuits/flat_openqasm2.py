"""A fast reader of plain OpenQASM 2: declarations, the standard gates, measurements, nothing else.

Most OpenQASM 2 in the world is what exporters write: one gate a statement. Such a text needs no
child process (`circuits.importing`), which costs a second each. This reader never guesses: anything
that it does not know by heart (a definition, a condition, a function in an angle, another
include) gives None, and the text is the full importer's.

Assumes the gates of `qelib1.inc`, and those that Qiskit's exporter takes for granted. Time is
linear in the text; angles nest at most `_DEEPEST` brackets.
Source: A. W. Cross et al., arXiv:1707.03429 (OpenQASM 2.0), section A and `qelib1.inc`.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

from circuits.errors import ProgramError
from circuits.gates import GATES
from circuits.program import (
    BARRIER,
    DEFAULT_LIMITS,
    MEASURE,
    RESET,
    Limits,
    Operation,
    Program,
    checked_text,
)

__all__ = ["parse_openqasm2"]

_COMMENT = re.compile(r"//[^\n]*")
_HEADER = re.compile(r"\s*OPENQASM\s+2(?:\.0)?\s*\Z")
_INCLUDE = re.compile(r'\s*include\s+"qelib1\.inc"\s*\Z')
_REGISTER = re.compile(r"\s*(qreg|creg)\s+([a-z][A-Za-z0-9_]*)\s*\[\s*([0-9]{1,6})\s*\]\s*\Z")
_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]*")
_OPERAND = re.compile(r"([a-z][A-Za-z0-9_]*)(?:\s*\[\s*([0-9]{1,6})\s*\])?\Z")
_TOKEN = re.compile(r"\s*(?:((?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?)|(pi)|([-+*/()]))")

_DEEPEST = 20
_LONGEST_ANGLE = 400

_SAME = (
    *("id", "x", "y", "z", "h", "s", "sdg", "t", "tdg", "sx", "sxdg", "rx", "ry", "rz", "p", "u"),
    *("cx", "cz", "swap", "cp", "rzz", "rxx", "ccx"),
)
_Angles = tuple[float, ...]
_WORDS: dict[str, tuple[str, int, Callable[[_Angles], _Angles]]] = {
    **{name: (name, GATES[name].num_angles, lambda angles: angles) for name in _SAME},
    "u1": ("p", 1, lambda angles: angles),
    "u2": ("u", 2, lambda angles: (math.pi / 2, *angles)),
    "u3": ("u", 3, lambda angles: angles),
    "U": ("u", 3, lambda angles: angles),
    "cu1": ("cp", 1, lambda angles: angles),
    "CX": ("cx", 0, lambda angles: angles),
}


class _Beyond(Exception):
    """The text needs the full importer."""


def parse_openqasm2(text: str | bytes, limits: Limits = DEFAULT_LIMITS) -> Program | None:
    """Read a plain OpenQASM 2 text.

    Args:
        text: Of any language; bytes must be UTF-8.
        limits: What the program may weigh.

    Returns:
        None for whatever this reader does not know, right or wrong.

    Raises:
        LimitError: The text has too many bytes or lines.
        ProgramError: It is not UTF-8.

    Example:
        >>> program = parse_openqasm2(
        ...     'OPENQASM 2.0; include "qelib1.inc"; qreg a[2]; creg m[2];'
        ...     'u2(0, pi) a[0]; cx a[0], a[1]; measure a -> m;')
        >>> [op.name for op in program.operations]
        ['u', 'cx', 'measure', 'measure']
        >>> parse_openqasm2("OPENQASM 3.0;") is None
        True
    """
    plain = _COMMENT.sub("", checked_text(text, limits))
    if "{" in plain or "/*" in plain:
        return None
    *statements, rest = plain.split(";")
    if rest.strip() or len(statements) < 2 or not _HEADER.match(statements[0]):
        return None
    try:
        reader = _Reader(limits)
        for statement in statements[1:]:
            reader.take(statement)
        return reader.program()
    except (_Beyond, ProgramError):
        return None


@dataclass(slots=True)
class _Reader:
    limits: Limits
    operations: list[Operation] = field(default_factory=list)
    quantum: dict[str, range] = field(default_factory=dict)
    classical: dict[str, range] = field(default_factory=dict)
    included: bool = False

    def program(self) -> Program:
        num_qubits, num_bits = _size(self.quantum), _size(self.classical)
        if num_qubits > self.limits.num_qubits or num_bits > self.limits.num_bits:
            raise _Beyond
        return Program(num_qubits, num_bits, tuple(self.operations))

    def take(self, statement: str) -> None:
        if _INCLUDE.match(statement):
            self.included = True
        elif found := _REGISTER.match(statement):
            self._declare(*found.groups())
        else:
            self.operations += self._called(*_parts(statement.strip()))
        if len(self.operations) > self.limits.lines:
            raise _Beyond

    def _declare(self, word: str, name: str, size: str) -> None:
        table = self.quantum if word == "qreg" else self.classical
        if name in self.quantum or name in self.classical or not int(size):
            raise _Beyond
        start = _size(table)
        table[name] = range(start, start + int(size))

    def _all(self, text: str, table: dict[str, range]) -> Sequence[int]:
        """Read an operand: one element, or a whole register."""
        found = _OPERAND.match(text.strip())
        if not found or found[1] not in table:
            raise _Beyond
        places = table[found[1]]
        if found[2] is None:
            return places
        if int(found[2]) >= len(places):
            raise _Beyond
        return (places[int(found[2])],)

    def _measured(self, operands: str) -> Iterator[Operation]:
        qubit, _, bit = operands.partition("->")
        qubits, bits = self._all(qubit, self.quantum), self._all(bit, self.classical)
        if len(qubits) != len(bits):
            raise _Beyond
        for q, b in zip(qubits, bits, strict=True):
            yield Operation(MEASURE, (q,), bit=b)

    def _called(self, name: str, angles: str | None, operands: str) -> Iterator[Operation]:
        if name == MEASURE and angles is None:
            yield from self._measured(operands)
            return
        if not self.included:
            raise _Beyond
        groups = [self._all(operand, self.quantum) for operand in operands.split(",")]
        if name == BARRIER and angles is None:
            yield Operation(BARRIER, tuple(qubit for group in groups for qubit in group))
            return
        if name == RESET and angles is None and len(groups) == 1:
            yield from (Operation(RESET, (qubit,)) for qubit in groups[0])
            return
        if name not in _WORDS:
            raise _Beyond
        word, num_angles, turned = _WORDS[name]
        values = tuple(_angle(part) for part in angles.split(",")) if angles else ()
        if len(values) != num_angles or len(groups) != GATES[word].num_qubits:
            raise _Beyond
        if len(groups) > 1 and any(len(group) > 1 for group in groups):
            raise _Beyond
        for qubits in zip(*groups, strict=True):
            yield Operation(word, qubits, turned(values))


def _parts(statement: str) -> tuple[str, str | None, str]:
    """Split `name(angles) operands`, or `name operands`."""
    found = _NAME.match(statement)
    if not found:
        raise _Beyond
    rest = statement[found.end() :].lstrip()
    if not rest.startswith("("):
        return found[0], None, rest
    end = rest.rfind(")")
    if end < 0:
        raise _Beyond
    return found[0], rest[1:end], rest[end + 1 :]


def _size(table: dict[str, range]) -> int:
    return sum(len(places) for places in table.values())


def _angle(text: str) -> float:
    """Compute an angle of numbers, pi, + - * / and brackets."""
    if len(text) > _LONGEST_ANGLE:
        raise _Beyond
    tokens, at = [], 0
    while text[at:].strip():
        found = _TOKEN.match(text, at)
        if not found:
            raise _Beyond
        tokens.append(found[0].strip())
        at = found.end()
    value, rest = _sum(tokens, 0)
    if rest or not math.isfinite(value):
        raise _Beyond
    return value


def _sum(tokens: list[str], depth: int) -> tuple[float, list[str]]:
    value, tokens = _product(tokens, depth)
    while tokens and tokens[0] in "+-":
        sign = 1.0 if tokens[0] == "+" else -1.0
        term, tokens = _product(tokens[1:], depth)
        value += sign * term
    return value, tokens


def _product(tokens: list[str], depth: int) -> tuple[float, list[str]]:
    value, tokens = _factor(tokens, depth)
    while tokens and tokens[0] in "*/":
        word = tokens[0]
        factor, tokens = _factor(tokens[1:], depth)
        if word == "/" and factor == 0.0:
            raise _Beyond
        value = value * factor if word == "*" else value / factor
    return value, tokens


def _factor(tokens: list[str], depth: int) -> tuple[float, list[str]]:
    if not tokens or depth > _DEEPEST:
        raise _Beyond
    first, rest = tokens[0], tokens[1:]
    if first in "+-":
        value, rest = _factor(rest, depth + 1)
        return (value if first == "+" else -value), rest
    if first == "(":
        value, rest = _sum(rest, depth + 1)
        if not rest or rest[0] != ")":
            raise _Beyond
        return value, rest[1:]
    if first in ")*/":
        raise _Beyond
    return (math.pi if first == "pi" else float(first)), rest
