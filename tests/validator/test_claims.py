"""Claims: the product of a sheet's rates over one circuit's operations.

Expected values are the products written out by hand: 1 - 5r/4 per two-qubit gate, 1 - 3r/2 per
one-qubit gate that is a pulse, readout 1 - 3e/2 (polarization) or 1 - e (hits).
"""

from __future__ import annotations

import pytest

from circuits.case import Case, KnownAnswer
from circuits.families import family
from circuits.program import Operation, Program, barrier, measure
from circuits.topology import Topology
from providers.base import Context, Device, DeviceClass, ErrorRates
from providers.cheats import sheet_fidelity
from providers.snapshots import load
from providers.standin import StandIn
from validator.claims import claim_for
from validator.fidelity import Measure

LINE = Topology(3, ((0, 1), (1, 2)), ("cz", "rz", "sx", "x"))
SHEET = ErrorRates(one_qubit=(0.001, 0.002, 0.004), two_qubit=(0.01, 0.03), readout=(0.1, 0.2, 0.3))
DEVICE = Device("d", DeviceClass.QPU, LINE, SHEET, "test")


def _case(*operations: Operation, qubits: tuple[int, ...]) -> Case:
    program = Program(3, len(qubits), operations)
    bits = "0" * len(qubits)
    return Case("mirror", len(qubits), 2, qubits, program, KnownAnswer(bits))


CASE = _case(
    Operation("sx", (1,)),
    Operation("rz", (1,), (0.3,)),
    Operation("x", (2,)),
    barrier((1, 2)),
    Operation("cz", (2, 1)),
    measure(1, 0),
    measure(2, 1),
    qubits=(1, 2),
)


@pytest.mark.parametrize(
    ("measured", "readout"),
    [(Measure.POLARIZATION, 0.7 * 0.55), (Measure.HITS, 0.8 * 0.7)],
)
def test_a_claim_is_the_product_over_the_qubits_and_edges_used(
    measured: Measure, readout: float
) -> None:
    gates = (1 - 1.5 * 0.002) * (1 - 1.5 * 0.004) * (1 - 1.25 * 0.03)
    assert claim_for(CASE, DEVICE, measure=measured) == pytest.approx(gates * readout)


def test_a_device_without_a_sheet_claims_everything() -> None:
    bare = Device("d", DeviceClass.SIMULATOR, LINE, None, "test")
    assert claim_for(CASE, bare, measure=Measure.HITS) == 1.0


def test_the_claim_is_what_the_sheets_own_reader_computes() -> None:
    # `sheet_fidelity` is another reading of the same rule, by those who lie about it.
    hanoi = StandIn(load("hanoi"), "hanoi", Context(b"seed", lambda: 0)).device
    case = family("mirror").generate(b"key", width=6, depth=4, topology=hanoi.topology)
    expected = sheet_fidelity(hanoi, case.program)
    assert claim_for(case, hanoi, measure=Measure.POLARIZATION) == pytest.approx(expected)
    assert 0.5 < expected < 0.95
