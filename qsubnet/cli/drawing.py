"""Devices as people read them: a table on a wide terminal, a block for each on a narrow one.

A terminal of 80 columns has no room for the reason beside the numbers, so there it gets lines of
its own. What is not a terminal (a pipe, a file) counts as wide.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.console import Console, Group
    from rich.table import Table
    from rich.text import Text

WIDE = 140
"""Columns from which on the reason stands beside the numbers."""

_PIPE_WIDTH = 180
_COLOURS = {"verified": "green", "fraud": "red", "misconfigured": "yellow"}


@dataclass(frozen=True, slots=True)
class Row:
    """One device.

    Attributes:
        name: Of the device.
        claim: Class and width; '' when unknown.
        fidelity: estimate, low and high; None before the first verdict.
        verdict: None before the first.
        grade: Shown beside `verified`.
        weight: Share within its mechanism; None when unknown.
        emission: In 10^9 rao; None where nobody knows it.
        why: The reason.
        dim: Draw the name dimly.
    """

    name: str
    claim: str
    fidelity: tuple[float, float, float] | None
    verdict: str | None
    grade: str | None
    weight: float | None
    emission: float | None
    why: str
    dim: bool = False


def terminal() -> Console:
    """Give stdout, wide where it is no terminal.

    `COLUMNS` decides in any case, as it does for rich.
    """
    import os

    from rich.console import Console

    console = Console()
    if not console.is_terminal and "COLUMNS" not in os.environ:
        console = Console(width=_PIPE_WIDTH)
    return console


def drawn(rows: Sequence[Row], title: str, *, width: int) -> Table | Group:
    """Draw devices for a terminal of `width` columns.

    Example:
        >>> from rich.console import Console
        >>> one = (1.0, 0.99, 1.0)
        >>> row = Row("aer", "simulator 12q", one, "verified", "S1", 1.0, None, "exact")
        >>> Console(width=80).print(drawn([row], "Devices", width=80))
        Devices
        aer               simulator 12q  verified S1    weight 1.000
            fidelity 1.000 [0.990, 1.000]; exact
    """
    return _table(rows, title) if width >= WIDE else _blocks(rows, title)


def _table(rows: Sequence[Row], title: str) -> Table:
    from rich.table import Table
    from rich.text import Text

    table = Table(title=title, title_justify="left", expand=False)
    paid = any(row.emission is not None for row in rows)
    table.add_column("device", no_wrap=True)
    table.add_column("claim", no_wrap=True)
    table.add_column("fidelity", justify="right", no_wrap=True)
    table.add_column("verdict", no_wrap=True)
    table.add_column("weight", justify="right", no_wrap=True)
    if paid:
        table.add_column("emission", justify="right", no_wrap=True)
    table.add_column("why", ratio=1)
    for row in rows:
        emission = [_number(row.emission, 4)] if paid else []
        table.add_row(
            _name(row),
            row.claim or "-",
            _interval(row) or "-",
            _verdict(row),
            _number(row.weight, 3),
            *emission,
            Text(row.why),
        )
    return table


def _blocks(rows: Sequence[Row], title: str) -> Group:
    from rich.console import Group
    from rich.padding import Padding
    from rich.text import Text

    parts: list[Text | Padding] = [Text(title, style="italic")]
    for row in rows:
        line = _name(row)
        line.pad_right(max(0, 18 - line.cell_len))
        line.append(f"{row.claim or '-':<15}")
        verdict = _verdict(row)
        verdict.pad_right(max(0, 15 - verdict.cell_len))
        line.append_text(verdict)
        if row.weight is not None:
            line.append(f"weight {row.weight:.3f}")
        if row.emission is not None:
            line.append(f"  emission {row.emission:.4f}")
        parts.append(line)
        fidelity = f"fidelity {_interval(row)}" if row.fidelity else ""
        why = "; ".join(part for part in (fidelity, row.why) if part)
        if why:
            parts.append(Padding(Text(why), (0, 0, 0, 4)))
    return Group(*parts)


def _name(row: Row) -> Text:
    from rich.text import Text

    return Text(row.name, style="dim" if row.dim else "")


def _verdict(row: Row) -> Text:
    from rich.text import Text

    grade = f" {row.grade}" if row.verdict == "verified" and row.grade else ""
    return Text((row.verdict or "-") + grade, style=_COLOURS.get(row.verdict or "", ""))


def _interval(row: Row) -> str:
    if row.fidelity is None:
        return ""
    estimate, low, high = row.fidelity
    return f"{estimate:.3f} [{low:.3f}, {high:.3f}]"


def _number(value: float | None, digits: int) -> str:
    return "-" if value is None else f"{value:.{digits}f}"
