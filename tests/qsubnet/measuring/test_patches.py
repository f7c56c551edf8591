"""XEB fidelity of simultaneous patches on devices whose noise is known."""

from __future__ import annotations

from collections.abc import Callable

from qsubnet.measuring.measured import Measured
from qsubnet.measuring.subject import Subject

Make = Callable[..., Subject]
Run = Callable[..., Measured]

SHARE = 0.6


def test_white_noise_gives_every_patch_the_same_fidelity(device: Make, measured: Run) -> None:
    found = measured("patches", device(12, floor=SHARE), circuits=2)
    mean, *patches = found.figures
    assert mean.bounds is not None
    assert mean.bounds.low < SHARE < mean.bounds.high
    assert len(patches) >= 4
    for circuit in (1, 2):
        own = [figure for figure in patches if figure.about["circuit"] == circuit]
        told = [figure.about["qubits"] for figure in own]
        assert {str(q) for qubits in told if isinstance(qubits, list) for q in qubits} == {
            str(qubit) for qubit in range(12)
        }
    for figure in patches:
        assert figure.bounds is not None
        # Three standard deviations, as there are several.
        half = 1.5 * (figure.bounds.high - figure.bounds.low) / 2
        assert abs(figure.bounds.estimate - SHARE) < half


def test_one_circuit_is_bounded_by_its_own_shots(device: Make, measured: Run) -> None:
    mean, *_ = measured("patches", device(4, floor=SHARE), circuits=1).figures
    assert mean.note == "of one circuit alone"
    assert mean.bounds is not None
    assert mean.bounds.low < SHARE < mean.bounds.high
    assert mean.bounds.high - mean.bounds.low < 0.2


def test_reversed_bits_have_no_fidelity(device: Make, measured: Run) -> None:
    wrong = device(6, change=lambda counts: counts.reversed())
    mean, *_ = measured("patches", wrong, circuits=2, shots=1_000).figures
    assert mean.bounds is not None
    assert mean.bounds.estimate < 0.5
