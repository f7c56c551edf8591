"""`qsubnet bank`: made, looked at, made on, and refused."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from typer.testing import CliRunner

from qsubnet.banks import Bank
from qsubnet.cli.bank import bank
from qsubnet.errors import BadInput

SMALL = ["make", "--qubits", "10", "--entries", "2", "--seed", "7"]


def _run(*arguments: str) -> str:
    done = CliRunner().invoke(bank, arguments, catch_exceptions=False)
    assert done.exit_code == 0
    return done.stdout


def test_a_bank_is_made_and_shown_without_its_secrets(tmp_path: Path) -> None:
    place = str(tmp_path / "bank")
    made = json.loads(_run(*SMALL, "--out", place, "--json"))
    assert (made["made"], made["used"], made["entries"]) == ([0, 1], {}, 2)
    Bank(Path(place)).take(to="hotkey")
    shown = _run("show", place)
    assert "2 of 2 entries made, 1 used, 1 left; 1 in 1 strings kept" in shown
    secret = (Path(place) / "secret").read_text()
    for text in (shown, _run("show", place, "--json")):
        assert secret not in text
        assert Bank(Path(place)).entry(0).key.hex() not in text


def test_the_same_seed_makes_the_same_bank_and_a_finished_one_stays(tmp_path: Path) -> None:
    places = [tmp_path / name for name in ("one", "two")]
    for place in (*places, places[0]):
        _run(*SMALL, "--out", str(place))
    one, two = (
        {file.name: file.read_bytes() for file in (place / "entries").iterdir()} for place in places
    )
    assert one == two


def test_an_unfinished_bank_without_a_seed_is_finished_with_its_own_secret(tmp_path: Path) -> None:
    place = tmp_path / "bank"
    arguments = ["make", "--qubits", "10", "--entries", "2", "--out", str(place)]
    _run(*arguments)
    before = (place / "entries" / "0001.json").read_bytes()
    (place / "entries" / "0001.json").unlink()
    _run(*arguments)
    assert (place / "entries" / "0001.json").read_bytes() == before


def test_banks_without_a_seed_are_different(tmp_path: Path) -> None:
    for name in ("one", "two"):
        _run("make", "--qubits", "10", "--entries", "1", "--out", str(tmp_path / name))
    one, two = (Bank(tmp_path / name).entry(0) for name in ("one", "two"))
    assert one.program_digest != two.program_digest


def test_more_qubits_than_the_memory_holds_are_refused(tmp_path: Path) -> None:
    # 34 qubits take 128 GiB and more: where a test machine has that, there is nothing to refuse.
    if shutil.disk_usage("/").total == 0 or _free_gib() > 120:
        pytest.skip("this machine holds 34 qubits")
    with pytest.raises(BadInput, match="34 qubits need about"):
        _run("make", "--qubits", "34", "--out", str(tmp_path / "bank"))
    assert not (tmp_path / "bank").exists()


def _free_gib() -> float:
    lines = Path("/proc/meminfo").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("MemAvailable")) / 2**20
