"""Who may send jobs: hotkeys with a validator permit and enough stake, whose signature was checked.

The signature is checked before (`qsubnet.wire.signed_app`); here is decided by a picture of the
chain from the last seconds. Nobody is turned away by an old picture: permits are given at the end
of an epoch, and tests come at once.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final

from qsubnet.chain.errors import ChainError
from qsubnet.errors import Unreachable

if TYPE_CHECKING:
    from collections.abc import Callable

    from qsubnet.chain.base import Chain

_FRESH_S: Final = 2.0


class NotAdmitted(Exception):
    """The caller is authenticated and may not send jobs."""


class Permits:
    """Knows the admitted hotkeys.

    Args:
        chain: Read from.
        now_s: A clock that never goes back, in seconds.
        min_stake_rao: Stake that a hotkey needs beside its permit; 0 asks for none.
    """

    def __init__(self, chain: Chain, *, now_s: Callable[[], float], min_stake_rao: int = 0) -> None:
        self._chain = chain
        self._now_s = now_s
        self._min_stake_rao = min_stake_rao
        self._stakes: dict[str, int] = {}
        self._until = -math.inf

    async def admits(self, hotkey: str) -> bool:
        """Tell whether `hotkey` may send jobs.

        Raises:
            NotAdmitted: It has a permit, but too little stake.
            Unreachable: The chain cannot be read now.
        """
        if self._now_s() > self._until or not self._enough(hotkey):
            await self._look()
        if hotkey in self._stakes and not self._enough(hotkey):
            raise NotAdmitted(
                f"{hotkey} has {self._stakes[hotkey]} rao of stake, this miner asks for "
                f"{self._min_stake_rao}"
            )
        return hotkey in self._stakes

    def _enough(self, hotkey: str) -> bool:
        return self._stakes.get(hotkey, -1) >= self._min_stake_rao

    async def _look(self) -> None:
        try:
            picture = await self._chain.metagraph()
        except ChainError as error:
            raise Unreachable(f"the chain cannot be read now: {error}") from error
        self._stakes = {n.hotkey: n.stake_rao for n in picture.neurons if n.validator_permit}
        self._until = self._now_s() + _FRESH_S
