"""The plan: which circuits, how wide, how deep and how many shots a device gets in an epoch.

First form: the same plan every epoch, by the device's class and width. Keys of cases are derived
from the validator's secret and the epoch's block hash, per miner and device, so that no answer is
shared; readout probes alone keep their keys over epochs, because drift is what they measure.

Source: the battery T1, T2 and T4 (Proctor et al., Nature Physics 18, 75 (2022) for mirrors; Arute
et al., Nature 574, 505 (2019) for XEB).
"""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Sequence
from dataclasses import dataclass

from circuits.case import Case
from circuits.families import family
from providers.base import Device, DeviceClass

MIRROR_WIDTHS = (4, 6, 8)
MIRROR_DEPTH = 4
LEAST_WIDTH = 2
XEB_WIDTH = 8
XEB_WIDEST = 20
XEB_DEPTH = 8
EXACTNESS_DEPTH = 16


@dataclass(frozen=True, slots=True)
class Assignment:
    """One job of an epoch's plan.

    Attributes:
        family: Name in the table of families.
        width: Qubits under test.
        depth: Layers, in the family's unit.
        circuits: Programs in the job.
        shots: Per program.
        fixed: The same programs every epoch.
    """

    family: str
    width: int
    depth: int
    circuits: int
    shots: int
    fixed: bool = False


@dataclass(frozen=True, slots=True)
class PlannedCase:
    """A case and the key that it was drawn from; the key is the secret."""

    key: bytes
    case: Case


def plan(device: Device) -> tuple[Assignment, ...]:
    """Choose the jobs of one epoch for `device`.

    A QPU gets readout probes at full width, mirrors of 4 to 8 qubits and one XEB set; a simulator
    gets mirrors and XEB at its claimed width (20 qubits of it at most), 24,000 shots an epoch:
    the lower bound of an exact simulator then reaches .99 in about 85, 98 and over 99 % of runs
    after one, two and three epochs (`validator.xeb.likelihood_xeb`). One qubit has nothing to
    entangle: such a qpu gets the probes alone, such a simulator nothing.

    Example:
        >>> from circuits.topology import complete
        >>> sim = Device("sim", DeviceClass.SIMULATOR, complete(10, ["cx", "u"]), None, "aer")
        >>> [(a.family, a.width, a.circuits) for a in plan(sim)]
        [('mirror', 10, 2), ('brickwork', 10, 8)]
    """
    n, most = device.topology.num_qubits, device.max_shots
    if device.device_class is DeviceClass.SIMULATOR:
        width = min(n, XEB_WIDEST)
        if width < LEAST_WIDTH:
            return ()
        return (
            Assignment("mirror", width, MIRROR_DEPTH, 2, min(500, most)),
            Assignment("brickwork", width, EXACTNESS_DEPTH, 8, min(3000, most)),
        )
    probes = Assignment("readout", n, 0, 3, min(1000, most), fixed=True)
    if n < LEAST_WIDTH:
        return (probes,)
    widths = sorted({min(width, n) for width in MIRROR_WIDTHS})
    return (
        probes,
        *(Assignment("mirror", width, MIRROR_DEPTH, 2, min(600, most)) for width in widths),
        Assignment("brickwork", min(n, XEB_WIDTH), XEB_DEPTH, 2, min(600, most)),
    )


def case_key(secret: bytes, *path: str | int) -> bytes:
    """Derive a case's key by HMAC-SHA256 over the canonical JSON of `path`.

    Example:
        >>> case_key(b"secret", "block", "hotkey", "device", "mirror", 4, 4, 0).hex()[:8]
        '678f2f41'
    """
    message = json.dumps(list(path), separators=(",", ":")).encode()
    return hmac.new(secret, message, hashlib.sha256).digest()


def draw(
    assignment: Assignment, device: Device, *, secret: bytes, block_hash: str, hotkey: str
) -> tuple[PlannedCase, ...]:
    """Draw the cases of one job.

    Args:
        assignment: What the plan asks for.
        device: Where it will run.
        secret: The validator's own, at least 16 bytes.
        block_hash: Of the block that opened the epoch; ignored by fixed assignments.
        hotkey: The miner's.

    Raises:
        FamilyError: The device's topology does not carry such a circuit.
    """
    moment = "fixed" if assignment.fixed else block_hash
    drawn = []
    for index in range(assignment.circuits):
        place = (assignment.family, assignment.width, assignment.depth, index)
        key = case_key(secret, moment, hotkey, device.name, *place)
        drawn.append(PlannedCase(key, redraw(place[0], key, place[1], place[2], device)))
    return tuple(drawn)


def redraw(name: str, key: bytes, width: int, depth: int, device: Device) -> Case:
    """Draw a case again from its revealed key, as an auditor does."""
    return family(name).generate(key, width=width, depth=depth, topology=device.topology)


def commitment(keys: Sequence[bytes]) -> str:
    """Commit to an epoch's case keys: SHA-256 (hex) over the sorted keys' own digests."""
    digests = sorted(hashlib.sha256(key).hexdigest() for key in keys)
    return hashlib.sha256("\n".join(digests).encode()).hexdigest()
