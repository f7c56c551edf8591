"""What a backend class of Open Quantum is, from its `constraint_data`; and how programs are spelt.

The document has gates, couplings, limits and, where the platform has them, error probabilities.
Gates whose angles it does not define are not used: its own SDK reads `gpi` in turns, the machines
behind it in radians, and a wrong guess would look like noise.

Programs are OpenQASM 3 in the words of the document, without definitions (some classes refuse
them), over as many qubits as the class has, which is how q[j] stays device qubit j.

Blind spot: the platform promises nowhere that it leaves a circuit alone.
Source: openquantum-sdk 1.0.0 (`backends`), its Qiskit plugin 1.0.0 (`oq_target`, `oq_backend`).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from circuits.errors import CircuitError, ProgramError
from circuits.gates import GATES
from circuits.program import BARRIER, MEASURE, RESET, decimal, final_measurements
from circuits.topology import Topology, complete
from providers.base import Device, DeviceClass, ErrorRates
from providers.errors import AdapterFault, Rejected
from providers.rest import entries, item, text

if TYPE_CHECKING:
    from circuits.program import Operation, Program
    from providers.base import Json

_PLAIN = ("x", "y", "z", "h", "s", "t", "rx", "ry", "rz", "prx", "cz", "swap", "iswap", "ecr")
WORDS = dict(zip(_PLAIN, _PLAIN, strict=True)) | {
    "si": "sdg",
    "ti": "tdg",
    "v": "sx",
    "cnot": "cx",
    "cx": "cx",
    "sx": "sx",
    "xx": "rxx",
    "zz": "rzz",
}
"""The document's word -> ours."""

_ANGLES = {"rx": 1, "ry": 1, "rz": 1, "prx": 2, "xx": 1, "zz": 1}
_STANDARD = frozenset(
    ("x", "y", "z", "h", "s", "sdg", "t", "tdg", "sx", "rx", "ry", "rz", "p", "cx", "cz", "cp")
) | {"swap", "ccx", "id"}
"""Gates of ours that OpenQASM's own library has, for simulators."""

_NOT_GATES = ("measure", "measure_ff", "reset", "barrier", "delay")


def constraints(record: Json) -> Mapping[str, Json]:
    """The document within a class."""
    data = item(record, "constraint_data", vendor="openquantum")
    if not isinstance(data, dict):
        raise AdapterFault("openquantum answered with constraint_data that is no object")
    return data


def device_of(record: Json, *, name: str, fee: int) -> Device:
    """Claim what the class says.

    Raises:
        Rejected: It is a machine without error probabilities or with gates of unknown angles.
    """
    data = constraints(record)
    n = _whole(data.get("n_qubits"), "n_qubits")
    machine = text(record, "type", vendor="openquantum").lower() != "simulator"
    shots = _limit(data, "max_shots", 10_000)
    if not machine:
        topology = complete(n, ("cx", "u"))
        return Device(
            name,
            DeviceClass.SIMULATOR,
            topology,
            None,
            "openquantum",
            max_shots=shots,
            fee_rao_per_shot=fee,
        )
    words = _words(data)
    topology = _topology(data, n, words)
    return Device(
        name,
        DeviceClass.QPU,
        topology,
        _errors(data, topology, words),
        "openquantum",
        max_shots=shots,
        fee_rao_per_shot=fee,
    )


def least_shots(record: Json) -> int:
    """Fewest shots that the class takes."""
    return _limit(constraints(record), "min_shots", 1)


def features(record: Json) -> frozenset[str]:
    """What the class can do beside gates, such as `reset` and `barriers`."""
    listed = constraints(record).get("features")
    return frozenset(str(one) for one in listed) if isinstance(listed, list) else frozenset()


def check(program: Program, *, machine: bool, can: frozenset[str]) -> None:
    """Raise Rejected where the class cannot run a program whose gates it has."""
    if not can & {"mid_circuit_measure", "dynamic_circuits"} or "reset" not in can:
        try:
            final_measurements(program)
        except ProgramError as error:
            raise Rejected(str(error)) from None
    for operation in () if machine else program.operations:
        if operation.name in GATES and operation.name not in _STANDARD | {"u"}:
            raise Rejected(f"{operation.name} is not among OpenQASM's own gates, u and cx are")


def openqasm3(program: Program, *, width: int, words: Mapping[str, str], barriers: bool) -> str:
    r"""Write a program.

    Args:
        program: At most `width` qubits wide.
        width: Of the register.
        words: Ours -> the class's, where they differ from OpenQASM's own.
        barriers: Whether the class knows them.

    Example:
        >>> from circuits.program import Operation, Program, measure
        >>> program = Program(2, 1, (Operation("rzz", (1, 0), (0.5,)), measure(1, 0)))
        >>> openqasm3(program, width=5, words={"rzz": "zz"}, barriers=True).split(";")[2:5]
        ['\nqubit[5] q', '\nbit[1] c', '\nzz(0.5) q[1], q[0]']
    """
    lines = ["OPENQASM 3.0;", 'include "stdgates.inc";', f"qubit[{width}] q;"]
    lines.append(f"bit[{program.num_bits}] c;")
    kept = (op for op in program.operations if op.name != BARRIER or barriers)
    lines += [_line(operation, words) for operation in kept]
    return "\n".join(lines) + "\n"


def _line(operation: Operation, words: Mapping[str, str]) -> str:
    operands = ", ".join(f"q[{qubit}]" for qubit in operation.qubits)
    if operation.name == MEASURE:
        return f"c[{operation.bit}] = measure {operands};"
    if operation.name in (RESET, BARRIER):
        return f"{operation.name} {operands};"
    angles = f"({', '.join(map(decimal, operation.angles))})" if operation.angles else ""
    name = "U" if operation.name == "u" else words.get(operation.name, operation.name)
    return f"{name}{angles} {operands};"


def spelling(record: Json) -> dict[str, str]:
    """Ours -> the class's own words."""
    return {WORDS[word]: word for word in _words(constraints(record))}


def _words(data: Mapping[str, Json]) -> list[str]:
    """The native gates, in the class's words, each with the number of angles that we know."""
    words = []
    for gate in entries(data.get("native_ops"), vendor="openquantum"):
        word = text(gate, "name", vendor="openquantum")
        if word in _NOT_GATES:
            continue
        params = gate.get("params") if isinstance(gate, dict) else None
        count = len(params) if isinstance(params, list) else 0
        if word not in WORDS or count not in (0, _ANGLES.get(word, 0)):
            raise Rejected(
                f"openquantum lists the native gate {word[:40]!r}, whose angles it does not "
                f"define; known are {', '.join(sorted(WORDS))}"
            )
        words.append(word)
    return words


def _topology(data: Mapping[str, Json], n: int, words: list[str]) -> Topology:
    ours = [WORDS[word] for word in words]
    pairing = sorted(gate for gate in ours if GATES[gate].num_qubits == 2)
    single = [gate for gate in ours if GATES[gate].num_qubits == 1]
    given = data.get("topology")
    coupling = given.get("coupling_map") if isinstance(given, dict) else None
    directed = isinstance(given, dict) and given.get("directed_edges") is True
    edges: list[tuple[int, int]] = []
    for pair in entries(coupling or [], vendor="openquantum"):
        a, b = (_whole(end, "coupling") for end in entries(pair, vendor="openquantum"))
        edge = (a, b) if directed else (min(a, b), max(a, b))
        if edge not in edges and edge[::-1] not in edges:
            edges.append(edge)
    try:
        return Topology(n, tuple(edges), (*single, *pairing[:1]))
    except CircuitError as error:
        raise AdapterFault(f"openquantum's topology: {error}") from None


def _errors(data: Mapping[str, Json], topology: Topology, words: list[str]) -> ErrorRates:
    """Read {op, qubits, prob}; of several gates on a qubit the worst counts."""
    noise = data.get("noise")
    listed = noise.get("gate_error") if isinstance(noise, dict) else None
    worst: dict[tuple[str, tuple[int, ...]], float] = {}
    pair = next((word for word in words if WORDS[word] == topology.two_qubit_gate), "")
    for entry in entries(listed or [], vendor="openquantum"):
        word = text(entry, "op", vendor="openquantum")
        place = tuple(
            sorted(
                _whole(q, "qubit")
                for q in entries(item(entry, "qubits", vendor="openquantum"), vendor="openquantum")
            )
        )
        prob = item(entry, "prob", vendor="openquantum")
        kind = {1: "one", 2: "two"}.get(len(place), "")
        if word in ("measure", "readout"):
            kind = "readout"
        elif word not in words or (kind == "two" and word != pair):
            continue
        if isinstance(prob, bool) or not isinstance(prob, int | float) or not 0 <= prob <= 1:
            raise AdapterFault(f"openquantum lists the error {str(prob)[:40]!r}, need 0 .. 1")
        worst[kind, place] = max(prob, worst.get((kind, place), 0.0))
    try:
        qubits = range(topology.num_qubits)
        return ErrorRates(
            tuple(worst["one", (q,)] for q in qubits),
            tuple(worst["two", (min(edge), max(edge))] for edge in topology.edges),
            tuple(worst["readout", (q,)] for q in qubits),
        )
    except KeyError as error:
        raise Rejected(
            f"openquantum publishes no error probability of {error.args[0][0]} at qubits "
            f"{list(error.args[0][1])}, so there is no claim to make"
        ) from None


def _limit(data: Mapping[str, Json], name: str, usual: int) -> int:
    limits = data.get("limits")
    value = limits.get(name) if isinstance(limits, dict) else None
    return usual if value is None else max(1, _whole(value, name))


def _whole(value: Json, name: str) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        raise AdapterFault(f"openquantum says {name} = {str(value)[:40]!r}, need a whole number")
    return value
