"""Qiskit Aer in this process: state vector, stabilizer or matrix product state; CPU or GPU.

Nothing is transpiled: the emitter writes gates that Aer has, so what runs is what was sent, less
its idle qubits. Only for `method` stabilizer each gate is first named as the Clifford it is.
Seeds come from the job's draws, so that one job gives the same counts again on one machine (the
last bits of amplitudes, and with them rare shots, differ between machines and thread counts).

"There is a GPU" means that a one-qubit run on it succeeds. It serves the state vector only. The
GPU build of Aer replaces the CPU build under the same import name.

Blind spot: a program that measures in its middle is simulated shot by shot, which is slow.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from circuits.draws import Draws
from circuits.gates import GATES, matrix
from circuits.program import Operation, Program
from circuits.topology import complete
from providers.base import Context, Device, DeviceClass, Job, Json, ProgramResult, ResultKind
from providers.errors import JobFailed, MissingSoftware, Rejected
from providers.local import LocalProvider
from providers.options import Options

if TYPE_CHECKING:
    from qiskit import QuantumCircuit

METHODS = ("automatic", "matrix_product_state", "stabilizer", "statevector")
_SEEDS = 2**31 - 1


@dataclass(frozen=True, slots=True)
class Engine:
    """How to run.

    Attributes:
        method: Aer's word for the simulation method.
        device: `CPU` or `GPU`.
        threads: Most threads; 0 means one a core.
    """

    method: str
    device: str
    threads: int

    def run(self, circuit: QuantumCircuit, *, shots: int, seed: int, memory: bool) -> Any:  # noqa: ANN401 - the SDK has no types
        """Run one circuit and give Qiskit's own result."""
        from qiskit_aer import AerSimulator

        simulator = AerSimulator(
            method=self.method, device=self.device, max_parallel_threads=self.threads
        )
        return simulator.run(circuit, shots=shots, seed_simulator=seed, memory=memory).result()


def create(options: Mapping[str, Json], context: Context) -> LocalProvider:
    """Make the provider of one Aer device.

    Args:
        options: `device` (its name, "aer"), `method` ("automatic", "statevector", "stabilizer"
            or "matrix_product_state"), `num_qubits` (the width it claims, 20), `gpu` ("auto",
            "on" or "off"), `threads` (1; 0 means all) and `fee_rao_per_shot` (0).
        context: Where seeds come from.

    Raises:
        Rejected: An option is unknown or wrong.
        MissingSoftware: `gpu` is "on" and no GPU answers.

    Example:
        >>> create({"num_qubits": 5, "gpu": "off"}, Context(b"seed", lambda: 0)).name
        'aer'
    """
    read = Options("aer", options)
    name = read.text("device", "aer")
    method = read.word("method", "automatic", METHODS)
    widest = 32 if method in ("automatic", "statevector") else 1_024
    num_qubits = read.whole("num_qubits", 20, low=1, high=widest)
    gpu = read.word("gpu", "auto", ("auto", "off", "on"))
    threads = read.whole("threads", 1, low=0, high=256)
    fee = read.whole("fee_rao_per_shot", 0, low=0, high=10**12)
    read.done()
    # Qiskit must be loaded by a thread that stays: where a worker thread loads it first and ends,
    # the next thread crashes (seen with Qiskit 2.6).
    import qiskit  # noqa: F401 - loaded here for the worker threads

    on_gpu = method in ("automatic", "statevector") and gpu != "off" and _gpu_answers()
    if gpu == "on" and not on_gpu:
        raise MissingSoftware(_no_gpu(method))
    engine = Engine("statevector" if on_gpu else method, "GPU" if on_gpu else "CPU", threads)
    device = Device(
        name,
        DeviceClass.SIMULATOR,
        complete(num_qubits, ("cx", "u")),
        None,
        "aer",
        fee_rao_per_shot=fee,
    )

    def run(_device: Device, job: Job, index: int, draws: Draws) -> ProgramResult:
        return execute(engine, job, index, draws)

    def admit(_device: Device, program: Program) -> None:
        if method == "stabilizer":
            cliffords_named(program)

    return LocalProvider("aer", (device,), execute=run, context=context, admit=admit)


def execute(engine: Engine, job: Job, index: int, draws: Draws) -> ProgramResult:
    """Run one program of a job.

    Raises:
        JobFailed: Aer ended with an error; the message is its own.

    Example:
        >>> from circuits.program import measure
        >>> job = Job("0" * 64, "aer", (Program(1, 1, (measure(0, 0),)),), 5)
        >>> execute(Engine("statevector", "CPU", threads=1), job, 0, Draws(b"")).counts.table
        {'0': 5}
    """
    from circuits.emitters.qiskit import qiskit_counts, to_qiskit

    program, _ = job.programs[index].compacted()
    if engine.method == "stabilizer":
        program = cliffords_named(program)
    seed = draws.integer(_SEEDS)
    result = engine.run(to_qiskit(program), shots=job.shots, seed=seed, memory=job.memory)
    if not result.success:
        raise JobFailed(f"Aer: {result.status}"[:500])
    counts = qiskit_counts(result.get_counts(0), program)
    memory = tuple(text.replace(" ", "") for text in result.get_memory(0)) if job.memory else None
    kind = ResultKind.SHOTS if job.memory else ResultKind.COUNTS
    return ProgramResult(counts, kind, (), memory)


def cliffords_named(program: Program) -> Program:
    """Write every gate as the h, s, x ... and cx that Aer's stabilizer method knows.

    Raises:
        Rejected: A gate is no Clifford at its angles.

    Example:
        >>> from circuits.program import measure
        >>> turned = Program(1, 1, (Operation("u", (0,), (0.0, 0.0, 1.5707963267948966)),))
        >>> [operation.name for operation in cliffords_named(turned).operations]
        ['s']
    """
    operations: list[Operation] = []
    for operation in program.operations:
        if operation.name not in GATES:
            operations.append(operation)
            continue
        for name, places in _clifford(operation.name, operation.angles):
            operations.append(Operation(name, tuple(operation.qubits[k] for k in places)))
    return Program(program.num_qubits, program.num_bits, tuple(operations))


@lru_cache(maxsize=4096)
def _clifford(name: str, angles: tuple[float, ...]) -> tuple[tuple[str, tuple[int, ...]], ...]:
    """Name a gate's Clifford: (gate, operand places) in order of time."""
    from qiskit import QiskitError
    from qiskit.quantum_info import Clifford

    try:
        circuit = Clifford.from_matrix(matrix(name, angles)).to_circuit()
    except QiskitError:
        shown = f"{name}({', '.join(map(str, angles))})" if angles else name
        raise Rejected(f"method stabilizer runs Clifford gates only, got {shown}") from None
    return tuple(
        (step.operation.name, tuple(circuit.find_bit(qubit).index for qubit in step.qubits))
        for step in circuit.data
    )


def _gpu_answers() -> bool:
    """Tell whether a one-qubit run on a GPU succeeds, which an installed GPU build alone is not."""
    from qiskit import QiskitError, QuantumCircuit
    from qiskit_aer import AerSimulator

    if "GPU" not in AerSimulator().available_devices():
        return False
    circuit = QuantumCircuit(1, 1)
    circuit.x(0)
    circuit.measure(0, 0)
    try:
        result = Engine("statevector", "GPU", 1).run(circuit, shots=1, seed=0, memory=False)
        return bool(result.success) and result.get_counts(0) == {"1": 1}
    except (QiskitError, RuntimeError):
        return False


def _no_gpu(method: str) -> str:
    if method in ("stabilizer", "matrix_product_state"):
        return f"option gpu=on needs method automatic or statevector, got {method}"
    return (
        "option gpu=on, but no one-qubit run on a GPU succeeds here: install the GPU build of Aer "
        "in place of the CPU build (pip uninstall qiskit-aer; pip install qiskit-aer-gpu) and a "
        "driver that it accepts, or say gpu=auto or gpu=off"
    )
