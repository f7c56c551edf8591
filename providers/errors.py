"""Errors of `providers`, named by what the caller should do.

ProviderError              base
├── RetryLater             the backend is busy or out of reach: the same call later may work
│   └── OutcomeUnknown     a submission may or may not have arrived: `find` it first
├── Rejected               the backend refuses this job or option: mend it, never retry as it is
│   ├── UnknownDevice      no such device here
│   └── UnknownHandle      no such job here
├── NotReady               the result is not there yet: ask for the state first
├── JobFailed              the job ended without a result; the message is the backend's own
├── MissingSoftware        the adapter's SDK is not installed; the message says what to install
└── AdapterFault           our bug or a changed vendor word: report it
"""

from __future__ import annotations


class ProviderError(Exception):
    """A backend, or the adapter before it, could not do what was asked."""


class RetryLater(ProviderError):
    """The same call may work later; nothing was started."""


class OutcomeUnknown(RetryLater):
    """A submission may have arrived: look it up by its key before a second one."""


class Rejected(ProviderError):
    """The backend refuses this request, and would again."""


class UnknownDevice(Rejected):
    """The provider has no device of that name."""


class UnknownHandle(Rejected):
    """The provider has no job of that handle."""


class NotReady(ProviderError):
    """The job has not ended, so there is no result yet."""


class JobFailed(ProviderError):
    """The job ended without a result; a new job may work."""


class MissingSoftware(ProviderError):
    """The software behind an adapter is not installed."""


class AdapterFault(ProviderError):
    """The adapter met a word or shape that it does not know."""
