"""Circuits with laws of every kind, and samplers that lie or do not; all numbers are invented."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np
import pytest
from numpy.typing import NDArray

from circuits.program import Operation, Program, measure
from validator.recorded.execution import Execution
from validator.references.reference import DenseEngine, Reference

Sampler = Callable[[NDArray[np.float64], int], NDArray[np.int64]]


@pytest.fixture(scope="session")
def reference() -> Reference:
    return Reference(DenseEngine())


def _rotations(rng: np.random.Generator, width: int) -> list[Operation]:
    return [
        Operation("u", (qubit,), tuple(float(a) for a in rng.uniform(0, 2 * np.pi, 3)))
        for qubit in range(width)
    ]


@pytest.fixture
def random_program() -> Callable[[int, int], Program]:
    """A brickwork of random rotations and cz, measured in order; by (seed, width)."""

    def make(seed: int, width: int = 4) -> Program:
        rng = np.random.default_rng(seed)
        operations = _rotations(rng, width)
        for layer in range(5):
            operations += [Operation("cz", (q, q + 1)) for q in range(layer % 2, width - 1, 2)]
            operations += _rotations(rng, width)
        operations += [measure(qubit, qubit) for qubit in range(width)]
        return Program(width, width, tuple(operations))

    return make


@pytest.fixture
def certain_program() -> Callable[[str], Program]:
    """Flips and a chain of cx there and back: the answer is the bitstring given."""

    def make(answer: str) -> Program:
        width = len(answer)
        chain = [Operation("cx", (q, q + 1)) for q in range(width - 1)]
        flips = [Operation("x", (q,)) for q in range(width) if answer[-1 - q] == "1"]
        reads = [measure(q, q) for q in range(width)]
        return Program(width, width, (*chain, *reversed(chain), *flips, *reads))

    return make


@pytest.fixture
def sampled() -> Callable[..., dict[str, int]]:
    """Draw shots of a law over all strings: F of it, the rest uniform, then misread bits."""

    def draw(
        rng: np.random.Generator,
        law: NDArray[np.float64],
        *,
        shots: int = 1000,
        fidelity: float = 1.0,
        up: Sequence[float] | float = 0.0,
        down: Sequence[float] | float = 0.0,
    ) -> dict[str, int]:
        width = len(law).bit_length() - 1
        mixed = fidelity * law / law.sum() + (1.0 - fidelity) / len(law)
        index = np.repeat(np.arange(len(law)), rng.multinomial(shots, mixed / mixed.sum()))
        bits = (index[:, None] >> np.arange(width)) & 1
        rate = np.where(bits == 1, np.broadcast_to(down, width), np.broadcast_to(up, width))
        bits ^= rng.random(bits.shape) < rate
        keys, counts = np.unique(bits @ (1 << np.arange(width)), return_counts=True)
        return {format(int(key), f"0{width}b"): int(n) for key, n in zip(keys, counts, strict=True)}

    return draw


@pytest.fixture
def executed() -> Callable[..., Execution]:
    """Wrap a program and its counts as the record of a place in a file."""

    def make(
        place: int, program: Program, counts: Mapping[str, float], **changes: object
    ) -> Execution:
        shots = max(1, round(sum(counts.values())))
        words: dict[str, object] = {"program": program, "shots": shots, **changes}
        return Execution(place, program.digest, program.num_bits, counts, **words)  # type: ignore[arg-type]

    return make
