"""JSON values as TOML text: what `tomllib` reads back as the same values.

Assumes values as JSON has them. TOML has no null, and its whole numbers end at 64 bits.
Source: TOML v1.0.0.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

from qsubnet.errors import BadInput

if TYPE_CHECKING:
    from pydantic import JsonValue

_BARE = re.compile(r"[A-Za-z0-9_-]+")
_LARGEST = 2**63


def toml_key(name: str) -> str:
    """Write a key, bare where it can be.

    Example:
        >>> toml_key("num_qubits"), toml_key("a b")
        ('num_qubits', '"a b"')
    """
    return name if _BARE.fullmatch(name) else toml_value(name)


def toml_value(value: JsonValue) -> str:
    """Write a value on one line.

    Raises:
        BadInput: A null, a number that TOML has not, or text with half a character.

    Example:
        >>> toml_value({"timeout_s": 5.0, "flags": [True, "a"]})
        '{timeout_s = 5.0, flags = [true, "a"]}'
    """
    match value:
        case bool():
            return "true" if value else "false"
        case int() if -_LARGEST <= value < _LARGEST:
            return str(value)
        case float() if value - value == 0.0:  # neither infinite nor NaN
            text = repr(value)
            return text if set(text) & set(".e") else f"{text}.0"
        case str():
            return _text(value)
        case list():
            return f"[{', '.join(toml_value(one) for one in value)}]"
        case dict():
            pairs = (f"{toml_key(name)} = {toml_value(one)}" for name, one in value.items())
            return f"{{{', '.join(pairs)}}}"
    raise BadInput(f"an option cannot be written as TOML: {str(value)[:80]!r}")


def _text(value: str) -> str:
    try:
        value.encode()
    except UnicodeEncodeError:
        raise BadInput("a text with half a character cannot be written as TOML") from None
    # JSON escapes what TOML escapes, but for DEL.
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
