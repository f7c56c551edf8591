"""What a sheet says about one recorded circuit, and the bets against it.

A claim exists only for a circuit that is already compiled: every gate native, every pair coupled,
so that q[j] is device qubit j. Where the answer is certain a shot succeeds if it is the answer;
else it scores as random circuits do (`validator.below_claim`), but with a lower floor: on a law
that its owner chose, errors can land where the ideal law is lowest. No error is taken to be worse
than the one misread bit, of all bits, that scores worst on this very law.

Blind spot: a circuit written on few qubits in native gates may have been placed elsewhere on the
chip. Its floor leaves room for that; "too good" does not, and asks for circuits as wide as the
device. A program that is run again says nothing new, so only its first answer bets.
Source: `validator.fidelity` (floors), `validator.too_good`, `validator.sequential`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from circuits.case import Case, SimulatedAnswer
from circuits.gates import GATES
from providers.base import Device, DeviceClass
from validator.below_claim import law_wealth
from validator.claims import claim_for
from validator.fidelity import Measure, accusation_floor
from validator.recorded.laws import CertainLaw, DenseLaw, IdealLaw, project
from validator.sequential import best_stake, capped, hit_wealth
from validator.too_good import readout_ceiling, too_good

if TYPE_CHECKING:
    from circuits.program import Program

__all__ = ["below_claim", "is_native", "is_probe", "readout_too_good", "worst_misreading"]

_LEAST_GROWTH = 3.0
"""Nats: below, a circuit costs more by the cap's divisor than it could tell."""


def is_native(program: Program, device: Device) -> bool:
    """Tell whether a circuit is written in a device's own gates, on its own couplings.

    Example:
        >>> from circuits.program import Operation, Program
        >>> from circuits.topology import Topology
        >>> from providers.base import ErrorRates
        >>> line = Topology(3, ((0, 1), (1, 2)), ("cz", "rz", "sx"))
        >>> device = Device("lab", DeviceClass.SIMULATOR, line, None, "exec")
        >>> programs = [Program(3, 1, (Operation("cz", pair),)) for pair in ((2, 1), (0, 2))]
        >>> [is_native(program, device) for program in programs]
        [True, False]
    """
    topology = device.topology
    pairs = {frozenset(edge) for edge in topology.edges}
    return program.num_qubits <= topology.num_qubits and all(
        op.name in topology.native_gates and (len(op.qubits) == 1 or frozenset(op.qubits) in pairs)
        for op in program.operations
        if op.name in GATES
    )


def is_probe(program: Program) -> bool:
    """Tell whether a circuit couples no qubits, as readout probes do."""
    return all(GATES[op.name].num_qubits == 1 for op in program.operations if op.name in GATES)


def worst_misreading(law: DenseLaw) -> float:
    """Return the lowest XEB score that a law has once one of its bits is flipped, at most 0.

    Example:
        >>> import numpy as np
        >>> worst_misreading(DenseLaw((0, 1), (0, 1), np.array([0.5, 0.0, 0.0, 0.5])))
        -1.0
    """
    scores = []
    for bit in range(law.width):
        pairs = law.values.reshape(-1, 2, 1 << bit)
        overlap = 2.0 * float((pairs[:, 0] * pairs[:, 1]).sum())
        scores.append((len(law.values) * overlap - 1.0) / law.excess if law.excess else 0.0)
    return min(0.0, *scores)


def below_claim(
    program: Program, law: IdealLaw, counts: Mapping[str, int], *, device: Device
) -> float | None:
    """Return the capped log10 e-value that one circuit falls below its claim.

    The bits are read forwards and backwards and the lesser e-value counts (at most either, so it
    is one): reversed bits are a mistake and no lie.

    Args:
        program: As it was run.
        law: Its ideal law.
        counts: {bitstring: shots} over all declared bits; those that nothing measures are 0.
        device: The claim.

    Returns:
        None where the circuit may not accuse: not native, too wide, a claim below one half, or a
        floor that these shots could not tell from uniform bits.
    """
    if not is_native(program, device):
        return None
    width = len(program.used_qubits)
    case = Case("recorded", width, 0, law.qubits, program, SimulatedAnswer())
    floor = accusation_floor(claim_for(case, device, measure=Measure.HITS), width=width)
    if floor is None:
        return None
    read = {project(key, law.bits): n for key, n in counts.items()}
    turned = {project(key[::-1], law.bits): n for key, n in counts.items()}
    if isinstance(law, CertainLaw):
        return capped(min(_hits(law, floor, shots) for shots in (read, turned)))
    least = floor + (1.0 - floor) * worst_misreading(law)
    if least <= 0.0 or sum(read.values()) * least**2 * law.excess / 2.0 < _LEAST_GROWTH:
        return None
    return capped(min(law_wealth(s, law=law.values, fidelity=least) for s in (read, turned)))


def _hits(law: CertainLaw, floor: float, counts: Mapping[str, int]) -> float:
    stake = best_stake(floor, alternative=floor / 2)
    hits, shots = counts.get(law.answer, 0), sum(counts.values())
    return hit_wealth(hits, shots=shots, floor=floor, stake=stake)


def readout_too_good(
    program: Program, law: IdealLaw, counts: Mapping[str, int], *, device: Device
) -> float | None:
    """Return the capped log10 e-value that a probe was read better than its sheet allows.

    Returns:
        None where the circuit is no probe of this device: it couples qubits, its answer is not
        certain, it is not native, or not as wide as the device.
    """
    sheet = device.errors
    if sheet is None or device.device_class is not DeviceClass.QPU:
        return None
    if not isinstance(law, CertainLaw) or not is_probe(program) or not is_native(program, device):
        return None
    if program.num_qubits != device.topology.num_qubits:
        return None
    ceiling = readout_ceiling([sheet.readout[q] for q in law.qubits], target=law.answer)
    hits = sum(n for key, n in counts.items() if project(key, law.bits) == law.answer)
    shots = sum(counts.values())
    return too_good(hits, shots=shots, ceiling=ceiling)
