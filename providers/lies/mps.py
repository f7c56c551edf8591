"""The lie of a matrix product state whose bond is too small, sold as an exact simulator.

A chain of tensors A_k (left, 2, right) holds the state; gates on qubits that are not neighbours
bring them together by swaps, and the chain remembers where they went. After every gate the
smallest singular values beyond the bond are dropped and the rest is rescaled. So circuits that
entangle little come out right, and others look right in every marginal that is easy to check.

Cost: one singular value decomposition of (2 bond) x (2 bond) a swap or gate.
Source: G. Vidal, PRL 91, 147902 (2003); sampling: Ferris & Vidal, PRB 85, 165146 (2012).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from circuits.gates import GATES, matrix
from circuits.program import Program, final_measurements
from providers.lies.answer import Answer, generator

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from circuits.counts import Bits
    from circuits.draws import Draws
    from providers.options import Options

    Tensor = NDArray[np.complex128]

_SWAP = matrix("swap")


def low_bond(read: Options) -> Answer:
    """A simulator that keeps `bond` (16) singular values."""
    bond = read.whole("bond", 16, low=1, high=256)

    def answer(program: Program, shots: int, draws: Draws) -> Bits:
        return sample_chain(program, shots, draws, bond=bond)

    return answer


def sample_chain(program: Program, shots: int, draws: Draws, *, bond: int) -> Bits:
    """Run gates on one and two qubits on a chain and draw shots from it.

    Returns:
        (shots x num_bits) array, column i = c[i].

    Raises:
        ProgramError: A reset, or a gate after a measurement.

    Example:
        >>> from circuits.draws import Draws
        >>> from circuits.program import Operation, measure
        >>> ends = (measure(0, 1), measure(2, 0))
        >>> bell = Program(3, 2, (Operation("h", (0,)), Operation("cx", (0, 2)), *ends))
        >>> rows = sample_chain(bell, 100, Draws(b"key"), bond=2)
        >>> bool((rows[:, 0] == rows[:, 1]).all()), 0 < int(rows[:, 0].sum()) < 100
        (True, True)
        >>> bool(sample_chain(bell, 100, Draws(b"key"), bond=1).any(axis=0).all())
        False
    """
    reads = final_measurements(program)
    small, kept = program.compacted()
    chain = _Chain(small.num_qubits, bond)
    for op in small.operations:
        if op.name in GATES:
            chain.apply(matrix(op.name, op.angles), op.qubits)
    outcomes = chain.sample(shots, generator(draws))
    rows = np.zeros((shots, program.num_bits), dtype=np.uint8)
    place = {old: new for new, old in enumerate(kept)}
    for bit, qubit in reads.items():
        rows[:, bit] = outcomes[:, place[qubit]]
    return rows


class _Chain:
    """The state; `_centre` is the one tensor that is not an isometry towards it."""

    def __init__(self, size: int, bond: int) -> None:
        self._bond = bond
        self._at = list(range(size))  # qubit -> site
        self._sites: list[Tensor] = [np.array([[[1.0], [0.0]]], dtype=np.complex128)] * size
        self._centre = 0

    def apply(self, unitary: Tensor, qubits: tuple[int, ...]) -> None:
        """Apply a gate on one or two qubits, operand 0 least significant."""
        if len(qubits) == 1:
            site = self._at[qubits[0]]
            self._sites[site] = np.einsum("ij,ajb->aib", unitary, self._sites[site])
            return
        low, high = (self._at[q] for q in qubits)
        while abs(low - high) > 1:
            step = low + (1 if high > low else -1)
            self._pair(min(low, step), _SWAP)
            moved = self._at.index(step)
            self._at[qubits[0]], self._at[moved] = step, low
            low = step
        # `_pair` wants the left site least significant.
        turned = unitary if low < high else _SWAP @ unitary @ _SWAP
        self._pair(min(low, high), turned)

    def _pair(self, left: int, unitary: Tensor) -> None:
        """Apply to sites `left` (least significant) and `left` + 1, and cut the bond."""
        self._move(left)
        both = np.einsum("aib,bjc->aijc", self._sites[left], self._sites[left + 1])
        gate = unitary.reshape(2, 2, 2, 2)  # out right, out left, in right, in left
        both = np.einsum("jikl,alkc->aijc", gate, both)
        outer, inner = both.shape[0], both.shape[3]
        u, weights, v = np.linalg.svd(both.reshape(2 * outer, 2 * inner), full_matrices=False)
        kept = max(1, min(self._bond, int(np.sum(weights > 1e-12 * weights[0]))))
        weights = weights[:kept] / np.linalg.norm(weights[:kept])
        self._sites[left] = u[:, :kept].reshape(outer, 2, kept)
        self._sites[left + 1] = (weights[:, None] * v[:kept]).reshape(kept, 2, inner)
        self._centre = left + 1

    def _move(self, site: int) -> None:
        """Carry the centre to `site`."""
        while self._centre < site:
            here = self._sites[self._centre]
            q, r = np.linalg.qr(here.reshape(-1, here.shape[2]))
            self._sites[self._centre] = q.reshape(here.shape[0], 2, -1)
            self._centre += 1
            self._sites[self._centre] = np.tensordot(r, self._sites[self._centre], axes=1)
        while self._centre > site:
            here = self._sites[self._centre]
            q, r = np.linalg.qr(here.reshape(here.shape[0], -1).T)
            self._sites[self._centre] = q.T.reshape(-1, 2, here.shape[2])
            self._centre -= 1
            self._sites[self._centre] = np.tensordot(self._sites[self._centre], r.T, axes=1)

    def sample(self, shots: int, chance: np.random.Generator) -> Bits:
        """Draw (shots x qubits), site after site given those before."""
        self._move(0)
        left = np.ones((shots, 1), dtype=np.complex128)
        outcomes = np.zeros((shots, len(self._sites)), dtype=np.uint8)
        for site, tensor in enumerate(self._sites):
            branches = np.tensordot(left, tensor, axes=1)
            weights = np.sum(branches.real**2 + branches.imag**2, axis=2)
            ones = chance.random(shots) * weights.sum(axis=1) >= weights[:, 0]
            outcomes[:, site] = ones
            taken = np.where(ones, 1, 0)
            chosen = branches[np.arange(shots), taken]
            left = chosen / np.sqrt(weights[np.arange(shots), taken])[:, None]
        return outcomes[:, self._at]
