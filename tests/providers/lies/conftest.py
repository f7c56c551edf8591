"""What the tests of lies share: cheats driven directly, and circuits to try them on."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

import numpy as np
import pytest
from numpy.typing import NDArray

from circuits.brickwork import Brickwork
from circuits.case import Case, KnownAnswer
from circuits.draws import Draws
from circuits.mirror import Mirror
from circuits.program import Program
from circuits.readout import Readout
from providers.base import Context, Json
from providers.cheats import Fake, build
from providers.dense import probabilities
from providers.snapshots import load
from providers.standin import StandIn

Bits = NDArray[np.uint8]
TOPOLOGY = load("hanoi").topology


class Made(Protocol):
    def __call__(
        self, kind: str, *, epoch: int = 3, seed: bytes = b"seed", **own: Json
    ) -> Fake: ...


class Ran(Protocol):
    def __call__(self, fake: Fake, program: Program, *, shots: int = 4_000) -> Bits: ...


@pytest.fixture(scope="session")
def made() -> Made:
    """Build a cheat that poses as hanoi."""

    def make(kind: str, *, epoch: int = 3, seed: bytes = b"seed", **own: Json) -> Fake:
        return build({"kind": kind, **own}, Context(seed, lambda: epoch))

    return make


@pytest.fixture(scope="session")
def ran() -> Ran:
    def run(fake: Fake, program: Program, *, shots: int = 4_000) -> Bits:
        return fake.run(program, shots=shots, draws=Draws(b"job"))

    return run


@pytest.fixture(scope="session")
def machine() -> StandIn:
    """The honest machine that the cheats name."""
    return StandIn(load("hanoi"), "hanoi", Context(b"seed", lambda: 3))


@pytest.fixture(scope="session")
def mirror() -> Case:
    return Mirror().generate(b"lies", width=6, depth=4, topology=TOPOLOGY)


@pytest.fixture(scope="session")
def brickwork() -> Case:
    return Brickwork().generate(b"lies", width=6, depth=8, topology=TOPOLOGY)


@pytest.fixture(scope="session")
def probe() -> Case:
    return Readout().generate(b"lies", width=27, depth=0, topology=TOPOLOGY)


@pytest.fixture(scope="session")
def wrong() -> Callable[[Case, Bits], NDArray[np.bool_]]:
    """Which bits of which shots differ from the known answer."""

    def compare(case: Case, rows: Bits) -> NDArray[np.bool_]:
        assert isinstance(case.answer, KnownAnswer)
        target = np.array([c == "1" for c in reversed(case.answer.bits)])
        return np.asarray(rows != target, dtype=np.bool_)

    return compare


@pytest.fixture(scope="session")
def xeb() -> Callable[[Case, Bits], float]:
    """Normalised linear XEB, from the exact law: 1 for ideal shots, 0 for coins."""

    def score(case: Case, rows: Bits) -> float:
        law = probabilities(case.program)
        size = 2**case.program.num_bits
        seen = [law.get("".join(map(str, row[::-1])), 0.0) for row in rows.tolist()]
        return float((size * np.mean(seen) - 1) / (size * sum(p * p for p in law.values()) - 1))

    return score
