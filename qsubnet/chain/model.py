"""What a chain shows: blocks, neurons, the end of an epoch, and the weights that it took.

Assumes amounts in rao (10^9 rao are 1 token) and shares in parts per billion, both integers, so
that every process reads the same state. Keys are ss58 addresses; an uid is a seat number that may
pass to another hotkey, so nothing outside is keyed by it.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

PPB: Final = 1_000_000_000
"""Parts per billion: the unit of consensus, incentive and dividends."""


@dataclass(frozen=True, slots=True, order=True)
class Block:
    """A block's number, 0 or more, and its hash, 64 hexadecimal characters."""

    number: int
    hash: str


@dataclass(frozen=True, slots=True)
class Standing:
    """What a neuron came to in one mechanism at the end of the last epoch.

    Attributes:
        mechanism: Mechanism number.
        consensus_ppb: Its stake-weighted median weight, rounded down.
        incentive_ppb: Its share among the miners; all neurons' sum to 10^9, or to 0.
        dividends_ppb: Its share among the validators; likewise.
        emission_rao: What it was paid for both.
    """

    mechanism: int
    consensus_ppb: int = 0
    incentive_ppb: int = 0
    dividends_ppb: int = 0
    emission_rao: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Neuron:
    """A registered hotkey.

    Attributes:
        hotkey: Its identity, together with `registered_block`.
        coldkey: Its owner.
        uid: Its seat; passes on when the neuron leaves.
        registered_block: Since when it holds this seat.
        stake_rao: Its stake.
        validator_permit: Whether it may set weights in the open epoch.
        endpoint: Where it serves, or None before it announced.
        standings: One for each mechanism, by ascending number.
        earned_rao: All emission that its hotkey ever got.
    """

    hotkey: str
    coldkey: str
    uid: int
    registered_block: int
    stake_rao: int
    validator_permit: bool
    endpoint: str | None
    standings: tuple[Standing, ...]
    earned_rao: int

    @property
    def emission_rao(self) -> int:
        """What the last epoch paid it, in all mechanisms."""
        return sum(standing.emission_rao for standing in self.standings)

    def standing(self, mechanism: int) -> Standing:
        """Pick the standing in one mechanism.

        Raises:
            KeyError: The subnet has no such mechanism.
        """
        for standing in self.standings:
            if standing.mechanism == mechanism:
                return standing
        raise KeyError(f"no mechanism {mechanism} among {[s.mechanism for s in self.standings]}")


@dataclass(frozen=True, slots=True, kw_only=True)
class MechanismReport:
    """Where one mechanism's budget went: budget = incentive + dividends + burned.

    Attributes:
        mechanism: Mechanism number.
        budget_rao: Its part of the emission.
        incentive_rao: Paid to miners.
        dividends_rao: Paid to validators.
        burned_rao: Paid to nobody, because no weight found a majority.
        validators: Hotkeys that were counted, sorted.
    """

    mechanism: int
    budget_rao: int
    incentive_rao: int
    dividends_rao: int
    burned_rao: int
    validators: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class EpochReport:
    """The end of an epoch: payments, and the permits for the next one (hotkeys, sorted)."""

    epoch: int
    block: int
    mechanisms: tuple[MechanismReport, ...]
    permits: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Metagraph:
    """Who is there, at one block.

    Attributes:
        block: Newest block that is in the picture.
        epoch: Epoch that was open then.
        pending: Calls in the picture that are in no block yet. 0 in a pinned snapshot.
        neurons: By ascending uid.
        last_epoch: The latest epoch that has ended, if any.
    """

    block: Block
    epoch: int
    pending: int
    neurons: tuple[Neuron, ...]
    last_epoch: EpochReport | None

    def neuron(self, hotkey: str) -> Neuron | None:
        """Find a hotkey's neuron; None if it is not registered."""
        return next((neuron for neuron in self.neurons if neuron.hotkey == hotkey), None)


class DropReason(StrEnum):
    """Why a hotkey of an intent got no weight on the chain."""

    NOT_REGISTERED = "not-registered"
    REGISTERED_AGAIN = "registered-again"
    OWN_HOTKEY = "own-hotkey"
    ROUNDED_TO_ZERO = "rounded-to-zero"


@dataclass(frozen=True, slots=True)
class Dropped:
    """A hotkey that got no weight although a positive one was asked for it."""

    hotkey: str
    reason: DropReason


@dataclass(frozen=True, slots=True, kw_only=True)
class WeightReceipt:
    """The chain's answer to a `WeightIntent`.

    Attributes:
        validator: Who set the weights.
        mechanism: For which mechanism.
        epoch: For which epoch.
        intent: Digest of the intent that was accepted.
        units: (hotkey, weight 1 .. 65535) by ascending hotkey.
        dropped: By ascending hotkey.
        block: Block that carries them.
        already_set: The same intent was accepted before, and this is its first receipt.
    """

    validator: str
    mechanism: int
    epoch: int
    intent: str
    units: tuple[tuple[str, int], ...]
    dropped: tuple[Dropped, ...]
    block: int
    already_set: bool = False


class WeightState(StrEnum):
    """How far a validator's weights of one epoch have come."""

    MISSING = "missing"
    PENDING = "pending"
    INCLUDED = "included"
    COUNTED = "counted"


@dataclass(frozen=True, slots=True)
class WeightStatus:
    """State, and the receipt unless the weights are missing."""

    state: WeightState
    receipt: WeightReceipt | None


@dataclass(frozen=True, slots=True)
class Inclusion:
    """A call stands in `block`; `repeated` if it stood there before and nothing was written."""

    block: int
    repeated: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Published:
    """A commitment as it stands on the chain: who, about what, which sha256, in which block."""

    hotkey: str
    topic: str
    digest: str
    block: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Pool:
    """The subnet's supply at one block, in rao.

    Attributes:
        block: When.
        issued_rao: All emission so far.
        burned_rao: The part of it that nobody got.
        staked_rao: All stake.
        free_rao: All free balances of coldkeys.
    """

    block: Block
    issued_rao: int
    burned_rao: int
    staked_rao: int
    free_rao: int


@dataclass(frozen=True, slots=True)
class Event:
    """One entry of the chain's history.

    Attributes:
        sequence: 0, 1, 2 ... without gaps.
        block: Block that carries it.
        index: Its place in that block.
        kind: What happened.
        payload: Canonical JSON.
        hash: sha256 over the previous event's hash and this event, hexadecimal.
    """

    sequence: int
    block: int
    index: int
    kind: str
    payload: str
    hash: str
