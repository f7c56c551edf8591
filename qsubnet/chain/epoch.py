"""The end of an epoch on a local ledger: weights are counted, emission is paid, permits are given.

Weights are counted with the permits that were in force while they were set; then the next epoch's
permits go to the largest stakes. Emission of a mechanism in which nothing found a majority is
burned and reported: no seat is a default receiver.

Assumes that stake changes by its coldkey's will only: what a hotkey earns is booked apart, so that
the median does not drift with what it pays. Source: Bittensor's epoch, without bonds (`consensus`).
"""

from __future__ import annotations

from dataclasses import dataclass

from qsubnet.chain.consensus import ONE, settle
from qsubnet.chain.genesis import Mechanism
from qsubnet.chain.model import PPB, EpochReport, MechanismReport, Standing
from qsubnet.chain.rounding import largest_remainder
from qsubnet.chain.state import Seat, State


@dataclass(frozen=True, slots=True)
class _Contest:
    report: MechanismReport
    standings: dict[str, Standing]


def end_epoch(state: State) -> EpochReport:
    """Count, pay, and give permits, at block `state.head`.

    Returns:
        What was done; the same is in the state.
    """
    params = state.genesis.params
    budgets = largest_remainder(
        params.emission_per_epoch_rao, [mechanism.share for mechanism in params.mechanisms]
    )
    contests = [
        _contest(state, mechanism, budget)
        for mechanism, budget in zip(params.mechanisms, budgets, strict=True)
    ]
    for seat in state.seats.values():
        seat.standings = tuple(contest.standings[seat.hotkey] for contest in contests)
        paid = sum(standing.emission_rao for standing in seat.standings)
        if paid:
            state.earned[seat.hotkey] = state.earned.get(seat.hotkey, 0) + paid
    state.burned += sum(contest.report.burned_rao for contest in contests)
    report = EpochReport(
        epoch=state.epochs,
        block=state.head,
        mechanisms=tuple(contest.report for contest in contests),
        permits=_give_permits(state),
    )
    state.epochs += 1
    state.last_epoch = report
    return report


def _contest(state: State, mechanism: Mechanism, budget: int) -> _Contest:
    hotkeys = sorted(state.uids)
    voters = _voters(state, mechanism.number)
    outcome = settle(
        [state.stakes[seat.hotkey] for seat in voters],
        [_weights(state, seat, mechanism.number, hotkeys) for seat in voters],
        kappa=state.genesis.params.kappa,
    )
    levels = outcome.levels or (0,) * len(hotkeys)
    ranks = outcome.ranks or (0,) * len(hotkeys)
    found = any(ranks)
    for_miners = budget * state.genesis.params.incentive_percent // 100 if found else 0
    for_voters = budget - for_miners if found else 0
    dividends = _by_hotkey([seat.hotkey for seat in voters], PPB, outcome.earnings)
    paid_voters = _by_hotkey([seat.hotkey for seat in voters], for_voters, outcome.earnings)
    incentive = _by_hotkey(hotkeys, PPB, ranks)
    paid_miners = _by_hotkey(hotkeys, for_miners, ranks)
    standings = {
        hotkey: Standing(
            mechanism.number,
            consensus_ppb=level * PPB // ONE,
            incentive_ppb=incentive[hotkey],
            dividends_ppb=dividends.get(hotkey, 0),
            emission_rao=paid_miners[hotkey] + paid_voters.get(hotkey, 0),
        )
        for hotkey, level in zip(hotkeys, levels, strict=True)
    }
    report = MechanismReport(
        mechanism=mechanism.number,
        budget_rao=budget,
        incentive_rao=for_miners,
        dividends_rao=for_voters,
        burned_rao=0 if found else budget,
        validators=tuple(seat.hotkey for seat in voters),
    )
    return _Contest(report, standings)


def _by_hotkey(hotkeys: list[str], total: int, shares: tuple[int, ...]) -> dict[str, int]:
    return dict(zip(hotkeys, largest_remainder(total, shares), strict=True))


def _voters(state: State, mechanism: int) -> list[Seat]:
    """Seats with permit, stake, and recent weights (or a recent registration), by hotkey."""
    cutoff = state.head - state.genesis.params.activity_cutoff_blocks
    voters = []
    for hotkey in sorted(state.uids):
        seat = state.seats[state.uids[hotkey]]
        row = state.rows.get((hotkey, mechanism))
        last = seat.registered_block if row is None else row.block
        if seat.permit and state.stakes.get(hotkey, 0) > 0 and last >= cutoff:
            voters.append(seat)
    return voters


def _weights(state: State, seat: Seat, mechanism: int, hotkeys: list[str]) -> list[int]:
    """A validator's u16 weights for `hotkeys`, without those for an earlier registration."""
    row = state.rows.get((seat.hotkey, mechanism))
    entries = () if row is None else row.entries
    units = {(hotkey, registered): unit for hotkey, registered, unit in entries}
    return [
        units.get((hotkey, state.seats[state.uids[hotkey]].registered_block), 0)
        for hotkey in hotkeys
    ]


def _give_permits(state: State) -> tuple[str, ...]:
    params = state.genesis.params
    rich = [
        (-state.stakes.get(seat.hotkey, 0), seat.uid)
        for seat in state.seats.values()
        if state.stakes.get(seat.hotkey, 0) >= params.min_validator_stake_rao
    ]
    chosen = {uid for _, uid in sorted(rich)[: params.max_validators]}
    for seat in state.seats.values():
        seat.permit = seat.uid in chosen
    return tuple(sorted(state.seats[uid].hotkey for uid in chosen))
