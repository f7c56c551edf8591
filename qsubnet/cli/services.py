"""`qsubnet miner serve`, `validator run` and `gateway serve`: put a service together and run it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from qsubnet.cli.places import default_state, read_api_keys
from qsubnet.cli.printing import print_json, say
from qsubnet.errors import BadInput, ConfigurationError

if TYPE_CHECKING:
    from qsubnet.settings import Settings

KeyFile = Annotated[Path | None, typer.Option(help="The hotkey's file (mode 0600).")]
Ledger = Annotated[Path | None, typer.Option(help="The local ledger's file.")]
State = Annotated[Path | None, typer.Option(help="State directory.")]
Database = Annotated[
    str | None, typer.Option(help="SQLAlchemy URL of the operator's store; default SQLite.")
]
Host = Annotated[str | None, typer.Option(help="Where to listen.")]
Port = Annotated[int, typer.Option(min=0, max=65_535, help="Port; 0 picks a free one.")]
UntilStdinCloses = Annotated[
    bool, typer.Option("--until-stdin-closes", hidden=True, help="End when stdin closes.")
]


def settings() -> Settings:
    """Read the settings once.

    Raises:
        ConfigurationError: A variable of the environment has a wrong value.
    """
    from pydantic import ValidationError

    from qsubnet.settings import Settings

    try:
        return Settings()
    except ValidationError as error:
        first = error.errors()[0]
        name = "_".join(["QSUBNET", *(str(step).upper() for step in first["loc"])])
        raise ConfigurationError(f"{name}: {first['msg']}") from None


def miner_serve(
    adapter: Annotated[str, typer.Option(help="Adapter by name: aer, cirq, braket, standin ...")],
    options: Annotated[str, typer.Option(help="The adapter's options as a JSON object.")] = "{}",
    key_file: KeyFile = None,
    ledger: Ledger = None,
    state: State = None,
    host: Host = None,
    port: Port = 0,
    seed: Annotated[str, typer.Option(help="Root of a simulator's seeds; any text.")] = "",
    until_stdin_closes: UntilStdinCloses = False,
) -> None:
    """Serve one adapter's devices to validators and gateways, until a signal.

    Example: qsubnet miner serve --adapter aer --key-file miner.key --ledger ledger.db
    """
    _bind_to_parent(until_stdin_closes=until_stdin_closes)
    from qsubnet.miner.serve import MinerConfig, serve_miner

    chosen = settings()
    root = state or _root(chosen) / "miner"
    config = MinerConfig(
        adapter=adapter,
        options=_object(options),
        key_file=key_file or chosen.key_file or root / "miner.key",
        ledger=_ledger(ledger, chosen),
        state=root,
        host=host or chosen.host,
        port=port,
        seed=seed,
    )
    _serve(serve_miner(config), chosen)


def validator_run(
    once: Annotated[
        bool, typer.Option("--once", help="One round, never waiting; for cron (the default).")
    ] = False,
    wait: Annotated[
        bool, typer.Option("--wait", help="Rounds until the epoch's weights are set.")
    ] = False,
    every: Annotated[
        float | None, typer.Option(min=0.05, help="For ever, pausing so many seconds.")
    ] = None,
    key_file: KeyFile = None,
    ledger: Ledger = None,
    state: State = None,
    database: Database = None,
    json_: Annotated[bool, typer.Option("--json", help="Print the round as JSON.")] = False,
    until_stdin_closes: UntilStdinCloses = False,
) -> None:
    """Collect finished tests, submit what is due, judge, set weights; safe to kill at any time.

    Example, for cron: qsubnet validator run --once
    """
    _bind_to_parent(until_stdin_closes=until_stdin_closes)
    from dataclasses import asdict

    from qsubnet.store.database import sqlite_url
    from qsubnet.validating.run import ValidatorConfig, run_validator

    if once and (wait or every):
        raise BadInput("--once never waits; give it alone, or --wait and --every without it")
    chosen = settings()
    root = state or _root(chosen) / "validator"
    config = ValidatorConfig(
        key_file=key_file or chosen.key_file or root / "validator.key",
        ledger=_ledger(ledger, chosen),
        state=root,
        database=database or chosen.database or sqlite_url(root / "operator.db"),
    )
    found = _serve(
        run_validator(config, wait=wait, every_s=every),
        chosen,
    )
    if found is None:
        return
    if json_:
        print_json(asdict(found))
    else:
        state_word = "weights are set" if found.closed else f"{found.open_tests} tests are open"
        say(f"epoch {found.epoch}: {state_word}")


def gateway_serve(
    api_key_file: Annotated[
        Path, typer.Option(help="File of API keys, one 'account key' a line, mode 0600.")
    ],
    key_file: KeyFile = None,
    ledger: Ledger = None,
    state: State = None,
    database: Database = None,
    host: Host = None,
    port: Port = 0,
    until_stdin_closes: UntilStdinCloses = False,
) -> None:
    """Serve researchers over HTTP, until a signal.

    Example: qsubnet gateway serve --api-key-file keys --key-file operator.key --ledger ledger.db
    """
    _bind_to_parent(until_stdin_closes=until_stdin_closes)
    from qsubnet.gateway.serve import GatewayConfig, serve_gateway
    from qsubnet.store.database import sqlite_url

    chosen = settings()
    root = state or _root(chosen) / "validator"
    config = GatewayConfig(
        key_file=key_file or chosen.key_file or root / "validator.key",
        ledger=_ledger(ledger, chosen),
        state=root,
        database=database or chosen.database or sqlite_url(root / "operator.db"),
        host=host or chosen.host,
        port=port,
        api_keys=read_api_keys(api_key_file),
    )
    _serve(
        serve_gateway(config, ready=lambda url: say(f"gateway at {url}")),
        chosen,
    )


def _root(chosen: Settings) -> Path:
    return chosen.state or default_state()


def _ledger(given: Path | None, chosen: Settings) -> Path:
    return given or chosen.ledger or _root(chosen) / "ledger.db"


def _object(text: str) -> dict[str, Any]:
    try:
        found = json.loads(text)
    except json.JSONDecodeError as error:
        raise BadInput(f"--options is no JSON: {error}") from None
    if not isinstance(found, dict):
        raise BadInput("--options needs a JSON object, such as '{\"num_qubits\": 20}'")
    return found


def _bind_to_parent(*, until_stdin_closes: bool) -> None:
    """Watch stdin before anything slow is imported, so that no child outlives its parent long."""
    from qsubnet.cli.signals import end_when_stdin_closes

    if until_stdin_closes:
        end_when_stdin_closes()


def _serve(work: Any, chosen: Settings) -> Any:  # noqa: ANN401 - a coroutine and its result
    """Run a service's coroutine with logs and signals; a signal is its normal end."""
    import asyncio

    from qsubnet.cli.signals import interruptible
    from qsubnet.logs import configure

    configure(chosen.log_level)
    try:
        return asyncio.run(interruptible(work))
    except KeyboardInterrupt:
        return None
