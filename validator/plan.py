"""The plan: which circuits, how wide, how deep and how many shots a device gets in an epoch.

Shots go where they decide most. A `qpu` that has not ruled out every cheap simulator yet gets
mostly mirrors, one that has gets mostly probes (readout and repeated gates), whose drift is all
that tells it from a static twin. Keys of cases are derived from the validator's secret and the
epoch's block hash, per miner and device, so that no answer is shared; probes alone keep their keys
over epochs, because drift is what they measure.

Source: the battery T1, T2, T4 and T5 (Proctor et al., Nature Physics 18, 75 (2022) for mirrors and
arXiv:2204.07568 for traps; Arute et al., Nature 574, 505 (2019) for XEB).
"""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Sequence
from dataclasses import dataclass

from circuits.case import Case
from circuits.families import family
from circuits.layout import largest_part
from circuits.readout import FAIR, MOSTLY_ONES
from circuits.repeated_gates import ORDER, RepeatedGates
from providers.base import Device, DeviceClass
from validator.score import Grade

SHOTS_PER_EPOCH = 8000
"""What a `qpu` is asked for in an epoch, by each validator."""

MIRROR_WIDTHS = (4, 6, 8)
MIRROR_DEPTH = 4
WIDE_DEPTHS = (2, 8)
"""Of the mirrors at full width: two depths separate the error of a layer from readout."""

LEAST_WIDTH = 2
LONG_SIZE = (7, 8)
"""Width and depth of the one mirror of many shots."""

NARROW_SIZE = (3, 8)
"""Width and depth of the random circuits whose claim is high enough to accuse by."""

RANDOM_SIZE = (8, 5)
TRAP_SIZE = (6, 3)
XEB_WIDEST = 20
EXACTNESS_DEPTH = 16
ROW_SHORTEST, ROW_LONGEST = 16, 48
ROW_QUBITS = 1728
"""Gates in a row times qubits, about, of the probe of repeated gates."""


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


@dataclass(frozen=True, slots=True)
class _Share:
    """A part of an epoch's shots, and what it is spent on: `circuits` of a (width, depth) each."""

    family: str
    share: int
    sizes: tuple[tuple[int, int], ...]
    circuits: int = 1
    fixed: bool = False


def plan(
    device: Device, *, reached: Grade = Grade.S0, shots: int = SHOTS_PER_EPOCH
) -> tuple[Assignment, ...]:
    """Choose the jobs of one epoch for `device`.

    A QPU gets fixed readout probes at full width (two of fair bits, one mostly ones), a fixed
    probe of repeated gates, mirrors of 4 to 8 qubits and at full width, random circuits, and a trap
    made of a circuit like users' own. A simulator gets mirrors and random circuits at its claimed
    width (20 qubits of it at most), 25,000 shots an epoch: the lower bound of an exact simulator
    then reaches .99 in about 85, 98 and over 99 % of runs after one, two and three epochs
    (`xeb.likelihood_xeb`). One qubit has nothing to entangle: such a qpu gets the readout probes
    alone, such a simulator nothing.

    Args:
        device: The claim.
        reached: The grade of its newest verdict.
        shots: Of a qpu in all; each program gets what its share comes to, at least 1.

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
    shares = _shares(device, _CHEAP_FIRST if reached is Grade.S0 else _DRIFT_FIRST)
    whole = sum(part.share for part in shares)
    return tuple(
        Assignment(
            part.family,
            width,
            depth,
            part.circuits,
            min(most, max(1, round(part.share / whole * shots / len(part.sizes) / part.circuits))),
            part.fixed,
        )
        for part in shares
        for width, depth in part.sizes
    )


@dataclass(frozen=True, slots=True)
class _Weights:
    """How an epoch's shots are shared out, in parts of any whole.

    Attributes:
        fair: Probes of fair bits.
        ones: The probe that is mostly ones.
        repeated: The probe of repeated gates.
        mirrors: Mirrors of 4 to 8 qubits, `per_width` each.
        per_width: See `mirrors`.
        long: Deep mirrors of many shots, `per_width` of them, whose joint errors tell from a blend.
        wide: Mirrors at full width.
        narrow: Random circuits that may accuse, `narrow_circuits` of them.
        narrow_circuits: See `narrow`.
        random: The random circuit of 8 qubits.
        traps: Traps, two of them.
    """

    fair: int
    ones: int
    repeated: int
    mirrors: int
    per_width: int
    long: int
    wide: int
    narrow: int
    narrow_circuits: int
    random: int
    traps: int


_CHEAP_FIRST = _Weights(
    fair=300,
    ones=500,
    repeated=600,
    mirrors=400,
    per_width=2,
    long=1100,
    wide=200,
    narrow=400,
    narrow_circuits=2,
    random=200,
    traps=300,
)
"""Mirrors first, which tell a machine from every cheap simulator."""

_DRIFT_FIRST = _Weights(
    fair=200,
    ones=300,
    repeated=2200,
    mirrors=150,
    per_width=1,
    long=550,
    wide=100,
    narrow=200,
    narrow_circuits=2,
    random=100,
    traps=200,
)
"""Probes first, whose drift tells a machine from a static twin."""


def _shares(device: Device, weights: _Weights) -> tuple[_Share, ...]:
    n, connected = device.topology.num_qubits, largest_part(device.topology)
    fixed = (
        _Share("readout", weights.fair, ((n, FAIR),), circuits=2, fixed=True),
        _Share("readout", weights.ones, ((n, MOSTLY_ONES),), fixed=True),
    )
    if connected < LEAST_WIDTH:
        return fixed
    mirrors = tuple(sorted({(min(width, connected), MIRROR_DEPTH) for width in MIRROR_WIDTHS}))

    def cut(size: tuple[int, int]) -> tuple[tuple[int, int]]:
        return ((min(size[0], connected), size[1]),)

    row = ((connected, _row_length(connected)),)
    shares = (
        *fixed,
        _Share(RepeatedGates.name, weights.repeated, row, fixed=True),
        _Share("mirror", weights.mirrors, mirrors, circuits=weights.per_width),
        _Share("mirror", weights.long, cut(LONG_SIZE), circuits=weights.per_width),
        _Share("brickwork", weights.narrow, cut(NARROW_SIZE), circuits=weights.narrow_circuits),
        _Share("brickwork", weights.random, cut(RANDOM_SIZE)),
        _Share("trap", weights.traps, cut(TRAP_SIZE), circuits=2),
    )
    if connected <= max(MIRROR_WIDTHS):
        return shares
    return (*shares, _Share("mirror", weights.wide, tuple((connected, d) for d in WIDE_DEPTHS)))


def _row_length(width: int) -> int:
    """Choose how often the probe repeats its gates: by width alone, so that it stays one probe.

    A sheet that is published anew must not change it, or the record of its drift would begin anew.
    Where a gate errs once in a hundred times, a pair then comes out wrong in two or three shots of
    ten, where a change shows most; a wide device has many pairs to show drift, and needs less.
    """
    wanted = round(ROW_QUBITS / width / ORDER) * ORDER
    return max(ROW_SHORTEST, min(ROW_LONGEST, wanted))


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
