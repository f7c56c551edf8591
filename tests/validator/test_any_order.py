"""Expected values: all orders gone through one by one, and the rates that e-values promise."""

from __future__ import annotations

from collections.abc import Callable
from itertools import combinations, permutations

import numpy as np
import pytest

from validator.any_order import (
    WIDEST_LAW,
    least_law_wealth,
    least_polarization_wealth,
    most_hits,
)
from validator.mistakes import reordered
from validator.sequential import (
    StartMixture,
    best_stake,
    capped,
    log10_mean,
    polarization_wealth,
)

FLOOR = 0.3
STAKE = best_stake(FLOOR, alternative=FLOOR / 2)

Counts = dict[str, int]


def _drawn(rng: np.random.Generator, law: np.ndarray, shots: int) -> Counts:
    width = len(law).bit_length() - 1
    seen = rng.multinomial(shots, law)
    return {format(i, f"0{width}b"): int(n) for i, n in enumerate(seen) if n}


def _histogram(counts: Counts, target: str) -> tuple[int, ...]:
    found = [0] * (len(target) + 1)
    for key, shots in counts.items():
        found[sum(a != b for a, b in zip(key, target, strict=True))] += shots
    return tuple(found)


def _answers(width: int, ones: int) -> list[str]:
    places = combinations(range(width), ones)
    return ["".join("1" if i in chosen else "0" for i in range(width)) for chosen in places]


@pytest.mark.parametrize(("width", "ones"), [(1, 1), (3, 0), (4, 2), (5, 3), (7, 3)])
def test_the_least_wealth_of_a_known_answer_is_the_least_of_all_orders(
    width: int, ones: int
) -> None:
    rng = np.random.default_rng([181, width, ones])
    for _ in range(10):
        counts = _drawn(rng, rng.dirichlet(np.full(2**width, 0.3)), 90)
        every = [
            polarization_wealth(_histogram(counts, answer), floor=FLOOR, stake=STAKE)
            for answer in _answers(width, ones)
        ]
        target = "0" * (width - ones) + "1" * ones
        found = least_polarization_wealth(counts, target=target, floor=FLOOR, stake=STAKE)
        assert found == pytest.approx(min(every), abs=1e-12)
        assert most_hits(counts, target=target) == max(
            counts.get(answer, 0) for answer in _answers(width, ones)
        )


@pytest.mark.parametrize("width", [1, 2, 3, 4])
def test_the_least_wealth_of_a_law_is_the_least_of_all_orders(width: int) -> None:
    rng = np.random.default_rng([182, width])
    gains = rng.normal(0, 0.01, size=(2, 2**width))
    counts = _drawn(rng, np.full(2**width, 0.5**width), 200)
    every = [
        log10_mean(
            sum(n * bet[int(reordered(key, sources=order), 2)] for key, n in counts.items())
            for bet in gains.tolist()
        )
        for order in permutations(range(width))
    ]
    found = least_law_wealth(counts, gains=gains.tolist(), width=width)
    assert found == pytest.approx(min(every), abs=1e-9)


def test_a_law_of_too_many_orders_is_refused() -> None:
    width = WIDEST_LAW + 1
    with pytest.raises(ValueError, match="width of at most 6, got 7"):
        least_law_wealth({"0" * width: 1}, gains=[[0.0] * 2**width], width=width)


def _mirror_shots(rng: np.random.Generator, answer: str, fidelity: float, shots: int) -> Counts:
    """White noise: the answer with this chance, and otherwise any string."""
    law = np.full(2 ** len(answer), (1 - fidelity) / 2 ** len(answer))
    law[int(answer, 2)] += fidelity
    return _drawn(rng, law, shots)


def _accused(rng: np.random.Generator, *, fidelity: float, level: float) -> int | None:
    """Return after how many of 40 circuits, answered in one wrong order, a level is reached."""
    order, state = rng.permutation(4).tolist(), StartMixture()
    for number in range(1, 41):
        target = "".join(rng.choice(["0", "1"], size=4))
        counts = _mirror_shots(rng, reordered(target, sources=order), fidelity, 67)
        wealth = least_polarization_wealth(counts, target=target, floor=FLOOR, stake=STAKE)
        state = state.after(capped(wealth))
        if state.log10_e >= level:
            return number
    return None


def test_a_wrong_order_at_the_floor_is_accused_no_more_often_than_the_level(
    tolerance: Callable[[float, int], float],
) -> None:
    rng, trials = np.random.default_rng(183), 150
    accused = sum(_accused(rng, fidelity=FLOOR, level=1.0) is not None for _ in range(trials))
    assert accused / trials <= 0.1 + tolerance(0.1, trials)


def test_coins_match_no_order() -> None:
    rng = np.random.default_rng(184)
    needed = [_accused(rng, fidelity=0.0, level=6.5) for _ in range(30)]
    assert None not in needed
    assert np.median([number for number in needed if number is not None]) <= 12
