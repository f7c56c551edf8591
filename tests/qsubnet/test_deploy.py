"""What is deployed against what is here: paths, commands, options, extras, times.

No container is built and no unit is started; what can be read is read.
"""

from __future__ import annotations

import re
import runpy
import shlex
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import typer

from qsubnet.cli.main import app

ROOT = Path(__file__).parents[2]
DEPLOY = ROOT / "deploy"
UNITS = sorted((DEPLOY / "systemd").iterdir())
SERVICES = [unit for unit in UNITS if unit.suffix == ".service"]
EXTRAS = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"]
LOCK = (ROOT / "requirements.lock").read_text()
ANALYZE = shutil.which("systemd-analyze")

yaml = pytest.importorskip("yaml")
COMPOSE: dict[str, Any] = yaml.safe_load((DEPLOY / "compose.yaml").read_text())
COMMANDS = {name: service["command"] for name, service in COMPOSE["services"].items()}


def _dockerfile() -> list[list[str]]:
    """The Dockerfile's instructions, continued lines joined."""
    text = re.sub(r"^#.*\n", "", (DEPLOY / "Dockerfile").read_text(), flags=re.MULTILINE)
    return [line.split() for line in text.replace("\\\n", " ").splitlines() if line.strip()]


def _unit(path: Path) -> dict[str, str]:
    pairs = (line.partition("=") for line in path.read_text().splitlines() if line[:1].isalpha())
    return {name: value for name, _, value in pairs}


def _parsed(arguments: list[str]) -> dict[str, Any]:
    """Let the command line's own parser read what a service is started with; nothing runs."""
    command: Any = typer.main.get_command(app)
    rest = list(arguments)
    while rest and (inner := getattr(command, "commands", None)) is not None:
        command = inner[rest.pop(0)]
    return dict(command.make_context(command.name, rest).params)


def test_every_path_that_is_copied_is_here_and_in_the_build_s_context() -> None:
    sources = [
        source
        for word, *rest in _dockerfile()
        if word == "COPY" and not rest[0].startswith("--from")
        for source in rest[:-1]
    ]
    assert {"qsubnet", "requirements.lock", "deploy/subset.py"} <= set(sources)
    let_in = (DEPLOY / "Dockerfile.dockerignore").read_text().splitlines()
    for source in sources:
        assert (ROOT / source).exists()
        assert f"!{source}" in let_in


def test_the_image_runs_as_nobody_special_and_takes_a_known_extra() -> None:
    lines = _dockerfile()
    users = [rest[0] for word, *rest in lines if word == "USER"]
    assert users == ["10001:10001"]
    (extra,) = [rest[0] for word, *rest in lines if word == "ARG" and rest[0].startswith("EXTRA")]
    wanted = {service["build"]["args"]["EXTRA"] for service in COMPOSE["services"].values()}
    assert {extra.removeprefix("EXTRA="), *wanted} <= set(EXTRAS)
    assert ["ENTRYPOINT", '["qsubnet"]'] in lines


@pytest.mark.parametrize("name", COMMANDS)
def test_the_command_line_takes_what_compose_starts(name: str) -> None:
    assert _parsed(COMMANDS[name])["state" if name != "miner" else "config"]


@pytest.mark.parametrize("unit", SERVICES, ids=lambda unit: unit.stem)
def test_the_command_line_takes_what_systemd_starts(unit: Path) -> None:
    program, *arguments = shlex.split(_unit(unit)["ExecStart"])
    assert program == "/opt/qsubnet/bin/qsubnet"
    assert {"state", "config"} & {name for name, value in _parsed(arguments).items() if value}


def test_compose_hardens_every_container_and_declares_every_volume() -> None:
    for name, service in COMPOSE["services"].items():
        assert (service["read_only"], service["cap_drop"]) == (True, ["ALL"]), name
        assert service["user"] == "10001:10001"
        for volume in service["volumes"]:
            source = volume.split(":")[0]
            assert source.startswith("./") or source in COMPOSE["volumes"]


def test_ports_that_compose_publishes_and_asks_are_those_that_are_served() -> None:
    for name in ("miner", "gateway"):
        service, given = COMPOSE["services"][name], _parsed(COMMANDS[name])
        (published,) = service["ports"]
        assert int(published.split(":")[-1]) == given["port"]
        assert service["expose"] == [str(given["metrics_port"])]
        assert f":{given['metrics_port']}/healthz" in service["healthcheck"]["test"][-1]


def test_a_miner_gets_more_time_to_end_than_it_takes_to_drain() -> None:
    from qsubnet.serving import _GRACE_S

    unit = _unit(DEPLOY / "systemd" / "qsubnet-miner.service")
    drain_s = _parsed(shlex.split(unit["ExecStart"])[1:])["drain_s"]
    assert int(unit["TimeoutStopSec"]) > drain_s + _GRACE_S
    grace = COMPOSE["services"]["miner"]["stop_grace_period"]
    assert int(grace.removesuffix("s")) > _parsed(COMMANDS["miner"])["drain_s"] + _GRACE_S


def test_the_timer_has_its_service() -> None:
    timers = [unit.stem for unit in UNITS if unit.suffix == ".timer"]
    assert timers == ["qsubnet-validator"]
    assert set(timers) <= {unit.stem for unit in SERVICES}


@pytest.mark.skipif(ANALYZE is None, reason="systemd-analyze is not installed")
def test_systemd_takes_the_units_and_finds_little_exposed(tmp_path: Path) -> None:
    for unit in UNITS:
        there = unit.read_text().replace("/opt/qsubnet/bin/qsubnet", sys.executable)
        (tmp_path / unit.name).write_text(there)
    files = [str(tmp_path / unit.name) for unit in UNITS]
    found = subprocess.run(
        [str(ANALYZE), "verify", "--man=no", *files], capture_output=True, text=True, check=False
    )
    assert (found.returncode, found.stderr) == (0, "")
    # 20 stands for 2.0 of 10; an ordinary service without any hardening is at 9.6.
    threshold = ["--offline=true", "--threshold=20", "--no-pager"]
    for file in files:
        if file.endswith(".service"):
            subprocess.run(
                [str(ANALYZE), "security", *threshold, file], capture_output=True, check=True
            )


@pytest.fixture
def subset() -> Callable[[str, list[str]], str]:
    cut: Callable[[str, list[str]], str] = runpy.run_path(str(DEPLOY / "subset.py"))["subset"]
    return cut


def test_a_subset_of_the_lock_is_made_of_the_lock_s_own_lines(
    subset: Callable[[str, list[str]], str],
) -> None:
    pins = re.findall(r"^([a-z0-9.-]+)(?:\[[a-z0-9,-]+\])?==([^\s;]+)", LOCK, re.MULTILINE)
    whole = subset(LOCK, [f"{name}=={version}" for name, version in pins])
    assert whole == "".join(
        line for line in LOCK.splitlines(keepends=True) if not line.startswith("#")
    )
    name, version = pins[-1]
    one = subset(LOCK, ["# by a resolver", f"{name}=={version} ; python_version < '4'"])
    assert one in LOCK
    assert one.startswith(f"{name}=={version}")
    assert one.count("\n") == one.count("--hash=sha256:") + 1


def test_what_the_lock_does_not_have_is_no_part_of_any_subset(
    subset: Callable[[str, list[str]], str],
) -> None:
    for line in ("numpy==0.1", "left-pad==1.0", "numpy"):
        with pytest.raises(SystemExit, match="the lock has no"):
            subset(LOCK, [line])
