"""The plan, and the draws that every validator and auditor must reproduce (golden digests)."""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import replace

import pytest

from circuits.topology import Topology, complete
from providers.base import Device, DeviceClass, ErrorRates
from validator.plan import Assignment, case_key, commitment, draw, plan, redraw
from validator.score import Grade

LINE = Topology(9, tuple((i, i + 1) for i in range(8)), ("cz", "rz", "sx", "x"))
SHEET = ErrorRates(one_qubit=(0.001,) * 9, two_qubit=(0.01,) * 8, readout=(0.02,) * 9)
QPU = Device("line", DeviceClass.QPU, LINE, SHEET, "test")
SECRET = b"0123456789abcdef"


def _simulator(qubits: int) -> Device:
    return Device("s", DeviceClass.SIMULATOR, complete(qubits, ["cx", "u"]), None, "aer")


def _drawn(
    device: Device, *, block: str = "b1", hotkey: str = "hk", reached: Grade = Grade.S0
) -> list[tuple[str, str]]:
    return [
        (assignment.family, one.case.program.digest)
        for assignment in plan(device, reached=reached)
        for one in draw(assignment, device, secret=SECRET, block_hash=block, hotkey=hotkey)
    ]


def test_a_qpu_gets_probes_at_full_width_mirrors_and_xeb() -> None:
    asked = plan(QPU, shots=4000)
    assert [(a.family, a.width, a.depth, a.circuits, a.shots, a.fixed) for a in asked] == [
        ("readout", 9, 0, 2, 150, True),
        ("readout", 9, 1, 1, 500, True),
        ("repeated_gates", 9, 48, 1, 600, True),
        ("mirror", 4, 4, 2, 67, False),
        ("mirror", 6, 4, 2, 67, False),
        ("mirror", 8, 4, 2, 67, False),
        ("mirror", 7, 8, 2, 550, False),
        ("brickwork", 3, 8, 2, 200, False),
        ("brickwork", 8, 5, 1, 200, False),
        ("trap", 6, 3, 2, 150, False),
        ("mirror", 9, 2, 1, 100, False),
        ("mirror", 9, 8, 1, 100, False),
    ]
    assert sum(a.circuits * a.shots for a in asked) == 4002


def test_once_the_cheap_simulators_are_ruled_out_shots_go_to_the_probes() -> None:
    spent = {
        grade: sum(a.circuits * a.shots for a in plan(QPU, reached=grade) if a.fixed)
        for grade in Grade
    }
    assert spent == {Grade.S0: 2800, Grade.S1: 5400, Grade.S2: 5400, Grade.S3: 5400}
    programs = {
        grade: {digest for name, digest in _drawn(QPU, reached=grade) if name == "readout"}
        for grade in Grade
    }
    assert programs[Grade.S0] == programs[Grade.S2]  # the same probes, so that drift shows


def test_a_device_in_two_parts_is_tested_on_the_larger() -> None:
    cut = Topology(9, tuple(edge for edge in LINE.edges if edge != (3, 4)), LINE.native_gates)
    sheet = ErrorRates(SHEET.one_qubit, SHEET.two_qubit[:-1], SHEET.readout)
    parts = Device("cut", DeviceClass.QPU, cut, sheet, "test")
    assert {a.width for a in plan(parts)} == {9, 5, 4, 3}
    assert _drawn(parts)


@pytest.mark.parametrize(("qubits", "width"), [(2, 2), (12, 12), (24, 20)])
def test_a_simulator_is_tested_at_its_claimed_width_up_to_20(qubits: int, width: int) -> None:
    asked = plan(_simulator(qubits))
    assert {a.width for a in asked} == {width}
    assert sum(a.circuits * a.shots for a in asked if a.family == "brickwork") == 24_000


def test_one_qubit_gets_what_one_qubit_can_do() -> None:
    sheet = ErrorRates(one_qubit=(0.001,), two_qubit=(), readout=(0.02,))
    lone = Device("lone", DeviceClass.QPU, Topology(1, (), ("rz", "sx", "x")), sheet, "test")
    assert [a.family for a in plan(lone)] == ["readout", "readout"]
    assert plan(_simulator(1)) == ()
    assert len(_drawn(lone)) == 3


def test_a_new_sheet_changes_no_probe() -> None:
    worse = ErrorRates(SHEET.one_qubit, tuple(3 * e for e in SHEET.two_qubit), SHEET.readout)
    fixed = [a for a in plan(QPU) if a.fixed]
    assert [a for a in plan(replace(QPU, errors=worse)) if a.fixed] == fixed
    probes = {name: digest for name, digest in _drawn(QPU) if name == "repeated_gates"}
    again = _drawn(replace(QPU, errors=worse))
    assert probes["repeated_gates"] in {digest for _, digest in again}


def test_no_job_asks_for_more_shots_than_the_device_takes() -> None:
    small = replace(QPU, max_shots=50)
    assert {a.shots for a in plan(small)} == {50}


def test_a_key_is_an_hmac_of_its_path() -> None:
    expected = hmac.new(b"k", b'["a","b",3]', hashlib.sha256).digest()
    assert case_key(b"k", "a", "b", 3) == expected
    assert case_key(b"k", "a", "b", "3") != expected


def test_only_the_probes_return_in_the_next_epoch() -> None:
    first, second = _drawn(QPU), _drawn(QPU, block="b2")
    same = [family for (family, a), (_, b) in zip(first, second, strict=True) if a == b]
    assert same == ["readout"] * 3 + ["repeated_gates"]


def test_no_two_miners_share_a_circuit() -> None:
    ours, theirs = _drawn(QPU), _drawn(QPU, hotkey="other")
    assert not {digest for _, digest in ours} & {digest for _, digest in theirs}
    assert len(set(ours)) == len(ours)


def test_an_auditor_redraws_every_case_from_its_key() -> None:
    for assignment in plan(QPU):
        for one in draw(assignment, QPU, secret=SECRET, block_hash="b", hotkey="hk"):
            again = redraw(assignment.family, one.key, assignment.width, assignment.depth, QPU)
            assert again == one.case


def test_draws_are_the_same_on_every_machine() -> None:
    text = "\n".join(digest for _, digest in _drawn(QPU))
    assert hashlib.sha256(text.encode()).hexdigest()[:16] == "2ac5de683a8fc12d"


def test_a_commitment_does_not_tell_the_order_and_binds_every_key() -> None:
    keys = [b"a" * 32, b"b" * 32, b"c" * 32]
    assert commitment(keys) == commitment(keys[::-1])
    assert commitment(keys) != commitment(keys[:2])
    expected = sorted(hashlib.sha256(key).hexdigest() for key in keys)
    assert commitment(keys) == hashlib.sha256("\n".join(expected).encode()).hexdigest()


def test_an_assignment_is_fresh_unless_it_says_fixed() -> None:
    assert not Assignment("mirror", 4, 4, 2, 600).fixed
