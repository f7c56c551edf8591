"""Cirq's state vector simulator in this process, single precision.

Seeds come from the job's draws; numpy's generator behind Cirq promises its stream only on one
build, so counts repeat on one machine, not on all.

Blind spot: a program that measures in its middle is simulated shot by shot, which is slow.
"""

from __future__ import annotations

from collections.abc import Mapping

from circuits.counts import Counts
from circuits.draws import Draws
from circuits.topology import complete
from providers.base import Context, Device, DeviceClass, Job, Json, ProgramResult, ResultKind
from providers.local import LocalProvider
from providers.options import Options

_SEEDS = 2**31 - 1
_WIDEST = 28


def create(options: Mapping[str, Json], context: Context) -> LocalProvider:
    """Make the provider of one Cirq device.

    Args:
        options: `device` (its name, "cirq"), `num_qubits` (the width it claims, 16) and
            `fee_rao_per_shot` (0).
        context: Where seeds come from.

    Raises:
        Rejected: An option is unknown or wrong.
        ModuleNotFoundError: Cirq is not installed.

    Example:
        >>> create({"num_qubits": 5}, Context(b"seed", lambda: 0)).name
        'cirq'
    """
    import cirq  # noqa: F401 - shows at the start whether it is there

    read = Options("cirq", options)
    device = Device(
        read.text("device", "cirq"),
        DeviceClass.SIMULATOR,
        complete(read.whole("num_qubits", 16, low=1, high=_WIDEST), ("cz", "u")),
        None,
        "cirq",
        fee_rao_per_shot=read.whole("fee_rao_per_shot", 0, low=0, high=10**12),
    )
    read.done()
    return LocalProvider("cirq", (device,), execute=_execute, context=context)


def _execute(_device: Device, job: Job, index: int, draws: Draws) -> ProgramResult:
    import cirq

    from circuits.emitters.cirq import cirq_rows, to_cirq

    program, _ = job.programs[index].compacted()
    simulator = cirq.Simulator(seed=draws.integer(_SEEDS))
    rows = cirq_rows(simulator.run(to_cirq(program), repetitions=job.shots), program)
    memory = None
    if job.memory:
        memory = tuple("".join(map(str, row[::-1].tolist())) for row in rows)
    return ProgramResult(Counts.from_rows(rows), ResultKind.SHOTS, (), memory)
