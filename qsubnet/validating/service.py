"""One round of validating: collect what is finished, submit what is due, judge, set weights.

A round never waits, so cron can run it at any rate, and it may be killed anywhere: whatever it
does is written before it is told, and doing it twice changes nothing. Weights are set once in an
epoch, when every test has ended or when only the last quarter of the epoch's blocks is left.
"""

from __future__ import annotations

import logging
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

from qsubnet.chain.calls import Commitment, Target, WeightIntent
from qsubnet.chain.errors import ChainError
from qsubnet.store import dispatches, evaluation
from qsubnet.store.evaluation import EpochState
from qsubnet.validating.ingesting import ingest
from qsubnet.validating.judging import judge_all, verdict_document, weights_by_mechanism
from qsubnet.validating.planning import ask_claims, draw_epoch, permutation_key, write_epoch

if TYPE_CHECKING:
    from qsubnet.chain.base import Chain
    from qsubnet.chain.model import Metagraph
    from qsubnet.directory import ChainDirectory
    from qsubnet.dispatcher import Dispatcher
    from qsubnet.receipts import ReceiptDesk
    from qsubnet.store.database import Store
    from validator.reference import Reference

log = logging.getLogger(__name__)

_CLOSING_SHARE = 4


@dataclass(frozen=True, slots=True)
class Round:
    """What one round found and did.

    Attributes:
        epoch: The open epoch.
        open_tests: Tests that have not ended.
        closed: True once this epoch's weights are set.
    """

    epoch: int
    open_tests: int
    closed: bool


@dataclass(frozen=True, slots=True)
class ValidatingService:
    """Everything that a round needs.

    Attributes:
        chain: Acts as the validator's hotkey.
        directory: Finds miners.
        dispatcher: Sends and collects jobs.
        desk: Verifies receipts.
        store: The operator's.
        reference: Exact distributions.
        secret: From which case keys are derived; at least 16 bytes.
        hotkey: The validator's.
    """

    chain: Chain
    directory: ChainDirectory
    dispatcher: Dispatcher
    desk: ReceiptDesk
    store: Store
    reference: Reference
    secret: bytes
    hotkey: str

    async def round(self) -> Round:
        """Do one round.

        Raises:
            ChainError: The chain refuses or is out of reach; the next round goes on from here.
        """
        picture = await self.directory.refresh()
        epoch = picture.epoch
        with self.store.write() as connection:
            dispatches.expire(connection, "test", before_epoch=epoch)
            planned = evaluation.epoch(connection, epoch)
        if planned is not None and planned.state is EpochState.CLOSED:
            return Round(epoch, 0, closed=True)
        if not _may_validate(picture, self.hotkey):
            return Round(epoch, 0, closed=False)
        if planned is None:
            await self._plan(epoch)
        open_tests = await self.dispatcher.step("test")
        ingest(self.store, self.desk)
        if open_tests and not await self._closing(picture):
            return Round(epoch, open_tests, closed=False)
        await self._close(epoch)
        return Round(epoch, open_tests, closed=True)

    async def _plan(self, epoch: int) -> None:
        """Draw the epoch's tests, publish the commitment to their keys, then write them down."""
        opening = (await self.chain.params()).start_of(epoch)
        pinned = await self.chain.metagraph(opening)
        drawn = draw_epoch(
            await ask_claims(self.directory, self.store),
            secret=self.secret,
            epoch=epoch,
            block=opening,
            block_hash=pinned.block.hash,
        )
        if drawn.row.commitment:
            await self._commit(f"case-keys/{epoch}", drawn.row.commitment)
        write_epoch(self.store, drawn)
        log.info("planned", extra={"epoch": epoch, "jobs": len(drawn.jobs)})

    async def _commit(self, topic: str, digest: str) -> None:
        """Publish a commitment; one that stands already, from before a crash, stays.

        A crash between publishing and writing may leave a commitment to a draw that was never
        used, if the miners' claims changed meanwhile; the chain then shows the mismatch.
        """
        try:
            await self.chain.commit(Commitment(topic=topic, digest=digest))
        except ChainError as error:
            log.warning("commitment not taken", extra={"topic": topic, "error": str(error)})

    async def _closing(self, picture: Metagraph) -> bool:
        """Tell whether the epoch is so near its end that weights must go out now."""
        params = await self.chain.params()
        left = params.start_of(picture.epoch + 1) - picture.block.number
        return left <= params.tempo // _CLOSING_SHARE

    async def _close(self, epoch: int) -> None:
        """Judge, set the weights of every mechanism, and close the epoch."""
        with self.store.read() as connection:
            rows = evaluation.full_records(connection, up_to_epoch=epoch)
        judged = judge_all(
            rows,
            reference=self.reference,
            permutation_key=lambda hotkey, device: permutation_key(self.secret, hotkey, device),
        )
        with self.store.write() as connection:
            for (hotkey, name), (device, verdict) in judged.items():
                document = verdict_document(device, verdict)
                evaluation.add_verdict(connection, epoch, hotkey, name, document)
        for mechanism, weights in weights_by_mechanism(judged).items():
            await self._set_weights(epoch, mechanism, weights)
        with self.store.write() as connection:
            evaluation.close_epoch(connection, epoch)
        log.info("closed", extra={"epoch": epoch, "devices": len(judged)})

    async def _set_weights(self, epoch: int, mechanism: int, weights: dict[str, float]) -> None:
        """Fix an intent in the store, then tell the chain; the same intent twice is one."""
        with self.store.write() as connection:
            fixed = evaluation.add_intent(connection, epoch, mechanism, weights)
        pinned = await self.chain.metagraph((await self.chain.params()).start_of(epoch))
        registered = {neuron.hotkey: neuron.registered_block for neuron in pinned.neurons}
        intent = WeightIntent(
            validator=self.hotkey,
            mechanism=mechanism,
            epoch=epoch,
            targets=tuple(
                Target(hotkey, weight, registered[hotkey])
                for hotkey, weight in sorted(fixed.items())
                if hotkey in registered
            ),
        )
        receipt = await self.chain.submit_weights(intent)
        with self.store.write() as connection:
            evaluation.keep_receipt(connection, epoch, mechanism, asdict(receipt))


def _may_validate(picture: Metagraph, hotkey: str) -> bool:
    neuron = picture.neuron(hotkey)
    return neuron is not None and neuron.validator_permit
