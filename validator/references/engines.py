"""Engines: exact simulators of unitary programs, and which of them is used where.

Three compute the same thing. The dense one is ours (numpy, double precision, no translation), the
fastest up to `DENSE_QUBITS`. Above, Aer on a GPU where a one-qubit run on it succeeds; else qsim
(single precision, the fast engine on a CPU); else Aer on the CPU. Each is checked against the
others in the tests. All take many programs at once: that is where Aer saves its start.

Index bit k of a state is qubit k. Source: the speeds in `benchmarks/bench_reference.py`.
Blind spot: agreement is within `validator.references.reference.TOLERANCE`, never to the last bit.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cache
from typing import TYPE_CHECKING, Protocol

import numpy as np

from circuits.program import Operation, Program
from validator.references.statevector import merged, statevector

if TYPE_CHECKING:
    import cirq
    from numpy.typing import NDArray

    State = NDArray[np.complex64] | NDArray[np.complex128]

DENSE_QUBITS = 12
"""Up to here the dense engine is the fastest on one core: 5 against 9 to 31 ms at 8 qubits,
8 to 10 against 12 to 109 ms at 12, 35 to 38 against 32 to 115 ms at 14 (brickwork, depth 16)."""

DENSE, QSIM = "dense", "qsim"
_AER = "aer-"
_BATCH = 1 << 23  # amplitudes that one run of Aer gives back at most


class Engine(Protocol):
    """Simulates unitary programs exactly."""

    @property
    def name(self) -> str:
        """Name of the engine, stored with the evidence; `engine` finds it again."""
        ...

    def states(self, programs: Sequence[Program]) -> Iterator[State]:
        """Give the final states of the programs' gates, in order, one at a time.

        Args:
            programs: Gates only; barriers are allowed.

        Returns:
            2**num_qubits amplitudes each, up to global phase.
        """
        ...


class DenseEngine:
    """Our own statevector, for narrow programs.

    Example:
        >>> [abs(state).round(9).tolist() for state in DenseEngine().states([_ONE])]
        [[0.0, 1.0]]
    """

    name = DENSE

    def states(self, programs: Sequence[Program]) -> Iterator[State]:
        """Simulate one after the other, in double precision."""
        return map(statevector, programs)


class QsimEngine:
    """qsim, through Cirq; single precision.

    Gates reach it as the few matrices of `statevector.merged`: translating them one by
    one takes longer than the simulation of 16 qubits where a rotation is five native gates.
    """

    name = QSIM

    def __init__(self) -> None:
        import cirq
        import qsimcirq

        self._cirq = cirq
        self._simulator = qsimcirq.qsim_simulator.QSimSimulator(
            qsimcirq.qsim_simulator.QSimOptions(cpu_threads=2, max_fused_gate_size=4)
        )

    def states(self, programs: Sequence[Program]) -> Iterator[State]:
        """Simulate one after the other, in single precision."""
        for program in programs:
            qubits = self._cirq.LineQubit.range(program.num_qubits)
            _, state, _ = self._simulator.simulate_into_1d_array(
                self._circuit(program, qubits), qubit_order=qubits[::-1]
            )
            yield state

    def _circuit(self, program: Program, qubits: list[cirq.LineQubit]) -> cirq.Circuit:
        # Cirq counts the first operand of a matrix as the most significant, we the last.
        return self._cirq.Circuit(
            self._cirq.MatrixGate(gate, unitary_check=False).on(
                *(qubits[k] for k in operands[::-1])
            )
            for gate, operands in merged(program)
        )


class AerEngine:
    """Aer's statevector method in double precision, on the CPU or a GPU.

    Args:
        device: "CPU" or "GPU".
        single: Compute in single precision: half the memory, and enough for a bank.
    """

    def __init__(self, device: str = "CPU", *, single: bool = False) -> None:
        from qiskit_aer import AerSimulator

        self.name = f"{_AER}{device.lower()}"
        self._simulator = AerSimulator(
            method="statevector",
            device=device,
            precision="single" if single else "double",
        )

    def states(self, programs: Sequence[Program]) -> Iterator[State]:
        """Simulate all in one run, or in a few where their states fill too much memory."""
        batch: list[Program] = []
        for program in programs:
            size = sum(1 << one.num_qubits for one in batch) + (1 << program.num_qubits)
            if batch and size > _BATCH:
                yield from self._run(batch)
                batch = []
            batch.append(program)
        if batch:
            yield from self._run(batch)

    def _run(self, programs: list[Program]) -> Iterator[State]:
        from circuits.emitters.qiskit import to_qiskit

        circuits = []
        for program in programs:
            circuit = to_qiskit(program)
            circuit.save_statevector()
            circuits.append(circuit)
        result = self._simulator.run(circuits, shots=1).result()
        if not result.success:
            raise RuntimeError(f"Aer could not simulate {len(circuits)} circuits: {result.status}")
        for place in range(len(circuits)):
            yield np.asarray(result.data(place)["statevector"])


class ByWidth:
    """The dense engine for narrow programs, another for the rest.

    Args:
        wide: Takes programs of more than `DENSE_QUBITS` qubits.

    Example:
        >>> ByWidth(DenseEngine()).name
        'dense+dense'
    """

    def __init__(self, wide: Engine) -> None:
        self._dense = DenseEngine()
        self._wide = wide
        self.name = f"{DENSE}+{wide.name}"

    def states(self, programs: Sequence[Program]) -> Iterator[State]:
        """Send each program to its engine; the wide ones in one batch."""
        wide = self._wide.states([p for p in programs if p.num_qubits > DENSE_QUBITS])
        for program in programs:
            if program.num_qubits > DENSE_QUBITS:
                yield next(wide)
            else:
                yield from self._dense.states([program])


_ONE = Program(1, 1, (Operation("x", (0,)),))


def gpu_engine(*, single: bool = False) -> AerEngine | None:
    """Give Aer on a GPU, or None where a one-qubit run on it does not succeed."""
    try:
        gpu = AerEngine("GPU", single=single)
        next(gpu.states([_ONE]))
    except Exception:  # noqa: BLE001 - Aer says "no GPU" in many ways; a run that works is the test
        return None
    return gpu


def best_engine() -> Engine:
    """Pick the engines as the module's first paragraph says.

    Raises:
        ModuleNotFoundError: Neither qsim nor Aer is installed.
    """
    gpu = gpu_engine()
    if gpu:
        return ByWidth(gpu)
    try:
        return ByWidth(QsimEngine())
    except ModuleNotFoundError:
        return ByWidth(AerEngine())


@cache
def engine(name: str) -> Engine:
    """Make an engine from its name, once a process, as a worker of a pool does.

    Raises:
        ValueError: No engine has that name.

    Example:
        >>> engine("dense").name
        'dense'
    """
    if name.startswith(f"{DENSE}+"):
        return ByWidth(engine(name.removeprefix(f"{DENSE}+")))
    if name == DENSE:
        return DenseEngine()
    if name == QSIM:
        return QsimEngine()
    if name.startswith(_AER):
        return AerEngine(name.removeprefix(_AER).upper())
    raise ValueError(f"need dense, qsim, aer-cpu or aer-gpu, got {name[:40]!r}")
