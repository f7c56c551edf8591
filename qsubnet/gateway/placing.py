"""Place a job: choose its device, compile its programs for it, and write the dispatch for both.

Nothing is stored here; a placement that fails leaves nothing behind.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from circuits.errors import LimitError
from providers.base import Job
from qsubnet.gateway.router import choose, needs_of
from qsubnet.store.dispatches import Dispatch
from qsubnet.wire.domain import request_from_job
from qsubnet.wire.limits import MAX_DISTINCT_BITSTRINGS

if TYPE_CHECKING:
    from circuits.program import Program
    from qsubnet.gateway.market import Market
    from qsubnet.gateway.naming import Naming
    from qsubnet.gateway.preparing import Workshop


@dataclass(frozen=True, slots=True)
class Order:
    """What is to be placed.

    Attributes:
        job_id: The user's job.
        programs: As they were read.
        shots: Of each.
        memory: Keep the shots in order.
        asked: Device as the user named it, or None.
        optimization: How hard to compile, or None.
    """

    job_id: str
    programs: Sequence[Program]
    shots: int
    memory: bool
    asked: str | None
    optimization: int | None = None


class Placement:
    """Places jobs on the market.

    Args:
        market: Offers and verdicts.
        workshop: Compiles.
        naming: Derives job keys.
    """

    def __init__(self, market: Market, *, workshop: Workshop, naming: Naming) -> None:
        self._market = market
        self._workshop = workshop
        self._naming = naming

    async def place(
        self, order: Order, *, attempt: int = 0, without: Collection[tuple[str, str]] = ()
    ) -> Dispatch:
        """Choose, compile and write down.

        Args:
            order: The job.
            attempt: Number of devices that have failed it.
            without: Those devices.

        Raises:
            BadInput, NotFound, Unreachable, CircuitError: See `choose` and `compile_for`.
        """
        check_answer_size(order)
        offer = choose(
            needs_of(order.programs, shots=order.shots),
            self._market.offers,
            self._market.verdicts(),
            asked=order.asked,
            without=without,
            silent=self._market.silent,
        )
        compiled = await self._workshop.compile(
            offer.device, order.programs, optimization=order.optimization
        )
        key = self._naming.job_key(order.job_id, attempt=attempt)
        job = Job(
            key, offer.device.name, tuple(compiled), order.shots, verbatim=True, memory=order.memory
        )
        return Dispatch(
            job_key=key,
            purpose="user",
            miner_hotkey=offer.hotkey,
            device=offer.device.name,
            claim=offer.claim.model_dump_json(),
            request=request_from_job(job).model_dump_json(),
            epoch=self._market.epoch,
        )


def check_answer_size(order: Order) -> None:
    """Refuse a job whose answer may be larger than what a miner can send at once.

    Raises:
        LimitError: Too many distinct bitstrings may come back.
    """
    most = sum(min(order.shots, 1 << min(one.num_bits, 40)) for one in order.programs)
    if most > MAX_DISTINCT_BITSTRINGS:
        raise LimitError(
            f"{len(order.programs)} programs of {order.shots} shots may give {most} distinct "
            f"bitstrings, allowed are {MAX_DISTINCT_BITSTRINGS}: ask for less at once"
        )
