"""Researchers on a localnet: real circuits through the gateway, each answer checked.

Bell, GHZ, phase estimation by an inverse QFT (its answer is not symmetric, so a wrong bit order
shows) and a variational ansatz. The check compares with the exact distribution by classical
(Hellinger) fidelity: .98 on a simulator, .5 on a QPU, which is far above chance for these circuits.
"""

from __future__ import annotations

import asyncio
import logging
import math
import secrets
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeVar

from circuits.program import Operation, Program, measure
from providers.dense import probabilities
from qsubnet.errors import QsubnetError, Unreachable

if TYPE_CHECKING:
    from qsubnet.client import AsyncClient
    from qsubnet.localnet.cast import Miner

log = logging.getLogger(__name__)

T = TypeVar("T")

SHOTS = 1_000
_MOST_TRIES = 60
_PAUSE_S = 0.5
_LEAST = {"simulator": 0.98, "qpu": 0.5}


def bell() -> Program:
    """Two qubits, 00 and 11 in equal parts."""
    return _measured(2, [Operation("h", (0,)), Operation("cx", (0, 1))])


def ghz(width: int = 5) -> Program:
    """All zeros and all ones in equal parts."""
    chain = [Operation("cx", (q, q + 1)) for q in range(width - 1)]
    return _measured(width, [Operation("h", (0,)), *chain])


def phase_estimation(width: int = 4, phase: int = 3) -> Program:
    """Write `phase` / 2**width into phases and read it back by an inverse QFT: one exact answer.

    Example:
        >>> probabilities(phase_estimation(3, 3)).keys()
        dict_keys(['011'])
    """
    gates = []
    for q in range(width):
        gates += [
            Operation("h", (q,)),
            Operation("p", (q,), (2 * math.pi * phase * 2**q / 2**width,)),
        ]
    # The inverse QFT without its swaps reads qubit q as bit width - 1 - q.
    for q in range(width):
        for done in range(q):
            angle = -math.pi / 2 ** (q - done)
            gates.append(Operation("cp", (width - 1 - done, width - 1 - q), (angle,)))
        gates.append(Operation("h", (width - 1 - q,)))
    reads = [measure(width - 1 - bit, bit) for bit in range(width)]
    return Program(width, width, (*gates, *reads))


def ansatz(width: int = 4) -> Program:
    """Two layers of fixed rotations and a chain of cx, as a variational step runs them."""
    gates = []
    for layer in range(2):
        gates += [Operation("ry", (q,), (0.3 + 0.4 * q + 0.2 * layer,)) for q in range(width)]
        gates += [Operation("rz", (q,), (0.7 - 0.3 * q,)) for q in range(width)]
        gates += [Operation("cx", (q, q + 1)) for q in range(width - 1)]
    return _measured(width, gates)


def _measured(width: int, gates: Sequence[Operation]) -> Program:
    return Program(width, width, (*gates, *(measure(q, q) for q in range(width))))


PROGRAMS = {"bell": bell(), "ghz": ghz(), "qft": phase_estimation(), "ansatz": ansatz()}

_FIRST_DEVICES = {"bell": "aer", "ghz": "qpu-hanoi", "qft": "cirq", "ansatz": "qpu-torino"}


def first_devices(miners: Sequence[Miner]) -> dict[str, str]:
    """Name a device for each program, for the first epoch, when none has been judged yet.

    Later the gateway chooses. Where the usual device is not in the cast, an honest one is named.
    """
    honest = [miner.name for miner in miners if miner.honest]
    return {
        program: device if device in honest else honest[0]
        for program, device in _FIRST_DEVICES.items()
    }


def classical_fidelity(counts: Mapping[str, int], law: Mapping[str, float]) -> float:
    """Compare counts with a distribution: (sum sqrt(p q))^2, 1 where they agree.

    Example:
        >>> round(classical_fidelity({"0": 50, "1": 50}, {"0": 0.5, "1": 0.5}), 6)
        1.0
    """
    shots = sum(counts.values())
    if shots == 0:
        return 0.0
    return sum(math.sqrt(n / shots * law.get(key, 0.0)) for key, n in counts.items()) ** 2


@dataclass(slots=True)
class Tally:
    """What became of the users' jobs.

    Attributes:
        submitted: Jobs that the gateway took.
        completed: Jobs with as many shots as asked for.
        wrong: Completed jobs whose counts do not match the exact distribution.
    """

    submitted: int = 0
    completed: int = 0
    wrong: int = 0
    notes: list[str] = field(default_factory=list)

    @property
    def lost(self) -> int:
        """Jobs that were taken and did not complete."""
        return self.submitted - self.completed


class Users:
    """Sends jobs in the background and checks what comes back."""

    def __init__(self, client: AsyncClient) -> None:
        self._client = client
        self._tasks: list[asyncio.Task[None]] = []
        self.tally = Tally()

    def send(self, devices: Mapping[str, str]) -> None:
        """Send every program once; `devices` names one by program, or none for the router."""
        for name, program in PROGRAMS.items():
            self._tasks.append(asyncio.create_task(self._job(name, program, devices.get(name))))

    async def settle(self) -> None:
        """Wait until every job has ended."""
        await asyncio.gather(*self._tasks)

    def abandon(self) -> None:
        """Stop waiting; the gateway keeps the jobs."""
        for task in self._tasks:
            task.cancel()

    async def _job(self, name: str, program: Program, device: str | None) -> None:
        try:
            key = secrets.token_hex(16)
            job = await _patiently(
                lambda: self._client.submit(
                    program.text, shots=SHOTS, device=device, idempotency_key=key
                )
            )
            self.tally.submitted += 1
            result = await _patiently(lambda: self._client.result(job.job_id))
        except QsubnetError as error:
            self.tally.notes.append(f"{name}: {error}")
            log.warning("user job failed", extra={"circuit": name, "error": str(error)})
            return
        counts = result.results[0].counts
        if sum(counts.values()) == SHOTS:
            self.tally.completed += 1
        kind = "qpu" if result.device.startswith("qpu-") else "simulator"
        found = classical_fidelity(counts, probabilities(program))
        if found < _LEAST[kind]:
            self.tally.wrong += 1
            self.tally.notes.append(f"{name} on {result.device}: classical fidelity {found:.3f}")


async def _patiently(ask: Callable[[], Awaitable[T]]) -> T:
    """Ask again while the gateway is down, as a patient user does; each question is idempotent."""
    for _ in range(_MOST_TRIES):
        try:
            return await ask()
        except Unreachable as error:
            log.info("asking again", extra={"error": str(error)})
            await asyncio.sleep(_PAUSE_S)
    return await ask()
