"""Series of repeated programs: silent under fixed laws, loud under slow drift below shot noise."""

from __future__ import annotations

import numpy as np
import pytest

from circuits.draws import Draws
from validator.recorded.repeats import Repeats
from validator.recorded.series import TABLES, series_evidence

SHOTS, ANSWERS = 1000, 24
LAWS = ((0.4, 0.3, 0.2, 0.1), (0.55, 0.25, 0.15, 0.05), (0.9, 0.05, 0.03, 0.02))
Tables = list[dict[str, int]]


def _series(
    rng: np.random.Generator, *, excess: float, programs: int = 3, answers: int = ANSWERS
) -> dict[str, Tables]:
    """Shares walk with a memory of .9; `excess` is their variance in units of the shot noise's."""
    found = {}
    for name in range(programs):
        law = np.array(LAWS[name % len(LAWS)])
        walk = rng.standard_normal(4)
        tables: Tables = []
        for _ in range(answers):
            walk = 0.9 * walk + 0.19**0.5 * rng.standard_normal(4)
            shares = np.clip(law + np.sqrt(excess * law / SHOTS) * walk, 1e-3, None)
            shots = rng.multinomial(SHOTS, shares / shares.sum())
            tables.append({format(i, "02b"): int(n) for i, n in enumerate(shots) if n})
        found[str(name)] = tables
    return found


def _evidence(series: dict[str, Tables]) -> float:
    found = series_evidence(series, draws=Draws(b"key"))
    assert found is not None
    return found


def test_fixed_laws_are_rarely_suspected() -> None:
    rng = np.random.default_rng(5)
    found = [_evidence(_series(rng, excess=0.0, programs=2, answers=6)) for _ in range(150)]
    # An e-value of k has a chance of 1/k at most (Markov): 15 of 150 at 10, 26 or more in 1 of 200.
    assert sum(e >= 1.0 for e in found) <= 25
    assert float(np.mean(np.power(10.0, found))) < 3.0


def test_slow_drift_of_the_size_of_shot_noise_is_seen() -> None:
    series = _series(np.random.default_rng(6), excess=1.0)
    alone = Repeats()
    for name, tables in series.items():
        for table in tables:
            alone.add(name, table)
    assert _evidence(series) > 4.0
    assert _evidence(series) > alone.log10_e + 2.0, "answers one by one show less"


def test_the_order_of_time_is_what_shows_a_memory() -> None:
    series = _series(np.random.default_rng(7), excess=0.7)
    rng = np.random.default_rng(8)
    mixed = {name: [tables[i] for i in rng.permutation(ANSWERS)] for name, tables in series.items()}
    assert _evidence(series) > _evidence(mixed) + 1.0


def test_one_program_weighs_no_more_than_its_tables() -> None:
    moved = [{"0": 1000 - 40 * day, "1": 40 * day} for day in range(ANSWERS)]
    assert 2.0 < _evidence({"p": moved}) <= np.log10(TABLES + 1)


def test_a_long_series_is_looked_at_in_blocks() -> None:
    rng = np.random.default_rng(11)
    series = _series(rng, excess=1.0, programs=1, answers=250)
    assert _evidence(series) > np.log10(TABLES + 1), "more than one block can say"


def test_programs_come_in_any_order() -> None:
    series = _series(np.random.default_rng(9), excess=0.5, answers=5)
    assert _evidence(series) == _evidence(dict(reversed(series.items())))


@pytest.mark.parametrize(
    "tables",
    [
        [],
        [{"0": 1000}],
        [{"0": 1000}, {"0": 49}],  # less than a chunk
        [{}, {}],
        [{"0": 0}, {"0": 100}],
        [{format(i, "010b"): 1 for i in range(k, k + 100)} for k in (0, 500)],  # nothing repeats
    ],
)
def test_what_cannot_be_compared_is_no_evidence(tables: Tables) -> None:
    assert series_evidence({"p": tables}, draws=Draws(b"key")) is None


def test_a_certain_string_says_nothing() -> None:
    assert _evidence({"p": [{"01": 1000}] * 4}) == 0.0


@pytest.mark.parametrize(
    "tables",
    [
        [{"00": 1000}, {"00": 1000}, {"11": 49}],  # one string in an answer that is too short
        [{"0": 98, "1": 1}] * 2,  # and one in the rests that dealing leaves
        [{}, {"0": 100}, {"0": 60, "1": 40}],
    ],
)
def test_strings_outside_of_the_chunks_are_left_out(tables: Tables) -> None:
    for name in "abcdefgh":
        assert _evidence({name: tables}) < 1.0


def test_the_same_answers_give_the_same_evidence_on_every_machine() -> None:
    # Golden: whole numbers, elementwise arithmetic and scalar logarithms only.
    turning = [{"00": 300 + 5 * t, "01": 700 - 5 * t} for t in range(130)]
    uneven = [{"0": 90 + 60 * (t % 3), "1": 10 + t} for t in range(9)]
    assert round(_evidence({"p": turning, "q": uneven}), 6) == 6.455417


def test_unequal_shots_are_no_drift() -> None:
    found = []
    for seed in range(60):
        rng = np.random.default_rng([10, seed])
        shots = (200, 3000, 500, 1000, 8000, 150)
        drawn = [rng.multinomial(own, LAWS[0]) for own in shots]
        tables = [{format(i, "02b"): int(n) for i, n in enumerate(one)} for one in drawn]
        found.append(_evidence({"p": tables}))
    # Markov again: 6 of 60 at 10, 14 or more in less than 1 of 200.
    assert sum(e >= 1.0 for e in found) <= 13
