"""A chain of tensors: exact with enough bond, visibly wrong with too little."""

from __future__ import annotations

import pytest
from scipy import stats

from circuits.brickwork import Brickwork
from circuits.counts import Counts
from circuits.draws import Draws
from circuits.gates import GATES
from circuits.program import Operation, Program, measure
from circuits.topology import complete
from providers.dense import probabilities
from providers.lies.mps import sample_chain

TOPOLOGY = complete(8, ("cx", "u"))


def fits(program: Program, *, bond: int, shots: int = 20_000) -> float:
    """p-value of Pearson's chi-squared against the exact law, rare outcomes pooled."""
    law = probabilities(program)
    rows = sample_chain(program, shots, Draws(b"chain"), bond=bond)
    seen = Counts.from_rows(rows).table
    common = [key for key, p in law.items() if p * shots >= 5]
    table = [seen.get(key, 0) for key in common]
    due = [law[key] * shots for key in common]
    if shots - sum(due) > 1e-6 * shots:
        table, due = [*table, shots - sum(table)], [*due, shots - sum(due)]
    score = sum((s - d) ** 2 / d for s, d in zip(table, due, strict=True))
    return float(stats.chi2.sf(score, max(1, len(due) - 1)))


def test_with_enough_bond_it_is_exact() -> None:
    case = Brickwork().generate(b"chain", width=8, depth=8, topology=TOPOLOGY)
    assert fits(case.program, bond=16) > 1e-6  # 2 ** 4 is all that 8 qubits need


def test_with_too_little_bond_it_is_not() -> None:
    case = Brickwork().generate(b"chain", width=8, depth=8, topology=TOPOLOGY)
    assert fits(case.program, bond=4) < 1e-12


@pytest.mark.parametrize("name", [n for n, g in GATES.items() if g.num_qubits == 2])
@pytest.mark.parametrize("qubits", [(0, 3), (3, 1), (2, 1)])
def test_every_gate_acts_on_the_qubits_that_it_names(name: str, qubits: tuple[int, int]) -> None:
    angles = (0.9,) * GATES[name].num_angles
    turns = tuple(Operation("u", (q,), (0.4 + q, 0.3 * q, 1.1)) for q in range(4))
    back = tuple(Operation("ry", (q,), (0.7 + q,)) for q in range(4))
    bits = {0: 2, 1: 0, 2: 3, 3: 1}
    ends = tuple(measure(q, bit) for q, bit in bits.items())
    program = Program(4, 5, (*turns, Operation(name, qubits, angles), *back, *ends))
    assert fits(program, bond=4, shots=8_000) > 1e-6


def test_bits_follow_the_measured_qubits() -> None:
    program = Program(9, 4, (Operation("x", (7,)), measure(7, 2), measure(1, 0)))
    assert sample_chain(program, 3, Draws(b"x"), bond=2).tolist() == [[0, 0, 1, 0]] * 3
