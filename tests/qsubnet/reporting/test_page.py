"""The page as a browser reads it: nothing fetched, two known scripts, and every text a text."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from dataclasses import replace
from html.parser import HTMLParser

import plotly.graph_objects
import pytest

from qsubnet.reporting.material import Material
from qsubnet.reporting.page import _json, report_page

MB = 1_000_000
HOSTILE = "</script><script>alert(1)</script><img src=x onerror=alert(1)>\"' onload='alert(1)"


class Read(HTMLParser):
    """Collects elements with their attributes, and the text inside each kind of element."""

    def __init__(self, page: str) -> None:
        super().__init__(convert_charrefs=True)
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.scripts: list[str] = []
        self.text = ""
        self._inside = ""
        self.feed(page)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        self._inside = tag
        if tag == "script":
            self.scripts.append("")

    def handle_endtag(self, tag: str) -> None:
        self._inside = ""

    def handle_data(self, data: str) -> None:
        if self._inside == "script":
            self.scripts[-1] += data
        elif self._inside != "style":
            self.text += data

    def plots(self) -> dict[str, dict[str, object]]:
        kinds = [attributes for tag, attributes in self.elements if tag == "script"]
        return {
            str(attributes["id"]): json.loads(script)
            for attributes, script in zip(kinds, self.scripts, strict=True)
            if attributes.get("type") == "application/json"
        }


@pytest.fixture(scope="module")
def page(material: Material) -> str:
    return report_page(material)


@pytest.fixture(scope="module")
def read(page: str) -> Read:
    return Read(page)


def test_the_page_is_one_file_that_fetches_nothing(read: Read) -> None:
    assert not {tag for tag, _ in read.elements} & {"link", "img", "iframe", "a", "object", "form"}
    assert not [a for _, a in read.elements if {"src", "href", "action"} & a.keys()]
    policy = next(a["content"] for t, a in read.elements if t == "meta" and "http-equiv" in a)
    assert str(policy).startswith("default-src 'none'; script-src 'sha256-")
    assert "http" not in str(policy)


def test_the_policy_names_the_digests_of_exactly_the_scripts_that_run(read: Read) -> None:
    policy = next(a["content"] for t, a in read.elements if t == "meta" and "http-equiv" in a)
    kinds = [attributes for tag, attributes in read.elements if tag == "script"]
    run = [s for a, s in zip(kinds, read.scripts, strict=True) if "type" not in a]
    digests = [base64.b64encode(hashlib.sha256(s.encode()).digest()).decode() for s in run]
    assert re.findall(r"'sha256-([^']+)'", str(policy)) == digests
    assert len(run) == 2


def test_plotlys_own_offer_to_upload_a_chart_is_taken_away(read: Read) -> None:
    library, start = [s for s in read.scripts if not s.startswith("{")]
    assert "sendChartToCloud" in library  # else the line below guards nothing
    assert "showSendToCloud: false" in start
    assert 'plotlyServerURL: ""' in start


def test_the_page_is_below_6_mb_and_the_same_material_gives_the_same_bytes(
    page: str, material: Material
) -> None:
    assert len(page.encode()) < 6 * MB
    assert report_page(material) == page


def test_every_drawing_obeys_plotlys_own_schema(read: Read) -> None:
    plots = read.plots()
    assert len(plots) == 7
    for plot in plots.values():
        plotly.graph_objects.Figure(plot)  # raises on a word that plotly does not know


def test_plotlys_schema_is_a_check_that_can_fail() -> None:
    with pytest.raises(ValueError, match="heigth"):
        plotly.graph_objects.Figure({"data": [], "layout": {"heigth": 3}})


def test_axes_have_titles(read: Read) -> None:
    for name, plot in read.plots().items():
        frame = plot["layout"]
        assert isinstance(frame, dict)
        if name != "chip-data":
            assert frame["xaxis"]["title"]["text"], name
            assert frame["yaxis"]["title"]["text"], name


def test_verdict_grade_and_limits_are_told_in_words(read: Read, material: Material) -> None:
    assert material.verdict.reason[1:] in read.text
    for words in ("What it does not mean", "Not “quantum”", "Invented for this test."):
        assert words in read.text


def test_hostile_texts_stay_text(material: Material) -> None:
    device = replace(material.device)
    object.__setattr__(device, "name", HOSTILE)  # no claim can be called so; were it, still
    hostile = replace(
        material,
        device=device,
        verdict=replace(material.verdict, reason=HOSTILE),
        failures=((HOSTILE, 3),),
        source=HOSTILE,
    )
    honest, found = Read(report_page(material)), Read(report_page(hostile))
    extra = ["h3", "ul", "li"]  # the list of failures
    assert sorted(t for t, _ in found.elements) == sorted([t for t, _ in honest.elements] + extra)
    assert not [a for _, a in found.elements if any(key.startswith("on") for key in a)]
    assert found.text.count(HOSTILE) == 5  # title, headline, reason, failure, source
    assert len(found.scripts) == len(honest.scripts)


def test_json_cannot_end_the_element_that_it_stands_in() -> None:
    text = _json({"a": HOSTILE + "<!--&amp;"})
    assert not set(text) & set("<>&")
    assert json.loads(text) == {"a": HOSTILE + "<!--&amp;"}


def test_a_device_that_never_answered_gets_a_page_that_says_so(silent: Material) -> None:
    found = Read(report_page(silent))
    assert "none of" in found.text.lower()
    for words in (
        "No circuit of this kind was answered yet.",
        "No mirror circuit was answered yet.",
        "No answer tells the errors of single qubits and couplings yet.",
        "No readout circuit was answered",
    ):
        assert words in found.text
    assert set(found.plots()) == {"hardware-data", "accusations-data"}
