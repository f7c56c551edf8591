"""Problems: what an HTTP error answer says, in the form of RFC 9457.

`type` is what programs compare and never changes its meaning; `detail` is for people and may
change. Assumes nothing about the service. Blind spot: a problem says what was refused, not by
whom; only a signed reply proves that.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

__all__ = ["PROBLEM_MEDIA_TYPE", "Problem", "ProblemType"]

PROBLEM_MEDIA_TYPE: Final = "application/problem+json"


class ProblemType(StrEnum):
    """The stable words for what can go wrong below any route."""

    UNAUTHENTICATED = "urn:qsubnet:problem:unauthenticated"
    BODY_TOO_LARGE = "urn:qsubnet:problem:body-too-large"
    BODY_TIMEOUT = "urn:qsubnet:problem:body-timeout"
    MALFORMED_BODY = "urn:qsubnet:problem:malformed-body"
    REPLY_TOO_LARGE = "urn:qsubnet:problem:reply-too-large"
    UNAVAILABLE = "urn:qsubnet:problem:unavailable"
    INTERNAL = "urn:qsubnet:problem:internal"


@dataclass(frozen=True, slots=True)
class Problem:
    """One error answer.

    Attributes:
        type: A stable URN; routes may use their own below `urn:qsubnet:problem:`.
        title: The same few words for every occurrence of `type`.
        status: HTTP status, 400 .. 599.
        detail: What was got and what is allowed, this time.
        reason: A stable word below `type` (say `stale` for `unauthenticated`), or None.

    Source:
        RFC 9457, section 3; `reason` is an extension member (section 3.2).

    Example:
        >>> Problem("urn:qsubnet:problem:x", title="X", status=400, detail="got 1").to_bytes()
        b'{"type":"urn:qsubnet:problem:x","title":"X","status":400,"detail":"got 1"}'
    """

    type: str
    title: str
    status: int
    detail: str
    reason: str | None = None

    def __post_init__(self) -> None:
        if not 400 <= self.status <= 599:
            raise ValueError(f"a problem needs 400 <= status <= 599, got status={self.status}")

    def to_bytes(self) -> bytes:
        """Return the JSON body, to be sent with `PROBLEM_MEDIA_TYPE`."""
        members: dict[str, str | int] = {
            "type": str(self.type),
            "title": self.title,
            "status": self.status,
            "detail": self.detail,
        }
        if self.reason is not None:
            members["reason"] = self.reason
        return json.dumps(members, separators=(",", ":")).encode("ascii")
