"""Errors as problem documents: stable types, honest statuses, nothing told of our own faults."""

from __future__ import annotations

import asyncio
from typing import Any

import httpx
import pytest
from fastapi import FastAPI

from circuits.errors import CircuitError, LimitError, ProgramError
from qsubnet.errors import (
    BadInput,
    Busy,
    ConfigurationError,
    JobFailed,
    NotFound,
    PeerFault,
    QsubnetError,
    Unreachable,
)
from qsubnet.wire.faults import TABLE, install, problem_of
from qsubnet.wire.limits import BodyNotJson, BodyTooLarge

URN = "urn:qsubnet:problem:"

EXPECTED: list[tuple[Exception, int, str]] = [
    (BadInput("x"), 422, "bad-input"),
    (NotFound("x"), 404, "not-found"),
    (JobFailed("x"), 409, "no-result"),
    (Busy("x"), 429, "busy"),
    (Unreachable("x"), 503, "unavailable"),
    (ProgramError("x", line=3), 422, "bad-program"),
    (CircuitError("x"), 422, "bad-program"),
    (LimitError("x"), 413, "over-limit"),
    (BodyTooLarge("x"), 413, "body-too-large"),
    (BodyNotJson("x"), 400, "malformed-body"),
    (PeerFault("x"), 500, "internal"),
    (ConfigurationError("x"), 500, "internal"),
    (QsubnetError("x"), 500, "internal"),
    (ZeroDivisionError("x"), 500, "internal"),
]


@pytest.mark.parametrize(("error", "status", "word"), EXPECTED, ids=lambda one: str(one)[:20])
def test_each_error_has_its_status_and_type(error: Exception, status: int, word: str) -> None:
    problem = problem_of(error)
    assert (problem.status, problem.type) == (status, URN + word)
    assert ("x" in problem.detail) or status == 500


def test_the_table_is_covered() -> None:
    covered = {base for error, _, _ in EXPECTED for base in type(error).__mro__}
    assert set(TABLE) <= covered


def test_a_long_sentence_is_cut() -> None:
    assert len(problem_of(BadInput("x" * 10_000)).detail) == 2_000


def test_an_application_answers_every_error_as_a_problem() -> None:
    app = FastAPI()
    install(app)
    errors = {word: error for error, _, word in EXPECTED}

    @app.get("/raise/{word}")
    async def fail(word: str) -> None:
        raise errors[word]

    @app.get("/number/{n}")
    async def number(n: int) -> int:
        return n

    async def ask(path: str) -> httpx.Response:
        transport = httpx.ASGITransport(app, raise_app_exceptions=False)
        async with httpx.AsyncClient(transport=transport, base_url="http://a") as http:
            return await http.get(path)

    async def story() -> None:
        for word in errors:
            reply = await ask(f"/raise/{word}")
            assert reply.headers["content-type"] == "application/problem+json"
            assert reply.json()["type"] == URN + word
            assert reply.status_code == reply.json()["status"]
        cases: list[tuple[str, int, str]] = [
            ("/nothing", 404, "not-found"),
            ("/number/x", 422, "malformed-body"),
            ("/raise/unknown", 500, "internal"),
        ]
        for path, status, word in cases:
            reply = await ask(path)
            told: dict[str, Any] = reply.json()
            assert (reply.status_code, told["type"]) == (status, URN + word)

    asyncio.run(story())
