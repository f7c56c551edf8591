"""Expected refusals come from RFC 8259 and RFC 7493; depths are counted by hand."""

from __future__ import annotations

import json
import tracemalloc

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from qsubnet.wire.limits import (
    MAX_DISTINCT_BITSTRINGS,
    MAX_REPLY_BYTES,
    BodyNotJson,
    BodyTooLarge,
    Json,
    bounded_json,
)

_VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63) + 1, 2**63 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_categories=["Cs"]), max_size=6),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text('ab{}[]"\\,:', max_size=4), inner)
    ),
    max_leaves=10,
)


def _depth(value: Json) -> int:
    if isinstance(value, dict):
        return 1 + max(map(_depth, value.values()), default=0)
    if isinstance(value, list):
        return 1 + max(map(_depth, value), default=0)
    return 0


@settings(max_examples=60, deadline=None)
@given(_VALUES)
def test_whatever_json_says_is_read_as_the_standard_library_reads_it(value: Json) -> None:
    body = json.dumps(value).encode()
    assert bounded_json(body, max_depth=64) == json.loads(body)


@settings(max_examples=60, deadline=None)
@given(_VALUES)
def test_depth_is_allowed_up_to_the_limit_and_not_beyond(value: Json) -> None:
    body = json.dumps(value).encode()
    depth = _depth(value)
    assert bounded_json(body, max_depth=depth) == json.loads(body)
    if depth:
        with pytest.raises(BodyNotJson, match="nested deeper"):
            bounded_json(body, max_depth=depth - 1)


def test_brackets_inside_strings_do_not_nest() -> None:
    assert bounded_json(b'["[[[[", "\\"[[", "\\\\"]', max_depth=1) == ["[[[[", '"[[', "\\"]


@pytest.mark.parametrize(
    ("text", "depth"),
    [
        (r'["\\\\", []]', 2),
        (r'["\\\"[", []]', 2),
        (r'["\\\\\\\"]]", "[["]', 1),
        (r'["\u005c", "\n", {"": "\"" }]', 2),
        (r'["","[","","]",""]', 1),
        (r'{"[\\": {"\"]": 1}}', 2),
    ],
)
def test_escapes_and_empty_strings_do_not_confuse_the_depth(text: str, depth: int) -> None:
    assert bounded_json(text.encode(), max_depth=depth) == json.loads(text)
    with pytest.raises(BodyNotJson, match="nested deeper"):
        bounded_json(text.encode(), max_depth=depth - 1)


def test_countless_small_values_are_refused_before_they_take_memory() -> None:
    # 12 MB of text would become 400 MB of empty lists.
    body = b"[" + b"[]," * 4_000_000 + b"1]"
    tracemalloc.start()
    try:
        with pytest.raises(BodyNotJson, match="at most 2000000 are allowed"):
            bounded_json(body)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 8 * len(body)


def test_size_counts_before_anything_else() -> None:
    assert bounded_json(b"[]", max_bytes=2) == []
    with pytest.raises(BodyTooLarge, match="got a body of 3 bytes, at most 2 are allowed"):
        bounded_json(b"\xff\xff\xff", max_bytes=2)


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (b"NaN", "NaN"),
        (b"[-Infinity]", "-Infinity"),
        (b"1e999", "finite"),
        (b'{"a":1,"a":1}', "'a' twice"),
        (b'[{"x":{"b":1,"c":2,"b":3}}]', "'b' twice"),
        (b'{"a":1,"\\u0061":2}', "'a' twice"),
        (b'"\xff"', "offset 1"),
        (b"\xef\xbb\xbf{}", "offset 0"),
        (b"\xff\xfe[\x00]\x00", "offset 0"),
        (b'"\\ud800"', "surrogate"),
        (b'["\\udc00\\ud800"]', "surrogate"),
        (b"9223372036854775808", "63 bits"),
        (b"-9223372036854775808", "63 bits"),
        (b"1" * 100_000, "63 bits"),
        (b"", "offset 0"),
        (b"[1,]", "got no JSON"),
        (b"{}{}", "got no JSON"),
        (b"'a'", "got no JSON"),
        (b"{", "unbalanced"),
        (b"]", "unbalanced"),
        (b"[}", "got no JSON"),
        (b'"abc', "got no JSON"),
        (b'"abc\\', "got no JSON"),
        (b"// c\n1", "got no JSON"),
        (b"01", "got no JSON"),
    ],
)
def test_what_two_readers_could_read_differently_is_refused(body: bytes, message: str) -> None:
    with pytest.raises(BodyNotJson, match=message):
        bounded_json(body)


def test_a_surrogate_pair_is_one_character() -> None:
    assert bounded_json(b'"\\ud83d\\ude00"') == "\N{GRINNING FACE}"


@pytest.mark.parametrize(
    "body",
    [
        b"[" * 8_000_000,
        b"[" * 4_000_000 + b"]" * 4_000_000,
        b'{"a":' * 1_000_000,
        b'"' + b'\\"' * 4_000_000,
        b'"' + b'\\"' * 4_000_000 + b"\\",
        b'"' * 8_000_001,
        b"[]" * 4_000_000,
        b'"[' * 4_000_000,
        b"\\" * 8_000_001,
    ],
    ids=["open", "balanced", "objects", "quotes", "backslash", "strings", "flat", "mixed", "slash"],
)
def test_hostile_megabytes_end_in_a_refusal(body: bytes) -> None:
    # Linear work: the whole set takes a second; quadratic work would not end in an hour.
    with pytest.raises(BodyNotJson):
        bounded_json(body)


def test_the_largest_allowed_counts_fit_into_a_reply() -> None:
    # A line is "<156 bits>":<count>, with at most 8 digits.
    assert MAX_DISTINCT_BITSTRINGS * (156 + 2 + 1 + 8 + 1) <= MAX_REPLY_BYTES
