"""Benchmark: fakes of exact simulators, judged from 20,000 shots, four fifths of an epoch.

A simulator's epoch has 25,000 shots, which is what verifying an honest one takes; so the rows of
the detection benchmark say nothing of fewer. Here every circuit of the same trials gets four fifths
of its shots. Prints the share that was not verified, with its interval (Clopper-Pearson, 95 %).

Run: python benchmarks/bench_simulators.py [--runs N]
"""

from __future__ import annotations

import argparse
import sys
from collections import Counter
from dataclasses import replace
from unittest.mock import patch

from benchmarks.detection import trial
from benchmarks.detection.rows import ROWS
from providers.base import Device
from validator.interval import clopper_pearson
from validator.plan import Assignment, plan
from validator.references.reference import Reference, best_engine
from validator.score import Grade

NAMES = ("low_bond_mps", "clifford_simulator")
MOST_SHOTS = 20_000


def shorter(device: Device, *, reached: Grade, shots: int) -> tuple[Assignment, ...]:
    """The epoch's plan, with four fifths of the shots of each circuit."""
    whole = plan(device, reached=reached, shots=shots)
    return tuple(replace(one, shots=one.shots * 4 // 5) for one in whole)


def main() -> None:
    """Print one line a fake."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--runs", type=int, default=60)
    runs = parser.parse_args().runs
    reference = Reference(best_engine())
    for row in (row for row in ROWS if row.name in NAMES):
        with patch.object(trial, "plan", shorter):
            tried = [trial.run(row.setting(number), reference=reference) for number in range(runs)]
        found = Counter(outcome.days[-1].verdict for outcome in tried)
        shots = max(outcome.days[-1].shots for outcome in tried)
        if shots > MOST_SHOTS:
            raise RuntimeError(f"need at most {MOST_SHOTS} shots a trial, got {shots}")
        missed = found["verified"] + found["misconfigured"]
        share = clopper_pearson(runs - missed, runs)
        sys.stdout.write(
            f"{row.says}: {shots:,} shots, {runs} trials, {dict(found)}, "
            f"caught [{share.low:.3f}, {share.high:.3f}]\n"
        )
        sys.stdout.flush()


if __name__ == "__main__":
    main()
