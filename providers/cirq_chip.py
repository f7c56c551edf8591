"""What Google publishes of a processor, as a device claim on numbered qubits.

The processor's device specification says which grid qubits couple and which gates it takes; its
calibration has the errors. Of the two-qubit gates that our profile has too, the native one is `cz`
where the calibration publishes an error of it, else `sqrt_iswap`: the old processors accept a CZ
that nobody calibrated. One-qubit gates are `u` (Google's PhasedXZ, one pulse).

Our qubit j is the j-th of the kept grid qubits in order of row, then column. Which ones are kept
follows from the device specification alone: a calibration changes every day, and must not move the
numbers. Pauli errors e become average infidelities e d/(d + 1); readout is the mean of P(1|0) and
P(0|1) of qubits read alone. A pair without a published error, or with a qubit that lacks one, is no
coupling here; the sheet says 1 for the gates of such a qubit and 1/2 for its readout.

Source: metric names of the calibration, cirq_google's documentation, "Calibration metrics";
conversion of errors: `cirq.devices.noise_utils`.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

from circuits.topology import Topology
from providers.base import Device, DeviceClass, ErrorRates
from providers.errors import AdapterFault, Rejected

if TYPE_CHECKING:
    import cirq
    import cirq_google

    from providers.base import Json

Pair = frozenset["cirq.GridQubit"]

_ENTANGLERS = (("cz", "cz"), ("sqrt_iswap", "sqrt_iswap"))
"""Our name, and the word in the calibration's metric names; the first that fits is native."""


@dataclass(frozen=True, slots=True)
class Chip:
    """A processor, or a connected part of it.

    Attributes:
        device: The claim.
        qubits: Grid qubit of each of its qubits.
        grid: Google's own device, which checks circuits.
    """

    device: Device
    qubits: tuple[cirq.GridQubit, ...]
    grid: cirq.Device


@dataclass(frozen=True, slots=True)
class Claim:
    """What the miner adds to what Google publishes.

    Attributes:
        name: The device's name.
        num_qubits: Offer a connected part of so many qubits; 0 offers all.
        fee_rao_per_shot: Its price.
    """

    name: str
    num_qubits: int = 0
    fee_rao_per_shot: int = 0


def read_chip(grid: cirq.Device, calibration: cirq_google.Calibration | None, claim: Claim) -> Chip:
    """Describe a processor by what it publishes.

    Args:
        grid: The processor's device, made from its specification.
        calibration: Its current calibration.
        claim: Name, size and price.

    Raises:
        Rejected: There is no calibration, none of a gate that we have, or fewer qubits than asked.
        AdapterFault: The device is no grid, or does not take one-qubit rotations.
    """
    metadata = grid.metadata
    if metadata is None or not hasattr(metadata, "gateset"):
        raise AdapterFault("the processor's device has no couplings and gates")
    if calibration is None:
        raise Rejected("the processor publishes no calibration, so there are no error rates")
    gate, two = _entangler(metadata.gateset, calibration)
    single, readout = _one_qubit(calibration), _readout(calibration)
    known = single.keys() & readout.keys()
    couplings = [frozenset(cast("cirq.GridQubit", q) for q in e) for e in metadata.nx_graph.edges()]
    errors = {pair: two[pair] for pair in couplings if pair in two and pair <= known}
    everyone = cast("frozenset[cirq.GridQubit]", metadata.qubit_set)
    qubits = _kept(everyone, couplings, claim.num_qubits)
    place = {qubit: index for index, qubit in enumerate(qubits)}
    edges = {
        cast("tuple[int, int]", tuple(sorted(place[q] for q in pair))): rate
        for pair, rate in errors.items()
        if pair <= place.keys()
    }
    topology = Topology(len(qubits), tuple(edges), (gate, "u"))
    device = Device(
        claim.name,
        DeviceClass.QPU,
        topology,
        ErrorRates(
            tuple(single.get(qubit, 1.0) for qubit in qubits),
            tuple(edges[edge] for edge in topology.edges),
            tuple(readout.get(qubit, 0.5) for qubit in qubits),
        ),
        "cirq",
        fee_rao_per_shot=claim.fee_rao_per_shot,
    )
    return Chip(device, qubits, grid)


def calibration_record(calibration: cirq_google.Calibration | None) -> Mapping[str, Json]:
    """Give a calibration as Google publishes it, with its time in milliseconds since 1970."""
    import cirq

    if calibration is None:
        return {}
    record: dict[str, Json] = json.loads(cirq.to_json(calibration))
    return {"timestampMs": int(calibration.timestamp), "metrics": record["metrics"]}


def _entangler(
    gateset: cirq.Gateset, calibration: cirq_google.Calibration
) -> tuple[str, dict[Pair, float]]:
    """Choose the native two-qubit gate, with its average infidelity per pair."""
    import cirq

    if cirq.PhasedXZGate(x_exponent=0.1, z_exponent=0.2, axis_phase_exponent=0.3) not in gateset:
        raise AdapterFault("the processor takes no PhasedXZ gate")
    operations: dict[str, cirq.Gate] = {"cz": cirq.CZ, "sqrt_iswap": cirq.SQRT_ISWAP}
    for name, word in _ENTANGLERS:
        for metric in (f"two_qubit_parallel_{word}_gate", f"two_qubit_{word}_gate"):
            rates = _rates(calibration, f"{metric}_xeb_pauli_error_per_cycle", 4 / 5)
            if rates and operations[name] in gateset:
                return name, rates
    raise Rejected(
        "the processor publishes no error of a two-qubit gate among "
        f"{', '.join(name for name, _ in _ENTANGLERS)}"
    )


def _one_qubit(calibration: cirq_google.Calibration) -> dict[cirq.GridQubit, float]:
    rates = _rates(calibration, "single_qubit_rb_pauli_error_per_gate", 2 / 3)
    return {next(iter(place)): rate for place, rate in rates.items()}


def _readout(calibration: cirq_google.Calibration) -> dict[cirq.GridQubit, float]:
    zero = _rates(calibration, "single_qubit_p00_error", 1 / 2)
    one = _rates(calibration, "single_qubit_p11_error", 1 / 2)
    return {next(iter(place)): zero[place] + one[place] for place in zero.keys() & one.keys()}


def _rates(calibration: Any, metric: str, factor: float) -> dict[Pair, float]:  # noqa: ANN401 - its keys are a union that no caller sees
    """Read one metric, by the set of qubits that it is of; {} where it is not published."""
    if metric not in calibration:
        return {}
    return {
        frozenset(calibration.key_to_qubits(key)): factor * calibration.value_to_float(value)
        for key, value in calibration[metric].items()
    }


def _kept(
    everyone: frozenset[cirq.GridQubit], couplings: Iterable[Pair], size: int
) -> tuple[cirq.GridQubit, ...]:
    """Choose `size` connected qubits, always the one with most couplings inside; 0 means all."""
    if not size:
        return tuple(sorted(everyone))
    near: dict[cirq.GridQubit, set[cirq.GridQubit]] = {}
    for pair in couplings:
        for qubit in pair:
            near.setdefault(qubit, set()).update(pair - {qubit})
    inside: set[cirq.GridQubit] = set()
    ways = set(near)
    while len(inside) < size:
        if not ways:
            raise Rejected(f"need {size} connected qubits, the processor has {len(inside)}")
        inside.add(max(sorted(ways), key=lambda q: (len(near[q] & inside), len(near[q]))))
        ways = {other for qubit in inside for other in near[qubit]} - inside
    return tuple(sorted(inside))
