"""What is wished of a measurement, and the kind of figure that fulfils it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from circuits.layout import largest_part
from qsubnet.errors import BadInput

if TYPE_CHECKING:
    from circuits.program import Program
    from providers.base import Device
    from qsubnet.measuring.figure import Figure
    from qsubnet.measuring.subject import Subject
    from validator.references.reference import Reference


@dataclass(frozen=True, slots=True)
class Wish:
    """What was asked for; what is None or empty is the kind's own choice.

    Attributes:
        reference: Exact distributions.
        circuits: How many, in the kind's own unit.
        widths: Ascending.
        depths: Ascending, in the family's own unit.
        program: The circuit that it is about.
        second: The other device.
    """

    reference: Reference
    circuits: int
    widths: tuple[int, ...] = ()
    depths: tuple[int, ...] = ()
    program: Program | None = None
    second: Subject | None = None

    def only_width(self, otherwise: int) -> int:
        """Give the one width, or `otherwise` where none was asked for.

        Raises:
            BadInput: Several were.
        """
        return _only(self.widths, otherwise, "width")

    def only_depth(self, otherwise: int) -> int:
        """Give the one depth, or `otherwise` where none was asked for.

        Raises:
            BadInput: Several were.
        """
        return _only(self.depths, otherwise, "depth")


def _only(given: tuple[int, ...], otherwise: int, word: str) -> int:
    if len(given) > 1:
        raise BadInput(f"this kind takes one --{word}, got {', '.join(map(str, given))}")
    return given[0] if given else otherwise


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of measurement.

    Attributes:
        summary: What it gives, in one line.
        measure: Runs it.
        circuits: Unless told; in the unit that `unit` names.
        shots: Of every circuit, unless told.
        unit: What `circuits` counts.
        least: The least of them that says anything.
        takes: Which of the optional words of a wish it reads.
        simulated: Whether it asks the reference for anything.
    """

    summary: str
    measure: Callable[[Subject, Wish], Awaitable[list[Figure]]]
    circuits: int
    shots: int
    unit: str
    least: int = 2
    takes: frozenset[str] = frozenset({"widths"})
    simulated: bool = False


def widest(device: Device) -> int:
    """Count the qubits of the device's largest connected part.

    Raises:
        BadInput: No two of its qubits are coupled.
    """
    part = largest_part(device.topology)
    if part < 2:
        raise BadInput(f"device {device.name!r} couples no two qubits, and every figure needs two")
    return part
