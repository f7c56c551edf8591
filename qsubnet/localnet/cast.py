"""The cast: who takes part in a localnet, and which of them tell the truth.

Only localnet knows `honest`; it stands on the board beside the verdicts, and in nothing that a
validator reads.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from qsubnet.errors import BadInput

if TYPE_CHECKING:
    from providers.base import Json


@dataclass(frozen=True, slots=True)
class Miner:
    """One miner of the cast; it has one device, of the same name.

    Attributes:
        name: Of miner and device.
        adapter: Name in the table of providers.
        options: The adapter's options.
        honest: The truth; a mistake is not honest either.
    """

    name: str
    adapter: str
    options: Mapping[str, Json] = field(default_factory=dict)
    honest: bool = True


def _simulator(name: str, num_qubits: int) -> Miner:
    return Miner(name, name, {"device": name, "num_qubits": num_qubits})


def _standin(machine: str) -> Miner:
    name = f"qpu-{machine}"
    return Miner(name, "standin", {"device": name, "machine": machine})


def _cheat(kind: str, machine: str) -> Miner:
    name = f"fake-{kind.replace('_', '-')}"
    options: dict[str, Json] = {"device": name, "kind": kind, "machine": machine}
    return Miner(name, "cheats", options, honest=False)


MINERS: tuple[Miner, ...] = (
    _simulator("aer", 12),
    _simulator("cirq", 10),
    _simulator("braket", 8),
    _standin("hanoi"),
    _standin("sherbrooke"),
    _standin("torino"),
    _cheat("uniform", "hanoi"),
    _cheat("zeros", "hanoi"),
    _cheat("replay", "hanoi"),
    _cheat("noiseless", "hanoi"),
    _cheat("white_noise", "hanoi"),
    _cheat("reversed", "hanoi"),
)


def chosen(names: Sequence[str]) -> tuple[Miner, ...]:
    """Pick miners by name; none means all.

    Raises:
        BadInput: A name is not in the cast, or no honest miner is left.

    Example:
        >>> [miner.name for miner in chosen(["fake-zeros", "aer"])]
        ['aer', 'fake-zeros']
    """
    unknown = sorted(set(names) - {miner.name for miner in MINERS})
    if unknown:
        allowed = ", ".join(miner.name for miner in MINERS)
        raise BadInput(f"no miners {', '.join(unknown)} in the cast, there are {allowed}")
    picked = tuple(miner for miner in MINERS if not names or miner.name in names)
    if not any(miner.honest for miner in picked):
        raise BadInput("need at least one honest miner, or users have nobody to ask")
    return picked


VALIDATORS: tuple[str, ...] = ("operator-a", "operator-b")
"""Each with its own hotkey, stake, secret and store; the first one also runs the gateway."""
