"""The root command, its groups, and the border where errors become exit codes.

Everything heavy is imported inside the commands, so that `--help` is fast.
"""

from __future__ import annotations

import signal
import sys
from typing import Annotated

import typer

from qsubnet.cli import (
    bank,
    jobs,
    judge,
    localnet,
    measure,
    miner_check,
    miner_init,
    miner_status,
    report,
    services,
)
from qsubnet.cli.printing import explain

app = typer.Typer(
    name="qsubnet",
    help="An open market for quantum and simulated-quantum hardware, judged by evidence.",
    epilog=(
        "Exit codes: 0 done, 1 our fault, 2 bad input, 3 unreachable, 4 the job failed, "
        "5 not found, 6 busy, 7 a peer broke the protocol, 8 refused, 9 a check found faults, "
        "130 interrupted."
    ),
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,  # drawing the help with rich doubles its time
    context_settings={"help_option_names": ["-h", "--help"]},
)
miner = typer.Typer(help="Offer a device.", no_args_is_help=True)
validator = typer.Typer(help="Test devices and set weights.", no_args_is_help=True)
gateway = typer.Typer(help="Serve researchers.", no_args_is_help=True)

app.command("localnet")(localnet.localnet)
app.command("run")(jobs.run)
app.command("devices")(jobs.devices)
app.command("jobs")(jobs.list_jobs)
app.command("judge")(judge.judge)
app.command("measure")(measure.measure)
app.command("report")(report.report)
miner.command("init")(miner_init.init)
miner.command("check")(miner_check.check)
miner.command("serve")(services.miner_serve)
miner.command("status")(miner_status.status)
validator.command("run")(services.validator_run)
gateway.command("serve")(services.gateway_serve)
app.add_typer(miner, name="miner")
app.add_typer(validator, name="validator")
app.add_typer(gateway, name="gateway")
app.add_typer(bank.bank, name="bank")


def _version(asked: bool) -> None:
    if asked:
        from importlib.metadata import version

        typer.echo(f"qsubnet {version('qsubnet')}")
        raise typer.Exit


@app.callback()
def root(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version.")
    ] = False,
) -> None:
    """An open market for quantum and simulated-quantum hardware, judged by evidence."""


def main() -> None:
    """Run the command line; every expected error ends in its sentence and its exit code."""
    # A command that has begun takes both signals itself; until then SIGTERM is Ctrl-C, too.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        app()
    except KeyboardInterrupt:
        typer.echo("interrupted", err=True)
        sys.exit(130)
    except Exception as error:
        code = explain(error)
        if code is None:
            raise
        sys.exit(code)
