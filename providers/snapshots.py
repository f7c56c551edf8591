"""Snapshots: what IBM published of a machine on one day, read from the files that Qiskit ships.

`qiskit_ibm_runtime` carries a configuration and a calibration file (JSON) per retired or current
machine. They are found beside the package and read without importing it, so that a process which
imitates a machine loads no Qiskit.

Kept: machines with rz, sx, x and exactly one of cx, ecr and cz. What is broken on that day stays
out of the couplings, and `Snapshot.left_out` says so:

- an edge whose two-qubit error is missing or at least `WORST_EDGE` (1 means "not calibrated");
- every edge of a qubit whose readout, sx, T1 or T2 is missing, or whose readout error is at least
  `WORST_READOUT` or sx error at least `WORST_GATE`.

Such qubits keep their published numbers on the sheet. What is missing is no zero: an error reads
1 (readout: 1/2), a time 0. Where both directions of an edge are published, the shorter pulse is
native (equal ones: the smaller error, then the lower qubit first).

Blind spot: one day, not a history; the date is the calibration's, not today's.
Source: `fake_provider/backends` of qiskit-ibm-runtime (Apache-2.0), IBM's own published records.
"""

from __future__ import annotations

import importlib.util
import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from circuits.topology import Edge, Topology
from providers.base import ErrorRates
from providers.errors import AdapterFault, MissingSoftware, Rejected

if TYPE_CHECKING:
    from providers.base import Json

PACKAGE = "qiskit_ibm_runtime"
WORST_EDGE = 0.1
WORST_READOUT = 0.2
WORST_GATE = 0.05

_ONE_QUBIT = ("id", "rz", "sx", "x")
_TWO_QUBIT = ("cx", "ecr", "cz")
_SECONDS = {"s": 1.0, "ms": 1e-3, "us": 1e-6, "µs": 1e-6, "ns": 1e-9}


@dataclass(frozen=True, slots=True)
class Snapshot:
    """One machine on one day. Per-edge tuples follow `topology.edges`.

    Attributes:
        machine: IBM's name for it, lower case.
        calibrated: When the record was made, ISO 8601 with offset.
        topology: Width, usable couplings in native direction, native gates.
        errors: The public sheet (average gate infidelities, mean readout error).
        t1_s: Relaxation time per qubit; 0 where it is missing.
        t2_s: Dephasing time per qubit, at most twice T1; 0 where it is missing.
        read_0_given_1: P(0|1) per qubit as published.
        read_1_given_0: P(1|0) per qubit as published.
        one_qubit_s: Duration of an sx pulse, the longest of the machine.
        two_qubit_s: Duration of the native two-qubit gate per edge.
        left_out: One sentence per broken qubit or edge.
    """

    machine: str
    calibrated: str
    topology: Topology
    errors: ErrorRates
    t1_s: tuple[float, ...]
    t2_s: tuple[float, ...]
    read_0_given_1: tuple[float, ...]
    read_1_given_0: tuple[float, ...]
    one_qubit_s: float
    two_qubit_s: tuple[float, ...]
    left_out: tuple[str, ...]


def machines() -> tuple[str, ...]:
    """Name every machine that the installed package has both files of, sorted.

    Raises:
        MissingSoftware: The package is not installed.

    Example:
        >>> {"hanoi", "sherbrooke", "torino"} <= set(machines())
        True
    """
    return tuple(sorted(p.name for p in _root().iterdir() if _file(p, "props").is_file()))


def document(machine: str) -> Mapping[str, Json]:
    """Give the calibration record of `machine` as it was published, untouched.

    Raises:
        MissingSoftware: The package is not installed.
        Rejected: There is no such machine; the message names those there are.

    Example:
        >>> document("hanoi")["last_update_date"]
        '2025-02-26T15:13:14-05:00'
    """
    return _read(machine, "props")


@lru_cache(maxsize=16)
def load(machine: str) -> Snapshot:
    """Read the snapshot of `machine`.

    Raises:
        MissingSoftware: The package is not installed.
        Rejected: There is no such machine, or its native gates are not rz, sx, x and one of cx,
            ecr and cz.
        AdapterFault: The files have a unit or shape that is not known.

    Example:
        >>> hanoi = load("hanoi")
        >>> hanoi.topology.num_qubits, len(hanoi.topology.edges), hanoi.topology.two_qubit_gate
        (27, 28, 'cx')
    """
    published = _read(machine, "props")
    configuration = _read(machine, "conf")
    try:
        return _snapshot(machine, configuration, published)
    except (AttributeError, IndexError, KeyError, TypeError, ValueError) as error:
        raise AdapterFault(f"snapshot of {machine!r} has an unknown shape: {error!r}") from error


def _root() -> Path:
    found = importlib.util.find_spec(PACKAGE)
    if found is None or not found.submodule_search_locations:
        raise MissingSoftware(
            f'snapshots of machines come with {PACKAGE}: pip install "qsubnet[miner]"'
        )
    return Path(found.submodule_search_locations[0]) / "fake_provider" / "backends"


def _file(folder: Path, kind: str) -> Path:
    return folder / f"{kind}_{folder.name}.json"


def _read(machine: str, kind: str) -> dict[str, Any]:
    if machine not in machines():
        raise Rejected(f"no snapshot of {machine[:80]!r}, there are {', '.join(machines())}")
    content = json.loads(_file(_root() / machine, kind).read_bytes())
    if not isinstance(content, dict):
        raise AdapterFault(f"{kind} of {machine!r} is a {type(content).__name__}, not an object")
    return content


def _snapshot(machine: str, conf: Mapping[str, Any], props: Mapping[str, Any]) -> Snapshot:
    basis = set(conf["basis_gates"])
    entanglers = [gate for gate in _TWO_QUBIT if gate in basis]
    if len(entanglers) != 1 or not {"rz", "sx", "x"} <= basis:
        raise Rejected(
            f"need a machine with rz, sx, x and exactly one of {', '.join(_TWO_QUBIT)}, "
            f"{machine!r} has {', '.join(sorted(basis))}"
        )
    width = int(conf["n_qubits"])
    qubits = [_parameters(listed) for listed in props["qubits"][:width]]
    gates = {
        (gate["gate"], tuple(gate["qubits"])): _parameters(gate["parameters"])
        for gate in props["gates"]
    }
    sx = [gates.get(("sx", (q,)), {}) for q in range(width)]
    faults = {q: fault for q in range(width) if (fault := _fault(qubits[q], sx[q]))}
    edges, left_out = _edges(entanglers[0], gates, faults)
    kept = tuple(sorted(edges))
    t1 = tuple(qubit.get("T1", 0.0) for qubit in qubits)
    return Snapshot(
        machine=machine,
        calibrated=str(props["last_update_date"]),
        topology=Topology(
            width, kept, tuple(sorted({*basis.intersection(_ONE_QUBIT), *entanglers}))
        ),
        errors=ErrorRates(
            one_qubit=tuple(gate.get("gate_error", 1.0) for gate in sx),
            two_qubit=tuple(edges[edge]["gate_error"] for edge in kept),
            readout=tuple(qubit.get("readout_error", 0.5) for qubit in qubits),
        ),
        t1_s=t1,
        t2_s=tuple(min(q.get("T2", 0.0), 2 * t) for q, t in zip(qubits, t1, strict=True)),
        read_0_given_1=tuple(_flip(qubit, "prob_meas0_prep1") for qubit in qubits),
        read_1_given_0=tuple(_flip(qubit, "prob_meas1_prep0") for qubit in qubits),
        one_qubit_s=max(gate.get("gate_length", 0.0) for gate in sx),
        two_qubit_s=tuple(edges[edge]["gate_length"] for edge in kept),
        left_out=(
            *(f"qubit {q}: {fault}; its couplings are left out" for q, fault in faults.items()),
            *left_out,
        ),
    )


def _parameters(listed: list[Mapping[str, Any]]) -> dict[str, float]:
    """Turn a list of named values into a table, times in seconds."""
    table = {}
    for entry in listed:
        value, unit = float(entry["value"]), entry["unit"]
        if entry["name"] in ("T1", "T2", "gate_length"):
            if unit not in _SECONDS:
                raise AdapterFault(f"unknown unit of time {unit!r}, known are {list(_SECONDS)}")
            value *= _SECONDS[unit]
        table[entry["name"]] = value
    return table


def _flip(qubit: Mapping[str, float], name: str) -> float:
    """Read P(0|1) or P(1|0); old records publish only their mean."""
    return qubit.get(name, qubit.get("readout_error", 0.5))


def _fault(qubit: Mapping[str, float], sx: Mapping[str, float]) -> str:
    """Say what makes a qubit unusable, or ''."""
    missing = sorted({"T1", "T2", "readout_error"} - set(qubit))
    if missing or "gate_error" not in sx:
        return f"no {', '.join(missing or ['sx error'])}"
    if min(qubit["T1"], qubit["T2"]) <= 0:
        return f"T1 {qubit['T1']:g} s, T2 {qubit['T2']:g} s, need above 0"
    if qubit["readout_error"] >= WORST_READOUT:
        return f"readout error {qubit['readout_error']:.3g}, need below {WORST_READOUT}"
    if sx["gate_error"] >= WORST_GATE:
        return f"sx error {sx['gate_error']:.3g}, need below {WORST_GATE}"
    return ""


def _edges(
    name: str,
    gates: Mapping[tuple[str, tuple[int, ...]], Mapping[str, float]],
    faults: Mapping[int, str],
) -> tuple[dict[Edge, Mapping[str, float]], list[str]]:
    """Choose the native direction of every usable pair; say which pairs are left out."""
    pairs: dict[Edge, list[Edge]] = {}
    for gate, operands in gates:
        if gate == name:
            a, b = operands
            pairs.setdefault((min(a, b), max(a, b)), []).append((a, b))
    kept, left_out = {}, []
    for pair, directions in sorted(pairs.items()):
        if faults.keys() & set(pair):
            continue
        best = min(directions, key=lambda edge: (_rank(gates[name, edge]), edge))
        error = gates[name, best].get("gate_error")
        if error is None or error >= WORST_EDGE:
            shown = "missing" if error is None else f"{error:.3g}"
            left_out.append(f"edge {pair}: {name} error {shown}, need below {WORST_EDGE}")
        else:
            kept[best] = gates[name, best]
    return kept, left_out


def _rank(gate: Mapping[str, float]) -> tuple[bool, float, float]:
    """Order directions of one edge: usable first, then the shorter pulse, then the better one."""
    error = gate.get("gate_error", 1.0)
    return error >= WORST_EDGE, gate["gate_length"], error
