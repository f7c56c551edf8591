"""Amazon Braket: its local simulator, a machine's local emulator, or any device by its ARN.

The local state vector simulator can not be seeded, so it is asked for exact probabilities, and the
shots are drawn from them with the job's own draws; results say `probabilities` and how they became
counts. There are no shots in order of execution. See `providers.braket_emulator` and
`providers.braket_cloud` for the others.

Blind spot: no reset and no gate after a measurement; such programs are refused at submission.
"""

from __future__ import annotations

from collections.abc import Mapping

from circuits.draws import Draws
from circuits.errors import ProgramError
from circuits.program import Program, final_measurements
from circuits.topology import complete
from providers.base import (
    Context,
    Device,
    DeviceClass,
    Job,
    Json,
    ProgramResult,
    Provider,
    ResultKind,
)
from providers.braket_devices import NAME, Claim
from providers.errors import Rejected
from providers.local import LocalProvider
from providers.options import Options
from providers.remote import RemoteProvider
from providers.sampling import sample
from providers.sheet import read_sheet

PROCESSING = ("shots drawn from exact probabilities with hash-derived numbers",)
_WIDEST = 26
_DEAREST = 10**12


def create(options: Mapping[str, Json], context: Context) -> Provider:
    """Make the provider of one Braket device: local, emulated, or any by its ARN.

    Args:
        options: `device` (its name) and `fee_rao_per_shot` (0) always. Without `arn` and
            `properties` the local simulator: `num_qubits` (the width it claims, 14).
            With `properties`, a file of a machine's properties, its emulator: `num_qubits` (offer
            at most as many, 8). With `arn` that device: `s3_bucket` (else
            `AMZN_BRAKET_OUT_S3_BUCKET`), `s3_prefix` ("qsubnet"), `region`, `profile`, `sheet` (a
            path or the object itself, for a machine without published error rates),
            `usd_per_task` (0.30) and `timeout_s` (60).
        context: Where seeds come from, and the folder of the journal.

    Raises:
        Rejected: An option is unknown or wrong, or AWS has no credentials here.
        ModuleNotFoundError: Braket's SDK is not installed, or, for `arn`, boto3.

    Example:
        >>> create({"num_qubits": 5}, Context(b"seed", lambda: 0)).name
        'braket'
    """
    if "arn" in options and "properties" in options:
        raise Rejected("option 'arn' of 'braket' is a device, 'properties' its emulator: give one")
    if "arn" in options:
        return _cloud(options, context)
    if "properties" in options:
        return _emulated(options, context)
    return _local(options, context)


def _local(options: Mapping[str, Json], context: Context) -> LocalProvider:
    import braket.devices  # noqa: F401 - shows at the start whether it is there

    read = Options(NAME, options)
    device = Device(
        read.text("device", NAME),
        DeviceClass.SIMULATOR,
        complete(read.whole("num_qubits", 14, low=1, high=_WIDEST), ("cx", "u")),
        None,
        NAME,
        fee_rao_per_shot=read.whole("fee_rao_per_shot", 0, low=0, high=_DEAREST),
    )
    read.done()
    return LocalProvider(NAME, (device,), execute=_execute, context=context, admit=_admit)


def _emulated(options: Mapping[str, Json], context: Context) -> LocalProvider:
    from providers.braket_emulator import WIDEST, emulator_provider, read_properties

    read = Options(NAME, options)
    path = read.text("properties", "")
    fee = read.whole("fee_rao_per_shot", 0, low=0, high=_DEAREST)
    claim = Claim(read.text("device", "braket-emulator"), fee)
    most = read.whole("num_qubits", 8, low=2, high=WIDEST)
    read.done()
    return emulator_provider(read_properties(path), claim, most=most, context=context)


def _cloud(options: Mapping[str, Json], context: Context) -> RemoteProvider:
    from providers.braket_account import TIMEOUT_S, open_account
    from providers.braket_cloud import BraketCloud

    # An object is no text: the sheet is read by its own module, and is only named here.
    given = options.get("sheet")
    read = Options(NAME, {**options, "sheet": "given"} if "sheet" in options else options)
    read.text("sheet", "")
    arn = read.text("arn", "")
    claim = Claim(
        read.text("device", arn.rpartition("/")[2].lower()),
        read.whole("fee_rao_per_shot", 0, low=0, high=_DEAREST),
        sheet=read_sheet(given) if isinstance(given, str) else given,
        usd_per_task=str(read.real("usd_per_task", 0.30, low=0.0, high=1e6)),
    )
    bucket, prefix = read.text("s3_bucket", ""), read.text("s3_prefix", "qsubnet")
    region, profile = read.text("region", ""), read.text("profile", "")
    timeout_s = read.real("timeout_s", TIMEOUT_S, low=0.1, high=3_600.0)
    read.done()
    account = open_account(
        arn, bucket=bucket, prefix=prefix, region=region, profile=profile, timeout_s=timeout_s
    )
    return RemoteProvider(BraketCloud(account, arn, claim), context=context)


def _admit(_device: Device, program: Program) -> None:
    try:
        final_measurements(program)
    except ProgramError as error:
        raise Rejected(f"Braket: {error}") from None


def _execute(_device: Device, job: Job, index: int, draws: Draws) -> ProgramResult:
    from braket.devices import LocalSimulator

    from circuits.emitters.braket import braket_gates, braket_probabilities

    program, _ = job.programs[index].compacted()
    circuit = braket_gates(program).probability()
    exact = LocalSimulator("braket_sv").run(circuit, shots=0).result().values[0]
    outcomes, weights = braket_probabilities(exact, program)
    counts = sample(outcomes, weights, shots=job.shots, draws=draws)
    return ProgramResult(counts, ResultKind.PROBABILITIES, PROCESSING)
