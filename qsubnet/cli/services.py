"""`qsubnet miner serve`, `validator run` and `gateway serve`: put a service together and run it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

import typer

from qsubnet.cli.places import default_state, read_api_keys
from qsubnet.cli.printing import print_json, say
from qsubnet.errors import BadInput, ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from qsubnet.miner.configuration import MinerFile
    from qsubnet.settings import Settings

T = TypeVar("T")

KeyFile = Annotated[Path | None, typer.Option(help="The hotkey's file (mode 0600).")]
Ledger = Annotated[Path | None, typer.Option(help="The local ledger's file.")]
State = Annotated[Path | None, typer.Option(help="State directory.")]
Database = Annotated[
    str | None, typer.Option(help="SQLAlchemy URL of the operator's store; default SQLite.")
]
Host = Annotated[str | None, typer.Option(help="Where to listen.")]
Port = Annotated[int, typer.Option(min=0, max=65_535, help="Port; 0 picks a free one.")]
MetricsPort = Annotated[
    int | None,
    typer.Option(min=0, max=65_535, help="Side port for /metrics, /healthz and /readyz."),
]
MetricsHost = Annotated[str, typer.Option(help="Where the side port listens.")]
LogFormat = Annotated[str, typer.Option(help="Of the lines on stderr: json or text.")]
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
    adapter: Annotated[
        str | None, typer.Option(help="Adapter by name: aer, cirq, braket, standin ...")
    ] = None,
    options: Annotated[
        str | None, typer.Option(help="The adapter's options as a JSON object.")
    ] = None,
    config: Annotated[
        Path | None, typer.Option(help="A miner.toml; options given beside it win.")
    ] = None,
    key_file: KeyFile = None,
    ledger: Ledger = None,
    state: State = None,
    host: Host = None,
    announce: Annotated[
        str | None,
        typer.Option(help="http(s)://host:port for the chain, if others reach it elsewhere."),
    ] = None,
    port: Annotated[
        int | None, typer.Option(min=0, max=65_535, help="Port; 0 picks a free one (the default).")
    ] = None,
    seed: Annotated[str | None, typer.Option(help="Root of a simulator's seeds; any text.")] = None,
    max_concurrent: Annotated[
        int | None, typer.Option(min=1, help="Jobs at the backend at once; default 4.")
    ] = None,
    min_stake_rao: Annotated[
        int, typer.Option(min=0, help="Stake that a requester needs beside its permit, in rao.")
    ] = 0,
    drain_s: Annotated[
        float, typer.Option(min=0, help="How long a signal waits for what is at the backend.")
    ] = 5.0,
    keep_days: Annotated[
        int | None, typer.Option(min=1, help="Forget ended jobs after so many days; default never.")
    ] = None,
    metrics_port: MetricsPort = None,
    metrics_host: MetricsHost = "127.0.0.1",
    log_format: LogFormat = "json",
    until_stdin_closes: UntilStdinCloses = False,
) -> None:
    """Serve one adapter's devices to validators and gateways, until a signal.

    Example: qsubnet miner serve --adapter aer --key-file miner.key --ledger ledger.db
    """
    _bind_to_parent(until_stdin_closes=until_stdin_closes)
    from qsubnet.miner.serve import MinerConfig, serve_miner

    chosen = settings()
    base = _miner_file(config, adapter, state, chosen)
    served = MinerConfig(
        adapter=_first(adapter, base.adapter),
        options=base.options if options is None else _object(options),
        key_file=_first(key_file, base.key_file),
        ledger=_first(ledger, base.ledger),
        state=_first(state, base.state),
        host=_first(host, base.host),
        port=_first(port, base.port),
        seed=_first(seed, base.seed),
        max_concurrent=_first(max_concurrent, base.max_concurrent),
        maintenance=base.maintenance,
        min_stake_rao=min_stake_rao,
        drain_s=drain_s,
        keep_days=keep_days,
        metrics=_side(metrics_port, metrics_host),
        announce=announce,
    )
    _serve(serve_miner(served), chosen, log_format, options=served.options)


def _miner_file(
    config: Path | None, adapter: str | None, state: Path | None, chosen: Settings
) -> MinerFile:
    """Read the miner's file; where there is none, what settings and defaults say instead of it."""
    from qsubnet.miner.configuration import MinerFile, load_miner_config

    if config is not None:
        return load_miner_config(config)
    if adapter is None:
        raise BadInput("need --adapter, or --config with a miner.toml")
    root = (state or _root(chosen) / "miner").absolute()
    return MinerFile(
        adapter=adapter,
        key_file=chosen.key_file or root / "miner.key",
        ledger=_ledger(None, chosen),
        state=root,
        host=chosen.host,
    )


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
    metrics_file: Annotated[
        Path | None,
        typer.Option(help="Written after each round, for node exporter's textfile collector."),
    ] = None,
    log_format: LogFormat = "json",
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
        metrics_file=metrics_file,
    )
    found = _serve(
        run_validator(config, wait=wait, every_s=every),
        chosen,
        log_format,
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
    metrics_port: MetricsPort = None,
    metrics_host: MetricsHost = "127.0.0.1",
    log_format: LogFormat = "json",
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
        metrics=_side(metrics_port, metrics_host),
    )
    _serve(
        serve_gateway(config, ready=lambda url: say(f"gateway at {url}")),
        chosen,
        log_format,
    )


def _root(chosen: Settings) -> Path:
    return chosen.state or default_state()


def _ledger(given: Path | None, chosen: Settings) -> Path:
    return given or chosen.ledger or _root(chosen) / "ledger.db"


def _first(given: T | None, otherwise: T) -> T:
    return otherwise if given is None else given


def _side(port: int | None, host: str) -> tuple[str, int] | None:
    return None if port is None else (host, port)


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


def _serve(
    work: Any,  # noqa: ANN401 - a coroutine
    chosen: Settings,
    log_format: str,
    *,
    options: Mapping[str, Any] | None = None,
) -> Any:  # noqa: ANN401 - its result
    """Run a service's coroutine with logs and signals; a signal is its normal end."""
    import asyncio
    import os

    from qsubnet.cli.signals import interruptible
    from qsubnet.logs import configure
    from qsubnet.miner.redaction import Redactor, credentials_in

    redactor = Redactor(credentials_in(os.environ, options=options))
    configure(chosen.log_level, form=log_format, redact=redactor.text)
    try:
        return asyncio.run(interruptible(work))
    except KeyboardInterrupt:
        return None
