"""`qsubnet miner status` as it is typed: one object, and a code that a script can use."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from qsubnet.cli.miner_status import EXIT_NOT_RUNNING, status
from qsubnet.errors import ConfigurationError
from qsubnet.onboarding.founding import Wish, found_miner

app = typer.Typer()
app.command()(status)


@pytest.mark.parametrize("flags", [(), ("--json",)])
def test_a_miner_that_does_not_run_ends_with_code_3(tmp_path: Path, flags: tuple[str, ...]) -> None:
    wish = Wish(tmp_path / "miner.toml", "aer", {}, tmp_path / "ledger.db")
    founded = found_miner(wish, replace=False)
    # Port 9 is discard's; nobody listens there.
    url = "http://127.0.0.1:9"
    done = CliRunner().invoke(
        app, ["--config", str(founded.path), "--url", url, *flags], catch_exceptions=False
    )
    assert done.exit_code == EXIT_NOT_RUNNING == 3
    if flags:
        document = json.loads(done.stdout)
        assert (document["running"], document["hotkey"]) == (False, founded.hotkey)
        assert {problem.split(":")[0] for problem in document["problems"]} == {"ledger", "miner"}
    else:
        assert "not running" in done.stdout
        assert f"no answer from {url}" in done.stdout


def test_a_missing_file_is_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="cannot read"):
        CliRunner().invoke(app, ["--config", str(tmp_path / "no.toml")], catch_exceptions=False)
