from __future__ import annotations

import pytest

from providers.base import Json
from providers.errors import Rejected
from providers.options import Options


def test_an_unknown_option_is_refused_with_the_allowed_ones() -> None:
    options = Options("fake", {"metod": "x", "width": 3})
    options.whole("width", 5, low=1, high=9)
    options.text("method", "y")
    with pytest.raises(Rejected, match="no option 'metod', allowed are method, width"):
        options.done()


def test_a_default_stands_in_for_what_is_not_given() -> None:
    options = Options("fake", {})
    assert options.text("a", "x") == "x"
    assert options.word("b", "on", ("on", "off")) == "on"
    assert options.whole("c", 4, low=1, high=5) == 4
    assert options.real("d", 0.5, low=0, high=1) == 0.5
    options.done()


@pytest.mark.parametrize("value", [True, 1.0, "1", None, 0, 10])
def test_a_whole_number_is_an_integer_in_range(value: Json) -> None:
    with pytest.raises(Rejected, match=r"a whole number in 1 \.\. 9"):
        Options("fake", {"width": value}).whole("width", 5, low=1, high=9)


@pytest.mark.parametrize("value", [True, "0.5", None, 1.5, float("nan")])
def test_a_number_is_in_range(value: Json) -> None:
    with pytest.raises(Rejected, match=r"a number in 0 \.\. 1"):
        Options("fake", {"share": value}).real("share", 0.1, low=0, high=1)


def test_a_word_is_one_of_those_allowed() -> None:
    with pytest.raises(Rejected, match="one of off, on, got 'maybe'"):
        Options("fake", {"gpu": "maybe"}).word("gpu", "on", ("on", "off"))


def test_a_text_is_a_text() -> None:
    with pytest.raises(Rejected, match="a text"):
        Options("fake", {"device": 3}).text("device", "x")
