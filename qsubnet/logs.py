"""Structured logs: one JSON object a line on stderr; stdout belongs to results.

Fields: `time` (ISO 8601, UTC), `level`, `logger`, `message`, whatever else `extra` carried, and
`traceback` after an exception. No secret is ever put into a field: keys and case secrets have no
text form, and a database URL is shown without its password.
"""

from __future__ import annotations

import json
import logging
import sys
from datetime import UTC, datetime

from qsubnet.errors import ConfigurationError

LEVELS = ("debug", "info", "warning", "error")

_STANDARD = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}
_STANDARD |= {"color_message"}  # uvicorn's, the message once more


class JsonFormatter(logging.Formatter):
    """Writes a log record as one line of JSON."""

    def format(self, record: logging.LogRecord) -> str:
        """Give the line."""
        document: dict[str, object] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
        }
        for key, value in vars(record).items():
            if key not in _STANDARD:
                document.setdefault(key, value)
        if record.exc_info:
            document["traceback"] = self.formatException(record.exc_info)
        return json.dumps(document, default=str)


def configure(level: str) -> None:
    """Send every log record of this process to stderr as JSON.

    Args:
        level: `debug`, `info`, `warning` or `error`.

    Raises:
        ConfigurationError: Another word.
    """
    if level.lower() not in LEVELS:
        raise ConfigurationError(f"a log level is one of {', '.join(LEVELS)}, got {level!r}")
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonFormatter())
    logging.basicConfig(level=level.upper(), handlers=[handler], force=True)
    for noisy in ("httpx", "httpcore", "qiskit", "uvicorn.access"):
        logging.getLogger(noisy).setLevel(logging.WARNING)
