"""References: the exact ideal distribution of a program, from whichever engine is at hand.

Known answers need no reference (closed form for product states, the stabilizer tableau for
mirrors: `circuits` computes both). Everything else is simulated as a statevector: by Aer on a GPU
where a one-qubit run on it succeeds, else by qsim (single precision, the fast engine on a CPU),
else by Aer on the CPU. Probabilities are quantised, so that engines and machines agree.

Source: PROVIDERS' speed table for the order of engines. Blind spot: at most `MAX_QUBITS` qubits.
"""

from __future__ import annotations

from collections import OrderedDict
from typing import TYPE_CHECKING, Protocol

import numpy as np

from circuits.errors import LimitError
from circuits.program import BARRIER, MEASURE, Operation, Program, final_measurements

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Probabilities = NDArray[np.float64]

MAX_QUBITS = 24
QUANTUM = 1e-12
"""Probabilities are rounded to multiples of this, far below the least that an outcome can have at
`MAX_QUBITS`. Engines agree within `TOLERANCE` of the largest probability, not bit for bit."""

TOLERANCE = 1e-5
"""Relative to the largest probability: qsim computes in single precision."""


class Engine(Protocol):
    """Simulates unitary programs exactly."""

    @property
    def name(self) -> str:
        """Name of the engine, stored with the evidence."""
        ...

    def amplitudes(self, program: Program) -> NDArray[np.complex128]:
        """Give the final state of the gates of `program`; index bit k is qubit k."""
        ...


class QsimEngine:
    """qsim, through Cirq; single precision."""

    name = "qsim"

    def __init__(self) -> None:
        import cirq
        import qsimcirq

        self._cirq = cirq
        self._simulator = qsimcirq.qsim_simulator.QSimSimulator(
            qsimcirq.qsim_simulator.QSimOptions(cpu_threads=2, max_fused_gate_size=4)
        )

    def amplitudes(self, program: Program) -> NDArray[np.complex128]:
        """Give the final state; index bit k is qubit k."""
        from circuits.emitters.cirq import to_cirq

        qubits = self._cirq.LineQubit.range(program.num_qubits)
        result = self._simulator.simulate(to_cirq(program), qubit_order=qubits[::-1])
        return np.asarray(result.final_state_vector, dtype=np.complex128)


class AerEngine:
    """Aer's statevector method in double precision, on the CPU or a GPU."""

    def __init__(self, device: str = "CPU") -> None:
        from qiskit_aer import AerSimulator

        self.name = f"aer-{device.lower()}"
        self._simulator = AerSimulator(method="statevector", device=device)

    def amplitudes(self, program: Program) -> NDArray[np.complex128]:
        """Give the final state; index bit k is qubit k."""
        from circuits.emitters.qiskit import to_qiskit

        circuit = to_qiskit(program)
        circuit.save_statevector()
        result = self._simulator.run(circuit, shots=1).result()
        return np.asarray(result.get_statevector(circuit).data, dtype=np.complex128)


def best_engine() -> Engine:
    """Pick the engine as the module's first paragraph says.

    Raises:
        ModuleNotFoundError: Neither qsim nor Aer is installed.
    """
    one = Program(1, 1, (Operation("h", (0,)),))
    try:
        gpu = AerEngine("GPU")
        gpu.amplitudes(one)
    except Exception:  # noqa: BLE001 - Aer says "no GPU" in many ways; a run that works is the test
        gpu = None
    if gpu:
        return gpu
    try:
        return QsimEngine()
    except ModuleNotFoundError:
        return AerEngine()


class Reference:
    """Ideal distributions, cached by the program's digest.

    Args:
        engine: Simulates; `best_engine()` in a service.
        kept: Probabilities that are remembered, over all distributions; 8 bytes each.

    Example:
        >>> from circuits.program import measure
        >>> flip = Program(2, 2, (Operation("x", (1,)), measure(1, 0)))
        >>> Reference(AerEngine()).probabilities(flip).tolist()
        [0.0, 1.0, 0.0, 0.0]
    """

    def __init__(self, engine: Engine, *, kept: int = 1 << 23) -> None:
        self._engine = engine
        self._kept = kept
        self._cache: OrderedDict[str, Probabilities] = OrderedDict()
        self._size = 0

    @property
    def engine(self) -> str:
        """Name of the engine."""
        return self._engine.name

    def probabilities(self, program: Program) -> Probabilities:
        """Give the ideal probability of every outcome.

        Args:
            program: Measurements at the end only and no reset; a bit that is written twice keeps
                the later value.

        Returns:
            2**num_bits values, read-only; index bit i is c[i], bits that nothing measures are 0.
            Multiples of `QUANTUM` that sum to 1 within 2**num_bits * `QUANTUM`.

        Raises:
            ProgramError: A measurement or reset in the middle.
            LimitError: More than `MAX_QUBITS` used qubits or bits.
        """
        if program.digest in self._cache:
            self._cache.move_to_end(program.digest)
            return self._cache[program.digest]
        gates, measured = _split(program)
        amplitudes = self._engine.amplitudes(gates)
        values = _marginal(np.abs(amplitudes) ** 2, measured, program.num_bits)
        self._remember(program.digest, values)
        return values

    def _remember(self, digest: str, values: Probabilities) -> None:
        """Put a distribution into the cache; the ones unused for longest make room."""
        values.flags.writeable = False
        self._cache[digest] = values
        self._size += values.size
        while self._size > self._kept:
            _, oldest = self._cache.popitem(last=False)
            self._size -= oldest.size


def _split(program: Program) -> tuple[Program, dict[int, int]]:
    """Separate the gates on the used qubits from the final measurements {bit: qubit}."""
    compact, _ = program.compacted()
    if max(compact.num_qubits, compact.num_bits) > MAX_QUBITS:
        raise LimitError(
            f"need at most {MAX_QUBITS} qubits and bits for a reference, got "
            f"{compact.num_qubits} and {compact.num_bits}"
        )
    measured = final_measurements(compact)
    gates = tuple(op for op in compact.operations if op.name not in (MEASURE, BARRIER))
    return Program(compact.num_qubits, compact.num_bits, gates), measured


def _marginal(weights: Probabilities, measured: dict[int, int], num_bits: int) -> Probabilities:
    """Sum the distribution over qubits into one over bits, and quantise it."""
    index = np.zeros(weights.size, dtype=np.int64)
    states = np.arange(weights.size, dtype=np.int64)
    for bit, qubit in measured.items():
        index |= ((states >> qubit) & 1) << bit
    values = np.bincount(index, weights=weights / weights.sum(), minlength=1 << num_bits)
    return np.asarray(np.round(values / QUANTUM) * QUANTUM)
