"""Layer fidelity and EPLG of devices whose noise is known."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from qsubnet.errors import BadInput
from qsubnet.measuring.measured import Measured
from qsubnet.measuring.subject import Subject

Make = Callable[..., Subject]
Run = Callable[..., Measured]

KEEP = 0.98


def test_layers_on_a_line_have_their_closed_forms(device: Make, measured: Run) -> None:
    """Whole-chip depolarizing noise at each gate: a layer of g gates has r = keep ** g everywhere.

    Of four qubits on a line the layers are (0 1)(2 3) and (1 2); the second leaves 0 and 3 alone.
    """
    found = measured("layer-fidelity", device(4, keep=KEEP), depths=(1, 4, 12), shots=1_000)
    first = (1 - 15 / 16 * (1 - KEEP**2)) ** 2
    second = (1 - 15 / 16 * (1 - KEEP)) * (1 - 3 / 4 * (1 - KEEP)) ** 2
    eplg = 1 - (first * second) ** (1 / 3)
    truths = [first * second, eplg, 0.8 * eplg, first, second]
    names = ["layer fidelity", "EPLG", "average gate error", "layer fidelity", "layer fidelity"]
    assert [figure.name for figure in found.figures] == names
    for figure, truth in zip(found.figures, truths, strict=True):
        assert figure.bounds is not None
        assert figure.bounds.low < truth < figure.bounds.high
        assert figure.bounds.high - figure.bounds.low < 0.04
    assert [figure.about.get("edges") for figure in found.figures[3:]] == [
        [[0, 1], [2, 3]],
        [[1, 2]],
    ]


def test_an_exact_device_has_layer_fidelity_one(device: Make, measured: Run) -> None:
    whole, eplg, *_ = measured("layer-fidelity", device(5), shots=50).figures
    assert whole.bounds is not None
    assert eplg.bounds is not None
    assert whole.bounds.estimate == pytest.approx(1.0)
    assert whole.bounds.low > 0.99
    assert eplg.bounds.low <= 0.0 <= eplg.bounds.high < 0.01


def test_one_length_leaves_it_undefined_with_the_reason(device: Make, measured: Run) -> None:
    found = measured("layer-fidelity", device(), depths=(4,), shots=10)
    assert {figure.bounds for figure in found.figures} == {None}
    assert "fewer than 2 lengths" in found.figures[0].note


def test_two_widths_are_refused(device: Make, measured: Run) -> None:
    with pytest.raises(BadInput, match="takes one --width, got 2, 3"):
        measured("layer-fidelity", device(), widths=(3, 2))
