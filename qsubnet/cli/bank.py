"""`qsubnet bank`: make and look at banks of circuits that are simulated once, offline."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from qsubnet.cli.printing import print_json, say
from qsubnet.errors import BadInput

if TYPE_CHECKING:
    from qsubnet.bank_spec import BankSpec
    from qsubnet.banks import Bank
    from validator.references.engines import Engine

bank = typer.Typer(help="Make banks of circuits that are simulated once.", no_args_is_help=True)


@bank.command()
def make(
    out: Annotated[Path, typer.Option(help="The bank's directory; an unfinished one is finished.")],
    qubits: Annotated[int, typer.Option(help="Width: 26 to 34 says something.")] = 26,
    depth: Annotated[int, typer.Option(help="Two-qubit layers, at least 16.")] = 16,
    entries: Annotated[int, typer.Option(help="How many circuits; each serves once.")] = 4,
    gates: Annotated[str, typer.Option(help="Native gates of the devices it is for.")] = "cx,u",
    keep: Annotated[
        int | None,
        typer.Option(help="log2 of the strings kept of each circuit; 28 at most unless told."),
    ] = None,
    deadline: Annotated[float, typer.Option(help="Seconds in which an answer counts.")] = 60.0,
    seed: Annotated[
        int | None, typer.Option(min=0, help="Draw from this: for trials, never for real tests.")
    ] = None,
    json_: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Simulate secret random circuits and keep what judges an answer to them.

    Uses Aer on a GPU where a run on one succeeds, else qsim, else Aer on the processor. Killed half
    way, the same command goes on where it stopped.

    Example: qsubnet bank make --qubits 26 --depth 16 --entries 4 --out bank26
    """
    from qsubnet.bank_spec import MOST_KEPT, BankSpec
    from qsubnet.banks import create

    secret, name = _secret(seed)
    spec = BankSpec(
        id=name,
        qubits=qubits,
        depth=depth,
        gates=tuple(sorted(part.strip() for part in gates.split(","))),
        entries=entries,
        kept_bits=min(qubits, MOST_KEPT) if keep is None else keep,
        deadline_s=deadline,
        secret_digest=hashlib.sha256(secret).hexdigest(),
    )
    if not (out / "bank.json").exists():
        _check_memory(spec)
    made = create(out, spec, secret=secret)
    if made.missing():
        _complete(made)
    _print(made, json_=json_)


@bank.command()
def show(
    out: Annotated[Path, typer.Argument(metavar="DIR", help="The bank's directory.")],
    json_: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Say what a bank holds and which entries are used; no answer is shown."""
    from qsubnet.banks import Bank

    _print(Bank(out), json_=json_)


def _secret(seed: int | None) -> tuple[bytes, str]:
    """Draw a bank's secret and id, or derive them for a trial."""
    import secrets

    if seed is None:
        return secrets.token_bytes(32), secrets.token_hex(8)
    return hashlib.sha256(b"qsubnet bank trial %d" % seed).digest(), f"trial-{seed}"


def _check_memory(spec: BankSpec) -> Engine:
    """Pick the engine; refuse what does not fit into memory, where the system says what is free."""
    from qsubnet.bank_spec import bank_engine, bytes_needed

    engine = bank_engine()
    needed, free = bytes_needed(spec, engine), _free_bytes()
    if free is not None and needed > free:
        raise BadInput(
            f"{spec.qubits} qubits need about {needed / 2**30:.1f} GiB of memory with "
            f"{engine.name}, available are {free / 2**30:.1f} GiB: ask for fewer qubits"
        )
    return engine


def _free_bytes() -> int | None:
    try:
        lines = Path("/proc/meminfo").read_text().splitlines()
    except OSError:
        return None
    kib = [int(line.split()[1]) for line in lines if line.startswith("MemAvailable:")]
    return kib[0] * 1024 if kib else None


def _complete(made: Bank) -> None:
    """Make what is missing, with a bar."""
    from rich.console import Console
    from rich.progress import Progress, TimeElapsedColumn

    from qsubnet.bank_spec import seconds_each

    engine = _check_memory(made.spec)
    missing = len(made.missing())
    each = seconds_each(made.spec, engine)
    say(
        f"{missing} of {made.spec.entries} entries to make with {engine.name}: about {each:.1f} s "
        f"each, {each * missing / 60:.1f} min in all, extrapolated from 20 qubits or fewer"
    )
    console = Console(stderr=True)
    with Progress(*Progress.get_default_columns(), TimeElapsedColumn(), console=console) as bar:
        task = bar.add_task("entries", total=missing)
        for _ in made.make(engine):
            bar.advance(task)


def _print(open_bank: Bank, *, json_: bool) -> None:
    from dataclasses import asdict

    spec, made, used = open_bank.spec, open_bank.made(), open_bank.used()
    size = sum(file.stat().st_size for file in (open_bank.path / "entries").iterdir())
    if json_:
        listed = {"made": made, "used": {str(k): to for k, to in used.items()}, "bytes": size}
        print_json({**asdict(spec), **listed})
        return
    typer.echo(
        f"{open_bank.path}: {spec.qubits} qubits, depth {spec.depth}, "
        f"gates {', '.join(spec.gates)}, answers within {spec.deadline_s:g} s\n"
        f"{len(made)} of {spec.entries} entries made, {len(used)} used, "
        f"{len(set(made) - set(used))} left; 1 in {1 << (spec.qubits - spec.kept_bits)} strings "
        f"kept, {size / 2**20:.1f} MiB"
    )
