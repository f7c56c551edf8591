"""The dispatcher: the one way by which jobs leave for miners, tests and users' jobs alike.

It takes dispatches from the store, hands them to their miners, asks how they stand, fetches what
is finished, verifies and countersigns the receipt, and stores the answer. Each step is idempotent,
so it may be killed anywhere: the store says where to go on, and the miner knows every job by its
key. What a miner does wrong ends that dispatch, never the dispatcher; one that hangs is left to
itself, while later steps go on with the others.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Coroutine
from itertools import groupby
from typing import TYPE_CHECKING, Any, Protocol

from sqlalchemy.exc import SQLAlchemyError

from qsubnet.errors import PeerFault, QsubnetError, Refused, Unreachable
from qsubnet.store import dispatches
from qsubnet.store.dispatches import Dispatch, DispatchState, Purpose
from qsubnet.wire import peer
from qsubnet.wire.domain import answer_bytes
from qsubnet.wire.miner_port import NoAnswer

if TYPE_CHECKING:
    from qsubnet.receipts import ReceiptDesk
    from qsubnet.store.database import Store
    from qsubnet.wire.miner_port import MinerPort

log = logging.getLogger(__name__)

PATIENCE_S = 15.0
PROMPT_S = 1.0

_PER_MINER = 4
_BATCH = 256


class Directory(Protocol):
    """Finds miners by hotkey."""

    def port(self, hotkey: str) -> MinerPort | None:
        """Give the port of a miner that has announced where it serves; else None."""
        ...


class Dispatcher:
    """Moves dispatches along.

    Args:
        store: The operator's store.
        directory: Finds miners; refreshed by its owner.
        desk: Verifies and countersigns receipts as this operator.
        owner: Names this process in leases; the same name after a restart finds its leases again.
        now_ms: Unix time in milliseconds, for leases only.
        patience_s: Most seconds of work with one miner in one go.
        prompt_s: Most seconds that a step waits for miners; slower ones go on beside later steps.
    """

    def __init__(
        self,
        store: Store,
        *,
        directory: Directory,
        desk: ReceiptDesk,
        owner: str,
        now_ms: Callable[[], int],
        patience_s: float = PATIENCE_S,
        prompt_s: float = PROMPT_S,
    ) -> None:
        self._store = store
        self._directory = directory
        self._desk = desk
        self._owner = owner
        self._now_ms = now_ms
        self._patience_s = patience_s
        self._prompt_s = prompt_s
        self._busy: dict[tuple[Purpose, str], asyncio.Task[None]] = {}

    async def step(self, purpose: Purpose) -> int:
        """Move every open dispatch of `purpose` as far as it goes without waiting.

        Returns:
            How many dispatches are still open.

        Raises:
            sqlalchemy.exc.SQLAlchemyError: The store fails; nothing is lost, call again.
        """
        begun = [
            self._begin(purpose, hotkey, taken) for hotkey, taken in self._take(purpose).items()
        ]
        if begun:
            await asyncio.wait(begun, timeout=self._prompt_s)
        else:
            await asyncio.sleep(0)  # whoever steps in a loop must not starve those that work
        with self._store.read() as connection:
            return dispatches.count_open(connection, purpose)

    async def close(self) -> None:
        """Stop the work with miners that hang; what they have not answered is asked again."""
        for work in list(self._busy.values()):
            work.cancel()
        await asyncio.gather(*self._busy.values(), return_exceptions=True)

    async def cancel(self, job_key: str) -> None:
        """Give a dispatch up, and tell its miner if that can be reached now."""
        with self._store.write() as connection:
            found = dispatches.get(connection, job_key)
            moved = dispatches.move(
                connection, job_key, DispatchState.CANCELLED, detail="cancelled by the requester"
            )
        port = found and self._directory.port(found.miner_hotkey)
        if moved and found and port:
            try:
                async with asyncio.timeout(self._prompt_s):
                    await port.cancel(job_key)
            except (TimeoutError, QsubnetError) as error:
                log.info("cancel not delivered", extra={"job_key": job_key, "error": str(error)})

    def _begin(self, purpose: Purpose, hotkey: str, taken: list[Dispatch]) -> asyncio.Task[None]:
        work = asyncio.create_task(self._attend(hotkey, taken))
        self._busy[purpose, hotkey] = work
        work.add_done_callback(lambda _: self._busy.pop((purpose, hotkey), None))
        return work

    def _take(self, purpose: Purpose) -> dict[str, list[Dispatch]]:
        """Lease all that can be worked on, by miner; those that are being worked with are not."""
        busy = [hotkey for owner, hotkey in self._busy if owner == purpose]
        taken: list[Dispatch] = []
        after = (-1, "")
        while True:
            with self._store.write() as connection:
                page = dispatches.claim(
                    connection,
                    purpose,
                    owner=self._owner,
                    now_ms=self._now_ms(),
                    limit=_BATCH,
                    after=after,
                    except_miners=busy,
                )
            taken += page
            if len(page) < _BATCH:
                break
            after = (page[-1].epoch, page[-1].job_key)
        taken.sort(key=lambda dispatch: dispatch.miner_hotkey)
        return {hotkey: list(group) for hotkey, group in groupby(taken, lambda d: d.miner_hotkey)}

    async def _attend(self, hotkey: str, taken: list[Dispatch]) -> None:
        """Work with one miner for as long as patience lasts; never raises."""
        try:
            port = self._directory.port(hotkey)
            if port is not None:
                async with asyncio.timeout(self._patience_s):
                    await self._work(port, taken)
        except TimeoutError:
            log.info("miner too slow", extra={"miner": hotkey, "jobs": len(taken)})
        except SQLAlchemyError:
            log.warning("store failed, later again", exc_info=True, extra={"miner": hotkey})
        finally:
            self._release(hotkey, taken)

    async def _work(self, port: MinerPort, taken: list[Dispatch]) -> None:
        """Advance the dispatches, a few at a time, until the miner falls silent."""
        left = iter(taken)
        silent = asyncio.Event()

        async def worker() -> None:
            for dispatch in left:
                if silent.is_set():
                    return
                try:
                    await self._advance(dispatch, port)
                except NoAnswer as error:
                    silent.set()
                    log.info(
                        "miner unreachable",
                        extra={"job_key": dispatch.job_key, "error": str(error)},
                    )

        await _all([worker() for _ in range(min(_PER_MINER, len(taken)))])

    def _release(self, hotkey: str, taken: list[Dispatch]) -> None:
        keys = [dispatch.job_key for dispatch in taken]
        try:
            with self._store.write() as connection:
                dispatches.release(connection, keys, owner=self._owner)
        except SQLAlchemyError:
            log.warning("leases not given back", exc_info=True, extra={"miner": hotkey})

    async def _advance(self, dispatch: Dispatch, port: MinerPort) -> None:
        """Move one dispatch along.

        Raises:
            NoAnswer: The miner is silent.
            sqlalchemy.exc.SQLAlchemyError: The store fails.
        """
        try:
            await self._exchange(dispatch, port)
        except (NoAnswer, SQLAlchemyError):
            raise
        except Unreachable as error:
            log.info("miner asks to wait", extra={"job_key": dispatch.job_key, "error": str(error)})
        except (Refused, PeerFault) as error:
            self._move(dispatch, DispatchState.FAILED, detail=str(error))
        except Exception as error:  # border: one bad answer must not stop the others
            log.exception("dispatch failed by a fault of ours", extra={"job_key": dispatch.job_key})
            detail = f"internal fault: {type(error).__name__}"
            self._move(dispatch, DispatchState.FAILED, detail=detail)

    async def _exchange(self, dispatch: Dispatch, port: MinerPort) -> None:
        if dispatch.state is DispatchState.ANSWERED and dispatch.answer is not None:
            stored = peer.JobAnswer.model_validate_json(dispatch.answer)
            await self._hand_receipt(dispatch, stored, port)
            return
        if dispatch.state is DispatchState.DUE:
            status = await port.submit(peer.JobRequest.model_validate_json(dispatch.request))
            self._move(dispatch, DispatchState.SENT)
        else:
            known = await port.status(dispatch.job_key)
            if known is None:
                self._move(dispatch, DispatchState.DUE)
                return
            status = known
        if status.state == "completed":
            await self._settle(dispatch, port)
        elif status.state in {"failed", "cancelled"}:
            self._move(
                dispatch, DispatchState.FAILED, detail=status.detail or f"the job {status.state}"
            )

    async def _settle(self, dispatch: Dispatch, port: MinerPort) -> None:
        """Fetch, verify, countersign and store an answer, then give the miner its receipt."""
        request = peer.JobRequest.model_validate_json(dispatch.request)
        answer = await port.answer(dispatch.job_key, max_bytes=answer_bytes(request))
        settled = self._desk.settle(dispatch, answer)
        text = settled.model_dump_json()
        if self._move(dispatch, DispatchState.ANSWERED, answer=text):
            await self._hand_receipt(dispatch, settled, port)

    async def _hand_receipt(
        self, dispatch: Dispatch, settled: peer.JobAnswer, port: MinerPort
    ) -> None:
        """Give the miner its copy; it is tried again unless the miner does not want it."""
        try:
            await port.hand_receipt(dispatch.job_key, settled.receipt)
        except (Refused, PeerFault) as error:
            log.info("receipt not taken", extra={"job_key": dispatch.job_key, "error": str(error)})
        with self._store.write() as connection:
            dispatches.receipt_handed(connection, dispatch.job_key)

    def _move(
        self, dispatch: Dispatch, to: DispatchState, *, detail: str = "", answer: str | None = None
    ) -> bool:
        with self._store.write() as connection:
            moved = dispatches.move(connection, dispatch.job_key, to, detail=detail, answer=answer)
        if moved and to is DispatchState.FAILED:
            log.warning(
                "dispatch failed",
                extra={
                    "job_key": dispatch.job_key,
                    "miner": dispatch.miner_hotkey,
                    "device": dispatch.device,
                    "detail": detail[:500],
                },
            )
        return moved


async def _all(works: list[Coroutine[Any, Any, None]]) -> None:
    """Run works together; where one fails, the others end before its error goes on."""
    tasks = [asyncio.create_task(work) for work in works]
    try:
        await asyncio.gather(*tasks)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
