"""Observables carried back: against Clifford tables of another module, and against stim."""

from __future__ import annotations

import math

import numpy as np
import pytest

from circuits.case import KnownAnswer
from circuits.cliffords import ENTANGLERS
from circuits.draws import Draws
from circuits.errors import ProgramError
from circuits.mirror import Mirror
from circuits.native import two_qubit
from circuits.program import RESET, Operation, Program, barrier, measure
from circuits.topology import Topology
from providers.engines import run_circuit
from providers.noise import Law, Rates, place
from validator.estimators.propagation import VISIBLE, Place, images, propagate

CZ_LINE = Topology(6, tuple((k, k + 1) for k in range(5)), ("cz", "rz", "sx", "x"))
DEPOLARISING = Law(bias=0.0, crosstalk=0.0, joint=0.0, spectator=0.0, joint_read=0.0)


@pytest.mark.parametrize("name", sorted(ENTANGLERS))
def test_two_qubit_images_are_those_of_the_table_of_entanglers(name: str) -> None:
    # The table is of G P G^-1; these gates are their own inverses up to a Pauli.
    native = Topology(2, ((0, 1),), (name, "rz", "sx"))
    _, angles = two_qubit(native)
    assert images(name, angles) == tuple(ENTANGLERS[name].images[1 << part] for part in range(4))


def test_turns_carry_the_axes_backwards() -> None:
    # S = diag(1, i): S^-1 X S = -Y, S^-1 Z S = Z; sqrt(X) leaves X and turns Z into Y.
    assert images("s", ()) == (3, 2)
    assert images("sx", ()) == (1, 3)
    assert images("rz", (math.pi / 2,)) == images("s", ())


@pytest.mark.parametrize(
    ("operations", "message"),
    [
        ((Operation("rz", (0,), (0.3,)),), r"need Clifford gates, got rz\(0.3\)"),
        ((Operation("ccx", (0, 1, 2)),), "need Clifford gates, got ccx"),
        ((Operation(RESET, (0,)),), "reset"),
        ((measure(0, 0), Operation("x", (0,))), "after its measurement"),
    ],
)
def test_what_cannot_be_carried_is_refused(operations: tuple[Operation, ...], message: str) -> None:
    ends = () if any(op.bit == 0 for op in operations) else (measure(0, 0),)
    with pytest.raises(ProgramError, match=message):
        propagate(Program(3, 1, (*operations, *ends)))


def test_a_bit_that_is_never_written_is_refused() -> None:
    with pytest.raises(ProgramError, match="got 1 of 2"):
        propagate(Program(2, 2, (measure(0, 0),)))


def test_a_random_bit_is_not_known_and_its_copy_neither() -> None:
    bell = (Operation("h", (0,)), Operation("cx", (0, 1)), Operation("x", (2,)))
    carried = propagate(Program(3, 3, (*bell, *(measure(q, q) for q in range(3)))))
    assert carried.known == (False, False, True)


def test_a_control_is_not_disturbed_through_a_cx_but_its_target_is_seen_by_itself_only() -> None:
    first = (Operation("x", (0,)), Operation("x", (1,)), barrier((0, 1, 2)))
    carried = propagate(
        Program(3, 2, (*first, Operation("cx", (0, 1)), measure(0, 0), measure(1, 1)))
    )
    # Z on the target (c[1]) becomes Z Z before the gate, Z on the control stays.
    assert [(p.place, p.qubits, p.layer) for p in carried.locations] == [
        (Place.ONE_QUBIT, (0,), 0),
        (Place.ONE_QUBIT, (1,), 0),
        (Place.TWO_QUBIT, (0, 1), 1),
    ]
    assert carried.seen.tolist() == [[1, 1], [0, 1], [1, 1]]


def test_waiting_counts_from_the_first_gate_and_in_two_qubit_layers_only() -> None:
    layers = [
        [Operation("x", (0,)), Operation("x", (1,)), Operation("x", (2,))],
        [Operation("cz", (0, 1))],
        [Operation("sx", (0,)), Operation("sx", (0,)), Operation("rz", (0,), (math.pi,))],
    ]
    fence = barrier(range(4))
    gates = [op for layer in layers for op in (*layer, fence)]
    carried = propagate(Program(4, 4, (*gates, *(measure(q, q) for q in range(4)))))
    waiting = [place for place in carried.locations if place.place is Place.IDLE]
    assert [(place.layer, place.qubits) for place in waiting] == [(1, (2,))]
    assert carried.runs()[Place.ONE_QUBIT, (0,)] == 3
    assert (carried.one_qubit_layers, carried.two_qubit_layers) == (2, 1)


def test_every_bit_of_a_mirror_is_known_and_the_layers_are_those_of_the_family() -> None:
    case = Mirror().generate(b"key", width=6, depth=4, topology=CZ_LINE)
    carried = propagate(case.program)
    assert all(carried.known)
    assert carried.qubits == case.qubits
    assert (carried.one_qubit_layers, carried.two_qubit_layers) == (5, 4)
    elements, exposure = carried.exposure()
    assert exposure.shape == (len(elements), 6)
    assert int(exposure.sum()) == sum(
        place.gates * int(seen.sum())
        for place, seen in zip(carried.locations, carried.seen, strict=True)
    )
    most = np.array(list(carried.runs().values()))
    assert np.all(exposure <= most[:, None])


@pytest.mark.parametrize("gate", ["cz", "ecr", "iswap"])
def test_the_product_is_the_correctness_of_a_stabilizer_simulation(gate: str) -> None:
    line = Topology(6, CZ_LINE.edges, (gate, "rz", "sx", "x"))
    case = Mirror().generate(b"key", width=6, depth=6, topology=line)
    one, two, shots = 0.01, 0.05, 100_000
    rates = Rates(
        one_qubit=(one,) * 6,
        two_qubit=dict.fromkeys(line.edges, two),
        read_0_given_1=(0.0,) * 6,
        read_1_given_0=(0.0,) * 6,
        relax_hz=(0.0,) * 6,
        dephase_hz=(0.0,) * 6,
        one_qubit_s=1e-8,
        two_qubit_s=dict.fromkeys(line.edges, 1e-7),
    )
    noisy = place(case.program, line, rates, DEPOLARISING)
    rows = run_circuit(noisy, shots=shots, draws=Draws(b"draws"))
    assert isinstance(case.answer, KnownAnswer)
    target = np.array([int(c) for c in reversed(case.answer.bits)])
    correct = 1.0 - 2.0 * (rows != target).mean(axis=0)
    carried = propagate(case.program)
    chance = {Place.ONE_QUBIT: one, Place.TWO_QUBIT: two, Place.IDLE: 0.0}
    for bit in range(6):
        expected = math.prod(
            (1 - VISIBLE[place.place] * chance[place.place]) ** place.gates
            for place, seen in zip(carried.locations, carried.seen[:, bit], strict=True)
            if seen
        )
        assert correct[bit] == pytest.approx(expected, abs=5 * math.sqrt(1 / shots))
