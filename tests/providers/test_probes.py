"""The probe set and its judge: they must tell every reordering from the right order."""

from __future__ import annotations

from itertools import permutations

import pytest

from circuits.counts import Counts
from circuits.program import Program
from circuits.topology import Topology, complete
from providers.admission import check_job
from providers.base import Device, DeviceClass, ErrorRates, Job
from providers.dense import probabilities
from providers.judging import deviation, explained_by_shots, judge
from providers.probes import Probe, best_path, probe_set


def qpu(topology: Topology, *, readout: float = 0.02) -> Device:
    n, edges = topology.num_qubits, len(topology.edges)
    sheet = ErrorRates((0.001,) * n, (0.01,) * edges, (readout,) * n)
    return Device("qpu", DeviceClass.QPU, topology, sheet, "fake")


def line(width: int, *gates: str) -> Topology:
    return Topology(width, tuple((i, i + 1) for i in range(width - 1)), tuple(sorted(gates)))


def exact_counts(program: Program, shots: int) -> Counts:
    """The most even sample of a program's distribution."""
    ideal = probabilities(program)
    table = {key: int(p * shots) for key, p in ideal.items()}
    likeliest = max(ideal, key=lambda key: ideal[key])
    table[likeliest] += shots - sum(table.values())
    return Counts(program.num_bits, table)


NATIVE_SETS = [
    ("cz", "rz", "sx", "x"),
    ("ecr", "rz", "sx", "x"),
    ("cx", "u"),
    ("iswap", "rx", "rz"),
    ("cz", "prx"),
    ("gpi", "gpi2", "rxx"),
    ("gpi", "gpi2", "rzz"),
]


@pytest.mark.parametrize("gates", NATIVE_SETS)
@pytest.mark.parametrize("width", [1, 2, 5, 13])
def test_probes_are_native_and_known_answers_are_right(gates: tuple[str, ...], width: int) -> None:
    device = qpu(line(width, *gates))
    probes = probe_set(device)
    assert len(probes) >= 3
    check_job(device, Job("0" * 64, "qpu", tuple(probe.program for probe in probes), 1))
    for probe in probes:
        if probe.expected and not probe.optional:
            assert probabilities(probe.program)[probe.expected] == pytest.approx(1.0)


@pytest.mark.parametrize("width", [1, 2, 3, 8, 13, 156])
def test_no_two_qubits_read_alike_when_each_is_flipped(width: int) -> None:
    device = Device("s", DeviceClass.SIMULATOR, complete(width, ["cx"]), None, "fake")
    patterns = [p.expected for p in probe_set(device) if p.name.startswith("X on each")]
    seen = {tuple(bits[-1 - qubit] for bits in patterns) for qubit in range(width)}
    assert len(seen) == width
    assert all("1" in pattern for pattern in seen)


@pytest.mark.parametrize("width", [2, 3])
@pytest.mark.parametrize("gates", [*NATIVE_SETS, ("sqrt_iswap", "u"), ("swap", "u")])
def test_the_entangled_probe_is_far_from_its_reorderings(
    gates: tuple[str, ...], width: int
) -> None:
    probe = probe_set(qpu(line(width, *gates)))[-1]
    ideal = probabilities(probe.program)
    counts = exact_counts(probe.program, 100_000)
    assert deviation(counts, ideal) < 1e-3
    for order in permutations(range(width)):
        if order != tuple(range(width)):
            turned = {"".join(key[i] for i in order): p for key, p in ideal.items()}
            # More than shots alone can explain at the suite's 2,000.
            assert deviation(counts, turned) > 2 * explained_by_shots(3, 2_000)


@pytest.mark.parametrize("readout", [None, 0.02])
def test_reversed_bits_fail_wherever_the_answer_is_no_palindrome(readout: float | None) -> None:
    topology = line(7, "cz", "rz", "sx", "x")
    device = (
        Device("sim", DeviceClass.SIMULATOR, topology, None, "fake")
        if readout is None
        else qpu(topology, readout=readout)
    )
    for probe in probe_set(device):
        if probe.optional:
            continue
        right = exact_counts(probe.program, 2_000)
        assert judge(device, probe, right).ok, probe.name
        palindrome = probe.expected and probe.expected == probe.expected[::-1]
        assert judge(device, probe, right.reversed()).ok == bool(palindrome), probe.name


def test_an_exact_device_must_get_every_shot_right_and_a_noisy_one_most() -> None:
    topology = line(3, "cz", "rz", "sx", "x")
    probe = Probe("flip", Program(3, 2, ()), "01")
    counts = Counts(2, {"01": 900, "00": 100})
    exact = Device("sim", DeviceClass.SIMULATOR, topology, None, "fake")
    assert not judge(exact, probe, counts).ok
    assert judge(qpu(topology), probe, counts).ok
    assert not judge(qpu(topology), probe, Counts(2, {"01": 400, "00": 600})).ok


def test_a_qubit_that_its_sheet_calls_broken_is_left_out() -> None:
    topology = line(2, "cz", "rz", "sx", "x")
    probe = probe_set(qpu(topology))[0]
    assert probe.expected == "01"
    wrong = Counts(2, {"00": 100})
    assert not judge(qpu(topology), probe, wrong).ok
    assert judge(qpu(topology, readout=0.4), probe, wrong).ok


def test_no_shots_or_another_width_is_no_answer() -> None:
    device = Device("sim", DeviceClass.SIMULATOR, complete(2, ["cx"]), None, "fake")
    probe = probe_set(device)[0]
    assert not judge(device, probe, Counts(2, {})).ok
    assert not judge(device, probe, Counts(3, {"001": 5})).ok


def test_the_path_avoids_couplings_that_err_most() -> None:
    topology = line(5, "cz", "rz", "sx")
    sheet = ErrorRates((0.0,) * 5, (0.5, 0.02, 0.01, 1.0), (0.0,) * 5)
    assert best_path(Device("qpu", DeviceClass.QPU, topology, sheet, "fake")) == (3, 2, 1)
