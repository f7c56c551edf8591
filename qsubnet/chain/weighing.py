"""How a local ledger takes a validator's weights: once for each mechanism and epoch.

Assumes that the signature was checked before. A miner is identified by its hotkey and the block of
its registration, so weights earned by one registration never pass to the next.
"""

from __future__ import annotations

from qsubnet.chain.calls import Target, WeightIntent
from qsubnet.chain.errors import (
    EpochClosed,
    EpochNotOpen,
    HotKeyNotRegisteredInSubNet,
    MechanismDoesNotExist,
    NeuronNoValidatorPermit,
    NoSigner,
    NotEnoughStakeToSetWeights,
    SettingWeightsTooFast,
)
from qsubnet.chain.model import Dropped, DropReason, WeightReceipt
from qsubnet.chain.rounding import to_u16
from qsubnet.chain.state import Row, State


def earlier_weights(state: State, intent: WeightIntent) -> WeightReceipt | None:
    """Find the receipt of the same intent, or None if that validator's turn is still free.

    Raises:
        SettingWeightsTooFast: Other weights stand for that validator, mechanism and epoch.
    """
    receipt = state.receipts.get((intent.validator, intent.mechanism, intent.epoch))
    if receipt is not None and receipt.intent != intent.digest:
        raise SettingWeightsTooFast(
            f"{intent.validator} set weights {receipt.intent} for mechanism {intent.mechanism} in "
            f"epoch {intent.epoch}, got other weights {intent.digest}: wait for the next epoch"
        )
    return receipt


def accept_weights(state: State, intent: WeightIntent, *, signer: str) -> WeightReceipt:
    """Put an intent's weights in force and give the receipt.

    Raises:
        ChainError: The rules refuse it; the state is unchanged.
    """
    _check_turn(state, intent, signer=signer)
    kept, dropped = _resolve(state, intent)
    units = to_u16([target.weight for target in kept])
    entries = tuple(
        (target.hotkey, target.registered_block, unit)
        for target, unit in zip(kept, units, strict=True)
        if unit
    )
    dropped += [
        Dropped(target.hotkey, DropReason.ROUNDED_TO_ZERO)
        for target, unit in zip(kept, units, strict=True)
        if not unit
    ]
    receipt = WeightReceipt(
        validator=intent.validator,
        mechanism=intent.mechanism,
        epoch=intent.epoch,
        intent=intent.digest,
        units=tuple((hotkey, unit) for hotkey, _, unit in entries),
        dropped=tuple(sorted(dropped, key=lambda drop: drop.hotkey)),
        block=state.open_block,
    )
    state.rows[intent.validator, intent.mechanism] = Row(state.open_block, entries)
    state.receipts[intent.validator, intent.mechanism, intent.epoch] = receipt
    return receipt


def _check_turn(state: State, intent: WeightIntent, *, signer: str) -> None:
    params = state.genesis.params
    if signer != intent.validator:
        raise NoSigner(f"weights of {intent.validator} are signed by it, got {signer}")
    numbers = [mechanism.number for mechanism in params.mechanisms]
    if intent.mechanism not in numbers:
        raise MechanismDoesNotExist(f"mechanisms are {numbers}, got {intent.mechanism}")
    seat = state.seat_of(intent.validator)
    if seat is None:
        raise HotKeyNotRegisteredInSubNet(f"{intent.validator} has no seat on the subnet")
    epoch = params.epoch_at(state.head)
    if intent.epoch != epoch:
        error = EpochClosed if intent.epoch < epoch else EpochNotOpen
        raise error(f"epoch {epoch} is open, got weights for epoch {intent.epoch}")
    stake = state.stakes.get(intent.validator, 0)
    if stake < params.min_validator_stake_rao:
        raise NotEnoughStakeToSetWeights(
            f"need a stake of {params.min_validator_stake_rao} rao, {intent.validator} has {stake}"
        )
    if not seat.permit:
        raise NeuronNoValidatorPermit(
            f"{intent.validator} has no permit in epoch {epoch}; the next permits are given in "
            f"block {params.start_of(epoch + 1)}"
        )


def _resolve(state: State, intent: WeightIntent) -> tuple[list[Target], list[Dropped]]:
    """Part the targets with a positive weight into those to keep, by hotkey, and the rest."""
    kept: list[Target] = []
    dropped: list[Dropped] = []
    for target in sorted(intent.targets, key=lambda target: target.hotkey):
        if target.weight == 0:
            continue
        reason = _reason_to_drop(state, target, validator=intent.validator)
        if reason is None:
            kept.append(target)
        else:
            dropped.append(Dropped(target.hotkey, reason))
    return kept, dropped


def _reason_to_drop(state: State, target: Target, *, validator: str) -> DropReason | None:
    if target.hotkey == validator:
        return DropReason.OWN_HOTKEY
    seat = state.seat_of(target.hotkey)
    if seat is None:
        return DropReason.NOT_REGISTERED
    if seat.registered_block != target.registered_block:
        return DropReason.REGISTERED_AGAIN
    return None
