"""Snapshots against Qiskit's own reader of the same files."""

from __future__ import annotations

import subprocess
import sys

import pytest

from providers.errors import Rejected
from providers.snapshots import WORST_EDGE, WORST_READOUT, document, load, machines


@pytest.mark.parametrize(
    ("machine", "width", "gate"),
    [
        ("nairobi", 7, "cx"),
        ("hanoi", 27, "cx"),
        ("brisbane", 127, "ecr"),
        ("sherbrooke", 127, "ecr"),
        ("torino", 133, "cz"),
    ],
)
def test_a_snapshot_has_the_machines_width_and_gate(machine: str, width: int, gate: str) -> None:
    topology = load(machine).topology
    assert (topology.num_qubits, topology.two_qubit_gate) == (width, gate)
    assert {"rz", "sx", "x"} < set(topology.native_gates)


def test_numbers_and_directions_are_those_that_qiskit_reads() -> None:
    from qiskit_ibm_runtime.fake_provider import FakeSherbrooke

    target, snapshot = FakeSherbrooke().target, load("sherbrooke")
    for q in range(127):
        assert snapshot.errors.one_qubit[q] == target["sx"][(q,)].error
        assert snapshot.errors.readout[q] == target["measure"][(q,)].error
        assert snapshot.t1_s[q] == pytest.approx(target.qubit_properties[q].t1)
        assert snapshot.t2_s[q] == pytest.approx(
            min(target.qubit_properties[q].t2, 2 * target.qubit_properties[q].t1)
        )
    for k, edge in enumerate(snapshot.topology.edges):
        assert snapshot.errors.two_qubit[k] == target["ecr"][edge].error
        assert snapshot.two_qubit_s[k] == pytest.approx(target["ecr"][edge].duration)


def test_of_two_directions_the_one_that_works_is_native() -> None:
    # The published record has error 1 for cx on 19, 20 and 0.0044 for cx on 20, 19.
    edges = load("hanoi").topology.edges
    assert (20, 19) in edges
    assert (19, 20) not in edges


def test_both_readings_of_an_asymmetric_readout_are_kept() -> None:
    hanoi = load("hanoi")
    assert hanoi.read_0_given_1[0] == pytest.approx(0.0066)
    assert hanoi.read_1_given_0[0] == pytest.approx(0.0086)


def test_broken_couplings_are_left_out_and_named() -> None:
    torino = load("torino")
    edges = set(torino.topology.edges)
    assert not edges & {(21, 34), (34, 21)}
    assert any("edge (21, 34): cz error 1," in sentence for sentence in torino.left_out)
    assert max(torino.errors.two_qubit) < WORST_EDGE


def test_a_qubit_that_can_not_be_read_has_no_couplings_but_keeps_its_number() -> None:
    torino = load("torino")
    bad = [q for q, e in enumerate(torino.errors.readout) if e >= WORST_READOUT]
    assert bad
    for q in bad:
        assert torino.topology.neighbours(q) == ()
        assert any(sentence.startswith(f"qubit {q}: readout") for sentence in torino.left_out)


def test_most_of_a_wide_machine_stays_connected() -> None:
    topology = load("torino").topology
    reached, waiting = {0}, [0]
    while waiting:
        new = set(topology.neighbours(waiting.pop())) - reached
        reached |= new
        waiting += new
    assert len(reached) >= 127


def test_every_machine_loads_or_is_refused_in_words() -> None:
    loaded = 0
    for machine in machines():
        try:
            snapshot = load(machine)
        except Rejected as refusal:
            assert machine in str(refusal)  # noqa: PT017 - both ends are fine, silence is not
        else:
            loaded += 1
            assert len(snapshot.errors.two_qubit) == len(snapshot.topology.edges)
    assert loaded >= 40


def test_an_unknown_machine_is_refused_with_the_known_names() -> None:
    with pytest.raises(Rejected, match=r"no snapshot of 'atlantis', there are .*hanoi.*torino"):
        load("atlantis")


@pytest.mark.parametrize("name", ["../hanoi", "", "hanoi/", "hanoi\x00"])
def test_a_name_never_leaves_the_folder(name: str) -> None:
    with pytest.raises(Rejected):
        load(name)


def test_the_document_is_the_published_one_with_its_date() -> None:
    assert document("torino")["last_update_date"] == load("torino").calibrated


def test_without_the_package_the_message_says_what_to_install() -> None:
    script = (
        "import sys; sys.modules['qiskit_ibm_runtime'] = None\n"
        "from providers.snapshots import load\n"
        "try:\n    load('hanoi')\n"
        "except Exception as error:\n    print(type(error).__name__, error)"
    )
    shown = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    ).stdout
    assert shown.startswith("MissingSoftware")
    assert "pip install" in shown
