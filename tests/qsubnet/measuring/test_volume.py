"""Quantum volume of devices whose noise is known."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from qsubnet.errors import BadInput
from qsubnet.measuring.measured import Measured
from qsubnet.measuring.subject import Subject

Make = Callable[..., Subject]
Run = Callable[..., Measured]


def test_an_exact_device_passes_up_to_its_width(device: Make, measured: Run) -> None:
    volume, *figures = measured("volume", device(3), shots=100, circuits=100).figures
    assert volume.document()["estimate"] == 8.0
    assert volume.document()["high"] is None
    assert "are the widest that was tried" in volume.note
    assert [figure.about.get("passed") for figure in figures[::2]] == [True, True]
    for figure in figures[1::2]:
        assert figure.bounds is not None
        assert figure.bounds.low < 1.0 < figure.bounds.high


def test_white_noise_below_two_thirds_fails_and_ends_it(device: Make, measured: Run) -> None:
    # h = 1/2 + .5 (h_ideal - 1/2) is .64 for two qubits.
    volume, heavy, fidelity = measured(
        "volume", device(4, floor=0.5), shots=200, circuits=100
    ).figures
    assert volume.document()["estimate"] == 1.0
    assert heavy.about["passed"] is False
    assert volume.about["widths"] == [2]
    assert fidelity.bounds is not None
    assert fidelity.bounds.low < 0.5 < fidelity.bounds.high
    assert fidelity.bounds.high - fidelity.bounds.low < 0.1


def test_reversed_bits_fail(device: Make, measured: Run) -> None:
    wrong = device(3, change=lambda counts: counts.reversed())
    volume, *_ = measured("volume", wrong, shots=100, circuits=100, widths=(3,)).figures
    assert volume.document()["estimate"] == 1.0


def test_fewer_than_a_hundred_circuits_are_refused(device: Make, measured: Run) -> None:
    with pytest.raises(BadInput, match="volume needs at least 100 circuits a width, got 99"):
        measured("volume", device(), circuits=99)
