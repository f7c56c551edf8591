"""`qsubnet localnet`: the whole subnet on this machine."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from qsubnet.cli.drawing import Row, drawn, terminal
from qsubnet.cli.places import default_state
from qsubnet.cli.printing import print_json, say

if TYPE_CHECKING:
    from qsubnet.localnet.board import Line
    from qsubnet.localnet.run import Moment


def localnet(
    epochs: Annotated[int, typer.Option(min=1, max=10_000, help="Epochs to run.")] = 3,
    seed: Annotated[
        int | None, typer.Option(min=0, help="Start anew from this seed; same seed, same board.")
    ] = None,
    state: Annotated[
        Path | None, typer.Option(help="State directory; a second start resumes it.")
    ] = None,
    fresh: Annotated[bool, typer.Option("--fresh", help="Start anew.")] = False,
    miners: Annotated[
        str, typer.Option(help="A smaller cast: names with commas, such as aer,fake-uniform.")
    ] = "",
    serve: Annotated[
        bool, typer.Option("--serve", help="Keep everything running until a signal.")
    ] = False,
    json_: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Run miners, validators, gateway and chain on this machine, and print the board.

    Example: qsubnet localnet --epochs 3 --seed 7
    """
    import asyncio

    from qsubnet.cli.services import settings
    from qsubnet.cli.signals import interruptible
    from qsubnet.localnet.run import LocalnetOptions, run_localnet
    from qsubnet.logs import configure

    configure("error")
    options = LocalnetOptions(
        state=state or settings().state or default_state(),
        epochs=epochs,
        seed=seed,
        fresh=fresh,
        serve=serve,
        miners=tuple(name.strip() for name in miners.split(",") if name.strip()),
    )

    def ready(url: str, api_key: str) -> None:
        if serve and json_:
            print_json({"event": "ready", "gateway": url, "api_key": api_key})
        elif serve:
            found = options.state == (settings().state or default_state())
            where = "" if found else f"QSUBNET_STATE={options.state.absolute()} "
            say(f"ready: {where}qsubnet run FILE.qasm (gateway {url})")

    def done(result: dict[str, Any], lines: list[Line]) -> None:
        if json_:
            print_json({"event": "board", **result} if serve else result)
        else:
            _print_board(result, lines)

    asyncio.run(
        interruptible(run_localnet(options, watch=_Progress().show, ready=ready, done=done))
    )


class _Progress:
    """Tells on stderr what happens: sentences, and the board after each epoch on a terminal."""

    def __init__(self) -> None:
        from rich.console import Console

        self._console = Console(stderr=True)

    def show(self, moment: Moment) -> None:
        """Show one moment."""
        if moment.lines is not None and self._console.is_terminal:
            rows = [_row(line) for line in moment.lines]
            self._console.print(drawn(rows, moment.text, width=self._console.width))
        else:
            self._console.print(moment.text, style="dim", highlight=False, markup=False)


def _print_board(result: dict[str, Any], lines: list[Line]) -> None:
    console = terminal()
    jobs = result["user_jobs"]
    title = f"The board after {result['epochs']} epochs, seed {result['seed']}"
    console.print(drawn([_row(line) for line in lines], title, width=console.width))
    console.print(
        f"Users' jobs: {jobs['submitted']} submitted, {jobs['completed']} completed, "
        f"{jobs['lost']} lost, {jobs['wrong']} with wrong counts. "
        f"Started in {result['seconds']['start']} s, {result['seconds']['all']} s in all. "
        "Weight is a share within its class, emission in 10^9 rao. "
        "Dim names are known to lie or to be mistaken."
    )
    for note in jobs["notes"]:
        console.print(f"  {note}", markup=False)


def _row(line: Line) -> Row:
    fidelity = line.fidelity
    return Row(
        name=line.name,
        claim=f"{line.device_class} {line.num_qubits}q" if line.device_class else "",
        fidelity=(fidelity["estimate"], fidelity["low"], fidelity["high"]) if fidelity else None,
        verdict=line.verdict,
        grade=line.grade,
        weight=line.weight,
        emission=line.emission / 1e9,
        why=line.reason + _dissent(line),
        dim=not line.honest,
    )


def _dissent(line: Line) -> str:
    """Name the validators that judge otherwise: the weight follows all of them, the row one."""
    others = [f"{name}: {said}" for name, said in line.verdicts.items() if said != line.verdict]
    return f" (but {', '.join(others)})" if others and line.verdict else ""
