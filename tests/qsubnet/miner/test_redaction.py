"""Redaction: credentials are cut out in every form in which they travel, and little else is."""

from __future__ import annotations

import base64
from typing import Any
from urllib.parse import quote, quote_plus

import pytest

from qsubnet.miner.redaction import MASK, Redactor, credentials_in

KEY = 'kJ8/+x "w=9\u00e9-secret'


@pytest.mark.parametrize(
    "form",
    [
        KEY,
        quote(KEY, safe=""),
        quote_plus(KEY),
        base64.b64encode(KEY.encode()).decode(),
        repr(KEY)[1:-1],
        ascii(KEY)[1:-1],
    ],
)
def test_a_known_credential_is_masked_in_every_form(form: str) -> None:
    found = Redactor([KEY]).text(f"before {form} after")
    assert form.rstrip("=") not in found
    assert found.startswith(f"before {MASK}")
    assert found.endswith(" after")


# Invented values in the shapes that the vendors document (see the module).
@pytest.mark.parametrize(
    ("text", "secret"),
    [
        ("{'Authorization': 'Bearer abc.DEF-123_x'}", "abc.DEF-123_x"),
        ("authorization: apiKey 0123456789abcdef", "0123456789abcdef"),
        ("Authorization: Basic dXNlcjpwYXNz==", "dXNlcjpwYXNz"),
        ("AWS4-HMAC-SHA256 Credential=A/x, SignedHeaders=host, Signature=0a1b2c3d", "0a1b2c3d"),
        ('{"apikey": "aaaabbbbcccc"}', "aaaabbbbcccc"),
        ("grant?apikey=aaaabbbbcccc&x=1", "aaaabbbbcccc"),
        ("Ocp-Apim-Subscription-Key: aaaabbbbcccc", "aaaabbbbcccc"),
        ("AccountName=a;AccountKey=abcd/efgh+ijkl==;", "abcd/efgh+ijkl"),
        ("client_secret=abcdefgh~1", "abcdefgh~1"),
        ("aws_secret_access_key = wJalrXUtnFEMI/K7MDENG", "wJalrXUtnFEMI/K7MDENG"),
        ("credential AKIAIOSFODNN7EXAMPLE is old", "AKIAIOSFODNN7EXAMPLE"),
        ("https://b.s3/x?X-Amz-Signature=deadbeef01&a=1", "deadbeef01"),
        ("https://b.s3/x?a=1&X-Amz-Security-Token=FwoG%2Fab", "FwoG"),
        ("https://a.blob/x?sv=2024&sig=ab%2Fcd%3D", "ab%2Fcd"),
        ("postgresql://me:hunter2@db/x", "hunter2"),
        ("eyJhbGciOiJIUzI1.eyJzdWIiOiIx.c2lnbmF0dXJl", "eyJzdWIiOiIx"),
        ("ya29.a0AfH6SMBxxxxxxxxxxx", "a0AfH6SMB"),
        ("-----BEGIN PRIVATE KEY-----\nMIIE\n-----END PRIVATE KEY-----", "MIIE"),
    ],
)
def test_the_shapes_of_credentials_are_masked_without_knowing_them(text: str, secret: str) -> None:
    found = Redactor().text(text)
    assert secret not in found
    assert MASK in found


@pytest.mark.parametrize(
    "text",
    [
        "the fridge is warm",
        "basic operations need no key: see the token table",
        "need 1 <= shots <= 20000, got shots=99999",
        "job 5f3a and https://host:8080/v1/jobs/abc?limit=10",
        "a" * 64,
    ],
)
def test_plain_sentences_stay_as_they_are(text: str) -> None:
    assert Redactor(["short", ""]).text(text) == text


def test_a_record_loses_values_by_name_and_keeps_everything_else() -> None:
    record: dict[str, Any] = {
        "id": "job-1",
        "headers": {"Authorization": "x", "Accept": "y"},
        "api_key": "tiny",
        "token": None,
        "usage": [{"seconds": 1.5, "note": f"for {KEY}"}],
    }
    found = Redactor([KEY]).json(record)
    assert found == {
        "id": "job-1",
        "headers": {"Authorization": MASK, "Accept": "y"},
        "api_key": MASK,
        "token": None,
        "usage": [{"seconds": 1.5, "note": f"for {MASK}"}],
    }


def test_variables_that_are_called_like_credentials_are_found_and_pointers_are_not() -> None:
    secret = {
        "IONQ_API_KEY": "a",
        "AWS_SECRET_ACCESS_KEY": "b",
        "AWS_SESSION_TOKEN": "c",
        "QISKIT_IBM_TOKEN": "d",
        "AZURE_CLIENT_SECRET": "e",
        "AZURE_QUANTUM_CONNECTION_STRING": "f",
        "IQM_TOKEN": "g",
        "DB_PASSWORD": "h",
        "OPENQUANTUM_SDK_KEY": "i",
    }
    plain = {
        "GOOGLE_APPLICATION_CREDENTIALS_PATH": "x",
        "QSUBNET_KEY_FILE": "x",
        "AWS_PROFILE": "x",
        "IQM_TOKENS_FILE": "x",
        "HOME": "x",
        "KEYBOARD": "x",
        "MONKEY": "x",
    }
    assert credentials_in({**secret, **plain}) == set("abcdefghi")


def test_a_variable_that_an_option_names_and_the_parts_of_a_connection_string_are_found() -> None:
    environment = {
        "MY_OWN_WORD": "whole-secret",
        "AZURE_QUANTUM_CONNECTION_STRING": "WorkspaceName=w;ApiKey=part-secret;Endpoint=https://e",
    }
    found = credentials_in(environment, options={"token_env": "MY_OWN_WORD", "device": "HOME"})
    assert {"whole-secret", "part-secret"} <= found
    assert not {"w", "https://e"} & found


def test_a_redactor_shows_nothing_of_what_it_masks() -> None:
    assert KEY not in repr(Redactor([KEY]))
