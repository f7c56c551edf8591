"""Readout probes as movements: units, shared movement, and what counts as missing."""

from __future__ import annotations

import math

import numpy as np
import pytest

from validator.simulators.drift_series import Movement, ProbeRead, Roster, by_name

QUBITS = 5
PROBES = {"a": (1, 0, 1, 1, 0), "b": (1, 1, 1, 1, 1)}
RATES = {0: 0.02, 1: 0.06}


def answers(factor: dict[int, float], *, shots: dict[str, int]) -> dict[str, ProbeRead]:
    """Answer all probes exactly at rates that are `factor` times the usual, without shot noise."""
    return by_name(
        ProbeRead(
            name,
            tuple(range(QUBITS)),
            target,
            tuple(
                round(shots[name] * RATES[bit] * factor.get(q, 1.0)) for q, bit in enumerate(target)
            ),
            shots[name],
        )
        for name, target in PROBES.items()
    )


MANY = {"a": 100_000, "b": 100_000}


@pytest.fixture
def roster() -> Roster:
    first = answers({}, shots=MANY)
    settled = Roster.settled(first, first)
    assert settled is not None
    return settled


def moved(roster: Roster, factor: dict[int, float], *, shots: dict[str, int] = MANY) -> Movement:
    movement = roster.movement(answers(factor, shots=shots))
    assert movement is not None
    return movement


def test_a_step_is_the_logarithm_of_the_rate_s_growth(roster: Roster) -> None:
    steps = moved(roster, {2: 1.1}).steps
    # One of five alike moves by ln 1.1: the mean takes a fifth, scaling gives back sqrt(4/5).
    pull = roster.pulls[2]
    assert steps[2] == pytest.approx(math.log(1.1) * math.sqrt(1 - pull), rel=0.03)
    assert max(abs(step) for q, step in enumerate(steps) if q != 2) < 0.03


def test_what_all_qubits_do_at_once_is_taken_out(roster: Roster) -> None:
    steps = moved(roster, dict.fromkeys(range(QUBITS), 1.2)).steps
    assert max(map(abs, steps)) < 0.01


def test_shots_spent_differently_do_not_move_a_level(roster: Roster) -> None:
    steps = moved(roster, {}, shots={"a": 50_000, "b": 400_000}).steps
    assert max(map(abs, steps)) < 1e-3


def test_the_noise_is_the_spread_of_the_steps(roster: Roster) -> None:
    rng, shots, seen = np.random.default_rng(8), 2000, []
    noises: tuple[float, ...] = ()
    for _ in range(400):
        reads = by_name(
            ProbeRead(
                name,
                tuple(range(QUBITS)),
                target,
                tuple(int(rng.binomial(shots, RATES[bit])) for bit in target),
                shots,
            )
            for name, target in PROBES.items()
        )
        movement = roster.movement(reads)
        assert movement is not None
        seen.append(movement.steps)
        noises = movement.noises
    # A sample variance of 400 has a relative standard deviation of sqrt(2/399) = .07.
    assert np.var(seen, axis=0) == pytest.approx(noises, rel=0.3)


def test_a_missing_probe_is_a_missing_answer(roster: Roster) -> None:
    reads = answers({}, shots=MANY)
    assert roster.movement({"a": reads["a"]}) is None
    assert roster.movement({}) is None


def test_probes_of_the_same_name_must_be_the_same_probe() -> None:
    first = answers({}, shots=MANY)
    other = {
        name: ProbeRead(name, read.qubits, (0,) * QUBITS, read.wrong, read.shots)
        for name, read in first.items()
    }
    assert Roster.settled(first, other) is None
    assert Roster.settled(first, {}) is None


def test_a_read_that_contradicts_itself_is_refused() -> None:
    with pytest.raises(ValueError, match="one bit and count per distinct qubit"):
        ProbeRead("a", (0, 0), (1, 1), (3, 3), 10)
    with pytest.raises(ValueError, match="0 <= wrong <= 10"):
        ProbeRead("a", (0, 1), (1, 1), (3, 11), 10)
    read = ProbeRead("a", (0, 1), (1, 1), (3, 4), 10)
    with pytest.raises(ValueError, match="each probe once"):
        by_name([read, read])


def both_kinds(readout: tuple[int, ...], pairs: tuple[int, ...]) -> dict[str, ProbeRead]:
    """Two qubits read in one probe, elements 10 and on shown by another."""
    elements = tuple(range(10, 10 + len(pairs)))
    zeros = (0,) * len(pairs)
    return by_name(
        [
            ProbeRead("readout", (0, 1), (0, 1), readout, 10_000),
            ProbeRead("rows", elements, zeros, pairs, 10_000),
        ]
    )


def test_what_all_readout_does_at_once_is_not_taken_out_of_the_gates() -> None:
    start = both_kinds((300, 300), (2_000, 3_000))
    roster = Roster.settled(start, start)
    assert roster is not None
    assert roster.kinds == (0, 0, 1, 1)
    assert roster.freedoms == (0.5,) * 4
    warmer = roster.movement(both_kinds((450, 450), (2_000, 3_000)))
    assert warmer is not None
    assert warmer.steps[2:] == pytest.approx((0.0, 0.0), abs=1e-12)
    assert warmer.steps[:2] == pytest.approx((0.0, 0.0), abs=0.02)  # both moved alike


def test_an_element_alone_in_its_kind_keeps_its_whole_movement() -> None:
    start = both_kinds((300, 300), (2_000,))
    roster = Roster.settled(start, start)
    assert roster is not None
    assert roster.pulls[2] == 0.0
    assert roster.freedoms == (0.5, 0.5, 1.0)
    later = roster.movement(both_kinds((300, 300), (2_100,)))
    assert later is not None
    assert later.steps[2] == pytest.approx(math.log(2_100 / 2_000), rel=0.05)


def test_qubits_that_shot_noise_hides_are_not_followed() -> None:
    start = both_kinds((300, 9), (2_000, 3_000))  # 9 wrong reads: a log rate known to a third
    roster = Roster.settled(start, start)
    assert roster is not None
    assert set(roster.cells) == {0, 10, 11}


def test_where_all_are_hidden_all_are_followed() -> None:
    start = by_name([ProbeRead("p", (0, 1, 2), (0, 0, 0), (3, 5, 4), 500)])
    roster = Roster.settled(start, start)
    assert roster is not None
    assert set(roster.cells) == {0, 1, 2}
