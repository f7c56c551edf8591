"""Quantum volume: the published rule and constants, and honest intervals beside it."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import NDArray

from validator.estimators.heavy_list import HitCircuit
from validator.estimators.heavy_output import heavy_circuit, quantum_volume, volume_test


def _haar_state_law(rng: np.random.Generator, width: int) -> NDArray[np.float64]:
    law = rng.exponential(size=2**width)
    return np.asarray(law / law.sum())


@pytest.mark.parametrize(("width", "known"), [(2, 0.793), (3, 0.819), (4, 0.831), (5, 0.839)])
def test_the_ideal_heavy_share_of_random_states_is_the_known_one(width: int, known: float) -> None:
    # Exact: the upper half of 2^n exponentials; the j-th largest has the mean 1/j + ... + 1/2^n.
    dim = 2**width
    exact = sum(1 / k for j in range(1, dim // 2 + 1) for k in range(j, dim + 1)) / dim
    assert exact == pytest.approx(known, abs=0.003)
    rng = np.random.default_rng(671)
    shares = [heavy_circuit({}, ideal=_haar_state_law(rng, width)).ideal for _ in range(2000)]
    assert np.mean(shares) == pytest.approx(exact, abs=5 * np.std(shares) / 2000**0.5)


def test_heavy_strings_lie_above_the_median_with_bit_0_rightmost() -> None:
    law = np.array([0.1, 0.4, 0.2, 0.3])
    circuit = heavy_circuit({"01": 5, "10": 2, "11": 1}, ideal=law)
    assert (circuit.hits, circuit.shots) == (6, 8)
    assert circuit.ideal == pytest.approx(0.7)
    assert circuit.share == 0.5


def test_the_rule_is_the_published_one() -> None:
    # Cross et al., algorithm 1: h - 2 sqrt(h (1 - h)/circuits) > 2/3.
    for hits, passed in ((75, False), (76, True)):
        test = volume_test([HitCircuit(hits, 100, ideal=0.84, share=0.5)] * 100, width=4)
        h = hits / 100
        assert test.bound == pytest.approx(h - 2 * (h * (1 - h) / 100) ** 0.5)
        assert test.passed is passed is (test.bound > 2 / 3)


def test_fewer_than_100_circuits_pass_nothing() -> None:
    test = volume_test([HitCircuit(99, 100, ideal=0.99, share=0.5)] * 99, width=4)
    assert test.passed is None
    assert "99" in test.reason
    assert volume_test([], width=4).passed is None
    assert quantum_volume([test]) == 1


def test_the_volume_is_that_of_the_largest_passed_width() -> None:
    good, bad = ([HitCircuit(n, 100, ideal=0.84, share=0.5)] * 100 for n in (80, 60))
    tests = [volume_test(good, width=3), volume_test(good, width=5), volume_test(bad, width=6)]
    assert quantum_volume(tests) == 32


def test_the_intervals_cover_where_circuits_differ(
    tolerance: Callable[[float, int], float],
) -> None:
    rng, trials, covered = np.random.default_rng(672), 500, np.zeros(2)
    ideal = 0.83 + 0.06 * rng.uniform(-1, 1, (trials, 100))
    each = 0.7 + 0.05 * rng.uniform(-1.7, 1.7, (trials, 100))
    hits = rng.binomial(200, each * ideal + (1 - each) / 2)
    mean = 0.7 * 0.83 + 0.15
    for seen, masses in zip(hits.tolist(), ideal.tolist(), strict=True):
        circuits = [
            HitCircuit(n, 200, ideal=p, share=0.5) for n, p in zip(seen, masses, strict=True)
        ]
        test = volume_test(circuits, width=4)
        covered += [
            test.heavy.low <= mean <= test.heavy.high,
            test.fidelity.low <= 0.7 <= test.fidelity.high,
        ]
    assert covered / trials == pytest.approx(np.full(2, 0.95), abs=tolerance(0.95, trials))


def test_a_key_of_another_width_is_refused() -> None:
    with pytest.raises(ValueError, match="need keys of 1 bits"):
        heavy_circuit({"01": 1}, ideal=np.array([0.2, 0.8]))
