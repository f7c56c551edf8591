"""Run a circuit in this process on Aer: the device name `local`, the same limits and errors."""

from __future__ import annotations

import asyncio
import secrets
from typing import Any

from circuits.importing import ImportLimits, import_program
from providers.aer import create
from providers.base import Context, Job
from qsubnet.errors import BadInput
from qsubnet.wire.domain import PROGRAM_LIMITS


def run_here(source: bytes, *, shots: int) -> dict[str, Any]:
    """Run `source` and give the document that `run --json` prints.

    Raises:
        BadInput: `shots` is out of range.
        circuits.errors.CircuitError: The program is wrong or too large.
        providers.errors.ProviderError: Aer cannot run it.
    """
    return asyncio.run(_run(source, shots))


async def _run(source: bytes, shots: int) -> dict[str, Any]:
    provider = create({"device": "local"}, Context(secrets.token_bytes(16), lambda: 0))
    (device,) = await provider.devices()
    if not 1 <= shots <= device.max_shots:
        raise BadInput(f"need 1 .. {device.max_shots} shots, got {shots}")
    program = import_program(source, limits=ImportLimits(program=PROGRAM_LIMITS))
    job = Job(secrets.token_hex(32), device.name, (program,), shots, verbatim=False)
    handle = await provider.submit(job)
    await provider.wait(handle)
    counts = (await provider.result(handle)).programs[0].counts
    return {
        "job_id": job.key,
        "device": device.name,
        "shots_asked": shots,
        "shots_returned": counts.shots,
        "counts": dict(counts.table),
    }
