"""Braket's record of a device -> what a miner claims of it.

Physical qubits have numbers with holes (IQM starts at 1, Rigetti skips broken ones): q[j] is the
j-th physical qubit of the machine's own graph, in ascending order, whatever the calibration of the
day lacks, so that a program means the same hardware tomorrow. `Machine.dialect.physical` has the
numbers. Couplings without a published rate of the gate that is used are left out, and so are those
of a qubit without one; its sheet then says 1 for its gates and 1/2 for its readout.

Blind spot: limits on angles are known of Rigetti's rx only.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from itertools import combinations
from typing import TYPE_CHECKING

from circuits.errors import CircuitError, ProgramError
from circuits.gates import GATES
from circuits.topology import Topology, complete
from providers.base import Cost, Device, DeviceClass, ErrorRates
from providers.braket_rates import Rates
from providers.braket_text import SPELLINGS, Dialect, braket_text
from providers.errors import Rejected
from providers.sheet import device_from_sheet

if TYPE_CHECKING:
    from circuits.program import Program
    from circuits.topology import Edge
    from providers.base import Json
    from providers.braket_capabilities import Capabilities

NAME = "braket"
MOST_SHOTS = 100_000

_OURS = {name: name for name in GATES} | {
    spelt.lower(): ours for ours, spellings in SPELLINGS.items() for spelt, _, _ in spellings
}
_DIRECTED = frozenset({"cx", "ecr"})
_QUARTERS = frozenset({math.pi / 2, -math.pi / 2, math.pi, -math.pi})


@dataclass(frozen=True, slots=True)
class Claim:
    """What a miner decides about a device.

    Attributes:
        name: Its name.
        fee_rao_per_shot: Its price.
        sheet: Stands in for what the maker publishes; None where that suffices.
        usd_per_task: What Braket asks for a task besides its shots, as a decimal.
    """

    name: str
    fee_rao_per_shot: int = 0
    sheet: Json = None
    usd_per_task: str = "0.30"


@dataclass(frozen=True, slots=True)
class Machine:
    """A device, and what it takes to speak with it.

    Attributes:
        device: What the miner claims.
        dialect: How programs are written for it.
        least_shots: Fewest shots of a task.
        quarter_turns: Its rx turns by +-pi/2 and +-pi only.
    """

    device: Device
    dialect: Dialect
    least_shots: int = 1
    quarter_turns: bool = False

    def text(self, program: Program) -> str:
        """Write a program for it; on a simulator without idle qubits.

        Raises:
            Rejected: It can not run the program; the message says why.
        """
        if self.dialect.physical is None:
            program, _ = program.compacted()
        try:
            text = braket_text(program, self.dialect)
        except ProgramError as error:
            raise Rejected(f"Braket: {error}") from None
        if self.quarter_turns:
            for op in program.operations:
                if op.name == "rx" and op.angles[0] not in _QUARTERS:
                    raise Rejected(
                        f"{self.device.name!r} has rx by pi/2 and pi, got {op.angles[0]}"
                    )
        return text


def simulator(said: Capabilities, claim: Claim) -> Machine:
    """Describe a managed simulator: every gate on every pair, and no errors."""
    device = Device(
        claim.name,
        DeviceClass.SIMULATOR,
        complete(said.paradigm.qubit_count, ("cx", "u")),
        None,
        NAME,
        max_shots=min(said.service.shots_range[1], MOST_SHOTS),
        fee_rao_per_shot=claim.fee_rao_per_shot,
    )
    action = said.openqasm
    reads = frozenset(map(str.lower, action.supported_operations))
    dialect = Dialect(
        reads,
        barriers="barrier" in reads,
        measure_all=bool(action.requires_all_qubits_measurement),
    )
    return Machine(device, dialect, least_shots=max(1, said.service.shots_range[0]))


def machine(said: Capabilities, claim: Claim, *, maker: str = "", most: int = 0) -> Machine:
    """Describe a machine by what its maker publishes, or by the miner's sheet.

    Args:
        said: Its capabilities.
        claim: What the miner decides.
        maker: In lower case, as the ARN has it.
        most: Offer at most as many qubits, all of them connected; 0 offers all there are.

    Raises:
        Rejected: It is no machine, runs nothing verbatim, publishes no error rates and there is no
            sheet, or the sheet does not fit it.
    """
    action = said.openqasm
    if "verbatim" not in (action.supported_pragmas or ()) or not action.support_physical_qubits:
        raise Rejected(f"device {claim.name!r} runs no program as it stands: no verbatim box there")
    native = frozenset(map(str.lower, said.paradigm.native_gate_set))
    if not native:
        raise Rejected(f"device {claim.name!r} has no native gates: it is no machine")
    labels, device = _described(said, claim, native, most)
    device = replace(
        device,
        max_shots=min(said.service.shots_range[1], MOST_SHOTS),
        fee_rao_per_shot=claim.fee_rao_per_shot,
    )
    dialect = Dialect(
        native,
        physical=labels,
        barriers="barrier" in map(str.lower, action.supported_operations),
        measure_all=bool(action.requires_all_qubits_measurement),
    )
    least = max(1, said.service.shots_range[0])
    return Machine(device, dialect, least_shots=least, quarter_turns=maker == "rigetti")


def price(said: Capabilities, claim: Claim, *, shots: int) -> Cost | None:
    """What one task costs in US dollars; None where it is billed by time, or nothing is said.

    `deviceCost` has the price of a shot. That of a task, which comes on top, is on Braket's price
    list only, the same for every machine; it is the miner's to correct.

    Example:
        >>> from providers.braket_capabilities import read_capabilities
        >>> said, _ = read_capabilities('{"service": {"shotsRange": [1, 10], "deviceCost": '
        ...     '{"price": 0.0016, "unit": "shot"}}, "paradigm": {"qubitCount": 3}}')
        >>> price(said, Claim("garnet"), shots=1000)
        Cost(amount='1.9000', currency='USD')
    """
    asked = said.service.device_cost
    if asked is None or asked.unit not in ("shot", "task"):
        return None
    amount = Decimal(str(asked.price))
    if asked.unit == "shot":
        amount = amount * shots + Decimal(claim.usd_per_task)
    return Cost(format(amount, "f"), "USD")


def calibration_record(record: Mapping[str, Json], described: Machine) -> dict[str, Json]:
    """The parts of a device's properties that are its calibration, as published, and the layout.

    Returns:
        `service` (with `updatedAt`), `paradigm`, `provider` and `standardized`, where there are;
        `qubits` is for each q[j] the number of its physical qubit, [] on a simulator.
    """
    words = ("service", "paradigm", "provider", "standardized")
    kept: dict[str, Json] = {word: record[word] for word in words if record.get(word) is not None}
    return {**kept, "qubits": list(described.dialect.physical or ())}


def _described(
    said: Capabilities, claim: Claim, native: frozenset[str], most: int
) -> tuple[tuple[int, ...], Device]:
    """Its physical qubits in ascending order, and the device without its limits."""
    present = _physical(said)
    if claim.sheet is not None:
        device = device_from_sheet(claim.sheet, provider=NAME, name=claim.name)
        foreign = sorted(g for g in device.topology.native_gates if not _spelt(g, native))
        n = device.topology.num_qubits
        if device.device_class is not DeviceClass.QPU or foreign or n > len(present):
            raise Rejected(
                f"the sheet of {claim.name!r} is of class qpu, at most {len(present)} qubits and "
                f"gates among {', '.join(sorted(native))}, got {device.device_class}, {n} and "
                f"{', '.join(device.topology.native_gates)}"
            )
        return present[:n], device
    rates = Rates(said)
    gate, pairs = _pairs(said, rates, present)
    known = {q for q in present if None not in (rates.one_qubit(q), rates.readout(q))}
    pairs = {pair: rate for pair, rate in pairs.items() if known.issuperset(pair)}
    if not pairs:
        raise Rejected(
            f"the maker of {claim.name!r} publishes no error rates of its qubits, readout and "
            "two-qubit gate: by its ARN it can be offered with a sheet of yours, option 'sheet'"
        )
    # A part is an emulator's, which knows no qubit without a coupling; its file does not change.
    labels = _part(list(pairs), most) if most else present
    pairs = {pair: rate for pair, rate in pairs.items() if set(labels).issuperset(pair)}
    return labels, _device(claim, native, gate, labels, pairs, rates)


def _device(
    claim: Claim,
    native: frozenset[str],
    gate: str,
    labels: Sequence[int],
    pairs: Mapping[Edge, float],
    rates: Rates,
) -> Device:
    place = {label: index for index, label in enumerate(labels)}
    edges = {(place[a], place[b]): rate for (a, b), rate in pairs.items()}
    alone = {_OURS[g] for g in native if g in _OURS and GATES[_OURS[g]].num_qubits == 1}
    try:
        topology = Topology(len(labels), tuple(edges), (*alone, gate))
    except CircuitError as error:
        raise Rejected(f"the couplings of {claim.name!r}: {error}") from None
    errors = ErrorRates(
        tuple(_told(rates.one_qubit(q), missing=1.0) for q in labels),
        tuple(edges[edge] for edge in topology.edges),
        tuple(_told(rates.readout(q), missing=0.5) for q in labels),
    )
    return Device(claim.name, DeviceClass.QPU, topology, errors, NAME)


def _physical(said: Capabilities) -> tuple[int, ...]:
    """The numbers of all physical qubits, ascending."""
    graph = said.paradigm.connectivity.connectivity_graph
    named = {*graph, *(end for ends in graph.values() for end in ends)}
    if not named and said.standardized and said.standardized.one_qubit_properties:
        named = set(said.standardized.one_qubit_properties)
    return tuple(sorted(map(int, named))) or tuple(range(said.paradigm.qubit_count))


def _pairs(
    said: Capabilities, rates: Rates, present: Sequence[int]
) -> tuple[str, dict[Edge, float]]:
    """The two-qubit gate that most couplings have, and its error on each of them."""
    best: tuple[str, dict[Edge, float]] = ("", {})
    coupled = _coupled(said, present)
    for word in map(str.lower, said.paradigm.native_gate_set):
        gate = _OURS.get(word, "")
        if gate and GATES[gate].num_qubits == 2:
            found = dict(rates.two_qubit(word, coupled, directed=gate in _DIRECTED))
            if len(found) > len(best[1]):
                best = (gate, found)
    return best


def _coupled(said: Capabilities, present: Sequence[int]) -> tuple[Edge, ...]:
    connectivity = said.paradigm.connectivity
    if connectivity.fully_connected or not connectivity.connectivity_graph:
        return tuple(combinations(present, 2))
    both = {
        (min(int(a), int(b)), max(int(a), int(b)))
        for a, ends in connectivity.connectivity_graph.items()
        for b in ends
    }
    return tuple(sorted(both))


def _spelt(gate: str, native: frozenset[str]) -> bool:
    return any(_OURS.get(word) == gate for word in native)


def _told(rate: float | None, *, missing: float) -> float:
    """What is missing is no zero."""
    return missing if rate is None else rate


def _part(coupled: Sequence[Edge], most: int) -> tuple[int, ...]:
    """A connected part: the first qubit with a coupling, then its neighbours in turn."""
    reached = [min(map(min, coupled))]
    for here in reached:
        near = sorted(sum(pair) - here for pair in coupled if here in pair)
        fresh = [label for label in near if label not in reached]
        reached += fresh[: most - len(reached)]
    return tuple(sorted(reached))
