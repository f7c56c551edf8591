"""One measurement from its words to its document: checked, run, written as JSON and as a table."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from qsubnet.errors import BadInput
from qsubnet.measuring.figure import CONFIDENCE, Figure
from qsubnet.measuring.kinds import kind_of
from qsubnet.measuring.wish import widest

if TYPE_CHECKING:
    from providers.base import Device, Json
    from qsubnet.measuring.subject import Subject
    from qsubnet.measuring.wish import Wish


@dataclass(frozen=True, slots=True)
class Measured:
    """What was measured.

    Attributes:
        kind: Name of the kind.
        figures: The first is what the kind is named after.
        subjects: The devices, with what each was asked and what failed.
    """

    kind: str
    figures: tuple[Figure, ...]
    subjects: tuple[Subject, ...]


def checked_shots(kind: str, device: Device, shots: int | None) -> int:
    """Give the shots of a circuit: those asked for, else the kind's own, at most the device's.

    Raises:
        BadInput: More than the device allows, or less than one; or there is no such kind.
    """
    if shots is not None and not 1 <= shots <= device.max_shots:
        raise BadInput(f"need 1 .. {device.max_shots} shots on {device.name!r}, got {shots}")
    return shots or min(kind_of(kind).shots, device.max_shots)


def checked_wish(kind: str, wish: Wish, *, device: Device) -> Wish:
    """Sort the wish and put in the kind's own number of circuits where it is 0.

    Raises:
        BadInput: It asks for what the kind does not do, or the device cannot.
    """
    known = kind_of(kind)
    for word, option in _OPTIONS.items():
        if word not in known.takes and getattr(wish, word):
            raise BadInput(f"{kind} takes no --{option}")
    circuits = wish.circuits or known.circuits
    if circuits < known.least:
        raise BadInput(f"{kind} needs at least {known.least} {known.unit}, got {circuits}")
    most = widest(device)
    wrong = [width for width in wish.widths if not 2 <= width <= most]
    if wrong:
        raise BadInput(f"need a width 2 .. {most} on {device.name!r}, got {wrong[0]}")
    if any(depth < 1 for depth in wish.depths):
        raise BadInput(f"need a depth of at least 1, got {min(wish.depths)}")
    widths, depths = (tuple(sorted(set(values))) for values in (wish.widths, wish.depths))
    return replace(wish, circuits=circuits, widths=widths, depths=depths)


_OPTIONS = {"widths": "width", "depths": "depth", "program": "circuit", "second": "second-provider"}


async def measure(kind: str, subject: Subject, wish: Wish) -> Measured:
    """Measure a device.

    Args:
        kind: A name in `KINDS`.
        subject: The device.
        wish: What of it.

    Raises:
        BadInput: The wish does not fit the kind or the device.
        JobFailed: The device answers nothing.
        circuits.errors.CircuitError: No circuit can be drawn on its gates and couplings.
    """
    fitting = checked_wish(kind, wish, device=subject.device)
    figures = await kind_of(kind).measure(subject, fitting)
    subjects = (subject,) if wish.second is None else (subject, wish.second)
    return Measured(kind, tuple(figures), subjects)


def document(measured: Measured) -> dict[str, Json]:
    """Write what `measure --json` prints."""
    devices: list[Json] = [
        {
            "name": subject.device.name,
            "class": subject.device.device_class.value,
            "provider": subject.device.provider,
            "shots_a_circuit": subject.shots,
            "circuits_asked": subject.asked,
            "circuits_used": subject.answered,
            "shots_used": subject.shots_used,
            "failures": dict(subject.failures),
        }
        for subject in measured.subjects
    ]
    return {
        "kind": measured.kind,
        "confidence": CONFIDENCE,
        "devices": devices,
        "figures": [figure.document() for figure in measured.figures],
    }
