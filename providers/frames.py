"""The frame engine: noisy Clifford circuits that are measured once, at their end, at any width.

An error is followed to the measured bits before any shot is drawn. One pass backwards through the
circuit keeps, for every qubit, which bits an X or a Z error at this point would flip; so every
error channel has its flips, a shot is one noiseless reference sample XOR the flips of what struck
it, and shots cost next to nothing. Where the noiseless outcome is random, the Z errors that the
initial |0> absorbs are thrown in by a fair coin each: they reach exactly the other outcomes.

Source: Pauli frames, as in C. Gidney, Quantum 5, 497 (2021), here pulled back like observables.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

from circuits.emitters.stim import stim_rows, to_stim
from circuits.errors import ProgramError
from circuits.gates import GATES, matrix
from circuits.program import MEASURE
from providers.strikes import kinds, strikes

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from circuits.counts import Bits
    from circuits.draws import Draws
    from circuits.program import Operation
    from providers.noise import Moment, NoisyCircuit

    Flips = NDArray[np.uint8]

TOLERANCE = 1e-9
_PAULIS = np.array([[[1, 0], [0, 1]], [[0, 1], [1, 0]], [[1, 0], [0, -1]], [[0, -1j], [1j, 0]]])
_CODES = (1, 3, 2)
"""X, Y, Z as x + 2z, in the order in which channels list them."""


def sample_frames(circuit: NoisyCircuit, shots: int, draws: Draws) -> Bits:
    """Run a Clifford circuit whose measurements come last.

    Returns:
        (shots x num_bits) array, column i = c[i], before readout flips.

    Raises:
        ProgramError: A gate that is not Clifford, or a measurement that is not the last.

    Example:
        >>> from circuits.draws import Draws
        >>> from circuits.program import Operation, Program, measure
        >>> from circuits.topology import complete
        >>> from providers.noise import place
        >>> program = Program(2, 2, (Operation("x", (0,)), measure(0, 0), measure(1, 1)))
        >>> circuit = place(program, complete(2, ["cz"]), None)
        >>> sample_frames(circuit, 1, Draws(b"")).tolist()
        [[1, 0]]
    """
    if not circuit.final:
        raise ProgramError("frames need measurements at the end only, got one inside")
    reference = to_stim(circuit.program).reference_sample()[None]
    ideal = stim_rows(reference, circuit.program)
    pull = _Pull(circuit)
    chance = np.random.Generator(np.random.PCG64(draws.child("frames").integer(2**128)))
    flips = np.zeros((shots, pull.size), dtype=np.uint8)
    for channels in (pull.one, pull.two):
        _strike(flips, channels, chance)
    coins = pull.coins()
    if len(coins):
        tossed = chance.integers(0, 2, (shots, len(coins)), dtype=np.uint8)
        flips ^= np.packbits((tossed @ np.unpackbits(coins, axis=1)) & 1, axis=1)
    return ideal ^ np.unpackbits(flips, axis=1, count=circuit.num_bits, bitorder="little")


@dataclass(slots=True)
class _Channels:
    """Channels on as many qubits each, later ones first.

    Attributes:
        masks: Flips of an X and of a Z error on each of its qubits, as bytes.
        weights: Chances of its errors, in the order of `providers.noise`.
    """

    masks: list[bytes] = field(default_factory=list)
    weights: list[tuple[float, ...]] = field(default_factory=list)


class _Pull:
    """The backward pass. Flips are whole numbers, bit i for c[i], and bytes of `size` later."""

    def __init__(self, circuit: NoisyCircuit) -> None:
        self.size = (circuit.num_bits + 7) // 8
        self.one = _Channels()
        self.two = _Channels()
        self._x = dict.fromkeys(circuit.program.used_qubits, 0)
        self._z = dict(self._x)
        self._read: set[int] = set()
        for moment in reversed(circuit.moments):
            self._note(moment)
            for op in reversed(moment.operations):
                self._undo(op)
            for op in reversed(moment.frames):
                self._undo(op)

    def coins(self) -> Flips:
        """Flips of Z errors before the first gate, those that flip anything."""
        masks = [mask.to_bytes(self.size, "little") for mask in self._z.values() if mask]
        return np.frombuffer(b"".join(masks), dtype=np.uint8).reshape(-1, self.size)

    def _note(self, moment: Moment) -> None:
        """Keep the channels after a moment, those that flip anything."""
        x, z, size = self._x, self._z, self.size
        for qubit, chances in moment.one:
            if x[qubit] or z[qubit]:
                self.one.masks.append(x[qubit].to_bytes(size, "little"))
                self.one.masks.append(z[qubit].to_bytes(size, "little"))
                self.one.weights.append(chances)
        for first, second, weights in moment.two:
            masks = (x[first], z[first], x[second], z[second])
            if any(masks):
                self.two.masks.extend([mask.to_bytes(size, "little") for mask in masks])
                self.two.weights.append(weights)

    def _undo(self, op: Operation) -> None:
        """Step back over one operation: an error before a gate U is the error U E U^-1 after."""
        x, z = self._x, self._z
        if op.name == MEASURE:
            if op.bit is not None and op.bit not in self._read:
                self._read.add(op.bit)
                x[op.qubits[0]] ^= 1 << op.bit
            return
        images = _images(op.name, op.angles)
        if len(op.qubits) == 1:
            (q,) = op.qubits
            after = (0, x[q], z[q], x[q] ^ z[q])
            x[q], z[q] = after[images[0]], after[images[1]]
            return
        a, b = op.qubits
        low = (0, x[a], z[a], x[a] ^ z[a])
        high = (0, x[b], z[b], x[b] ^ z[b])
        x[a], z[a], x[b], z[b] = (low[code & 3] ^ high[code >> 2] for code in images)


def _strike(flips: Flips, channels: _Channels, chance: np.random.Generator) -> None:
    """Draw the errors of all shots, and flip in place what they flip."""
    if not channels.weights:
        return
    weights = np.array(channels.weights)
    struck, shots = strikes(weights.sum(axis=1), len(flips), chance)
    effects = _effects(channels, size=flips.shape[1])
    hit = effects[struck, kinds(weights, struck, chance)]
    # Whole words are many times faster than bytes here; a shot may be struck more than once.
    for column in range(hit.shape[1]):
        word = np.zeros(len(flips), dtype=np.uint64)
        np.bitwise_xor.at(word, shots, hit[:, column])
        part = flips[:, 8 * column : 8 * column + 8]
        part ^= word.view(np.uint8).reshape(-1, 8)[:, : part.shape[1]]


def _effects(channels: _Channels, *, size: int) -> NDArray[np.uint64]:
    """Return what each channel's errors flip: (channels x errors x words), padded with 0."""
    masks = np.frombuffer(b"".join(channels.masks), dtype=np.uint8)
    masks = masks.reshape(len(channels.weights), -1, size)
    errors = np.arange(1, len(channels.weights[0]) + 1)
    letters = (errors,) if len(errors) == len(_CODES) else (errors >> 2, errors & 3)
    effects = np.zeros((len(masks), len(errors), -(-size // 8) * 8), dtype=np.uint8)
    for place, letter in enumerate(letters):
        code = np.array([0, *_CODES])[letter]
        for part in (0, 1):
            hit = (code >> part & 1).astype(np.uint8)
            effects[:, :, :size] ^= masks[:, None, 2 * place + part] * hit[:, None]
    return effects.view(np.uint64)


@lru_cache(maxsize=4096)
def _images(name: str, angles: tuple[float, ...]) -> tuple[int, ...]:
    """What X and Z on each operand become behind a Clifford gate, signs dropped.

    Returns:
        Codes x + 2z, operand 1's times 4: images of X and Z on operand 0, then on operand 1.

    Raises:
        ProgramError: The gate is not Clifford.
    """
    width = GATES[name].num_qubits
    unitary = matrix(name, angles)
    paulis = _PAULIS if width == 1 else np.einsum("aij,bkl->abikjl", _PAULIS, _PAULIS)
    paulis = paulis.reshape(-1, 2**width, 2**width)
    images = []
    for code in (1, 2, 4, 8)[: 2 * width]:
        turned = unitary @ paulis[code] @ unitary.conj().T
        overlap = np.abs(np.einsum("kij,ij->k", paulis.conj(), turned)) / 2**width
        image = int(np.argmax(overlap))
        if overlap[image] < 1 - TOLERANCE:
            raise ProgramError(f"frames need Clifford gates only, got {name}{angles or ''}")
        images.append(image)
    return tuple(images)
