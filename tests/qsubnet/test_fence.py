"""The fence: who else could own one of our five import names, and what is said about it."""

from __future__ import annotations

import os
import subprocess
import sys
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

from qsubnet.fence import NAMES, require_own_names, trespasses

HOME = Path("/site")
OURS = {name: HOME / name for name in NAMES}
ROOT = Path(__file__).parents[2]


def test_each_of_the_five_names_belongs_to_our_distribution_alone() -> None:
    owners = packages_distributions()
    for name in NAMES:
        # An editable install declares no name; a wheel declares each of them once.
        assert owners.get(name, ["qsubnet"]) == ["qsubnet"]


def test_this_environment_is_inside_the_fence() -> None:
    require_own_names()


def test_a_clean_install_has_no_trespass() -> None:
    assert trespasses({name: ["qsubnet"] for name in NAMES}, OURS, home=HOME) == ()


@pytest.mark.parametrize("name", NAMES)
def test_a_second_distribution_under_one_of_our_names_is_named(name: str) -> None:
    (fault,) = trespasses({name: ["qsubnet", "zeta", "alpha"]}, OURS, home=HOME)
    assert fault.name == name
    assert str(fault).endswith("by the distribution alpha and by the distribution zeta")


@pytest.mark.parametrize("name", NAMES)
def test_a_folder_that_hides_ours_is_named(name: str) -> None:
    (fault,) = trespasses({}, OURS | {name: Path("/elsewhere") / name}, home=HOME)
    assert str(fault) == f"`{name}` is also served from /elsewhere/{name}"


def test_a_name_that_nothing_serves_is_missing() -> None:
    (fault,) = trespasses({}, OURS | {"validator": None}, home=HOME)
    assert str(fault) == "`validator` is not installed"


def run_fence(*import_path: Path, cwd: Path) -> subprocess.CompletedProcess[str]:
    """Call the fence in a fresh interpreter whose import path starts with these folders."""
    return subprocess.run(
        [sys.executable, "-c", "from qsubnet.fence import require_own_names; require_own_names()"],
        env=os.environ | {"PYTHONPATH": os.pathsep.join(map(str, import_path))},
        cwd=cwd,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_a_real_process_refuses_a_foreign_distribution_with_our_name(tmp_path: Path) -> None:
    foreign = tmp_path / "foreign"
    (foreign / "circuits").mkdir(parents=True)
    (foreign / "circuits" / "__init__.py").touch()
    info = foreign / "circuits_framework-3.2.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(
        "Metadata-Version: 2.1\nName: circuits-framework\nVersion: 3.2\n"
    )
    (info / "RECORD").write_text("circuits/__init__.py,,\n")
    # Behind ours on the path: our files are read, and the other owner still counts.
    behind = run_fence(ROOT, foreign, cwd=tmp_path)
    assert behind.returncode != 0
    assert "`circuits` is also served by the distribution circuits-framework" in behind.stderr
    assert "Uninstall the other owner" in behind.stderr


def test_a_real_process_refuses_a_folder_of_our_name_in_the_way(tmp_path: Path) -> None:
    (tmp_path / "providers").mkdir()
    (tmp_path / "providers" / "__init__.py").touch()
    hidden = run_fence(tmp_path, ROOT, cwd=tmp_path)
    assert hidden.returncode != 0
    assert f"`providers` is also served from {(tmp_path / 'providers').resolve()}" in hidden.stderr


def test_a_real_process_starts_where_the_names_are_ours(tmp_path: Path) -> None:
    assert run_fence(ROOT, cwd=tmp_path).returncode == 0
