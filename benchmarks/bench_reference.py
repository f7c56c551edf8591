"""Benchmark: references in one batch against the naive way, for circuits as a validator draws them.

The naive way is what a script does: for each circuit, translate, transpile it for an AerSimulator
with default settings, run it, read the probabilities. Ours is `Reference.probabilities_of` with
the engines of `best_engine`, cold. Both give the whole distribution of the same random circuits;
before anything is timed both have run once, and the answers are compared.

Prints CPU seconds of this process, per circuit, and their ratio, one line a width.

Run: python benchmarks/bench_reference.py [--circuits N] [--widths 8 12 16 20]
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np
from qiskit import transpile
from qiskit_aer import AerSimulator

from circuits.brickwork import Brickwork
from circuits.emitters.qiskit import to_qiskit
from circuits.program import MEASURE, Program
from circuits.topology import Topology, complete
from validator.references.reference import TOLERANCE, Reference, best_engine

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Laws = list[NDArray[np.float64]]

DEPTH = 16
DEVICES: dict[str, Callable[[int], Topology]] = {
    "simulator": lambda width: complete(width, ("cx", "u")),
    "line of cz": lambda width: Topology(
        width, tuple((q, q + 1) for q in range(width - 1)), ("cz", "rz", "sx", "x")
    ),
}


def drawn(kind: str, width: int, circuits: int) -> list[Program]:
    """Draw brickwork circuits of a kind of device."""
    topology = DEVICES[kind](width)
    return [
        Brickwork().generate(b"bench %d" % k, width=width, depth=DEPTH, topology=topology).program
        for k in range(circuits)
    ]


def naive(programs: list[Program]) -> Laws:
    """Translate, transpile and run each circuit by itself."""
    simulator = AerSimulator()
    laws = []
    for program in programs:
        gates = tuple(op for op in program.operations if op.name != MEASURE)
        circuit = to_qiskit(Program(program.num_qubits, program.num_bits, gates))
        circuit.save_probabilities()
        result = simulator.run(transpile(circuit, simulator), shots=1).result()
        laws.append(np.asarray(result.data(0)["probabilities"]))
    return laws


def ours(programs: list[Program]) -> Laws:
    """Ask a new reference for all of them."""
    return Reference(best_engine()).probabilities_of(programs)


def timed(work: Callable[[list[Program]], Laws], programs: list[Program]) -> tuple[float, Laws]:
    """CPU seconds of this process for one circuit, and the answers."""
    start = time.process_time()
    laws = work(programs)
    return (time.process_time() - start) / len(programs), laws


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--circuits", type=int, default=8)
    parser.add_argument("--widths", type=int, nargs="+", default=[8, 12, 16, 18])
    asked = parser.parse_args()
    for warm in (6, 13):  # imports, and every engine's first use
        naive(drawn("simulator", warm, 1))
        ours(drawn("simulator", warm, 1))
    for width in asked.widths:
        for kind in DEVICES:
            programs = drawn(kind, width, asked.circuits)
            mine, laws = timed(ours, programs)
            theirs, expected = timed(naive, programs)
            worst = max(
                float(np.abs(a - b).max() / b.max()) for a, b in zip(laws, expected, strict=True)
            )
            if worst > TOLERANCE:
                raise ValueError(f"need answers within {TOLERANCE}, got {worst}")
            sys.stdout.write(
                f"{kind:11} {width:3} qubits  naive {1e3 * theirs:8.1f} ms  batch "
                f"{1e3 * mine:7.1f} ms a circuit  ratio {theirs / mine:5.1f}  "
                f"largest difference {worst:.1e}\n"
            )


if __name__ == "__main__":
    main()
