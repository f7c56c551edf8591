"""Layer infidelity of devices whose noise is known."""

from __future__ import annotations

from collections.abc import Callable

from qsubnet.measuring.measured import Measured
from qsubnet.measuring.subject import Subject

Make = Callable[..., Subject]
Run = Callable[..., Measured]


def test_a_depolarizing_gate_has_its_closed_form_whatever_readout_costs(
    device: Make, measured: Run
) -> None:
    # On two qubits a layer is one gate, so r = keep; a floor of .9 is all in the amplitude.
    noisy = device(2, keep=0.97, floor=0.9)
    (figure,) = measured("binary-rb", noisy, shots=1_000).figures
    truth = 15 / 16 * 0.03
    assert figure.bounds is not None
    assert figure.bounds.low < truth < figure.bounds.high
    assert figure.bounds.high - figure.bounds.low < 0.01


def test_an_exact_device_loses_nothing_on_a_line(device: Make, measured: Run) -> None:
    (figure,) = measured("binary-rb", device(5), shots=50).figures
    assert figure.bounds is not None
    assert figure.bounds.low <= 0.0 <= figure.bounds.high < 0.01
    assert figure.about["lengths"] == [1, 8, 32]


def test_coin_flips_leave_the_rate_undefined_with_the_reason(device: Make, measured: Run) -> None:
    (figure,) = measured("binary-rb", device(floor=0.0), shots=20).figures
    assert figure.bounds is None
    assert "no decay" in figure.note
    assert figure.document()["estimate"] is None


def test_reversed_bits_show_no_fidelity(device: Make, measured: Run) -> None:
    wrong = device(5, change=lambda counts: counts.reversed())
    (figure,) = measured("binary-rb", wrong, shots=20, depths=(1, 2)).figures
    assert figure.bounds is None or figure.bounds.high - figure.bounds.low > 0.2
