"""Structured logs: one JSON object a line on stderr, or plain text; stdout belongs to results.

Fields: `time` (ISO 8601, UTC), `level`, `logger`, `message`, whatever else `extra` carried, and
`traceback` after an exception. `docs/operations.md` lists them all. No secret is ever put into a
field: keys and case secrets have no text form, a database URL is shown without its password, and
what libraries say goes through `redact`.
"""

from __future__ import annotations

import json
import logging
import sys
from collections.abc import Callable
from datetime import UTC, datetime

from qsubnet.errors import ConfigurationError

LEVELS = ("debug", "info", "warning", "error")
FORMS = ("json", "text")

Redact = Callable[[str], str]

_STANDARD = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}
_STANDARD |= {"color_message"}  # uvicorn's, the message once more


class JsonFormatter(logging.Formatter):
    """Writes a log record as one line of JSON.

    Args:
        redact: Masks credentials in a text; every text of a line goes through it.
    """

    def __init__(self, redact: Redact = str) -> None:
        super().__init__()
        self._redact = redact

    def format(self, record: logging.LogRecord) -> str:
        """Give the line."""
        document: dict[str, object] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": self._clean(record.getMessage()),
        }
        for key, value in vars(record).items():
            if key not in _STANDARD:
                document.setdefault(key, self._clean(value))
        if record.exc_info:
            document["traceback"] = self._redact(self.formatException(record.exc_info))
        return json.dumps(document)

    def _clean(self, value: object) -> object:
        """Redact every text inside, before JSON's escapes hide a part of it."""
        if value is None or isinstance(value, (bool, int, float)):
            return value
        if isinstance(value, dict):
            return {self._redact(str(key)): self._clean(item) for key, item in value.items()}
        if isinstance(value, (list, tuple)):
            return [self._clean(item) for item in value]
        return self._redact(str(value))


class TextFormatter(JsonFormatter):
    """Writes a log record as a line for people: time, level, logger, message, field=value ..."""

    def format(self, record: logging.LogRecord) -> str:
        """Give the line; a traceback follows on lines of its own."""
        document = json.loads(super().format(record))
        head = [document.pop(name) for name in ("time", "level", "logger")]
        message, traceback = document.pop("message"), document.pop("traceback", None)
        fields = [f"{name}={json.dumps(value)}" for name, value in document.items()]
        # A text of somebody else's must not begin a line of its own.
        line = " ".join([*head, message.replace("\n", "\\n").replace("\r", "\\r"), *fields])
        return f"{line}\n{traceback}" if traceback else line


def configure(level: str, *, form: str = "json", redact: Redact = str) -> None:
    """Send every log record of this process to stderr.

    Args:
        level: `debug`, `info`, `warning` or `error`.
        form: `json` or `text`.
        redact: Masks credentials in a text.

    Raises:
        ConfigurationError: Another word.
    """
    if level.lower() not in LEVELS:
        raise ConfigurationError(f"a log level is one of {', '.join(LEVELS)}, got {level!r}")
    if form not in FORMS:
        raise ConfigurationError(f"a log format is one of {', '.join(FORMS)}, got {form!r}")
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter((JsonFormatter if form == "json" else TextFormatter)(redact))
    logging.basicConfig(level=level.upper(), handlers=[handler], force=True)
    for noisy in ("httpx", "httpcore", "qiskit", "uvicorn.access"):
        logging.getLogger(noisy).setLevel(logging.WARNING)
