"""The error map against simulated devices whose every element's error is known."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest

from circuits.case import KnownAnswer
from circuits.counts import Counts
from circuits.draws import Draws
from circuits.families import family
from circuits.topology import Edge, Topology
from providers.base import Device, DeviceClass, ErrorRates
from providers.engines import run_circuit
from providers.noise import Law, Rates, place
from validator.estimators.correctness import LayerCircuit
from validator.estimators.error_map import ErrorMap, error_map
from validator.interval import Interval

WIDTH = 10
LINE = Topology(WIDTH + 2, tuple((k, k + 1) for k in range(WIDTH - 1)), ("cz", "rz", "sx", "x"))
DEPOLARISING = Law(bias=0.0, crosstalk=0.0, joint=0.0, spectator=0.0, joint_read=0.0)


@dataclass(frozen=True, slots=True)
class Truth:
    """Probabilities of any Pauli error, and of a wrong bit."""

    one: tuple[float, ...]
    two: dict[Edge, float]
    read: tuple[float, ...]


def _device() -> Device:
    n, edges = LINE.num_qubits, len(LINE.edges)
    sheet = ErrorRates((0.0008,) * n, (0.008,) * edges, (0.02,) * n)
    return Device("d", DeviceClass.QPU, LINE, sheet, "p")


def _truth() -> Truth:
    """Elements scatter by 30 % about the sheet (in process units); three are bad."""
    rng = np.random.default_rng(41)
    one = 0.0012 * np.exp(0.3 * rng.standard_normal(LINE.num_qubits))
    two = 0.01 * np.exp(0.3 * rng.standard_normal(len(LINE.edges)))
    read = 0.02 * np.exp(0.3 * rng.standard_normal(LINE.num_qubits))
    two[6], read[2] = 0.05, 0.09
    return Truth(
        tuple(one.tolist()),
        dict(zip(LINE.edges, two.tolist(), strict=True)),
        tuple(read.tolist()),
    )


def _runs(truth: Truth, *, mirrors: int, shots: int) -> list[LayerCircuit]:
    rates = Rates(
        one_qubit=truth.one,
        two_qubit=truth.two,
        read_0_given_1=truth.read,
        read_1_given_0=truth.read,
        relax_hz=(0.0,) * LINE.num_qubits,
        dephase_hz=(0.0,) * LINE.num_qubits,
        one_qubit_s=1e-8,
        two_qubit_s=dict.fromkeys(LINE.edges, 1e-7),
    )
    wanted = [("readout", WIDTH + 1, 0, k) for k in range(4)]
    wanted += [("mirror", WIDTH, depth, k) for depth in (2, 8) for k in range(mirrors)]
    runs = []
    for name, width, depth, number in wanted:
        key = f"{name}/{depth}/{number}".encode()
        case = family(name).generate(key, width=width, depth=depth, topology=LINE)
        assert isinstance(case.answer, KnownAnswer)
        noisy = place(case.program, LINE, rates, DEPOLARISING)
        rows = run_circuit(noisy, shots=shots, draws=Draws(key))
        runs.append(LayerCircuit(case.program, case.answer.bits, Counts.from_rows(rows).table))
    return runs


@pytest.fixture(scope="module")
def mapped() -> tuple[Truth, ErrorMap]:
    truth = _truth()
    return truth, error_map(_runs(truth, mirrors=12, shots=2000), device=_device())


def test_bad_elements_stand_out(mapped: tuple[Truth, ErrorMap]) -> None:
    truth, found = mapped
    worst = max(found.edges, key=lambda edge: found.edges[edge].estimate)
    assert truth.two[worst] == 0.05
    assert found.edges[worst].estimate == pytest.approx(0.05, rel=0.25)
    assert max(found.readout, key=lambda q: found.readout[q].estimate) == 2
    assert found.readout[2].estimate == pytest.approx(0.09, rel=0.15)


def test_most_intervals_cover_the_truth(mapped: tuple[Truth, ErrorMap]) -> None:
    truth, found = mapped
    pairs: list[tuple[Interval, float]] = [
        *((bounds, truth.one[q]) for q, bounds in found.qubits.items()),
        *((bounds, truth.two[edge]) for edge, bounds in found.edges.items()),
        *((bounds, truth.read[q]) for q, bounds in found.readout.items()),
    ]
    covered = [bounds.low <= value <= bounds.high for bounds, value in pairs]
    # Nominal 95 % of 29 elements: 5 or more misses come in 2 % of cases if they were independent.
    assert len(covered) >= 29
    assert sum(covered) >= len(covered) - 4


def test_bounds_are_narrow_enough_to_tell_elements_apart(mapped: tuple[Truth, ErrorMap]) -> None:
    _, found = mapped
    assert np.median([(b.high - b.low) / 2 for b in found.edges.values()]) < 0.008
    assert np.median([(b.high - b.low) / 2 for b in found.readout.values()]) < 0.006


def test_what_never_ran_is_absent(mapped: tuple[Truth, ErrorMap]) -> None:
    truth, found = mapped
    assert set(found.edges) == set(truth.two)
    assert not {WIDTH, WIDTH + 1} & set(found.waiting)
    assert 11 <= len(found.readout) <= 12
    probes = error_map(_runs(truth, mirrors=0, shots=500), device=_device())
    assert not probes.edges
    assert not probes.waiting
    assert error_map([], device=_device()) == ErrorMap({}, {}, {}, {})


def test_more_shots_and_circuits_narrow_the_bounds(mapped: tuple[Truth, ErrorMap]) -> None:
    truth, found = mapped
    few = error_map(_runs(truth, mirrors=3, shots=300), device=_device())
    wide, narrow = (
        np.mean([bounds.high - bounds.low for bounds in mapping.edges.values()])
        for mapping in (few, found)
    )
    assert narrow < 0.7 * wide


def test_a_lost_circuit_does_not_break_the_map(mapped: tuple[Truth, ErrorMap]) -> None:
    truth, _ = mapped
    runs = _runs(truth, mirrors=2, shots=300)
    random = [f"{int(b):010b}" for b in np.random.default_rng(5).integers(0, 1024, 300)]
    noise = LayerCircuit(runs[-1].program, runs[-1].target, dict.fromkeys(set(random), 1))
    found = error_map([*runs, noise], device=_device())
    assert all(bounds.estimate < 0.2 for bounds in found.edges.values())
