"""Make a miner's file and key, and on request its seat on a local ledger.

A file that is there is never replaced unless told, a key never at all. What is asked for is checked
before anything is written, and the file is read back as `miner serve` will read it.
"""

from __future__ import annotations

import os
import secrets
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from importlib.metadata import entry_points
from pathlib import Path
from typing import TYPE_CHECKING

from pydantic import ValidationError

import providers
from qsubnet.errors import BadInput, ConfigurationError, NotFound
from qsubnet.miner.configuration import Window, is_credential, load_miner_config
from qsubnet.onboarding.miner_toml import miner_toml

if TYPE_CHECKING:
    from pydantic import JsonValue

    from qsubnet.wire.keys import Sr25519Signer


@dataclass(frozen=True, slots=True)
class Wish:
    """What a new miner shall be.

    Attributes:
        path: Of the file to write.
        adapter: Name in the table of providers, or of an entry point.
        options: The adapter's own.
        key_file: A hotkey that exists; None to make one beside the file.
        ledger: The local ledger's file, which may come later.
        state: Directory of the miner's store.
        host: Where to listen.
        port: 0 for a free one.
        max_concurrent: Jobs at the same time.
        maintenance: Windows.
    """

    path: Path
    adapter: str
    options: Mapping[str, JsonValue]
    ledger: Path
    key_file: Path | None = None
    state: Path | None = None
    host: str = "127.0.0.1"
    port: int = 0
    max_concurrent: int = 4
    maintenance: Sequence[Window] = field(default=())


@dataclass(frozen=True, slots=True)
class Founded:
    """What was made.

    Attributes:
        path: Of the file.
        key_file: Of the hotkey.
        hotkey: Its address.
        made_key: True where the key is new.
    """

    path: Path
    key_file: Path
    hotkey: str
    made_key: bool


def known_adapters() -> list[str]:
    """List the adapters by name, those of other packages included.

    Example:
        >>> "aer" in known_adapters()
        True
    """
    outside = {point.name for point in entry_points(group=providers.ENTRY_POINTS)}
    return sorted({*providers.ADAPTERS, *outside})


def found_miner(wish: Wish, *, replace: bool) -> Founded:
    """Write the miner's file, and a hotkey where none is named.

    Args:
        wish: What it shall be.
        replace: Write over a file that is there.

    Raises:
        BadInput: The file is there, the adapter is unknown, or an option cannot stand in a file.
        NotFound: The key file that was named is not there.
        ConfigurationError: The key file is unsafe or damaged, or a folder cannot be written.
    """
    if wish.path.exists() and not replace:
        raise BadInput(f"{wish.path} is there already; --force replaces it")
    _check(wish)
    folder = wish.path.absolute().parent
    key_file = (wish.key_file or folder / "miner.key").absolute()
    text = miner_toml(
        adapter=wish.adapter,
        options=wish.options,
        places={
            "key_file": _written(key_file, folder),
            "ledger": _written(wish.ledger.absolute(), folder),
            "state": _written((wish.state or folder / "state").absolute(), folder),
        },
        host=wish.host,
        port=wish.port,
        seed=secrets.token_hex(16),
        max_concurrent=wish.max_concurrent,
        maintenance=wish.maintenance,
    )
    try:
        folder.mkdir(parents=True, exist_ok=True)
        signer, made = _key(key_file, named=wish.key_file is not None)
        _write(wish.path, text)
    except OSError as error:
        raise ConfigurationError(f"cannot write in {folder}: {error.strerror}") from None
    return Founded(wish.path, key_file, signer.identity, made)


def _check(wish: Wish) -> None:
    if wish.adapter not in known_adapters():
        raise BadInput(f"no adapter {wish.adapter!r}; there are {', '.join(known_adapters())}")
    if secret := sorted(name for name in wish.options if is_credential(name)):
        raise BadInput(
            f"option {secret[0]!r} looks like a credential, which is never written into a file: "
            f"leave it where the vendor's own tools look for it"
        )


def _written(path: Path, folder: Path) -> str:
    """Write a path relative to the file where it lies below it."""
    return str(path.relative_to(folder)) if path.is_relative_to(folder) else str(path)


def _key(path: Path, *, named: bool) -> tuple[Sr25519Signer, bool]:
    from qsubnet.wire.keys import create_key_file, load_key_file, new_seed

    if path.exists():
        return load_key_file(path), False
    if named:
        raise NotFound(f"no key file {path}; leave --key-file out to have a new hotkey made")
    return create_key_file(path, seed=new_seed()), True


def _write(path: Path, text: str) -> None:
    """Put the file there whole, readable by its owner, and only if it reads back."""
    draft = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    try:
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(text)
        load_miner_config(draft)
        draft.replace(path)
    finally:
        with suppress(FileNotFoundError):
            draft.unlink()


def read_window(text: str) -> Window:
    """Read a maintenance window written as `START/END REASON`, times with their zone.

    Raises:
        BadInput: It is none.

    Example:
        >>> read_window("2030-01-05T08:00Z/2030-01-05T12:00Z new fridge").reason
        'new fridge'
    """
    times, _, reason = text.partition(" ")
    start, _, end = times.partition("/")
    words = {"start": start, "end": end, **({"reason": reason} if reason.strip() else {})}
    try:
        return Window.model_validate(words)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        where = ".".join(map(str, first["loc"]))
        raise BadInput(
            f"--maintenance is START/END and a reason, such as "
            f"'2030-01-05T08:00Z/2030-01-05T12:00Z recalibration': "
            f"{where + ': ' if where else ''}{first['msg']}"
        ) from None


async def take_seat(ledger: Path, *, hotkey: str, coldkey_file: Path) -> bool:
    """Register a hotkey on a local ledger, by a coldkey that is made where its file is not there.

    Returns:
        False where the hotkey had its seat already.

    Raises:
        qsubnet.chain.errors.ChainError: There is no such ledger, or it refuses.
        KeyFileError: The coldkey's file is unsafe or damaged.
    """
    from qsubnet.chain.local import open_local
    from qsubnet.wire.keys import Sr25519Verifier

    async with open_local(ledger, verify=Sr25519Verifier().verify) as chain:
        if (await chain.metagraph()).neuron(hotkey) is not None:
            return False
        coldkey, _ = _key(coldkey_file, named=False)
        await chain.registrar(coldkey).register(hotkey)
    return True
