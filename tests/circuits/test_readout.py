"""Expected values: stim's own run of the emitted program, and fair coins."""

import pytest
from scipy import stats

from circuits.case import Case, KnownAnswer
from circuits.counts import Counts
from circuits.emitters.stim import stim_rows, to_stim
from circuits.errors import FamilyError
from circuits.readout import Readout
from circuits.topology import Topology

LINE = Topology(5, ((0, 1), (1, 2), (2, 3), (3, 4)), ("cz", "rz", "sx", "x"))


def probe(key: bytes, width: int = 5, topology: Topology = LINE) -> Case:
    return Readout().generate(key, width=width, depth=0, topology=topology)


def answer(case: Case) -> str:
    assert isinstance(case.answer, KnownAnswer)
    return case.answer.bits


@pytest.mark.parametrize("width", [1, 3, 5])
def test_a_noiseless_run_returns_the_prepared_string(width: int) -> None:
    for index in range(20):
        case = probe(b"run %d" % index, width)
        samples = to_stim(case.program).compile_sampler().sample(3)
        rows = stim_rows(samples, case.program)
        assert Counts.from_rows(rows).table == {answer(case): 3}


def test_only_qubits_that_read_one_are_flipped() -> None:
    case = probe(b"flips")
    flipped = [op.qubits[0] for op in case.program.operations if op.name == "x"]
    assert flipped == [q for q, bit in enumerate(reversed(answer(case))) if bit == "1"]


def test_prepared_strings_are_uniform_over_keys() -> None:
    seen = [int(answer(probe(b"uniform %d" % k, 3)), 2) for k in range(800)]
    assert stats.chisquare([seen.count(string) for string in range(8)]).pvalue > 1e-4


def test_seven_bits_in_eight_are_one_in_a_probe_of_drift() -> None:
    cases = [Readout().generate(b"%d" % k, width=5, depth=1, topology=LINE) for k in range(800)]
    ones = sum(answer(case).count("1") for case in cases)
    assert abs(ones - 3500) < 5 * (4000 * 7 / 64) ** 0.5
    assert len({answer(case) for case in cases}) > 20


def test_the_same_key_gives_the_same_probe_every_epoch() -> None:
    assert probe(b"fixed") == probe(b"fixed")


def test_a_probe_needs_no_coupling_and_fewer_qubits_are_any_of_the_device() -> None:
    apart = Topology(4, (), ("rz", "sx", "x"))
    assert probe(b"key", 4, apart).qubits == (0, 1, 2, 3)
    assert len({probe(b"some %d" % k, 2, apart).qubits for k in range(100)}) == 6


@pytest.mark.parametrize("width", [-1, 0, 6])
def test_a_width_outside_the_device_is_refused(width: int) -> None:
    with pytest.raises(FamilyError, match=rf"need 1 \.\. 5 qubits on this device, got {width}"):
        probe(b"key", width)


@pytest.mark.parametrize("depth", [-1, 2])
def test_another_kind_of_probe_is_refused(depth: int) -> None:
    with pytest.raises(FamilyError, match=f"mostly ones\\), got {depth}"):
        Readout().generate(b"key", width=5, depth=depth, topology=LINE)
