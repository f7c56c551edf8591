"""Which registration of its coldkey each hotkey is, counted from 1.

An accusation's error rate is charged to coldkeys: who comes back under a new hotkey after each
verdict would else get a fresh chance every time.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import TYPE_CHECKING

from qsubnet.chain.calls import Register
from qsubnet.chain.events import read_signed

if TYPE_CHECKING:
    from qsubnet.chain.model import Event


def registrations(events: Iterable[Event], *, before_block: int) -> dict[str, int]:
    """Count the registrations of each coldkey up to the newest one of each hotkey.

    Args:
        events: The history from the genesis on, in order.
        before_block: Only what happened before this block counts, so that every validator of an
            epoch counts the same.

    Returns:
        By hotkey, 1 for the first of its coldkey; hotkeys without a registration are left out.
    """
    made: Counter[str] = Counter()
    newest = {}
    for event in events:
        if event.kind != Register.kind or event.block >= before_block:
            continue
        signed = read_signed(event)
        made[signed.signer] += 1
        if isinstance(signed.call, Register):
            newest[signed.call.hotkey] = made[signed.signer]
    return newest
