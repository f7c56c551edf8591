"""Both engines against the exact law, against known noise, and against each other."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest
from scipy import stats

from circuits.brickwork import Brickwork
from circuits.counts import Counts
from circuits.draws import Draws
from circuits.errors import LimitError
from circuits.gates import GATES
from circuits.mirror import Mirror
from circuits.program import BARRIER, RESET, Operation, Program, barrier, measure
from circuits.topology import Topology
from providers.base import Context
from providers.dense import probabilities
from providers.engines import check_runnable, read_out, run_circuit
from providers.errors import Rejected
from providers.frames import sample_frames
from providers.noise import NoisyCircuit, Rates, Readout, place
from providers.snapshots import load
from providers.stabilizer import is_clifford, sample_stabilizer
from providers.standin import StandIn
from providers.trajectories import sample_trajectories

if TYPE_CHECKING:
    from circuits.counts import Bits

    Engine = Callable[[NoisyCircuit, int, Draws], Bits]

WIDTH = 14
LINE = Topology(WIDTH, tuple((q, q + 1) for q in range(WIDTH - 1)), ("cz", "rz", "sx", "x"))
RATES = Rates(
    one_qubit=tuple(0.004 + 0.001 * q for q in range(WIDTH)),
    two_qubit={edge: 0.02 + 0.004 * edge[0] for edge in LINE.edges},
    read_0_given_1=(0.0,) * WIDTH,
    read_1_given_0=(0.0,) * WIDTH,
    relax_hz=(1e4,) * WIDTH,
    dephase_hz=(3e4,) * WIDTH,
    one_qubit_s=50e-9,
    two_qubit_s=dict.fromkeys(LINE.edges, 600e-9),
)
LOUD = replace(
    RATES,
    one_qubit=(0.03,) * WIDTH,
    two_qubit=dict.fromkeys(LINE.edges, 0.15),
    relax_hz=(5e5,) * WIDTH,
)
ENGINES = [sample_frames, sample_stabilizer, sample_trajectories]
RARE = 1e-6
"""Chance that a right engine fails one of these tests (seeds are fixed)."""


def gate(name: str, *qubits: int, angle: float | None = None) -> Operation:
    return Operation(name, qubits, () if angle is None else (angle,))


def noiseless(program: Program) -> NoisyCircuit:
    return place(program, LINE, None)


def follows(rows: Bits, ideal: Mapping[str, float]) -> bool:
    """Pearson's chi-squared, bins of expectation below 5 pooled."""
    counts, shots = Counts.from_rows(rows), len(rows)
    if set(counts.table) - set(ideal):
        return False
    common = [key for key, p in ideal.items() if p * shots >= 5]
    seen = [counts.table.get(key, 0) for key in common]
    due = [ideal[key] * shots for key in common]
    rest = shots - sum(due)
    if rest > 1e-6 * shots:
        seen, due = [*seen, shots - sum(seen)], [*due, rest]
    score = sum((s - d) ** 2 / d for s, d in zip(seen, due, strict=True))
    return bool(stats.chi2.sf(score, max(1, len(due) - 1)) > RARE)


def alike(one: Bits, other: Bits) -> bool:
    """Two-sample chi-squared over the outcomes that are not rare."""
    first, second = (Counts.from_rows(rows).table for rows in (one, other))
    both = Counter(first) + Counter(second)
    common = [key for key, n in both.items() if n >= 20]
    table = np.array([[t.get(key, 0) for key in common] for t in (first, second)])
    rest = np.array([[len(one)], [len(other)]]) - table.sum(axis=1, keepdims=True)
    table = np.hstack([table, rest]) if rest.sum() >= 20 else table
    return bool(stats.chi2_contingency(table).pvalue > RARE)


def test_trajectories_without_noise_follow_the_exact_law() -> None:
    for width in (1, 2, 5, 6):
        case = Brickwork().generate(b"law", width=max(width, 2), depth=5, topology=LINE)
        rows = sample_trajectories(noiseless(case.program), 20_000, Draws(b"law", width))
        assert follows(rows, probabilities(case.program))


@pytest.mark.parametrize("engine", [sample_frames, sample_stabilizer])
def test_clifford_engines_without_noise_follow_the_exact_law(engine: Engine) -> None:
    operations = (gate("sx", 0), gate("sx", 1), gate("cz", 0, 1), gate("sx", 1), gate("sx", 2))
    program = Program(WIDTH, 3, (*operations, *(measure(q, 2 - q) for q in range(3))))
    rows = engine(noiseless(program), 20_000, Draws(b"law"))
    assert follows(rows, probabilities(program))


def test_the_chi_squared_of_these_tests_sees_a_wrong_bit_order() -> None:
    case = Brickwork().generate(b"law", width=5, depth=5, topology=LINE)
    rows = sample_trajectories(noiseless(case.program), 20_000, Draws(b"law"))
    assert not follows(rows[:, ::-1], probabilities(case.program))


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("flipped", [0, 4, 13])
def test_a_bit_shows_the_qubit_that_it_reads(engine: Engine, flipped: int) -> None:
    reads = {2: 13, 0: 4, 5: 0}
    ends = (measure(q, bit) for bit, q in reads.items())
    circuit = noiseless(Program(WIDTH, 7, (gate("x", flipped), *ends)))
    expected = [int(reads.get(bit) == flipped) for bit in range(7)]
    assert engine(circuit, 3, Draws(b"order")).tolist() == [expected] * 3


@pytest.mark.parametrize("engine", [sample_frames, sample_trajectories])
def test_engines_agree_with_stim_under_the_same_noise(engine: Engine) -> None:
    for width, depth in ((3, 4), (5, 6)):
        case = Mirror().generate(b"noise", width=width, depth=depth, topology=LINE)
        circuit = place(case.program, LINE, RATES)
        one = sample_stabilizer(circuit, 30_000, Draws(b"one", width))
        other = engine(circuit, 30_000, Draws(b"other", width))
        best = max(Counts.from_rows(one).table.values())
        assert 0.2 < best / 30_000 < 0.9  # the noise does bite
        assert alike(one, other)


def test_frames_agree_with_stim_where_the_answer_is_random() -> None:
    # Half a mirror: a stabilizer state, whose outcome is uniform over an affine subspace.
    program = Mirror().generate(b"half", width=5, depth=6, topology=LINE).program
    fences = [k for k, op in enumerate(program.operations) if op.name == BARRIER]
    ends = tuple(op for op in program.operations if op.bit is not None)
    half = program.operations[: fences[len(fences) // 2]] + ends
    circuit = place(Program(WIDTH, 5, half), LINE, RATES)
    one = sample_stabilizer(circuit, 40_000, Draws(b"one"))
    other = sample_frames(circuit, 40_000, Draws(b"other"))
    assert len(Counts.from_rows(one).table) > 8
    assert alike(one, other)
    quiet = noiseless(circuit.program)
    kinds = [set(Counts.from_rows(engine(quiet, 4_000, Draws(b"q"))).table) for engine in ENGINES]
    assert kinds[0] == kinds[1] == kinds[2]


def test_frames_agree_with_stim_on_the_machine_that_stand_ins_imitate() -> None:
    # 27 qubits with crosstalk: each bit's mean, and each pair's coincidence, within 5 sigma.
    hanoi = StandIn(load("hanoi"), "q", Context(b"seed", lambda: 0))
    case = Mirror().generate(b"wide", width=27, depth=4, topology=hanoi.device.topology)
    circuit = place(case.program, hanoi.device.topology, hanoi.rates(0))
    shots = 20_000
    one, other = (
        engine(circuit, shots, Draws(b"wide")).astype(np.float64)
        for engine in (sample_stabilizer, sample_frames)
    )
    pairs = [(rows.T @ rows) / shots for rows in (one, other)]
    spread = np.sqrt(2 * np.maximum(pairs[0] * (1 - pairs[0]), 1 / shots) / shots)
    assert np.all(np.abs(pairs[0] - pairs[1]) < 5 * spread)


def test_every_clifford_gate_of_the_profile_carries_errors_as_stim_does() -> None:
    names = sorted(name for name, gate in GATES.items() if gate.num_qubits < 3)
    angle = math.pi / 2
    for name in names:
        gates = GATES[name]
        if name in {"t", "tdg", "sqrt_iswap"}:
            continue
        turns = (2 * angle if name == "cp" else angle,) * gates.num_angles
        tested = Operation(name, tuple(range(gates.num_qubits)), turns)
        starts = tuple(op for q in (0, 1) for op in (gate("sx", q), gate("s", q), gate("h", q)))
        ends = (gate("sx", 0), gate("h", 1), measure(0, 0), measure(1, 1))
        program = Program(WIDTH, 2, (*starts, tested, *ends))
        loud = place(program, LINE, LOUD)
        one, other = (
            engine(loud, 20_000, Draws(b"gate", name))
            for engine in (sample_stabilizer, sample_frames)
        )
        assert alike(one, other), name


@pytest.mark.parametrize("engine", ENGINES)
def test_known_errors_give_the_known_share_of_wrong_answers(
    engine: Engine,
) -> None:
    # Depolarising with total p flips a basis state with 2p/3; k pulses: (1 - (1 - 4p/3)^k)/2.
    pulses, shots = 6, 40_000
    operations = (*(gate("x", 3) for _ in range(pulses)), measure(3, 0))
    rows = engine(place(Program(WIDTH, 1, operations), LINE, RATES), shots, Draws(b"known"))
    due = (1 - (1 - 4 * RATES.one_qubit[3] / 3) ** pulses) / 2
    assert stats.binomtest(int(rows.sum()), shots, due).pvalue > RARE


def test_errors_that_commute_with_the_outcome_are_not_seen() -> None:
    # A fully dephased plus state stays plus or minus: the last pulse makes it a fair coin.
    dephased = Rates(
        one_qubit=(0.0,) * WIDTH,
        two_qubit=RATES.two_qubit,
        read_0_given_1=RATES.read_0_given_1,
        read_1_given_0=RATES.read_1_given_0,
        relax_hz=(0.0,) * WIDTH,
        dephase_hz=(1e12,) * WIDTH,
        one_qubit_s=50e-9,
        two_qubit_s=RATES.two_qubit_s,
    )
    fence = barrier(range(3))
    waiting = (gate("x", 1), fence, gate("sx", 0), fence, gate("x", 1), gate("x", 0), measure(1, 0))
    rows = sample_trajectories(
        place(Program(WIDTH, 1, waiting), LINE, dephased), 500, Draws(b"still")
    )
    assert not rows.any()
    turned = (gate("sx", 1), fence, gate("x", 0), fence, gate("sx", 1), measure(1, 0))
    rows = sample_trajectories(
        place(Program(WIDTH, 1, turned), LINE, dephased), 4_000, Draws(b"still")
    )
    assert stats.binomtest(int(rows.sum()), 4_000, 0.5).pvalue > RARE


@pytest.mark.parametrize("angle", [math.pi / 2, 0.7])
def test_measuring_inside_a_circuit_collapses_it(angle: float) -> None:
    # q1 repeats q0's outcome (a Bell pair by h = rz sx rz), then q0 is flipped and read again.
    h = [("rz", math.pi / 2), ("sx", None), ("rz", math.pi / 2)]
    pair = [gate(name, q, angle=a) for q in (0, 1) for name, a in h]
    undone = [gate(name, 1, angle=a) for name, a in h]
    operations = (*pair, gate("cz", 0, 1), *undone, measure(0, 0), gate("rz", 0, angle=angle))
    program = Program(WIDTH, 3, (*operations, gate("x", 0), measure(1, 1), measure(0, 2)))
    assert is_clifford(program) == (angle == math.pi / 2)
    rows = run_circuit(noiseless(program), shots=2_000, draws=Draws(b"inside"))
    assert np.array_equal(rows[:, 0], rows[:, 1])
    assert np.array_equal(rows[:, 0], 1 - rows[:, 2])
    assert stats.binomtest(int(rows[:, 0].sum()), 2_000, 0.5).pvalue > RARE


@pytest.mark.parametrize("angle", [math.pi / 2, 0.7])
def test_reset_gives_zero(angle: float) -> None:
    on = (gate("sx", 0), gate("rz", 0, angle=angle), gate("sx", 0))
    program = Program(WIDTH, 1, (*on, Operation(RESET, (0,)), measure(0, 0)))
    assert not run_circuit(noiseless(program), shots=200, draws=Draws(b"reset")).any()


def test_many_shots_run_in_batches_and_all_come_back() -> None:
    case = Brickwork().generate(b"batch", width=12, depth=2, topology=LINE)
    circuit = place(case.program, LINE, RATES)
    assert sample_trajectories(circuit, 1_300, Draws(b"batch")).shape == (1_300, 12)


def test_the_same_draws_give_the_same_shots() -> None:
    case = Brickwork().generate(b"again", width=4, depth=4, topology=LINE)
    circuit = place(case.program, LINE, RATES)
    one, same, other = (run_circuit(circuit, shots=300, draws=Draws(k)) for k in (b"1", b"1", b"2"))
    assert np.array_equal(one, same)
    assert not np.array_equal(one, other)


def test_readout_flips_a_one_and_a_zero_at_their_own_rates() -> None:
    shots = 40_000
    rows = np.tile(np.array([0, 1], dtype=np.uint8), (shots, 1))
    read = read_out(rows, Readout({0: (0.02, 0.9), 1: (0.9, 0.08)}), Draws(b"read"))
    assert stats.binomtest(int(read[:, 0].sum()), shots, 0.02).pvalue > RARE
    assert stats.binomtest(int((1 - read[:, 1]).sum()), shots, 0.08).pvalue > RARE


def test_joint_flips_flip_both_bits() -> None:
    rows = np.zeros((20_000, 3), dtype=np.uint8)
    read = read_out(rows, Readout({}, ((0, 2, 0.03),)), Draws(b"joint"))
    assert np.array_equal(read[:, 0], read[:, 2])
    assert not read[:, 1].any()
    assert stats.binomtest(int(read[:, 0].sum()), 20_000, 0.03).pvalue > RARE


def test_a_wide_circuit_runs_if_it_is_clifford_and_is_refused_if_not() -> None:
    pulses = tuple(gate("rz", q, angle=0.5) for q in range(13))
    ends = tuple(measure(q, q) for q in range(13))
    wide = Program(WIDTH, 13, (*pulses, *ends))
    with pytest.raises(Rejected, match=r"at most 12 qubits .*got 13 and 0"):
        check_runnable(wide, LINE)
    with pytest.raises(LimitError, match=r"at most 12 qubits .*got 13"):
        run_circuit(noiseless(wide), shots=1, draws=Draws(b""))
    check_runnable(Program(WIDTH, 13, ends), LINE)


def test_a_qubit_beyond_the_device_is_refused() -> None:
    with pytest.raises(Rejected, match=r"need qubits 0 \.\. 13, got 19"):
        check_runnable(Program(20, 1, (measure(19, 0),)), LINE)
