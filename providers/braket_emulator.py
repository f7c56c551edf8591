"""A machine's emulator in this process: Braket's LocalEmulator, made from the device's properties.

The properties are a text that Braket publishes of each machine (`device.properties.json()`), or a
file of an earlier day. The emulator reads the very text that the machine would get, checks that it
is native, and adds depolarizing noise after every gate and bit flips before every measurement, as
large as the maker's fidelities say. The exact law of the noisy circuit is computed, and the shots
are drawn from it with the job's own draws.

It offers itself as class `qpu`, since it takes native programs only and has a sheet; it is for
rehearsals, tests and local networks. On a network it is a simulator that calls itself a machine,
and the validators look for those.

Blind spot: no crosstalk, drift, leakage or decay; density matrices, so few qubits (`num_qubits`).
"""

from __future__ import annotations

import json
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from providers.base import ProgramResult, ResultKind
from providers.braket_capabilities import MOST_BYTES, read_capabilities
from providers.braket_devices import NAME, Claim, Machine, calibration_record, machine
from providers.errors import AdapterFault, JobFailed, Rejected
from providers.local import LocalProvider
from providers.sampling import sample

if TYPE_CHECKING:
    from braket.circuits import Circuit

    from circuits.draws import Draws
    from circuits.program import Program
    from providers.base import Context, Device, Job

PROCESSING = ("shots drawn from the exact law under the published noise, hash-derived numbers",)
WIDEST = 12


class _Emulator(Protocol):
    """What is used of `braket.emulation.local_emulator.LocalEmulator`."""

    def transform(self, task_specification: Circuit) -> Circuit: ...


class Emulated:
    """One emulated machine.

    Args:
        described: How programs are written for it.
        emulator: Adds its noise.
    """

    def __init__(self, described: Machine, emulator: _Emulator) -> None:
        self.machine = described
        self._emulator = emulator
        # Nothing says that an emulator's passes may be shared by threads.
        self._lock = threading.Lock()

    def admit(self, _device: Device, program: Program) -> None:
        """Raise Rejected where the machine could not be given the program."""
        self.machine.text(program)

    def execute(self, _device: Device, job: Job, index: int, draws: Draws) -> ProgramResult:
        """Run one program.

        Raises:
            JobFailed: Braket's emulator refuses it; the message is its own.
        """
        from braket.devices import LocalSimulator

        from circuits.emitters.braket import braket_probabilities

        program, kept = job.programs[index].compacted()
        noisy = self.noisy(job.programs[index])
        law = LocalSimulator("braket_dm").run(noisy.probability(), shots=0).result().values[0]
        if len(law) != 2 ** len(kept):
            raise JobFailed(f"Braket's emulator answers for other than {len(kept)} qubits")
        outcomes, weights = braket_probabilities(law, program)
        counts = sample(outcomes, weights, shots=job.shots, draws=draws)
        return ProgramResult(counts, ResultKind.PROBABILITIES, PROCESSING)

    def noisy(self, program: Program) -> Circuit:
        """The circuit on physical qubits with its noise, without measurements and boxes."""
        from braket.circuits import Circuit
        from braket.circuits.compiler_directive import CompilerDirective
        from braket.circuits.measure import Measure

        # Physical qubits ascend as the program's do, so the law's index needs no reordering.
        circuit = Circuit.from_ir(self.machine.text(program))
        try:
            with self._lock:
                noisy = self._emulator.transform(circuit)
        except ValueError as error:
            raise JobFailed(f"Braket's emulator: {error}") from None
        away = (CompilerDirective, Measure)
        return Circuit([step for step in noisy.instructions if not isinstance(step.operator, away)])


def emulator_provider(text: str, claim: Claim, *, most: int, context: Context) -> LocalProvider:
    """Make the provider of one emulated machine.

    Args:
        text: The device's properties, JSON.
        claim: Its name and price; no sheet, since the noise is the published one.
        most: Offer at most as many of its qubits, a connected part, 1 .. `WIDEST`.
        context: Where seeds come from.

    Raises:
        Rejected: The properties are of no machine with published error rates, or Braket's
            emulator refuses them; the message says why.
    """
    try:
        said, record = read_capabilities(text)
    except AdapterFault as error:
        raise Rejected(f"the properties: {error}") from None
    emulated = Emulated(machine(said, claim, most=most), _emulator(text))
    published = calibration_record(record, emulated.machine)
    return LocalProvider(
        NAME,
        (emulated.machine.device,),
        execute=emulated.execute,
        context=context,
        admit=emulated.admit,
        calibration=lambda _device: published,
    )


def read_properties(path: str) -> str:
    """Read a file of properties.

    Raises:
        Rejected: There is no such file, or it is too large or no text.
    """
    try:
        with Path(path).open("rb") as file:
            data = file.read(MOST_BYTES + 1)
    except OSError as error:
        raise Rejected(f"cannot read the properties {path!r}: {error.strerror}") from None
    try:
        return data.decode()
    except UnicodeDecodeError:
        raise Rejected(f"the properties {path!r} are no text") from None


def _emulator(text: str) -> _Emulator:
    from braket.emulation.local_emulator import LocalEmulator

    read = json.loads(text)
    try:
        made: _Emulator = LocalEmulator.from_json(read if isinstance(read, str) else text)
    except (KeyError, TypeError, ValueError) as error:
        raise Rejected(f"Braket's emulator refuses the properties: {error}") from None
    return made
