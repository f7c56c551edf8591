"""An adapter's options as the command line takes them: a JSON object, and flags of exec's own."""

from __future__ import annotations

import json
from typing import Any

from qsubnet.errors import BadInput


def adapter_options(
    provider: str, options: str, *, command: str, sheet: str, format_: str, flag: str = "--options"
) -> dict[str, Any]:
    """Join `options`, a JSON object, with what exec's own flags said.

    Raises:
        BadInput: It is no JSON object, or a flag of exec goes with another adapter.

    Example:
        >>> adapter_options("exec", '{"timeout_s": 5}', command="dev", sheet="", format_="")
        {'timeout_s': 5, 'command': 'dev'}
    """
    given = {"command": command, "sheet": sheet, "format": format_}
    said = {name: value for name, value in given.items() if value}
    if said and provider != "exec":
        raise BadInput(f"--{next(iter(said))} is for --provider exec, got {provider!r}")
    return {**_object(options, flag), **said}


def _object(text: str, flag: str) -> dict[str, Any]:
    try:
        content = json.loads(text)
    except ValueError as error:
        raise BadInput(f"{flag} is no JSON: {error}") from None
    if not isinstance(content, dict):
        raise BadInput(f"{flag} needs a JSON object")
    return content
