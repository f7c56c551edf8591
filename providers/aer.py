"""Qiskit Aer in this process: state vector, stabilizer or matrix product state; CPU or GPU.

Nothing is transpiled: the emitter writes gates that Aer has, so what runs is what was sent, less
its idle qubits. Only for `method` stabilizer each gate is first named as the Clifford it is.
Seeds come from the job's draws, so that one job gives the same counts again on one machine (the
last bits of amplitudes, and with them rare shots, differ between machines and thread counts).

"There is a GPU" means that a one-qubit run on it succeeds. It serves the state vector only. The
GPU build of Aer replaces the CPU build under the same import name. With several GPUs, either one
state is cut into blocks that they share (`blocking_qubits`), or they share the shots of a program
that has to be run shot by shot (`batched_shots`).

Exact, unless a sheet of class `simulator` with error rates is given as `noise` (see
`providers.aer_noise`): then the device is that sheet's, and errs as it says.

Blind spot: a program that measures in its middle, or errs, is simulated shot by shot, which is
slow.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import lru_cache

from circuits.draws import Draws
from circuits.gates import GATES, matrix
from circuits.program import Operation, Program
from circuits.topology import complete
from providers import aer_noise
from providers.aer_engine import METHODS, Engine, gpu_answers, no_gpu, read_engine
from providers.base import Context, Device, DeviceClass, Job, Json, ProgramResult, ResultKind
from providers.errors import JobFailed, MissingSoftware, Rejected
from providers.local import LocalProvider
from providers.options import Options
from providers.sheet import device_from_sheet, read_sheet

_SEEDS = 2**31 - 1


def create(options: Mapping[str, Json], context: Context) -> LocalProvider:
    """Make the provider of one Aer device.

    Args:
        options: `device` (its name, "aer"), `method` ("automatic", "statevector", "stabilizer"
            or "matrix_product_state"), `num_qubits` (the width it claims, 20), `gpu` ("auto",
            "on" or "off"), `threads` (1; 0 means all) and `fee_rao_per_shot` (0); `precision`
            ("double" or "single"), `blocking_qubits` (0, off), `batched_shots` ("off" or "on")
            and `gpus` (their numbers, such as "0,1"; all); `noise` (a sheet's path or the object,
            in place of `num_qubits`; none).
        context: Where seeds come from.

    Raises:
        Rejected: An option is unknown or wrong.
        MissingSoftware: `gpu` is "on" and no GPU answers.

    Example:
        >>> create({"num_qubits": 5, "gpu": "off"}, Context(b"seed", lambda: 0)).name
        'aer'
    """
    # An object is no text: the sheet is read by its own module, and is only named here.
    read = Options("aer", {**options, "noise": "given"} if "noise" in options else options)
    method = read.word("method", "automatic", METHODS)
    gpu = read.word("gpu", "auto", ("auto", "off", "on"))
    wanted = read_engine(read, method)
    device = _device(read, method, options)
    read.done()
    # Qiskit must be loaded by a thread that stays: where a worker thread loads it first and ends,
    # the next thread crashes (seen with Qiskit 2.6).
    import qiskit  # noqa: F401 - loaded here for the worker threads

    on_gpu = method in ("automatic", "statevector") and gpu != "off" and gpu_answers()
    if gpu == "on" and not on_gpu:
        raise MissingSoftware(no_gpu(method))
    engine = replace(wanted, method="statevector", device="GPU") if on_gpu else wanted

    def run(device: Device, job: Job, index: int, draws: Draws) -> ProgramResult:
        return execute(engine, job, index, draws, noise=device if device.errors else None)

    def admit(device: Device, program: Program) -> None:
        if method == "stabilizer":
            cliffords_named(program)
        if device.errors is not None:
            aer_noise.admit(device, program)

    return LocalProvider("aer", (device,), execute=run, context=context, admit=admit)


def _device(read: Options, method: str, options: Mapping[str, Json]) -> Device:
    """Read what is claimed: an exact simulator, or the noisy one of a sheet."""
    widest = 32 if method in ("automatic", "statevector") else 1_024
    sheet = options.get("noise")
    name = read.text("device", "aer" if sheet is None else "")
    num_qubits = read.whole("num_qubits", 20, low=1, high=widest)
    fee = read.whole("fee_rao_per_shot", 0, low=0, high=10**12)
    read.text("noise", "")
    if sheet is None:
        topology = complete(num_qubits, ("cx", "u"))
        return Device(name, DeviceClass.SIMULATOR, topology, None, "aer", fee_rao_per_shot=fee)
    if "num_qubits" in options:
        raise Rejected("options 'noise' and 'num_qubits' of 'aer' exclude each other")
    content = read_sheet(sheet) if isinstance(sheet, str) else sheet
    device = device_from_sheet(content, provider="aer", name=name)
    if device.device_class is not DeviceClass.SIMULATOR or device.errors is None:
        raise Rejected(
            "option 'noise' of 'aer' is a sheet of class simulator with errors, got class "
            f"{device.device_class} {'with' if device.errors else 'without'} errors"
        )
    if device.topology.num_qubits > widest:
        raise Rejected(
            f"method {method} of 'aer' runs at most {widest} qubits, the sheet has "
            f"{device.topology.num_qubits}"
        )
    return replace(device, fee_rao_per_shot=fee)


def execute(
    engine: Engine, job: Job, index: int, draws: Draws, *, noise: Device | None = None
) -> ProgramResult:
    """Run one program of a job, with the errors that `noise` publishes or none.

    Raises:
        JobFailed: Aer ended with an error; the message is its own.

    Example:
        >>> from circuits.program import measure
        >>> job = Job("0" * 64, "aer", (Program(1, 1, (measure(0, 0),)),), 5)
        >>> execute(Engine("statevector", "CPU", threads=1), job, 0, Draws(b"")).counts.table
        {'0': 5}
    """
    from circuits.emitters.qiskit import qiskit_counts, to_qiskit

    program, kept = job.programs[index].compacted()
    form = cliffords_named if engine.method == "stabilizer" else _as_it_is
    seed = draws.integer(_SEEDS)
    if noise is None:
        circuit, model = to_qiskit(form(program)), None
    else:
        circuit = aer_noise.noisy_circuit(program, kept, noise, form=form)
        model = aer_noise.readout_noise(kept, noise)
    result = engine.run(circuit, shots=job.shots, seed=seed, memory=job.memory, noise=model)
    if not result.success:
        raise JobFailed(f"Aer: {result.status}"[:500])
    counts = qiskit_counts(result.get_counts(0), program)
    memory = tuple(text.replace(" ", "") for text in result.get_memory(0)) if job.memory else None
    kind = ResultKind.SHOTS if job.memory else ResultKind.COUNTS
    return ProgramResult(counts, kind, (), memory)


def _as_it_is(program: Program) -> Program:
    return program


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
