"""One recorded execution of any circuit: what ran, and what came back.

Nothing is known of it beyond the record: the circuit is its owner's choice, the device may have
claimed nothing, and the program may be one that no reference can follow.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from circuits.program import Program
from providers.base import Device, ResultKind

__all__ = ["Execution"]


@dataclass(frozen=True, slots=True)
class Execution:
    """One record.

    Attributes:
        place: Its number in the file, from 0.
        identity: Names the program: equal programs have equal identities.
        num_bits: Declared classical bits.
        counts: {bitstring: shots} as it came, bit 0 rightmost; keys may have a wrong width. Of kind
            `probabilities` the values are shares that add up to 1. Empty without an answer.
        shots: Shots that were asked for, at least 1.
        kind: What the backend returned, as far as the record says.
        program: None where the profile has no word for what it does (classical control).
        device: The claim as it stood then; None without a sheet.
        registers: Bits of each classical register in the order of declaration; () if unknown.
    """

    place: int
    identity: str
    num_bits: int
    counts: Mapping[str, float]
    shots: int
    kind: ResultKind = ResultKind.COUNTS
    program: Program | None = field(default=None, repr=False)
    device: Device | None = None
    registers: tuple[int, ...] = ()

    @property
    def counted(self) -> bool:
        """Whether its values are shots, which statistics of shots may be computed from."""
        return self.kind is not ResultKind.PROBABILITIES

    @property
    def table(self) -> dict[str, int]:
        """The counts as whole shots; {} where they are shares."""
        return {k: int(n) for k, n in self.counts.items()} if self.counted else {}

    @property
    def answered(self) -> bool:
        """Whether anything came back."""
        return any(self.counts.values())

    @property
    def fits(self) -> bool:
        """Whether it has an answer whose every bitstring is as long as the declared bits."""
        return self.answered and all(len(key) == self.num_bits for key in self.counts)
