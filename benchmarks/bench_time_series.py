"""Benchmark: what a month of one fixed set of circuits tells of a device, in simulated worlds.

Each device of five qubits runs nine fixed mirrors of four qubits, 2 to 18 layers deep, with 1,000
shots each, once a day for 24 days, in a world of 15 % drift with jumps. Asked of these series:

- Is it a static twin? The share of devices for which a static law is rejected at 10^3, by
  `validator.recorded`, as `qsubnet judge --records` does; and of twins, with the machine's own
  rates of one day for ever, which is the false alarm.
- Which device was it? The first 21 days of every candidate are known, the 24th day of one is
  seen, three days later. The likelihood of each candidate's frequencies decides, where a day
  weighs .9 of the next. Candidates are all machines with the same couplings; and then, harder,
  devices of one machine's sheet that differ in their history alone.

Shares have Clopper-Pearson intervals (95 %).

Run: python benchmarks/bench_time_series.py [--histories N] [--tested N]
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from circuits.draws import Draws
from circuits.program import Program
from providers import cheats, standin
from providers.base import Context
from providers.standin import Runs
from validator.interval import clopper_pearson
from validator.plan import redraw
from validator.recorded.execution import Execution
from validator.recorded.hardware import class_evidence
from validator.recorded.study import Answer

MACHINES = (
    ("athens", "bogota", "manila", "rome", "santiago"),
    ("belem", "lima", "ourense", "quito", "valencia", "vigo"),
)
"""By couplings: a line, and a line with a branch."""

DAYS, GAP, SHOTS = 24, 3, 1000
WIDTH = 4
DEPTHS = range(2, 20, 2)
FALSE_ALARM_LOG10 = 3.0
FADE = 0.9
TOGETHER = 5
"""Histories of one sheet that are told apart."""

Series = list[list[NDArray[np.int64]]]
"""By day and program: shots of each string."""


def series(build: Callable[[Context], Runs], seed: bytes) -> Series:
    """Run the programs every day of one history."""
    today = [0]
    machine = build(Context(seed, lambda: today[0]))
    programs = _programs(machine)
    days: Series = []
    for day in range(DAYS):
        today[0] = 10 + day
        days.append(
            [
                _tally(machine.run(program, shots=SHOTS, draws=Draws(seed, "job", str(day), place)))
                for place, program in enumerate(programs)
            ]
        )
    return days


def _programs(machine: Runs) -> list[Program]:
    key = b"one fixed set of circuits for all"
    return [redraw("mirror", key, WIDTH, depth, machine.device).program for depth in DEPTHS]


def _tally(rows: NDArray[np.uint8]) -> NDArray[np.int64]:
    return np.bincount(rows @ (1 << np.arange(WIDTH)), minlength=2**WIDTH)


def static_evidence(days: Series) -> float:
    """Return the log10 e-value against a static law."""
    answers: list[Answer] = []
    for tables in days:
        for place, table in enumerate(tables):
            counts = {format(value, f"0{WIDTH}b"): int(n) for value, n in enumerate(table) if n}
            execution = Execution(len(answers), f"program {place}", WIDTH, counts, SHOTS)
            answers.append(Answer(execution))
    return class_evidence(answers, draws=Draws(b"time series"))["static_twin"]


def identified(seen: Sequence[NDArray[np.int64]], known: Mapping[str, Series]) -> str:
    """Name the candidate under whose frequencies one day's counts are likeliest."""

    def likelihood(name: str) -> float:
        days = known[name]
        fades = FADE ** np.arange(len(days) - 1, -1, -1.0)
        total = 0.0
        for place, counts in enumerate(seen):
            past = fades @ np.array([tables[place] for tables in days]) + 0.5
            total += float(counts @ np.log(past / past.sum()))
        return total

    return max(sorted(known), key=likelihood)


def rightly(candidates: Mapping[str, Series]) -> list[bool]:
    """Say of each candidate whether its last day is told to be its own, `GAP` days later."""
    known = {name: days[: DAYS - GAP] for name, days in candidates.items()}
    return [identified(days[-1], known) == name for name, days in candidates.items()]


def main() -> None:
    """Print a line a figure."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--histories", type=int, default=5, help="of each machine")
    parser.add_argument("--tested", type=int, default=1, help="of them, for drift; these take long")
    given = parser.parse_args()
    histories, tested = range(given.histories), range(min(given.tested, given.histories))
    drifts: dict[str, list[bool]] = {}
    alarms, machines_told, histories_told = [], [], []
    for group in MACHINES:
        found = {
            (name, history): series(_honest(name), _seed(name, history))
            for name in group
            for history in histories
        }
        for name in group:
            drifts[name] = [_moves(found[name, history]) for history in tested]
            alarms += [_moves(series(_twin(name), _seed(name, history))) for history in tested]
            for start in range(0, len(histories) - TOGETHER + 1, TOGETHER):
                some = {str(one): found[name, one] for one in histories[start:][:TOGETHER]}
                histories_told += rightly(some)
        for history in histories:
            machines_told += rightly({name: found[name, history] for name in group})
    worst = min(drifts, key=lambda name: sum(drifts[name]))
    _say("drift seen at 10^3", [one for some in drifts.values() for one in some])
    _say(f"drift seen at 10^3, the worst machine, {worst}", drifts[worst])
    _say("static twins taken for drifting", alarms)
    _say(f"machine named after {GAP} days, of 5 or 6", machines_told)
    _say(f"history named after {GAP} days, of {TOGETHER} of one sheet", histories_told)


def _moves(days: Series) -> bool:
    return static_evidence(days) >= FALSE_ALARM_LOG10


def _honest(machine: str) -> Callable[[Context], Runs]:
    return lambda context: standin.build({"machine": machine, "device": "qpu"}, context)


def _twin(machine: str) -> Callable[[Context], Runs]:
    options = {"machine": machine, "device": "qpu", "kind": "calibrated_twin"}
    return lambda context: cheats.build(options, context)


def _seed(machine: str, history: int) -> bytes:
    return f"the history {history} of {machine}".encode().ljust(32)


def _say(figure: str, results: Sequence[bool]) -> None:
    if results:
        share = clopper_pearson(sum(results), len(results))
        sys.stdout.write(
            f"{figure}: {sum(results)} of {len(results)} [{share.low:.3f}, {share.high:.3f}]\n"
        )
        sys.stdout.flush()


if __name__ == "__main__":
    main()
