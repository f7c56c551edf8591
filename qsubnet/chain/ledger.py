"""The local ledger itself: events in a file, the state they lead to in memory.

A write takes the file's lock, catches up with what other processes wrote, checks the rules, signs,
appends one event and commits. A reader catches up and looks. Nothing is kept anywhere else.

Assumes calls from several threads, one at a time inside. A process must not share an open ledger
with a child that it forks: the child opens its own.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from qsubnet.chain.base import Signer, Verify
from qsubnet.chain.calls import Call, Json, signing_bytes
from qsubnet.chain.canonical import canonical
from qsubnet.chain.errors import ChainError, LedgerMismatch, LedgerMissing
from qsubnet.chain.events import (
    BLOCKS,
    GENESIS,
    Signed,
    blocks_payload,
    follow,
    genesis_payload,
    read_genesis,
    signed_payload,
)
from qsubnet.chain.genesis import Genesis
from qsubnet.chain.journal import BUSY_TIMEOUT_S, Journal
from qsubnet.chain.model import Block, Event, Inclusion, Metagraph, WeightReceipt
from qsubnet.chain.replay import Replayed, advance, begin, carry_out, make_blocks, replay_to
from qsubnet.chain.rules import earlier
from qsubnet.chain.state import State, genesis_digest, newest_block, picture


class Ledger:
    """One process's view of a ledger file."""

    def __init__(self, journal: Journal, *, verify: Verify) -> None:
        """Take over an open journal; `create` and `open` make one."""
        self._journal = journal
        self._verify = verify
        self._lock = threading.Lock()
        self._replayed: Replayed | None = None

    @classmethod
    def open(cls, path: Path, *, verify: Verify, busy_timeout_s: float = BUSY_TIMEOUT_S) -> Ledger:
        """Open a ledger that exists.

        Raises:
            LedgerMissing: It does not.
            LedgerMismatch: The file is something else.
        """
        ledger = cls(Journal(path, busy_timeout_s=busy_timeout_s), verify=verify)
        try:
            with ledger.current():
                return ledger
        except BaseException:
            ledger.close()
            raise

    @classmethod
    def create(cls, path: Path, genesis: Genesis, *, verify: Verify) -> Ledger:
        """Make a ledger, or open the one with the same genesis that is there.

        Raises:
            LedgerMismatch: A ledger with another genesis is there, or something else.
        """
        journal = Journal(path, create=True)
        try:
            _found(journal, genesis)
        except BaseException:
            journal.close()
            raise
        return cls(journal, verify=verify)

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            self._journal.close()

    @contextmanager
    def current(self) -> Iterator[State]:
        """Lend the state as of now; read from it inside the block only."""
        with self._lock:
            yield self._catch_up().state

    def at(self, block: int) -> Metagraph:
        """Show who was there when `block` was the newest and nothing was in the open one.

        Raises:
            BlockNotFound: It is not made yet.
        """
        with self._lock:
            state = self._catch_up().state
            if _position(state) != (block, 0):
                state = replay_to(self._journal.read(), block=block)
            return picture(state)

    def events(self, since: int) -> tuple[Event, ...]:
        """Read the history from sequence number `since` on."""
        with self._lock:
            return tuple(self._journal.read(since))

    def call(self, call: Call, *, signer: Signer) -> Inclusion | WeightReceipt:
        """Write a call, or find where it stands already.

        Raises:
            ChainError: See `errors`; except for `OutcomeUnknown`, nothing is written.
        """
        with self._lock, self._writing() as replayed:
            state = replayed.state
            found = earlier(state, call, signer=signer.ss58_address)
            if found is not None:
                return found
            signed = _sign(state, call, signer=signer)
            signed.check(genesis=genesis_digest(state.genesis), verify=self._verify)
            block = state.open_block
            result = carry_out(state, signed)
            self._append(replayed, block=block, kind=call.kind, payload=signed_payload(signed))
            return result

    def make_blocks(self, *, to: int) -> Block:
        """Make blocks up to `to`, ending every epoch on the way; nothing if they are made.

        Returns:
            The newest block.
        """
        with self._lock, self._writing() as replayed:
            state = replayed.state
            params = state.genesis.params
            while state.head < to:
                until = min(to, params.start_of(params.epoch_at(state.head) + 1))
                report = make_blocks(state, to=until)
                self._append(replayed, block=until, kind=BLOCKS, payload=blocks_payload(report))
            return newest_block(state)

    def _append(self, replayed: Replayed, *, block: int, kind: str, payload: Json) -> None:
        event = follow(replayed.last, block=block, kind=kind, payload=payload)
        self._journal.append(event)
        replayed.last = event

    @contextmanager
    def _writing(self) -> Iterator[Replayed]:
        """Lend the state under the write lock; forget it if what follows is not committed."""
        before: tuple[int, int] | None = None
        try:
            with self._journal.transaction():
                replayed = self._catch_up()
                before = _position(replayed.state)
                yield replayed
        except BaseException as error:
            refused = isinstance(error, ChainError) and before is not None
            if not (refused and self._replayed and _position(self._replayed.state) == before):
                self._replayed = None
            raise

    def _catch_up(self) -> Replayed:
        replayed = self._replayed
        events = self._journal.read(0 if replayed is None else replayed.last.sequence + 1)
        self._replayed = None  # until every event below is followed
        for event in events:
            if replayed is None:
                replayed = begin(event)
            else:
                advance(replayed, event)
        if replayed is None:
            raise LedgerMissing("the ledger has no genesis yet")
        self._replayed = replayed
        return replayed


def _position(state: State) -> tuple[int, int]:
    """What every change of the state moves on."""
    return state.head, state.pending


def _found(journal: Journal, genesis: Genesis) -> None:
    with journal.transaction():
        events = journal.read()
        if not events:
            payload = genesis_payload(genesis)
            journal.append(follow(None, block=0, kind=GENESIS, payload=payload))
        elif read_genesis(events[0]) != genesis:
            raise LedgerMismatch(
                f"need the genesis {canonical(genesis_payload(genesis))}, got {events[0].payload}"
            )


def _sign(state: State, call: Call, *, signer: Signer) -> Signed:
    address = signer.ss58_address
    nonce = state.nonces.get(address, 0)
    message = signing_bytes(
        genesis=genesis_digest(state.genesis),
        kind=call.kind,
        arguments=call.arguments(),
        signer=address,
        nonce=nonce,
    )
    return Signed(call, address, nonce, signer.sign(message).hex())
