"""Amazon Braket's local state vector simulator in this process.

It can not be seeded, so it is asked for exact probabilities, and the shots are drawn from them
with the job's own draws; results say `probabilities` and how they became counts. There are no
shots in order of execution.

Blind spot: no reset and no gate after a measurement; such programs are refused at submission.
"""

from __future__ import annotations

from collections.abc import Mapping

from circuits.draws import Draws
from circuits.errors import ProgramError
from circuits.program import Program, final_measurements
from circuits.topology import complete
from providers.base import Context, Device, DeviceClass, Job, Json, ProgramResult, ResultKind
from providers.errors import Rejected
from providers.local import LocalProvider
from providers.options import Options
from providers.sampling import sample

PROCESSING = ("shots drawn from exact probabilities with hash-derived numbers",)
_WIDEST = 26


def create(options: Mapping[str, Json], context: Context) -> LocalProvider:
    """Make the provider of one device of Braket's local simulator.

    Args:
        options: `device` (its name, "braket"), `num_qubits` (the width it claims, 14) and
            `fee_rao_per_shot` (0).
        context: Where seeds come from.

    Raises:
        Rejected: An option is unknown or wrong.
        ModuleNotFoundError: Braket's SDK is not installed.

    Example:
        >>> create({"num_qubits": 5}, Context(b"seed", lambda: 0)).name
        'braket'
    """
    import braket.devices  # noqa: F401 - shows at the start whether it is there

    read = Options("braket", options)
    device = Device(
        read.text("device", "braket"),
        DeviceClass.SIMULATOR,
        complete(read.whole("num_qubits", 14, low=1, high=_WIDEST), ("cx", "u")),
        None,
        "braket",
        fee_rao_per_shot=read.whole("fee_rao_per_shot", 0, low=0, high=10**12),
    )
    read.done()
    return LocalProvider("braket", (device,), execute=_execute, context=context, admit=_admit)


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
