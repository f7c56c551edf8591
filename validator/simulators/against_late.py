"""Evidence against the late twin: a simulator that is told the machine's true rates of yesterday.

Vendors publish fresh calibration, so a simulator can follow a slowly drifting machine without
having it, one epoch behind. `against_drift` asks whether the device moves with the
machine at all; this asks further whether it moves with it NOW: the same bet q on the reference's
answers against

    P_late(R_t | Y_t and all earlier answers), where Y shows the machine's epoch before,

exactly or with shot noise, whichever explains the reference better. Both twins make one null, so
the lesser e-value counts. The price: a machine of few qubits that drifts slowly takes longer, for
its yesterday is nearly its today (27 qubits, 10 % drift of memory .9, 5600 shots an epoch: 19
epochs to 1e6 in place of 11); with fast drift or 127 qubits there is hardly any.

Blind spot: calibration fresher than the epoch.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field

from validator.sequential import hedged
from validator.simulators.against_drift import CAP, DriftTwin, ProbeRead, fitted_weights, log_sum
from validator.simulators.drift_filter import Behind, Hypothesis
from validator.simulators.drift_series import Movement, by_name

__all__ = ["LateTwin"]

_LAWS = tuple(
    Hypothesis(memory, spread * spread)
    for memory, spread in ((0.9, 0.06), (0.9, 0.15), (0.9, 0.4), (0.98, 0.25))
)
_EQUAL = (1.0 / len(_LAWS),) * len(_LAWS)
_EXACT = 1e-6
_FLOOR = 0.1
_LN10 = math.log(10.0)

_Seen = tuple[float, float] | None


@dataclass(frozen=True, slots=True)
class _Copied:
    """One qubit before its late copy, under each hypothesis.

    Attributes:
        filters: In the order of `_LAWS`.
        told: Log likelihood of both machines' answers so far.
        given: ln P_late of the scored epochs.
    """

    filters: tuple[Behind, ...] = tuple(map(Behind.start, _LAWS))
    told: tuple[float, ...] = (0.0,) * len(_LAWS)
    given: float = 0.0

    def after(
        self, device: _Seen, trusted: _Seen, *, log_weights: Sequence[float], scored: bool
    ) -> _Copied:
        """Go on by an epoch: the device's answer first, then the reference's."""
        filters, told, chances = [], [], []
        for law, so_far, log in zip(_LAWS, self.filters, self.told, strict=True):
            state, before, chance = so_far, 0.0, 0.0
            if device:
                state, before = state.after_copy(*device)
            if trusted:
                state, chance = state.after_machine(*trusted)
            filters.append(state.next_epoch(law=law))
            told.append(log + before if scored else log)
            chances.append(chance)
        if not scored:
            return _Copied(tuple(filters), tuple(told), self.given)
        known = [weight + log for weight, log in zip(log_weights, told, strict=True)]
        reached = [log + chance for log, chance in zip(known, chances, strict=True)]
        return _Copied(
            tuple(filters),
            tuple(log + chance for log, chance in zip(told, chances, strict=True)),
            self.given + log_sum(reached) - log_sum(known),
        )


@dataclass(frozen=True, slots=True)
class _Copy:
    """All qubits before a copy of one kind, with the weights of the hypotheses."""

    qubits: tuple[_Copied, ...]
    weights: tuple[float, ...] = _EQUAL

    def after(self, device: Sequence[_Seen], trusted: Sequence[_Seen], *, scored: bool) -> _Copy:
        """Go on by an epoch."""
        logs = [math.log(_FLOOR / len(_LAWS) + (1.0 - _FLOOR) * w) for w in self.weights]
        qubits = tuple(
            qubit.after(own, true, log_weights=logs, scored=scored)
            for qubit, own, true in zip(self.qubits, device, trusted, strict=True)
        )
        weights = fitted_weights([qubit.told for qubit in qubits]) if scored else self.weights
        return _Copy(qubits, weights)

    def log_e(self, earned: Sequence[float], freedoms: Sequence[float]) -> float:
        """Return ln q/P_late over all qubits, each capped and weighed as in `against_drift`."""
        gains = [bet - qubit.given for bet, qubit in zip(earned, self.qubits, strict=True)]
        return math.fsum(min(gain, CAP) * left for gain, left in zip(gains, freedoms, strict=True))


@dataclass(frozen=True, slots=True)
class LateTwin:
    """The fold, called like `DriftTwin`, of which it holds one.

    Attributes:
        log10_e: Against both twins: the lesser of theirs; log10, rounded down to 1e-9.
        made_up: Against the twin with made-up drift alone.

    Example:
        >>> LateTwin().log10_e
        0.0
    """

    log10_e: float = 0.0
    made_up: DriftTwin = field(default_factory=DriftTwin)
    _copies: tuple[_Copy, ...] = ()

    def after(self, device: Sequence[ProbeRead], trusted: Sequence[ProbeRead]) -> LateTwin:
        """Return the evidence after one more epoch; see `DriftTwin.after`."""
        made_up = self.made_up.after(device, trusted)
        roster = made_up.roster
        if roster is None:
            return self
        own, true = roster.movement(by_name(device)), roster.movement(by_name(trusted))
        width, scored = len(roster.cells), made_up.epochs > self.made_up.epochs
        copies = self._copies or (_Copy((_Copied(),) * width),) * 2
        exact, noisy = (
            copy.after(_seen(own, width, exact=exact), _seen(true, width), scored=scored)
            for copy, exact in zip(copies, (True, False), strict=True)
        )
        if not scored:
            return LateTwin(self.log10_e, made_up, (exact, noisy))
        late = min(copy.log_e(made_up.earned, roster.freedoms) for copy in (exact, noisy))
        found = min(made_up.log10_e, hedged(late / _LN10))
        return LateTwin(found, made_up, (exact, noisy))


def _seen(movement: Movement | None, width: int, *, exact: bool = False) -> Sequence[_Seen]:
    """List each qubit's step and noise; an exact copy has no shot noise."""
    if movement is None:
        return (None,) * width
    return [
        (step, _EXACT if exact else noise)
        for step, noise in zip(movement.steps, movement.noises, strict=True)
    ]
