"""One program of n qubits, 1,000 shots: what a miner with a simulator does, engine by engine.

Aer runs through `providers.aer.execute`, qsim as the adapter `cirq` runs it: translation, state,
shots and counts are all in the time. Circuits are a bank's (`circuits.random_all`, depth 16, all
qubits paired at random in every layer), which leave no structure for an engine to use.

All cores are used on the processor. Blind spot: what a state needs beside itself on a card is
Aer's secret; where it does not fit after all, the cell holds Aer's own words.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from importlib.util import find_spec

from benchmarks.gpu.timing import Cell, Growth, measured, too_much
from circuits.draws import Draws
from circuits.program import Program
from circuits.random_all import RandomAll
from circuits.topology import complete
from providers.aer import execute
from providers.aer_engine import Engine
from providers.base import Job

DEPTH = 16
WARM = 8
"""Width of the run that loads an engine and is not timed."""


@dataclass(frozen=True, slots=True)
class Simulator:
    """An engine as a miner runs it.

    Attributes:
        name: Column of the table.
        amplitude: Bytes of one.
        device: Whose memory holds the state: "GPU" or "CPU".
        run: Simulates a program and draws shots.
    """

    name: str
    amplitude: int
    device: str
    run: Callable[[Program, int], object]


def simulators(*, gpu: bool, blocking_qubits: int, gpus: tuple[int, ...]) -> list[Simulator]:
    """List the engines that are here: Aer on the GPU, Aer on the processor, qsim.

    Args:
        gpu: With those on the GPU.
        blocking_qubits: Cut states on the GPU into blocks of so many qubits; 0 leaves them whole.
        gpus: Numbers of the cards; () means all.
    """
    found = []
    for device in ("GPU", "CPU") if gpu else ("CPU",):
        for precision, amplitude in (("single", 8), ("double", 16)):
            engine = Engine("statevector", device, threads=0, precision=precision)
            if device == "GPU":
                engine = replace(engine, blocking_qubits=blocking_qubits, gpus=gpus)
            name = f"Aer {device} {precision}"
            found.append(Simulator(name, amplitude, device, _aer(engine)))
    if find_spec("qsimcirq"):
        found.append(Simulator("qsim single", 8, "CPU", _qsim()))
    return found


def random_program(width: int) -> Program:
    """Draw the circuit of a width."""
    topology = complete(width, ("cx", "u"))
    return (
        RandomAll()
        .generate(b"bench gpu %d" % width, width=width, depth=DEPTH, topology=topology)
        .program
    )


def _aer(engine: Engine) -> Callable[[Program, int], object]:
    def run(program: Program, shots: int) -> object:
        return execute(engine, Job("0" * 64, "bench", (program,), shots), 0, Draws(b"bench"))

    return run


def _qsim() -> Callable[[Program, int], object]:
    from circuits.counts import Counts
    from circuits.emitters.cirq import cirq_rows, to_cirq
    from providers.cirq_virtual import qsim

    simulator = qsim(1, threads=os.cpu_count() or 1)

    def run(program: Program, shots: int) -> object:
        return Counts.from_rows(
            cirq_rows(simulator.run(to_cirq(program), repetitions=shots), program)
        )

    return run


def state_rows(
    some: Sequence[Simulator],
    widths: Sequence[int],
    *,
    memory: Mapping[str, int],
    shots: int,
    limit_s: float,
    repeats: int,
    say: Callable[[str], None],
) -> list[tuple[int, dict[str, Cell]]]:
    """Time every engine at every width, narrow ones first.

    Args:
        some: Engines.
        widths: Qubits.
        memory: Bytes that a state can have, by `Simulator.device`; 0 where nobody knows.
        shots: Of each program.
        limit_s: What would take longer is left out.
        repeats: Of short work.
        say: Is told what is being done.

    Returns:
        (width, cells by engine's name), ascending.
    """
    growth = {one.name: Growth(limit_s) for one in some}
    for one in some:
        one.run(random_program(WARM), shots)
    rows = []
    for width in sorted(widths):
        program, cells = random_program(width), {}
        for one in some:
            free = memory[one.device]
            why = too_much(one.amplitude << width, free, where=f"the {one.device}")
            why = why or growth[one.name].too_long(width)
            if not why:
                say(f"{width} qubits, {one.name}")
            cells[one.name] = Cell(None, why) if why else _timed(one, program, shots, repeats)
            growth[one.name].learn(width, cells[one.name])
        rows.append((width, cells))
    return rows


def _timed(one: Simulator, program: Program, shots: int, repeats: int) -> Cell:
    return measured(lambda: one.run(program, shots), repeats=repeats)
