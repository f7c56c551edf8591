"""Process fidelity of one circuit on devices whose noise is known."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from circuits.program import Operation, Program, measure
from circuits.topology import complete
from qsubnet.errors import BadInput
from qsubnet.measuring.measured import Measured
from qsubnet.measuring.subject import Subject

Make = Callable[..., Subject]
Run = Callable[..., Measured]

USERS = Program(
    3,
    2,
    (
        Operation("h", (2,)),
        Operation("cx", (2, 0)),
        Operation("t", (0,)),
        Operation("cx", (0, 1)),
        Operation("ry", (1,), (0.3,)),
        Operation("cx", (1, 2)),
        measure(0, 0),
        measure(2, 1),
    ),
)


def test_depolarizing_gates_give_gamma_and_the_fidelity_of_the_circuit_alone(
    device: Make, measured: Run
) -> None:
    # M1 and M2 hold every gate twice and M3 none, and all hold the floor: gamma = keep ** gates.
    noisy = device(3, keep=0.97, floor=0.9)
    gamma, fidelity, whole = measured("mcfe", noisy, depths=(6,), shots=2_000).figures
    gates = gamma.about["two_qubit_gates"]
    assert isinstance(gates, int)
    assert gates >= 6
    truth = 0.97**gates
    for figure, value in (
        (gamma, truth),
        (fidelity, 1 - 63 / 64 * (1 - truth)),
        (whole, 1 - 63 / 64 * (1 - 0.9 * truth**2)),
    ):
        assert figure.bounds is not None
        assert figure.bounds.low < value < figure.bounds.high
        assert figure.bounds.high - figure.bounds.low < 0.12


@pytest.mark.parametrize("gate", ["cz", "cx", "ecr"])
def test_a_users_circuit_is_compiled_and_exact_on_an_exact_device(
    device: Make, measured: Run, gate: str
) -> None:
    """All three gates are put into the coupling's direction, also where every pair couples."""
    maker = device(topology=complete(3, (gate, "u")))
    gamma, fidelity, _ = measured("mcfe", maker, program=USERS, circuits=8, shots=100).figures
    assert gamma.of == "3 qubits, 3 two-qubit gates"
    assert gamma.bounds is not None
    assert fidelity.bounds is not None
    assert gamma.bounds.estimate == fidelity.bounds.estimate == 1.0
    assert gamma.bounds.low > 0.97


def test_reversed_bits_leave_it_undefined_or_low(device: Make, measured: Run) -> None:
    wrong = device(4, change=lambda counts: counts.reversed())
    _, _, whole = measured("mcfe", wrong, shots=100).figures
    assert whole.bounds is not None
    assert whole.bounds.high < 0.8


def test_a_circuit_has_its_own_width(device: Make, measured: Run) -> None:
    with pytest.raises(BadInput, match="not with --circuit"):
        measured("mcfe", device(), program=USERS, widths=(3,))


def test_a_circuit_that_is_too_wide_is_refused(device: Make, measured: Run) -> None:
    wide = Program(
        5, 5, tuple(op for q in range(5) for op in (Operation("h", (q,)), measure(q, q)))
    )
    with pytest.raises(BadInput, match="uses 5 qubits, device 'known' has 4"):
        measured("mcfe", device(), program=wide)
