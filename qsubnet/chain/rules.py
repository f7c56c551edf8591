"""What each call does to the state of a local ledger, or why it does nothing.

Every rule checks first and changes then, so a `ChainError` leaves the state as it was. Replay goes
through the same rules as the first writing did.

Assumes that the signature was checked before. Source of the rules and their error names:
Bittensor's SubtensorModule, simplified: one subnet, no fees, a hotkey's stake comes from its own
coldkey alone.
"""

from __future__ import annotations

from dataclasses import replace

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
from qsubnet.chain.errors import (
    AccountNotAllowedCommit,
    CommitmentTaken,
    HotKeyAlreadyRegisteredInSubNet,
    HotKeyNotRegisteredInSubNet,
    NonAssociatedColdKey,
    NoNeuronIdAvailable,
    NotEnoughBalanceToStake,
    NotEnoughStakeToWithdraw,
    TooManyRegistrationsThisBlock,
)
from qsubnet.chain.model import Inclusion, Published, Standing, WeightReceipt
from qsubnet.chain.state import Seat, State
from qsubnet.chain.weighing import accept_weights, earlier_weights


def earlier(state: State, call: Call, *, signer: str) -> Inclusion | WeightReceipt | None:
    """Find where a call stands already, if it does; None for a call that is to be written.

    Raises:
        SettingWeightsTooFast: Other weights stand for that validator, mechanism and epoch.
        CommitmentTaken: Another digest stands under that hotkey and topic.
    """
    match call:
        case WeightIntent():
            receipt = earlier_weights(state, call)
            return receipt and replace(receipt, already_set=True)
        case Commitment():
            published = state.commitments.get((signer, call.topic))
            if published is None:
                return None
            if published.digest != call.digest:
                raise CommitmentTaken(
                    f"{signer} committed to {published.digest} under {call.topic!r} in block "
                    f"{published.block}, got {call.digest}"
                )
            return Inclusion(published.block, repeated=True)
        case Announcement():
            seat = state.seat_of(signer)
            if seat is not None and seat.endpoint == call.url:
                return Inclusion(seat.announced_block, repeated=True)
    return None


def apply_call(state: State, call: Call, *, signer: str) -> Inclusion | WeightReceipt:
    """Carry out a call that does not stand yet, in the open block.

    Raises:
        ChainError: The rules refuse it; the state is unchanged.
    """
    match call:
        case WeightIntent():
            receipt = accept_weights(state, call, signer=signer)
            _count(state, signer)
            return receipt
        case Announcement():
            _announce(state, call, hotkey=signer)
        case Commitment():
            _commit(state, call, hotkey=signer)
        case Register():
            _register(state, call, coldkey=signer)
        case Deregister():
            _check_owner(state, call.hotkey, coldkey=signer)
            _vacate(state, _seat(state, call.hotkey))
        case AddStake():
            _add_stake(state, call, coldkey=signer)
        case RemoveStake():
            _remove_stake(state, call, coldkey=signer)
    _count(state, signer)
    return Inclusion(state.open_block)


def _count(state: State, signer: str) -> None:
    state.nonces[signer] = state.nonces.get(signer, 0) + 1
    state.pending += 1


def _seat(state: State, hotkey: str) -> Seat:
    seat = state.seat_of(hotkey)
    if seat is None:
        raise HotKeyNotRegisteredInSubNet(f"{hotkey} has no seat on the subnet: register it first")
    return seat


def _check_owner(state: State, hotkey: str, *, coldkey: str) -> None:
    owner = state.owners.get(hotkey)
    if owner != coldkey:
        raise NonAssociatedColdKey(f"{hotkey} belongs to {owner or 'no coldkey'}, not to {coldkey}")


def _announce(state: State, call: Announcement, *, hotkey: str) -> None:
    seat = _seat(state, hotkey)
    seat.endpoint = call.url
    seat.announced_block = state.open_block


def _commit(state: State, call: Commitment, *, hotkey: str) -> None:
    if hotkey not in state.uids:
        raise AccountNotAllowedCommit(f"{hotkey} has no seat on the subnet: register it first")
    state.commitments[hotkey, call.topic] = Published(
        hotkey=hotkey, topic=call.topic, digest=call.digest, block=state.open_block
    )


def _register(state: State, call: Register, *, coldkey: str) -> None:
    hotkey = call.hotkey
    if hotkey in state.uids:
        raise HotKeyAlreadyRegisteredInSubNet(f"{hotkey} holds uid {state.uids[hotkey]} already")
    if hotkey in state.owners:
        _check_owner(state, hotkey, coldkey=coldkey)
    if state.left.get(hotkey) == state.open_block:
        # Its old and new registration would carry one block number, and weights tell them apart
        # by that number.
        raise TooManyRegistrationsThisBlock(
            f"{hotkey} left in block {state.open_block}: it may register again in the next one"
        )
    uid = _free_uid(state)
    if uid in state.seats:
        _vacate(state, state.seats[uid])
    standings = tuple(Standing(m.number) for m in state.genesis.params.mechanisms)
    state.seats[uid] = Seat(uid, hotkey, state.open_block, standings)
    state.uids[hotkey] = uid
    state.owners[hotkey] = coldkey


def _free_uid(state: State) -> int:
    """The lowest free uid, or that of the least paid neuron without permit or immunity."""
    params = state.genesis.params
    for uid in range(params.max_uids):
        if uid not in state.seats:
            return uid
    replaceable = [
        (sum(s.emission_rao for s in seat.standings), seat.registered_block, seat.uid)
        for seat in state.seats.values()
        if not seat.permit and seat.registered_block + params.immunity_blocks <= state.open_block
    ]
    if not replaceable:
        raise NoNeuronIdAvailable(
            f"all {params.max_uids} seats are held by validators or by neurons registered within "
            f"{params.immunity_blocks} blocks"
        )
    return min(replaceable)[2]


def _vacate(state: State, seat: Seat) -> None:
    del state.seats[seat.uid], state.uids[seat.hotkey]
    state.left[seat.hotkey] = state.open_block
    for mechanism in state.genesis.params.mechanisms:
        state.rows.pop((seat.hotkey, mechanism.number), None)


def _add_stake(state: State, call: AddStake, *, coldkey: str) -> None:
    _check_owner(state, call.hotkey, coldkey=coldkey)
    free = state.balances.get(coldkey, 0)
    if call.amount_rao > free:
        raise NotEnoughBalanceToStake(f"{coldkey} has {free} rao free, got {call.amount_rao}")
    state.balances[coldkey] = free - call.amount_rao
    state.stakes[call.hotkey] = state.stakes.get(call.hotkey, 0) + call.amount_rao


def _remove_stake(state: State, call: RemoveStake, *, coldkey: str) -> None:
    _check_owner(state, call.hotkey, coldkey=coldkey)
    stake = state.stakes.get(call.hotkey, 0)
    if call.amount_rao > stake:
        raise NotEnoughStakeToWithdraw(
            f"{call.hotkey} has a stake of {stake} rao, got {call.amount_rao}"
        )
    state.stakes[call.hotkey] = stake - call.amount_rao
    state.balances[coldkey] = state.balances.get(coldkey, 0) + call.amount_rao
