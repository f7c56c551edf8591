"""Errors that only a gateway has, each with its word in `qsubnet.wire.refusals.KINDS`.

QsubnetError
├── BadInput
│   ├── TooWide               too-wide
│   └── IdempotencyConflict   idempotency-conflict
├── NotFound
│   └── UnknownDevice         unknown-device
├── ConfigurationError
│   └── UnknownKey            unauthenticated
└── Busy
    └── NotFinished           not-finished
"""

from __future__ import annotations

from typing import Final

from qsubnet.errors import BadInput, Busy, ConfigurationError, NotFound, QsubnetError


class TooWide(BadInput):
    """A program needs more qubits than the device has."""


class IdempotencyConflict(BadInput):
    """An idempotency key stands for another submission."""


class UnknownDevice(NotFound):
    """There is no such device; the message lists what there is."""


class UnknownKey(ConfigurationError):
    """The request carries no API key that is known here."""


class NotFinished(Busy):
    """The job has no result yet."""


WORDS: Final[dict[type[QsubnetError], str]] = {
    IdempotencyConflict: "idempotency-conflict",
    NotFinished: "not-finished",
    TooWide: "too-wide",
    UnknownDevice: "unknown-device",
    UnknownKey: "unauthenticated",
}
"""Their words."""
