"""Measure a device through its adapter, and two for twins."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from qsubnet.judging.live import Bench, Pause, Watch, device_of
from qsubnet.measuring.measured import Measured, checked_shots, measure
from qsubnet.measuring.subject import Subject

if TYPE_CHECKING:
    from qsubnet.measuring.wish import Wish


async def measure_live(
    kind: str,
    benches: Sequence[tuple[Bench, str]],
    wish: Wish,
    *,
    shots: int | None = None,
    watch: Watch = lambda _: None,
    pause: Pause = asyncio.sleep,
) -> Measured:
    """Measure a figure.

    Args:
        kind: A name in `qsubnet.measuring.kinds.KINDS`.
        benches: One or two providers, each with the name of its device ('' for the first).
        wish: What of it; the second bench becomes its second device.
        shots: Of every circuit; the kind's own unless told.
        watch: Told what happens.
        pause: Waits between two looks at a job.

    Raises:
        NotFound: A provider has no such device.
        BadInput: The wish does not fit the kind or the device.
        JobFailed: A device answers nothing.
        circuits.errors.CircuitError: No circuit can be drawn on its gates and couplings.
    """
    subjects = []
    for bench, name in benches:
        device = await device_of(bench.provider, name)
        count = checked_shots(kind, device, shots)
        subjects.append(Subject(bench.provider, device, bench.secret, count, watch, pause))
    second = subjects[1] if len(subjects) > 1 else None
    return await measure(kind, subjects[0], replace(wish, second=second))
