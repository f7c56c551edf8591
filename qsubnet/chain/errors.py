"""Chain errors, named by what the caller should do next.

    ChainError
    |-- RetryLater               wait for a block or an epoch, then try again
    |   |-- LedgerBusy               another process held the file for too long
    |   |-- LedgerMissing            no ledger at that path (yet)
    |   |-- BlockNotFound            that block is not made yet
    |   |-- EpochNotOpen             weights for an epoch of the future
    |   |-- SettingWeightsTooFast    this epoch's weights are set already, and differ
    |   |-- NeuronNoValidatorPermit  permits are given at the end of an epoch
    |   |-- TooManyRegistrationsThisBlock
    |   `-- NoNeuronIdAvailable      every seat is taken and immune
    |-- NeverRetry               the same call can not succeed; change it or drop it
    |   |-- EpochClosed, CommitmentTaken, LedgerMismatch, NoSigner
    |   |-- HotKeyNotRegisteredInSubNet, HotKeyAlreadyRegisteredInSubNet, AccountNotAllowedCommit
    |   |-- NonAssociatedColdKey, MechanismDoesNotExist, BadProof
    |   `-- NotEnoughStakeToSetWeights, NotEnoughBalanceToStake, NotEnoughStakeToWithdraw
    |-- OutcomeUnknown           ask `weight_status` or `metagraph` before sending again
    `-- LedgerCorrupt            our bug or a damaged file: stop and report

Names that Bittensor's chain has too are spelled as there (`BITTENSOR_NAMES`), so that one table of
reactions serves both; hence no `Error` suffix.

Source: the error catalogue of Bittensor's SubtensorModule and Commitments pallets, and Substrate's
transaction validity (BadProof).
"""

from __future__ import annotations

from typing import ClassVar

from qsubnet.errors import QsubnetError


class ChainError(QsubnetError):
    """A call to the chain failed; the subclass says what to do."""


class RetryLater(ChainError):
    """Nothing was written; the same call may succeed after a block or an epoch."""

    exit_code: ClassVar[int] = 3


class NeverRetry(ChainError):
    """Nothing was written; the same call can not succeed."""

    exit_code: ClassVar[int] = 2


class OutcomeUnknown(ChainError):
    """The call may or may not have been written: read the state before sending it again."""


class LedgerCorrupt(ChainError):
    """The ledger contradicts itself. A bug of ours, or a damaged file."""


class LedgerBusy(RetryLater):
    """Another process held the ledger's write lock for longer than the busy timeout."""


class LedgerMissing(RetryLater):
    """There is no ledger at that path, or it is not created yet."""


class BlockNotFound(RetryLater):
    """That block is beyond the newest one."""


class EpochNotOpen(RetryLater):
    """Weights were sent for an epoch that has not begun."""


class SettingWeightsTooFast(RetryLater):
    """This validator has set other weights for this mechanism in this epoch."""


class NeuronNoValidatorPermit(RetryLater):
    """The validator holds no permit in this epoch."""


class TooManyRegistrationsThisBlock(RetryLater):
    """The hotkey left in this very block; it may come back in the next one."""


class NoNeuronIdAvailable(RetryLater):
    """Every seat is taken, and nobody may be replaced."""


class EpochClosed(NeverRetry):
    """Weights were sent for an epoch that has been counted."""


class CommitmentTaken(NeverRetry):
    """Another digest stands under this hotkey and topic."""


class LedgerMismatch(NeverRetry):
    """The file holds a ledger with another genesis, or of another format."""


class NoSigner(NeverRetry):
    """The call is for a key that this connection does not sign for."""


class HotKeyNotRegisteredInSubNet(NeverRetry):
    """The hotkey has no seat."""


class HotKeyAlreadyRegisteredInSubNet(NeverRetry):
    """The hotkey has a seat already."""


class AccountNotAllowedCommit(NeverRetry):
    """Only a registered hotkey may publish a commitment."""


class NonAssociatedColdKey(NeverRetry):
    """The hotkey belongs to another coldkey."""


class MechanismDoesNotExist(NeverRetry):
    """The subnet has no mechanism of that number."""


class BadProof(NeverRetry):
    """The signature is not that of the named signer over this call."""


class NotEnoughStakeToSetWeights(NeverRetry):
    """The validator's stake is below the subnet's threshold."""


class NotEnoughBalanceToStake(NeverRetry):
    """The coldkey's free balance is smaller than the amount."""


class NotEnoughStakeToWithdraw(NeverRetry):
    """The hotkey's stake is smaller than the amount."""


BITTENSOR_NAMES: tuple[type[ChainError], ...] = (
    SettingWeightsTooFast,
    NeuronNoValidatorPermit,
    TooManyRegistrationsThisBlock,
    NoNeuronIdAvailable,
    HotKeyNotRegisteredInSubNet,
    HotKeyAlreadyRegisteredInSubNet,
    AccountNotAllowedCommit,
    NonAssociatedColdKey,
    MechanismDoesNotExist,
    BadProof,
    NotEnoughStakeToSetWeights,
    NotEnoughBalanceToStake,
    NotEnoughStakeToWithdraw,
)
