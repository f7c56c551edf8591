"""The validator's secret: 32 bytes from which every case key is derived, in a 0600 file.

Losing it loses the power to redraw past cases that are not revealed yet; showing it shows the
answers of all tests to come.
"""

from __future__ import annotations

import os
import secrets
import stat
from typing import TYPE_CHECKING

from qsubnet.errors import ConfigurationError

if TYPE_CHECKING:
    from pathlib import Path

_BYTES = 32


def create_secret(path: Path, secret: bytes) -> None:
    """Write a secret to a new file that only its owner can read; an existing one stays.

    The file appears whole or not at all.
    """
    if len(secret) != _BYTES:
        raise ValueError(f"need {_BYTES} bytes, got {len(secret)}")
    draft = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "w") as file:
            file.write(secret.hex() + "\n")
            file.flush()
            os.fsync(file.fileno())
        try:
            os.link(draft, path)
        except FileExistsError:
            return
    finally:
        draft.unlink()


def load_secret(path: Path) -> bytes:
    """Read the secret, making one from the operating system's entropy the first time.

    Raises:
        ConfigurationError: Others may read the file, or it is no secret.
    """
    if not path.exists():
        create_secret(path, secrets.token_bytes(_BYTES))
    if stat.S_IMODE(path.stat().st_mode) & 0o077:
        raise ConfigurationError(f"{path} can be read by others: run chmod 600 {path}")
    try:
        secret = bytes.fromhex(path.read_text().strip())
    except ValueError:
        secret = b""
    if len(secret) != _BYTES:
        raise ConfigurationError(f"{path} is damaged: need {2 * _BYTES} hex digits")
    return secret
