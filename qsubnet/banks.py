"""A bank on disk: made slowly and offline, taken from once, entry by entry.

A directory, for its owner alone:

    bank.json           what the bank is for: width, depth, gates, strings kept, deadline, entries
    secret              draws every entry's key; whoever has it knows every answer
    entries/0003.json   one entry (`validator.references.bank`); there as soon as it is complete
    entries/0003.levels its levels, four strings to a byte
    used/0003           who got it; there before the entry is handed out

An entry is complete or missing, whenever the maker is killed: the levels are written first, both
files under another name and then renamed. An entry is handed out at most once, whoever else reads
the same directory and whenever the taker is killed: the file in `used` can be created only once,
and creating it comes first. So a kill can lose an entry, and never gives one twice.

Assumes a local filesystem. Two banks never share circuits: the bank's id is part of every key.
"""

from __future__ import annotations

import hashlib
import json
import os
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from qsubnet.bank_spec import BankSpec, drawn, gates_only
from qsubnet.errors import BadInput, ConfigurationError, NotFound
from qsubnet.lock import sole
from validator.plan import case_key
from validator.references.bank import BankEntry, entry_from, entry_text, levels_digest, levels_of
from validator.references.bank_subset import draw_subset

if TYPE_CHECKING:
    from collections.abc import Iterator

    from validator.references.bank import Levels
    from validator.references.engines import Engine

FORMAT = "qsubnet-bank/1"


class Bank:
    """An open bank; `create` makes an empty one.

    Args:
        path: Its directory.

    Raises:
        NotFound: There is no bank.
        ConfigurationError: Its header is no header of this software, or its secret another one.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.spec = _read_spec(path / "bank.json")
        self._secret = _read_secret(path / "secret")
        if hashlib.sha256(self._secret).hexdigest() != self.spec.secret_digest:
            raise ConfigurationError(f"{path / 'secret'} is not the secret of this bank")

    def made(self) -> list[int]:
        """List the entries that are complete, ascending."""
        return sorted(int(file.stem) for file in (self.path / "entries").glob("*.json"))

    def missing(self) -> list[int]:
        """List the entries that are still to be made, ascending."""
        return sorted(set(range(self.spec.entries)) - set(self.made()))

    def used(self) -> dict[int, str]:
        """Say who got which entry; '' where the taker was killed before it wrote its name."""
        files = sorted((self.path / "used").iterdir())
        return {int(file.name): file.read_text() for file in files}

    def make(self, engine: Engine) -> Iterator[int]:
        """Make what is missing, one entry at a time.

        Args:
            engine: Simulates; its name is stored with the entry.

        Returns:
            Each entry's index, once it is complete.

        Raises:
            Busy: Another process is making this bank.
        """
        with sole(self.path / "lock", role="maker of this bank"):
            for index in self.missing():
                self._make_one(index, engine)
                yield index

    def _make_one(self, index: int, engine: Engine) -> None:
        key = case_key(self._secret, "bank", self.spec.id, index)
        program = drawn(self.spec, key, width=self.spec.qubits)
        (state,) = engine.states([gates_only(program)])
        subset = draw_subset(key, bits=self.spec.qubits, kept=self.spec.kept_bits)
        levels, strings, weights = levels_of(state, subset)
        del state
        entry = BankEntry(
            index=index,
            key=key,
            qubits=self.spec.qubits,
            depth=self.spec.depth,
            gates=self.spec.gates,
            program_digest=program.digest,
            kept_bits=self.spec.kept_bits,
            strings=strings,
            weights=weights,
            levels_digest=levels_digest(levels),
            deadline_s=self.spec.deadline_s,
            engine=engine.name,
        )
        _write(self._file(index, "levels"), levels.data)
        _write(self._file(index, "json"), entry_text(entry).encode())

    def entry(self, index: int) -> BankEntry:
        """Read one entry; it does not count as used.

        Raises:
            NotFound: It has not been made.
            ConfigurationError: It is damaged.
        """
        file = self._file(index, "json")
        if not file.exists():
            raise NotFound(f"entry {index} of {self.path} has not been made")
        try:
            return entry_from(file.read_text())
        except (ValueError, TypeError, KeyError) as error:
            raise ConfigurationError(f"{file} is damaged: {error}") from error

    def levels(self, entry: BankEntry) -> Levels:
        """Map an entry's levels into memory.

        Raises:
            ConfigurationError: They are not the ones that were made.
        """
        file = self._file(entry.index, "levels")
        try:
            found: Levels = np.memmap(file, dtype=np.uint8, mode="r")
        except (OSError, ValueError) as error:
            raise ConfigurationError(f"{file} cannot be read: {error}") from error
        if levels_digest(found) != entry.levels_digest:
            raise ConfigurationError(f"{file} is damaged: its digest is not its entry's")
        return found

    def take(self, *, to: str) -> BankEntry:
        """Hand out an entry that nobody has had, and mark it used before.

        Args:
            to: Who gets it, such as a hotkey; written into the journal.

        Raises:
            NotFound: None is left.
            ConfigurationError: The entry is damaged; it counts as used.
        """
        for index in self.made():
            if _claim(self.path / "used" / f"{index:04}", to):
                return self.entry(index)
        raise NotFound(f"no entry of {self.path} is left: make more with `qsubnet bank make`")

    def _file(self, index: int, kind: str) -> Path:
        return self.path / "entries" / f"{index:04}.{kind}"


def create(path: Path, spec: BankSpec, *, secret: bytes) -> Bank:
    """Make an empty bank, or open the one that is there.

    Raises:
        BadInput: Another bank is there already; what differs is named.
        circuits.errors.CircuitError: Its circuits cannot be drawn with such gates; nothing is
            written then.
    """
    if (path / "bank.json").exists():
        return _reopened(path, spec)
    drawn(spec, b"probe", width=spec.qubits)
    for folder in (path, path / "entries", path / "used"):
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    _write(path / "secret", secret.hex().encode())
    header = json.dumps({"format": FORMAT, **asdict(spec)}, indent=1)
    _write(path / "bank.json", header.encode())
    return Bank(path)


def _reopened(path: Path, spec: BankSpec) -> Bank:
    bank = Bank(path)
    old, new = asdict(bank.spec), asdict(spec)
    own = ("id", "secret_digest")
    wrong = [name for name in old if name not in own and old[name] != new[name]]
    if wrong:
        name = wrong[0]
        there, asked = (
            ", ".join(one[name]) if name == "gates" else one[name] for one in (old, new)
        )
        raise BadInput(f"{path} holds another bank: {name} is {there} there, asked was {asked}")
    return bank


def _claim(path: Path, name: str) -> bool:
    """Create a file that nobody has created yet, and write into it; False if somebody has."""
    try:
        file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return False
    try:
        os.write(file, name.encode())
        os.fsync(file)
    finally:
        os.close(file)
    _settle(path.parent)
    return True


def _write(path: Path, content: bytes | memoryview) -> None:
    """Write a file that is whole or not there, for its owner alone."""
    part = path.with_name(path.name + ".part")
    part.unlink(missing_ok=True)
    with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    part.replace(path)
    _settle(path.parent)


def _settle(folder: Path) -> None:
    """Bring a directory's entries to the disk."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _read_spec(path: Path) -> BankSpec:
    if not path.exists():
        raise NotFound(f"there is no bank at {path.parent}")
    try:
        content = json.loads(path.read_text())
        if content.pop("format") != FORMAT:
            raise ConfigurationError(f"{path} is no {FORMAT}")
        content["gates"] = tuple(content["gates"])
        return BankSpec(**content)
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise ConfigurationError(f"{path} is damaged: {error}") from error


def _read_secret(path: Path) -> bytes:
    try:
        return bytes.fromhex(path.read_text().strip())
    except (OSError, ValueError) as error:
        raise ConfigurationError(f"{path} cannot be read: {error}") from error
