"""Where things are by default: the per-user state directory and the files in it."""

from __future__ import annotations

import os
import stat
from pathlib import Path
from typing import TYPE_CHECKING

from qsubnet.errors import ConfigurationError

if TYPE_CHECKING:
    from qsubnet.client import Connection
    from qsubnet.settings import Settings


def default_state() -> Path:
    """Give the per-user state directory, whatever the working directory is."""
    base = os.environ.get("XDG_STATE_HOME")
    return (Path(base) if base else Path.home() / ".local" / "state") / "qsubnet"


def connection(settings: Settings) -> Connection:
    """Find the gateway's address and key: settings first, then the state directory.

    Raises:
        ConfigurationError: Neither says where the gateway is, or the file is open to others.
    """
    from qsubnet.client.connection import STATE_FILE, find_connection

    return find_connection(
        gateway=settings.gateway,
        api_key=settings.api_key.get_secret_value(),
        state_file=(settings.state or default_state()) / STATE_FILE,
    )


def read_api_keys(path: Path) -> dict[str, str]:
    """Read a file of API keys, one `account key` a line, and give account by key digest.

    Raises:
        ConfigurationError: The file is missing, open to others, or a line has another form.
    """
    from qsubnet.gateway.accounts import key_digest

    try:
        mode, lines = stat.S_IMODE(path.stat().st_mode), path.read_text().splitlines()
    except OSError as error:
        raise ConfigurationError(f"cannot read {path}: {error.strerror}") from None
    except UnicodeDecodeError as error:
        raise ConfigurationError(f"{path} is not UTF-8 (byte {error.start})") from None
    if mode & 0o077:
        raise ConfigurationError(f"{path} can be read by others: run chmod 600 {path}")
    entries = [line.split() for line in lines if line.strip() and not line.startswith("#")]
    for number, entry in enumerate(entries, 1):
        if len(entry) != 2:
            raise ConfigurationError(f"{path}: entry {number} needs an account and a key")
    return {key_digest(key): account for account, key in entries}
