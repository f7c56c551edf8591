"""Layer error from mean distances at two depths: coverage, wide chips, and what is paid."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from validator.interval import NO_SHOTS
from validator.mirror import MirrorAnswer, polarization
from validator.two_depths import ModelRow, bit_polarization, two_depths


def _model(short: int, long: int) -> list[ModelRow]:
    """Depolarizing qubits that do not spread errors: z = (1 - 4 e/3)^depth."""
    kept = [(e, 1 - 4 * e / 3) for e in np.linspace(0, 0.05, 51).tolist()]
    return [ModelRow(e, short=z**short, long=z**long) for e, z in kept]


def _mirrors(
    rng: np.random.Generator,
    z: float,
    *,
    width: int,
    circuits: int,
    shots: int,
    spread: float = 0.1,
) -> list[MirrorAnswer]:
    """Draw circuits that differ by `spread`, with shots whose bits go wrong together."""
    answers = []
    for wrong in (1 - z) / 2 * (1 + spread * rng.uniform(-1.7, 1.7, circuits)):
        rates = rng.beta(30 * wrong, 30 * (1 - wrong), size=shots)
        distance = np.bincount(rng.binomial(width, rates), minlength=width + 1)
        answers.append(MirrorAnswer(tuple(int(n) for n in distance)))
    return answers


@pytest.mark.parametrize(("width", "error"), [(40, 0.005), (127, 0.01)])
def test_the_interval_covers_an_injected_error_with_readout_in_the_way(
    width: int, error: float, tolerance: Callable[[float, int], float]
) -> None:
    rng, trials, covered = np.random.default_rng(721), 300, 0
    model = _model(4, 24)
    z = 1 - 4 * error / 3
    for _ in range(trials):
        short, long = (
            _mirrors(rng, 0.93 * z**m, width=width, circuits=8, shots=150) for m in (4, 24)
        )
        bounds = two_depths(short=short, long=long, model=model).error
        covered += bounds.low <= error <= bounds.high
    assert covered / trials == pytest.approx(0.95, abs=tolerance(0.95, trials))


def test_a_chip_of_127_qubits_is_measured_within_5_percent_where_success_is_lost() -> None:
    rng, error = np.random.default_rng(722), 0.01
    z = 1 - 4 * error / 3
    short, long = (
        _mirrors(rng, 0.96 * z**m, width=127, circuits=20, shots=250, spread=0.03) for m in (8, 48)
    )
    assert abs(polarization(long[0])) < 1e-3
    bounds = two_depths(short=short, long=long, model=_model(8, 48)).error
    assert bounds.estimate == pytest.approx(error, rel=0.05)
    assert bounds.high - bounds.low < 0.15 * error


def test_spoiling_short_mirrors_lowers_the_reported_error_but_never_the_paid_one() -> None:
    rng = np.random.default_rng(723)
    short, worse, long = (
        _mirrors(rng, z, width=30, circuits=10, shots=200) for z in (0.9, 0.75, 0.6)
    )
    model = _model(4, 24)
    honest = two_depths(short=short, long=long, model=model)
    cheat = two_depths(short=worse, long=long, model=model)
    assert cheat.error.estimate < honest.error.estimate
    assert cheat.paid == honest.paid


@settings(deadline=None, max_examples=60)
@given(st.lists(st.integers(0, 60), min_size=6, max_size=6), st.integers(0, 5), st.data())
def test_a_worse_long_mirror_never_lowers_the_paid_error(
    wrong: list[int], index: int, data: st.DataObject
) -> None:
    worse = list(wrong)
    worse[index] = data.draw(st.integers(wrong[index], 100))
    high = [
        two_depths(
            short=[],
            long=[MirrorAnswer((100 - n, n, 0, 0)) for n in one],
            model=_model(4, 24),
        ).paid.high
        for one in (wrong, worse)
    ]
    assert high[1] >= high[0] - 1e-12


def test_perfect_mirrors_are_not_error_0() -> None:
    exact = [MirrorAnswer((100, 0, 0))] * 8
    result = two_depths(short=exact, long=exact, model=_model(4, 24))
    assert result.error.estimate == pytest.approx(0.0, abs=1e-12)
    assert result.error.high > 0.0
    assert result.paid.high > 1e-4


def test_what_cannot_be_told_is_said() -> None:
    noise = [MirrorAnswer((26, 50, 24)), MirrorAnswer((24, 50, 26))] * 4
    result = two_depths(short=noise, long=noise, model=_model(4, 24))
    assert result.error == NO_SHOTS
    assert "lost in the noise" in result.reason
    assert two_depths(short=[], long=[], model=_model(4, 24)).paid == NO_SHOTS
    far = [MirrorAnswer((50, 50)), MirrorAnswer((49, 51))] * 4
    near = [MirrorAnswer((100, 0)), MirrorAnswer((99, 1))] * 4
    assert two_depths(short=near, long=far, model=_model(4, 24)).error.high == 1.0


def test_a_polarization_of_bits_counts_wrong_bits() -> None:
    assert bit_polarization(MirrorAnswer((5, 0, 5))) == 0.0


def test_models_that_do_not_fall_and_mixed_widths_are_refused() -> None:
    with pytest.raises(ValueError, match="falling above 0"):
        two_depths(short=[], long=[], model=[ModelRow(0, 1, 1), ModelRow(0.1, 0.5, 0.7)])
    with pytest.raises(ValueError, match="one width"):
        two_depths(
            short=[MirrorAnswer((1, 0))], long=[MirrorAnswer((1, 0, 0))], model=_model(4, 24)
        )
