"""`qsubnet miner status`: does the miner run, what waits, what was it judged and paid?"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from qsubnet.cli.places import connection
from qsubnet.cli.printing import print_json
from qsubnet.errors import ConfigurationError

if TYPE_CHECKING:
    from qsubnet.client import Connection
    from qsubnet.settings import Settings

EXIT_NOT_RUNNING = 3


def status(
    config: Annotated[Path, typer.Option(help="The miner's file.")] = Path("miner.toml"),
    url: Annotated[
        str, typer.Option(help="Where it serves; else as its file or the ledger says.")
    ] = "",
    json_: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Show health, devices, queue, jobs by state, and the hotkey's verdicts, weight and emission.

    Ends with 0 where the miner answers, with 3 where it does not.

    Example: qsubnet miner status --config miner.toml
    """
    import asyncio

    from qsubnet.cli.services import settings
    from qsubnet.cli.signals import interruptible
    from qsubnet.miner.configuration import load_miner_config
    from qsubnet.onboarding.status import miner_of, status_in_words, status_of

    miner = miner_of(load_miner_config(config), url=url.rstrip("/"))
    document = asyncio.run(interruptible(status_of(miner, gateway=_gateway(settings()))))
    if json_:
        print_json(document)
    else:
        typer.echo(status_in_words(document))
    if not document["running"]:
        raise typer.Exit(EXIT_NOT_RUNNING)


def _gateway(chosen: Settings) -> Connection | None:
    """Find a gateway to ask; most miners have none."""
    try:
        return connection(chosen)
    except ConfigurationError:
        return None
