"""The state of a local ledger, as it follows from its events.

Assumes that only `rules` and `epoch` change it. It lives in memory: the file holds events alone, so
there is no second copy that a crash could leave behind.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, field

from qsubnet.chain.canonical import digest
from qsubnet.chain.genesis import Genesis
from qsubnet.chain.model import (
    Block,
    EpochReport,
    Metagraph,
    Neuron,
    Pool,
    Published,
    Standing,
    WeightReceipt,
)


@dataclass(slots=True)
class Seat:
    """One uid and who holds it."""

    uid: int
    hotkey: str
    registered_block: int
    standings: tuple[Standing, ...]
    endpoint: str | None = None
    announced_block: int = 0
    permit: bool = False


@dataclass(frozen=True, slots=True)
class Row:
    """A validator's standing weights for one mechanism: (hotkey, registered block, u16)."""

    block: int
    entries: tuple[tuple[str, int, int], ...]


@dataclass(slots=True)
class State:
    """Everything that the next call or epoch depends on.

    Attributes:
        genesis: What it started from.
        head: Number of the newest block.
        pending: Calls in the open block, `head` + 1.
        nonces: Calls made by each account.
        balances: Free rao of each coldkey.
        owners: Coldkey of each hotkey that was ever registered.
        stakes: Stake of each hotkey.
        earned: Emission that each hotkey ever got.
        burned: Emission that nobody got.
        epochs: Epochs that have ended.
        seats: By uid.
        uids: The uid of each registered hotkey.
        left: Block in which a hotkey lost its seat last.
        rows: Weights in force, by (validator, mechanism).
        receipts: All weights ever accepted, by (validator, mechanism, epoch).
        commitments: By (hotkey, topic).
        last_epoch: Report on the latest epoch that ended.
    """

    genesis: Genesis
    head: int = 0
    pending: int = 0
    nonces: dict[str, int] = field(default_factory=dict)
    balances: dict[str, int] = field(default_factory=dict)
    owners: dict[str, str] = field(default_factory=dict)
    stakes: dict[str, int] = field(default_factory=dict)
    earned: dict[str, int] = field(default_factory=dict)
    burned: int = 0
    epochs: int = 0
    seats: dict[int, Seat] = field(default_factory=dict)
    uids: dict[str, int] = field(default_factory=dict)
    left: dict[str, int] = field(default_factory=dict)
    rows: dict[tuple[str, int], Row] = field(default_factory=dict)
    receipts: dict[tuple[str, int, int], WeightReceipt] = field(default_factory=dict)
    commitments: dict[tuple[str, str], Published] = field(default_factory=dict)
    last_epoch: EpochReport | None = None

    @classmethod
    def at_genesis(cls, genesis: Genesis) -> State:
        """Make the state before the first call."""
        return cls(genesis=genesis, balances=dict(genesis.balances))

    @property
    def open_block(self) -> int:
        """Number of the block that the next call goes into."""
        return self.head + 1

    def seat_of(self, hotkey: str) -> Seat | None:
        """Find a registered hotkey's seat."""
        uid = self.uids.get(hotkey)
        return None if uid is None else self.seats[uid]

    def state_digest(self) -> str:
        """Name the state: equal for two ledgers exactly if everything below is equal.

        The order in which calls of one block came in shows in it only where it changed an outcome.
        """
        return digest(
            {
                "genesis": genesis_digest(self.genesis),
                "head": self.head,
                "pending": self.pending,
                "nonces": self.nonces,
                "balances": self.balances,
                "owners": self.owners,
                "stakes": self.stakes,
                "earned": self.earned,
                "burned": self.burned,
                "epochs": self.epochs,
                "seats": [asdict(self.seats[uid]) for uid in sorted(self.seats)],
                "left": self.left,
                "rows": [[*key, asdict(row)] for key, row in sorted(self.rows.items())],
                "receipts": [asdict(self.receipts[key]) for key in sorted(self.receipts)],
                "commitments": [asdict(self.commitments[key]) for key in sorted(self.commitments)],
                "last_epoch": None if self.last_epoch is None else asdict(self.last_epoch),
            }
        )


def genesis_digest(genesis: Genesis) -> str:
    """Name a ledger by all that it starts from."""
    return digest(asdict(genesis))


def block_hash(seed: int, number: int) -> str:
    """Hash a block of the local ledger: from the seed and the number, whatever the block carries.

    Example:
        >>> block_hash(7, 0) == block_hash(7, 0) != block_hash(7, 1)
        True
    """
    return digest({"domain": "qsubnet/chain/1 block", "seed": seed, "number": number})


def newest_block(state: State) -> Block:
    """Show the newest block."""
    return Block(state.head, block_hash(state.genesis.seed, state.head))


def picture(state: State) -> Metagraph:
    """Show who is there."""
    return Metagraph(
        block=newest_block(state),
        epoch=state.genesis.params.epoch_at(state.head),
        pending=state.pending,
        neurons=tuple(_neuron(state, state.seats[uid]) for uid in sorted(state.seats)),
        last_epoch=state.last_epoch,
    )


def supply(state: State) -> Pool:
    """Show where the rao are; `issued_rao` is what was paid out plus what was burned."""
    return Pool(
        block=newest_block(state),
        issued_rao=state.epochs * state.genesis.params.emission_per_epoch_rao,
        burned_rao=state.burned,
        staked_rao=sum(state.stakes.values()),
        free_rao=sum(state.balances.values()),
    )


def _neuron(state: State, seat: Seat) -> Neuron:
    return Neuron(
        hotkey=seat.hotkey,
        coldkey=state.owners[seat.hotkey],
        uid=seat.uid,
        registered_block=seat.registered_block,
        stake_rao=state.stakes.get(seat.hotkey, 0),
        validator_permit=seat.permit,
        endpoint=seat.endpoint,
        standings=seat.standings,
        earned_rao=state.earned.get(seat.hotkey, 0),
    )
