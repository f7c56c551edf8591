"""Case: a program together with its secret answer, which no miner ever sees.

The answer is its own type, so that code that sends programs out cannot hold one by accident:
wire and providers take `Program`, only the validator takes `Case`.

Blind spot: the program itself determines its answer for whoever can simulate it; what is secret
is the work of finding out, and the key until it is revealed.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Protocol

from circuits.errors import CircuitError
from circuits.program import Program
from circuits.topology import Topology


@dataclass(frozen=True, slots=True)
class KnownAnswer:
    """A noiseless device always returns `bits` (bitstring, classical bit 0 rightmost).

    Example:
        >>> KnownAnswer("010")  # a log must not tell
        KnownAnswer()
    """

    bits: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class ParityAnswer:
    """On a noiseless device the bits under `mask` always have the parity `sign`.

    Attributes:
        mask: Bitstring, classical bit 0 rightmost, at least one 1: which bits are counted.
        sign: 0 if an even number of them reads 1 (the measured Pauli is +1), 1 if odd (-1).

    Raises:
        CircuitError: No bit is counted, or another sign.

    Example:
        >>> answer = ParityAnswer("101", 1)
        >>> answer, answer.holds("001"), answer.holds("111")
        (ParityAnswer(), True, False)
    """

    mask: str = field(repr=False)
    sign: int = field(repr=False)

    def __post_init__(self) -> None:
        if "1" not in self.mask or set(self.mask) - {"0", "1"} or self.sign not in (0, 1):
            raise CircuitError(
                f"need a mask of 0 and 1 with a 1 and a sign 0 or 1, got {self.mask!r}, {self.sign}"
            )

    def holds(self, bits: str) -> bool:
        """Say whether an outcome, a bitstring as long as `mask`, has the right parity."""
        return (int(bits, 2) & int(self.mask, 2)).bit_count() % 2 == self.sign


@dataclass(frozen=True, slots=True)
class ParitiesAnswer:
    """Units of few bits run side by side, and each has a parity of its own that is certain.

    Attributes:
        units: The classical bits of each unit, ascending; together each bit once.
        parities: One for each unit, counting bits of that unit only.
    """

    units: tuple[tuple[int, ...], ...]
    parities: tuple[ParityAnswer, ...] = field(repr=False)


@dataclass(frozen=True, slots=True)
class SimulatedAnswer:
    """The ideal distribution has no closed form: a reference simulates the program."""


@dataclass(frozen=True, slots=True)
class PatchedAnswer:
    """The ideal distribution is a product over patches, each small enough to be simulated alone.

    Attributes:
        patches: The classical bits of each patch, ascending; together each bit once. See
            `circuits.patches.patch_programs`.
    """

    patches: tuple[tuple[int, ...], ...]


@dataclass(frozen=True, slots=True)
class NoAnswer:
    """Nobody simulates the program: two runs of it are compared with each other."""


Answer = KnownAnswer | ParityAnswer | ParitiesAnswer | SimulatedAnswer | PatchedAnswer | NoAnswer


@dataclass(frozen=True, slots=True)
class Case:
    """One drawn benchmark circuit.

    Attributes:
        family: Name in the table of families.
        width: Qubits under test, = len(`qubits`) = bits of the program.
        depth: Layers, in the family's own unit.
        qubits: Device qubits under test, ascending; c[i] measures qubits[i].
        program: What the miner sees; verbatim (q[j] is device qubit j). Left out of the repr for
            its length.
        answer: The secret; left out of the repr.
    """

    family: str
    width: int
    depth: int
    qubits: tuple[int, ...]
    program: Program = field(repr=False)
    answer: Answer = field(repr=False)


class Family(Protocol):
    """A way to draw cases; pure, the same case for the same arguments on every machine.

    Implementations keep what the contract tests check: the program is as wide as the device and
    uses its native gates only, two-qubit gates on edges in native direction; each qubit under
    test is measured once, at the end; another key gives another program.
    """

    @property
    def name(self) -> str:
        """Name in the table, in evidence and on the board."""
        ...

    def generate(self, key: bytes, *, width: int, depth: int, topology: Topology) -> Case:
        """Draw a case of `width` qubits on the device's own graph and native gates.

        Args:
            key: All that the draw depends on besides the other arguments.
            width: Qubits under test.
            depth: Layers, in the family's own unit.
            topology: The device.

        Raises:
            FamilyError: The topology has no connected set of `width` qubits, the depth is no
                depth of this family, or the native gates are not enough.
        """
        ...
