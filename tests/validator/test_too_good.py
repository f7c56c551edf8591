"""The upper-side bet: what accuses a perfect "QPU", and what never accuses an honest one."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pytest

from validator.sequential import Accusation, accusation_threshold, run_mixture
from validator.too_good import readout_ceiling, too_good

_SHEET = [0.02] * 20
_TARGET = "01" * 10


def test_only_qubits_read_as_1_lower_the_ceiling() -> None:
    assert readout_ceiling([0.3, 0.06, 0.09], target="010") == pytest.approx(0.98)
    assert readout_ceiling([0.3, 0.06, 0.09], target="100") == pytest.approx(0.97)
    assert readout_ceiling([0.06, 0.06], target="00") == 1.0


def test_a_qubit_that_may_be_stuck_promises_nothing() -> None:
    # Stuck at 1 it is wrong half of the time, as listed, and reads every 1 without error.
    assert readout_ceiling([0.5, 0.06], target="11") == readout_ceiling([0.06], target="1")


def test_the_all_zeros_probe_never_bets() -> None:
    assert too_good(1000, shots=1000, ceiling=1.0) == 0.0


@pytest.mark.parametrize("success", [0.9, 0.8, 0.3, 0.0])
def test_the_value_has_mean_at_most_1_at_and_below_the_ceiling(success: float) -> None:
    shots = 60
    mean = math.fsum(
        math.comb(shots, k)
        * success**k
        * (1 - success) ** (shots - k)
        * 10 ** too_good(k, shots=shots, ceiling=0.9)
        for k in range(shots + 1)
    )
    assert mean <= 1.0


def test_a_noiseless_device_is_accused_within_six_probes() -> None:
    ceiling = readout_ceiling(_SHEET, target=_TARGET)
    evidence = run_mixture([too_good(1000, shots=1000, ceiling=ceiling)] * 6)
    assert evidence.log10_e >= accusation_threshold(Accusation.TOO_GOOD, registration=1)


def test_a_device_twice_as_good_as_its_sheet_is_never_accused(
    tolerance: Callable[[float, int], float],
) -> None:
    rng = np.random.default_rng(61)
    ceiling = readout_ceiling(_SHEET, target=_TARGET)
    success = (1 - 0.01) ** 10 * (1 - 0.005) ** 10
    for _ in range(200):
        hits = rng.binomial(1000, success, size=30)
        evidence = run_mixture(too_good(int(k), shots=1000, ceiling=ceiling) for k in hits)
        assert evidence.log10_e < 0.5


def test_more_errors_never_look_better() -> None:
    values = [too_good(k, shots=200, ceiling=0.9) for k in range(201)]
    assert values == sorted(values)


@pytest.mark.parametrize(("hits", "shots", "ceiling"), [(3, 2, 0.9), (1, 2, 0.0), (1, 2, 1.1)])
def test_contradictions_are_refused(hits: int, shots: int, ceiling: float) -> None:
    with pytest.raises(ValueError, match="need"):
        too_good(hits, shots=shots, ceiling=ceiling)


def test_a_sheet_of_another_width_is_refused() -> None:
    with pytest.raises(ValueError, match="need 2 error rates"):
        readout_ceiling([0.1], target="01")
