"""References: the ideal law of a program, from whichever source knows it cheapest.

- A known answer needs no reference (product states in closed form, mirrors by Pauli propagation:
  `circuits` gives both); for any other Clifford program `certain_answer` asks the tableau.
- Up to `MAX_QUBITS` the whole distribution is simulated (`Reference.probabilities`).
- Patches that do not interact are several narrow programs: `Reference.product` joins their laws.
- Wider random circuits come from a bank, simulated once offline: `validator.references.bank`.

Probabilities are quantised, so that engines and machines agree within `TOLERANCE`.

What is remembered is keyed by the program's digest, whoever was asked to run it. That gives no
answer away: the cache never leaves the validator, holds nothing about a miner, and a program that
two miners get is the same on purpose (a fixed public circuit, or one secret circuit sent to two).

Blind spot: nothing in the middle of a circuit, and at most `MAX_QUBITS` qubits at once.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from circuits.errors import LimitError
from circuits.patches import patch_programs
from circuits.program import BARRIER, MEASURE, Program, final_measurements
from validator.references.engines import (
    AerEngine,
    ByWidth,
    DenseEngine,
    Engine,
    QsimEngine,
    best_engine,
    engine,
)
from validator.references.product_law import ProductLaw
from validator.references.tableau import certain_answer

if TYPE_CHECKING:
    from concurrent.futures import Executor

    from numpy.typing import NDArray

    from circuits.case import PatchedAnswer

    Probabilities = NDArray[np.float64]

__all__ = [
    "MAX_QUBITS",
    "QUANTUM",
    "TOLERANCE",
    "AerEngine",
    "ByWidth",
    "DenseEngine",
    "Engine",
    "QsimEngine",
    "Reference",
    "best_engine",
    "certain_answer",
]

MAX_QUBITS = 24
QUANTUM = 1e-12
"""Probabilities are rounded to multiples of this, far below the least that an outcome can have at
`MAX_QUBITS`. Engines agree within `TOLERANCE` of the largest probability, not bit for bit."""

TOLERANCE = 1e-5
"""Relative to the largest probability: qsim computes in single precision."""


class Reference:
    """Ideal distributions, cached by the program's digest.

    Args:
        engine: Simulates; `best_engine()` in a service.
        kept: Probabilities that are remembered, over all distributions; 8 bytes each.
        executor: Where batches run: a process pool, or a cluster's executor (Dask's
            `Client.get_executor`); each worker makes the engine of the same name. None runs them
            here, in one batch.

    Example:
        >>> from circuits.program import Operation, measure
        >>> flip = Program(2, 2, (Operation("x", (1,)), measure(1, 0)))
        >>> Reference(AerEngine()).probabilities(flip).tolist()
        [0.0, 1.0, 0.0, 0.0]
    """

    def __init__(
        self, engine: Engine, *, kept: int = 1 << 23, executor: Executor | None = None
    ) -> None:
        self._engine = engine
        self._kept = kept
        self._executor = executor
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
        return self.probabilities_of([program])[0]

    def probabilities_of(self, programs: Sequence[Program]) -> list[Probabilities]:
        """Give the ideal probabilities of many programs, simulating each once and all together.

        Returns:
            In the order of `programs`, each as `probabilities` gives it.

        Raises:
            ProgramError: A measurement or reset in the middle of one; none is simulated then.
            LimitError: More than `MAX_QUBITS` used qubits or bits in one; likewise.
        """
        found: dict[str, Probabilities] = {}
        missing: dict[str, Program] = {}
        for program in programs:
            if program.digest in self._cache:
                self._cache.move_to_end(program.digest)
                found[program.digest] = self._cache[program.digest]
            else:
                missing[program.digest] = program
        for digest, values in zip(missing, self._simulated(list(missing.values())), strict=True):
            self._remember(digest, values)
            found[digest] = values
        return [found[program.digest] for program in programs]

    def product(self, program: Program, answer: PatchedAnswer) -> ProductLaw:
        """Give the law of patches that run side by side, at any width.

        Args:
            program: Of a case with `answer`.
            answer: Which bits belong together.

        Raises:
            ProgramError: The patches are coupled, or a measurement or reset in the middle.
            LimitError: A patch of more than `MAX_QUBITS` qubits.
        """
        laws = self.probabilities_of(patch_programs(program, answer))
        return ProductLaw(tuple(laws), answer.patches)

    def _simulated(self, programs: list[Program]) -> list[Probabilities]:
        split = [_split(program) for program in programs]
        if self._executor is not None and len(programs) > 1:
            tasks = [(self.engine, gates, measured) for gates, measured in split]
            return list(self._executor.map(_law_elsewhere, *zip(*tasks, strict=True)))
        states = self._engine.states([gates for gates, _ in split])
        return [
            _marginal(_weights(state), measured, gates.num_bits)
            for state, (gates, measured) in zip(states, split, strict=True)
        ]

    def _remember(self, digest: str, values: Probabilities) -> None:
        """Put a distribution into the cache; the ones unused for longest make room."""
        values.flags.writeable = False
        self._cache[digest] = values
        self._size += values.size
        while self._size > self._kept:
            _, oldest = self._cache.popitem(last=False)
            self._size -= oldest.size


def _law_elsewhere(name: str, gates: Program, measured: dict[int, int]) -> Probabilities:
    """Simulate in a worker's process."""
    return _marginal(_weights(next(engine(name).states([gates]))), measured, gates.num_bits)


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


def _weights(state: NDArray[np.complex64] | NDArray[np.complex128]) -> Probabilities:
    """Square the amplitudes in double precision, scaled to sum to 1."""
    weights = state.real.astype(np.float64) ** 2 + state.imag.astype(np.float64) ** 2
    return np.asarray(weights / weights.sum())


def _marginal(weights: Probabilities, measured: dict[int, int], num_bits: int) -> Probabilities:
    """Sum the distribution over qubits into one over bits, and quantise it."""
    values = weights
    if weights.size != 1 << num_bits or measured != {bit: bit for bit in range(num_bits)}:
        index = np.zeros(weights.size, dtype=np.int64)
        states = np.arange(weights.size, dtype=np.int64)
        for bit, qubit in measured.items():
            index |= ((states >> qubit) & 1) << bit
        values = np.bincount(index, weights=weights, minlength=1 << num_bits).astype(np.float64)
    return np.asarray(np.round(values / QUANTUM) * QUANTUM)
