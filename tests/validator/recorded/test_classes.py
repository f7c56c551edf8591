"""Universal inference: suprema against brute force, expectations under the nulls, and power."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pytest

from circuits.draws import Draws
from circuits.program import Program
from validator.recorded.classes import likelihoods, white_noise_supremum
from validator.recorded.execution import Execution
from validator.recorded.hardware import class_evidence
from validator.recorded.laws import CertainLaw, DenseLaw, ideal_law
from validator.recorded.study import Answer, study
from validator.references.reference import Reference

RUNS = 24


def test_the_supremum_over_white_noise_is_never_below_a_fine_grid() -> None:
    rng = np.random.default_rng(5)
    grid = np.linspace(0.0, 1.0, 20001)[:-1]
    for _ in range(20):
        ratios = rng.exponential(size=8)
        counts = rng.multinomial(300, rng.dirichlet(np.ones(8)))
        brute = (np.log1p(np.outer(grid, ratios - 1.0)) @ counts).max()
        assert brute - 1e-9 <= white_noise_supremum(ratios, counts) <= brute + 1e-3


def test_a_forbidden_shot_keeps_the_strength_below_one() -> None:
    # Two strings, F = 1 forbids one of them: sup F of (1 + F)^9 (1 - F) is at F = .8.
    found = white_noise_supremum(np.array([2.0, 0.0]), np.array([9, 1]))
    assert found == pytest.approx(9 * math.log(1.8) + math.log(0.2))


def test_flips_of_a_certain_answer_are_bounded_by_each_bits_own_share() -> None:
    found = likelihoods(CertainLaw((0, 1), (0, 1), "00"), ["00", "01", "11"], np.array([6, 3, 1]))
    # Bit 0 is wrong in 4 of 10 shots, bit 1 in 1 of 10: two binomials, by hand.
    by_hand = 4 * math.log(0.4) + 6 * math.log(0.6) + math.log(0.1) + 9 * math.log(0.9)
    assert found.flips == pytest.approx(by_hand)


@pytest.fixture
def judged(
    reference: Reference,
    random_program: Callable[..., Program],
    certain_program: Callable[[str], Program],
    sampled: Callable[..., dict[str, int]],
    executed: Callable[..., Execution],
) -> Callable[..., dict[str, float]]:
    """Judge a device that runs random programs and perhaps a certain one, each twice."""

    def run(rng: np.random.Generator, *, certain: str = "101", **noise: object) -> dict[str, float]:
        programs = [random_program(seed, 3) for seed in range(3)]
        programs += [certain_program(certain)] if certain else []
        answers: list[Answer] = []
        for number, program in enumerate(programs):
            law = ideal_law(program, reference)
            assert law is not None
            dense = law.values if isinstance(law, DenseLaw) else np.eye(8)[int(law.answer, 2)]
            counts = [sampled(rng, dense, shots=400, **noise) for _ in range(2)]
            answers += study(
                law, [executed(2 * number + k, program, c) for k, c in enumerate(counts)]
            )
        return class_evidence(answers, draws=Draws(b"key"))

    return run


@pytest.mark.parametrize(
    ("name", "noise"),
    [
        ("uniform", {"fidelity": 0.0}),
        ("noiseless", {}),
        ("white_noise", {"fidelity": 0.7}),
    ],
)
def test_a_class_gains_nothing_against_itself(
    judged: Callable[..., dict[str, float]], name: str, noise: dict[str, float]
) -> None:
    rng = np.random.default_rng(17)
    found = [10.0 ** judged(rng, certain="", **noise)[name] for _ in range(RUNS)]
    # An e-value's mean is at most 1; Markov's inequality bounds the largest of 24 at 1e-6.
    assert np.mean(found) < 1.5
    assert max(found) < RUNS * 1e6


def test_independent_flips_gain_nothing_against_themselves(
    judged: Callable[..., dict[str, float]],
) -> None:
    rng = np.random.default_rng(18)
    noise = {"up": [0.01, 0.05, 0.02], "down": [0.04, 0.1, 0.06]}
    found = [10.0 ** judged(rng, **noise)["independent_flips"] for _ in range(RUNS // 2)]
    assert np.mean(found) < 1.5


def test_misread_bits_are_told_from_white_noise_uniform_bits_and_no_noise(
    judged: Callable[..., dict[str, float]],
) -> None:
    found = judged(np.random.default_rng(19), up=0.02, down=0.08)
    assert min(found[name] for name in ("uniform", "noiseless", "white_noise")) > 6.0


def test_white_noise_is_told_from_independent_flips(
    judged: Callable[..., dict[str, float]],
) -> None:
    assert judged(np.random.default_rng(20), fidelity=0.6)["independent_flips"] > 6.0


def test_classes_without_data_are_missing(judged: Callable[..., dict[str, float]]) -> None:
    found = judged(np.random.default_rng(21))
    assert set(found) == {
        "uniform",
        "noiseless",
        "white_noise",
        "independent_flips",
        "static_twin",
    }
