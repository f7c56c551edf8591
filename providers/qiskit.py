"""Anything that Qiskit can run on: a BackendV2 or a SamplerV2 that the miner names.

`target` is "module:factory"; what the factory makes from `arguments` is run in this process, one
program a call, blocking. Circuits are sent as they stand, on the qubits that the program names:
nothing is transpiled. A backend without couplings gets the used qubits only.

Seeds come from the job's draws where the backend has an option `seed_simulator`.

Blind spot: after a restart a job is unknown here and is sent again; for a cloud that bills, use an
adapter with a journal. What a sampler does to a circuit by itself (dynamical decoupling,
twirling) is for the factory to switch off.
"""

from __future__ import annotations

import importlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from circuits.program import RESET
from providers.base import Json, ProgramResult, ResultKind
from providers.errors import JobFailed, Rejected
from providers.local import LocalProvider
from providers.options import Options
from providers.qiskit_target import Claim, couples, read_target, target_record
from providers.sheet import device_from_sheet, read_sheet

if TYPE_CHECKING:
    from qiskit import QuantumCircuit

    from circuits.draws import Draws
    from circuits.program import Program
    from providers.base import Context, Device, Handle, Job, JobResult

CLASSES = ("auto", "qpu", "simulator")

_SEEDS = 2**31 - 1
_KEPT = 256
_OBJECTS = ("arguments", "sheet")


@dataclass(slots=True)
class Runner:
    """A backend, or a sampler with the backend behind it if it has one.

    Attributes:
        backend: A BackendV2, or None.
        sampler: A SamplerV2 to run on instead, or None.
        records: What the backend said besides counts, by job key and program index.
    """

    backend: Any
    sampler: Any = None
    records: dict[str, list[Json]] = field(default_factory=dict)

    @property
    def target(self) -> Any:  # noqa: ANN401 - the SDK has no types
        """What the backend says of itself; None where there is no backend."""
        return None if self.backend is None else self.backend.target

    def execute(self, _device: Device, job: Job, index: int, draws: Draws) -> ProgramResult:
        """Run one program of a job.

        Raises:
            JobFailed: The backend ended with an error; the message is its own.
        """
        from circuits.emitters.qiskit import to_qiskit

        program = job.programs[index]
        if not couples(self.target):
            program, _ = program.compacted()
        circuit = to_qiskit(program)
        if self.sampler is not None:
            result, record = self._sampled(circuit, job.shots, program, memory=job.memory)
        else:
            seed = draws.integer(_SEEDS)
            result, record = self._run(circuit, job, program, seed=seed)
        self.records.setdefault(job.key, []).append(record)
        while len(self.records) > _KEPT:
            del self.records[next(iter(self.records))]
        return result

    def _run(
        self,
        circuit: QuantumCircuit,
        job: Job,
        program: Program,
        *,
        seed: int,
    ) -> tuple[ProgramResult, Json]:
        from circuits.emitters.qiskit import qiskit_counts

        settings: dict[str, Any] = {"shots": job.shots, "memory": job.memory}
        if hasattr(self.backend.options, "seed_simulator"):
            settings["seed_simulator"] = seed
        result = self.backend.run(circuit, **settings).result()
        if not result.success:
            raise JobFailed(f"{self.backend.name}: {result.status}"[:500])
        counts = qiskit_counts(result.get_counts(0), program)
        memory = None
        if job.memory:
            memory = tuple(text.replace(" ", "") for text in result.get_memory(0))
        kind = ResultKind.SHOTS if job.memory else ResultKind.COUNTS
        said = {key: value for key, value in result.to_dict().items() if key != "results"}
        return ProgramResult(counts, kind, (), memory), _json(said)

    def _sampled(
        self,
        circuit: QuantumCircuit,
        shots: int,
        program: Program,
        *,
        memory: bool,
    ) -> tuple[ProgramResult, Json]:
        from circuits.emitters.qiskit import qiskit_counts

        job = self.sampler.run([(circuit,)], shots=shots)
        answer = job.result()
        bits = answer[0].data.c
        counts = qiskit_counts(bits.get_counts(), program)
        kept = tuple(bits.get_bitstrings()) if memory else None
        said = {"job_id": job.job_id(), "metadata": [answer.metadata, answer[0].metadata]}
        return ProgramResult(counts, ResultKind.SHOTS, (), kept), _json(said)


class QiskitProvider(LocalProvider):
    """The provider of one backend; its results carry what the backend said."""

    def __init__(self, device: Device, runner: Runner, *, context: Context) -> None:
        super().__init__(
            "qiskit",
            (device,),
            execute=runner.execute,
            context=context,
            admit=lambda device, program: _admit(runner, device, program),
            calibration=lambda _device: _calibration(runner),
        )
        self._runner = runner

    async def result(self, handle: Handle) -> JobResult:
        """Give the results of a completed job with the backend's own records."""
        result = await super().result(handle)
        said = self._runner.records.get(handle.key, [])
        return replace(result, backend_record={**result.backend_record, "results": said})


def create(options: Mapping[str, Json], context: Context) -> QiskitProvider:
    """Make the provider of one backend or sampler.

    Args:
        options: `target` ("module:factory", no default), `arguments` (an object of keyword
            arguments, {}), `class` ("auto", "qpu" or "simulator"), `num_qubits` (the width of a
            simulator without couplings, 16), `device` (its name, the backend's), `sheet` (a path
            or the object, in place of what the backend says) and `fee_rao_per_shot` (0).
        context: Where seeds come from.

    Raises:
        Rejected: An option is unknown or wrong, or the factory makes neither.
        ModuleNotFoundError: Qiskit, or the factory's module, is not installed.

    Example:
        >>> from providers.base import Context
        >>> create({"target": "qiskit.primitives:StatevectorSampler"}, Context(b"", lambda: 0)).name
        'qiskit'
    """
    # Objects are no text: they are read where they belong, and are only named here.
    named = {name: "given" for name in _OBJECTS if name in options}
    read = Options("qiskit", {**options, **named})
    target, fee = read.text("target", ""), read.whole("fee_rao_per_shot", 0, low=0, high=10**12)
    name, word = read.text("device", ""), read.word("class", "auto", CLASSES)
    num_qubits = read.whole("num_qubits", 16, low=1, high=1_024)
    for given in _OBJECTS:
        read.text(given, "")
    read.done()
    runner = load(target, options.get("arguments", {}))
    sheet = options.get("sheet")
    if sheet is not None:
        content = read_sheet(sheet) if isinstance(sheet, str) else sheet
        device = device_from_sheet(content, provider="qiskit", name=name)
        device = replace(device, fee_rao_per_shot=fee)
    else:
        claim = Claim(name or device_name(runner), word, num_qubits, fee)
        device = read_target(runner.target, claim)
    return QiskitProvider(device, runner, context=context)


def load(target: str, arguments: Json) -> Runner:
    """Call the factory.

    Raises:
        Rejected: It cannot be called, or makes neither a BackendV2 nor a SamplerV2.
    """
    from qiskit.primitives import BaseSamplerV2
    from qiskit.providers import BackendV2

    module, _, path = target.partition(":")
    if not module or not path or not isinstance(arguments, Mapping):
        raise Rejected(
            "adapter 'qiskit' needs the option 'target', such as 'qiskit_aer:AerSimulator', and "
            f"takes 'arguments' as a JSON object; got {target[:80]!r} and a "
            f"{type(arguments).__name__}"
        )
    factory: Any = importlib.import_module(module)
    try:
        for attribute in path.split("."):
            factory = getattr(factory, attribute)
        made = factory(**arguments)
    except (AttributeError, TypeError, ValueError) as error:
        raise Rejected(f"option 'target' of 'qiskit': {error}"[:300]) from error
    if isinstance(made, BackendV2):
        return Runner(made)
    if isinstance(made, BaseSamplerV2):
        behind = getattr(made, "backend", None)
        behind = behind() if callable(behind) and not isinstance(behind, BackendV2) else behind
        return Runner(behind if isinstance(behind, BackendV2) else None, made)
    raise Rejected(
        f"{target[:80]!r} makes a {type(made).__name__}, need a BackendV2 or a SamplerV2"
    )


def device_name(runner: Runner) -> str:
    """Make a device's name of the backend's, or of the sampler's class.

    Example:
        >>> class Sampler: ...
        >>> device_name(Runner(None, Sampler()))
        'sampler'
    """
    said = runner.backend.name if runner.backend is not None else type(runner.sampler).__name__
    kept = [c if c.isascii() and (c.isalnum() or c in "-_.") else "-" for c in str(said).lower()]
    return "".join(kept).strip("-")[:64] or "qiskit"


def _admit(runner: Runner, device: Device, program: Program) -> None:
    resets = any(operation.name == RESET for operation in program.operations)
    if resets and runner.target is not None and "reset" not in runner.target.operation_names:
        raise Rejected(f"{device.name!r} has no reset")


def _calibration(runner: Runner) -> Mapping[str, Json]:
    """What the backend publishes: its properties where it has them, else its target."""
    properties = getattr(runner.backend, "properties", None)
    said = properties() if callable(properties) else None
    if said is None:
        return target_record(runner.target)
    record: Any = _json(said.to_dict())
    return {"properties": record}


def _json(value: Any) -> Json:  # noqa: ANN401 - whatever the SDK says
    """Keep what is JSON, and the rest as text; no NaN."""
    kept: Json = json.loads(json.dumps(value, default=str), parse_constant=lambda _name: None)
    return kept
