"""`qsubnet miner check` as it is typed: codes, prices, files, and what JSON holds."""

from __future__ import annotations

import asyncio
import json
import sys
from pathlib import Path
from typing import Any

import pytest
import typer
from typer.testing import CliRunner, Result

from qsubnet.chain.genesis import Genesis
from qsubnet.chain.local import create_local
from qsubnet.cli.miner_check import EXIT_ERRORS_FOUND, check
from qsubnet.errors import BadInput
from qsubnet.onboarding.founding import Wish, found_miner, take_seat
from qsubnet.wire.keys import Sr25519Verifier

app = typer.Typer()
app.command()(check)

BACKWARDS = """
import json, sys
for line in sys.stdin:
    job = json.loads(line)
    flips = [l for l in job["program"]["source"].splitlines() if l.startswith("x q[")]
    qubits = {int(l.split("[")[1].split("]")[0]) for l in flips}
    reads = [l for l in job["program"]["source"].splitlines() if "measure" in l]
    bits = {}
    for l in reads:
        bit, qubit = (int(part.split("]")[0]) for part in l.split("[")[1:])
        bits[bit] = "1" if qubit in qubits else "0"
    width = int(job["program"]["source"].split("bit[")[2].split("]")[0])
    key = "".join(bits.get(bit, "0") for bit in range(width))
    print(json.dumps({"id": job["id"], "counts": {key: job["shots"]}}), flush=True)
"""
SHEET: dict[str, Any] = {
    "name": "lab",
    "class": "simulator",
    "num_qubits": 3,
    "native_gates": ["u", "x"],
    "two_qubit_gate": "cx",
    "coupling": "all",
}


def _run(*arguments: str) -> Result:
    return CliRunner().invoke(app, arguments, catch_exceptions=False)


def test_a_reversed_program_ends_with_code_9_and_the_line_to_change(tmp_path: Path) -> None:
    (tmp_path / "dev.py").write_text(BACKWARDS)
    (tmp_path / "sheet.json").write_text(json.dumps(SHEET))
    done = _run(
        *("--provider", "exec", "--command", f"{sys.executable} {tmp_path / 'dev.py'}"),
        *("--sheet", str(tmp_path / "sheet.json"), "--epochs", "0", "--json"),
    )
    document = json.loads(done.stdout)
    assert done.exit_code == EXIT_ERRORS_FOUND == 9
    assert not document["ok"]
    assert document["measured"]["bit_order"] == "reversed"
    assert (
        document["expected"] | {"verdict": "misconfigured", "grade": "S0", "score": 0.0}
        == (document["expected"])
    )
    finding = document["findings"][0]
    assert finding["level"] == "error"
    assert "bits[::-1]" in finding["fix"]
    assert set(document) >= {"ok", "findings", "claimed", "measured", "expected"}


def test_a_miners_file_is_checked_with_its_seat_and_its_pay(tmp_path: Path) -> None:
    ledger = tmp_path / "ledger.db"
    create_local(ledger, Genesis(seed=1), verify=Sr25519Verifier().verify).close()
    options: dict[str, Any] = {"num_qubits": 3, "gpu": "off"}
    founded = found_miner(Wish(tmp_path / "miner.toml", "aer", options, ledger), replace=False)

    done = _run("--config", str(founded.path), "--epochs", "1", "--seed", "3", "--json")
    document = json.loads(done.stdout)
    assert (done.exit_code, document["ok"]) == (0, True)
    assert any("has no seat" in finding["what"] for finding in document["findings"])
    # Nobody is paid on a new ledger: the whole budget of the mechanism would be this miner's.
    paid = document["expected"]["score"] > 0
    assert document["expected"]["share"] == (1.0 if paid else 0.0)

    coldkey = tmp_path / "coldkey.key"
    asyncio.run(take_seat(ledger, hotkey=founded.hotkey, coldkey_file=coldkey))
    seated = _run("--config", str(founded.path), "--epochs", "0")
    assert "has no seat" not in seated.stdout
    assert "all right" in seated.stdout
    assert "shots at most" in seated.stderr


def test_a_credential_that_a_backend_repeats_is_printed_nowhere(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("VENDOR_API_KEY", "planted-51c0ffee")
    program = (
        "import json, os, sys\n"
        "for line in sys.stdin:\n"
        "    error = '401 for key ' + os.environ['VENDOR_API_KEY']\n"
        "    print(json.dumps({'id': json.loads(line)['id'], 'error': error}), flush=True)\n"
    )
    (tmp_path / "dev.py").write_text(program)
    (tmp_path / "sheet.json").write_text(json.dumps(SHEET))
    flags = (
        *("--provider", "exec", "--command", f"{sys.executable} {tmp_path / 'dev.py'}"),
        *("--sheet", str(tmp_path / "sheet.json")),
    )
    for form in ((), ("--json",)):
        done = _run(*flags, *form)
        assert done.exit_code == EXIT_ERRORS_FOUND
        assert "401 for key [redacted]" in done.stdout
        assert "planted" not in done.stdout + done.stderr


def test_above_max_cost_nothing_starts(tmp_path: Path) -> None:
    sheet = tmp_path / "sheet.json"
    sheet.write_text(json.dumps(SHEET))
    started = tmp_path / "started"
    program = f"import pathlib; pathlib.Path({str(started)!r}).touch()"
    arguments = ("--provider", "aer", "--option", "num_qubits=3", "--option", "fee_rao_per_shot=5")
    with pytest.raises(BadInput, match=r"rao, --max-cost allows 10 rao .*nothing was started"):
        _run(*arguments, "--option", "gpu=off", "--max-cost", "10", "--yes")
    with pytest.raises(BadInput, match="--max-cost is an amount"):
        _run(
            *("--provider", "exec", "--sheet", str(sheet), "--max-cost", "cheap"),
            *("--command", f'{sys.executable} -c "{program}"'),
        )
    assert not started.exists()


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ((), "need --config"),
        (("--config=x", "--provider=aer"), "--config says which adapter"),
        (("--provider=aer", "--option=a=1", "--option=a=2"), "given twice"),
        (("--provider=areo",), "no adapter 'areo'"),
    ],
)
def test_bad_input_is_a_sentence(arguments: tuple[str, ...], sentence: str) -> None:
    with pytest.raises(BadInput, match=sentence):
        _run(*arguments)
