"""Errors of the network, and the exit code that the command line ends with for each.

QsubnetError           1   base: something failed that has no better word; report it
├── BadInput           2   what you gave is wrong; the message says what is allowed
├── ConfigurationError 2   a setting, key file or store is wrong
├── Unreachable        3   a service does not answer; retry later
├── JobFailed          4   the job ended without a result
├── NotFound           5   no such job, device or file
├── Busy               6   another process holds the lock; it does the work
└── PeerFault          7   a peer's answer is not what the protocol allows
"""

from __future__ import annotations

from typing import ClassVar


class QsubnetError(Exception):
    """Something failed; `exit_code` is what the command line ends with."""

    exit_code: ClassVar[int] = 1


class BadInput(QsubnetError):
    """What the user gave is wrong."""

    exit_code = 2


class ConfigurationError(QsubnetError):
    """A setting, key file or store is wrong or does not fit this software."""

    exit_code = 2


class Unreachable(QsubnetError):
    """A service does not answer; the same call later may work."""

    exit_code = 3


class JobFailed(QsubnetError):
    """A job ended without a result."""

    exit_code = 4


class NotFound(QsubnetError):
    """There is no such job, device or file."""

    exit_code = 5


class Busy(QsubnetError):
    """Another process holds the lock and does the work."""

    exit_code = 6


class PeerFault(QsubnetError):
    """A peer's answer breaks the protocol; nothing of it is used."""

    exit_code = 7


class Refused(QsubnetError):
    """A peer signed a refusal; `status` is its HTTP status."""

    exit_code = 8

    def __init__(self, message: str, *, status: int) -> None:
        super().__init__(message)
        self.status = status
