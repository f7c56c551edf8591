"""Benchmark: a device that spoils a share of what looks like users' jobs, and of nothing else.

It recognises every test but traps, which carry no barrier before their measurements, and answers
coin flips to a share of all programs like these. Traps are drawn with the skeleton of users'
circuits, so what it spoils there is binomial. From that alone, with fidelity and claim as the same
device shows when it spoils nothing, follows how often it should lose its label and what it should
be paid; both stand beside what was measured, and what the same implies after a month.

Every share is tried on the same devices, worlds and tests; counted are those whose honest run ends
`verified`. Shares have Clopper-Pearson intervals (95 %).

Blind spot: a device that also looks for palindromes, which traps are, recognises every test.

Run: python benchmarks/bench_selective.py [--runs N] [--epochs E]
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING
from unittest.mock import patch

from scipy import stats

from benchmarks.detection import trial
from benchmarks.detection.rows import MONTH, ROWS
from providers.cheats import CHEATS, Cheat
from providers.lies.answer import Answer, coins
from providers.lies.recognising import is_fenced
from validator.interval import clopper_pearson, over_circuits
from validator.references.reference import Reference, best_engine
from validator.verdict import Outcome, Verdict, judge

if TYPE_CHECKING:
    from circuits.counts import Bits
    from circuits.draws import Draws
    from circuits.program import Program
    from providers.base import Device, Json
    from providers.options import Options
    from providers.standin import StandIn
    from validator.evidence import Evidence

PERCENTS = (10, 25, 50, 75, 100)


def spoiler(claimed: StandIn, read: Options) -> Answer:
    """Honest but for `percent` of the programs without a barrier before their measurements."""
    percent = read.whole("percent", 100, low=0, high=100)

    def answer(program: Program, shots: int, draws: Draws) -> Bits:
        if is_fenced(program) or draws.child("spoil").integer(100) >= percent:
            return claimed.run(program, shots=shots, draws=draws)
        return coins(program, shots, draws)

    return answer


@dataclass(frozen=True, slots=True)
class Implied:
    """What the share of traps implies.

    Attributes:
        caught: Chance that the label is lost.
        paid: Expected score, or its share of the honest one.
    """

    caught: float
    paid: float


def implied(honest: Verdict, percent: int, epochs: int) -> Implied:
    """Let a binomial share of the traps count 0 instead of the fidelity that the device has.

    It leaves out how the fidelities of single traps differ, traps without an answer, and `fraud`.
    """
    fidelity = honest.evidence.user_like.estimate
    floor = fidelity - honest.evidence.margins["trap"].estimate
    mirrors, traps = honest.evidence.fidelity.low, honest.evidence.user_like.low
    asked = honest.evidence.served["trap"][1] * epochs
    caught = paid = 0.0
    for spoilt in range(asked + 1):
        chance = float(stats.binom.pmf(spoilt, asked, percent / 100))
        shown = over_circuits([0.0] * spoilt + [fidelity] * (asked - spoilt), span=(-1.0, 1.0)).low
        if shown <= floor:
            caught += chance
        else:
            paid += chance * min(mirrors, shown)
    per_fidelity = honest.score / min(mirrors, traps) if honest.score else 0.0
    return Implied(caught, paid * per_fidelity)


def mean_implied(honest: Iterable[Verdict], percent: int, epochs: int) -> Implied:
    """Average over devices; the score as a share of what they get when they spoil nothing."""
    each = [(implied(one, percent, epochs), implied(one, 0, epochs)) for one in honest]
    whole = sum(alone.paid for _, alone in each)
    return Implied(
        sum(spoilt.caught for spoilt, _ in each) / len(each),
        sum(spoilt.paid for spoilt, _ in each) / whole if whole else 0.0,
    )


def last_verdict(number: int, percent: int, epochs: int, *, reference: Reference) -> Verdict:
    """Run one trial of the row `selective` with this device in place of its own."""
    row = next(row for row in ROWS if row.name == "selective")
    options: dict[str, Json] = {"kind": "spoiler", "percent": percent}
    setting = replace(row, options=options, epochs=epochs).setting(number)
    reached: list[Verdict] = []

    def kept(evidence: Evidence, device: Device) -> Verdict:
        reached.append(judge(evidence, device))
        return reached[-1]

    fakes = {"spoiler": Cheat("It spoils some of what looks like users' jobs.", spoiler)}
    with patch.dict(CHEATS, fakes), patch.object(trial, "judge", kept):
        trial.run(setting, reference=reference)
    return reached[-1]


def main() -> None:
    """Print one line a share."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--runs", type=int, default=12)
    parser.add_argument("--epochs", type=int, default=12)
    given = parser.parse_args()
    reference = Reference(best_engine())

    def tried(number: int, percent: int) -> Verdict:
        return last_verdict(number, percent, given.epochs, reference=reference)

    honest = {number: tried(number, 0) for number in range(given.runs)}
    verified = {n: one for n, one in honest.items() if one.outcome is Outcome.VERIFIED}
    full = sum(one.score for one in verified.values()) or 1.0
    sys.stdout.write(f"{len(verified)} of {given.runs} verified when they spoil nothing\n")
    if not verified:
        return
    for percent in PERCENTS:
        found = [tried(number, percent) for number in verified]
        caught = sum(one.outcome is not Outcome.VERIFIED for one in found)
        accused = sum(one.outcome is Outcome.FRAUD for one in found)
        share = clopper_pearson(caught, len(found))
        now = mean_implied(verified.values(), percent, given.epochs)
        later = mean_implied(verified.values(), percent, MONTH)
        paid = sum(one.score for one in found) / full
        sys.stdout.write(
            f"spoils {percent:3d} %: label lost {caught} of {len(found)}"
            f" [{share.low:.3f}, {share.high:.3f}],"
            f" implied {now.caught:.3f}; accused {accused};"
            f" paid {paid:.2f}, implied {now.paid:.2f};"
            f" implied after {MONTH} epochs {later.caught:.3f} and {later.paid:.2f}\n"
        )
        sys.stdout.flush()


if __name__ == "__main__":
    main()
