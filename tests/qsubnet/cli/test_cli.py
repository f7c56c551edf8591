"""The command line as a researcher uses it: results on stdout, a sentence and a code on errors."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

EXAMPLES = Path(__file__).parents[3] / "examples"
EXPECTED = {
    "bell.qasm": {"00", "11"},
    "ghz.qasm": {"00000", "11111"},
    "phase.qasm": {"011"},
}
"""Closed forms: the only outcomes that each example can have."""


def _qsubnet(*arguments: str, stdin: str = "") -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "qsubnet.cli", *arguments],
        input=stdin,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


@pytest.mark.parametrize("name", sorted(EXPECTED))
def test_an_example_runs_in_process_without_a_server(name: str) -> None:
    done = _qsubnet("run", str(EXAMPLES / name), "--shots=300", "--device=local", "--json")
    assert (done.returncode, done.stdout.count("\n")) == (0, 1)
    result = json.loads(done.stdout)
    assert set(result) == {"job_id", "device", "shots_asked", "shots_returned", "counts"}
    assert (result["shots_asked"], result["shots_returned"]) == (300, 300)
    assert sum(result["counts"].values()) == 300
    assert set(result["counts"]) == EXPECTED[name]


def test_every_example_is_tried_here_or_has_no_closed_form() -> None:
    assert {path.name for path in EXAMPLES.glob("*.qasm")} == {*EXPECTED, "ansatz.qasm"}


def test_counts_are_printed_most_frequent_first_for_people() -> None:
    done = _qsubnet(
        "run",
        "-",
        "--shots=10",
        "--device=local",
        stdin=EXAMPLES.joinpath("phase.qasm").read_text(),
    )
    assert (done.returncode, done.stdout) == (0, "011 10\n")
    assert "10 of 10 shots on local" in done.stderr


@pytest.mark.parametrize(
    ("arguments", "stdin", "code", "sentence"),
    [
        (("run", "nowhere.qasm", "--device=local"), "", 5, "no file nowhere.qasm"),
        (("run", "-", "--device=local"), "", 2, "empty"),
        (("run", "-", "--device=local"), "OPENQASM 3.0;\nqubit q;\nfoo q;\n", 2, "line 3"),
        (("run", "-", "--device=local", "--shots=0"), "x", 2, "1 .. 20000 shots"),
        (("run", "-"), "x", 2, "no gateway"),
        (("run", "-", "--timeout=-1"), "x", 2, "more than 0 s, got -1"),
        (("run", "-", "--timeout=nan"), "x", 2, "more than 0 s, got nan"),
        (("localnet", "--state=/dev/null/net"), "", 2, "choose another --state"),
        (("devices",), "", 2, "no gateway"),
        (("jobs", "--cancel"), "", 2, "no gateway"),
        (("validator", "run", "--once", "--wait"), "", 2, "--once never waits"),
        (("miner", "serve", "--adapter=aer", "--options=nonsense"), "", 2, "--options is no JSON"),
        (("miner", "serve", "--adapter=aer", "--options=[]"), "", 2, "JSON object"),
        (("gateway", "serve", "--api-key-file=nowhere"), "", 2, "nowhere"),
        (("localnet", "--epochs=0"), "", 2, "epochs"),
    ],
)
def test_bad_input_ends_in_a_sentence_and_its_exit_code(
    arguments: tuple[str, ...], stdin: str, code: int, sentence: str
) -> None:
    done = _qsubnet(*arguments, stdin=stdin)
    assert (done.returncode, done.stdout) == (code, "")
    assert sentence in done.stderr
    assert "Traceback" not in done.stderr


def test_help_names_every_command_and_the_exit_codes() -> None:
    done = _qsubnet("--help")
    assert done.returncode == 0
    for word in ("localnet", "run", "devices", "jobs", "miner", "validator", "gateway", "130"):
        assert word in done.stdout


def test_help_loads_no_heavy_library() -> None:
    heavy = "qiskit cirq braket stim numpy scipy fastapi sqlalchemy bittensor httpx pydantic"
    code = f"import sys, qsubnet.cli.main\nprint(sorted(set({heavy!r}.split()) & set(sys.modules)))"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60
    )
    assert done.stdout.strip() == "[]"


def test_a_key_file_that_others_can_read_is_refused(tmp_path: Path) -> None:
    keys = tmp_path / "keys"
    keys.write_text("ada secret\n")
    keys.chmod(0o644)
    done = _qsubnet("gateway", "serve", f"--api-key-file={keys}")
    assert done.returncode == 2
    assert "chmod 600" in done.stderr
    assert "secret" not in done.stderr


def test_sigterm_ends_any_command_as_ctrl_c_does() -> None:
    code = (
        "import os, signal, sys, qsubnet.cli.main\n"
        "border = sys.modules['qsubnet.cli.main']\n"
        "def command(): os.kill(os.getpid(), signal.SIGTERM)\n"
        "border.app = command\n"
        "border.main()"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=False, timeout=60
    )
    assert (done.returncode, done.stdout, done.stderr) == (130, "", "interrupted\n")
