"""Benchmark: shots until a device is accused that succeeds at .125 where its floor is .25.

Three ways, from the bare bet to what a validator does, each at alpha = 1e-6: shot by shot; circuits
of 80 shots, each capped, in one fold; the same in the folds of all kinds of circuits with the share
of alpha that this test has. The last is tried with the order of the bits known, and free as
`validator.any_order` leaves it. Prints the median with an interval of order statistics (95 %).

Run: python benchmarks/bench_accusation.py [--runs N]
"""

from __future__ import annotations

import argparse
import math
import sys
from collections.abc import Callable

import numpy as np
from scipy import stats

from validator.any_order import most_hits
from validator.below_claim import BelowClaim
from validator.sequential import (
    ALPHA,
    Accusation,
    StartMixture,
    accusation_threshold,
    best_stake,
    capped,
    hit_wealth,
)

FLOOR, SUCCESS = 0.25, 0.125
SHOTS, WIDTH = 80, 8
TARGET = "00101101"
STAKE = best_stake(FLOOR, alternative=SUCCESS)
MOST = 100 * SHOTS


def shot_by_shot(chance: np.random.Generator) -> int:
    """Bet on every shot, with nothing kept back."""
    hits = chance.random(MOST) < SUCCESS
    gains = np.where(hits, 1.0 - STAKE * (1.0 - FLOOR), 1.0 + STAKE * FLOOR)
    wealth = np.cumsum(np.log10(gains))
    return int(np.flatnonzero(wealth >= -math.log10(ALPHA))[0]) + 1


def one_fold(chance: np.random.Generator) -> int:
    """Bet on capped circuits in one fold."""
    fold = StartMixture()
    while fold.log10_e < -math.log10(ALPHA):
        hits = int(chance.binomial(SHOTS, SUCCESS))
        fold = fold.after(capped(hit_wealth(hits, shots=SHOTS, floor=FLOOR, stake=STAKE)))
    return fold.steps * SHOTS


def end_to_end(chance: np.random.Generator, *, any_order: bool) -> int:
    """Accuse as the verdict does, by readout probes alone."""
    needed = accusation_threshold(Accusation.BELOW_CLAIM, registration=1)
    fold, circuits = BelowClaim(), 0
    while fold.highest < needed:
        hits = int(chance.binomial(SHOTS, SUCCESS))
        if any_order:
            wrong = chance.integers(1, 2**WIDTH, SHOTS - hits) ^ int(TARGET, 2)
            counts = {TARGET: hits}
            for place in wrong.tolist():
                key = format(place, f"0{WIDTH}b")
                counts[key] = counts.get(key, 0) + 1
            hits = most_hits(counts, target=TARGET)
        wealth = hit_wealth(hits, shots=SHOTS, floor=FLOOR, stake=STAKE)
        fold = fold.after("readout", capped(wealth))
        circuits += 1
    return circuits * SHOTS


def main() -> None:
    """Print one line a way."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--runs", type=int, default=2000)
    runs = parser.parse_args().runs
    ways: dict[str, Callable[[np.random.Generator], int]] = {
        "shot by shot": shot_by_shot,
        "capped, one fold": one_fold,
        "end to end, order known": lambda chance: end_to_end(chance, any_order=False),
        "end to end, any order": lambda chance: end_to_end(chance, any_order=True),
    }
    low, high = (int(place) for place in stats.binom.interval(0.95, runs, 0.5))
    for number, (name, way) in enumerate(ways.items()):
        chance = np.random.default_rng([2026, number])
        found = sorted(way(chance) for _ in range(runs))
        sys.stdout.write(
            f"{name:24s} {found[runs // 2]:5d} shots [{found[low]}, {found[high]}], {runs} runs\n"
        )


if __name__ == "__main__":
    main()
