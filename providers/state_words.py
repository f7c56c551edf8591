"""Where a job stands, in each vendor's words: one table, and no word is ever guessed.

Every row is checked against the vendor's own enumeration by the tests of its adapter.
"""

from __future__ import annotations

from providers.base import JobState
from providers.errors import AdapterFault

_QUEUED, _RUNNING, _COMPLETED, _FAILED, _CANCELLED = JobState

STATE_WORDS: dict[str, dict[str, JobState]] = {
    "azure": {
        "Waiting": _QUEUED,
        "Queued": _QUEUED,
        "Executing": _RUNNING,
        "Finishing": _RUNNING,
        "CancellationRequested": _RUNNING,
        "Cancelling": _RUNNING,
        "Succeeded": _COMPLETED,
        "Completed": _COMPLETED,
        "Failed": _FAILED,
        "Cancelled": _CANCELLED,
    },
    "braket": {
        "CREATED": _QUEUED,
        "QUEUED": _QUEUED,
        "RUNNING": _RUNNING,
        "CANCELLING": _RUNNING,
        "COMPLETED": _COMPLETED,
        "FAILED": _FAILED,
        "CANCELLED": _CANCELLED,
    },
    "cirq": {
        "READY": _QUEUED,
        "RUNNING": _RUNNING,
        "CANCELLING": _RUNNING,
        "SUCCESS": _COMPLETED,
        "FAILURE": _FAILED,
        "CANCELLED": _CANCELLED,
    },
    "ibm": {
        "INITIALIZING": _QUEUED,
        "QUEUED": _QUEUED,
        "RUNNING": _RUNNING,
        "DONE": _COMPLETED,
        "ERROR": _FAILED,
        "CANCELLED": _CANCELLED,
    },
    "ionq": {
        "submitted": _QUEUED,
        "ready": _QUEUED,
        "started": _RUNNING,
        "running": _RUNNING,
        "completed": _COMPLETED,
        "failed": _FAILED,
        "canceled": _CANCELLED,
    },
    "openquantum": {
        "Pending": _QUEUED,
        "Queued": _QUEUED,
        "Running": _RUNNING,
        "Completed": _COMPLETED,
        "Failed": _FAILED,
        "Canceled": _CANCELLED,
    },
}


def translated(vendor: str, word: str) -> JobState:
    """Translate a vendor's word for the state of a job.

    Raises:
        AdapterFault: The vendor never published this word.

    Example:
        >>> translated("ionq", "canceled")
        <JobState.CANCELLED: 'cancelled'>
    """
    known = STATE_WORDS[vendor]
    if word not in known:
        raise AdapterFault(f"{vendor} says {word[:80]!r} of a job, known are {sorted(known)}")
    return known[word]
