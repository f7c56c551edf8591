"""The two doors of a chain: `Chain` for hotkeys, `Registrar` for coldkeys.

Assumes amounts in rao and keys as ss58 addresses. Every picture carries its block. A connection
acts for one key, given when it is opened; reading needs none. Which error asks for what: `errors`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol, TypeAlias, runtime_checkable

from qsubnet.chain.calls import Announcement, Commitment, WeightIntent
from qsubnet.chain.genesis import ChainParams
from qsubnet.chain.model import (
    Block,
    Event,
    Inclusion,
    Metagraph,
    Pool,
    Published,
    WeightReceipt,
    WeightStatus,
)

Verify: TypeAlias = Callable[[str, bytes, bytes], bool]
"""(ss58 address, message, signature) -> whether that account signed that message. Never raises."""


class Signer(Protocol):
    """A key that can sign. Bittensor's `Keypair` is one."""

    @property
    def ss58_address(self) -> str:
        """The account's address."""
        ...

    def sign(self, message: bytes, /) -> bytes:
        """Sign the message."""
        ...


@runtime_checkable
class Chain(Protocol):
    """Read the subnet, and act on it as one hotkey.

    Reads raise `RetryLater` or `LedgerCorrupt` only. Calls are idempotent: what stands already is
    answered with where it stands, so after `OutcomeUnknown` or a crash send the same call again.
    """

    async def head(self) -> Block:
        """Show the newest block."""
        ...

    async def params(self) -> ChainParams:
        """Show the subnet's rules."""
        ...

    async def metagraph(self, block: int | None = None) -> Metagraph:
        """Show who is there: now (calls in the open block included), or pinned at a past block.

        Pin a block for everything that two validators must agree on; a pinned picture never
        changes.

        Raises:
            BlockNotFound: `block` is beyond the newest one.
        """
        ...

    async def announce(self, announcement: Announcement) -> Inclusion:
        """Publish where this connection's hotkey serves.

        Raises:
            HotKeyNotRegisteredInSubNet: It has no seat.
            NoSigner: This connection only reads.
        """
        ...

    async def commit(self, commitment: Commitment) -> Inclusion:
        """Publish a digest as this connection's hotkey.

        Raises:
            AccountNotAllowedCommit: The hotkey has no seat.
            CommitmentTaken: Another digest stands under that topic.
            NoSigner: This connection only reads.
        """
        ...

    async def commitments(self, hotkey: str) -> tuple[Published, ...]:
        """Show all that a hotkey committed to, oldest block first, then by topic."""
        ...

    async def submit_weights(self, intent: WeightIntent) -> WeightReceipt:
        """Set the weights of this connection's hotkey, once for each mechanism and epoch.

        Hotkeys are resolved to seats at one block, inside. A hotkey that left, or was registered
        again since the registration that the intent names, gets nothing and is reported.

        Returns:
            The receipt; for an intent that was accepted before, its first receipt.

        Raises:
            SettingWeightsTooFast: Other weights stand for that mechanism and epoch.
            EpochClosed, EpochNotOpen: The intent's epoch is not the open one.
            NeuronNoValidatorPermit, NotEnoughStakeToSetWeights, HotKeyNotRegisteredInSubNet:
                The hotkey may not set weights.
            MechanismDoesNotExist: No such mechanism.
            NoSigner: This connection does not act for `intent.validator`.
        """
        ...

    async def weight_status(self, validator: str, *, mechanism: int, epoch: int) -> WeightStatus:
        """Show how far a validator's weights have come, and what was accepted."""
        ...

    async def pool(self) -> Pool:
        """Show the subnet's supply."""
        ...

    async def events(self, since: int = 0) -> tuple[Event, ...]:
        """Show the history from sequence number `since` on."""
        ...


@runtime_checkable
class Registrar(Protocol):
    """Act on the subnet as one coldkey."""

    async def register(self, hotkey: str) -> Inclusion:
        """Take a seat for a hotkey: the lowest free one, or else that of the least paid neuron.

        Raises:
            HotKeyAlreadyRegisteredInSubNet: It has a seat.
            NonAssociatedColdKey: It belongs to another coldkey.
            NoNeuronIdAvailable: Every seat is taken, and nobody may be replaced.
            TooManyRegistrationsThisBlock: The hotkey left in this very block.
        """
        ...

    async def deregister(self, hotkey: str) -> Inclusion:
        """Give the hotkey's seat up.

        Raises:
            HotKeyNotRegisteredInSubNet: It has none.
            NonAssociatedColdKey: It belongs to another coldkey.
        """
        ...

    async def add_stake(self, hotkey: str, amount_rao: int) -> Inclusion:
        """Move free balance into stake. Not idempotent: look at the stake before a second try.

        Raises:
            NonAssociatedColdKey: It belongs to another coldkey, or to none yet.
            NotEnoughBalanceToStake: The free balance is smaller.
        """
        ...

    async def remove_stake(self, hotkey: str, amount_rao: int) -> Inclusion:
        """Move stake into free balance. Not idempotent either.

        Raises:
            NonAssociatedColdKey: It belongs to another coldkey, or to none yet.
            NotEnoughStakeToWithdraw: The stake is smaller.
        """
        ...

    async def balance(self) -> int:
        """Show the coldkey's free balance in rao."""
        ...
