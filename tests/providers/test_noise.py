"""Where errors strike; expected numbers are closed forms."""

from __future__ import annotations

import math

import pytest

from circuits.program import Operation, Program, barrier, measure
from circuits.topology import Topology
from providers.noise import Law, NoisyCircuit, Rates, place

LINE = Topology(6, ((0, 1), (1, 2), (2, 3), (3, 4), (4, 5)), ("cz", "rz", "sx", "x"))
RATES = Rates(
    one_qubit=(0.003,) * 6,
    two_qubit=dict.fromkeys(LINE.edges, 0.015),
    read_0_given_1=(0.06, 0.05, 0.04, 0.03, 0.02, 0.01),
    read_1_given_0=(0.01,) * 6,
    relax_hz=(1e4,) * 6,
    dephase_hz=(2e4,) * 6,
    one_qubit_s=50e-9,
    two_qubit_s=dict.fromkeys(LINE.edges, 500e-9),
)
QUIET = Law(crosstalk=0.0, joint=0.0, spectator=0.0, joint_read=0.0)
ZZ = 14


def laid(*operations: Operation, law: Law = QUIET, rates: Rates | None = RATES) -> NoisyCircuit:
    return place(Program(6, 6, operations), LINE, rates, law)


def gate(name: str, *qubits: int, angle: float | None = None) -> Operation:
    return Operation(name, qubits, () if angle is None else (angle,))


def names(circuit: NoisyCircuit) -> list[list[str]]:
    return [[op.name for op in m.operations] for m in circuit.moments]


def test_gates_on_different_qubits_share_a_moment_unless_a_barrier_parts_them() -> None:
    assert names(laid(gate("sx", 0), gate("sx", 1))) == [["sx", "sx"]]
    assert names(laid(gate("sx", 0), barrier([0, 1]), gate("sx", 1))) == [["sx"], ["sx"]]


def test_final_measurements_happen_together_at_the_end() -> None:
    circuit = laid(measure(5, 0), gate("x", 0), gate("x", 0), measure(0, 1))
    assert names(circuit) == [["x"], ["x"], ["measure", "measure"]]
    assert circuit.final


def test_a_measurement_inside_stays_where_it_is() -> None:
    circuit = laid(gate("x", 0), measure(0, 0), gate("x", 0), measure(0, 1))
    assert names(circuit) == [["x"], ["measure"], ["x"], ["measure"]]
    assert not circuit.final


def test_two_writes_to_one_bit_keep_their_order() -> None:
    circuit = laid(gate("x", 0), measure(0, 0), measure(1, 0), gate("x", 1))
    writers = [op.qubits[0] for m in circuit.moments for op in m.operations if op.bit == 0]
    assert writers == [0, 1]


def test_rz_takes_no_time_and_errs_not() -> None:
    circuit = laid(gate("rz", 0, angle=0.3), gate("sx", 0), gate("rz", 0, angle=0.4), measure(0, 0))
    assert names(circuit) == [["sx"], ["measure"]]
    assert [[op.angles for op in m.frames] for m in circuit.moments] == [[(0.3,)], [(0.4,)]]
    assert [m.one for m in circuit.moments] == [[(0, (0.001, 0.001, 0.001))], []]


def test_a_gate_alone_errs_at_its_rate_and_towards_z() -> None:
    (moment,) = laid(gate("cz", 2, 1)).moments
    ((first, second, weights),) = moment.two
    assert (first, second) == (2, 1)
    assert sum(weights) == pytest.approx(0.015)
    assert sum(weights[k] for k in (2, 11, ZZ)) == pytest.approx(0.015 * (0.5 + 0.5 * 3 / 15))


def test_gates_on_coupled_pairs_disturb_each_other() -> None:
    law = Law(crosstalk=0.2, joint=0.1, spectator=0.0)
    (moment,) = laid(gate("cz", 0, 1), gate("cz", 2, 3), law=law).moments
    strength = {tuple(sorted(two[:2])): sum(two[2]) for two in moment.two}
    assert strength[0, 1] == strength[2, 3] == pytest.approx(0.015 * 1.2)
    assert strength[1, 2] == pytest.approx(0.1 * 0.015 * 1.2)
    joint = next(weights for a, b, weights in moment.two if (a, b) == (1, 2))
    assert joint[:ZZ] == (0.0,) * ZZ


def test_gates_far_apart_leave_each_other_alone() -> None:
    (moment,) = laid(gate("cz", 0, 1), gate("cz", 3, 4), law=Law()).moments
    assert [sum(two[2]) for two in moment.two] == pytest.approx([0.015, 0.015])


def test_waiting_costs_the_twirl_of_t1_and_t2() -> None:
    # Geller & Zhou 2013: X and Y at (1 - e^(-t/T1))/4 each, Z at (1 - e^(-t/T2))/2 less that.
    circuit = laid(
        gate("sx", 5), barrier(range(6)), gate("cz", 0, 1), barrier(range(6)), gate("sx", 5)
    )
    ((qubit, channel),) = circuit.moments[1].one
    flip = (1 - math.exp(-500e-9 * 1e4)) / 4
    phase = (1 - math.exp(-500e-9 * 2e4)) / 2 - flip
    assert qubit == 5
    assert channel == pytest.approx((flip, flip, phase))


def test_a_qubit_waits_in_peace_before_its_first_gate_and_after_its_last() -> None:
    circuit = laid(
        gate("sx", 4), barrier(range(6)), gate("cz", 0, 1), barrier(range(6)), gate("sx", 5)
    )
    assert circuit.moments[1].one == []


def test_a_spectator_of_a_gate_suffers_more_z() -> None:
    law = Law(crosstalk=0.0, joint=0.0, spectator=0.1)
    operations = (gate("sx", 2), barrier(range(6)), gate("cz", 0, 1), barrier(range(6)))
    quiet = laid(*operations, gate("sx", 2)).moments[1].one
    disturbed = laid(*operations, gate("sx", 2), law=law).moments[1].one
    assert disturbed[0][1][2] - quiet[0][1][2] == pytest.approx(0.1 * 0.015)


def test_readout_follows_the_qubit_that_a_bit_reads() -> None:
    readout = laid(measure(5, 0), measure(0, 3)).readout
    assert dict(readout.flips) == {0: (0.01, 0.01), 3: (0.01, 0.06)}
    assert readout.joint == ()


def test_coupled_measured_qubits_flip_together_now_and_then() -> None:
    readout = laid(measure(0, 4), measure(1, 2), measure(3, 0), law=Law(joint_read=0.1)).readout
    ((bit, other, chance),) = readout.joint
    assert {bit, other} == {4, 2}
    assert chance == pytest.approx(0.1 * math.sqrt(0.035 * 0.03))


def test_without_rates_nothing_errs() -> None:
    circuit = laid(gate("sx", 0), gate("cz", 0, 1), measure(0, 0), rates=None)
    assert all(not m.one and not m.two for m in circuit.moments)
    assert not circuit.readout.flips
    assert not circuit.readout.joint
