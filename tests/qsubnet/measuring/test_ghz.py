"""GHZ fidelity of devices whose noise is known."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from qsubnet.errors import BadInput
from qsubnet.measuring.ghz import cat_fidelity
from qsubnet.measuring.measured import Measured
from qsubnet.measuring.subject import Subject

Make = Callable[..., Subject]
Run = Callable[..., Measured]


def test_an_exact_device_has_fidelity_one_inside_a_narrow_interval(
    device: Make, measured: Run
) -> None:
    (figure,) = measured("ghz", device(5), widths=(5,)).figures
    assert figure.bounds is not None
    assert figure.bounds.estimate == 1.0
    assert 0.99 < figure.bounds.low < 1.0
    assert figure.note == "above 1/2: all 5 qubits are entangled"


def test_white_noise_gives_its_closed_form(device: Make, measured: Run) -> None:
    # A cat of 3 takes 2 gates, and a mixed state has fidelity 1/8 with it.
    (figure,) = measured("ghz", device(keep=0.8), widths=(3,)).figures
    truth = 0.8**2 * (1 - 1 / 8) + 1 / 8
    assert figure.bounds is not None
    assert figure.bounds.low < truth < figure.bounds.high
    assert figure.bounds.high - figure.bounds.low < 0.05
    assert (figure.circuits, figure.shots) == (40, 10_000)


def test_widths_double_up_to_the_device_unless_told(device: Make, measured: Run) -> None:
    found = measured("ghz", device(6), shots=20, circuits=2)
    assert [figure.about["width"] for figure in found.figures] == [2, 4, 6]


def test_reversed_bits_do_not_make_a_cat(device: Make, measured: Run) -> None:
    wrong = device(5, change=lambda counts: counts.reversed())
    (figure,) = measured("ghz", wrong, widths=(5,)).figures
    assert figure.bounds is not None
    assert figure.bounds.high < 0.95


def test_no_circuit_leaves_all_that_a_fidelity_can_be() -> None:
    bounds = cat_fidelity([], width=1)
    assert (bounds.low, bounds.estimate, bounds.high) == (0.0, 0.5, 1.0)


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        ({"widths": (5,)}, r"need a width 2 \.\. 4 on 'known', got 5"),
        ({"widths": (1, 2)}, "got 1"),
        ({"circuits": 1}, "ghz needs at least 2 circuits a width, got 1"),
        ({"depths": (3,)}, "ghz takes no --depth"),
        ({"shots": 20_001}, r"need 1 \.\. 20000 shots on 'known', got 20001"),
    ],
)
def test_what_cannot_be_measured_is_refused_in_a_sentence(
    device: Make, measured: Run, words: dict[str, Any], sentence: str
) -> None:
    with pytest.raises(BadInput, match=sentence):
        measured("ghz", device(), **words)


@pytest.mark.parametrize("values", [(0.7, 0.9), (0.97, 0.99), (0.998, 0.999)])
def test_the_interval_covers_the_truth_where_stabilizers_differ(
    values: tuple[float, float],
) -> None:
    """Of a cat's 2^n - 1 stabilizers 2^(n-1) hold X or Y; both kinds get a mean of their own."""
    rng = np.random.default_rng(1)
    width, circuits, shots, runs = 3, 40, 250, 300
    share = 4 / 7
    truth = (1 + 7 * (share * values[0] + (1 - share) * values[1])) / 8
    covered = 0
    for _ in range(runs):
        means = np.where(rng.random(circuits) < share, *values)
        right = rng.binomial(shots, (1 + means) / 2)
        bounds = cat_fidelity([(int(hits), shots) for hits in right], width=width)
        covered += bounds.low <= truth <= bounds.high
    # Of 300 runs at .95, fewer than .915 are covered in one of some 300 tests.
    assert covered / runs >= 0.915
