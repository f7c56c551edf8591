"""Faked counts: exact expectations over all outcomes of small jobs, honest jobs, and fakes."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator
from functools import partial

import numpy as np
import pytest

from validator.integrity import Scaled, log10_likeliest, replayed, rounded, scaled
from validator.sequential import Accusation, accusation_threshold, hedged, log10_sum, run_mixture

Counts = dict[str, int]


def _outcomes(law: list[float], shots: int) -> Iterator[tuple[float, Counts]]:
    """Enumerate a multinomial: every outcome with its probability."""

    def split(left: int, parts: int) -> Iterator[tuple[int, ...]]:
        if parts == 1:
            yield (left,)
            return
        for first in range(left + 1):
            for rest in split(left - first, parts - 1):
                yield (first, *rest)

    for numbers in split(shots, len(law)):
        ways = math.factorial(shots) / math.prod(math.factorial(n) for n in numbers)
        chance = ways * math.prod(p**n for p, n in zip(law, numbers, strict=True))
        yield chance, {format(i, "02b"): n for i, n in enumerate(numbers)}


def _mean(test: Callable[[Counts], float], *, law: list[float], shots: int) -> float:
    return math.fsum(chance * 10 ** test(counts) for chance, counts in _outcomes(law, shots))


_LAWS = [[0.25] * 4, [0.7, 0.1, 0.1, 0.1], [0.97, 0.01, 0.01, 0.01], [0.5, 0.5, 0.0, 0.0]]
_LAWS += [[1.0, 0.0, 0.0, 0.0], [0.4, 0.3, 0.2, 0.1]]


@pytest.mark.parametrize("law", _LAWS)
@pytest.mark.parametrize("shots", [4, 9, 12])
def test_no_honest_law_earns_more_than_1_on_average(law: list[float], shots: int) -> None:
    past = [{"00": shots}, {"00": shots - 2, "01": 1, "10": 1}]
    ideal = {"00": 0.4, "01": 0.3, "10": 0.2, "11": 0.1}
    for divisor in (2, 3, 4, 7):
        assert _mean(partial(scaled, divisor=divisor), law=law, shots=shots) <= 1.0
    assert _mean(lambda c: replayed(c, earlier=past), law=law, shots=shots) <= 1.0
    assert _mean(lambda c: rounded(c, law=ideal), law=law, shots=shots) <= 1.0


def test_the_likeliest_law_is_the_observed_shares() -> None:
    # Enumerated: no law on a grid gives these counts a larger probability.
    best = max(3 * (a / 30) ** 2 * (1 - a / 30) for a in range(31))
    assert 10 ** log10_likeliest([2, 1]) == pytest.approx(best)


@pytest.fixture
def honest_jobs() -> list[Counts]:
    rng = np.random.default_rng(71)
    law = rng.exponential(size=256)
    jobs = rng.multinomial(1000, law / law.sum(), size=30)
    return [{format(i, "08b"): int(n) for i, n in enumerate(job) if n} for job in jobs]


def test_fresh_answers_are_no_replay(honest_jobs: list[Counts]) -> None:
    factors = [
        hedged(replayed(job, earlier=honest_jobs[:index])) for index, job in enumerate(honest_jobs)
    ]
    assert run_mixture(factors).log10_e <= 0.0


def test_one_replay_among_thirty_jobs_is_proof(honest_jobs: list[Counts]) -> None:
    value = replayed(dict(reversed(honest_jobs[3].items())), earlier=honest_jobs)
    assert value > 20
    factors = [*([hedged(-math.inf)] * 29), hedged(value)]
    threshold = accusation_threshold(Accusation.REPLAYED, registration=1)
    assert run_mixture(factors).log10_e > threshold


def test_repeated_perfect_answers_on_one_string_are_no_replay() -> None:
    past = [{"0110": 1000}] * 50
    assert replayed({"0110": 1000}, earlier=past) <= 0.0


def test_zeros_in_the_table_do_not_hide_a_replay() -> None:
    own, past = {"00": 5, "01": 6, "11": 0}, {"01": 6, "00": 5}
    assert replayed(own, earlier=[past]) > 0.0


NEEDED = accusation_threshold(Accusation.SCALED, registration=1)


def _folded(jobs: Iterable[Counts]) -> float:
    state = Scaled()
    for job in jobs:
        state = state.after(job)
    return state.highest


def test_shots_scaled_up_are_proof_in_one_job(honest_jobs: list[Counts]) -> None:
    for factor in (2, 4, 10, 50):
        assert _folded([{key: n * factor for key, n in honest_jobs[0].items()}]) > NEEDED
    assert _folded(honest_jobs) <= 0.0


def _job(rng: np.random.Generator, *, width: int, shots: int, factor: int = 1) -> Counts:
    """A noisy answer: .7 on one string, the rest spread; repeated, and cut to the shots asked."""
    spread = rng.dirichlet(np.full(2**width, 0.3))
    law = 0.7 * np.eye(2**width)[rng.integers(2**width)] + 0.3 * spread
    few = rng.choice(2**width, size=-(-shots // factor), p=law)
    seen = np.bincount(np.repeat(few, factor)[:shots], minlength=2**width)
    return {format(i, f"0{width}b"): int(n) for i, n in enumerate(seen) if n}


@pytest.mark.parametrize("factor", [2, 3, 4, 5, 6, 7, 8])
@pytest.mark.parametrize(("width", "epochs"), [(5, 3), (7, 1)])
def test_scaled_answers_of_few_strings_add_up_over_jobs(
    width: int, epochs: int, factor: int
) -> None:
    rng = np.random.default_rng([72, width, factor])
    for _ in range(5):
        # 8 jobs of 67 to 800 shots, 2,200 in all, so often.
        shots = [67, 150, 200, 300, 550, 800, 67, 66] * epochs
        assert _folded(_job(rng, width=width, shots=n, factor=factor) for n in shots) > NEEDED


def test_honest_answers_rarely_look_scaled(tolerance: Callable[[float, int], float]) -> None:
    rng, trials = np.random.default_rng(73), 100
    # Few shots on few strings, at totals that many numbers divide, look scaled most easily.
    reached = sum(
        _folded(_job(rng, width=2, shots=shots) for shots in [12, 24, 60, 4, 8] * 6) >= 1.0
        for _ in range(trials)
    )
    assert reached / trials <= 0.1 + tolerance(0.1, trials)


def test_an_even_total_on_one_string_is_no_scaling() -> None:
    assert _folded([{"00": 1000}] * 50) <= 0.0


def test_two_strings_of_even_counts_prove_little_in_one_job() -> None:
    assert scaled({"00": 500, "11": 500}, divisor=2) < 0.0


def test_rounded_probabilities_are_proof_in_one_job() -> None:
    rng = np.random.default_rng(73)
    law = rng.exponential(size=128)
    law /= law.sum()
    named = {format(i, "07b"): float(p) for i, p in enumerate(law)}
    threshold = accusation_threshold(Accusation.ROUNDED, registration=1)
    nearest = {key: round(1000 * p) for key, p in named.items()}
    assert hedged(rounded(nearest, law=named)) > threshold
    remainder = {key: math.floor(1000 * p) for key, p in named.items()}
    for key in sorted(named, key=lambda k: remainder[k] - 1000 * named[k])[
        : 1000 - sum(remainder.values())
    ]:
        remainder[key] += 1
    assert sum(remainder.values()) == 1000
    assert hedged(rounded(remainder, law=named)) > threshold
    honest = {format(i, "07b"): int(n) for i, n in enumerate(rng.multinomial(1000, law))}
    assert rounded(honest, law=named) == -math.inf


def test_rounded_bell_pairs_add_up_over_jobs() -> None:
    law = {"00": 0.5, "11": 0.5}
    value = hedged(rounded({"00": 500, "11": 500}, law=law))
    assert run_mixture([value] * 20).log10_e > 6


def test_an_exact_simulator_on_one_string_is_not_accused_of_rounding() -> None:
    assert rounded({"01": 1000}, law={"01": 1.0}) <= 0.0


def test_without_shots_nothing_is_shown() -> None:
    assert rounded({}, law={"0": 1.0}) == 0.0
    assert scaled({}, divisor=2) == 0.0
    assert _folded([{}]) == 0.0
    assert replayed({}, earlier=[{}]) == -math.inf


def test_the_folds_of_all_divisors_are_start_mixtures_of_their_jobs() -> None:
    rng = np.random.default_rng(73)
    jobs = [_job(rng, width=4, shots=n, factor=3) for n in (90, 300, 31, 600)]
    state, highest = Scaled(), 0.0
    for step in range(1, len(jobs) + 1):
        state = state.after(jobs[step - 1])
        weighed = [-math.log10(64)]
        for g in range(2, 65):
            mixture = run_mixture(hedged(scaled(job, divisor=g)) for job in jobs[:step])
            weighed.append(mixture.log10_e - math.log10(g * (g - 1)))
        highest = max(highest, log10_sum(weighed))
        assert state.highest == pytest.approx(highest, abs=1e-6)
    assert highest > 1
