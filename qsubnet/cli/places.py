"""Where things are by default: the state directory, and the gateway that a client asks."""

from __future__ import annotations

import json
import os
import stat
from pathlib import Path
from typing import TYPE_CHECKING

from qsubnet.errors import ConfigurationError

if TYPE_CHECKING:
    from qsubnet.settings import Settings


def default_state() -> Path:
    """Give the per-user state directory, whatever the working directory is."""
    base = os.environ.get("XDG_STATE_HOME")
    return (Path(base) if base else Path.home() / ".local" / "state") / "qsubnet"


def connection(settings: Settings) -> tuple[str, str]:
    """Find the gateway's address and key: settings first, then the state directory.

    Raises:
        ConfigurationError: Neither says where the gateway is.
    """
    if settings.gateway:
        return settings.gateway, settings.api_key.get_secret_value()
    path = (settings.state or default_state()) / "gateway.json"
    try:
        if stat.S_IMODE(path.stat().st_mode) & 0o077:
            raise ConfigurationError(f"{path} can be read by others: run chmod 600 {path}")
        content = json.loads(path.read_text())
        found = (str(content["gateway"]), str(content["api_key"]))
    except FileNotFoundError:
        raise ConfigurationError(
            f"no gateway known: set QSUBNET_GATEWAY and QSUBNET_API_KEY, or start "
            f"`qsubnet localnet --serve` (looked for {path})"
        ) from None
    except (ValueError, KeyError, TypeError) as error:
        raise ConfigurationError(f"{path} is damaged: {error}") from None
    return found
