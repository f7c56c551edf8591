"""The parts of a localnet that need no processes: cast, state directory, users' circuits."""

from __future__ import annotations

import stat
from typing import TYPE_CHECKING

import pytest

from providers.dense import probabilities
from qsubnet.errors import BadInput, Busy
from qsubnet.localnet.cast import MINERS, chosen
from qsubnet.localnet.place import occupied, prepare
from qsubnet.localnet.users import (
    PROGRAMS,
    classical_fidelity,
    first_devices,
    phase_estimation,
)

if TYPE_CHECKING:
    from pathlib import Path


def test_the_cast_has_three_simulators_three_standins_and_six_that_lie_or_err() -> None:
    honest = [miner for miner in MINERS if miner.honest]
    assert sorted(m.adapter for m in honest) == ["aer", "braket", "cirq", *["standin"] * 3]
    assert len(MINERS) - len(honest) == 6


def test_every_program_of_the_first_epoch_names_an_honest_device_of_the_cast() -> None:
    for names in ([], ["cirq", "fake-uniform"]):
        picked = chosen(names)
        honest = {miner.name for miner in picked if miner.honest}
        assert set(first_devices(picked)) == set(PROGRAMS)
        assert set(first_devices(picked).values()) <= honest


@pytest.mark.parametrize("phase", [1, 2, 3, 5])
def test_phase_estimation_reads_its_phase_in_our_bit_order(phase: int) -> None:
    law = probabilities(phase_estimation(3, phase))
    assert law == pytest.approx({format(phase, "03b"): 1.0})


def test_classical_fidelity_falls_with_wrong_bits_and_is_zero_without_shots() -> None:
    law = {"00": 0.5, "11": 0.5}
    assert classical_fidelity({"00": 1}, law) == pytest.approx(0.5)
    assert classical_fidelity({"01": 5}, law) == 0.0
    assert classical_fidelity({}, law) == 0.0


def test_a_second_start_resumes_the_seed_and_a_new_seed_starts_anew(tmp_path: Path) -> None:
    root = tmp_path / "net"
    first = prepare(root, seed=3, fresh=False, miners=["aer"])
    key = first.signer("aer").ss58_address
    (root / "miners" / "aer" / "x").parent.mkdir(parents=True)
    (root / "miners" / "aer" / "x").write_text("kept")
    again = prepare(root, seed=None, fresh=False)
    assert (again.seed, [m.name for m in again.miners]) == (3, ["aer"])
    assert (root / "miners" / "aer" / "x").exists()
    other = prepare(root, seed=4, fresh=False)
    assert (other.seed, len(other.miners)) == (4, len(MINERS))
    assert other.signer("aer").ss58_address != key
    assert not (root / "miners" / "aer" / "x").exists()
    with pytest.raises(BadInput, match="use --fresh"):
        prepare(root, seed=None, fresh=False, miners=["cirq"])


def test_a_directory_that_is_not_ours_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "thesis.tex").write_text("years of work")
    for fresh in (True, False):
        with pytest.raises(BadInput, match="not empty"):
            prepare(tmp_path, seed=1, fresh=fresh)
    assert (tmp_path / "thesis.tex").read_text() == "years of work"


def test_secrets_are_for_their_owner_alone(tmp_path: Path) -> None:
    place = prepare(tmp_path / "net", seed=1, fresh=False, miners=["aer"])
    secrets = [*(tmp_path / "net" / "keys").iterdir(), place.operator("operator-a") / "case-secret"]
    assert len(secrets) == 4
    assert {stat.S_IMODE(path.stat().st_mode) for path in secrets} == {0o600}


def test_one_localnet_a_directory(tmp_path: Path) -> None:
    with occupied(tmp_path), pytest.raises(Busy, match="--state"), occupied(tmp_path):
        pass


def test_a_state_directory_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_text("mine")
    with pytest.raises(BadInput, match=r"file \(.+\); choose another --state"), occupied(file):
        pass
    assert file.read_text() == "mine"
