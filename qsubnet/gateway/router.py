"""Choose the device that a job runs on: the one that was asked for, or the narrowest that suffices.

A pure function of offers and verdicts; no clock and no load decides. Of equally wide devices the
cheaper comes first, then the one measured better, then by name. Only devices that this operator's
validator has verified, with a positive score, are chosen; whoever names a device gets it, whatever
its verdict. Blind spot: a backend may refuse what its claim allows (an engine's own limits); the
service then asks for the next one.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

from circuits.gates import GATES
from qsubnet.errors import BadInput, Unreachable
from qsubnet.gateway.errors import TooWide, UnknownDevice

if TYPE_CHECKING:
    from circuits.program import Program
    from providers.base import Device
    from qsubnet.wire import peer

_LISTED = 20

Verdicts: TypeAlias = Mapping[tuple[str, str], Mapping[str, Any]]
"""Newest verdict document by (hotkey, device)."""


@dataclass(frozen=True, slots=True)
class Offer:
    """A device of a miner.

    Attributes:
        hotkey: The miner's.
        claim: As the miner wrote it.
        device: The same, read.
        reachable: Whether the miner answered last time.
    """

    hotkey: str
    claim: peer.DeviceClaim
    device: Device
    reachable: bool

    @property
    def key(self) -> tuple[str, str]:
        """(hotkey, device name)."""
        return self.hotkey, self.device.name


@dataclass(frozen=True, slots=True)
class Needs:
    """What a job asks of a device: qubits that each program uses, shots, two-qubit gates."""

    widths: tuple[int, ...]
    shots: int
    entangles: bool

    @property
    def width(self) -> int:
        """The widest program's."""
        return max(self.widths)


def needs_of(programs: Sequence[Program], *, shots: int) -> Needs:
    """Read off what programs need.

    Example:
        >>> from circuits.program import Operation, Program, measure
        >>> needs_of([Program(9, 1, (Operation("x", (4,)), measure(4, 0)))], shots=10).width
        1
    """
    entangles = any(
        op.name in GATES and len(op.qubits) > 1 for one in programs for op in one.operations
    )
    return Needs(tuple(len(one.used_qubits) for one in programs), shots, entangles)


def choose(
    needs: Needs,
    offers: Iterable[Offer],
    verdicts: Verdicts,
    *,
    asked: str | None,
    without: Collection[tuple[str, str]] = (),
    silent: int = 0,
) -> Offer:
    """Choose a device.

    Args:
        needs: Of the job.
        offers: Everything on the market.
        verdicts: The newest.
        asked: `name`, `hotkey/name` or None for any.
        without: Devices that have failed this job already.
        silent: Miners that have announced themselves and never said what they offer.

    Raises:
        UnknownDevice: There is none of that name.
        TooWide: A program has more qubits than it (or any verified one).
        BadInput: The name is ambiguous, or the device takes fewer shots or programs.
        Unreachable: No device is verified yet, or none that suffices answers; later one may.
    """
    known = sorted(offers, key=lambda offer: (offer.device.name, offer.hotkey))
    if asked is not None:
        offer = _named(asked, known, silent=silent)
        if (refusal := misfit(needs, offer.device)) is not None:
            raise refusal
        return offer
    verified = [o for o in known if is_verified(o, verdicts) and o.key not in without]
    if not verified:
        raise Unreachable(
            f"no device is verified now; retry later, or name a device: {_listed(known)}"
        )
    fitting = [offer for offer in verified if misfit(needs, offer.device) is None]
    if not fitting:
        widest = max(verified, key=lambda offer: offer.device.topology.num_qubits)
        raise misfit(needs, widest.device) or BadInput("no verified device takes this job")
    answering = [offer for offer in fitting if offer.reachable]
    if not answering:
        raise Unreachable(f"none of {_listed(fitting)} answers; retry later")
    return min(answering, key=lambda offer: _preference(offer, verdicts))


def _preference(offer: Offer, verdicts: Verdicts) -> tuple[int, int, float, str, str]:
    device = offer.device
    low = float(verdicts[offer.key]["fidelity"]["low"])
    return device.topology.num_qubits, device.fee_rao_per_shot, -low, device.name, offer.hotkey


def is_verified(offer: Offer, verdicts: Verdicts) -> bool:
    """Say whether the newest verdict pays this very device."""
    document = document_of(offer, verdicts)
    if document is None:
        return False
    return document["verdict"] == "verified" and float(document["score"]) > 0


def document_of(offer: Offer, verdicts: Verdicts) -> Mapping[str, Any] | None:
    """Give the newest verdict, unless the device has become another one since."""
    document = verdicts.get(offer.key)
    if document is None:
        return None
    device = offer.device
    now = (device.device_class.value, device.topology.num_qubits)
    return document if (document["class"], document["num_qubits"]) == now else None


def misfit(needs: Needs, device: Device) -> BadInput | None:
    """Say why a device cannot take a job, or None.

    Example:
        >>> from circuits.topology import complete
        >>> from providers.base import Device, DeviceClass
        >>> five = Device("five", DeviceClass.SIMULATOR, complete(5, ["cx", "u"]), None, "aer")
        >>> misfit(Needs((2, 7), 100, entangles=True), five)
        TooWide("program 1 uses 7 qubits, device 'five' has 5")
    """
    has = device.topology.num_qubits
    for index, width in enumerate(needs.widths):
        if width > has:
            return TooWide(f"program {index} uses {width} qubits, device {device.name!r} has {has}")
    if needs.shots > device.max_shots:
        return BadInput(
            f"device {device.name!r} takes 1 .. {device.max_shots} shots, got {needs.shots}"
        )
    if len(needs.widths) > device.max_programs:
        return BadInput(
            f"device {device.name!r} takes 1 .. {device.max_programs} programs at once, "
            f"got {len(needs.widths)}"
        )
    if needs.entangles and not device.topology.two_qubit_gate:
        return BadInput(f"device {device.name!r} has no two-qubit gate, the job needs one")
    return None


def _named(asked: str, known: Sequence[Offer], *, silent: int) -> Offer:
    hotkey, _, name = asked.rpartition("/")
    found = [o for o in known if o.device.name == name and hotkey in ("", o.hotkey)]
    if not found and silent:
        raise Unreachable(
            f"no device {asked[:140]!r} among those that are known, and {silent} miners do not "
            "answer now; retry later"
        )
    if not found:
        raise UnknownDevice(f"no device {asked[:140]!r}, there are: {_listed(known)}")
    if len(found) > 1:
        names = ", ".join(f"{offer.hotkey}/{name}" for offer in found)
        raise BadInput(f"{len(found)} miners have a device {name!r}, need one of: {names}")
    return found[0]


def _listed(offers: Sequence[Offer]) -> str:
    if not offers:
        return "none"
    names = [f"{o.device.name} ({o.device.topology.num_qubits} qubits)" for o in offers[:_LISTED]]
    rest = len(offers) - len(names)
    return ", ".join(names) + (f" and {rest} more" if rest else "")
