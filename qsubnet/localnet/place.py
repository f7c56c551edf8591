"""The state directory of a localnet: keys, ledger, stores, logs, and who may use it.

    localnet.json       seed and miners; marks the directory as ours
    lock                held by the localnet that runs here
    gateway.json        0600: where the gateway is and the key to it
    processes.json      the services that run now, by name
    ledger.db           the chain
    keys/ logs/         by name
    <operator>/         store, case secret and lock of a validator (and gateway)
    miners/<name>/      store and nonces of a miner

A second start resumes what is there. Everything is derived from the seed; nothing here is secret
to whoever knows it, which is fine on one machine and nowhere else.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import json
import os
import shutil
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from qsubnet.errors import BadInput, Busy
from qsubnet.localnet.cast import VALIDATORS, Miner, chosen
from qsubnet.validating.secret import create_secret
from qsubnet.wire.keys import (
    KeyFileError,
    Sr25519Signer,
    create_key_file,
    load_key_file,
    localnet_seed,
)

_MARK = "localnet.json"


@dataclass(frozen=True, slots=True)
class Place:
    """A prepared state directory, the seed that everything in it comes from, and who takes part."""

    root: Path
    seed: int
    miners: tuple[Miner, ...]

    @property
    def ledger(self) -> Path:
        """The chain's file."""
        return self.root / "ledger.db"

    @property
    def gateway_file(self) -> Path:
        """Where the gateway's address and key stand."""
        return self.root / "gateway.json"

    @property
    def processes_file(self) -> Path:
        """Where the running services stand."""
        return self.root / "processes.json"

    @property
    def api_key(self) -> str:
        """The key to the gateway."""
        return hashlib.sha256(localnet_seed(self.seed, role="gateway", name="api-key")).hexdigest()

    def key_file(self, name: str) -> Path:
        """A hotkey's file."""
        return self.root / "keys" / f"{name}.key"

    def log_file(self, name: str) -> Path:
        """A service's log."""
        return self.root / "logs" / f"{name}.log"

    def operator(self, name: str) -> Path:
        """A validator's directory."""
        return self.root / name

    def miner(self, name: str) -> Path:
        """A miner's directory."""
        return self.root / "miners" / name

    def signer(self, name: str) -> Sr25519Signer:
        """A member's hotkey."""
        return load_key_file(self.key_file(name))

    def coldkey(self, name: str) -> Sr25519Signer:
        """A member's coldkey, which is in no file."""
        return Sr25519Signer(localnet_seed(self.seed, role="coldkey", name=name))


def prepare(root: Path, *, seed: int | None, fresh: bool, miners: Sequence[str] = ()) -> Place:
    """Open a state directory, or make it anew.

    Args:
        root: The directory; made if missing.
        seed: Start anew from this seed; None to resume, or to start from 0.
        fresh: Start anew even without a seed.
        miners: Names from the cast, none for all; when resuming, none or the same as before.

    Raises:
        BadInput: `root` holds something that is no localnet, or one with other miners.
    """
    mark = root / _MARK
    if root.exists() and any(root.iterdir()) and not mark.exists() and not _only_lock(root):
        raise BadInput(f"{root} is not empty and holds no localnet; choose another --state")
    if mark.exists() and (fresh or seed is not None):
        _clear(root)
    if mark.exists():
        return _resumed(root, json.loads(mark.read_text()), miners)
    place = Place(root, seed or 0, chosen(miners))
    _make(place)
    draft = mark.with_suffix(".draft")
    names = [miner.name for miner in place.miners]
    draft.write_text(json.dumps({"seed": place.seed, "miners": names}) + "\n")
    draft.replace(mark)
    return place


def _resumed(root: Path, content: dict[str, Any], miners: Sequence[str]) -> Place:
    before = chosen(content["miners"])
    if miners and chosen(miners) != before:
        names = ", ".join(miner.name for miner in before)
        raise BadInput(f"{root} holds a localnet with {names}; use --fresh to start anew")
    return Place(root, int(content["seed"]), before)


def _only_lock(root: Path) -> bool:
    """True for what a killed first start may leave: everything of ours but the mark."""
    ours = {"lock", "keys", "logs", "miners", "localnet.draft", *VALIDATORS}
    return {path.name for path in root.iterdir()} <= ours


def _clear(root: Path) -> None:
    """Remove what is ours and nothing else; the lock stays, because we hold it."""
    (root / _MARK).unlink()
    for path in root.iterdir():
        if path.is_dir() and path.name in {"keys", "logs", "miners", *VALIDATORS}:
            shutil.rmtree(path)
        elif path.name.startswith(("ledger.db", "gateway.json", "processes.json")):
            path.unlink()


def _make(place: Place) -> None:
    for name in ("keys", "logs", "miners", *VALIDATORS):
        (place.root / name).mkdir(parents=True, exist_ok=True)
    for name in (*VALIDATORS, *(miner.name for miner in place.miners)):
        # A file that is there already comes from a start that was killed before it left its mark.
        with contextlib.suppress(KeyFileError):
            seed = localnet_seed(place.seed, role="hotkey", name=name)
            create_key_file(place.key_file(name), seed=seed)
    for name in VALIDATORS:
        secret = localnet_seed(place.seed, role="case-secret", name=name)
        create_secret(place.operator(name) / "case-secret", secret)


@contextlib.contextmanager
def occupied(root: Path) -> Iterator[None]:
    """Hold a state directory while a localnet runs in it.

    Raises:
        BadInput: There can be no such directory, or we may not write in it.
        Busy: Another localnet runs there.
    """
    try:
        root.mkdir(parents=True, exist_ok=True)
        lock = (root / "lock").open("a")
    except OSError as error:
        raise BadInput(
            f"cannot write in a state directory {root} ({error.strerror}); choose another --state"
        ) from None
    with lock as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise Busy(f"another localnet runs in {root}; use --state for a second one") from error
        yield


def write_private(path: Path, text: str) -> None:
    """Replace a file by one that only its owner can read, whole or not at all."""
    draft = path.with_name(f".{path.name}.draft")
    draft.unlink(missing_ok=True)
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(text)
    draft.replace(path)
