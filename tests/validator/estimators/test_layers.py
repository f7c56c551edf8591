"""The error of a layer against simulated devices whose error is known channel by channel."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import pytest

from circuits.case import KnownAnswer
from circuits.counts import Counts
from circuits.draws import Draws
from circuits.mirror import Mirror
from circuits.program import MEASURE, Operation, Program, measure
from circuits.readout import Readout
from circuits.topology import Topology
from providers.base import Context, Device, DeviceClass, ErrorRates
from providers.engines import run_circuit
from providers.noise import LAW, Law, NoisyCircuit, Rates, place
from providers.snapshots import load
from providers.standin import StandIn
from validator.estimators.correctness import LayerCircuit, Observed, tally
from validator.estimators.layers import (
    LayerError,
    layer_error,
    layer_error_of,
    pessimistic_layer_error,
    proportions,
)
from validator.estimators.propagation import Place, propagate

DEPOLARISING = Law(bias=0.0, crosstalk=0.0, joint=0.0, spectator=0.0, joint_read=0.0)


def _device(topology: Topology, *, one: float, two: float, read: float) -> Device:
    n = topology.num_qubits
    sheet = ErrorRates((one,) * n, (two,) * len(topology.edges), (read,) * n)
    return Device("d", DeviceClass.QPU, topology, sheet, "p")


def _uniform(topology: Topology, *, one: float, two: float, read: float) -> Rates:
    """Rates without waiting errors; probabilities, not infidelities."""
    n, pairs = topology.num_qubits, [(min(e), max(e)) for e in topology.edges]
    return Rates(
        one_qubit=(one,) * n,
        two_qubit=dict.fromkeys(pairs, two),
        read_0_given_1=(read,) * n,
        read_1_given_0=(read,) * n,
        relax_hz=(0.0,) * n,
        dephase_hz=(0.0,) * n,
        one_qubit_s=1e-8,
        two_qubit_s=dict.fromkeys(pairs, 1e-7),
    )


def _placed(
    topology: Topology, rates: Rates, *, width: int, depth: int, number: int, law: Law = LAW
) -> tuple[Program, str, NoisyCircuit]:
    case = Mirror().generate(
        f"{depth}/{number}".encode(), width=width, depth=depth, topology=topology
    )
    assert isinstance(case.answer, KnownAnswer)
    return case.program, case.answer.bits, place(case.program, topology, rates, law)


def _ran(noisy: NoisyCircuit, *, shots: int, seed: str) -> Mapping[str, int]:
    rows = run_circuit(noisy, shots=shots, draws=Draws(seed.encode()))
    return Counts.from_rows(rows).table


def _layer_truth(circuits: list[tuple[Program, NoisyCircuit]]) -> float:
    """Total error of one layer of each kind: every channel errs with the sum of its chances."""
    lost, layers = {"one": 0.0, "two": 0.0}, {"one": 0, "two": 0}
    for program, noisy in circuits:
        depth = propagate(program).two_qubit_layers
        layers["one"] += depth + 1
        layers["two"] += depth
        for moment in noisy.moments:
            names = {op.name for op in moment.operations}
            kind = "two" if any(len(op.qubits) == 2 for op in moment.operations) else "one"
            if MEASURE not in names:
                chances = [sum(c) for _, c in moment.one] + [sum(w) for *_, w in moment.two]
                lost[kind] += math.fsum(math.log1p(-c) for c in chances)
    return -math.expm1(lost["one"] / layers["one"] + lost["two"] / layers["two"])


@pytest.fixture(scope="module")
def line() -> Topology:
    return Topology(27, tuple((k, k + 1) for k in range(26)), ("cz", "rz", "sx", "x"))


def _judged(
    topology: Topology, rates: Rates, device: Device, *, width: int, law: Law, shots: int = 1000
) -> tuple[LayerError, float]:
    runs, truth = [], []
    for depth in (2, 8):
        for number in range(5):
            program, target, noisy = _placed(
                topology, rates, width=width, depth=depth, number=number, law=law
            )
            counts = _ran(noisy, shots=shots, seed=f"{depth}/{number}")
            runs.append(LayerCircuit(program, target, counts))
            truth.append((program, noisy))
    judged = layer_error(runs, device=device)
    assert judged is not None
    return judged, _layer_truth(truth)


def test_at_127_qubits_ten_thousand_shots_give_the_layer_error_within_5_percent() -> None:
    # Every channel is depolarising and known; the sheet is 30 % too good in all gates.
    edges = [(k, k + 1) for k in range(126)] + [(k, k + 13) for k in range(0, 114, 4)]
    chip = Topology(127, tuple(edges), ("cz", "rz", "sx", "x"))
    device = _device(chip, one=0.0003 / 1.3, two=0.008 / 1.3, read=0.02)
    # Waiting is half a mean gate in the model: T1 = T2 twirled is depolarising, 3/4 (1 - exp).
    waiting = (-math.log1p(-4 / 3 * 0.005) / 1e-7,) * 127
    rates = replace(
        _uniform(chip, one=1.5 * 0.0003, two=1.25 * 0.008, read=0.025),
        relax_hz=waiting,
        dephase_hz=waiting,
    )
    judged, truth = _judged(chip, rates, device, width=127, law=DEPOLARISING)
    assert judged.error.estimate == pytest.approx(truth, rel=0.05)
    assert judged.error.low <= truth <= judged.error.high
    assert (judged.error.high - judged.error.low) / 2 < 0.05 * truth
    assert judged.readout_scale == pytest.approx(1.25, abs=0.15)


@pytest.mark.parametrize(
    ("machine", "width", "within"), [("brisbane", 126, 0.05), ("hanoi", 27, 0.12)]
)
def test_crosstalk_waiting_and_drift_are_absorbed_by_the_scale(
    machine: str, width: int, within: float
) -> None:
    # Simulated: bias -0.4 % (126 qubits) and +0.5 % (27), deviation 0.6 % and 3 %.
    standin = StandIn(load(machine), machine, Context(b"seed", lambda: 3))
    topology, device = standin.snapshot.topology, standin.device
    judged, truth = _judged(topology, standin.rates(3), device, width=width, law=LAW)
    assert judged.width == width
    assert judged.error.estimate == pytest.approx(truth, rel=within)
    assert judged.pessimistic > truth


@pytest.fixture(scope="module")
def worlds(line: Topology) -> tuple[Device, list[list[Observed]], float]:
    """Fifty answers of one device to the same ten mirrors, and its layer error."""
    device = _device(line, one=0.0004, two=0.01, read=0.02)
    waiting = (-math.log1p(-4 / 3 * 0.5 * 0.0125) / 1e-7,) * 27
    rates = replace(
        _uniform(line, one=0.0006, two=0.0125, read=0.03), relax_hz=waiting, dephase_hz=waiting
    )
    answers: list[list[Observed]] = [[] for _ in range(50)]
    truth = []
    for depth in (2, 8):
        for number in range(5):
            program, target, noisy = _placed(
                line, rates, width=16, depth=depth, number=number, law=DEPOLARISING
            )
            carried = propagate(program)
            rows = run_circuit(noisy, shots=50 * 400, draws=Draws(b"w", depth, number))
            for world, part in zip(answers, np.split(rows, 50), strict=True):
                counts = Counts.from_rows(part).table
                world.append(tally(carried, LayerCircuit(program, target, counts)))
            truth.append((program, noisy))
    return device, answers, _layer_truth(truth)


def test_the_interval_covers_the_true_layer_error_and_the_estimate_has_no_bias(
    worlds: tuple[Device, list[list[Observed]], float],
) -> None:
    device, answers, truth = worlds
    judged = [found for seen in answers if (found := layer_error_of(seen, device=device))]
    assert len(judged) == 50
    covered = sum(found.error.low <= truth <= found.error.high for found in judged) / 50
    assert covered == pytest.approx(0.95, abs=5 * math.sqrt(0.95 * 0.05 / 50))
    values = [found.error.estimate for found in judged]
    assert np.mean(values) == pytest.approx(truth, abs=5 * float(np.std(values)) / 50**0.5)
    assert np.mean([found.readout_scale for found in judged]) == pytest.approx(1.5, abs=0.05)


def _spoiled(seen: list[Observed], depth: int, share: float) -> list[Observed]:
    """Make every bit of the circuits of one depth wrong more often."""
    return [
        replace(o, wrong=tuple(w + round(share * (o.answer.shots / 2 - w)) for w in o.wrong))
        if o.depth == depth
        else o
        for o in seen
    ]


@pytest.mark.parametrize("depth", [2, 8])
def test_the_pessimistic_error_never_falls_when_circuits_get_worse(
    worlds: tuple[Device, list[list[Observed]], float], depth: int
) -> None:
    device, answers, _ = worlds
    for seen in answers[:3]:
        bounds = [
            pessimistic_layer_error(_spoiled(seen, depth, share), device=device)
            for share in (0.0, 0.01, 0.05, 0.2, 0.6, 1.0)
        ]
        assert bounds == sorted(bounds)
        assert bounds[-1] > 0.99


def test_without_a_circuit_the_pessimistic_error_is_the_worst(line: Topology) -> None:
    device = _device(line, one=0.0004, two=0.01, read=0.02)
    assert pessimistic_layer_error([], device=device) == 1.0


def test_one_circuit_that_gets_worse_never_lowers_the_pessimistic_error(
    worlds: tuple[Device, list[list[Observed]], float],
) -> None:
    device, answers, _ = worlds
    seen = answers[5]
    before = pessimistic_layer_error(seen, device=device)
    for place_of in range(len(seen)):
        one = replace(seen[place_of], wrong=tuple(w + 20 for w in seen[place_of].wrong))
        worse = [*seen[:place_of], one, *seen[place_of + 1 :]]
        assert pessimistic_layer_error(worse, device=device) >= before


def test_spoiling_shallow_circuits_lowers_the_two_depth_figure_so_no_score_may_use_it(
    worlds: tuple[Device, list[list[Observed]], float],
) -> None:
    device, answers, _ = worlds
    honest = layer_error_of(answers[0], device=device)
    spoiled = layer_error_of(_spoiled(answers[0], 2, 0.1), device=device)
    assert honest is not None
    assert spoiled is not None
    assert spoiled.error.estimate < honest.error.estimate
    assert spoiled.pessimistic > honest.pessimistic


def test_the_order_of_circuits_does_not_matter_to_the_last_digit(
    worlds: tuple[Device, list[list[Observed]], float],
) -> None:
    device, answers, _ = worlds
    assert layer_error_of(answers[7], device=device) == layer_error_of(
        answers[7][::-1], device=device
    )


def test_only_the_proportions_of_the_sheet_matter(
    worlds: tuple[Device, list[list[Observed]], float], line: Topology
) -> None:
    _, answers, _ = worlds
    once = layer_error_of(answers[1], device=_device(line, one=0.0004, two=0.01, read=0.02))
    twice = layer_error_of(answers[1], device=_device(line, one=0.0008, two=0.02, read=0.04))
    assert once is not None
    assert twice is not None
    assert twice.error.estimate == pytest.approx(once.error.estimate, rel=1e-6)
    assert twice.gate_scale.estimate == pytest.approx(once.gate_scale.estimate / 2, rel=1e-6)
    assert twice.readout_scale == pytest.approx(once.readout_scale / 2, rel=1e-6)


def test_two_circuits_are_bounded_by_their_shots_about_as_wide_as_repeats_scatter(
    worlds: tuple[Device, list[list[Observed]], float],
) -> None:
    device, answers, _ = worlds
    pairs = [layer_error_of([seen[0], seen[5]], device=device) for seen in answers]
    found = [pair.error for pair in pairs if pair is not None]
    half = np.mean([(bound.high - bound.low) / 2 for bound in found])
    # 95 % of a normal law; a deviation from 50 values is known to 10 %, four of which are 40 %.
    assert half == pytest.approx(1.96 * np.std([bound.estimate for bound in found]), rel=0.4)


def test_the_depths_mean_hamming_distances_are_given(
    worlds: tuple[Device, list[list[Observed]], float],
) -> None:
    device, answers, _ = worlds
    found = layer_error_of(answers[2], device=device)
    assert found is not None
    assert sorted(found.hamming) == [2, 8]
    shallow = [sum(o.wrong) / (16 * o.answer.shots) for o in answers[2][:5]]
    assert found.hamming[2].estimate == pytest.approx(np.mean(shallow))
    assert found.hamming[2].high < found.hamming[8].low


def _perfect(line: Topology, *, depths: tuple[int, ...], width: int = 6) -> list[LayerCircuit]:
    made = []
    for depth in depths:
        case = Mirror().generate(f"{depth}".encode(), width=width, depth=depth, topology=line)
        assert isinstance(case.answer, KnownAnswer)
        made.append(LayerCircuit(case.program, case.answer.bits, {case.answer.bits: 1000}))
    return made


def test_not_measurable_without_two_depths_clifford_circuits_or_shots(line: Topology) -> None:
    device = _device(line, one=0.0004, two=0.01, read=0.02)
    assert layer_error([], device=device) is None
    assert layer_error(_perfect(line, depths=(4, 4)), device=device) is None
    deep, shallow = _perfect(line, depths=(8, 2))
    assert layer_error([deep, replace(shallow, counts={})], device=device) is None
    turned = Program(27, 1, (Operation("rx", (0,), (0.3,)), measure(0, 0)))
    assert layer_error([deep, LayerCircuit(turned, "0", {"0": 9})], device=device) is None
    probe = Readout().generate(b"key", width=6, depth=0, topology=line)
    assert isinstance(probe.answer, KnownAnswer)
    bits = probe.answer.bits
    assert layer_error([deep, LayerCircuit(probe.program, bits, {bits: 9})], device=device) is None


def test_not_measurable_where_nothing_is_left_of_the_answers(line: Topology) -> None:
    device = _device(line, one=0.0004, two=0.01, read=0.02)
    random = []
    for run in _perfect(line, depths=(2, 8)):
        flipped = run.target.translate({48: 49, 49: 48})
        random.append(replace(run, counts={run.target: 500, flipped: 500}))
    assert layer_error(random, device=device) is None


def test_a_perfect_record_has_error_0_with_an_upper_bound_above(line: Topology) -> None:
    simulator = Device("s", DeviceClass.SIMULATOR, line, None, "p")
    found = layer_error(_perfect(line, depths=(2, 8)), device=simulator)
    assert found is not None
    assert found.error.estimate == 0.0
    assert found.error.high > 1e-5
    assert found.pessimistic == 0.0


def test_circuits_of_two_widths_or_of_another_device_are_refused(line: Topology) -> None:
    device = _device(line, one=0.0004, two=0.01, read=0.02)
    wide = _perfect(line, depths=(2,)) + _perfect(line, depths=(8,), width=7)
    with pytest.raises(ValueError, match=r"need one width, got \[6, 7\]"):
        layer_error(wide, device=device)
    small = Topology(27, ((0, 1),), ("cz", "rz", "sx"))
    other = _device(small, one=0.0004, two=0.01, read=0.02)
    with pytest.raises(ValueError, match="need elements of the device"):
        layer_error(_perfect(line, depths=(2, 8)), device=other)


def test_sheets_are_read_in_process_units(line: Topology) -> None:
    shape = proportions(_device(line, one=0.0004, two=0.01, read=0.02))
    # r (d + 1)/d: 3/2 for one qubit, 5/4 for two.
    assert shape.gates[Place.ONE_QUBIT, (3,)] == pytest.approx(0.0006)
    assert shape.gates[Place.TWO_QUBIT, (3, 4)] == pytest.approx(0.0125)
    assert shape.gates[Place.IDLE, (3,)] == pytest.approx(0.00625)
    assert shape.readout[3] == 0.02
