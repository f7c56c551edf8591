"""`qsubnet run`, `devices` and `jobs`: what a researcher types."""

from __future__ import annotations

import contextlib
import math
import secrets
import sys
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from qsubnet.cli.drawing import Row, drawn, terminal
from qsubnet.cli.places import connection
from qsubnet.cli.printing import print_json, say
from qsubnet.cli.services import settings
from qsubnet.errors import BadInput, NotFound, Unreachable

if TYPE_CHECKING:
    from qsubnet.client import Client, DeviceView, JobView

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
    optimization: Annotated[
        int | None,
        typer.Option(
            min=0,
            max=3,
            help="How hard the gateway compiles; 0 only places and translates gates.",
        ),
    ] = None,
    json_: Json = False,
) -> None:
    """Run a circuit and print its counts (classical bit 0 is the rightmost character).

    Example: qsubnet run examples/bell.qasm --shots 1000 --device local
    """
    if timeout is not None and not (math.isfinite(timeout) and timeout > 0):
        raise BadInput(f"need a --timeout of more than 0 s, got {timeout:g}")
    source = _read(file)
    if device == LOCAL:
        from qsubnet.cli.local_run import run_here

        result = run_here(source, shots=shots)
    else:
        result = _run_there(source, shots, device, timeout, optimization)
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
    rows = [_row(one) for one in found]
    console = terminal()
    console.print(drawn(rows, f"{len(rows)} devices", width=console.width))


def _row(one: DeviceView) -> Row:
    fidelity = one.fidelity
    silent = "" if one.reachable else "its miner does not answer now"
    return Row(
        name=one.name,
        claim=f"{one.device_class} {one.num_qubits}q",
        fidelity=(fidelity.estimate, fidelity.low, fidelity.high) if fidelity else None,
        verdict=one.verdict,
        grade=one.grade,
        weight=one.weight,
        emission=None,
        why="; ".join(part for part in (silent, one.reason or "not judged yet") if part),
    )


def list_jobs(
    job_id: Annotated[str | None, typer.Argument(help="Show one job and its result.")] = None,
    cancel: Annotated[bool, typer.Option("--cancel", help="Cancel that job.")] = False,
    limit: Annotated[int, typer.Option(min=1, max=200, help="Jobs to list, newest first.")] = 50,
    after: Annotated[str | None, typer.Option(help="List those older than this job.")] = None,
    json_: Json = False,
) -> None:
    """List your jobs, or show, or cancel, one of them.

    Example: qsubnet jobs JOB_ID --json
    """
    with _client() as client:
        if job_id is None:
            if cancel:
                raise BadInput("--cancel needs the id of a job")
            page = client.jobs(limit=limit, after=after)
            if json_:
                print_json(page.model_dump(mode="json"))
                return
            for one in page.jobs:
                _line(
                    f"{one.job_id}  {one.state:<9}  {one.device:<18}  {one.shots_asked:>6} shots  "
                    f"{_moment(one.created_ms)}"
                )
            if page.next:
                say(f"older ones: qsubnet jobs --after {page.next}")
            return
        job = client.cancel(job_id) if cancel else client.job(job_id)
        document: dict[str, Any] = job.model_dump(mode="json")
        if job.state == "completed":
            document |= _result_document(client.result(job_id))
    if cancel and job.state != "cancelled":
        say(f"not cancelled: job {job_id} is {job.state}")
    if json_:
        print_json(document)
    else:
        _print_job(document)


def _print_job(document: dict[str, Any]) -> None:
    """Print what is known of a job, a line each, and its counts below."""
    for key, value in document.items():
        if value in (None, "") or key == "counts":
            continue
        if key.endswith("_ms"):
            _line(f"{key.removesuffix('_ms')}: {_moment(value)}")
        else:
            _line(f"{key}: {value}")
    found = document.get("counts")
    for counts in found if isinstance(found, list) else [found] if found else []:
        _line("counts:")
        _print_table(counts, indent="  ")


def _moment(unix_ms: int) -> str:
    return datetime.fromtimestamp(unix_ms / 1000, tz=UTC).strftime("%Y-%m-%d %H:%M:%S UTC")


def _client() -> Client:
    from qsubnet.client import Client

    found = connection(settings())
    return Client(found.gateway, found.api_key)


def _run_there(
    source: bytes, shots: int, device: str | None, timeout: float | None, optimization: int | None
) -> dict[str, Any]:
    """Submit and wait for the result."""
    from qsubnet.wire.refusals import StillRunning

    try:
        text = source.decode()
    except UnicodeDecodeError as error:
        raise BadInput(f"the program is not UTF-8 (byte {error.start})") from None
    limit_s = settings().timeout_s if timeout is None else timeout
    deadline = time.monotonic() + limit_s
    with _client() as client:
        if device is None:
            _warn_of_waiting(client)
        job = _submit(client, text, shots, device, deadline, optimization=optimization)
        say(f"job {job.job_id} on {job.device}")
        try:
            result = client.result(job.job_id, timeout_s=max(0.1, deadline - time.monotonic()))
        except StillRunning:
            raise StillRunning(
                f"no result within {limit_s:g} s; the job goes on, see: qsubnet jobs {job.job_id}"
            ) from None
    return _result_document(result)


def _warn_of_waiting(client: Client) -> None:
    """Say at once that no device is verified yet: the client itself retries without a word."""
    with contextlib.suppress(Unreachable):  # the submission will tell
        if not any(one.verdict == "verified" for one in client.devices()):
            say("waiting: no device is verified yet; --device NAME asks one all the same")


def _submit(
    client: Client,
    text: str,
    shots: int,
    device: str | None,
    deadline: float,
    *,
    optimization: int | None = None,
    pause_s: float = _RETRY_S,
) -> JobView:
    """Submit; while no device is verified yet, try again until the time is up.

    Every try carries the same key: a submission whose answer was lost is not made twice.
    """
    key = secrets.token_hex(16)
    told = False
    while True:
        try:
            return client.submit(
                text,
                shots=shots,
                device=device,
                optimization=optimization,
                idempotency_key=key,
            )
        except Unreachable as error:
            if time.monotonic() + pause_s > deadline:
                raise
            if not told:
                say(f"waiting: {error}")
            told = True
            time.sleep(pause_s)


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
    _print_table(counts)


def _print_table(counts: dict[str, int], *, indent: str = "") -> None:
    """Print counts, most frequent first."""
    for key, shots in sorted(counts.items(), key=lambda item: (-item[1], item[0])):
        _line(f"{indent}{key} {shots}")


def _line(text: str) -> None:
    sys.stdout.write(text + "\n")
