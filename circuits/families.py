"""The table of families: every way to draw cases, by the name it has in evidence.

To add one: its module, its test, one line here. A test fails when a module is missing.
"""

from __future__ import annotations

from circuits.binary_rb import BinaryRB
from circuits.brickwork import Brickwork
from circuits.case import Family
from circuits.errors import FamilyError
from circuits.ghz import GHZ
from circuits.layer_fidelity import LayerFidelity
from circuits.mcfe import Trap
from circuits.mirror import Mirror
from circuits.patches import Patches
from circuits.random_all import RandomAll
from circuits.readout import Readout
from circuits.repeated_gates import RepeatedGates
from circuits.twins import Twins
from circuits.volume import Volume

_ALL: tuple[Family, ...] = (
    BinaryRB(),
    Brickwork(),
    GHZ(),
    LayerFidelity(),
    Mirror(),
    Patches(),
    RandomAll(),
    Readout(),
    RepeatedGates(),
    Trap("trap"),
    Trap("trap_m2"),
    Trap("trap_m3"),
    Twins(),
    Volume(),
)

FAMILIES: dict[str, Family] = {family.name: family for family in _ALL}


def family(name: str) -> Family:
    """Find a family by its name.

    Raises:
        FamilyError: No family has that name.

    Example:
        >>> family("mirror").name
        'mirror'
    """
    if name not in FAMILIES:
        raise FamilyError(f"unknown family {name[:40]!r}, allowed are {', '.join(FAMILIES)}")
    return FAMILIES[name]
