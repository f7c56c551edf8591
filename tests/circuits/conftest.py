"""What the tests of programs and their borders share: a dense oracle, random programs, probes."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import strategies as st

from circuits.gates import GATES, matrix
from circuits.program import Operation, Program, barrier, measure

if TYPE_CHECKING:
    from numpy.typing import NDArray

    State = NDArray[np.complex128]


def _apply(state: State, op: Operation, width: int) -> State:
    """Multiply one gate into a (2**width x columns) array, index bit j = q[j]."""
    columns = state.shape[1]
    tensor = state.reshape([2] * width + [columns])
    axes = [width - 1 - q for q in reversed(op.qubits)]
    size = len(op.qubits)
    gate = matrix(op.name, op.angles).reshape([2] * (2 * size))
    moved = np.tensordot(gate, tensor, axes=(list(range(size, 2 * size)), axes))
    return np.moveaxis(moved, list(range(size)), axes).reshape(-1, columns)


def _unitary(program: Program) -> State:
    state: State = np.eye(2**program.num_qubits, dtype=np.complex128)
    for op in program.operations:
        if op.name in GATES:
            state = _apply(state, op, program.num_qubits)
    return state


def _distribution(program: Program) -> dict[str, float]:
    """Bitstring -> probability of a program that measures at its end."""
    weights = np.abs(_unitary(program)[:, 0]) ** 2
    table: dict[str, float] = {}
    for index, weight in enumerate(weights):
        bits = ["0"] * program.num_bits
        for op in program.operations:
            if op.bit is not None:
                bits[-1 - op.bit] = str(index >> op.qubits[0] & 1)
        key = "".join(bits)
        table[key] = table.get(key, 0.0) + float(weight)
    return {key: weight for key, weight in sorted(table.items()) if weight > 1e-12}


def _same_up_to_phase(a: State, b: State) -> bool:
    place = np.unravel_index(np.argmax(np.abs(a)), a.shape)
    return bool(np.allclose(a * (b[place] / a[place]), b, atol=1e-7))


@st.composite
def _operations(draw: st.DrawFn, width: int, names: tuple[str, ...], unit: float) -> Operation:
    gate = GATES[draw(st.sampled_from([n for n in names if GATES[n].num_qubits <= width]))]
    qubits = tuple(draw(st.permutations(range(width)))[: gate.num_qubits])
    some = (
        st.integers(-5, 5).map(lambda k: k * unit)
        if unit
        else st.floats(-7, 7, allow_nan=False, allow_infinity=False)
    )
    return Operation(gate.name, qubits, tuple(draw(some) for _ in range(gate.num_angles)))


@st.composite
def _programs(
    draw: st.DrawFn,
    *,
    names: tuple[str, ...] = tuple(GATES),
    unit: float = 0.0,
    most_qubits: int = 3,
) -> Program:
    """A random program, measured at its end in a random order into some of its bits."""
    width = draw(st.integers(1, most_qubits))
    gates = draw(st.lists(_operations(width, names, unit), max_size=8))
    if draw(st.booleans()):
        place = draw(st.integers(0, len(gates)))
        gates.insert(place, barrier(range(width)))
    num_bits = draw(st.integers(1, width + 1))
    qubits = draw(st.lists(st.integers(0, width - 1), min_size=1, max_size=width, unique=True))
    ends = [measure(qubit, draw(st.integers(0, num_bits - 1))) for qubit in qubits]
    return Program(width, num_bits, (*gates, *ends))


def _x(width: int, num_bits: int, ones: tuple[int, ...], ends: dict[int, int]) -> Program:
    """X on `ones`, then qubit -> bit measurements in the order of `ends`."""
    flips = (Operation("x", (qubit,)) for qubit in ones)
    return Program(width, num_bits, (*flips, *(measure(q, b) for q, b in ends.items())))


_STRAIGHT = {0: 0, 1: 1, 2: 2}
_PROBES: dict[str, tuple[Program, str]] = {
    "x on q0": (_x(3, 3, (0,), _STRAIGHT), "001"),
    "x on q1": (_x(3, 3, (1,), _STRAIGHT), "010"),
    "x on q2": (_x(3, 3, (2,), _STRAIGHT), "100"),
    "permuted measurement": (_x(3, 3, (0,), {0: 2, 1: 0, 2: 1}), "100"),
    "measured backwards": (_x(3, 3, (0,), {2: 2, 1: 1, 0: 0}), "001"),
    "partial measurement": (_x(3, 3, (0, 2), {2: 1}), "010"),
    "first bits unmeasured": (_x(2, 4, (1,), {0: 2, 1: 3}), "1000"),
    "idle qubits between": (_x(5, 2, (4,), {0: 0, 4: 1}), "10"),
    "idle qubit measured": (_x(4, 3, (0,), {3: 0, 0: 1, 1: 2}), "010"),
    "twelve bits, keys that sort badly": (
        _x(12, 12, (1, 10), {q: q for q in range(12)}),
        "010000000010",
    ),
    "sparse physical qubits": (_x(27, 3, (21,), {21: 0, 3: 1, 26: 2}), "001"),
    "twice into one bit": (_x(2, 2, (0,), {0: 0, 1: 0}), "00"),
    "asymmetric entangled": (
        Program(
            4,
            4,
            (
                Operation("x", (2,)),
                Operation("cx", (2, 0)),
                Operation("swap", (0, 1)),
                barrier((0, 3)),
                Operation("cx", (1, 3)),
                Operation("x", (2,)),
                *(measure(q, b) for q, b in ((3, 0), (1, 1), (0, 2), (2, 3))),
            ),
        ),
        "0011",
    ),
}

_MIDWAY: dict[str, tuple[Program, str]] = {
    "measured before a gate": (
        Program(2, 2, (Operation("x", (0,)), measure(0, 1), Operation("x", (0,)), measure(0, 0))),
        "10",
    ),
    "reset of a one": (
        Program(
            2,
            2,
            (
                *(Operation("x", (0,)), Operation("x", (1,)), Operation("reset", (0,))),
                *(measure(0, 0), measure(1, 1)),
            ),
        ),
        "10",
    ),
    "bit written before and after": (
        Program(1, 2, (measure(0, 1), Operation("x", (0,)), measure(0, 1))),
        "10",
    ),
}


@pytest.fixture(scope="session")
def unitary() -> Callable[[Program], State]:
    """The unitary of a program's gates, index bit j = q[j], from `gates.matrix` alone."""
    return _unitary


@pytest.fixture(scope="session")
def distribution() -> Callable[[Program], dict[str, float]]:
    """The exact distribution of a program that measures at its end."""
    return _distribution


@pytest.fixture(scope="session")
def same_up_to_phase() -> Callable[[State, State], bool]:
    """Whether two arrays differ by a global phase only."""
    return _same_up_to_phase


@pytest.fixture(scope="session")
def programs() -> Callable[..., st.SearchStrategy[Program]]:
    """Random programs of chosen gates; angles are multiples of `unit` where it is not 0."""
    return _programs


@pytest.fixture(scope="session")
def clifford_names() -> tuple[str, ...]:
    """Gates that are Clifford at multiples of pi/2 (cp: of pi)."""
    return tuple(n for n in GATES if n not in ("t", "tdg", "ccx", "sqrt_iswap", "cp"))


@pytest.fixture(params=_PROBES)
def probe(request: pytest.FixtureRequest) -> tuple[Program, str]:
    """A program that measures at its end, and the one bitstring that it returns (by hand)."""
    return _PROBES[request.param]


@pytest.fixture(params=_MIDWAY)
def midway(request: pytest.FixtureRequest) -> tuple[Program, str]:
    """A program with a measurement or a reset in the middle, and its one bitstring (by hand)."""
    return _MIDWAY[request.param]
