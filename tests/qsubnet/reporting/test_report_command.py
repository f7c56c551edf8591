"""`qsubnet report` and `judge --report` at the command line's edge."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from qsubnet.cli.main import app
from qsubnet.errors import BadInput, NotFound

ROOT = Path(__file__).parents[3]
SHEET = {
    "name": "lab-5",
    "class": "simulator",
    "num_qubits": 5,
    "native_gates": ["u"],
    "two_qubit_gate": "cx",
    "coupling": "all",
}


def run(*arguments: str | Path) -> Any:
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


def test_judge_writes_a_report_beside_its_verdict(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTHONPATH", str(ROOT))  # the device imports `circuits` and `providers`
    sheet, page = tmp_path / "sheet.json", tmp_path / "lab.html"
    sheet.write_text(json.dumps(SHEET))
    command = f"{sys.executable} {ROOT / 'examples' / 'exec_device.py'}"
    device = ("--provider", "exec", "--command", command, "--sheet", sheet)
    done = run("judge", *device, "--epochs=1", "--seed=3", "--report", page, "--json")
    assert done.exit_code == 0, done.exception
    verdict = json.loads(done.stdout)
    text = page.read_text(encoding="utf-8")
    assert text.startswith("<!DOCTYPE html>")
    assert f"<title>lab-5: {verdict['verdict']} {verdict['grade']}</title>" in text
    assert "a simulator of 5 qubits" in text
    assert f"report in {page}" in done.stderr


@pytest.mark.parametrize("command", ["report toy --out", "judge --provider aer --report"])
def test_a_report_that_cannot_be_written_is_refused_before_any_work(
    command: str, tmp_path: Path
) -> None:
    folder = run(*command.split(), tmp_path)
    assert isinstance(folder.exception, BadInput)
    assert "got the directory" in str(folder.exception)
    nowhere = run(*command.split(), tmp_path / "absent" / "x.html")
    assert isinstance(nowhere.exception, BadInput)
    assert "there is no directory" in str(nowhere.exception)


def test_a_file_of_records_has_no_report(tmp_path: Path) -> None:
    done = run("judge", "--records", tmp_path / "r.jsonl", "--report", tmp_path / "x.html")
    assert isinstance(done.exception, BadInput)


def test_a_place_without_a_validator_is_not_found_and_stays_empty(tmp_path: Path) -> None:
    state = tmp_path / "state"
    done = run("report", "toy", "--state", state, "--out", tmp_path / "x.html")
    assert isinstance(done.exception, NotFound)
    assert list(tmp_path.iterdir()) == []
