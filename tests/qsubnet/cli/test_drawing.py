"""The board on terminals of several widths: nothing that matters is cut off."""

from __future__ import annotations

import io

import pytest
from rich.console import Console

from qsubnet.cli.drawing import WIDE, Row, drawn

ROWS = [
    Row(
        name="fake-white-noise",
        claim="simulator 127q",
        fidelity=(-0.002, -0.012, 0.008),
        verdict="misconfigured",
        grade="S0",
        weight=0.0,
        emission=0.25,
        why="bits [reversed] on every probe, log10 e = 30.5, needs 3",
        dim=True,
    ),
    Row("new", "", None, None, None, None, None, ""),
]


def _text(width: int) -> str:
    out = io.StringIO()
    Console(file=out, width=width).print(drawn(ROWS, "The board", width=width))
    return out.getvalue()


@pytest.mark.parametrize("width", [80, 120, WIDE - 1, WIDE, 180])
def test_no_width_cuts_anything_off(width: int) -> None:
    text = _text(width)
    assert "\N{HORIZONTAL ELLIPSIS}" not in text
    for part in (
        "fake-white-noise",
        "simulator 127q",
        "-0.002 [-0.012, 0.008]",
        "misconfigured",
        "0.2500",
        "needs 3",
        "[reversed]",
    ):
        assert part in " ".join(text.split())
    assert max(len(line) for line in text.splitlines()) <= width


def test_a_narrow_terminal_gets_the_reason_below_and_a_wide_one_beside() -> None:
    def line_of(width: int) -> str:
        return next(line for line in _text(width).splitlines() if "misconfigured" in line)

    assert "bits" not in line_of(80)
    assert "bits" in line_of(180)
