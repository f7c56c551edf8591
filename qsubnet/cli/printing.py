"""What commands print: results on stdout, everything else on stderr, errors as one sentence."""

from __future__ import annotations

import json
import os
import sys
from typing import Any


def print_json(document: object) -> None:
    """Print one JSON object on one line, at once."""
    sys.stdout.write(json.dumps(document, default=str) + "\n")
    sys.stdout.flush()


def say(text: str) -> None:
    """Tell the person something that is not the result."""
    sys.stderr.write(text + "\n")
    sys.stderr.flush()


def explain(error: Exception) -> int | None:
    """Print an expected error as one sentence and give its exit code; None for any other.

    Only modules that are loaded already are looked into: an error of a module that nobody has
    imported cannot have been raised.
    """
    expected: tuple[tuple[str, str, int | None], ...] = (
        ("qsubnet.errors", "QsubnetError", None),
        ("circuits.errors", "CircuitError", 2),
        ("providers.errors", "Rejected", 2),
        ("providers.errors", "MissingSoftware", 2),
        ("providers.errors", "ProviderError", 4),
    )
    if isinstance(error, BrokenPipeError):
        # Whoever read our result has gone, as `head` does: no error, and nothing more to say.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    if isinstance(error, ModuleNotFoundError) and error.name:
        return _missing(error.name)
    for module, name, code in expected:
        kind: Any = getattr(sys.modules.get(module), name, None)
        if kind is not None and isinstance(error, kind):
            say(f"error: {error}")
            return int(getattr(error, "exit_code", 1)) if code is None else code
    return None


_EXTRAS = {
    "qiskit": "local",
    "qiskit_aer": "local",
    "numpy": "local",
    "cirq": "miner",
    "braket": "miner",
    "stim": "miner",
    "fastapi": "miner",
    "uvicorn": "miner",
    "sqlalchemy": "validator",
    "scipy": "validator",
    "bittensor": "validator",
    "plotly": "validator",
}


def _missing(module: str) -> int | None:
    extra = _EXTRAS.get(module.split(".", maxsplit=1)[0])
    if extra is None:
        return None
    say(f'error: this command needs {module}: pip install "qsubnet[{extra}]"')
    return 2
