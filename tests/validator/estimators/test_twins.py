"""Twins: honest pairs agree, whoever ran something else or copied is named."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from validator.estimators.twins import Agreement, compare_twins
from validator.interval import Interval

_WIDTH = 10


def _answer(rng: np.random.Generator, law: NDArray[np.float64], fidelity: float) -> dict[str, int]:
    seen = rng.multinomial(2000, fidelity * law + (1 - fidelity) / len(law))
    return {format(i, f"0{_WIDTH}b"): int(n) for i, n in enumerate(seen) if n}


@pytest.fixture
def laws() -> list[NDArray[np.float64]]:
    rng = np.random.default_rng(711)
    drawn = [rng.exponential(size=2**_WIDTH) for _ in range(2)]
    return [law / law.sum() for law in drawn]


def _around(value: float) -> Interval:
    return Interval(value - 0.03, value, value + 0.03)


def test_honest_twins_are_consistent(laws: list[NDArray[np.float64]]) -> None:
    rng, law = np.random.default_rng(712), laws[0]
    excess = len(law) * float(law @ law) - 1
    words = [
        compare_twins(
            _answer(rng, law, 0.7),
            _answer(rng, law, 0.5),
            width=_WIDTH,
            fidelities=(_around(0.7), _around(0.5)),
            excess=excess,
            confidence=0.999,
        )
        for _ in range(60)
    ]
    assert {twins.agreement for twins in words} == {Agreement.CONSISTENT}
    crossed = np.mean([twins.cross.estimate for twins in words])
    assert crossed == pytest.approx(0.35 * excess, rel=0.05)


def test_a_device_that_ran_something_else_is_odd(laws: list[NDArray[np.float64]]) -> None:
    rng = np.random.default_rng(713)
    fidelities = (_around(0.7), _around(0.7))
    for other in (_answer(rng, laws[1], 0.7), _answer(rng, laws[0], 0.0)):
        twins = compare_twins(
            _answer(rng, laws[0], 0.7),
            other,
            width=_WIDTH,
            fidelities=fidelities,
            confidence=0.999999,
        )
        assert twins.agreement is Agreement.ODD
        assert twins.gap.high < 0.0


def test_copied_answers_are_shared(laws: list[NDArray[np.float64]]) -> None:
    rng = np.random.default_rng(714)
    answer = _answer(rng, laws[0], 0.6)
    twins = compare_twins(
        answer, answer, width=_WIDTH, fidelities=(_around(0.6),) * 2, confidence=0.999999
    )
    assert twins.agreement is Agreement.SHARED
    assert twins.shared.low > 0.5


def test_too_few_shots_decide_nothing(laws: list[NDArray[np.float64]]) -> None:
    few = {"0000000001": 3, "0000000100": 2}
    vague = (Interval(0.0, 0.5, 1.0),) * 2
    assert compare_twins(few, {"1000000000": 5}, width=_WIDTH, fidelities=vague).agreement is (
        Agreement.UNDECIDED
    )
    assert compare_twins({}, few, width=_WIDTH, fidelities=vague).agreement is Agreement.UNDECIDED
