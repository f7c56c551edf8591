"""`qsubnet measure` as a researcher uses it: a table or JSON, sentences and exit codes."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from circuits.errors import ProgramError
from qsubnet.cli.main import app
from qsubnet.errors import BadInput, JobFailed, NotFound

NOISELESS = ("--provider", "cheats", "--options", '{"kind": "noiseless"}', "--seed", "5")


def _measure(*arguments: str) -> str:
    done = CliRunner(env={"COLUMNS": "180"}).invoke(
        app, ["measure", *arguments], catch_exceptions=False
    )
    assert done.exit_code == 0
    return done.stdout


def test_json_holds_every_figure_with_its_interval_and_trap() -> None:
    arguments = (*NOISELESS, "--width", "3", "--width", "9", "--circuits", "8", "--json")
    found: dict[str, Any] = json.loads(_measure("ghz", *arguments))
    assert (found["kind"], found["confidence"], found["seed"]) == ("ghz", 0.95, 5)
    (device,) = found["devices"]
    assert (device["name"], device["circuits_used"], device["shots_used"]) == ("hanoi", 16, 4_000)
    assert device["failures"] == {}
    assert [figure["width"] for figure in found["figures"]] == [3, 9]
    for figure in found["figures"]:
        assert figure["low"] < figure["estimate"] == 1.0 < figure["high"]
        assert (figure["circuits"], figure["shots"]) == (8, 2_000)
        assert figure["trap"].endswith(".")


def test_people_get_a_table_and_each_trap_once() -> None:
    shown = _measure("binary-rb", *NOISELESS, "--width", "2", "--depth", "1", "--depth", "4")
    assert "binary-rb of 'hanoi', 95 % intervals" in shown
    assert "2 qubits, lengths 1, 4" in shown
    assert shown.count("spoils short circuits looks better") == 1


def test_the_same_seed_gives_the_same_document() -> None:
    arguments = (*NOISELESS, "--width", "2", "--circuits", "2", "--json")
    assert _measure("ghz", *arguments) == _measure("ghz", *arguments)


@pytest.mark.parametrize(
    ("arguments", "error", "sentence"),
    [
        (("qv", *NOISELESS), BadInput, "unknown kind 'qv', allowed are binary-rb, ghz"),
        (("ghz", *NOISELESS, "--sheet", "s.json"), BadInput, "--sheet is for --provider exec"),
        (("ghz", "--provider", "cheats", "--options", "[]"), BadInput, "needs a JSON object"),
        (("ghz", "--provider", "nobody"), BadInput, "no adapter 'nobody'"),
        (("ghz", *NOISELESS, "--device", "other"), NotFound, "no device 'other' here"),
        (("ghz", *NOISELESS, "--second-device", "d"), BadInput, "go with --second-provider"),
        (("mcfe", *NOISELESS, "--circuit", "none.qasm"), NotFound, "no file none.qasm"),
        (("mcfe", *NOISELESS, "--circuit", __file__), ProgramError, "need 'OPENQASM 2.0;'"),
        (
            ("ghz", "--provider", "cheats", "--options", '{"kind": "wrong_width"}'),
            JobFailed,
            "answered none of its first 5 circuits: bitstrings of 3 bits, asked were 2",
        ),
    ],
)
def test_wrong_input_is_a_sentence(
    arguments: tuple[str, ...], error: type[Exception], sentence: str
) -> None:
    with pytest.raises(error, match=sentence):
        _measure(*arguments)


def test_the_exit_code_of_bad_input_is_2() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "qsubnet.cli", "measure", "qv", "--provider", "aer"],
        capture_output=True,
        text=True,
        check=False,
        cwd=Path(__file__).parents[3],
    )
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("error: unknown kind 'qv'")


def test_circuits_that_fail_are_counted_and_the_rest_is_measured() -> None:
    arguments = ("--provider", "cheats", "--options", '{"kind": "slow_flaky"}', "--seed", "5")
    found = json.loads(_measure("ghz", *arguments, "--width", "2", "--circuits", "40", "--json"))
    (device,) = found["devices"]
    (figure,) = found["figures"]
    assert 0 < sum(device["failures"].values()) < 20
    assert figure["circuits"] == device["circuits_used"] == 40 - sum(device["failures"].values())
