"""Layer fidelity under injected decays with circuits in common, and EPLG's units."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import NDArray

from validator.estimators.layer_fidelity import LayerRun, layer_fidelity
from validator.interval import NO_SHOTS


def _layer(
    rng: np.random.Generator,
    rates: NDArray[np.float64],
    *,
    lengths: tuple[int, ...] = (1, 8, 24),
    circuits: int = 8,
    shots: int = 200,
    spread: float = 0.05,
) -> list[LayerRun]:
    runs = []
    for m in lengths:
        kept = 0.95 * rates**m
        common = spread * rng.standard_normal((circuits, 1))
        each = np.clip(kept * (1 + common * (1 - kept)), -1, 1)
        values = 2 * rng.binomial(shots, (1 + each) / 2) / shots - 1
        runs += [LayerRun(m, shots, tuple(row)) for row in values.tolist()]
    return runs


def test_the_interval_covers_a_product_of_decays_with_noise_in_common(
    tolerance: Callable[[float, int], float],
) -> None:
    rng, trials, covered = np.random.default_rng(651), 160, 0
    rates = [np.array([0.99, 0.985, 0.995]), np.array([0.98, 0.997])]
    units = [[2, 2, 1], [2, 2]]
    kept = [
        1 - np.array([1 - 0.25**k for k in u]) * (1 - r) for u, r in zip(units, rates, strict=True)
    ]
    truth = float(np.prod(np.concatenate(kept)))
    for _ in range(trials):
        result = layer_fidelity([_layer(rng, r) for r in rates], units=units)
        assert not result.reason
        covered += result.fidelity.low <= truth <= result.fidelity.high
        gate = 1 - truth**0.25
        inside = result.eplg.low <= gate <= result.eplg.high
        assert inside == (result.fidelity.low <= truth <= result.fidelity.high)
    assert covered / trials == pytest.approx(0.95, abs=tolerance(0.95, trials))


def test_eplg_of_equal_pairs_is_the_process_error_of_one() -> None:
    # Depolarizing pairs with process error e: r = 1 - 16 e/15; average gate error = 4 e/5.
    rate = 1 - 16 * 0.01 / 15
    runs = [LayerRun(m, 100, (rate**m,) * 4) for m in (1, 8, 32) for _ in range(8)]
    result = layer_fidelity([runs, runs], units=[[2] * 4, [2] * 4])
    assert result.fidelity.estimate == pytest.approx(0.99**8, abs=1e-6)
    assert result.eplg.estimate == pytest.approx(0.01, abs=1e-6)
    assert result.gate_error.estimate == pytest.approx(0.008, abs=1e-6)


def test_spoiling_short_circuits_raises_the_report_but_never_the_pay() -> None:
    rng = np.random.default_rng(652)
    runs = _layer(rng, np.array([0.98, 0.99]))
    spoiled = [
        LayerRun(run.length, run.shots, tuple(0.7 * v for v in run.values))
        if run.length == 1
        else run
        for run in runs
    ]
    honest, cheat = (layer_fidelity([one], units=[[2, 2]]) for one in (runs, spoiled))
    assert cheat.fidelity.estimate > honest.fidelity.estimate
    assert cheat.paid.low < honest.paid.low


def test_no_single_worse_circuit_raises_the_pay() -> None:
    rng = np.random.default_rng(653)
    runs = _layer(rng, np.array([0.98, 0.99]))
    before = layer_fidelity([runs], units=[[2, 2]]).paid.low
    for index, run in enumerate(runs):
        for drop in (0.05, 0.5):
            values = (max(-1.0, run.values[0] - drop), run.values[1])
            worse = [*runs[:index], LayerRun(run.length, run.shots, values), *runs[index + 1 :]]
            assert layer_fidelity([worse], units=[[2, 2]]).paid.low <= before + 1e-12


def test_the_paid_bound_is_below_the_truth() -> None:
    rng, rates = np.random.default_rng(654), np.array([0.98, 0.99])
    truth = float(np.prod(1 - 15 / 16 * (1 - rates)))
    for _ in range(40):
        assert layer_fidelity([_layer(rng, rates)], units=[[2, 2]]).paid.low <= truth


def test_perfect_pairs_are_not_error_0() -> None:
    runs = [LayerRun(m, 100, (1.0, 1.0)) for m in (1, 8) for _ in range(8)]
    result = layer_fidelity([runs], units=[[2, 2]])
    assert result.eplg.high > 1e-5
    assert result.paid.low < 1.0 - 1e-4


def test_a_lost_unit_leaves_the_product_undefined() -> None:
    rng = np.random.default_rng(655)
    lost = [LayerRun(m, 50, (0.9, 0.4 * rng.standard_normal() / 7)) for m in (40, 80) for _ in "ab"]
    result = layer_fidelity([lost], units=[[2, 2]])
    assert result.fidelity == NO_SHOTS
    assert "cannot be told" in result.reason


def test_without_circuits_nothing_is_known() -> None:
    assert layer_fidelity([[]], units=[[2]]).eplg == NO_SHOTS


def test_units_that_do_not_fit_are_refused() -> None:
    run = LayerRun(1, 10, (0.5,))
    with pytest.raises(ValueError, match="a value for each"):
        layer_fidelity([[run]], units=[[2, 2]])
    with pytest.raises(ValueError, match="with a pair"):
        layer_fidelity([[run]], units=[[1]])
    with pytest.raises(ValueError, match=r"in \[-1, 1\]"):
        LayerRun(1, 10, (1.5,))
