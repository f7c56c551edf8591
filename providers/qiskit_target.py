"""What a Qiskit backend says of itself (`backend.target`), as a device claim.

A backend with couplings and with errors of its gates and readout is claimed as class `qpu`, else
as `simulator`; the miner may say otherwise. Of several two-qubit gates in the target the native
one is the one on most pairs (cz, ecr, cx, rzz, rxx, cp, swap, in this order, among equals). Gates
that our emitter would have to split (iswap, sqrt_iswap) are left out, so that what is sent is what
was asked.

As in `providers.snapshots`: a pair whose error is missing or at least `WORST_EDGE`, and every pair
of a qubit that cannot be read or turned, is no coupling; a missing error reads 1, of readout 1/2.
Where both directions of a pair are listed, the better one is native.

Blind spot: limits on timing, shots or programs that a target does not state.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from circuits.gates import GATES
from circuits.topology import Edge, Topology, complete
from providers.base import Device, DeviceClass, ErrorRates
from providers.errors import Rejected
from providers.snapshots import WORST_EDGE, WORST_GATE, WORST_READOUT

if TYPE_CHECKING:
    from providers.base import Json

PAIRING = ("cz", "ecr", "cx", "rzz", "rxx", "cp", "swap")
PULSES = ("sx", "r", "u", "x", "rx", "h")
"""Gates whose error stands for every one-qubit gate; the first that the target has."""

_OURS = {"r": "prx"}
_SPLIT = frozenset({"iswap", "sqrt_iswap"})


@dataclass(frozen=True, slots=True)
class Claim:
    """What the miner adds to what the backend says.

    Attributes:
        name: The device's name.
        device_class: "auto", "qpu" or "simulator".
        num_qubits: Width of a simulator whose target states no couplings; else of no effect.
        fee_rao_per_shot: Its price.
    """

    name: str
    device_class: str = "auto"
    num_qubits: int = 0
    fee_rao_per_shot: int = 0


def read_target(target: Any, claim: Claim) -> Device:  # noqa: ANN401 - the SDK has no types
    """Describe a backend by its target; None is a sampler that states nothing.

    Raises:
        Rejected: No supported gates, or claimed a `qpu` without couplings and errors.

    Example:
        >>> read_target(None, Claim("exact", num_qubits=2)).topology.edges
        ((0, 1),)
    """
    couplings = _couplings(target)
    if not couplings:
        return _uncoupled(target, claim)
    native = _native(target)
    chosen = max(
        (name for name in PAIRING if name in couplings),
        key=lambda name: (len(couplings[name]), -PAIRING.index(name)),
    )
    single, readout = _one_qubit(target), _rates(target, "measure")
    broken = {
        q
        for q in range(target.num_qubits)
        if _at_least(readout.get(q), WORST_READOUT) or _at_least(single.get(q), WORST_GATE)
    }
    edges = _edges(couplings[chosen], broken)
    known = bool(edges and single and readout)
    if not known:
        edges = dict.fromkeys(_one_way(couplings[chosen]), None)
    topology = Topology(target.num_qubits, tuple(edges), (*native, chosen))
    errors = None
    if known:
        errors = ErrorRates(
            tuple(_or(single.get(q), 1.0) for q in range(target.num_qubits)),
            tuple(_or(edges[edge], 1.0) for edge in topology.edges),
            tuple(_or(readout.get(q), 0.5) for q in range(target.num_qubits)),
        )
    return _device(topology, errors, claim)


def couples(target: Any) -> bool:  # noqa: ANN401 - the SDK has no types
    """Tell whether it matters which qubits a program is on; None is a sampler without a target."""
    return bool(_couplings(target))


def target_record(target: Any) -> Mapping[str, Json]:  # noqa: ANN401 - the SDK has no types
    """Give all errors and durations (seconds) of a target; {} where it states none.

    Returns:
        {gate: [{"qubits": [...], "error": ..., "duration_s": ...}, ...]}.
    """
    if target is None:
        return {}
    record: dict[str, Json] = {}
    for name in sorted(target.operation_names):
        stated = [
            {"qubits": list(qubits), "error": known.error, "duration_s": known.duration}
            for qubits, known in sorted((target[name] or {}).items(), key=str)
            if qubits is not None and known is not None
        ]
        if stated:
            record[name] = stated  # type: ignore[assignment]
    return record


def _device(topology: Topology, errors: ErrorRates | None, claim: Claim) -> Device:
    word = claim.device_class
    if word == "auto":
        word = "qpu" if errors is not None else "simulator"
    try:
        return Device(
            claim.name,
            DeviceClass(word),
            topology,
            errors,
            "qiskit",
            fee_rao_per_shot=claim.fee_rao_per_shot,
        )
    except ValueError as error:
        raise Rejected(f"{error}: give a 'sheet'") from None


def _uncoupled(target: Any, claim: Claim) -> Device:  # noqa: ANN401 - the SDK has no types
    """A simulator that takes every gate on every pair."""
    stated = getattr(target, "num_qubits", None)
    width = min(claim.num_qubits, stated) if stated else claim.num_qubits
    return _device(complete(width, ("cx", "u")), None, claim)


def _couplings(target: Any) -> dict[str, dict[Edge, float | None]]:  # noqa: ANN401 - no types
    """Per supported two-qubit gate its pairs with their errors; {} where any pair will do."""
    if target is None or target.num_qubits is None:
        return {}
    found: dict[str, dict[Edge, float | None]] = {}
    for name in PAIRING:
        stated = target[name] if name in target.operation_names else None
        if stated and None not in stated:
            found[name] = {
                (qubits[0], qubits[1]): getattr(known, "error", None)
                for qubits, known in stated.items()
            }
    return found


def _native(target: Any) -> list[str]:  # noqa: ANN401 - the SDK has no types
    """One-qubit gates of the profile that the target has."""
    names = {_OURS.get(name, name) for name in target.operation_names} - _SPLIT
    native = sorted(name for name in names if name in GATES and GATES[name].num_qubits == 1)
    if not native:
        raise Rejected(f"the target has no one-qubit gate of the profile, got {sorted(names)}")
    return native


def _one_qubit(target: Any) -> dict[int, float | None]:  # noqa: ANN401 - the SDK has no types
    for name in PULSES:
        if name in target.operation_names:
            return _rates(target, name)
    return {}


def _rates(target: Any, name: str) -> dict[int, float | None]:  # noqa: ANN401 - no types
    """Errors of a one-qubit instruction; {} where the target states none of it."""
    stated = target[name] if name in target.operation_names else {}
    rates = {
        qubits[0]: getattr(known, "error", None)
        for qubits, known in stated.items()
        if qubits is not None
    }
    return rates if any(rate is not None for rate in rates.values()) else {}


def _edges(stated: Mapping[Edge, float | None], broken: set[int]) -> dict[Edge, float | None]:
    """The better direction of every usable pair."""
    usable = {
        edge: error
        for edge, error in stated.items()
        if error is not None and error < WORST_EDGE and not broken & set(edge)
    }
    return {
        edge: error
        for edge, error in usable.items()
        if (error, edge) <= (usable.get(edge[::-1], 1.0), edge[::-1])
    }


def _one_way(stated: Mapping[Edge, float | None]) -> list[Edge]:
    return [edge for edge in stated if edge[0] < edge[1] or edge[::-1] not in stated]


def _at_least(rate: float | None, worst: float) -> bool:
    return rate is None or rate >= worst


def _or(rate: float | None, missing: float) -> float:
    return missing if rate is None else min(float(rate), 1.0)
