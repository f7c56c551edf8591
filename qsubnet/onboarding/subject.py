"""Whom a check is about: an adapter with its options, and what the chain may know of its miner."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from qsubnet.errors import BadInput
from qsubnet.miner.configuration import load_miner_config
from qsubnet.onboarding.finding import Finding, Level

if TYPE_CHECKING:
    from pathlib import Path

    from providers.base import Json
    from qsubnet.miner.configuration import MinerFile
    from qsubnet.onboarding.standing import Picture


@dataclass(frozen=True, slots=True)
class Subject:
    """What is checked.

    Attributes:
        adapter: Name in the table of providers.
        options: The adapter's own.
        ledger: The local ledger to look at; None for none.
        hotkey: The miner's; '' where no key file is named.
        findings: What is wrong with key and ledger already.
    """

    adapter: str
    options: Mapping[str, Json]
    ledger: Path | None = None
    hotkey: str = ""
    findings: tuple[Finding, ...] = ()


def subject_of(path: Path, *, ledger: Path | None = None) -> Subject:
    """Take a miner's file.

    Args:
        path: Of `miner.toml`.
        ledger: Stands in for the file's own.

    Raises:
        ConfigurationError: The file, or the key file that it names, is wrong.
    """
    from qsubnet.wire.keys import load_key_file

    file = load_miner_config(path)
    hotkey = load_key_file(file.key_file).identity if file.key_file.exists() else ""
    chosen = ledger or (file.ledger if file.ledger.exists() else None)
    return Subject(file.adapter, file.options, chosen, hotkey, tuple(_missing(file, path)))


def _missing(file: MinerFile, path: Path) -> list[Finding]:
    found = []
    if not file.key_file.exists():
        found.append(
            Finding(
                Level.WARNING,
                f"there is no hotkey at {file.key_file}",
                f"copy the miner's key there, or make one with: qsubnet miner init --config {path} "
                f"--force",
            )
        )
    if not file.ledger.exists():
        found.append(
            Finding(
                Level.WARNING,
                f"there is no ledger at {file.ledger}",
                "set `ledger` to the file of the subnet's local ledger; without one the miner "
                "cannot serve",
            )
        )
    return found


def standing_advice(picture: Picture, hotkey: str) -> list[Finding]:
    """Say what keeps a hotkey from being tested; nothing where none is known."""
    if not hotkey or picture.neuron(hotkey) is not None:
        return []
    return [
        Finding(
            Level.WARNING,
            f"the hotkey {hotkey} has no seat on the subnet, so nobody sends it tests",
            "register it with its coldkey; on a local ledger: qsubnet miner init --register",
        )
    ]


def options_from_pairs(pairs: Sequence[str]) -> dict[str, Json]:
    """Read options written as `name=value`; a value is JSON where it can be, else a text.

    Raises:
        BadInput: A pair has no '=', or a name comes twice.

    Example:
        >>> options_from_pairs(["num_qubits=12", "machine=hanoi", "flags=[1, 2]"])
        {'num_qubits': 12, 'machine': 'hanoi', 'flags': [1, 2]}
    """
    found: dict[str, Json] = {}
    for pair in pairs:
        name, sign, text = pair.partition("=")
        if not sign or not name.strip():
            raise BadInput(f"--option is name=value, such as num_qubits=12, got {pair[:80]!r}")
        if name.strip() in found:
            raise BadInput(f"--option {name.strip()} is given twice")
        found[name.strip()] = _value(text.strip())
    return found


def _value(text: str) -> Json:
    try:
        value: Json = json.loads(text, parse_constant=_no_number)
    except ValueError:
        return text
    return value


def _no_number(word: str) -> Json:
    """NaN and Infinity are no JSON: such a text stays a text."""
    raise ValueError(word)
