"""The table of kinds is complete, and every row is usable."""

from __future__ import annotations

import ast
from pathlib import Path

import qsubnet.measuring
from qsubnet.cli.measure import measure
from qsubnet.measuring.kinds import KINDS

FOLDER = Path(qsubnet.measuring.__file__).parent


def test_every_module_that_measures_is_in_the_table() -> None:
    defined = {
        node.name
        for path in FOLDER.glob("*.py")
        for node in ast.parse(path.read_text()).body
        if isinstance(node, ast.AsyncFunctionDef)
        and node.name.startswith("measure_")
        and path.stem != "live"
    }
    assert defined == {kind.measure.__name__ for kind in KINDS.values()}


def test_every_kind_is_named_in_the_help_and_in_the_page() -> None:
    page = (Path(__file__).parents[3] / "docs" / "measure.md").read_text()
    help_ = str(measure.__annotations__["kind"])
    for name in KINDS:
        assert name in help_
        assert f"`{name}`" in page


def test_what_a_kind_takes_unless_told_is_enough_for_it() -> None:
    for kind in KINDS.values():
        assert kind.circuits >= kind.least >= 1
        assert kind.shots >= 100
