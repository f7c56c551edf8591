"""Your own control software: a program that is started once and speaks JSON lines.

A question on its stdin, one line:

    {"id": "job-1", "program": {"format": "openqasm3", "source": "OPENQASM 3.0; ..."},
     "shots": 1000, "verbatim": true, "epoch": 4}

and its answer on stdout, in any order: {"id": "job-1", "counts": {"0010": 512, ...}} or
{"id": "job-1", "error": "why not"}. Classical bit 0 is the rightmost character. The program ends at
the end of its input; its stderr goes to ours. What it offers is written in a sheet
(`providers.sheet`). The source is the flat profile, self-contained, or with `format` "openqasm2"
what Qiskit's exporter makes of it, whose `qelib1.inc` is Qiskit's (it has sx, sxdg, p and u too).

A hang, crash, stray line, oversized line or malformed counts are an error of that job. Bitstrings
of a wrong width and totals up to twice the shots pass as they came: those are mistakes that a
judge calls by their name.

Blind spot: one program of a job that fails is the whole job's failure. See also `providers.lines`.
"""

from __future__ import annotations

import shlex
import shutil
from collections.abc import Mapping
from typing import TYPE_CHECKING, cast

from circuits.counts import Counts
from circuits.errors import CircuitError
from providers.base import ProgramResult, ResultKind
from providers.errors import JobFailed, Rejected
from providers.lines import LineProgram
from providers.local import LocalProvider
from providers.options import Options
from providers.sheet import device_from_sheet, read_sheet

if TYPE_CHECKING:
    from circuits.draws import Draws
    from circuits.program import Program
    from providers.base import Context, Device, Job, Json

FORMATS = ("openqasm2", "openqasm3")

_PER_OUTCOME_BYTES = 24
_MESSAGE_BYTES = 500


class ExecProvider(LocalProvider):
    """The device behind one such program.

    Args:
        device: What the sheet says.
        program: Is asked; closed with this.
        language: One of `FORMATS`.
        context: Tells the epoch.
        in_flight: Questions that may be open at the same time.
    """

    def __init__(
        self,
        device: Device,
        program: LineProgram,
        *,
        language: str,
        context: Context,
        in_flight: int = 1,
    ) -> None:
        super().__init__("exec", (device,), execute=self._ask, context=context, workers=in_flight)
        self._program = program
        self._language = language
        self._epoch = context.epoch

    def close(self) -> None:
        """End the program, then everything that waits for it."""
        self._program.close()
        super().close()

    def _ask(self, _device: Device, job: Job, index: int, _draws: Draws) -> ProgramResult:
        program = job.programs[index]
        answer = self._program.ask(
            {
                "program": {"format": self._language, "source": source(program, self._language)},
                "shots": job.shots,
                "verbatim": job.verbatim,
                "epoch": self._epoch(),
            },
            most_bytes=2 * job.shots * (program.num_bits + _PER_OUTCOME_BYTES),
        )
        return ProgramResult(counts_from(answer, shots=job.shots), ResultKind.COUNTS)


def create(options: Mapping[str, Json], context: Context) -> ExecProvider:
    """Make the provider of one program and its sheet.

    Args:
        options: `command` (one text, split as a shell would, but run without one), `sheet` (a path
            or the object itself), `format` ("openqasm3"), `timeout_s` (of one question, 60),
            `restarts` (3), `in_flight` (1) and `device` (its name, the sheet's). The first two
            have no default.
        context: Where the epoch comes from; the program has its own chance.

    Raises:
        Rejected: An option is unknown, missing or wrong, or there is no such program or file.

    Example:
        >>> sheet = {"name": "lab", "class": "simulator", "num_qubits": 3,
        ...          "native_gates": ["u"], "two_qubit_gate": "cx", "coupling": "all"}
        >>> from providers.base import Context
        >>> create({"command": "cat", "sheet": sheet}, Context(b"", lambda: 0)).name
        'exec'
    """
    # An object is no text: the sheet is read by its own module, and is only named here.
    read = Options("exec", {**options, "sheet": "given"} if "sheet" in options else options)
    command = read.text("command", "")
    read.text("sheet", "")
    language = read.word("format", "openqasm3", FORMATS)
    timeout_s = read.real("timeout_s", 60.0, low=0.01, high=86_400.0)
    restarts = read.whole("restarts", 3, low=0, high=1_000)
    in_flight = read.whole("in_flight", 1, low=1, high=64)
    name = read.text("device", "")
    read.done()
    words = _words(command)
    sheet = options.get("sheet")
    content = read_sheet(sheet) if isinstance(sheet, str) else sheet
    if content is None:
        raise Rejected("adapter 'exec' needs the option 'sheet', a path or a JSON object")
    device = device_from_sheet(content, provider="exec", name=name)
    program = LineProgram(words, timeout_s=timeout_s, restarts=restarts)
    return ExecProvider(device, program, language=language, context=context, in_flight=in_flight)


def _words(command: str) -> list[str]:
    try:
        words = shlex.split(command)
    except ValueError as error:
        raise Rejected(f"option 'command' of 'exec' cannot be split: {error}") from None
    if not words:
        raise Rejected("adapter 'exec' needs the option 'command', such as 'python dev.py'")
    if shutil.which(words[0]) is None:
        raise Rejected(f"option 'command' of 'exec': there is no program {words[0][:200]!r}")
    return words


def source(program: Program, language: str) -> str:
    """Write a program in one of `FORMATS`.

    Raises:
        JobFailed: OpenQASM 2 has no word for it.

    Example:
        >>> from circuits.program import Operation, Program, measure
        >>> flip = Program(1, 1, (Operation("x", (0,)), measure(0, 0)))
        >>> source(flip, "openqasm3").splitlines()[-1]
        'c[0] = measure q[0];'
        >>> source(flip, "openqasm2").splitlines()[-1]
        'measure q[0] -> c[0];'
    """
    if language == "openqasm3":
        return program.text
    from qiskit import qasm2

    from circuits.emitters.qiskit import to_qiskit

    try:
        return str(qasm2.dumps(to_qiskit(program)))
    except qasm2.QASM2ExportError as error:
        raise JobFailed(f"the program cannot be written in OpenQASM 2: {error}") from None


def counts_from(answer: Mapping[str, Json], *, shots: int) -> Counts:
    """Read the counts of an answer.

    Returns:
        As they came: of one width, whatever it is, and of at most twice the shots asked for.

    Raises:
        JobFailed: It is an error, or no counts.

    Example:
        >>> counts_from({"id": "job-1", "counts": {"01": 3}}, shots=3).table
        {'01': 3}
    """
    if "error" in answer:
        raise JobFailed(f"the program says: {str(answer['error'])[:_MESSAGE_BYTES]}")
    table = answer.get("counts")
    if not isinstance(table, Mapping) or not table:
        raise JobFailed("the program answered without counts, need {'counts': {bitstring: shots}}")
    try:
        # What is no whole number is refused there.
        counts = Counts(len(next(iter(table))), cast("Mapping[str, int]", table))
    except CircuitError as error:
        raise JobFailed(f"the program's counts are wrong: {error}") from None
    if not 1 <= counts.shots <= 2 * shots:
        raise JobFailed(f"the program answered with {counts.shots} shots, asked were {shots}")
    return counts
