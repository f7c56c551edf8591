"""Stand-in: a simulated device that behaves like a real machine, ages, and knows less of itself.

Its public sheet is a snapshot that IBM published (`providers.snapshots`). What it does differs, as
it does with real machines: errors drift and jump from epoch to epoch while the sheet stays
(`providers.drift`), neighbours disturb each other, waiting costs, and a 1 is misread more often
than a 0 (`providers.noise`). It runs native programs as they stand, on the device's own qubits,
with or without `verbatim`: Clifford circuits at full width, others on at most 12 qubits.

It offers itself as class `qpu`, since its purpose is to be judged like one; it is for local
networks, demos and the detection benchmark. The process needs stim and numpy, no Qiskit.

Blind spot: Pauli noise only, so no coherent errors, leakage or memory between shots.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import TYPE_CHECKING

from circuits.counts import Counts
from circuits.draws import Draws
from providers.base import Context, Device, DeviceClass, Job, Json, ProgramResult, ResultKind
from providers.drift import rates_at
from providers.engines import check_runnable, run_circuit
from providers.local import LocalProvider
from providers.noise import place
from providers.options import Options
from providers.snapshots import Snapshot, document, load

if TYPE_CHECKING:
    from circuits.counts import Bits
    from circuits.program import Program
    from providers.noise import Rates

DEFAULT_MACHINE = "hanoi"


class StandIn:
    """One simulated machine with a history.

    Args:
        snapshot: What it publishes.
        device: Its name; with the context's seed it fixes the whole history.
        context: Seed and epoch.
        provider: The adapter that offers it.
        fee_rao_per_shot: Its price.

    Example:
        >>> from circuits.program import Operation, Program, measure
        >>> machine = StandIn(load("hanoi"), "qpu", Context(b"seed", lambda: 0))
        >>> program = Program(27, 2, (Operation("x", (5,)), measure(5, 1), measure(6, 0)))
        >>> machine.run(program, shots=1000, draws=Draws(b"job")).mean(axis=0).round().tolist()
        [0.0, 1.0]
    """

    def __init__(
        self,
        snapshot: Snapshot,
        device: str,
        context: Context,
        *,
        provider: str = "standin",
        fee_rao_per_shot: int = 0,
    ) -> None:
        self.snapshot = snapshot
        self.device = Device(
            device,
            DeviceClass.QPU,
            snapshot.topology,
            snapshot.errors,
            provider,
            fee_rao_per_shot=fee_rao_per_shot,
        )
        self.history = Draws(context.seed, "standin", device)
        self._context = context
        self._rates = lru_cache(maxsize=4)(self.rates)

    def rates(self, epoch: int) -> Rates:
        """Say what the machine really does at `epoch`."""
        return rates_at(self.snapshot, self.history, epoch=epoch)

    def run(self, program: Program, *, shots: int, draws: Draws) -> Bits:
        """Run a native program with the errors of the present epoch.

        Returns:
            (shots x num_bits) array, column i = c[i], in order of execution.
        """
        rates = self._rates(self._context.epoch())
        return run_circuit(place(program, self.snapshot.topology, rates), shots=shots, draws=draws)

    def ideal(self, program: Program, *, shots: int, draws: Draws) -> Bits:
        """Run a native program without any error: what the machine never does."""
        return run_circuit(place(program, self.snapshot.topology, None), shots=shots, draws=draws)


def create(options: Mapping[str, Json], context: Context) -> LocalProvider:
    """Make the provider of one stand-in.

    Args:
        options: `machine` (a name from `providers.snapshots.machines`, "hanoi"), `device` (its
            name, the machine's) and `fee_rao_per_shot` (0).
        context: The seed fixes the machine's whole history; the epoch says where in it we are.

    Raises:
        Rejected: An option is unknown or wrong, or there is no such machine.
        MissingSoftware: The package with the snapshots is not installed.

    Example:
        >>> create({"machine": "torino"}, Context(b"seed", lambda: 0)).name
        'standin'
    """
    read = Options("standin", options)
    machine = read.text("machine", DEFAULT_MACHINE)
    device = read.text("device", machine)
    fee = read.whole("fee_rao_per_shot", 0, low=0, high=10**12)
    read.done()
    standin = StandIn(load(machine), device, context, fee_rao_per_shot=fee)

    def execute(_device: Device, job: Job, index: int, draws: Draws) -> ProgramResult:
        rows = standin.run(job.programs[index], shots=job.shots, draws=draws)
        return shots_result(rows, memory=job.memory)

    return LocalProvider(
        "standin",
        (standin.device,),
        execute=execute,
        context=context,
        admit=admit,
        calibration=lambda _device: document(machine),
    )


def admit(device: Device, program: Program) -> None:
    """Refuse a program that the engines cannot run.

    Raises:
        Rejected: See `providers.engines.check_runnable`.
    """
    check_runnable(program, device.topology)


def shots_result(rows: Bits, *, memory: bool) -> ProgramResult:
    """Count shots, and keep their order where asked for.

    Example:
        >>> import numpy as np
        >>> shots_result(np.array([[1, 0]], dtype=np.uint8), memory=True).memory
        ('01',)
    """
    kept = tuple("".join(map(str, row[::-1])) for row in rows.tolist()) if memory else None
    return ProgramResult(Counts.from_rows(rows), ResultKind.SHOTS, (), kept)
