"""Where the gateway is and with which key to ask it: given outright, or from a state file.

The file is `gateway.json` in a state directory: {"gateway": URL, "api_key": key}, mode 0600,
written by whoever serves the gateway. Nothing here reads the environment: commands pass it in.
"""

from __future__ import annotations

import json
import os
import secrets
import stat
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from qsubnet.wire.refusals import ConfigurationError

if TYPE_CHECKING:
    from pathlib import Path

STATE_FILE: Final = "gateway.json"
_MAX_FILE_BYTES: Final = 16_384


@dataclass(frozen=True, slots=True)
class Connection:
    """A gateway's base URL and an API key; the key never shows in a `repr`.

    Raises:
        ConfigurationError: The URL is not http(s)://host[:port][/path], or the key has characters
            that no header carries.

    Example:
        >>> Connection("http://127.0.0.1:8080/", "secret")
        Connection(gateway='http://127.0.0.1:8080')
    """

    gateway: str
    api_key: str = field(repr=False)

    def __post_init__(self) -> None:
        if not _is_base_url(self.gateway):
            raise ConfigurationError(
                f"need a gateway such as http://127.0.0.1:8080, got {self.gateway[:200]!r}"
            )
        if not (self.api_key.isascii() and self.api_key.isprintable() and self.api_key.strip()):
            raise ConfigurationError(
                "need an API key of printable ASCII characters, got "
                + ("an empty one" if not self.api_key.strip() else "others")
            )
        object.__setattr__(self, "gateway", self.gateway.rstrip("/"))


def _is_base_url(text: str) -> bool:
    try:
        parts = urlsplit(text)
        _ = parts.port
    except ValueError:
        return False
    extra = parts.query or parts.fragment or parts.username
    return parts.scheme in {"http", "https"} and bool(parts.hostname) and not extra


def find_connection(
    *, gateway: str | None = None, api_key: str | None = None, state_file: Path | None = None
) -> Connection:
    """Take what is given outright, and what is missing from the state file.

    Args:
        gateway: Base URL; None or '' looks in the file.
        api_key: Bearer key; None or '' looks in the file, unless another gateway was given.
        state_file: Where to look; None means nowhere.

    Raises:
        ConfigurationError: Something is still missing, or the file is damaged or open to others.
    """
    if gateway and api_key:
        return Connection(gateway, api_key)
    if state_file is None or not state_file.exists():
        missing = "gateway address" if not gateway else "API key"
        looked = f", and there is no file {state_file}" if state_file else ""
        raise ConfigurationError(
            f"no {missing} given{looked}: set QSUBNET_GATEWAY and QSUBNET_API_KEY, or start "
            "'qsubnet localnet --serve'"
        )
    found = from_state_file(state_file)
    if gateway and gateway.rstrip("/") != found.gateway:
        raise ConfigurationError(
            f"no API key given for {gateway}; the one in {state_file} is for {found.gateway}"
        )
    return Connection(gateway or found.gateway, api_key or found.api_key)


def from_state_file(path: Path) -> Connection:
    """Read a state file.

    Raises:
        ConfigurationError: It is missing, damaged, or others may read it. The message never has
            its content.
    """
    try:
        with path.open("rb") as file:
            mode = stat.S_IMODE(os.fstat(file.fileno()).st_mode)
            raw = file.read(_MAX_FILE_BYTES + 1)
    except OSError as error:
        raise ConfigurationError(f"cannot read {path}: {error.strerror}") from None
    if mode & 0o077:
        raise ConfigurationError(f"{path} can be read by others: run chmod 600 {path}")
    try:
        content = json.loads(raw)
        gateway, api_key = content["gateway"], content["api_key"]
    except (ValueError, KeyError, TypeError, RecursionError):
        raise ConfigurationError(f"{path} is damaged: need gateway and api_key") from None
    if not isinstance(gateway, str) or not isinstance(api_key, str):
        raise ConfigurationError(f"{path} is damaged: gateway and api_key are texts")
    return Connection(gateway, api_key)


def write_state_file(path: Path, connection: Connection) -> None:
    """Write a state file that only its owner can read; it replaces an older one whole."""
    draft = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "w") as file:
            json.dump({"gateway": connection.gateway, "api_key": connection.api_key}, file)
            file.write("\n")
        draft.replace(path)
    except BaseException:
        draft.unlink(missing_ok=True)
        raise
