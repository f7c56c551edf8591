"""Expected texts and digests: RFC 8785, FIPS 180 and the hash computed by hand here."""

from __future__ import annotations

import hashlib
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from attestations.errors import Malformed
from attestations.statement import (
    Json,
    canonical_json,
    digest,
    is_digest,
    parse_canonical,
    text_digest,
)

_LEAVES = st.none() | st.booleans() | st.integers(-(2**53) + 1, 2**53 - 1) | st.text(max_size=8)
_VALUES: st.SearchStrategy[Json] = st.recursive(
    _LEAVES,
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.text(st.characters(max_codepoint=127), max_size=4), inner, max_size=4)
    ),
    max_leaves=12,
)


def test_text_has_sorted_keys_no_spaces_and_the_escapes_of_rfc_8785() -> None:
    # RFC 8785, section 3.2.2.2: short escapes, lower-case \u00xx, all else literally.
    value: Json = {"b": 'a"\\\b\t\n\f\r\x0f/€', "a": [], "B": {}}
    expected = '{"B":{},"a":[],"b":"a\\"\\\\\\b\\t\\n\\f\\r\\u000f/€"}'
    assert canonical_json(value) == expected.encode()


def test_digest_is_the_sha256_of_the_text() -> None:
    assert digest({"b": 1, "a": 2}) == hashlib.sha256(b'{"a":2,"b":1}').hexdigest()


def test_digest_is_golden() -> None:
    # From the command sha256sum over {"00":512,"11":488,"n":[]}; then FIPS 180's "abc".
    value: Json = {"n": [], "11": 488, "00": 512}
    assert digest(value) == "96ba14e4e88ad1388aa9e7cb0429b5424d459902594c911e5334e678c8acae8b"
    assert text_digest("abc").startswith("ba7816bf8f01cfea414140de")


@given(_VALUES)
def test_every_value_is_read_back_equal_from_its_text(value: Json) -> None:
    try:
        data = canonical_json(value)
    except ValueError:
        # Unpaired surrogates have no UTF-8.
        assert "\\ud" in json.dumps(value)
        return
    assert parse_canonical(data, max_bytes=10_000) == value
    assert json.loads(data) == value


@pytest.mark.parametrize(
    "value",
    [1.5, float("nan"), 2**53, -(2**53), {1: 2}, {"ä": 1}, b"x", {"a": {3}}, "\ud800"],
)
def test_values_without_one_text_are_refused(value: Json) -> None:
    with pytest.raises(ValueError, match=r"."):
        canonical_json(value)


@pytest.mark.parametrize(
    "data",
    [
        b'{"b":1,"a":2}',
        b'{"a": 1}',
        b'{"a":1}\n',
        b'{"a":1,"a":1}',
        b'{"a":1,"a":2}',
        b'"\\u0061"',
        b'"\\/"',
        b"1.0",
        b"1e3",
        b"-0",
        b"NaN",
        b"Infinity",
        b"9007199254740992",
        b"[" * 5000 + b"]" * 5000,
        b"[" * 5000,
        b"9" * 5000,
        b"\xff",
        b"\xef\xbb\xbf1",
        b'"\\ud800"',
        b"",
        b'{"a":1',
    ],
)
def test_other_texts_are_refused(data: bytes) -> None:
    with pytest.raises(Malformed):
        parse_canonical(data, max_bytes=20_000)


def test_size_is_checked_before_the_text_is_read() -> None:
    with pytest.raises(Malformed, match="got 11 bytes, at most 10 are allowed"):
        parse_canonical(b"\xff" * 11, max_bytes=10)


def test_a_digest_is_64_lower_case_hex_digits() -> None:
    assert is_digest("0123456789abcdef" * 4)
    assert not any(map(is_digest, ["", "0" * 63, "0" * 65, "G" * 64, "A" * 64, "0" * 64 + "\n"]))
