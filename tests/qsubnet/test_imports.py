"""Import floors that contracts can not say: which modules EXACTLY, no cycle at all, what loads.

`make check` runs the contracts of import-linter; these stay true however many rooms are added.
"""

from __future__ import annotations

import subprocess
import sys
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import grimp
import pytest

from qsubnet.fence import NAMES

ROOT = Path(__file__).parents[2]
FLOORS = {
    "attestations": set[str](),
    "circuits": set[str](),
    "providers": {"circuits"},
    "qsubnet": {"attestations", "circuits", "providers", "validator"},
    "validator": {"attestations", "circuits", "providers"},
}
# Whoever imports the client gets none of these: it takes seconds, or drags in a service.
HEAVY = (
    "bittensor",
    "braket",
    "circuits",
    "cirq",
    "fastapi",
    "numpy",
    "qiskit",
    "scipy",
    "sqlalchemy",
    "stim",
    "validator",
)
FACES = {"qsubnet.client.qiskit", "qsubnet.client.cirq", "qsubnet.client.braket"}


@pytest.fixture(scope="module")
def graph() -> grimp.ImportGraph:
    """Build the graph of all imports between our modules, lazy and type-only ones included."""
    return grimp.build_graph(*NAMES, cache_dir=None)


@pytest.mark.parametrize("package", NAMES)
def test_a_package_imports_only_the_floors_below_it(graph: grimp.ImportGraph, package: str) -> None:
    reached = {
        imported.split(".")[0]
        for module in graph.modules
        if module.split(".")[0] == package
        for imported in graph.find_modules_directly_imported_by(module)
    }
    assert reached <= FLOORS[package] | {package}


def test_no_chain_of_imports_comes_back_to_where_it_began(graph: grimp.ImportGraph) -> None:
    imports = {m: graph.find_modules_directly_imported_by(m) for m in graph.modules}
    try:
        TopologicalSorter(imports).prepare()
    except CycleError as error:
        pytest.fail("import cycle: " + " <- ".join(error.args[1]))


def test_the_client_imports_only_itself_and_the_models_of_the_wire(
    graph: grimp.ImportGraph,
) -> None:
    strangers = {
        f"{module} -> {imported}"
        for module in graph.modules
        if module.startswith("qsubnet.client") and module not in FACES
        for imported in graph.find_modules_directly_imported_by(module)
        if not imported.startswith(("qsubnet.client", "qsubnet.wire"))
    }
    assert strangers == set()


def test_importing_the_client_loads_no_framework() -> None:
    script = f"import sys, qsubnet.client; print([m for m in {HEAVY!r} if m in sys.modules])"
    done = subprocess.run(
        [sys.executable, "-c", script],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (done.stdout.strip(), done.stderr) == ("[]", "")
