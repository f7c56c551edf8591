"""Topology: how wide a device is, which pairs couple, and which gates are native.

Edges keep their direction (first operand, second operand), because some native gates are
calibrated one way only; neighbourhoods ignore it.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property

from circuits.errors import CircuitError
from circuits.gates import GATES

Edge = tuple[int, int]


@dataclass(frozen=True)
class Topology:
    """The part of a device description that a family needs to draw circuits for it.

    Attributes:
        num_qubits: Width; qubits are 0 .. `num_qubits` - 1.
        edges: Coupled pairs in native direction, each unordered pair at most once; kept sorted.
        native_gates: Names from `circuits.gates.GATES`; kept sorted, each once. List one gate on
            two qubits where the device prefers one (see `two_qubit_gate`).

    Raises:
        CircuitError: An edge leaves the device, repeats, or a gate is unknown.

    Example:
        >>> line = Topology(3, ((0, 1), (1, 2)), ("cz", "rz", "sx", "x"))
        >>> line.neighbours(1), line.two_qubit_gate
        ((0, 2), 'cz')
    """

    num_qubits: int
    edges: tuple[Edge, ...]
    native_gates: tuple[str, ...]

    def __post_init__(self) -> None:
        if self.num_qubits < 1:
            raise CircuitError(f"need num_qubits >= 1, got {self.num_qubits}")
        seen = set()
        for a, b in self.edges:
            pair = (min(a, b), max(a, b))
            if a == b or pair[0] < 0 or pair[1] >= self.num_qubits or pair in seen:
                raise CircuitError(
                    f"edge ({a}, {b}) repeats, is a loop or leaves 0 .. {self.num_qubits - 1}"
                )
            seen.add(pair)
        unknown = sorted(set(self.native_gates) - set(GATES))
        if unknown:
            raise CircuitError(f"unknown native gates {unknown}, allowed are {sorted(GATES)}")
        object.__setattr__(self, "edges", tuple(sorted(self.edges)))
        object.__setattr__(self, "native_gates", tuple(sorted(set(self.native_gates))))

    @property
    def two_qubit_gate(self) -> str:
        """The native two-qubit gate (the first in sorted order); '' for a one-qubit device."""
        return next((g for g in self.native_gates if GATES[g].num_qubits == 2), "")

    @cached_property
    def _adjacency(self) -> dict[int, tuple[int, ...]]:
        near: dict[int, set[int]] = {q: set() for q in range(self.num_qubits)}
        for a, b in self.edges:
            near[a].add(b)
            near[b].add(a)
        return {q: tuple(sorted(others)) for q, others in near.items()}

    def neighbours(self, qubit: int) -> tuple[int, ...]:
        """The qubits coupled to `qubit`, ascending, direction ignored."""
        return self._adjacency[qubit]

    def edges_within(self, qubits: Iterable[int]) -> tuple[Edge, ...]:
        """The edges with both ends in `qubits`, in native direction, sorted."""
        inside = set(qubits)
        return tuple(e for e in self.edges if e[0] in inside and e[1] in inside)


def complete(num_qubits: int, native_gates: Iterable[str]) -> Topology:
    """Couple every pair, as simulators do.

    Example:
        >>> complete(3, ["cx", "u"]).edges
        ((0, 1), (0, 2), (1, 2))
    """
    edges = tuple((a, b) for a in range(num_qubits) for b in range(a + 1, num_qubits))
    return Topology(num_qubits, edges, tuple(sorted(native_gates)))
