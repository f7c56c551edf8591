"""The rows of the table: who is tried, where, how long, and which verdict they should get.

While the tests were made, hanoi, sherbrooke, torino, guadalupe, mumbai, casablanca, nairobi,
kolkata, prague, auckland and oslo were looked at, algiers and peekskill in passing. Of these
guadalupe, the one machine of 16 qubits, auckland, whose drift shows least, oslo and algiers are
here, in histories that nobody had looked at; the other machines are new. Trials begin at different
epochs of a device's history.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from benchmarks.detection.trial import Setting

if TYPE_CHECKING:
    from providers.base import Json

CHEAT_MACHINES = ("auckland", "perth", "geneva", "jakarta", "montreal")
HONEST_MACHINES = (
    "perth",
    "algiers",
    "jakarta",
    "geneva",
    "oslo",
    "montreal",
    "santiago",
    "guadalupe",
    "lima",
    "manila",
)
TWIN_MACHINES = ("auckland", "sydney", "paris", "guadalupe")
HONEST_WORLDS = (
    "usual",
    "calm",
    "drifting",
    "volatile",
    "tls_jumps",
    "stale",
    "crosstalk",
    "bursts",
    "outages",
    "lopsided",
)
SHOTS = 4000
TRUSTED_SHOTS = 20_000
"""An epoch's shots where a reference run is read beside the device: made-up drift is told from the
machine's own by how well each epoch is known, and 4,000 shots know it too badly."""

FEWER = 60
"""Trials of rows that no power is promised of, or that cost much: those with a reference run."""

CHEAT_EPOCHS = 5
"""20,000 shots."""
TWIN_EPOCHS = 24
MONTH = 30

Days = Sequence[Mapping[str, Any]]
Wanted = Callable[[Days], bool]


def never_accused(days: Days) -> bool:
    """No day said `fraud`."""
    return all(day["verdict"] != "fraud" for day in days)


def last_is(*words: str) -> Wanted:
    """The last day's verdict is one of these words."""
    return lambda days: days[-1]["verdict"] in words


def never_above(grade: str) -> Wanted:
    """No day's grade was higher."""
    return lambda days: all(day["grade"] <= grade for day in days)


def reaches(grade: str) -> Wanted:
    """Some day's grade was at least this, and no day said `fraud`."""
    return lambda days: any(day["grade"] >= grade for day in days) and never_accused(days)


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the table.

    Attributes:
        name: Of the row and of its file of results.
        says: What is tried, in words.
        target: The verdict that it should get, in words.
        wanted: Whether a trial got it.
        provider: Adapter.
        options: Besides machine and world.
        machines: In turn; () where the adapter has none.
        worlds: In turn.
        trusted: With an independent run on the claimed machine.
        epochs: Days of a trial.
        until: A trial ends early after a day with this verdict or grade, which then stands.
        begin: First epoch of the device's history; None for one that differs from trial to trial.
        runs: Trials.
        shots: Of a qpu per epoch.
    """

    name: str
    says: str
    target: str
    wanted: Wanted
    provider: str = "cheats"
    options: Mapping[str, Json] = field(default_factory=dict)
    machines: tuple[str, ...] = CHEAT_MACHINES
    worlds: tuple[str, ...] = HONEST_WORLDS
    trusted: bool = False
    epochs: int = CHEAT_EPOCHS
    until: str = "fraud"
    begin: int | None = None
    runs: int = 300
    shots: int = SHOTS

    def setting(self, number: int) -> Setting:
        """Describe trial `number`; machines and worlds are crossed."""
        options: dict[str, Json] = dict(self.options)
        if self.machines:
            options["machine"] = self.machines[number % len(self.machines)]
            options["device"] = "qpu"
            options["world"] = self.worlds[number // len(self.machines) % len(self.worlds)]
        named = ("machine", "device", "world")
        claimed: dict[str, Json] = {key: options[key] for key in named if key in options}
        return Setting(
            provider=self.provider,
            options=options,
            trusted=claimed if self.trusted else None,
            epochs=self.epochs,
            first_epoch=10 + 37 * (number % 11) if self.begin is None else self.begin,
            until=self.until,
            shots=self.shots,
            seed=3_000_000 + number,
        )


def _cheat(kind: str, says: str, target: str, wanted: Wanted, *, runs: int = 300) -> Row:
    return Row(kind, says, target, wanted, options={"kind": kind}, runs=runs)


_NOT_VERIFIED = last_is("unverified", "fraud")

ROWS: tuple[Row, ...] = (
    Row(
        "honest_month",
        "honest devices, a month each",
        "never `fraud`",
        never_accused,
        provider="standin",
        machines=HONEST_MACHINES,
        epochs=MONTH,
        runs=1000,
    ),
    Row(
        "honest_wide",
        "honest devices of 127 qubits, a month each",
        "never `fraud`",
        never_accused,
        provider="standin",
        machines=("kyiv", "osaka"),
        epochs=MONTH,
        runs=10,
    ),
    Row(
        "honest_drifting",
        "honest devices, 10 % drift",
        "S2 within 24 epochs",
        reaches("S2"),
        provider="standin",
        machines=TWIN_MACHINES,
        worlds=("drifting",),
        epochs=TWIN_EPOCHS,
        until="S2",
    ),
    Row(
        "honest_trusted",
        "honest devices with a reference run, 10 % drift, 20,000 shots an epoch",
        "S3 within 24 epochs",
        reaches("S3"),
        provider="standin",
        machines=TWIN_MACHINES,
        worlds=("drifting",),
        trusted=True,
        epochs=TWIN_EPOCHS,
        until="S3",
        shots=TRUSTED_SHOTS,
        runs=FEWER,
    ),
    _cheat("uniform", "uniform bits", "`unverified` or `fraud`", _NOT_VERIFIED),
    _cheat("zeros", "all zeros", "`unverified` or `fraud`", _NOT_VERIFIED),
    _cheat("replay", "replayed counts", "`fraud`", last_is("fraud")),
    _cheat("noiseless", "noiseless simulator as QPU", "`fraud`", last_is("fraud")),
    _cheat("white_noise", "ideal + white noise", "`unverified` or `fraud`", _NOT_VERIFIED),
    _cheat("independent_flips", "ideal + flips", "`unverified` or `fraud`", _NOT_VERIFIED),
    _cheat("average_twin", "average-rate twin", "`unverified` or `fraud`", _NOT_VERIFIED),
    _cheat(
        "clifford_only", "Clifford-only engine as QPU", "`unverified` or `fraud`", _NOT_VERIFIED
    ),
    _cheat("smaller_device", "smaller device", "`unverified` or `fraud`", _NOT_VERIFIED),
    _cheat("heavy_strings", "heavy-string spoofer", "`unverified` or `fraud`", _NOT_VERIFIED),
    _cheat(
        "substituted", "cheaper device (4 x the errors)", "reported", last_is("fraud"), runs=FEWER
    ),
    _cheat("selective", "good on recognised tests only", "reported", _NOT_VERIFIED),
    _cheat(
        "mirror_solver",
        "solves mirrors, flips coins else",
        "`unverified` or `fraud`",
        _NOT_VERIFIED,
        runs=FEWER,
    ),
    _cheat("rounded", "rounded probabilities", "`fraud`", last_is("fraud")),
    _cheat("scaled", "shots scaled up", "`fraud`", last_is("fraud")),
    _cheat("post_selected", "post-selected counts", "reported", _NOT_VERIFIED, runs=FEWER),
    replace(
        _cheat(
            "honest_then_fake",
            "honest for 3 epochs, then coins",
            "`fraud` in the end",
            last_is("fraud"),
            runs=FEWER,
        ),
        epochs=8,
        begin=5,
    ),
    _cheat("reversed", "reversed bits", "`misconfigured`", last_is("misconfigured")),
    _cheat("permuted", "permuted bits", "`misconfigured`", last_is("misconfigured"), runs=FEWER),
    _cheat(
        "swapped_registers",
        "swapped registers",
        "`misconfigured`",
        last_is("misconfigured"),
        runs=FEWER,
    ),
    _cheat("truncated", "truncated shots", "`misconfigured`", last_is("misconfigured"), runs=FEWER),
    _cheat("wrong_width", "wrong width", "`misconfigured`", last_is("misconfigured"), runs=FEWER),
    replace(
        _cheat(
            "low_bond_mps",
            "low-bond MPS as exact simulator",
            "`unverified` or `fraud`",
            _NOT_VERIFIED,
        ),
        options={"kind": "low_bond_mps", "num_qubits": 10, "bond": 8},
        machines=(),
        epochs=1,
    ),
    replace(
        _cheat(
            "clifford_simulator",
            "Clifford-only engine as exact simulator",
            "`unverified` or `fraud`",
            _NOT_VERIFIED,
            runs=FEWER,
        ),
        options={"kind": "clifford_simulator", "num_qubits": 10},
        machines=(),
        epochs=1,
    ),
    replace(
        _cheat(
            "calibrated_twin",
            "per-qubit calibrated twin",
            "at most S1",
            never_above("S1"),
            runs=100,
        ),
        machines=TWIN_MACHINES,
        epochs=TWIN_EPOCHS,
    ),
    replace(
        _cheat(
            "drifting_twin",
            "twin with made-up drift against a reference run, 20,000 shots an epoch",
            "at most S2",
            never_above("S2"),
        ),
        machines=TWIN_MACHINES,
        worlds=("drifting",),
        trusted=True,
        epochs=TWIN_EPOCHS,
        shots=TRUSTED_SHOTS,
        runs=FEWER,
    ),
)
