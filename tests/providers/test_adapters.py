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
SDKS = {"bittensor", "braket", "cirq", "qiskit", "qiskit_aer", "qsimcirq", "stim"}
OWN: dict[str, set[str]] = {
    "aer": {"qiskit", "qiskit_aer"},
    "braket": {"braket"},
    "cheats": {"stim"},
    "cirq": {"cirq"},
    "exec": set(),
    "standin": {"stim"},
}


def test_every_module_with_a_create_function_is_in_the_table() -> None:
    modules = set()
    for path in HOME.glob("*.py"):
        names = [n.name for n in ast.parse(path.read_text()).body if isinstance(n, ast.FunctionDef)]
        if "create" in names and path.name != "__init__.py":
            modules.add(f"providers.{path.stem}:create")
    assert modules == {adapter.target for adapter in providers.ADAPTERS.values()}


@pytest.mark.parametrize("name", sorted(providers.ADAPTERS))
def test_a_process_with_one_adapter_loads_no_other_framework(
    name: str, needed_options: dict[str, dict[str, Json]]
) -> None:
    options = json.dumps(needed_options.get(name, {}))
    done = subprocess.run(
        [sys.executable, "-c", BELL, name, options],
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
        cwd=HOME.parent,
    )
    assert done.returncode == 0, done.stderr
    state, loaded = done.stdout.split("\n")[:2]
    assert state == "completed"
    assert set(loaded.split()) & SDKS == OWN[name]


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
