"""`qsubnet run`, `devices` and `jobs`: what a researcher types."""

from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from qsubnet.cli.places import connection
from qsubnet.cli.printing import print_json, say
from qsubnet.cli.services import settings
from qsubnet.errors import BadInput, NotFound, Unreachable

if TYPE_CHECKING:
    from qsubnet.client import Client, JobView

LOCAL = "local"
"""Reserved device name: run in this process, without any server."""

_RETRY_S = 2.0

Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]


def run(
    file: Annotated[str, typer.Argument(help="OpenQASM 2 or 3; '-' reads stdin.")],
    shots: Annotated[int, typer.Option(help="Executions of the circuit.")] = 1_000,
    device: Annotated[
        str | None,
        typer.Option(help="A device, 'hotkey/device', or 'local' for this process alone."),
    ] = None,
    timeout: Annotated[
        float | None, typer.Option(help="Seconds to wait; the job goes on after that.")
    ] = None,
    json_: Json = False,
) -> None:
    """Run a circuit and print its counts (classical bit 0 is the rightmost character).

    Example: qsubnet run examples/bell.qasm --shots 1000 --device local
    """
    source = _read(file)
    if device == LOCAL:
        from qsubnet.cli.local_run import run_here

        result = run_here(source, shots=shots)
    else:
        result = _run_there(source, shots, device, timeout)
    if json_:
        print_json(result)
    else:
        _print_counts(result)


def devices(json_: Json = False) -> None:
    """List the devices of the subnet with what was measured of them.

    Example: qsubnet devices --json
    """
    with _client() as client:
        found = client.devices()
    if json_:
        print_json({"devices": [one.model_dump(mode="json", by_alias=True) for one in found]})
        return
    from rich.console import Console
    from rich.table import Table

    table = Table(box=None)
    for column in ("device", "class", "qubits", "verdict", "grade", "fidelity", "why"):
        table.add_column(column)
    for one in found:
        fidelity = one.fidelity
        table.add_row(
            one.name,
            one.device_class,
            str(one.num_qubits),
            one.verdict or "-",
            one.grade or "-",
            f"{fidelity.estimate:.3f} [{fidelity.low:.3f}, {fidelity.high:.3f}]"
            if fidelity
            else "-",
            one.reason or "",
        )
    Console().print(table)


def list_jobs(
    job_id: Annotated[str | None, typer.Argument(help="Show one job and its result.")] = None,
    cancel: Annotated[bool, typer.Option("--cancel", help="Cancel that job.")] = False,
    json_: Json = False,
) -> None:
    """List your jobs, or show, or cancel, one of them.

    Example: qsubnet jobs JOB_ID --json
    """
    with _client() as client:
        if job_id is None:
            if cancel:
                raise BadInput("--cancel needs the id of a job")
            found = [job.model_dump(mode="json") for job in client.jobs().jobs]
            if json_:
                print_json({"jobs": found})
            else:
                for one in found:
                    _line(f"{one['job_id']}  {one['state']:<10} {one['device']}")
            return
        job = client.cancel(job_id) if cancel else client.job(job_id)
        document: dict[str, Any] = job.model_dump(mode="json")
        if job.state == "completed":
            document |= _result_document(client.result(job_id))
    if json_:
        print_json(document)
    else:
        for key, value in document.items():
            _line(f"{key}: {value}")


def _client() -> Client:
    from qsubnet.client import Client

    found = connection(settings())
    return Client(found.gateway, found.api_key)


def _run_there(
    source: bytes, shots: int, device: str | None, timeout: float | None
) -> dict[str, Any]:
    """Submit and wait for the result."""
    try:
        text = source.decode()
    except UnicodeDecodeError as error:
        raise BadInput(f"the program is not UTF-8 (byte {error.start})") from None
    limit_s = settings().timeout_s if timeout is None else timeout
    deadline = time.monotonic() + limit_s
    with _client() as client:
        job = _submit(client, text, shots, device, deadline)
        say(f"job {job.job_id} on {job.device}")
        result = client.result(job.job_id, timeout_s=max(0.1, deadline - time.monotonic()))
    return _result_document(result)


def _submit(client: Client, text: str, shots: int, device: str | None, deadline: float) -> JobView:
    """Submit; while no device is verified yet, try again until the time is up."""
    told = False
    while True:
        try:
            return client.submit(text, shots=shots, device=device)
        except Unreachable as error:
            if time.monotonic() + _RETRY_S > deadline:
                raise
            if not told:
                say(f"waiting: {error}")
            told = True
            time.sleep(_RETRY_S)


def _result_document(result: Any) -> dict[str, Any]:  # noqa: ANN401 - wire.research.ResultView, kept lazy
    """Write a result as `run --json` prints it; several programs give a list of counts."""
    document = {
        "job_id": result.job_id,
        "device": result.device,
        "shots_asked": result.shots_asked,
    }
    if len(result.results) == 1:
        one = result.results[0]
        return {**document, "shots_returned": one.shots_returned, "counts": one.counts}
    return {
        **document,
        "shots_returned": [one.shots_returned for one in result.results],
        "counts": [one.counts for one in result.results],
    }


def _read(file: str) -> bytes:
    if file == "-":
        return sys.stdin.buffer.read()
    try:
        return Path(file).read_bytes()
    except FileNotFoundError:
        raise NotFound(f"no file {file}") from None
    except OSError as error:
        raise BadInput(f"cannot read {file}: {error.strerror}") from None


def _print_counts(result: dict[str, Any]) -> None:
    counts = result["counts"]
    say(f"{result['shots_returned']} of {result['shots_asked']} shots on {result['device']}")
    for key, shots in sorted(counts.items(), key=lambda item: (-item[1], item[0])):
        _line(f"{key} {shots}")


def _line(text: str) -> None:
    sys.stdout.write(text + "\n")
