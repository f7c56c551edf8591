"""The tables: seconds by engine and width, and ratios of one run."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from benchmarks.gpu.timing import Cell

    Rows = Sequence[tuple[int, dict[str, Cell]]]

RATIOS = {
    "states": (
        ("Aer CPU / GPU, single", "Aer CPU single", "Aer GPU single"),
        ("Aer CPU / GPU, double", "Aer CPU double", "Aer GPU double"),
        ("qsim / GPU, single", "qsim single", "Aer GPU single"),
        ("Aer CPU / qsim, single", "Aer CPU single", "qsim single"),
    ),
    "references": (
        ("qsim / GPU", "qsim", "Aer GPU"),
        ("Aer CPU / qsim", "Aer CPU", "qsim"),
    ),
    "banks": (
        ("qsim / GPU", "qsim", "Aer GPU"),
        ("Aer CPU / qsim", "Aer CPU", "qsim"),
    ),
}
"""By table: heading, slower engine, faster engine; left out where one of them is not there."""

TITLES = {
    "states": "One program, {shots:,} shots, as a miner runs it: seconds",
    "references": "References: batches of {batch} circuits a second",
    "banks": "One entry of a bank: seconds",
}


def page(title: str, tables: dict[str, Rows], *, shots: int, batch: int) -> str:
    """Write all tables as Markdown.

    Args:
        title: The machine.
        tables: Rows by name, in `TITLES`.
        shots: Of each program in `states`.
        batch: Circuits at once in `references`.
    """
    parts = [f"Measured on: {title}."]
    for name, rows in tables.items():
        heading = TITLES[name].format(shots=shots, batch=batch)
        parts += ["", f"**{heading}**", "", *table(name, rows)]
    return "\n".join(parts)


def table(name: str, rows: Rows) -> list[str]:
    """Write one table as lines of Markdown; what was not measured shows its reason.

    Example:
        >>> from benchmarks.gpu.timing import Cell
        >>> table("banks", [(20, {"qsim": Cell(3.0), "Aer GPU": Cell(0.5)})])[-1]
        '| 20 | 3.00 | 0.500 | 6.0 |'
    """
    columns = list(dict.fromkeys(column for _, cells in rows for column in cells))
    ratios = [one for one in RATIOS[name] if {one[1], one[2]} <= set(columns)]
    heads = ["qubits", *columns, *(heading for heading, _, _ in ratios)]
    lines = [f"| {' | '.join(heads)} |", "|" + "---|" * len(heads)]
    for width, cells in rows:
        shown = [_shown(cells.get(column), rate=name == "references") for column in columns]
        shares = [_ratio(cells.get(slow), cells.get(fast)) for _, slow, fast in ratios]
        lines.append(f"| {' | '.join([str(width), *shown, *shares])} |")
    return lines


def json_rows(rows: Rows) -> list[dict[str, object]]:
    """Write rows for programs: seconds, or the reason why there are none."""
    return [
        {
            "qubits": width,
            "seconds": {name: cell.seconds for name, cell in cells.items()},
            "why": {name: cell.why for name, cell in cells.items() if cell.why},
        }
        for width, cells in rows
    ]


def _shown(cell: Cell | None, *, rate: bool) -> str:
    if cell is None:
        return "-"
    if cell.seconds is None:
        return cell.why.replace("|", "/").replace("\n", " ")
    return _three(1 / cell.seconds if rate else cell.seconds)


def _ratio(slow: Cell | None, fast: Cell | None) -> str:
    if slow is None or fast is None or slow.seconds is None or fast.seconds is None:
        return "-"
    return f"{slow.seconds / fast.seconds:.1f}"


def _three(value: float) -> str:
    """Three figures, and never an exponent.

    Example:
        >>> _three(0.01234), _three(1234.5)
        ('0.0123', '1234')
    """
    whole = len(str(int(value))) if value >= 1 else 0
    if whole >= 3:
        return f"{value:.0f}"
    if whole:
        return f"{value:.{3 - whole}f}"
    return f"{float(f'{value:.3g}'):.6f}".rstrip("0").ljust(5, "0")
