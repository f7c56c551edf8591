"""The repository itself: what the wheel holds, what may lie at the root, what the lock may say."""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
import zipfile
from importlib.metadata import PathDistribution, packages_distributions
from pathlib import Path

import grimp
import pytest

from qsubnet.fence import NAMES

ROOT = Path(__file__).parents[2]
EXTRAS = ("local", "miner", "validator")
LOCK = (ROOT / "requirements.lock").read_text()


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build the wheel with the installed backend: no isolation, so nothing is fetched."""
    folder = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True, timeout=120)
    (built,) = folder.glob("*.whl")
    return built


def package_files() -> set[str]:
    """Every file of the five packages in this checkout, but for what running Python leaves."""
    return {
        path.relative_to(ROOT).as_posix()
        for name in NAMES
        for path in (ROOT / name).rglob("*")
        if path.is_file() and "__pycache__" not in path.parts and path.suffix != ".pyc"
    }


def test_the_wheel_holds_every_file_of_the_five_packages_and_nothing_else(wheel: Path) -> None:
    held = {name for name in zipfile.ZipFile(wheel).namelist() if ".dist-info/" not in name}
    assert held == package_files()


def test_the_wheel_installs_the_five_names_for_one_distribution(
    wheel: Path, tmp_path: Path
) -> None:
    zipfile.ZipFile(wheel).extractall(tmp_path)
    (info,) = tmp_path.glob("*.dist-info")
    distribution = PathDistribution(info)
    files = distribution.files or []
    tops = {file.parts[0] for file in files} - {info.name}
    assert (distribution.name, tops) == ("qsubnet", set(NAMES))


def test_the_wheel_brings_the_command_and_the_licence(wheel: Path) -> None:
    archive = zipfile.ZipFile(wheel)
    (entry_points,) = [n for n in archive.namelist() if n.endswith("entry_points.txt")]
    assert "qsubnet = qsubnet.cli:main" in archive.read(entry_points).decode()
    (licence,) = [n for n in archive.namelist() if n.endswith("licenses/LICENSE")]
    assert archive.read(licence) == (ROOT / "LICENSE").read_bytes()


@pytest.mark.parametrize("name", NAMES)
def test_each_package_says_that_it_is_typed_and_what_it_is(name: str) -> None:
    assert (ROOT / name / "py.typed").is_file()
    assert (ROOT / name / "__init__.py").read_text().lstrip().startswith('"""')


def test_no_module_lies_at_the_root() -> None:
    assert sorted(path.name for path in ROOT.glob("*.py")) == []


def test_no_other_folder_at_the_root_can_be_imported_as_a_package() -> None:
    packages = {path.parent.name for path in ROOT.glob("*/__init__.py")}
    assert packages == set(NAMES)


def test_tests_are_no_package() -> None:
    assert sorted((ROOT / "tests").rglob("__init__.py")) == []


def test_every_line_of_the_lock_is_pinned_and_hashed() -> None:
    requirement = r"[a-z0-9.-]+(?:\[[a-z0-9,-]+\])?==[^\s;]+(?: ; [^\\]+)?"
    digest = r" \\\n    --hash=sha256:[0-9a-f]{64}"
    comment = r"(?:#.*\n)*"
    assert re.fullmatch(f"{comment}(?:{requirement}(?:{digest})+\n)+", LOCK)


def test_the_lock_names_no_index() -> None:
    assert re.findall(r"://|--(?:extra-)?index|--find-links", LOCK) == []


def test_the_lock_brings_its_own_installer_and_build_backend() -> None:
    locked = set(re.findall(r"^([a-z0-9-]+)==", LOCK, re.MULTILINE))
    assert {"editables", "hatchling", "uv"} <= locked


def test_every_foreign_import_is_a_declared_dependency() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    extras = project["optional-dependencies"]
    lines = [*project["dependencies"], *(line for n in EXTRAS for line in extras[n])]
    declared = {re.split(r"[^A-Za-z0-9-]", line)[0].lower() for line in lines}
    graph = grimp.build_graph(*NAMES, include_external_packages=True, cache_dir=None)
    foreign = {module.split(".")[0] for module in graph.modules}
    foreign -= {*NAMES, *sys.stdlib_module_names}
    owners = {
        module: {name.lower().replace("_", "-") for name in names}
        for module, names in packages_distributions().items()
    }
    undeclared = {name for name in foreign if not declared & owners.get(name, set())}
    assert undeclared == set()
