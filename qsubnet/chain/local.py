"""The local ledger behind the protocols `Chain` and `Registrar`.

    ledger = create_local(path, Genesis(seed=7), verify=verify)   # once: the block producer
    chain = open_local(path, verify=verify, signer=hotkey)        # every other process

File access runs in a worker thread, so that waiting for another process's write does not stop the
event loop. A call that is cancelled may still be written: send it again to learn where it stands.

Assumes one process that makes blocks; two do no harm, since `advance_to` makes what is missing.
"""

from __future__ import annotations

import asyncio
from pathlib import Path
from types import TracebackType
from typing import Self

from qsubnet.chain.base import Signer, Verify
from qsubnet.chain.calls import (
    AddStake,
    Announcement,
    Call,
    Commitment,
    Deregister,
    Register,
    RemoveStake,
    WeightIntent,
)
from qsubnet.chain.errors import NoSigner
from qsubnet.chain.genesis import ChainParams, Genesis
from qsubnet.chain.ledger import Ledger
from qsubnet.chain.model import (
    Block,
    Event,
    Inclusion,
    Metagraph,
    Pool,
    Published,
    WeightReceipt,
    WeightState,
    WeightStatus,
)
from qsubnet.chain.state import newest_block, picture, supply


def create_local(
    path: Path, genesis: Genesis, *, verify: Verify, signer: Signer | None = None
) -> LocalChain:
    """Make a ledger at `path`, or open the one with the same genesis that is there.

    Args:
        path: File to make; its folder exists.
        genesis: What the ledger starts from.
        verify: Checks signatures of calls.
        signer: The hotkey to act as; None to read and to make blocks only.

    Raises:
        LedgerMismatch: The file holds a ledger with another genesis, or something else.

    Example:
        >>> import tempfile
        >>> folder = tempfile.TemporaryDirectory()
        >>> path = Path(folder.name) / "ledger.db"
        >>> chain = create_local(path, Genesis(seed=7), verify=lambda who, text, proof: False)
        >>> asyncio.run(chain.advance_to(20)).number
        20
        >>> chain.close(); folder.cleanup()
    """
    return LocalChain(Ledger.create(path, genesis, verify=verify), signer=signer)


def open_local(path: Path, *, verify: Verify, signer: Signer | None = None) -> LocalChain:
    """Open the ledger at `path`.

    Args:
        path: File of a ledger that exists.
        verify: Checks signatures of calls.
        signer: The hotkey to act as; None to read only.

    Raises:
        LedgerMissing: There is no ledger at that path (yet).
        LedgerMismatch: The file is something else.
    """
    return LocalChain(Ledger.open(path, verify=verify), signer=signer)


class LocalChain:
    """`Chain` on a local ledger; also makes its blocks."""

    def __init__(self, ledger: Ledger, *, signer: Signer | None) -> None:
        """Act on `ledger` as `signer`."""
        self._ledger = ledger
        self._signer = signer

    def close(self) -> None:
        """Close the file."""
        self._ledger.close()

    async def __aenter__(self) -> Self:
        """Use the connection in a block that closes it."""
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Close the file."""
        await asyncio.to_thread(self.close)

    def registrar(self, coldkey: Signer) -> LocalRegistrar:
        """Act on the same ledger as a coldkey."""
        return LocalRegistrar(self._ledger, coldkey=coldkey)

    async def produce(self, blocks: int = 1) -> Block:
        """Make so many blocks, and end the epochs that they complete.

        Raises:
            ValueError: Fewer than one block.
        """
        if blocks < 1:
            raise ValueError(f"need blocks >= 1, got {blocks}")
        head = await self.head()
        return await self.advance_to(head.number + blocks)

    async def advance_to(self, block: int) -> Block:
        """Make the blocks that are missing up to `block`; none if it is made. Safe to repeat."""
        return await asyncio.to_thread(self._ledger.make_blocks, to=block)

    async def state_digest(self) -> str:
        """Name the state as of now: what `replay` of the events must come to."""

        def look() -> str:
            with self._ledger.current() as state:
                return state.state_digest()

        return await asyncio.to_thread(look)

    async def head(self) -> Block:
        """Show the newest block."""

        def look() -> Block:
            with self._ledger.current() as state:
                return newest_block(state)

        return await asyncio.to_thread(look)

    async def params(self) -> ChainParams:
        """Show the subnet's rules."""

        def look() -> ChainParams:
            with self._ledger.current() as state:
                return state.genesis.params

        return await asyncio.to_thread(look)

    async def metagraph(self, block: int | None = None) -> Metagraph:
        """Show who is there, now or pinned at a past block."""

        def look() -> Metagraph:
            if block is not None:
                return self._ledger.at(block)
            with self._ledger.current() as state:
                return picture(state)

        return await asyncio.to_thread(look)

    async def pool(self) -> Pool:
        """Show the subnet's supply."""

        def look() -> Pool:
            with self._ledger.current() as state:
                return supply(state)

        return await asyncio.to_thread(look)

    async def events(self, since: int = 0) -> tuple[Event, ...]:
        """Show the history from sequence number `since` on."""
        return await asyncio.to_thread(self._ledger.events, since)

    async def announce(self, announcement: Announcement) -> Inclusion:
        """Publish where this connection's hotkey serves."""
        return _inclusion(await _call(self._ledger, announcement, self._signer))

    async def commit(self, commitment: Commitment) -> Inclusion:
        """Publish a digest as this connection's hotkey."""
        return _inclusion(await _call(self._ledger, commitment, self._signer))

    async def commitments(self, hotkey: str) -> tuple[Published, ...]:
        """Show all that a hotkey committed to."""

        def look() -> tuple[Published, ...]:
            with self._ledger.current() as state:
                mine = [entry for entry in state.commitments.values() if entry.hotkey == hotkey]
            return tuple(sorted(mine, key=lambda entry: (entry.block, entry.topic)))

        return await asyncio.to_thread(look)

    async def submit_weights(self, intent: WeightIntent) -> WeightReceipt:
        """Set the weights of this connection's hotkey, once for each mechanism and epoch."""
        if self._signer is None or self._signer.ss58_address != intent.validator:
            mine = "nobody" if self._signer is None else self._signer.ss58_address
            raise NoSigner(f"this connection signs for {mine}, got weights of {intent.validator}")
        receipt = await _call(self._ledger, intent, self._signer)
        if not isinstance(receipt, WeightReceipt):
            raise TypeError(f"weights are answered with a receipt, got {receipt!r}")
        return receipt

    async def weight_status(self, validator: str, *, mechanism: int, epoch: int) -> WeightStatus:
        """Show how far a validator's weights have come, and what was accepted."""

        def look() -> WeightStatus:
            with self._ledger.current() as state:
                receipt = state.receipts.get((validator, mechanism, epoch))
                if receipt is None:
                    return WeightStatus(WeightState.MISSING, None)
                if receipt.block > state.head:
                    return WeightStatus(WeightState.PENDING, receipt)
                counted = epoch < state.epochs
            return WeightStatus(WeightState.COUNTED if counted else WeightState.INCLUDED, receipt)

        return await asyncio.to_thread(look)


class LocalRegistrar:
    """`Registrar` on a local ledger."""

    def __init__(self, ledger: Ledger, *, coldkey: Signer) -> None:
        """Act on `ledger` as `coldkey`."""
        self._ledger = ledger
        self._coldkey = coldkey

    async def register(self, hotkey: str) -> Inclusion:
        """Take a seat for a hotkey."""
        return _inclusion(await _call(self._ledger, Register(hotkey), self._coldkey))

    async def deregister(self, hotkey: str) -> Inclusion:
        """Give the hotkey's seat up."""
        return _inclusion(await _call(self._ledger, Deregister(hotkey), self._coldkey))

    async def add_stake(self, hotkey: str, amount_rao: int) -> Inclusion:
        """Move free balance into stake."""
        return _inclusion(await _call(self._ledger, AddStake(hotkey, amount_rao), self._coldkey))

    async def remove_stake(self, hotkey: str, amount_rao: int) -> Inclusion:
        """Move stake into free balance."""
        return _inclusion(await _call(self._ledger, RemoveStake(hotkey, amount_rao), self._coldkey))

    async def balance(self) -> int:
        """Show the coldkey's free balance in rao."""

        def look() -> int:
            with self._ledger.current() as state:
                return state.balances.get(self._coldkey.ss58_address, 0)

        return await asyncio.to_thread(look)


async def _call(ledger: Ledger, call: Call, signer: Signer | None) -> Inclusion | WeightReceipt:
    if signer is None:
        raise NoSigner(f"this connection only reads, got a call of kind {call.kind!r}")
    return await asyncio.to_thread(ledger.call, call, signer=signer)


def _inclusion(result: Inclusion | WeightReceipt) -> Inclusion:
    if not isinstance(result, Inclusion):
        raise TypeError(f"expected an inclusion, got {result!r}")
    return result
