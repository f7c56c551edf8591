"""IBM Quantum: its machines through the executor program, or the SDK's fakes of them offline.

Credentials are the SDK's own: an account that it saved (`account`, or its default), or what its
environment variables say (`QISKIT_IBM_TOKEN`, `QISKIT_IBM_INSTANCE`); `token_env` names another
variable. With `fake`, or `channel = "local"`, the executor's local mode simulates a fake backend in
this process: for rehearsals, under the fake's own name.

Blind spot: a fake runs without a queue and, past some 25 qubits, slowly; its jobs end with the
process, and the same job gives the same counts again.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from circuits.draws import Draws
from providers.base import Context, Device, Job, Json, ProgramResult, Provider
from providers.errors import Rejected
from providers.ibm_devices import calibration_of, device_of
from providers.ibm_programs import program_results, quantum_program
from providers.ibm_vendor import IbmVendor
from providers.ibm_wire import service_type
from providers.local import LocalProvider
from providers.options import Options
from providers.remote import RemoteProvider

if TYPE_CHECKING:
    from collections.abc import Callable

CHANNELS = ("ibm_cloud", "ibm_quantum_platform", "local")
_SEEDS = 2**31 - 1


def create(options: Mapping[str, Json], context: Context) -> Provider:
    """Offer IBM's backends. Nothing is sent before the first question.

    Options: `device` (names of backends, with commas between), `channel`, `instance`, `account`,
    `token_env`, `max_programs` (of one job), `timeout_s`, `max_execution_s` (0: the service's own
    cap), `fee_rao_per_shot`; or `fake` (such as `FakeLimaV2`).

    Raises:
        Rejected: An option is unknown or wrong, or no backend is named.

    Example:
        >>> provider = create({"fake": "FakeLimaV2"}, Context(b"seed", lambda: 0))
        >>> import asyncio
        >>> [device.name for device in asyncio.run(provider.devices())]
        ['fake_lima']
    """
    read = Options("ibm", options)
    fake = read.text("fake", "")
    channel = read.word("channel", "local" if fake else "ibm_quantum_platform", CHANNELS)
    names = tuple(filter(None, map(str.strip, read.text("device", "").split(","))))
    service = {name: read.text(name, "") for name in ("instance", "account", "token_env")}
    max_programs = read.whole("max_programs", 64, low=1, high=1_000)
    timeout_s = read.real("timeout_s", 60.0, low=1.0, high=3_600.0)
    max_execution_s = read.whole("max_execution_s", 0, low=0, high=28_800)
    fee = read.whole("fee_rao_per_shot", 0, low=0, high=10**12)
    read.done()
    if (channel == "local") != bool(fake):
        raise Rejected("options 'fake' and 'channel' = 'local' of 'ibm' belong together")
    # Qiskit must be loaded by a thread that stays (see `providers.aer`).
    import qiskit_ibm_runtime  # noqa: F401 - loaded here for the worker threads

    if fake:
        return _offline(fake, fee=fee, max_programs=max_programs, context=context)
    if not names:
        raise Rejected("option 'device' of 'ibm' is one or more backends, such as 'ibm_fez'")
    vendor = IbmVendor(
        connector(channel, timeout_s=timeout_s, **service),
        names,
        programs_per_task=max_programs,
        max_execution_s=max_execution_s or None,
        fee_rao_per_shot=fee,
        secrets=lambda: known_tokens(service["token_env"]),
    )
    return RemoteProvider(vendor, context=context)


def connector(
    channel: str,
    *,
    timeout_s: float,
    instance: str = "",
    account: str = "",
    token_env: str = "",
) -> Callable[[], Any]:
    """How to reach the service, with whatever credentials the SDK finds when it is called."""

    def connect() -> Any:  # noqa: ANN401 - the SDK has no types
        token = os.environ.get(token_env) if token_env else None
        if token_env and not token:
            raise Rejected(f"the environment has no {token_env}, which 'token_env' of 'ibm' names")
        service = service_type(timeout_s=timeout_s)
        if account:
            return service(name=account, instance=instance or "auto")
        return service(channel=channel, token=token, instance=instance or "auto")

    return connect


def known_tokens(token_env: str = "") -> tuple[str, ...]:
    """Every token that the SDK might use: of the environment and of the accounts that it saved."""
    from qiskit_ibm_runtime import QiskitRuntimeService

    variables = [os.environ.get(name, "") for name in ("QISKIT_IBM_TOKEN", token_env) if name]
    saved = QiskitRuntimeService.saved_accounts().values()
    return tuple(filter(None, (*variables, *(str(one.get("token") or "") for one in saved))))


def _offline(fake: str, *, fee: int, max_programs: int, context: Context) -> LocalProvider:
    """Offer one of the SDK's fake backends, simulated by the executor's local mode."""
    from qiskit_ibm_runtime import fake_provider

    kind = getattr(fake_provider, fake, None) if fake.startswith("Fake") else None
    if kind is None or not hasattr(kind, "props_filename"):
        raise Rejected(f"option 'fake' of 'ibm' is such as 'FakeLimaV2', got {fake[:80]!r}")
    backend = kind()
    device = device_of(backend, fee_rao_per_shot=fee, max_programs=max_programs)

    def run(device: Device, job: Job, index: int, draws: Draws) -> ProgramResult:
        return execute(backend, device, job, index, draws)

    record = calibration_of(backend, refresh=False)
    return LocalProvider(
        "ibm", (device,), execute=run, context=context, calibration=lambda _device: record
    )


def execute(
    backend: Any,  # noqa: ANN401 - the SDK has no types
    device: Device,
    job: Job,
    index: int,
    draws: Draws,
) -> ProgramResult:
    """Run one program of a job on a fake backend, as the service would be asked to."""
    from qiskit_ibm_runtime import Executor

    executor = Executor(backend)
    executor.options.simulator.seed_simulator = draws.integer(_SEEDS)
    program = job.programs[index]
    width = device.topology.num_qubits
    written = quantum_program((program,), shots=job.shots, width=width, token=job.key)
    result = executor.run(written).result()
    return program_results(result, (program,), memory=job.memory)[0]
