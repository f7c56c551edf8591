"""`qsubnet miner init`: by flags, by questions, and what it refuses."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from qsubnet.cli import miner_init
from qsubnet.errors import BadInput
from qsubnet.miner.configuration import load_miner_config

app = typer.Typer()
app.command()(miner_init.init)


def _run(*arguments: str, answers: str | None = None) -> str:
    done = CliRunner().invoke(app, arguments, input=answers, catch_exceptions=False)
    assert done.exit_code == 0
    return done.stdout


def test_flags_make_the_file_and_the_key(tmp_path: Path) -> None:
    path = tmp_path / "miner.toml"
    said = json.loads(
        _run(
            *("--config", str(path), "--provider", "exec", "--command", "python dev.py"),
            *("--sheet", "sheet.json", "--option", "timeout_s=5", "--port", "8091", "--json"),
            *("--ledger", str(tmp_path / "ledger.db"), "--max-concurrent", "2"),
        )
    )
    found = load_miner_config(path)
    assert found.options == {
        "command": "python dev.py",
        "sheet": str(Path.cwd() / "sheet.json"),
        "timeout_s": 5,
    }
    assert (found.port, found.max_concurrent) == (8091, 2)
    assert (said["made_key"], said["registered"]) == (True, None)
    assert said["key_file"] == str(found.key_file)


def test_on_a_terminal_it_asks_for_what_no_flag_says(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Terminal:
        @staticmethod
        def isatty() -> bool:
            return True

    monkeypatch.setattr(miner_init, "sys", type("Sys", (), {"stdin": Terminal}))
    path, ledger = tmp_path / "miner.toml", tmp_path / "chain.db"
    answers = f"nothing\naer\nnum_qubits=7\n\n{ledger}\n9000\n"
    said = _run("--config", str(path), answers=answers)
    found = load_miner_config(path)
    assert (found.adapter, found.options) == ("aer", {"num_qubits": 7})
    assert (found.ledger, found.port) == (ledger, 9000)
    assert f"qsubnet miner check --config {path}" in said


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ((), "need --provider"),
        (("--provider=areo",), "no adapter 'areo'"),
        (("--provider=aer", "--option=num_qubits"), "name=value"),
        (("--provider=aer", "--option=token=planted"), "credential"),
        (("--provider=aer", "--command=x"), "--command is for --provider exec"),
        (("--provider=aer", "--coldkey-file=x"), "--coldkey-file goes with --register"),
        (("--provider=aer", "--maintenance=tomorrow"), "START/END"),
    ],
)
def test_what_is_wrong_is_said_and_nothing_is_written(
    tmp_path: Path, arguments: tuple[str, ...], sentence: str
) -> None:
    path = tmp_path / "miner.toml"
    with pytest.raises(BadInput, match=sentence) as caught:
        _run("--config", str(path), *arguments)
    assert "planted" not in str(caught.value)
    assert list(tmp_path.iterdir()) == []


def test_a_file_that_is_there_stays_without_force(tmp_path: Path) -> None:
    path = tmp_path / "miner.toml"
    path.write_text("mine")
    with pytest.raises(BadInput, match="--force"):
        _run("--config", str(path), "--provider=aer")
    assert path.read_text() == "mine"
    _run("--config", str(path), "--provider=aer", "--force")
    assert load_miner_config(path).adapter == "aer"
