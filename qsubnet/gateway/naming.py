"""Names of user jobs, derived from a secret so that nobody guesses them and a retry repeats them.

One submission (an account and its idempotency key) has one id and, for each attempt, one job key.
So a submission that is repeated after a crash is the same job for the gateway and for the miner,
and on the wire its key looks like any other: 64 hex digits of an HMAC.
"""

from __future__ import annotations

import hashlib
import hmac
import json
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Naming:
    """Derives names.

    Attributes:
        secret: 32 bytes that only this operator knows.

    Example:
        >>> names = Naming(bytes(32))
        >>> names.job_id("ada", "one") == names.job_id("ada", "one") != names.job_id("bob", "one")
        True
    """

    secret: bytes

    def job_id(self, account: str, submission: str) -> str:
        """Name a job for its owner: `job-` and 32 hex digits."""
        return "job-" + self._derive("id", account, submission, 0)[:32]

    def job_key(self, job_id: str, *, attempt: int) -> str:
        """Name one attempt for the miner: 64 hex digits."""
        return self._derive("key", job_id, "", attempt)

    def _derive(self, *path: str | int) -> str:
        text = json.dumps(["user-job", *path], separators=(",", ":"))
        return hmac.new(self.secret, text.encode(), hashlib.sha256).hexdigest()
