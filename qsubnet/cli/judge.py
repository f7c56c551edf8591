"""`qsubnet judge`: judge a device of your own, outside the network."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from qsubnet.cli.adapter_options import adapter_options
from qsubnet.cli.printing import print_json, say
from qsubnet.cli.report import report_judged, writable
from qsubnet.errors import BadInput

if TYPE_CHECKING:
    from providers.base import Json
    from qsubnet.judging.live import Bench, Judged
    from validator.references.reference import Reference

EPOCHS = 4
TRUSTED_SHOTS = 20_000
"""An epoch's shots beside a reference run: 24 such epochs mostly reach S3 at 10 % drift."""


def judge(
    provider: Annotated[
        str, typer.Option(help="Adapter by name: exec, standin, aer ... Or --records.")
    ] = "",
    records: Annotated[
        str, typer.Option(help="Instead of running a device: a file of recorded executions.")
    ] = "",
    command: Annotated[str, typer.Option(help="Of exec: the program, such as 'python dev.py'.")] = (
        ""
    ),
    sheet: Annotated[str, typer.Option(help="Of exec: the file with the device's claim.")] = "",
    format_: Annotated[str, typer.Option("--format", help="Of exec: openqasm3 or openqasm2.")] = "",
    reference_command: Annotated[
        str,
        typer.Option(help="Of exec: a trusted program, run on the machine that it is said to be."),
    ] = "",
    options: Annotated[str, typer.Option(help="The adapter's options as a JSON object.")] = "{}",
    device: Annotated[str, typer.Option(help="Which device; the first unless told.")] = "",
    epochs: Annotated[
        int | None, typer.Option(min=1, max=10_000, help="Virtual time steps; 4 unless told.")
    ] = None,
    shots: Annotated[
        int | None,
        typer.Option(
            min=100,
            max=10_000_000,
            help="Of a qpu in each epoch; 8000 unless told, beside a reference 20000.",
        ),
    ] = None,
    seed: Annotated[
        int | None, typer.Option(min=0, help="Draw the tests from this; fresh ones unless told.")
    ] = None,
    report: Annotated[
        Path | None, typer.Option(help="Write a report to this HTML file, too.")
    ] = None,
    export: Annotated[
        Path | None, typer.Option(help="Write all that the verdict follows from to this file.")
    ] = None,
    exported: Annotated[
        Path | None, typer.Option(help="Judge such a file again, instead of running a device.")
    ] = None,
    json_: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Run the validators' tests on a device, or read recorded executions; print the verdict.

    Example: qsubnet judge --provider exec --command "python dev.py" --sheet sheet.json
    """
    live = bool(provider or command or sheet or reference_command or report or export)
    live = live or any(given is not None for given in (epochs, shots, seed))
    if exported:
        if live or records or device:
            raise BadInput("--exported goes with --json alone")
        _judge_exported(exported, json_=json_)
        return
    if records:
        if live:
            raise BadInput("--records goes with --device and --json alone")
        _judge_records(records, device=device, json_=json_)
        return
    if not provider:
        raise BadInput("need --provider, or --records or --exported with a file")
    for place in filter(None, (report, export)):
        writable(place)

    given = adapter_options(provider, options, command=command, sheet=sheet, format_=format_)
    _judge_device(
        Asked(provider, given, reference_command, device, epochs or EPOCHS, shots, seed),
        export=export,
        report=report,
        json_=json_,
    )


@dataclass(frozen=True, slots=True)
class Asked:
    """What is judged live: an adapter with its options, and for how long."""

    provider: str
    options: Mapping[str, Json]
    reference_command: str
    device: str
    epochs: int
    shots: int | None
    seed: int | None


def _judge_device(asked: Asked, *, export: Path | None, report: Path | None, json_: bool) -> None:
    from qsubnet.judging.document import in_words, judge_document
    from qsubnet.judging.exported import reproducible, write_exported
    from qsubnet.judging.live import Bench, secret_from
    from validator.references.reference import Reference, best_engine

    reference = reproducible() if export else Reference(best_engine())
    bench = Bench(asked.provider, asked.options, secret_from(asked.seed))
    try:
        judged = _judged(bench, asked, reference=reference)
    finally:
        bench.close()
    _show(judge_document(judged, reference=reference), in_words(judged), json_=json_)
    if export:
        write_exported(export, judged)
        say(f"all that the verdict follows from is in {export}")
    if report:
        report_judged(report, judged, secret=bench.secret, reference=reference)


def _judged(bench: Bench, asked: Asked, *, reference: Reference) -> Judged:
    """Judge a device live; what its backend says of failures is masked.

    It may quote the credential that it was sent.
    """
    import asyncio

    from qsubnet.cli.signals import interruptible
    from qsubnet.judging.live import judge_live
    from qsubnet.miner.redaction import Redactor, credentials_in
    from validator.plan import SHOTS_PER_EPOCH

    redactor = Redactor(credentials_in(os.environ, options=asked.options))
    trusted = _trusted(bench, asked.reference_command)
    try:
        work = judge_live(
            bench,
            epochs=asked.epochs,
            reference=reference,
            trusted=trusted,
            device=asked.device,
            shots=asked.shots or (TRUSTED_SHOTS if trusted else SHOTS_PER_EPOCH),
            watch=lambda text: say(redactor.text(text)),
        )
        judged = asyncio.run(interruptible(work))
    finally:
        if trusted is not None:
            trusted.close()
    told = {redactor.text(failure): times for failure, times in judged.failures.items()}
    return replace(judged, failures=told)


def _show(document: dict[str, Any], words: str, *, json_: bool) -> None:
    """Print a verdict; the digest in words is of the document without `cpu_s`."""
    from qsubnet.judging.document import verdict_digest

    if json_:
        print_json(document)
    else:
        typer.echo(f"{words}\n  verdict sha256 {verdict_digest(document)}")


def _judge_exported(path: Path, *, json_: bool) -> None:
    from qsubnet.judging.document import in_words, judge_document
    from qsubnet.judging.exported import judge_exported, reproducible

    reference = reproducible()
    judged = judge_exported(path, reference=reference)
    _show(judge_document(judged, reference=reference), in_words(judged), json_=json_)


def _judge_records(path: str, *, device: str, json_: bool) -> None:
    from qsubnet.judging.document import records_document, records_in_words
    from qsubnet.judging.recorded import judge_records, read_records
    from validator.references.reference import Reference, best_engine

    file = read_records(Path(path), device=device, watch=say)
    judged = judge_records(file, reference=Reference(best_engine()), watch=say)
    _show(records_document(judged), records_in_words(judged), json_=json_)


def _trusted(bench: Bench, command: str) -> Bench | None:
    """Make the bench of `--reference-command`: the same protocol and sheet, its own chance."""
    from providers.errors import ProviderError
    from qsubnet.judging.live import Bench
    from validator.plan import case_key

    if not command:
        return None
    if bench.adapter != "exec":
        raise BadInput(f"--reference-command is for --provider exec, got {bench.adapter!r}")
    options = {**bench.options, "command": command}
    try:
        return Bench(bench.adapter, options, case_key(bench.secret, "reference"))
    except ProviderError as error:
        raise BadInput(f"--reference-command: {error}") from None
