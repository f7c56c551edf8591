from __future__ import annotations

from collections.abc import Callable

import pytest

from circuits.program import Operation, Program, barrier, measure
from circuits.topology import Topology, complete
from providers.admission import check_job
from providers.base import Device, DeviceClass, ErrorRates, Job
from providers.errors import Rejected

SIMULATOR = Device("sim", DeviceClass.SIMULATOR, complete(3, ["cx", "u"]), None, "fake")
LINE = Topology(3, ((1, 0), (1, 2)), ("ecr", "rz", "sx", "x"))
QPU = Device(
    "qpu",
    DeviceClass.QPU,
    LINE,
    ErrorRates((0.001,) * 3, (0.01,) * 2, (0.02,) * 3),
    "fake",
    max_shots=100,
    max_programs=2,
)
PROGRAM = Program(3, 1, (Operation("x", (0,)), measure(0, 0)))
Job_ = Callable[..., Job]


def native(*operations: Operation, width: int = 3) -> Program:
    return Program(width, 1, (*operations, measure(0, 0)))


@pytest.mark.parametrize(
    ("program", "words"),
    [
        (native(width=4), "4 qubits"),
        (native(Operation("h", (0,))), "h on qubits .0. is not native"),
        (native(Operation("ecr", (0, 2))), "ecr on qubits .0, 2. is not native"),
        (native(Operation("ecr", (0, 1))), "ecr on qubits .0, 1. is not native"),
        (native(Operation("ccx", (0, 1, 2))), "ccx"),
        (Program(3, 1, (Operation("x", (0,)),)), "measures nothing"),
    ],
)
def test_a_qpu_refuses_what_it_does_not_have(make_job: Job_, program: Program, words: str) -> None:
    with pytest.raises(Rejected, match=words):
        check_job(QPU, make_job("qpu", program, shots=10))


def test_a_qpu_takes_native_gates_on_its_couplings(make_job: Job_) -> None:
    program = native(
        Operation("sx", (0,)),
        Operation("rz", (2,), (0.1,)),
        barrier((0, 2)),
        Operation("ecr", (1, 0)),
    )
    check_job(QPU, make_job("qpu", program, shots=10))


def test_a_symmetric_gate_may_be_written_against_the_coupling(make_job: Job_) -> None:
    topology = Topology(2, ((1, 0),), ("cz", "rz", "sx"))
    rates = ErrorRates((0.0,) * 2, (0.0,), (0.0,) * 2)
    device = Device("cz", DeviceClass.QPU, topology, rates, "fake")
    check_job(device, make_job("cz", native(Operation("cz", (0, 1)), width=2)))


def test_too_many_shots_or_programs_are_refused(make_job: Job_) -> None:
    with pytest.raises(Rejected, match="2 programs of 100 shots, got 1 of 101"):
        check_job(QPU, make_job("qpu", PROGRAM, shots=101))
    with pytest.raises(Rejected, match="got 3 of 1"):
        check_job(QPU, make_job("qpu", PROGRAM, PROGRAM, PROGRAM, shots=1))


def test_idle_qubits_count_only_where_qubits_have_places() -> None:
    wide = Program(50, 1, (Operation("x", (49,)), measure(49, 0)))
    check_job(SIMULATOR, Job("0" * 64, "sim", (wide,), 1, verbatim=False))
    with pytest.raises(Rejected, match="50 qubits"):
        check_job(SIMULATOR, Job("0" * 64, "sim", (wide,), 1, verbatim=True))
