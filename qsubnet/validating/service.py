"""One round of validating: collect what is finished, submit what is due, judge, set weights.

A round never waits for a backend, so cron can run it at any rate, and it may be killed anywhere:
whatever it does is written before it is told, and doing it twice changes nothing. An epoch goes
drawn -> planned -> judged -> closed. Its tests leave once their commitment is public; its verdicts
and weights are fixed in one transaction, when every test has ended or when only the last quarter of
the epoch's blocks is left, and no answer of that epoch counts afterwards, so that the stored
records give the same verdicts for ever.

Blind spot: a backend whose queue is longer than an epoch never gets an answer in.
"""

from __future__ import annotations

import logging
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

from qsubnet.chain.calls import Commitment, Target, WeightIntent
from qsubnet.chain.errors import CommitmentTaken, EpochClosed, SettingWeightsTooFast
from qsubnet.chain.registrations import registrations
from qsubnet.store import dispatches, evaluation
from qsubnet.store.evaluation import EpochRow, EpochState
from qsubnet.validating.ingesting import ingest
from qsubnet.validating.judging import judge_all, verdict_document, weights_by_mechanism
from qsubnet.validating.planning import ask_claims, draw_epoch, permutation_key, write_epoch
from validator.score import Grade

if TYPE_CHECKING:
    from collections.abc import Mapping

    from qsubnet.chain.base import Chain
    from qsubnet.chain.model import Metagraph
    from qsubnet.directory import ChainDirectory
    from qsubnet.dispatcher import Dispatcher
    from qsubnet.receipts import ReceiptDesk
    from qsubnet.store.database import Store
    from validator.references.reference import Reference

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
            sqlalchemy.exc.SQLAlchemyError: The store fails; the same holds.
        """
        picture = await self.directory.refresh()
        epoch = picture.epoch
        row = self._begin(epoch)
        if row is not None and row.state is EpochState.CLOSED:
            return Round(epoch, 0, closed=True)
        if not _may_validate(picture, self.hotkey):
            return Round(epoch, 0, closed=False)
        if row is None:
            row = await self._draw(epoch)
        if row.state is EpochState.DRAWN:
            await self._publish(row)
        if row.state is not EpochState.JUDGED:
            open_tests = await self.dispatcher.step("test")
            ingest(self.store, self.desk)
            if open_tests and not await self._closing(picture):
                return Round(epoch, open_tests, closed=False)
            self._judge(epoch, await self._registrations(epoch))
        await self._tell(epoch)
        return Round(epoch, 0, closed=True)

    def _begin(self, epoch: int) -> EpochRow | None:
        """Give up on what earlier epochs left open, and look where this one stands."""
        with self.store.write() as connection:
            dispatches.expire(connection, "test", before_epoch=epoch)
            dispatches.withdraw(
                connection,
                "test",
                up_to_epoch=epoch - 1,
                detail="the epoch ended before its commitment was public",
            )
            return evaluation.epoch(connection, epoch)

    async def _draw(self, epoch: int) -> EpochRow:
        """Draw the epoch's tests and write them down; they do not leave yet."""
        opening = (await self.chain.params()).start_of(epoch)
        pinned = await self.chain.metagraph(opening)
        hotkeys = {neuron.hotkey for neuron in pinned.neurons} - {self.hotkey}
        with self.store.read() as connection:
            newest = evaluation.newest_verdicts(connection)
        drawn = draw_epoch(
            await ask_claims(self.directory, self.store, hotkeys=hotkeys),
            secret=self.secret,
            epoch=epoch,
            block=opening,
            block_hash=pinned.block.hash,
            reached={device: Grade(str(found["grade"])) for device, found in newest.items()},
        )
        write_epoch(self.store, drawn)
        log.info("drawn", extra={"epoch": epoch, "jobs": len(drawn.jobs)})
        return drawn.row

    async def _publish(self, row: EpochRow) -> None:
        """Publish the commitment to the epoch's case keys, then let its tests go.

        Where another commitment of ours stands, the store was lost since: what we hold is not what
        we promised, so nothing of it leaves.
        """
        taken = False
        if row.commitment:
            topic = f"case-keys/{row.epoch}"
            try:
                await self.chain.commit(Commitment(topic=topic, digest=row.commitment))
            except CommitmentTaken as error:
                fields = {"epoch": row.epoch, "error": str(error)}
                log.error("no tests in this epoch", extra=fields)  # noqa: TRY400 - its text says all
                taken = True
        with self.store.write() as connection:
            if taken:
                dispatches.withdraw(
                    connection,
                    "test",
                    up_to_epoch=row.epoch,
                    detail="another commitment stands for this epoch",
                )
            dispatches.let_go(connection, "test", row.epoch)
            evaluation.move_epoch(connection, row.epoch, EpochState.PLANNED)

    async def _closing(self, picture: Metagraph) -> bool:
        """Tell whether the epoch is so near its end that weights must go out now."""
        params = await self.chain.params()
        left = params.start_of(picture.epoch + 1) - picture.block.number
        return left <= params.tempo // _CLOSING_SHARE

    async def _registrations(self, epoch: int) -> dict[str, int]:
        """Count registrations as they stood when the epoch opened."""
        opening = (await self.chain.params()).start_of(epoch)
        return registrations(await self.chain.events(), before_block=opening)

    def _judge(self, epoch: int, counted: Mapping[str, int]) -> None:
        """Judge, and fix the verdicts and the weights of every mechanism."""
        with self.store.write() as connection:
            dispatches.expire(connection, "test", before_epoch=epoch + 1)
        ingest(self.store, self.desk)
        with self.store.read() as connection:
            rows = evaluation.full_records(connection, up_to_epoch=epoch)
        judged = judge_all(
            rows,
            epoch=epoch,
            reference=self.reference,
            permutation_key=lambda hotkey, device: permutation_key(self.secret, hotkey, device),
            registrations=counted,
        )
        with self.store.write() as connection:
            for (hotkey, name), (device, verdict) in judged.items():
                document = verdict_document(device, verdict, registration=counted.get(hotkey, 1))
                evaluation.add_verdict(connection, epoch, hotkey, name, document)
            for mechanism, weights in weights_by_mechanism(judged).items():
                evaluation.add_intent(connection, epoch, mechanism, weights)
            evaluation.move_epoch(connection, epoch, EpochState.JUDGED)
        log.info("judged", extra={"epoch": epoch, "devices": len(judged)})

    async def _tell(self, epoch: int) -> None:
        """Tell the chain the fixed weights of every mechanism, and close the epoch."""
        with self.store.read() as connection:
            intents = evaluation.intents(connection, epoch)
        pinned = await self.chain.metagraph((await self.chain.params()).start_of(epoch))
        registered = {neuron.hotkey: neuron.registered_block for neuron in pinned.neurons}
        for mechanism, weights in intents.items():
            targets = tuple(
                Target(hotkey, weight, registered[hotkey])
                for hotkey, weight in sorted(weights.items())
                if hotkey in registered
            )
            receipt = await self._set_weights(
                WeightIntent(
                    validator=self.hotkey, mechanism=mechanism, epoch=epoch, targets=targets
                )
            )
            with self.store.write() as connection:
                evaluation.keep_receipt(connection, epoch, mechanism, receipt)
        with self.store.write() as connection:
            evaluation.move_epoch(connection, epoch, EpochState.CLOSED)
        log.info("closed", extra={"epoch": epoch})

    async def _set_weights(self, intent: WeightIntent) -> dict[str, object]:
        """Send an intent and give what the chain says; the same intent twice is one.

        That other weights stand already, or that the epoch went by, no retry will change.
        """
        try:
            return asdict(await self.chain.submit_weights(intent))
        except (SettingWeightsTooFast, EpochClosed) as error:
            fields = {"epoch": intent.epoch, "mechanism": intent.mechanism, "error": str(error)}
            log.error("weights not set", extra=fields)  # noqa: TRY400 - its text says all
            return {"refused": type(error).__name__, "detail": str(error)}


def _may_validate(picture: Metagraph, hotkey: str) -> bool:
    neuron = picture.neuron(hotkey)
    return neuron is not None and neuron.validator_permit
