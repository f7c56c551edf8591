"""Cheats: devices that lie, and one that errs; for tests, demos and the detection benchmark.

Each offers itself as a `qpu` with a real machine's couplings and public sheet, as the honest
stand-in of that machine does, refuses the same programs and answers in the same form. Only the
counts tell it from one.

To add one: a function here and its line in `CHEATS`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from circuits.gates import GATES
from providers.base import Context, Device, Job, Json, ProgramResult
from providers.local import LocalProvider
from providers.noise import VIRTUAL
from providers.options import Options
from providers.snapshots import document, load
from providers.standin import DEFAULT_MACHINE, StandIn, admit, shots_result

if TYPE_CHECKING:
    from circuits.counts import Bits
    from circuits.draws import Draws
    from circuits.program import Program

Answer = Callable[[StandIn, "Program", int, "Draws"], "Bits"]
"""(machine that is claimed, program, shots, draws) -> (shots x num_bits), column i = c[i]."""

REPLAY_FLIPS = 0.05
"""Chance of each bit to differ from the replayed answer's most frequent string."""


@dataclass(frozen=True, slots=True)
class Cheat:
    """One way to be wrong.

    Attributes:
        lie: What it does instead of the job, in one sentence.
        answer: The shots that it returns.
        mistake: It means well.
    """

    lie: str
    answer: Answer
    mistake: bool = False


def create(options: Mapping[str, Json], context: Context) -> LocalProvider:
    """Make the provider of one cheat.

    Args:
        options: `kind` (a key of `CHEATS`, "noiseless"), `machine` (whose sheet it shows,
            "hanoi"), `device` (its name, the machine's) and `fee_rao_per_shot` (0).
        context: Where seeds come from.

    Raises:
        Rejected: An option is unknown or wrong, or there is no such machine.
        MissingSoftware: The package with the snapshots is not installed.

    Example:
        >>> create({"kind": "uniform", "device": "q7"}, Context(b"seed", lambda: 0)).name
        'cheats'
    """
    read = Options("cheats", options)
    kind = read.word("kind", "noiseless", CHEATS)
    machine = read.text("machine", DEFAULT_MACHINE)
    device = read.text("device", machine)
    fee = read.whole("fee_rao_per_shot", 0, low=0, high=10**12)
    read.done()
    claimed = StandIn(load(machine), device, context, provider="cheats", fee_rao_per_shot=fee)
    answer = CHEATS[kind].answer

    def execute(_device: Device, job: Job, index: int, draws: Draws) -> ProgramResult:
        rows = answer(claimed, job.programs[index], job.shots, draws)
        return shots_result(rows, memory=job.memory)

    return LocalProvider(
        "cheats",
        (claimed.device,),
        execute=execute,
        context=context,
        admit=admit,
        calibration=lambda _device: document(machine),
    )


def sheet_fidelity(device: Device, program: Program) -> float:
    """Say what the public sheet promises of a circuit, as the sheet's reader computes it.

    The product of 1 - 5r/4 per two-qubit gate, 1 - 3r/2 per pulse (rz is none) and 1 - 3e/2 per
    measurement, r the average infidelity and e the readout error; 0 where a factor is negative.

    Raises:
        KeyError: A two-qubit gate on no edge of the device.

    Example:
        >>> from circuits.program import Program, measure
        >>> hanoi = StandIn(load("hanoi"), "qpu", Context(b"seed", lambda: 0))
        >>> round(sheet_fidelity(hanoi.device, Program(27, 1, (measure(0, 0),))), 4)
        0.9886
    """
    errors, topology = device.errors, device.topology
    if errors is None:
        return 1.0
    pairs = {
        frozenset(edge): rate for edge, rate in zip(topology.edges, errors.two_qubit, strict=True)
    }
    fidelity = 1.0
    for op in program.operations:
        if op.bit is not None:
            fidelity *= max(0.0, 1 - 1.5 * errors.readout[op.qubits[0]])
        elif op.name in GATES and op.name not in VIRTUAL:
            pair = len(op.qubits) == 2
            error = (
                1.25 * pairs[frozenset(op.qubits)] if pair else 1.5 * errors.one_qubit[op.qubits[0]]
            )
            fidelity *= max(0.0, 1 - error)
    return fidelity


def _written(program: Program, rows: Bits) -> Bits:
    """Bits that no measurement writes read 0."""
    bits = sorted({op.bit for op in program.operations if op.bit is not None})
    kept = np.zeros_like(rows)
    kept[:, bits] = rows[:, bits]
    return kept


def _generator(draws: Draws) -> np.random.Generator:
    return np.random.Generator(np.random.PCG64(draws.integer(2**128)))


def _uniform(_claimed: StandIn, program: Program, shots: int, draws: Draws) -> Bits:
    rows = _generator(draws).integers(0, 2, (shots, program.num_bits), dtype=np.uint8)
    return _written(program, rows)


def _zeros(_claimed: StandIn, program: Program, shots: int, _draws: Draws) -> Bits:
    return np.zeros((shots, program.num_bits), dtype=np.uint8)


def _replay(claimed: StandIn, program: Program, shots: int, _draws: Draws) -> Bits:
    """Answer with one recording per width.

    The recording stands for the first job of that width. It is a hash of the device, not of the
    order in which jobs arrive, so that it is the same however callers race; fewer shots are its
    beginning.
    """
    recorded = claimed.history.child("replay", program.num_bits)
    first = np.array(recorded.bits(program.num_bits), dtype=np.uint8)
    flips = _generator(recorded).random((shots, program.num_bits)) < REPLAY_FLIPS
    return first ^ flips


def _noiseless(claimed: StandIn, program: Program, shots: int, draws: Draws) -> Bits:
    return claimed.ideal(program, shots=shots, draws=draws)


def _white_noise(claimed: StandIn, program: Program, shots: int, draws: Draws) -> Bits:
    right = claimed.ideal(program, shots=shots, draws=draws.child("right"))
    wrong = _uniform(claimed, program, shots, draws.child("wrong"))
    kept = _generator(draws).random(shots) < sheet_fidelity(claimed.device, program)
    return np.where(kept[:, None], right, wrong)


def _reversed(claimed: StandIn, program: Program, shots: int, draws: Draws) -> Bits:
    return claimed.run(program, shots=shots, draws=draws)[:, ::-1]


CHEATS: dict[str, Cheat] = {
    "uniform": Cheat("It runs nothing and returns fair coin flips.", _uniform),
    "zeros": Cheat("It runs nothing and returns zeros.", _zeros),
    "replay": Cheat("It answers every job of one width with the counts of the first.", _replay),
    "noiseless": Cheat("It sells a noiseless simulator as a machine.", _noiseless),
    "white_noise": Cheat(
        "It mixes a noiseless simulator with coin flips in the share that the sheet promises.",
        _white_noise,
    ),
    "reversed": Cheat(
        "It runs every job honestly and returns the bits in reversed order.",
        _reversed,
        mistake=True,
    ),
}
