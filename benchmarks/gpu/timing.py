"""Cells of a table: seconds of one piece of work, or why there are none.

Wall clock, because a GPU's work is nobody's CPU time. The first run of a cell is thrown away where
it is short; the median of the rest is kept.

What would take too long or too much memory is not begun: time is extrapolated from the last
narrower width of the same engine, as 2**n n, and memory is counted before.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass

SHORT_S = 2.0
"""Work that is shorter is repeated; what is longer is steady enough by itself."""

_OVERHEAD_S = 0.2  # below, a cell says nothing of how the engine grows
_MARGIN = 1.1
_BESIDE = 1 << 30  # for everything that is no state


@dataclass(frozen=True, slots=True)
class Cell:
    """What came out of one piece of work.

    Attributes:
        seconds: Wall clock; None where it was not done or failed.
        why: The reason then.
    """

    seconds: float | None
    why: str = ""


def measured(
    work: Callable[[], object], *, repeats: int, clock: Callable[[], float] = time.perf_counter
) -> Cell:
    """Do a piece of work and time it; an error of the engine becomes the cell's reason.

    Args:
        work: Done `repeats` times, or until one time is beyond `SHORT_S`.
        repeats: At least 1.
        clock: Gives seconds.

    Example:
        >>> measured(lambda: 1 / 0, repeats=1).why
        'division by zero'
    """
    taken: list[float] = []
    try:
        for _ in range(repeats):
            begun = clock()
            work()
            taken.append(clock() - begun)
            if taken[-1] > SHORT_S:
                break
    except Exception as error:  # noqa: BLE001 - a table goes on with its next cell
        return Cell(None, f"{error}"[:120] or type(error).__name__)
    return Cell(statistics.median(taken[1:] or taken))


def too_much(needed: int, free: int, *, where: str) -> str:
    """Say that a state does not fit, or nothing where it does or `free` is unknown (0).

    Args:
        needed: Bytes of the state and its copies.
        free: Bytes that can be had.
        where: Whose memory it is.

    Example:
        >>> too_much(64 << 30, 22 << 30, where="the CPU")
        'needs 64 GiB, the CPU has 22'
    """
    if not free or needed * _MARGIN + min(_BESIDE, needed) <= free:
        return ""
    return f"needs {needed / 2**30:.3g} GiB, {where} has {free / 2**30:.0f}"


class Growth:
    """How long an engine took so far, and whether its next width would take too long.

    Args:
        limit_s: Longer work is not begun.

    Example:
        >>> growth = Growth(60.0)
        >>> growth.learn(20, Cell(10.0))
        >>> growth.too_long(21), growth.too_long(24)
        ('', 'about 192 s')
    """

    def __init__(self, limit_s: float) -> None:
        self._limit = limit_s
        self._last: tuple[int, float] | None = None

    def learn(self, width: int, cell: Cell) -> None:
        """Note a cell."""
        if cell.seconds is not None and cell.seconds > _OVERHEAD_S:
            self._last = width, cell.seconds

    def too_long(self, width: int) -> str:
        """Say how long `width` would take where that is beyond the limit, else nothing."""
        if self._last is None:
            return ""
        known, seconds = self._last
        guess = seconds * 2.0 ** (width - known) * width / known
        return f"about {guess:.0f} s" if guess > self._limit else ""
