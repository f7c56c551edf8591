"""One spelling for every value that is hashed or signed.

Assumes plain JSON values with text keys. Floats are written in their shortest form that reads back
to the same number; that form is the same on every platform that Python runs on.
"""

from __future__ import annotations

import hashlib
import json
import re
from typing import Final

_ADDRESS: Final = re.compile(r"[A-Za-z0-9]{1,64}")


def canonical(value: object) -> str:
    """Spell a JSON value in the one way that is hashed and signed: sorted keys, ASCII, no spaces.

    Raises:
        ValueError: A float is not finite.
        TypeError: The value is no JSON value.

    Example:
        >>> canonical({"b": 1, "a": [0.5, None]})
        '{"a":[0.5,null],"b":1}'
    """
    return json.dumps(
        value, sort_keys=True, separators=(",", ":"), ensure_ascii=True, allow_nan=False
    )


def digest(value: object) -> str:
    """Name a JSON value by the sha256 of its canonical spelling, 64 hexadecimal characters.

    Example:
        >>> digest({})[:16]
        '44136fa355b3678a'
    """
    return hashlib.sha256(canonical(value).encode()).hexdigest()


def check_address(address: str, *, role: str) -> str:
    """Give `address` back if it is spelled like an account's address.

    Raises:
        ValueError: It is not 1 to 64 ASCII letters and digits. (That an ss58 checksum is right is
            shown by the account's signature, not here.)

    Example:
        >>> check_address("5GrwvaEF", role="hotkey")
        '5GrwvaEF'
    """
    if not _ADDRESS.fullmatch(address):
        raise ValueError(f"a {role} is 1 to 64 ASCII letters and digits, got {address[:80]!r}")
    return address
