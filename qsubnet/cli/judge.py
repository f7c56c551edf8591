"""`qsubnet judge`: judge a device of your own, outside the network."""

from __future__ import annotations

import json
from typing import Annotated, Any

import typer

from qsubnet.cli.printing import print_json, say
from qsubnet.errors import BadInput


def judge(
    provider: Annotated[str, typer.Option(help="Adapter by name: exec, standin, aer ...")],
    command: Annotated[str, typer.Option(help="Of exec: the program, such as 'python dev.py'.")] = (
        ""
    ),
    sheet: Annotated[str, typer.Option(help="Of exec: the file with the device's claim.")] = "",
    format_: Annotated[str, typer.Option("--format", help="Of exec: openqasm3 or openqasm2.")] = "",
    options: Annotated[str, typer.Option(help="The adapter's options as a JSON object.")] = "{}",
    device: Annotated[str, typer.Option(help="Which device; the first unless told.")] = "",
    epochs: Annotated[int, typer.Option(min=1, max=10_000, help="Virtual time steps.")] = 4,
    seed: Annotated[
        int | None, typer.Option(min=0, help="Draw the tests from this; fresh ones unless told.")
    ] = None,
    json_: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Run the validators' tests on a device and print the verdict.

    Example: qsubnet judge --provider exec --command "python dev.py" --sheet sheet.json
    """
    import asyncio

    from qsubnet.cli.signals import interruptible
    from qsubnet.judging.document import in_words, judge_document
    from qsubnet.judging.live import Bench, judge_live, secret_from
    from validator.reference import Reference, best_engine

    given = {**_object(options), **_own(provider, command, sheet, format_)}
    bench = Bench(provider, given, secret_from(seed))
    try:
        reference = Reference(best_engine())
        work = judge_live(bench, epochs=epochs, reference=reference, device=device, watch=say)
        judged = asyncio.run(interruptible(work))
    finally:
        bench.close()
    if json_:
        print_json(judge_document(judged, reference=reference))
    else:
        typer.echo(in_words(judged))


def _own(provider: str, command: str, sheet: str, format_: str) -> dict[str, Any]:
    """Collect the options that have a flag of their own."""
    given = {"command": command, "sheet": sheet, "format": format_}
    said = {name: value for name, value in given.items() if value}
    if said and provider != "exec":
        raise BadInput(f"--{next(iter(said))} is for --provider exec, got {provider!r}")
    return said


def _object(text: str) -> dict[str, Any]:
    try:
        content = json.loads(text)
    except ValueError as error:
        raise BadInput(f"--options is no JSON: {error}") from None
    if not isinstance(content, dict):
        raise BadInput("--options needs a JSON object")
    return content
