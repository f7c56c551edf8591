"""Qubits that do not read out: coins and stuck ones, and how often honest ones are named."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from circuits.counts import Counts
from validator.answers import AnswerKind, KnownShots, known_shots
from validator.unread import unread

SHEET = (0.02, 0.02, 0.15, 0.02)


def _read(
    target: str, *, shots: int, wrong: Callable[[np.ndarray], np.ndarray], label: str
) -> KnownShots:
    """Give what a device of four qubits returns; `wrong` flips the bits of (shots x 4) rows."""
    right = np.tile([int(bit) for bit in reversed(target)], (shots, 1)).astype(np.uint8)
    return known_shots(
        Counts.from_rows(wrong(right)).table,
        target=target,
        qubits=(0, 1, 2, 3),
        kind=AnswerKind.READOUT,
        label=label,
    )


def _probes(wrong: Callable[[np.ndarray], np.ndarray]) -> list[KnownShots]:
    targets = ("0110", "1001", "1110")
    return [_read(bits, shots=75, wrong=wrong, label=bits) for bits in targets]


def test_coins_and_stuck_qubits_are_named_by_the_device_s_numbers() -> None:
    rng = np.random.default_rng(1)

    def coin_on_3(rows: np.ndarray) -> np.ndarray:
        rows[:, 3] = rng.integers(0, 2, len(rows))
        return rows

    def stuck_on_1(rows: np.ndarray) -> np.ndarray:
        rows[:, 1] = 1
        return rows

    assert unread(_probes(coin_on_3), readout=SHEET) == (3,)
    # Right whenever 1 was prepared, wrong whenever 0 was.
    assert unread(_probes(stuck_on_1), readout=SHEET) == (1,)


def test_a_sheet_may_say_that_a_qubit_is_bad() -> None:
    rng = np.random.default_rng(2)

    def flipped(rows: np.ndarray) -> np.ndarray:
        return rows ^ (rng.random(rows.shape) < [0.02, 0.02, 0.4, 0.02])

    assert unread(_probes(flipped), readout=SHEET) == ()
    assert unread(_probes(flipped), readout=(0.02,) * 4) == (2,)


@pytest.mark.parametrize("rate", [0.06, 0.25])
def test_qubits_within_the_limits_are_hardly_ever_named(rate: float) -> None:
    rng = np.random.default_rng([3, int(100 * rate)])

    def flipped(rows: np.ndarray) -> np.ndarray:
        return rows ^ (rng.random(rows.shape) < rate)

    named = sum(len(unread(_probes(flipped), readout=(0.02,) * 4)) for _ in range(200))
    # 800 qubits, two values each, at .0005 a side at most.
    assert named <= 4


def test_no_answers_name_nothing() -> None:
    assert unread([], readout=SHEET) == ()
