"""Settings: one class, read once in main from the environment (prefix `QSUBNET_`) and flags.

Every service of one role takes its part of it; nothing below the commands reads the environment.
"""

from __future__ import annotations

from pathlib import Path

from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict


class Settings(BaseSettings):
    """What can be set from outside.

    Attributes:
        state: Directory of everything that persists; default per user, see `qsubnet.cli.places`.
        gateway: Base URL of the gateway that the client asks; empty to look in `state`.
        api_key: Bearer key for the gateway; empty to look in `state`.
        ledger: Path of the local ledger's file; default `<state>/ledger.db`.
        key_file: Hotkey of the service that starts; default `<state>/<role>.key`.
        database: SQLAlchemy URL of the operator's store; default SQLite in `state`.
        host: Where servers listen.
        log_level: `debug`, `info`, `warning` or `error`.
        timeout_s: How long the client waits for a job's result, in seconds.
    """

    model_config = SettingsConfigDict(env_prefix="QSUBNET_", frozen=True, extra="ignore")

    state: Path | None = None
    gateway: str = ""
    api_key: SecretStr = SecretStr("")
    ledger: Path | None = None
    key_file: Path | None = None
    database: str = ""
    host: str = "127.0.0.1"
    log_level: str = "info"
    timeout_s: float = Field(default=600.0, gt=0)
