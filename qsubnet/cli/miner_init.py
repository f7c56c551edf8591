"""`qsubnet miner init`: a miner's file, its hotkey, and on request its seat."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from qsubnet.cli.adapter_options import adapter_options
from qsubnet.cli.printing import print_json, say
from qsubnet.errors import BadInput

if TYPE_CHECKING:
    from qsubnet.onboarding.founding import Founded


def init(
    config: Annotated[Path, typer.Option(help="The file to write.")] = Path("miner.toml"),
    provider: Annotated[
        str, typer.Option("--provider", "--adapter", help="Adapter by name: exec, aer, ibm ...")
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
    key_file: Annotated[
        Path | None, typer.Option(help="A hotkey that you have; else one is made beside the file.")
    ] = None,
    ledger: Annotated[Path | None, typer.Option(help="The local ledger's file.")] = None,
    state: Annotated[Path | None, typer.Option(help="State directory; default beside it.")] = None,
    host: Annotated[str, typer.Option(help="Where to listen.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65_535, help="Port; 0 picks a free one.")] = 0,
    max_concurrent: Annotated[
        int, typer.Option(min=1, max=1_000, help="Jobs at the backend at the same time.")
    ] = 4,
    maintenance: Annotated[
        list[str] | None, typer.Option(help="'START/END reason', times with zone; several times.")
    ] = None,
    register: Annotated[
        bool, typer.Option("--register", help="Take a seat on the local ledger.")
    ] = False,
    coldkey_file: Annotated[
        Path | None, typer.Option(help="With --register: the coldkey; made if missing.")
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Replace the file; never a key.")] = False,
    json_: Annotated[bool, typer.Option("--json", help="Print JSON; ask nothing.")] = False,
) -> None:
    """Write a commented miner.toml and make a hotkey; asks for what no flag says, on a terminal.

    Example: qsubnet miner init --provider aer --option num_qubits=20
    """
    import asyncio

    from qsubnet.cli.places import default_state
    from qsubnet.cli.services import settings
    from qsubnet.onboarding.founding import Wish, found_miner, read_window, take_seat
    from qsubnet.onboarding.subject import options_from_pairs

    if config.exists() and not force:
        raise BadInput(f"{config} is there already; --force replaces it")
    if coldkey_file and not register:
        raise BadInput("--coldkey-file goes with --register")
    chosen = settings()
    given = ledger or chosen.ledger or (chosen.state or default_state()) / "ledger.db"
    pairs = list(option or ())
    if not provider:
        if json_ or not sys.stdin.isatty():
            raise BadInput("need --provider, for nobody is there to be asked")
        provider, command, sheet, more = _ask(command, sheet)
        pairs += more
        given = Path(typer.prompt("The local ledger's file", default=str(given), err=True))
        port = typer.prompt("Port (0 picks a free one)", default=port, type=int, err=True)
    sheet = str(Path(sheet).absolute()) if sheet else ""
    own = adapter_options(provider, options, command=command, sheet=sheet, format_=format_)
    wish = Wish(
        path=config,
        adapter=provider,
        options={**own, **options_from_pairs(pairs)},
        ledger=given,
        key_file=key_file,
        state=state,
        host=host,
        port=port,
        max_concurrent=max_concurrent,
        maintenance=[read_window(text) for text in maintenance or ()],
    )
    founded = found_miner(wish, replace=force)
    seated = None
    if register:
        coldkey = coldkey_file or founded.key_file.with_name("coldkey.key")
        seated = asyncio.run(take_seat(given, hotkey=founded.hotkey, coldkey_file=coldkey))
    _tell(founded, seated, json_=json_)


def _ask(command: str, sheet: str) -> tuple[str, str, str, list[str]]:
    """Ask for adapter and options; what flags said is not asked again."""
    from qsubnet.onboarding.founding import known_adapters

    names = known_adapters()
    say(f"adapters: {', '.join(names)}")
    provider = typer.prompt("Adapter", type=str, err=True)
    while provider not in names:
        provider = typer.prompt(f"No adapter {provider!r}. Adapter", type=str, err=True)
    if provider == "exec":
        command = command or typer.prompt("Your program, such as 'python dev.py'", err=True)
        sheet = sheet or typer.prompt("The file with the device's claim", err=True)
    pairs: list[str] = []
    while pair := typer.prompt("Option name=value (empty: no more)", default="", err=True):
        pairs.append(pair)
    return provider, command, sheet, pairs


def _tell(founded: Founded, seated: bool | None, *, json_: bool) -> None:
    if json_:
        document: dict[str, Any] = {
            "config": str(founded.path),
            "key_file": str(founded.key_file),
            "hotkey": founded.hotkey,
            "made_key": founded.made_key,
            "registered": None if seated is None else True,
        }
        print_json(document)
        return
    key = "a new hotkey" if founded.made_key else "the hotkey"
    seats = {None: [], True: ["it has its seat on the ledger now"], False: ["it had its seat"]}
    lines = [
        f"wrote {founded.path}; {key} {founded.hotkey} is in {founded.key_file}",
        *seats[seated],
        f"next: qsubnet miner check --config {founded.path}",
        f"then: qsubnet miner serve --config {founded.path}",
    ]
    typer.echo("\n".join(lines))
