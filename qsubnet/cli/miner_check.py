"""`qsubnet miner check`: is a backend ready to be paid, and what has to be mended?"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from qsubnet.cli.adapter_options import adapter_options
from qsubnet.cli.printing import print_json, say
from qsubnet.errors import BadInput

if TYPE_CHECKING:
    from decimal import Decimal

    from qsubnet.onboarding.checking import Checked
    from qsubnet.onboarding.pricing import Price
    from qsubnet.onboarding.standing import Picture
    from qsubnet.onboarding.subject import Subject

HERE = Path("miner.toml")
"""The miner's file unless one is named."""

EXIT_ERRORS_FOUND = 9
"""The check ran, and found something that keeps the device from being paid."""


def check(
    config: Annotated[Path | None, typer.Option(help="The miner's file; miner.toml here.")] = None,
    provider: Annotated[
        str, typer.Option("--provider", "--adapter", help="Or: an adapter by name.")
    ] = "",
    option: Annotated[
        list[str] | None,
        typer.Option(help="An option of the adapter, such as num_qubits=12; several times."),
    ] = None,
    options: Annotated[str, typer.Option(help="The adapter's options as a JSON object.")] = "{}",
    command: Annotated[str, typer.Option(help="Of exec: the program, such as 'python dev.py'.")] = (
        ""
    ),
    sheet: Annotated[str, typer.Option(help="Of exec: the file with the device's claim.")] = "",
    format_: Annotated[str, typer.Option("--format", help="Of exec: openqasm3 or openqasm2.")] = "",
    device: Annotated[str, typer.Option(help="Which device; the first unless told.")] = "",
    epochs: Annotated[
        int, typer.Option(min=0, max=1_000, help="Of tests; 0: the contract suite alone.")
    ] = 2,
    seed: Annotated[
        int | None, typer.Option(min=0, help="Draw the tests from this; fresh ones unless told.")
    ] = None,
    max_cost: Annotated[
        str, typer.Option(help="Do not start above this amount, in the vendor's currency.")
    ] = "",
    ledger: Annotated[Path | None, typer.Option(help="A local ledger, for share and pay.")] = None,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Start without asking.")] = False,
    json_: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Test a backend as validators will, and say what to mend; the price comes first.

    Ends with 0 where nothing has to be mended, with 9 where something has.

    Example: qsubnet miner check --provider exec --command "python dev.py" --sheet sheet.json
    """
    import asyncio

    from qsubnet.cli.signals import interruptible
    from qsubnet.judging.live import Bench, secret_from
    from qsubnet.miner.redaction import Redactor, credentials_in
    from qsubnet.onboarding.checking import check_device, with_standing
    from qsubnet.onboarding.pricing import read_limit
    from qsubnet.onboarding.standing import look
    from qsubnet.onboarding.subject import Subject, options_from_pairs, subject_of
    from validator.references.reference import Reference, best_engine

    redactor = Redactor(credentials_in(os.environ))
    limit = read_limit(max_cost)
    if config is None and not provider:
        config = HERE
        if not config.exists():
            raise BadInput(f"no {HERE} here; need --config with a miner's file, or --provider")
    if config is not None and (provider or option or options != "{}" or command or sheet):
        raise BadInput("--config says which adapter and options; give it without those flags")
    if config is None:
        given = adapter_options(provider, options, command=command, sheet=sheet, format_=format_)
        pairs = options_from_pairs(option or ())
        subject = Subject(provider, {**given, **pairs}, ledger)
    else:
        subject = subject_of(config, ledger=ledger)
    bench = Bench(subject.adapter, subject.options, secret_from(seed))
    try:
        picture = asyncio.run(look(subject.ledger)) if subject.ledger else None
        work = check_device(
            bench,
            epochs=epochs,
            reference=Reference(best_engine()),
            agree=lambda price: _agreed(price, limit, yes=yes),
            device=device,
            watch=lambda text: say(redactor.text(text)),
        )
        checked = asyncio.run(interruptible(work))
    finally:
        bench.close()
    document = _document(with_standing(checked, subject, picture), subject, picture)
    _tell(redactor.json(document), json_=json_)


def _agreed(price: Price, limit: Decimal | None, *, yes: bool) -> bool:
    """Show the price, hold it against the limit, and ask where money is at stake.

    Raises:
        BadInput: It is above the limit, or nobody is there to be asked.
    """
    from qsubnet.onboarding.pricing import over_limit, price_words

    say(f"this check runs {price_words(price)}")
    if limit is not None and (reason := over_limit(price, limit)):
        raise BadInput(f"{reason}; nothing was started")
    if yes or not price.asks_money:
        return True
    if not sys.stdin.isatty():
        raise BadInput("the vendor may charge for this: give --yes to start; nothing was started")
    return typer.confirm("Start?", default=False, err=True)


def _document(checked: Checked, subject: Subject, picture: Picture | None) -> dict[str, Any]:
    from qsubnet.onboarding.check_document import check_document, prospect_of

    prospect = prospect_of(checked, picture, hotkey=subject.hotkey) if picture else None
    return check_document(checked, prospect)


def _tell(document: Any, *, json_: bool) -> None:  # noqa: ANN401 - a JSON object
    from qsubnet.onboarding.check_document import check_in_words

    if json_:
        print_json(document)
    else:
        typer.echo(check_in_words(document))
    if not document["ok"]:
        raise typer.Exit(EXIT_ERRORS_FOUND)
