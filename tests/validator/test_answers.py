"""Known answers: error patterns bit by bit, and rates from past shots."""

from __future__ import annotations

import math

import numpy as np
import pytest

from validator.answers import AnswerKind, ErrorRates, KnownShots, known_shots, log_product_law


def _shots(counts: dict[str, int], *, target: str, qubits: tuple[int, ...]) -> KnownShots:
    return known_shots(counts, target=target, qubits=qubits, kind=AnswerKind.MIRROR, label="a")


def test_column_i_is_bit_i_counted_from_the_right() -> None:
    shots = _shots({"100": 2, "001": 3}, target="101", qubits=(7, 8, 9))
    assert shots.target == (1, 0, 1)
    assert shots.errors.tolist() == [[1, 0, 0], [0, 0, 1]]
    assert shots.counts.tolist() == [2, 3]
    assert shots.shots == 5


def test_rates_belong_to_qubit_and_prepared_value() -> None:
    shots = _shots({"11": 900, "10": 100}, target="11", qubits=(4, 2))
    rates = ErrorRates().after(shots, errors=shots.errors, counts=shots.counts)
    assert rates.seen == {(4, 1): (100, 1000), (2, 1): (0, 1000)}
    assert rates.rates(shots)[0] == pytest.approx(0.1, abs=0.01)
    assert 0.0 < rates.rates(shots)[1] < 0.01
    assert rates.common(0) == 0.05


def test_the_product_law_is_the_product() -> None:
    law = log_product_law(np.array([[1, 0, 1], [0, 0, 0]], dtype=np.uint8), [0.1, 0.2, 0.3])
    assert law == pytest.approx([math.log(0.1 * 0.8 * 0.3), math.log(0.9 * 0.8 * 0.7)])


def test_misses_leave_out_the_exact_hits() -> None:
    errors, counts = _shots({"00": 5, "10": 2}, target="00", qubits=(0, 1)).misses()
    assert errors.tolist() == [[0, 1]]
    assert counts.tolist() == [2]


def test_a_target_of_another_width_is_refused() -> None:
    with pytest.raises(ValueError, match="need 2 bits"):
        _shots({"00": 1}, target="000", qubits=(0, 1))
