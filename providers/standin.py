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

from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import TYPE_CHECKING, Protocol

import numpy as np

from circuits.counts import Counts
from circuits.draws import Draws
from providers.base import Context, Device, DeviceClass, Job, Json, ProgramResult, ResultKind
from providers.drift import Ageing
from providers.engines import check_runnable, run_circuit
from providers.errors import JobFailed
from providers.local import Admit, LocalProvider
from providers.noise import place
from providers.options import Options
from providers.snapshots import Snapshot, document, load
from providers.worlds import DEFAULT_WORLD, WORLDS, World

if TYPE_CHECKING:
    from circuits.counts import Bits
    from circuits.program import Program
    from circuits.topology import Topology
    from providers.noise import Rates
    from providers.worlds import Bursts

NAME = "standin"
DEFAULT_MACHINE = "hanoi"


class StandIn:
    """One simulated machine with a history.

    Args:
        snapshot: What it publishes.
        device: Its name; with the context's seed it fixes the whole history.
        context: Seed and epoch.
        provider: The adapter that offers it.
        fee_rao_per_shot: Its price.
        world: What surrounds it.

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
        provider: str = NAME,
        fee_rao_per_shot: int = 0,
        world: World = WORLDS[DEFAULT_WORLD],
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
        self.world = world
        self.history = Draws(context.seed, "standin", device)
        self.epoch = context.epoch
        ageing = Ageing(snapshot, self.history, drift=world.drift)
        self._rates = lru_cache(maxsize=8)(ageing.rates)

    def rates(self, epoch: int) -> Rates:
        """Say what the machine really does at `epoch`."""
        return self._rates(epoch)

    def run(self, program: Program, *, shots: int, draws: Draws) -> Bits:
        """Run a native program with the errors of the present epoch.

        Returns:
            (shots x num_bits) array, column i = c[i], in order of execution.

        Raises:
            JobFailed: The machine's world has outages and this epoch is one.
        """
        epoch = self.epoch()
        if self.is_down(epoch):
            raise JobFailed(f"{self.device.name} is down in epoch {epoch}")
        circuit = place(program, self.snapshot.topology, self.rates(epoch), self.world.law)
        rows = run_circuit(circuit, shots=shots, draws=draws)
        if self.world.bursts is not None:
            self._burst(rows, program, self.world.bursts, draws.child("burst"))
        return rows

    def ideal(self, program: Program, *, shots: int, draws: Draws) -> Bits:
        """Run a native program without any error: what the machine never does."""
        return run_circuit(place(program, self.snapshot.topology, None), shots=shots, draws=draws)

    def is_down(self, epoch: int) -> bool:
        """Tell whether `epoch` is one of the world's outages."""
        return self.history.child("outage", epoch).random() < self.world.outage

    def _burst(self, rows: Bits, program: Program, bursts: Bursts, draws: Draws) -> None:
        """Perhaps overwrite a stretch of shots with coin flips, around a random qubit."""
        if draws.random() >= bursts.chance:
            return
        topology = self.snapshot.topology
        near = nearest(topology, draws.integer(topology.num_qubits))
        struck = set(near[: round(bursts.reach * topology.num_qubits)])
        source = {op.bit: op.qubits[0] for op in program.operations if op.bit is not None}
        bits = [bit for bit, qubit in sorted(source.items()) if qubit in struck]
        length = round(bursts.stretch * len(rows))
        start = draws.integer(len(rows) - length + 1)
        generator = np.random.Generator(np.random.PCG64(draws.integer(2**128)))
        rows[start : start + length, bits] = generator.integers(
            0, 2, (length, len(bits)), dtype=np.uint8
        )


def nearest(topology: Topology, centre: int) -> list[int]:
    """Order qubits by their distance from `centre` over couplings; those out of reach come last.

    Example:
        >>> from circuits.topology import Topology
        >>> nearest(Topology(4, ((0, 1), (1, 3)), ("cz",)), 3)
        [3, 1, 0, 2]
    """
    order, seen = [centre], {centre}
    for qubit in order:
        fresh = [q for q in topology.neighbours(qubit) if q not in seen]
        seen.update(fresh)
        order.extend(fresh)
    return order + [q for q in range(topology.num_qubits) if q not in seen]


def build(options: Mapping[str, Json], context: Context) -> StandIn:
    """Make one stand-in to be driven directly, without jobs.

    Args:
        options: `machine` (a name from `providers.snapshots.machines`, "hanoi"), `device` (its
            name, the machine's), `world` (a key of `providers.worlds.WORLDS`, "usual") and
            `fee_rao_per_shot` (0).
        context: The seed fixes the machine's whole history; the epoch says where in it we are.

    Raises:
        Rejected: An option is unknown or wrong, or there is no such machine.
        MissingSoftware: The package with the snapshots is not installed.

    Example:
        >>> build({"machine": "torino", "world": "calm"}, Context(b"seed", lambda: 0)).world.said
        'It drifts by 5 %.'
    """
    read = Options(NAME, options)
    standin = read_machine(read, context)
    read.done()
    return standin


def read_machine(read: Options, context: Context) -> StandIn:
    """Make the stand-in that the options `machine`, `device`, `world` and the fee describe."""
    machine = read.text("machine", DEFAULT_MACHINE)
    device = read.text("device", machine)
    world = read.word("world", DEFAULT_WORLD, WORLDS)
    fee = read.whole("fee_rao_per_shot", 0, low=0, high=10**12)
    return StandIn(load(machine), device, context, fee_rao_per_shot=fee, world=WORLDS[world])


def create(options: Mapping[str, Json], context: Context) -> LocalProvider:
    """Make the provider of one stand-in; options and errors are those of `build`.

    Example:
        >>> create({"machine": "torino"}, Context(b"seed", lambda: 0)).name
        'standin'
    """
    standin = build(options, context)
    machine = standin.snapshot.machine
    return local_provider(standin, context, calibration=lambda _device: document(machine))


def admit(device: Device, program: Program) -> None:
    """Refuse a program that the engines cannot run.

    Raises:
        Rejected: See `providers.engines.check_runnable`.
    """
    check_runnable(program, device.topology)


class Runs(Protocol):
    """What answers programs: a stand-in, or something that claims to be one."""

    @property
    def device(self) -> Device:
        """What it claims."""
        ...

    def run(self, program: Program, *, shots: int, draws: Draws) -> Bits:
        """Give (shots x bits), column i = c[i]."""
        ...


def local_provider(
    behind: Runs,
    context: Context,
    *,
    calibration: Callable[[Device], Mapping[str, Json]] | None = None,
    admit: Admit = admit,
) -> LocalProvider:
    """Put a provider around what answers; its name is the one that the device claims."""

    def execute(_device: Device, job: Job, index: int, draws: Draws) -> ProgramResult:
        rows = behind.run(job.programs[index], shots=job.shots, draws=draws)
        return shots_result(rows, memory=job.memory)

    return LocalProvider(
        behind.device.provider,
        (behind.device,),
        execute=execute,
        context=context,
        admit=admit,
        calibration=calibration,
    )


def shots_result(rows: Bits, *, memory: bool) -> ProgramResult:
    """Count shots, and keep their order where asked for.

    Example:
        >>> import numpy as np
        >>> shots_result(np.array([[1, 0]], dtype=np.uint8), memory=True).memory
        ('01',)
    """
    kept = tuple("".join(map(str, row[::-1])) for row in rows.tolist()) if memory else None
    return ProgramResult(Counts.from_rows(rows), ResultKind.SHOTS, (), kept)
