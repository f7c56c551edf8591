"""The state of a local ledger recomputed from its events: on opening, on every read, in an audit.

One path for all three, so that what a process holds in memory is what a stranger recomputes.
Signatures are checked apart (`events.check_signatures`): they say who spoke, not what followed.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from qsubnet.chain.canonical import canonical
from qsubnet.chain.epoch import end_epoch
from qsubnet.chain.errors import BlockNotFound, ChainError, LedgerCorrupt
from qsubnet.chain.events import (
    BLOCKS,
    GENESIS,
    Signed,
    blocks_payload,
    check_link,
    read_genesis,
    read_signed,
)
from qsubnet.chain.model import EpochReport, Event, Inclusion, WeightReceipt
from qsubnet.chain.rules import apply_call
from qsubnet.chain.state import State


@dataclass(slots=True)
class Replayed:
    """A state and the last event that led to it."""

    state: State
    last: Event


def replay(events: Iterable[Event]) -> Replayed:
    """Recompute the state from a whole history, checking every link, rule and payment.

    Args:
        events: From the genesis on, in order.

    Raises:
        LedgerCorrupt: The history contradicts itself.
    """
    replayed: Replayed | None = None
    for event in events:
        if replayed is None:
            replayed = begin(event)
        else:
            advance(replayed, event)
    if replayed is None:
        raise LedgerCorrupt("a history begins with a genesis, got no event")
    return replayed


def replay_to(events: Iterable[Event], *, block: int) -> State:
    """Recompute the state as it was when `block` was the newest, with nothing in the open block.

    Raises:
        BlockNotFound: The history does not reach that block.
        LedgerCorrupt: The history contradicts itself.
    """
    replayed: Replayed | None = None
    for event in events:
        if replayed is None:
            replayed = begin(event)
        elif event.kind == BLOCKS and event.block > block:
            if block > replayed.state.head:
                make_blocks(replayed.state, to=block)
            break
        elif event.block > block:
            break
        else:
            advance(replayed, event)
    if replayed is None or replayed.state.head != block or block < 0:
        head = 0 if replayed is None else replayed.state.head
        raise BlockNotFound(f"blocks 0 .. {head} are made, got {block}")
    return replayed.state


def begin(event: Event) -> Replayed:
    """Start from the first event.

    Raises:
        LedgerCorrupt: It is no genesis, or was changed.
    """
    check_link(None, event)
    if event.kind != GENESIS:
        raise LedgerCorrupt(f"a history begins with a genesis, got {event.kind!r}")
    return Replayed(State.at_genesis(read_genesis(event)), event)


def advance(replayed: Replayed, event: Event) -> None:
    """Follow one more event, changing `replayed`.

    Raises:
        LedgerCorrupt: It does not follow from the history; drop `replayed` then.
    """
    check_link(replayed.last, event)
    state = replayed.state
    if event.kind == BLOCKS:
        if event.block <= state.head:
            raise LedgerCorrupt(f"block {event.block} was made before, in {event}")
        payload = canonical(blocks_payload(make_blocks(state, to=event.block)))
        if payload != event.payload:
            raise LedgerCorrupt(f"recomputed {payload}, recorded {event.payload}")
    else:
        if event.block != state.open_block:
            raise LedgerCorrupt(f"block {state.open_block} is open, got {event}")
        try:
            carry_out(state, read_signed(event))
        except LedgerCorrupt:
            raise
        except ChainError as error:
            raise LedgerCorrupt(f"the rules refuse {event}: {error}") from error
    replayed.last = event


def carry_out(state: State, signed: Signed) -> Inclusion | WeightReceipt:
    """Carry out a signed call at its place among its signer's calls.

    Raises:
        LedgerCorrupt: Its nonce is another one.
        ChainError: The rules refuse it; the state is unchanged.
    """
    expected = state.nonces.get(signed.signer, 0)
    if signed.nonce != expected:
        raise LedgerCorrupt(f"nonce {expected} of {signed.signer} is next, got {signed.nonce}")
    return apply_call(state, signed.call, signer=signed.signer)


def make_blocks(state: State, *, to: int) -> EpochReport | None:
    """Make blocks up to `to`, at most to the end of the open epoch; end the epoch if it is reached.

    Raises:
        LedgerCorrupt: `to` lies beyond the end of the epoch.
    """
    params = state.genesis.params
    end = params.start_of(params.epoch_at(state.head) + 1)
    if to > end:
        raise LedgerCorrupt(f"the open epoch ends with block {end}, got {to}")
    state.head = to
    state.pending = 0
    return end_epoch(state) if to == end else None
