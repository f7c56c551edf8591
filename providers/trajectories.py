"""The trajectory engine: any noisy circuit on a few qubits, by numpy, one pure state per shot.

Exact for Pauli noise: every shot has its own errors, drawn before anything runs. Shots without an
error so far share one state, which a shot leaves by a copy when its first error strikes. All
states of a batch lie side by side, the shot being the fastest axis, so that a gate is one matrix
product for all of them. One-qubit gates are only multiplied up per qubit until a two-qubit gate or
a measurement carries them in; an error meanwhile is turned back through what is pending.

Cost: (shots that have erred) x 2**qubits amplitudes in single precision, a copy and a product by a
4 x 4 matrix per two-qubit gate. At most `MOST_QUBITS` qubits in use.
"""

from __future__ import annotations

import cmath
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

from circuits.errors import LimitError
from circuits.gates import matrix
from circuits.program import MEASURE, RESET
from providers.strikes import kinds, strikes

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from circuits.counts import Bits
    from circuits.draws import Draws
    from circuits.program import Operation
    from providers.noise import NoisyCircuit

    Amplitudes = NDArray[np.complex64]
    Indices = NDArray[np.int64]
    Small = tuple[complex, complex, complex, complex]

MOST_QUBITS = 12
BATCH_AMPLITUDES = 2**21
"""Amplitudes held at once (16 MiB); more shots run batch after batch."""

_PAULIS = np.array(
    [[[1, 0], [0, 1]], [[0, 1], [1, 0]], [[1, 0], [0, -1]], [[0, -1j], [1j, 0]]],
    dtype=np.complex64,
)
"""By code x + 2z, so that the product of two errors has the XOR of their codes."""

_EYE = (1.0 + 0j, 0j, 0j, 1.0 + 0j)

_LETTERS = np.array([0, 1, 3, 2])
"""I, X, Y, Z as codes."""


def sample_trajectories(circuit: NoisyCircuit, shots: int, draws: Draws) -> Bits:
    """Run a circuit of gates on one and two qubits.

    Returns:
        (shots x num_bits) array, column i = c[i], before readout flips.

    Raises:
        LimitError: More than `MOST_QUBITS` qubits are in use.

    Example:
        >>> from circuits.draws import Draws
        >>> from circuits.program import Operation, Program, measure
        >>> from circuits.topology import complete
        >>> from providers.noise import place
        >>> program = Program(2, 2, (Operation("x", (0,)), measure(0, 0), measure(1, 1)))
        >>> circuit = place(program, complete(2, ["cz"]), None)
        >>> sample_trajectories(circuit, 1, Draws(b"")).tolist()
        [[1, 0]]
    """
    used = sorted(
        {q for m in circuit.moments for op in (*m.frames, *m.operations) for q in op.qubits}
    )
    if len(used) > MOST_QUBITS:
        raise LimitError(
            f"need at most {MOST_QUBITS} qubits in use where gates are not Clifford, "
            f"got {len(used)}"
        )
    generator = np.random.Generator(np.random.PCG64(draws.child("numpy").integer(2**128)))
    place = {qubit: index for index, qubit in enumerate(used)}
    batch = max(1, BATCH_AMPLITUDES >> len(used))
    parts = [
        _Batch(place, min(batch, shots - start), circuit, generator).run()
        for start in range(0, shots, batch)
    ]
    return np.concatenate(parts) if parts else np.zeros((0, circuit.num_bits), dtype=np.uint8)


class _Errors:
    """Every error of every shot.

    Attributes:
        first: Shots that err, in the order in which they first do; the owner of row k + 1.
    """

    def __init__(
        self, circuit: NoisyCircuit, place: dict[int, int], shots: int, chance: np.random.Generator
    ) -> None:
        drawn = [_drawn(circuit, place, shots, chance, pair=pair) for pair in (False, True)]
        when, shot, code = (np.concatenate(parts) for parts in zip(*drawn, strict=True))
        order = np.argsort(when, kind="stable")
        when, shot, code = when[order], shot[order], code[order]
        struck, at = np.unique(shot, return_index=True)
        self.first = struck[np.argsort(at)]
        row = np.zeros(shots, dtype=np.int64)
        row[self.first] = np.arange(1, self.first.size + 1)
        # Errors at one time on one qubit of one row are one error: their product.
        keys = when * (shots + 1) + row[shot]
        order = np.argsort(keys, kind="stable")
        keys, start = np.unique(keys[order], return_index=True)
        codes = np.bitwise_xor.reduceat(code[order], start) if start.size else code
        when, rows = keys // (shots + 1), keys % (shots + 1)
        self._groups: dict[int, list[tuple[int, Indices, Indices]]] = {}
        starts = np.flatnonzero(np.diff(when, prepend=-1)).tolist()
        for low, high in zip(starts, [*starts[1:], when.size], strict=False):
            moment, qubit = divmod(int(when[low]), len(place))
            self._groups.setdefault(moment, []).append((qubit, rows[low:high], codes[low:high]))

    def after(self, moment: int) -> list[tuple[int, Indices, Indices]]:
        """For each qubit struck after `moment`: the rows, each once, and their codes."""
        return self._groups.get(moment, [])


def _drawn(
    circuit: NoisyCircuit,
    place: dict[int, int],
    shots: int,
    chance: np.random.Generator,
    *,
    pair: bool,
) -> tuple[Indices, Indices, Indices]:
    """Draw the errors of all channels on one qubit, or on a pair.

    Returns:
        Per error of a qubit: when and where (moment * qubits + qubit), shot, and code.
    """
    listed = [
        ([index * len(place) + place[q] for q in channel[:-1]], channel[-1])
        for index, moment in enumerate(circuit.moments)
        for channel in (moment.two if pair else moment.one)
    ]
    if not listed:
        nothing = np.zeros(0, dtype=np.int64)
        return nothing, nothing, nothing
    when = np.array([where for where, _ in listed])
    weights = np.array([chances for _, chances in listed])
    struck, shot = strikes(weights.sum(axis=1), shots, chance)
    kind = kinds(weights, struck, chance) + 1
    letters = np.stack([kind >> 2, kind & 3] if pair else [kind], axis=1)
    return (
        when[struck].reshape(-1),
        np.repeat(shot, letters.shape[1]),
        _LETTERS[letters].reshape(-1),
    )


class _Batch:
    """The states of some shots. Row 0 is the state without errors; shots own the other rows.

    `_states` is (2**qubits x rows), the first qubit of `_order` slowest; the true state is that
    with the pending gates `_frames` applied.
    """

    def __init__(
        self,
        place: dict[int, int],
        shots: int,
        circuit: NoisyCircuit,
        generator: np.random.Generator,
    ) -> None:
        self._place = place
        self._circuit = circuit
        self._generator = generator
        self._errors = _Errors(circuit, place, shots, generator)
        self._order = list(range(len(place)))
        self._frames = [_EYE] * len(place)
        self._states = np.zeros((2 ** len(place), 1), dtype=np.complex64)
        self._states[0, 0] = 1
        self._row = np.zeros(shots, dtype=np.int64)
        owners = self._errors.first
        if not circuit.final:  # what is measured inside is each shot's own
            owners = np.concatenate([owners, np.setdiff1d(np.arange(shots), owners)])
            self._grow(owners.size + 1)
        self._row[owners] = np.arange(1, owners.size + 1)
        self._bits = np.zeros((shots, circuit.num_bits), dtype=np.uint8)

    def run(self) -> Bits:
        for index, moment in enumerate(self._circuit.moments):
            for op in (*moment.frames, *moment.operations):
                self._apply(op)
            for qubit, rows, codes in self._errors.after(index):
                self._turn(qubit, rows, codes)
        if self._circuit.final:
            self._read_all()
        return self._bits

    def _apply(self, op: Operation) -> None:
        qubits = [self._place[q] for q in op.qubits]
        if op.name == MEASURE:
            if not self._circuit.final:
                self._bits[:, op.bit] = self._collapse(qubits[0])
        elif op.name == RESET:
            ones = self._row[self._collapse(qubits[0]) == 1]
            self._turn(qubits[0], ones, np.ones(ones.size, dtype=np.int64))
        elif len(qubits) == 1:
            self._frames[qubits[0]] = _after(op, self._frames[qubits[0]])
        else:
            self._entangle(qubits[0], qubits[1], _gate(op.name, op.angles))

    def _grow(self, rows: int) -> None:
        """Have `rows` rows; the new ones are copies of row 0."""
        fresh = rows - self._states.shape[1]
        if fresh > 0:
            copies = np.repeat(self._states[:, :1], fresh, axis=1)
            self._states = np.concatenate([self._states, copies], axis=1)

    def _turn(self, qubit: int, rows: Indices, codes: Indices) -> None:
        """Strike a qubit of some rows with Paulis, behind its pending gate."""
        self._grow(int(rows.max(initial=0)) + 1)
        frame = np.array(self._frames[qubit], dtype=np.complex64).reshape(2, 2)
        turned = (frame.conj().T @ _PAULIS @ frame)[codes]
        slower = 2 ** self._order.index(qubit)
        view = self._states.reshape(slower, 2, -1, self._states.shape[1])
        struck = view[..., rows]
        zero, one = struck[:, 0], struck[:, 1]
        view[:, 0, :, rows] = (turned[:, 0, 0] * zero + turned[:, 0, 1] * one).transpose(2, 0, 1)
        view[:, 1, :, rows] = (turned[:, 1, 0] * zero + turned[:, 1, 1] * one).transpose(2, 0, 1)

    def _front(self, qubits: list[int]) -> Amplitudes:
        """Make `qubits` the slowest."""
        order = qubits + [q for q in self._order if q not in qubits]
        axes = [self._order.index(q) for q in order]
        shaped = self._states.reshape(*(2,) * len(order), -1)
        self._order = order
        return shaped.transpose(*axes, len(order)).reshape(2 ** len(qubits), -1)

    def _frame(self, qubit: int) -> Amplitudes:
        """Take a qubit's pending gate away."""
        frame = np.array(self._frames[qubit], dtype=np.complex64).reshape(2, 2)
        self._frames[qubit] = _EYE
        return frame

    def _entangle(self, low: int, high: int, unitary: Amplitudes) -> None:
        """Apply what is pending on two qubits, then `unitary`, whose operand 0 is `low`."""
        both = self._frame(high)[:, None, :, None] * self._frame(low)[None, :, None, :]
        states = unitary @ both.reshape(4, 4) @ self._front([high, low])
        self._states = states.reshape(2 ** len(self._order), -1)

    def _collapse(self, qubit: int) -> Bits:
        """Measure one qubit of every shot in the middle of the circuit."""
        rows = self._states.shape[1]
        states = (self._frame(qubit) @ self._front([qubit])).reshape(2, -1, rows)
        weights = (states.real**2 + states.imag**2).sum(axis=1, dtype=np.float64)
        ones = self._generator.random(rows) * weights.sum(axis=0) < weights[1]
        keep = ones.astype(np.int64)
        every = np.arange(rows)
        states[1 - keep, :, every] = 0
        states /= np.sqrt(weights[keep, every]).astype(np.float32)
        self._states = states.reshape(-1, rows)
        return np.asarray(keep[self._row], dtype=np.uint8)

    def _read_all(self) -> None:
        """Draw every shot's outcome of the final measurements."""
        for qubit in range(len(self._place)):
            if self._frames[qubit] != _EYE:
                rows = self._states.shape[1]
                states = self._frame(qubit) @ self._front([qubit])
                self._states = states.reshape(-1, rows)
        outcomes = self._outcomes()
        shift = {q: len(self._order) - 1 - axis for axis, q in enumerate(self._order)}
        for op in (op for m in self._circuit.moments for op in m.operations if op.name == MEASURE):
            self._bits[:, op.bit] = outcomes >> shift[self._place[op.qubits[0]]] & 1

    def _outcomes(self) -> Indices:
        """One basis state per shot: all of row 0's at once, then a slice of rows at a time."""
        states = self._states
        drawn = self._generator.random(self._row.size)
        outcomes = np.zeros(self._row.size, dtype=np.int64)
        shared = np.flatnonzero(self._row == 0)
        ladder = _ladder(states[:, :1])[:, 0]
        outcomes[shared] = np.searchsorted(ladder, drawn[shared] * ladder[-1], side="right")
        owners = np.flatnonzero(self._row)
        for start in range(0, owners.size, 128):
            shots = owners[start : start + 128]
            ladders = _ladder(states[:, self._row[shots]])
            outcomes[shots] = np.sum(ladders <= drawn[shots] * ladders[-1], axis=0)
        return np.asarray(np.minimum(outcomes, len(states) - 1), dtype=np.int64)


def _after(op: Operation, before: Small) -> Small:
    """Multiply a one-qubit gate onto what is pending; plain numbers are faster than arrays here."""
    a, b, c, d = before
    if op.name == "rz":
        turn = cmath.exp(1j * op.angles[0])
        return a, b, turn * c, turn * d
    p, q, r, s = _gate(op.name, op.angles).reshape(-1).tolist()
    return p * a + q * c, p * b + q * d, r * a + s * c, r * b + s * d


@lru_cache(maxsize=512)
def _gate(name: str, angles: tuple[float, ...]) -> Amplitudes:
    """A gate in single precision."""
    return matrix(name, angles).astype(np.complex64)


def _ladder(states: Amplitudes) -> NDArray[np.float64]:
    """Cumulated probabilities of each column."""
    weights = states.real**2 + states.imag**2
    return weights.cumsum(axis=0, dtype=np.float64)
