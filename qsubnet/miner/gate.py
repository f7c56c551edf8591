"""Whether new jobs are taken: not within a declared window of maintenance, not while we drain.

What is at the backend goes on either way, and what waits keeps its place.
"""

from __future__ import annotations

from datetime import UTC, datetime
from math import ceil
from typing import TYPE_CHECKING, Final

from qsubnet.errors import Unreachable

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from qsubnet.miner.configuration import Window

RESTART_S: Final = 30
"""Seconds after which it is worth asking a miner again that ends now."""


class Closed(Unreachable):
    """No new jobs now; the same request may work later.

    Args:
        message: Why.
        word: `maintenance` or `draining`.
        retry_after_s: When to come back, at least 1.
    """

    def __init__(self, message: str, *, word: str, retry_after_s: int) -> None:
        super().__init__(message)
        self.word = word
        self.retry_after_s = retry_after_s


class Gate:
    """Open, unless a window covers this moment or the miner drains.

    Args:
        windows: Declared maintenance.
        now_ms: Unix time in milliseconds.
    """

    def __init__(self, windows: Sequence[Window] = (), *, now_ms: Callable[[], int]) -> None:
        self._windows = tuple(sorted(windows, key=lambda window: (window.start, window.end)))
        self._now_ms = now_ms
        self._draining = False

    @property
    def draining(self) -> bool:
        """True once `drain` was called."""
        return self._draining

    def drain(self) -> None:
        """Close for good: this process ends."""
        self._draining = True

    def ahead(self) -> tuple[Window, ...]:
        """List the windows that are not over, the one that is on included."""
        now = self._now()
        return tuple(window for window in self._windows if window.end > now)

    def closed(self) -> Closed | None:
        """Say why no new job is taken, or None."""
        if self._draining:
            return Closed("this miner ends now", word="draining", retry_after_s=RESTART_S)
        now = self._now()
        covering = [window for window in self._windows if window.covers(now)]
        if not covering:
            return None
        last = max(covering, key=lambda window: window.end)
        seconds = max(1, ceil((last.end - now).total_seconds()))
        text = f"maintenance until {last.end.isoformat()}: {last.reason}"
        return Closed(text, word="maintenance", retry_after_s=seconds)

    def _now(self) -> datetime:
        return datetime.fromtimestamp(self._now_ms() / 1_000, UTC)
