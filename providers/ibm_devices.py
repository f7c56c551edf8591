"""IBM's backends as devices: what the target and the calibration record of one say.

The couplings follow the rules of `providers.snapshots`: what the record itself calls broken stays
out of them, and where both directions of an edge are calibrated the shorter pulse is native.

Works for `IBMBackend` and for the SDK's fake backends alike. Fractional gates (rx, rzz) are not
offered: a device here has one gate on two qubits.
"""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from circuits.topology import Edge, Topology
from providers.base import Device, DeviceClass, ErrorRates
from providers.errors import AdapterFault, Rejected
from providers.snapshots import WORST_EDGE, WORST_GATE, WORST_READOUT

if TYPE_CHECKING:
    from providers.base import Json

_ONE_QUBIT = ("id", "rz", "sx", "x")
_TWO_QUBIT = ("cx", "cz", "ecr")
_MOST_SHOTS = 100_000

Backend = Any
"""The SDK has no types."""


def device_of(backend: Backend, *, fee_rao_per_shot: int, max_programs: int) -> Device:
    """Describe a backend.

    Raises:
        Rejected: Its native gates are not rz, sx, x and exactly one of cx, cz and ecr.
        AdapterFault: Its target has an unknown shape.
    """
    target = backend.target
    words = set(target.operation_names)
    entanglers = [gate for gate in _TWO_QUBIT if gate in words]
    if len(entanglers) != 1 or not {"rz", "sx", "x"} <= words:
        raise Rejected(
            f"need a backend with rz, sx, x and exactly one of {', '.join(_TWO_QUBIT)}, "
            f"{backend.name} has {', '.join(sorted(words))}"
        )
    try:
        width = int(target.num_qubits)
        one = tuple(_error(target["sx"], (q,), missing=1.0) for q in range(width))
        readout = tuple(_error(target["measure"], (q,), missing=0.5) for q in range(width))
        broken = _broken(backend, one, readout)
        edges = _edges(target[entanglers[0]], broken)
    except (AttributeError, KeyError, TypeError) as error:
        raise AdapterFault(f"{backend.name} has a target of unknown shape: {error!r}") from error
    kept = tuple(sorted(edges))
    gates = (*words.intersection(_ONE_QUBIT), entanglers[0])
    return Device(
        backend.name,
        DeviceClass.QPU,
        Topology(width, kept, gates),
        ErrorRates(one, tuple(edges[edge] for edge in kept), readout),
        "ibm",
        max_shots=_most_shots(backend),
        max_programs=max_programs,
        fee_rao_per_shot=fee_rao_per_shot,
    )


def calibration_of(backend: Backend, *, refresh: bool) -> dict[str, Json]:
    """The calibration record as published (its time is `last_update_date`), and the queue.

    `status.pending_jobs` is what the service says at this moment; a fake backend has no queue.
    """
    properties = backend.properties(refresh=True) if refresh else backend.properties()
    record = plain(properties.to_dict()) if properties is not None else {}
    if not isinstance(record, dict):
        raise AdapterFault(f"{backend.name} has a calibration record of unknown shape")
    if refresh:
        record["status"] = plain(backend.status().to_dict())
    return record


def plain(value: Any) -> Json:  # noqa: ANN401 - what the SDK decoded from JSON
    """Write what the SDK made of a JSON answer as JSON again; what is not finite becomes null.

    Example:
        >>> plain({"at": dt.date(2026, 1, 2), "t2": float("nan"), 3: (1, "x")})
        {'at': '2026-01-02', 't2': None, '3': [1, 'x']}
    """
    if value is None or isinstance(value, bool | int | str):
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, Mapping):
        return {str(key): plain(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [plain(inner) for inner in value]
    if isinstance(value, dt.date | dt.datetime):
        return value.isoformat()
    return str(value)


def _most_shots(backend: Backend) -> int:
    published = getattr(backend.configuration(), "max_shots", None)
    return min(int(published), _MOST_SHOTS) if published else _MOST_SHOTS


def _error(gate: Any, qubits: tuple[int, ...], *, missing: float) -> float:  # noqa: ANN401 - a target's table
    """The published error of a gate on some qubits; what is missing is no zero."""
    found = gate.get(qubits)
    error = None if found is None else found.error
    return (
        missing if error is None or not math.isfinite(error) else min(max(float(error), 0.0), 1.0)
    )


def _broken(backend: Backend, one: tuple[float, ...], readout: tuple[float, ...]) -> set[int]:
    """The qubits that the record calls broken, or all but says so."""
    properties = backend.properties()
    faulty = set(properties.faulty_qubits()) if properties is not None else set()
    rates = enumerate(zip(one, readout, strict=True))
    return faulty | {q for q, (gate, read) in rates if gate >= WORST_GATE or read >= WORST_READOUT}


def _edges(gate: Any, broken: set[int]) -> dict[Edge, float]:  # noqa: ANN401 - a target's table
    """The usable edges in native direction, and their errors."""
    pairs: dict[Edge, list[Edge]] = {}
    for a, b in gate:
        pairs.setdefault((min(a, b), max(a, b)), []).append((a, b))
    kept = {}
    for pair, directions in pairs.items():
        best = min(directions, key=lambda edge: (_rank(gate, edge), edge))
        error = _error(gate, best, missing=1.0)
        if not broken & set(pair) and error < WORST_EDGE:
            kept[best] = error
    return kept


def _rank(gate: Any, edge: Edge) -> tuple[bool, float, float]:  # noqa: ANN401 - a target's table
    """Order directions of one edge: usable first, then the shorter pulse, then the better one."""
    error = _error(gate, edge, missing=1.0)
    duration = getattr(gate[edge], "duration", None)
    return error >= WORST_EDGE, duration if duration is not None else math.inf, error
