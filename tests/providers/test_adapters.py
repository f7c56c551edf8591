"""The table of adapters, and the way in from outside."""

from __future__ import annotations

import ast
import json
import subprocess
import sys
from importlib.metadata import EntryPoint
from pathlib import Path

import pytest

import providers
from providers.base import Context, Json
from providers.errors import MissingSoftware, Rejected

HOME = Path(providers.__file__).parent

BELL = """
import asyncio, json, sys
from circuits.program import Operation, Program, measure
from providers import create
from providers.base import Context, Job

async def run(name, options):
    provider = create(name, json.loads(options), Context(b"seed", lambda: 0))
    device = (await provider.devices())[0]
    ends = tuple(measure(q, q) for q in (0, 1))
    program = Program(device.topology.num_qubits, 2, ends)
    handle = await provider.submit(Job("0" * 64, device.name, (program,), 10))
    print(await provider.wait(handle))
    provider.close()

asyncio.run(run(*sys.argv[1:]))
print(*sorted({name.partition(".")[0] for name in sys.modules}))
"""
LOAD = """
import importlib, sys
importlib.import_module(sys.argv[1])
print(*sorted({name.partition(".")[0] for name in sys.modules}))
"""
SDKS = {
    "bittensor",
    "boto3",
    "braket",
    "cirq",
    "cirq_google",
    "qiskit",
    "qiskit_aer",
    "qiskit_ibm_runtime",
    "qsimcirq",
    "stim",
}
OWN: dict[str, set[str]] = {
    "aer": {"qiskit", "qiskit_aer"},
    "braket": {"boto3", "braket"},
    "cheats": {"stim"},
    "cirq": {"cirq", "qsimcirq"},
    "exec": set(),
    "ibm": {"qiskit", "qiskit_aer", "qiskit_ibm_runtime"},
    "qiskit": {"qiskit"},
    "standin": {"stim"},
}
"""What each adapter loads to run one program here, with the least that it needs as options."""

WIRE = {"azure", "ionq", "openquantum"}
"""Adapters of a service: nothing runs here, and no framework is needed to speak to them."""


def adapters_in(folder: Path) -> set[str]:
    """Name what each module of a folder has under `create`, however it came by it."""
    found = set()
    for path in folder.glob("*.py"):
        names = {name for node in ast.parse(path.read_text()).body for name in defined(node)}
        if "create" in names and path.name != "__init__.py":
            found.add(f"providers.{path.stem}:create")
    return found


def defined(node: ast.stmt) -> list[str]:
    """Name what a statement at the top of a module binds, imports for types aside."""
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
        return [node.name]
    if isinstance(node, ast.Import | ast.ImportFrom):
        return [alias.asname or alias.name for alias in node.names]
    if isinstance(node, ast.Assign):
        return [aim.id for aim in node.targets if isinstance(aim, ast.Name)]
    if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
        return [node.target.id]
    return []


def test_every_module_with_a_create_function_is_in_the_table() -> None:
    assert adapters_in(HOME) == {adapter.target for adapter in providers.ADAPTERS.values()}


@pytest.mark.parametrize(
    "source",
    [
        "def create(options, context): ...\n",
        "from providers.aer import create\n",
        "from providers.aer import create as made\ncreate = made\n",
        "create: object = print\n",
    ],
)
def test_a_module_that_is_missing_from_the_table_is_found(source: str, tmp_path: Path) -> None:
    for path in HOME.glob("*.py"):
        (tmp_path / path.name).write_text(path.read_text())
    (tmp_path / "unlisted.py").write_text(source)
    listed = {adapter.target for adapter in providers.ADAPTERS.values()}
    assert adapters_in(tmp_path) - listed == {"providers.unlisted:create"}


def test_the_table_is_sorted_and_every_row_says_what_to_install() -> None:
    assert list(providers.ADAPTERS) == sorted(providers.ADAPTERS)
    for name, adapter in providers.ADAPTERS.items():
        assert adapter.target == f"providers.{name}:create"
        assert adapter.install.startswith("pip install ")


def run_alone(source: str, *words: str) -> list[str]:
    """Run a script in a process of its own and give its lines."""
    done = subprocess.run(
        [sys.executable, "-c", source, *words],
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
        cwd=HOME.parent,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


@pytest.mark.parametrize("name", sorted(set(providers.ADAPTERS) - WIRE))
def test_a_process_with_one_adapter_loads_no_other_framework(
    name: str, needed_options: dict[str, dict[str, Json]]
) -> None:
    state, loaded = run_alone(BELL, name, json.dumps(needed_options.get(name, {})))[:2]
    assert state == "completed"
    assert set(loaded.split()) & SDKS == OWN[name]


@pytest.mark.parametrize("name", sorted(WIRE & set(providers.ADAPTERS)))
def test_an_adapter_of_a_service_loads_no_framework(name: str) -> None:
    (loaded,) = run_alone(LOAD, providers.ADAPTERS[name].target.partition(":")[0])
    assert not set(loaded.split()) & SDKS


def test_an_unknown_adapter_is_named_with_the_known_ones(context: Context) -> None:
    with pytest.raises(KeyError, match=r"no adapter 'qpu9'.*aer.*cirq"):
        providers.create("qpu9", {}, context)


@pytest.mark.parametrize("name", sorted(providers.ADAPTERS))
def test_an_unknown_option_is_refused(name: str, context: Context) -> None:
    with pytest.raises(Rejected, match=r"no option 'colour', allowed are .*device"):
        providers.create(name, {"colour": "blue"}, context)


def test_an_adapter_from_outside_comes_through_an_entry_point(
    monkeypatch: pytest.MonkeyPatch, context: Context
) -> None:
    point = EntryPoint("mine", "providers.cirq:create", providers.ENTRY_POINTS)
    monkeypatch.setattr(providers, "entry_points", lambda group: (point,))
    provider = providers.create("mine", {"num_qubits": 2}, context)
    assert provider.name == "cirq"


def test_an_adapter_whose_software_is_missing_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch, context: Context
) -> None:
    monkeypatch.setitem(sys.modules, "cirq", None)  # how Python marks what must not be imported
    with pytest.raises(MissingSoftware, match=r'"qsubnet\[miner\]"'):
        providers.create("cirq", {}, context)
