"""What IonQ's backends are, from its own list and characterizations.

A machine claims its newest characterization. IonQ publishes medians, one a kind of element, so
that every qubit and every pair claims the same; `2q` is of its native two-qubit gate. Readout is
what IonQ calls SPAM: preparing and reading a qubit at once.

Source: IonQ's OpenAPI v0.4 (2026-09), `Backend` and `Characterization`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from circuits.topology import Topology, complete
from providers.base import Device, DeviceClass, ErrorRates
from providers.errors import AdapterFault, Rejected
from providers.ionq_gates import ENTANGLERS
from providers.rest import item

if TYPE_CHECKING:
    from providers.base import Json

SIMULATOR = "simulator"
_MACHINE_SHOTS = 10_000
_FAMILIES = {"aria": "ms", "forte": "zz", "harmony": "ms"}


@dataclass(frozen=True, slots=True)
class Settings:
    """What the options say.

    Attributes:
        backend: IonQ's name, `simulator` or `qpu....`.
        device: Our name for it.
        url: The door, with its version.
        num_qubits: Width to claim; 0 for all that IonQ has.
        debiasing: Ask a machine for IonQ's error mitigation.
        lookup_jobs: How many of the newest jobs are looked through for a lost one.
        fee: In rao per shot.
    """

    backend: str
    device: str
    url: str
    num_qubits: int
    debiasing: bool
    lookup_jobs: int
    fee: int

    @property
    def machine(self) -> bool:
        """True unless it is the simulator."""
        return self.backend != SIMULATOR


def machine(settings: Settings, record: Mapping[str, Json]) -> Device:
    """Claim what the newest characterization says of a machine."""
    backend, known = record["backend"], record["characterization"]
    if not isinstance(backend, dict) or backend.get("status") == "retired":
        raise Rejected(f"ionq has retired {settings.backend}")
    if not isinstance(known, dict):
        raise Rejected(f"ionq publishes no characterization of {settings.backend} to claim")
    n = min(_whole(backend, "qubits"), _whole(known, "qubits"))
    n = min(settings.num_qubits or n, n)
    gates = ("gpi", "gpi2", ENTANGLERS[_entangler(settings.backend, backend)])
    topology = Topology(n, _edges(known, n), gates)
    spam, one, two = (_infidelity(known, kind) for kind in ("spam", "1q", "2q"))
    return Device(
        settings.device,
        DeviceClass.QPU,
        topology,
        ErrorRates((one,) * n, (two,) * len(topology.edges), (spam,) * n),
        "ionq",
        max_shots=_MACHINE_SHOTS,
        fee_rao_per_shot=settings.fee,
    )


def simulator(settings: Settings, record: Mapping[str, Json]) -> Device:
    """Claim the exact simulator, as wide as IonQ runs it or as the miner wants it."""
    widest = _whole(record["backend"], "qubits")
    return Device(
        settings.device,
        DeviceClass.SIMULATOR,
        complete(min(settings.num_qubits or widest, widest), ("cx", "u")),
        None,
        "ionq",
        fee_rao_per_shot=settings.fee,
    )


def _entangler(name: str, backend: Mapping[str, Json]) -> str:
    """Find the machine's native gate on two qubits, in IonQ's word."""
    listed = backend.get("supported_native_gates")
    gates = [gate for gate in listed if gate in ENTANGLERS] if isinstance(listed, list) else []
    guesses = [gate for family, gate in _FAMILIES.items() if f".{family}" in name]
    if not gates and not guesses:
        raise Rejected(f"ionq names no native two-qubit gate of {name}")
    return str((gates or guesses)[-1])


def _edges(known: Mapping[str, Json], n: int) -> tuple[tuple[int, int], ...]:
    """The couplings as published; all of them where none are."""
    pairs = known.get("connectivity")
    if not isinstance(pairs, list) or not pairs:
        return complete(n, ()).edges
    edges = set()
    for pair in pairs:
        if not isinstance(pair, list) or len(pair) != 2:
            raise AdapterFault(f"ionq lists a coupling {str(pair)[:80]}, need two qubits")
        a, b = sorted(int(str(end)) for end in pair)
        if a != b and b < n:
            edges.add((a, b))
    return tuple(sorted(edges))


def _infidelity(known: Mapping[str, Json], kind: str) -> float:
    """One error rate: 1 - the median (or mean) fidelity of `spam`, `1q` or `2q`."""
    fidelity = known.get("fidelity")
    entry = fidelity.get(kind) if isinstance(fidelity, dict) else None
    values = [entry.get("median"), entry.get("mean")] if isinstance(entry, dict) else []
    for value in values:
        if isinstance(value, int | float) and 0 <= value <= 1:
            return 1.0 - value
    raise Rejected(f"ionq publishes no {kind} fidelity of this machine, so there is no claim")


def _whole(record: Json, name: str) -> int:
    value = item(record, name, vendor="ionq")
    if isinstance(value, bool) or not isinstance(value, int) or value < 1:
        raise AdapterFault(f"ionq says {name} = {str(value)[:40]!r}, need a whole number >= 1")
    return value
