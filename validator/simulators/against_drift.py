"""Evidence against the twin with made-up drift: the device's answers move as the machine moves.

From a device's own answers alone, drift that was made up cannot be told from drift that happened.
So an independent, trusted run R_t of the same readout probes on the machine that the miner names
is bet on, after the device has committed to its answers Y_t:

    E = prod of q(R_t | Y_t and all earlier answers) / P(R_t | earlier R).

Null: Y_t tells nothing of how the machine moves from its levels. P is what the machine's own
history says, at whatever level of each qubit suits it best, so that a twin that knows every static
rate exactly, and all earlier answers of the reference, gains nothing by that. Size and memory of
the drift are a mixture whose weights, shared by all qubits, are fitted to the reference's answers
with the levels integrated out; P is right as far as such mixtures of Gaussian drift are. q supposes
that both are one machine. What moves all qubits of a kind at once is taken out first: shared
drift is inside the null, and agreeing on it is no evidence; the e-value's exponent shrinks by the
degrees of freedom that went into it. No qubit weighs more than `CAP` in all (jumps are in
no model), and the first common epoch only fixes units.

What agreement means (grade S3): epoch by epoch, the device's answers came from the very machine
that the reference ran on. Not that they came by the way that the miner says.

Blind spots. A relay that forwards the probes to the real machine passes, as it should; so does one
that knows the machine's true rates an epoch late, where these change slowly: `LateTwin`
(`validator.simulators.against_late`) rules that out as well, at a price.
Who reads R_t before answering passes: a reference's answers stay secret until the device has
answered. A machine that does not drift, or one seen in so few epochs that its drift hides below
shot noise, gives no evidence: that means `not yet` and accuses nobody.

Source: L. Wasserman, A. Ramdas and S. Balakrishnan, PNAS 117, 16880 (2020) (universal inference);
A. P. Dempster, N. M. Laird and D. B. Rubin, JRSS B 39, 1 (1977) (the weights).
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from validator.sequential import hedged
from validator.simulators.drift_filter import Alone, Beside, Hypothesis
from validator.simulators.drift_series import Movement, ProbeRead, Roster, by_name, probe_read

__all__ = ["CAP", "DriftTwin", "ProbeRead", "fitted_weights", "log_sum", "probe_read"]

CAP = 4.0
"""Most that one qubit can weigh in all, in nats."""

_LAWS = tuple(
    Hypothesis(memory, spread * spread)
    for memory in (0.0, 0.9)
    for spread in (0.04, 0.1, 0.25, 0.7)
)
_EQUAL = (1.0 / len(_LAWS),) * len(_LAWS)
_ROUNDS = 15
_FLOOR_Q = 0.1
_FLOOR_P = 0.02
_LN10 = math.log(10.0)

_Seen = tuple[float, float] | None
"""A qubit's step and its shot noise; None without an answer."""


@dataclass(frozen=True, slots=True)
class _Qubit:
    """What is known of one qubit, under each hypothesis in the order of `_LAWS`.

    Attributes:
        alone: The reference by its own history.
        beside: The reference with the device beside it.
        told: Log likelihood of both machines' answers so far.
        earned: ln q of the scored epochs.
    """

    alone: tuple[Alone, ...] = tuple(map(Alone.start, _LAWS))
    beside: tuple[Beside, ...] = tuple(map(Beside.start, _LAWS))
    told: tuple[float, ...] = (0.0,) * len(_LAWS)
    earned: float = 0.0


@dataclass(frozen=True, slots=True)
class DriftTwin:
    """The fold: one call an epoch, also for an epoch without one of the two answers.

    Which probes and qubits are followed is settled by the first epoch in which both answered the
    same ones; an answer that lacks one of them later counts as missing. Below two qubits there is
    nothing to compare.

    Attributes:
        log10_e: The e-value so far, averaged with 1, log10, rounded down to 1e-9.
        epochs: Epochs that were bet on.
        roster: Which probes and qubits are followed; None before that is settled.

    Example:
        >>> def read(wrong): return [ProbeRead("p", (0, 1), (1, 1), wrong, 1000)]
        >>> test = DriftTwin()
        >>> for wrong in [(20, 40), (30, 40), (20, 60), (50, 50)]:
        ...     test = test.after(read(wrong), read(wrong))
        >>> test.epochs, -0.302 < test.log10_e < 2.0
        (3, True)
    """

    log10_e: float = 0.0
    epochs: int = 0
    roster: Roster | None = None
    _qubits: tuple[_Qubit, ...] = ()
    _weights: tuple[float, ...] = _EQUAL

    @property
    def earned(self) -> tuple[float, ...]:
        """For each qubit, ln q of the reference's answers that were bet on."""
        return tuple(qubit.earned for qubit in self._qubits)

    def after(self, device: Sequence[ProbeRead], trusted: Sequence[ProbeRead]) -> DriftTwin:
        """Return the evidence after one more epoch.

        Args:
            device: The device's answers, committed before `trusted` was known to anybody else.
            trusted: The reference's answers to the same probes. Order matters in neither.

        Raises:
            ValueError: A probe was answered twice.
        """
        ours, theirs = by_name(device), by_name(trusted)
        roster = self.roster or Roster.settled(ours, theirs)
        if roster is None:
            return self
        own, true = roster.movement(ours), roster.movement(theirs)
        scored = self.roster is not None and own is not None and true is not None
        logs = [math.log(_FLOOR_Q / len(_LAWS) + (1.0 - _FLOOR_Q) * w) for w in self._weights]
        qubits = tuple(
            _scored(qubit, own_step, true_step, log_weights=logs)
            if scored and own_step and true_step
            else _unscored(qubit, own_step, true_step)
            for qubit, own_step, true_step in zip(
                self._qubits or (_Qubit(),) * len(roster.cells),
                _steps(own, len(roster.cells)),
                _steps(true, len(roster.cells)),
                strict=True,
            )
        )
        if not scored:
            return replace(self, roster=roster, _qubits=qubits)
        weights = fitted_weights([qubit.told for qubit in qubits])
        log_e = _log_e(qubits, roster.freedoms)
        return DriftTwin(hedged(log_e / _LN10), self.epochs + 1, roster, qubits, weights)


def _steps(movement: Movement | None, width: int) -> Iterable[_Seen]:
    if movement is None:
        return (None,) * width
    return zip(movement.steps, movement.noises, strict=True)


def _unscored(qubit: _Qubit, device: _Seen, trusted: _Seen) -> _Qubit:
    """Go on by an epoch that is not bet on: learn from what there is."""
    alone = [
        own.after(*trusted, law=law, scored=0) if trusted else own.unseen(law=law)
        for law, own in zip(_LAWS, qubit.alone, strict=True)
    ]
    beside = qubit.beside
    for seen in (device, trusted):
        if seen:
            beside = tuple(both.after(*seen)[0] for both in beside)
    ahead = [both.next_epoch(law=law) for law, both in zip(_LAWS, beside, strict=True)]
    return replace(qubit, alone=tuple(alone), beside=tuple(ahead))


def _scored(
    qubit: _Qubit,
    device: tuple[float, float],
    trusted: tuple[float, float],
    *,
    log_weights: Sequence[float],
) -> _Qubit:
    """Go on by an epoch: the device's answer first, then the bet on the reference's."""
    alone, beside, told, bets = [], [], [], []
    for place, law in enumerate(_LAWS):
        alone.append(qubit.alone[place].after(*trusted, law=law, scored=1))
        with_device, before = qubit.beside[place].after(*device)
        with_both, bet = with_device.after(*trusted)
        beside.append(with_both.next_epoch(law=law))
        told.append(qubit.told[place] + before)
        bets.append(bet)
    known = [weight + log for weight, log in zip(log_weights, told, strict=True)]
    bet_on = log_sum([log + bet for log, bet in zip(known, bets, strict=True)])
    return _Qubit(
        alone=tuple(alone),
        beside=tuple(beside),
        told=tuple(log + bet for log, bet in zip(told, bets, strict=True)),
        earned=qubit.earned + bet_on - log_sum(known),
    )


def _log_e(qubits: Sequence[_Qubit], freedoms: Sequence[float]) -> float:
    """Return ln q/P over all qubits, less the share that went into the shared movements."""
    fitted = fitted_weights([[own.marginal() for own in qubit.alone] for qubit in qubits])
    logs = [math.log(_FLOOR_P / len(_LAWS) + (1.0 - _FLOOR_P) * w) for w in fitted]
    gains = [
        qubit.earned
        - log_sum([log + own.best() for log, own in zip(logs, qubit.alone, strict=True)])
        for qubit in qubits
    ]
    return math.fsum(min(gain, CAP) * left for gain, left in zip(gains, freedoms, strict=True))


def fitted_weights(logs: Sequence[Sequence[float]]) -> tuple[float, ...]:
    """Fit the weights of hypotheses to all qubits' log likelihoods, from equal ones.

    Args:
        logs: One row a qubit, natural logarithms; not empty.

    Example:
        >>> [round(w, 3) for w in fitted_weights([[0.0, -9.0], [0.0, -9.0]])]
        [1.0, 0.0]
    """
    tops = [max(row) for row in logs]
    likelihoods = [[math.exp(x - top) for x in row] for row, top in zip(logs, tops, strict=True)]
    weights = [1.0 / len(logs[0])] * len(logs[0])
    for _ in range(_ROUNDS):
        shares = []
        for row in likelihoods:
            parts = [weight * x for weight, x in zip(weights, row, strict=True)]
            whole = math.fsum(parts)
            shares.append([part / whole for part in parts])
        weights = [math.fsum(column) / len(shares) for column in zip(*shares, strict=True)]
    return tuple(weights)


def log_sum(logs: Sequence[float]) -> float:
    """Return the natural log of a sum of numbers given by theirs.

    Example:
        >>> log_sum([0.0, 0.0]) == math.log(2.0)
        True
    """
    top = max(logs)
    return top + math.log(math.fsum(math.exp(x - top) for x in logs))
