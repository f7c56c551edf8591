"""How often each bit of a known answer came back right, and which errors it could see.

The common material of layer errors (`layers`) and error maps (`error_map`).
Correctness of a bit is 1 - 2 Pr(wrong): 1 for a perfect bit, 0 for a random one. All tallies are
whole numbers.

Assumes: the answer is exact, so the circuit is a Clifford one and fixes every bit. Blind spot: an
answer that is wrong shows as noise.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from circuits.errors import ProgramError
from circuits.program import Program
from validator.answers import AnswerKind, known_shots
from validator.estimators.mirror import MirrorAnswer, mirror_answer
from validator.estimators.propagation import Element, Propagation, propagate

__all__ = ["LayerCircuit", "Observed", "observe", "tally"]


@dataclass(frozen=True, slots=True)
class LayerCircuit:
    """One run of a circuit with a known answer.

    Attributes:
        program: Native, with barriers between layers; every bit measured once, at the end.
        target: The answer, bit 0 rightmost.
        counts: {bitstring: shots}.
    """

    program: Program
    target: str
    counts: Mapping[str, int]


@dataclass(frozen=True, slots=True, eq=False)
class Observed:
    """Tallies of one circuit beside its propagation.

    Attributes:
        carried: What its bits see.
        elements: Parts of the device that ran, sorted.
        exposure: (elements x bits): gates of the element whose errors the bit sees.
        wrong: Shots in which each bit was wrong.
        answer: Shots by number of wrong bits.
    """

    carried: Propagation
    elements: tuple[Element, ...]
    exposure: NDArray[np.int64]
    wrong: tuple[int, ...]
    answer: MirrorAnswer

    @property
    def depth(self) -> int:
        """Layers with two-qubit gates."""
        return self.carried.two_qubit_layers

    @property
    def width(self) -> int:
        """Bits read."""
        return self.answer.width

    @property
    def correct(self) -> float:
        """Mean correctness over bits, 1 - 2 dbar/n."""
        return 1.0 - 2.0 * sum(self.wrong) / (self.width * self.answer.shots)

    @property
    def variance(self) -> float:
        """Variance of `correct` from shots; half a wrong bit more than was seen at the least."""
        n, shots = self.width, self.answer.shots
        mean = sum(self.wrong) / shots
        spread = math.fsum(c * (k - mean) ** 2 for k, c in enumerate(self.answer.histogram)) / shots
        return 4.0 * max(spread, 0.5 / shots) / (n * n * shots)


def observe(circuit: LayerCircuit) -> Observed | None:
    """Set one circuit's shots beside what its bits see.

    Returns:
        None without a shot, or where the program is not Clifford, measures in the middle, or
        leaves a bit unwritten or random.

    Raises:
        ValueError: Counts or target have another width than the program.

    Example:
        >>> from circuits.program import Operation, Program, measure
        >>> flip = Program(1, 1, (Operation("x", (0,)), measure(0, 0)))
        >>> seen = observe(LayerCircuit(flip, "1", {"1": 90, "0": 10}))
        >>> round(seen.correct, 3), seen.exposure.tolist()
        (0.8, [[1]])
    """
    if not any(circuit.counts.values()):
        return None
    try:
        carried = propagate(circuit.program)
    except ProgramError:
        return None
    return tally(carried, circuit) if all(carried.known) else None


def tally(carried: Propagation, circuit: LayerCircuit) -> Observed:
    """Count wrong bits of a circuit that was carried back before; see `observe`.

    Raises:
        ValueError: Counts or target have another width than the program.
    """
    shots = known_shots(
        circuit.counts,
        target=circuit.target,
        qubits=carried.qubits,
        kind=AnswerKind.MIRROR,
        label="",
    )
    elements, exposure = carried.exposure()
    wrong = shots.counts @ shots.errors.astype(np.int64)
    answer = mirror_answer(circuit.counts, target=circuit.target)
    return Observed(carried, elements, exposure, tuple(wrong.tolist()), answer)
