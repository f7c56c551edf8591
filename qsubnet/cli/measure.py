"""`qsubnet measure`: the figures that researchers expect of a device, as reports."""

from __future__ import annotations

import math
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from qsubnet.cli.adapter_options import adapter_options
from qsubnet.cli.drawing import terminal
from qsubnet.cli.printing import print_json, say
from qsubnet.errors import BadInput, NotFound

if TYPE_CHECKING:
    from rich.table import Table

    from circuits.program import Program
    from qsubnet.measuring.figure import Figure
    from qsubnet.measuring.measured import Measured
    from validator.interval import Interval


def measure(
    kind: Annotated[
        str,
        typer.Argument(help="volume, layer-fidelity, ghz, binary-rb, mcfe, patches or twins."),
    ],
    provider: Annotated[str, typer.Option(help="Adapter by name: exec, standin, aer ...")],
    command: Annotated[str, typer.Option(help="Of exec: the program, such as 'python dev.py'.")] = (
        ""
    ),
    sheet: Annotated[str, typer.Option(help="Of exec: the file with the device's claim.")] = "",
    format_: Annotated[str, typer.Option("--format", help="Of exec: openqasm3 or openqasm2.")] = "",
    options: Annotated[str, typer.Option(help="The adapter's options as a JSON object.")] = "{}",
    device: Annotated[str, typer.Option(help="Which device; the first unless told.")] = "",
    width: Annotated[
        list[int] | None, typer.Option(help="Qubits; may be given several times.")
    ] = None,
    depth: Annotated[
        list[int] | None, typer.Option(help="Layers or lengths; may be given several times.")
    ] = None,
    circuits: Annotated[int, typer.Option(min=0, help="How many; 0: as the kind needs.")] = 0,
    shots: Annotated[
        int | None, typer.Option(min=1, help="Of every circuit; as the kind needs unless told.")
    ] = None,
    circuit: Annotated[str, typer.Option(help="Of mcfe: an OpenQASM file.")] = "",
    second_provider: Annotated[str, typer.Option(help="Of twins: the other's adapter.")] = "",
    second_options: Annotated[str, typer.Option(help="Of twins: its options, JSON.")] = "{}",
    second_device: Annotated[str, typer.Option(help="Of twins: which device of it.")] = "",
    seed: Annotated[
        int | None, typer.Option(min=0, help="Draw the circuits from this; fresh unless told.")
    ] = None,
    json_: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Measure a figure of a device, with its interval; a report, never a verdict.

    Example: qsubnet measure ghz --provider standin --options '{"machine": "hanoi"}' --width 5
    """
    import asyncio

    from qsubnet.cli.signals import interruptible
    from qsubnet.judging.live import Bench, secret_from
    from qsubnet.measuring.kinds import kind_of
    from qsubnet.measuring.live import measure_live
    from qsubnet.measuring.measured import document
    from qsubnet.measuring.wish import Wish
    from validator.plan import case_key
    from validator.references.reference import DenseEngine, Reference, best_engine

    known = kind_of(kind)
    if not second_provider and (second_device or second_options != "{}"):
        raise BadInput("--second-options and --second-device go with --second-provider")
    program = _program(circuit) if circuit else None
    given = adapter_options(provider, options, command=command, sheet=sheet, format_=format_)
    other = adapter_options(
        second_provider, second_options, command="", sheet="", format_="", flag="--second-options"
    )
    secret = secret_from(seed)
    reference = Reference(best_engine() if known.simulated else DenseEngine())
    wish = Wish(reference, circuits, tuple(width or ()), tuple(depth or ()), program)
    benches = [(Bench(provider, given, secret), device)]
    try:
        if second_provider:
            bench = Bench(second_provider, other, case_key(secret, "second"))
            benches.append((bench, second_device))
        work = measure_live(kind, benches, wish, shots=shots, watch=say)
        measured = asyncio.run(interruptible(work))
    finally:
        for bench, _ in benches:
            bench.close()
    if json_:
        print_json({**document(measured), "seed": seed})
    else:
        _show(measured)


def _program(path: str) -> Program:
    from circuits.importing import ImportLimits, import_program
    from qsubnet.wire.domain import PROGRAM_LIMITS

    try:
        source = Path(path).read_bytes()
    except FileNotFoundError:
        raise NotFound(f"no file {path}") from None
    except OSError as error:
        raise BadInput(f"cannot read {path}: {error.strerror}") from None
    return import_program(source, limits=ImportLimits(program=PROGRAM_LIMITS))


def _show(measured: Measured) -> None:
    """Print a table, and below it what each name does not say."""
    names = " and ".join(repr(subject.device.name) for subject in measured.subjects)
    console = terminal()
    console.print(_table(measured, f"{measured.kind} of {names}, 95 % intervals"))
    for trap, called in _traps(measured.figures).items():
        console.print(f"{', '.join(called)}: {trap}", markup=False, highlight=False)
    for subject in measured.subjects:
        failed = subject.asked - subject.answered
        if failed:
            say(f"{subject.device.name}: {failed} of {subject.asked} circuits without an answer")


def _table(measured: Measured, title: str) -> Table:
    from rich.table import Table
    from rich.text import Text

    table = Table(title=title, title_justify="left", expand=False)
    table.add_column("figure")
    table.add_column("of")
    table.add_column("value", justify="right")
    table.add_column("circuits", justify="right")
    table.add_column("shots", justify="right")
    table.add_column("note")
    for figure in measured.figures:
        words = (figure.name, figure.of, in_words(figure.bounds))
        numbers = (str(figure.circuits), str(figure.shots))
        table.add_row(*(Text(cell) for cell in (*words, *numbers, figure.note)))
    return table


def in_words(bounds: Interval | None) -> str:
    """Write an interval with the digits that its width deserves.

    Example:
        >>> from validator.interval import Interval
        >>> in_words(Interval(0.98712, 0.99123, 0.99521)), in_words(Interval(8, 8, math.inf))
        ('0.9912 [0.9871, 0.9952]', '8 or more')
    """
    if bounds is None:
        return "undefined"
    if math.isinf(bounds.high):
        return f"{bounds.estimate:g} or more"
    wide = bounds.high - bounds.low
    digits = 3 if wide <= 0 else min(6, max(3, 1 - math.floor(math.log10(wide))))
    ends = (bounds.estimate, bounds.low, bounds.high)
    estimate, low, high = (f"{round(end, digits) + 0.0:.{digits}f}" for end in ends)
    return f"{estimate} [{low}, {high}]"


def _traps(figures: tuple[Figure, ...]) -> dict[str, list[str]]:
    """Give each trap once, with the figures that have it."""
    found: dict[str, list[str]] = {}
    for figure in figures:
        called = found.setdefault(figure.trap, [])
        if figure.name not in called:
            called.append(figure.name)
    return found
