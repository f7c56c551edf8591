"""The page: figures and words put into one HTML file that fetches nothing.

Every text is escaped here and nowhere else; figures travel as JSON that cannot end its element. The
page's own policy lets only the two scripts run whose digests it names, so that even a text that
slipped through could not act. No clock enters: the same material gives the same bytes.
"""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Iterable, Sequence
from html import escape
from importlib.resources import files
from string import Template
from typing import TYPE_CHECKING

from qsubnet.reporting.chip import chip_figure
from qsubnet.reporting.fidelity import fidelity_figure
from qsubnet.reporting.figures import Plot, Table
from qsubnet.reporting.growth import accusation_figure, hardware_figure
from qsubnet.reporting.repeats import dispersion_figure, wander_figure
from qsubnet.reporting.summary import facts
from qsubnet.reporting.volume import volume_figure
from qsubnet.reporting.words import LIMITS, OUTCOMES, grade_meaning

if TYPE_CHECKING:
    from qsubnet.reporting.figures import Figure
    from qsubnet.reporting.material import Material

__all__ = ["report_page"]


def report_page(material: Material) -> str:
    """Write the report of one device.

    Returns:
        HTML, below 6 MB for devices of a few hundred qubits; most of it is plotly's script.
    """
    figures = (
        fidelity_figure(material),
        volume_figure(material),
        chip_figure(material),
        hardware_figure(material),
        accusation_figure(material),
        dispersion_figure(material),
        wander_figure(material),
    )
    verdict = material.verdict
    library, start = _plotly(), _asset("start.js")
    return Template(_asset("page.html")).substitute(
        policy=escape(_policy(library, start)),
        style=_asset("page.css"),
        device=escape(material.device.name),
        outcome=escape(verdict.outcome.value),
        grade=escape(verdict.grade.value),
        reason=escape(_sentence(verdict.reason)),
        outcome_meaning=escape(OUTCOMES[verdict.outcome]),
        grade_meaning=escape(grade_meaning(verdict.grade, material.device.device_class)),
        facts="".join(f"<dt>{escape(k)}</dt><dd>{escape(v)}</dd>" for k, v in facts(material)),
        limits="".join(f"<li>{escape(limit)}</li>" for limit in LIMITS),
        failures=_failures(material.failures),
        figures="".join(map(_section, figures)),
        source=escape(material.source),
        library=library,
        start=start,
    )


def _sentence(text: str) -> str:
    """Begin with a capital and end with a full stop."""
    return f"{text[:1].upper()}{text[1:]}{'' if text.endswith('.') else '.'}"


def _asset(name: str) -> str:
    return files("qsubnet.reporting").joinpath("assets", name).read_text(encoding="utf-8")


def _plotly() -> str:
    """Read plotly's script; it is the library's own text, checked to fit into an element."""
    from plotly.offline import get_plotlyjs

    library: str = get_plotlyjs().replace("\r\n", "\n")
    if "</script" in library.lower() or "<!--" in library:
        raise RuntimeError("this version of plotly's script does not fit into a page")
    return library


def _policy(*scripts: str) -> str:
    """Allow these scripts by digest, styles on this page, and nothing from elsewhere."""
    digests = " ".join(
        "'sha256-" + base64.b64encode(hashlib.sha256(script.encode()).digest()).decode() + "'"
        for script in scripts
    )
    return (
        f"default-src 'none'; script-src {digests}; style-src 'unsafe-inline'; "
        "img-src data: blob:; base-uri 'none'; form-action 'none'"
    )


def _section(figure: Figure) -> str:
    name = escape(figure.name)
    drawn = _drawing(figure) if figure.plot else ""
    empty = "" if figure.plot else " empty"
    wide = " wide" if figure.wide else ""
    return (
        f'<section class="card{wide}{empty}" id="{name}"><h2>{escape(figure.title)}</h2>'
        f'<p class="shows">{escape(figure.shows)}</p>{drawn}'
        f'<p class="reading">{escape(figure.reading)}</p>{_numbers(figure.table)}</section>'
    )


def _drawing(figure: Figure) -> str:
    plot: Plot = figure.plot or {}
    name, height = escape(figure.name), int(plot["layout"]["height"])
    return (
        f'<div class="plot" role="img" aria-label="{escape(figure.title)}: '
        f'{escape(figure.reading)}" style="min-height:{height}px" data-plot="{name}-data"></div>'
        f'<script type="application/json" id="{name}-data">{_json(plot)}</script>'
    )


def _json(content: Plot) -> str:
    """Write JSON in which no character can end the element that it stands in."""
    text = json.dumps(content, allow_nan=False, separators=(",", ":"))
    return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")


def _numbers(table: Table | None) -> str:
    if table is None:
        return ""
    head = _row(table.head, cell="th")
    rows = "".join(_row(row, cell="td") for row in table.rows)
    return (
        "<details><summary>The numbers</summary><div class='scroll'><table>"
        f"<thead>{head}</thead><tbody>{rows}</tbody></table></div></details>"
    )


def _row(cells: Iterable[str], *, cell: str) -> str:
    scope = ' scope="col"' if cell == "th" else ""
    return "<tr>" + "".join(f"<{cell}{scope}>{escape(c)}</{cell}>" for c in cells) + "</tr>"


def _failures(failures: Sequence[tuple[str, int]]) -> str:
    if not failures:
        return ""
    lines = "".join(f"<li>{times} times: {escape(what[:500])}</li>" for what, times in failures[:5])
    return f"<h3>What failed</h3><ul>{lines}</ul>"
