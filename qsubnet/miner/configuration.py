"""The miner's file: `miner.toml`, read once and checked whole, used by serve, check and status.

    adapter = "exec"                      # the one word without a default
    key_file = "miner.key"                # paths are relative to this file
    ledger = "ledger.db"
    state = "state"
    host = "127.0.0.1"
    port = 8091
    seed = "any text"
    max_concurrent = 4

    [options]                             # the adapter's own
    command = "python device.py"

    [[maintenance]]                       # announced in advance; times with their zone
    start = 2027-01-05T08:00:00Z
    end = 2027-01-05T12:00:00Z
    reason = "recalibration"

Credentials have no place here: an option that is called like one is refused, because the vendor's
own tools keep them elsewhere (`token_env`, the name of a variable, is fine).

Blind spot: what an option means is known to its adapter only, and a path in `options` is taken as
it stands, from the folder where the process runs.
"""

from __future__ import annotations

import tomllib
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from pydantic import (
    AwareDatetime,
    BaseModel,
    ConfigDict,
    Field,
    JsonValue,
    ValidationError,
    ValidationInfo,
    field_validator,
    model_validator,
)

from qsubnet.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["MinerFile", "Window", "is_credential", "load_miner_config"]

_MOST_BYTES = 1_000_000
_SECRETS = ("token", "password", "passwd", "secret", "credential", "credentials", "apikey")
_KEYS = ("api_key", "access_key", "private_key", "secret_key", "account_key", "subscription_key")
_POINTERS = ("_env", "_file", "_path", "_name", "_profile")
"""An option that ends so says where a credential is, not what it is."""


class _Part(BaseModel):
    """Base of what stands in the file: frozen, no unknown words."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Window(_Part):
    """A time, announced in advance, in which the miner takes no jobs.

    Attributes:
        start: First moment, with its zone; kept in UTC.
        end: First moment after it, later than `start`; likewise.
        reason: What requesters are told.

    Example:
        >>> at = datetime(2027, 1, 5, 8, tzinfo=UTC)
        >>> Window(start=at, end=at.replace(hour=12)).covers(at.replace(hour=9))
        True
    """

    start: AwareDatetime
    end: AwareDatetime
    reason: Annotated[str, Field(max_length=200)] = "maintenance"

    @field_validator("start", "end")
    @classmethod
    def _in_utc(cls, moment: datetime) -> datetime:
        return moment.astimezone(UTC)

    @model_validator(mode="after")
    def _lasts(self) -> Window:
        if self.end <= self.start:
            raise ValueError(f"need start before end, got {self.start} and {self.end}")
        return self

    def covers(self, moment: datetime) -> bool:
        """Tell whether `moment`, which has a zone, lies inside."""
        return self.start <= moment < self.end


class MinerFile(_Part):
    """What `miner.toml` says; every path is absolute.

    Attributes:
        adapter: Name in the table of providers.
        options: The adapter's own.
        key_file: The miner's hotkey.
        ledger: The local ledger's file.
        state: Directory of the miner's store.
        host: Where to listen.
        port: 0 for a free one.
        seed: Root of a simulator's seeds; any text.
        max_concurrent: Jobs that run at the backend at the same time.
        maintenance: In order of their start.
    """

    adapter: Annotated[str, Field(min_length=1, max_length=100)]
    options: dict[str, JsonValue] = Field(default_factory=dict)
    key_file: Path = Field(default=Path("miner.key"), validate_default=True)
    ledger: Path = Field(default=Path("ledger.db"), validate_default=True)
    state: Path = Field(default=Path("state"), validate_default=True)
    host: Annotated[str, Field(min_length=1, max_length=255)] = "127.0.0.1"
    port: Annotated[int, Field(ge=0, le=65_535, strict=True)] = 0
    seed: str = ""
    max_concurrent: Annotated[int, Field(ge=1, le=1_000, strict=True)] = 4
    maintenance: tuple[Window, ...] = ()

    @field_validator("key_file", "ledger", "state")
    @classmethod
    def _from_the_file(cls, path: Path, info: ValidationInfo) -> Path:
        folder = (info.context or {}).get("folder", Path.cwd())
        return Path(folder) / path.expanduser()

    @field_validator("options")
    @classmethod
    def _no_credentials(cls, options: dict[str, JsonValue]) -> dict[str, JsonValue]:
        if found := sorted(name for name in options if is_credential(name)):
            raise ValueError(
                f"{found[0]!r} looks like a credential, which does not belong into this file: "
                f"leave it where the vendor's own tools look for it, or name a variable of the "
                f"environment as '{found[0]}_env' where the adapter has that option"
            )
        return options

    @field_validator("maintenance")
    @classmethod
    def _in_order(cls, windows: tuple[Window, ...]) -> tuple[Window, ...]:
        return tuple(sorted(windows, key=lambda window: (window.start, window.end)))


def is_credential(option: str) -> bool:
    """Tell whether an option is called like something that is secret.

    Example:
        >>> is_credential("token"), is_credential("aws_secret_key"), is_credential("token_env")
        (True, True, False)
    """
    name = option.lower().replace("-", "_")
    if name.endswith(_POINTERS):
        return False
    return bool(set(name.split("_")) & set(_SECRETS)) or any(word in name for word in _KEYS)


def load_miner_config(path: Path) -> MinerFile:
    """Read and check a miner's file.

    Raises:
        ConfigurationError: It cannot be read, is no TOML, or a word of it is wrong; the message
            says which, and never repeats a value.
    """
    try:
        with path.open("rb") as file:
            data = file.read(_MOST_BYTES + 1)
        if len(data) > _MOST_BYTES:
            raise ConfigurationError(f"{path} has more than {_MOST_BYTES} bytes")
        content = tomllib.loads(data.decode())
    except OSError as error:
        raise ConfigurationError(f"cannot read {path}: {error.strerror}") from None
    except ValueError as error:
        raise ConfigurationError(f"{path} is no TOML: {error}") from None
    try:
        return MinerFile.model_validate(content, context={"folder": path.absolute().parent})
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        message = first["msg"].removeprefix("Value error, ")
        raise ConfigurationError(f"{path}: {_place(first['loc'])}{message}") from None


def _place(steps: Iterable[int | str]) -> str:
    """Name a word as the file has it; unions of the model add steps that the file has not."""
    words = [str(step)[:40] for step in steps if step != "json-value"]
    return f"{'.'.join(words)}: " if words else ""
