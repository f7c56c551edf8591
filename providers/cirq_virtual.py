"""Google's virtual engine: its offline copy of a processor, with the noise that Google published.

The SDK ships, for some processors, the device specification and a median calibration. From them
come what the virtual processor accepts and its noise model: depolarising, T1 and dephasing,
coherent errors of entangling gates, readout. It is reached through the same classes as the engine
in the cloud, with jobs that run in threads of their own, here one after another.

Noise is put on the whole circuit first; then the parts that no gate joins are simulated apart, so
that reading every qubit of a wide chip costs little. qsim runs a trajectory a shot. Without qsim,
Cirq's density matrix serves narrow parts that are measured at their end, its trajectories the rest.

Blind spot: no drift; the calibration is that of one day. Seeds count the circuits that were run,
so the same job sent again gives other counts, as at a real machine. The SDK's engine keeps every
job in memory until the process ends.
Source: cirq_google's documentation, "Quantum virtual machine"; Isakov et al., arXiv:2111.02396.
"""

from __future__ import annotations

import itertools
import threading
from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import TYPE_CHECKING

import cirq

from circuits.draws import Draws
from providers.errors import Rejected

if TYPE_CHECKING:
    import numpy as np
    from cirq_google.engine.abstract_engine import AbstractEngine
    from numpy.typing import NDArray

    from providers.base import Context

MOST_JOINED = 24
"""Qubits that gates may join: 2**24 amplitudes take 128 MB."""

_SEEDS = 2**31 - 1
_DENSITY_QUBITS = 6


def processors() -> tuple[str, ...]:
    """Name the processors that the SDK has an offline copy of.

    Example:
        >>> {"rainbow", "weber", "willow_pink"} <= set(processors())
        True
    """
    from cirq_google.engine import virtual_engine_factory

    return tuple(virtual_engine_factory.list_virtual_processors())


def virtual_engine(
    processor: str, *, engine: str, threads: int, context: Context
) -> AbstractEngine:
    """Make an engine with one processor, which is a noisy simulator.

    Args:
        processor: One of `processors`.
        engine: "qsim" or "cirq".
        threads: Of qsim.
        context: Where seeds come from.
    """
    import cirq_google as cg
    from cirq_google.engine import virtual_engine_factory as factory
    from cirq_google.engine.local_simulation_type import LocalSimulationType

    calibration = factory.load_median_device_calibration(processor)
    sampler = NoisySampler(
        _noise(processor), processor, engine=engine, threads=threads, context=context
    )
    virtual = cg.engine.SimulatedLocalProcessor(
        processor_id=processor,
        sampler=sampler,
        device=factory.create_device_from_processor_id(processor),
        simulation_type=LocalSimulationType.ASYNCHRONOUS,
        calibrations={calibration.timestamp // 1000: calibration},
        device_specification=factory.create_device_spec_from_processor_id(processor),
    )
    return cg.engine.SimulatedLocalEngine([virtual])


@lru_cache(maxsize=4)
def _noise(processor: str) -> cirq.NoiseModel:
    import cirq_google as cg
    from cirq_google.engine import virtual_engine_factory as factory

    return cg.NoiseModelFromGoogleNoiseProperties(factory.load_device_noise_properties(processor))


class NoisySampler(cirq.Sampler):
    """Runs circuits one after another under a noise model, each with its own seed."""

    def __init__(
        self,
        noise: cirq.NoiseModel,
        processor: str,
        *,
        engine: str,
        threads: int,
        context: Context,
    ) -> None:
        self._noise = noise
        self._processor = processor
        self._engine = engine
        self._threads = threads
        self._context = context
        self._ordinals = itertools.count()
        self._lock = threading.Lock()

    def run_sweep(
        self, program: cirq.AbstractCircuit, params: cirq.Sweepable, repetitions: int = 1
    ) -> Sequence[cirq.Result]:
        """Run one circuit for each set of parameters."""
        with self._lock:
            return [
                self._run(cirq.resolve_parameters(program, resolver), resolver, repetitions)
                for resolver in cirq.to_resolvers(params)
            ]

    def _run(
        self, circuit: cirq.AbstractCircuit, resolver: cirq.ParamResolver, repetitions: int
    ) -> cirq.Result:
        draws = Draws(
            self._context.seed,
            "virtual engine",
            self._processor,
            self._context.epoch(),
            next(self._ordinals),
        )
        noisy = self._noise.noisy_moments(circuit, sorted(circuit.all_qubits()))
        measurements: dict[str, NDArray[np.int8]] = {}
        for part in apart(cirq.Circuit(noisy)):
            if cirq.is_measurement(part):
                simulator = self._simulator(part, draws.integer(_SEEDS))
                answer = simulator.run(part, repetitions=repetitions)
                measurements.update(answer.measurements)
        return cirq.ResultDict(params=resolver, measurements=measurements)

    def _simulator(self, part: cirq.Circuit, seed: int) -> cirq.Sampler:
        if self._engine == "qsim":
            return qsim(seed, threads=self._threads)
        narrow = len(part.all_qubits()) <= _DENSITY_QUBITS
        if narrow and part.are_all_measurements_terminal():
            return cirq.DensityMatrixSimulator(seed=seed)
        return cirq.Simulator(seed=seed)


def qsim(seed: int, *, threads: int) -> cirq.Sampler:
    """Make qsim's simulator, single precision."""
    from qsimcirq.qsim_simulator import QSimOptions, QSimSimulator

    return QSimSimulator(qsim_options=QSimOptions(cpu_threads=threads), seed=seed)


def check_joined(circuit: cirq.AbstractCircuit) -> None:
    """Refuse a circuit whose gates join more qubits than can be simulated.

    Raises:
        Rejected: They join more than `MOST_JOINED`.
    """
    widest = max((len(group) for group in joined(circuit)), default=0)
    if widest > MOST_JOINED:
        raise Rejected(
            f"the virtual engine simulates at most {MOST_JOINED} qubits that gates join, got "
            f"{widest}"
        )


def joined(circuit: cirq.AbstractCircuit) -> list[set[cirq.Qid]]:
    """Group qubits that some chain of operations joins.

    Example:
        >>> a, b, c = cirq.LineQubit.range(3)
        >>> [len(group) for group in joined(cirq.Circuit(cirq.X(a), cirq.CZ(b, c)))]
        [1, 2]
    """
    group_of: dict[cirq.Qid, set[cirq.Qid]] = {q: {q} for q in sorted(circuit.all_qubits())}
    for operation in circuit.all_operations():
        groups = [group_of[qubit] for qubit in operation.qubits]
        for other in groups[1:]:
            if other is not groups[0]:
                groups[0].update(other)
                group_of.update(dict.fromkeys(other, groups[0]))
                groups = [groups[0] if group is other else group for group in groups]
    return list({id(group): group for group in group_of.values()}.values())


def apart(circuit: cirq.AbstractCircuit) -> Iterable[cirq.Circuit]:
    """Split a circuit into those that share no operation, moments kept in order."""
    where = {qubit: index for index, group in enumerate(joined(circuit)) for qubit in group}
    parts: dict[int, list[list[cirq.Operation]]] = {index: [] for index in where.values()}
    for moment in circuit:
        fresh: dict[int, list[cirq.Operation]] = {}
        for operation in moment.operations:
            fresh.setdefault(where[operation.qubits[0]], []).append(operation)
        for index, operations in fresh.items():
            parts[index].append(operations)
    for _, moments in sorted(parts.items()):
        yield cirq.Circuit(cirq.Moment(operations) for operations in moments)
