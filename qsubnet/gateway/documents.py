"""The gateway's interface as OpenAPI: schemas, examples, and each problem a route may answer."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from fastapi.openapi.utils import get_openapi

from qsubnet.wire.problems import PROBLEM_MEDIA_TYPE
from qsubnet.wire.refusals import KINDS
from qsubnet.wire.research import ProblemView

if TYPE_CHECKING:
    from fastapi import FastAPI
    from pydantic import BaseModel

_ABOUT: Final = """Submit OpenQASM programs, get counts with a doubly signed receipt.

Bitstrings: c[0] is the rightmost character. `shots_asked` and `shots_returned` are two numbers.

Errors are `application/problem+json`; compare `type`, show `detail`:

| type | status | meaning |
|---|---|---|
"""


def describe(app: FastAPI) -> dict[str, Any]:
    """Describe the interface, with the problems that no route returns as its model."""
    if app.openapi_schema is None:
        rows = "\n".join(
            f"| `{kind.type}` | {kind.status} | {kind.meaning} |" for kind in KINDS.values()
        )
        schema = get_openapi(
            title=app.title, version=app.version, description=_ABOUT + rows, routes=app.routes
        )
        schema["components"]["schemas"]["ProblemView"] = ProblemView.model_json_schema()
        app.openapi_schema = schema
    return app.openapi_schema


def problems(*words: str) -> dict[int | str, dict[str, Any]]:
    """Document the problems of a route by status."""
    by_status: dict[int | str, dict[str, Any]] = {}
    for word in (*words, "internal"):
        kind = KINDS[word]
        entry = by_status.setdefault(kind.status, {"description": "", "content": {}})
        entry["description"] = f"{entry['description']} `{kind.type}`: {kind.meaning}".strip()
        media = entry["content"].setdefault(
            PROBLEM_MEDIA_TYPE,
            {"schema": {"$ref": "#/components/schemas/ProblemView"}, "examples": {}},
        )
        media["examples"][kind.word] = {
            "value": {
                "type": kind.type,
                "title": kind.title,
                "status": kind.status,
                "detail": kind.meaning,
            }
        }
    return by_status


def body_of(model: type[BaseModel]) -> dict[str, Any]:
    """Document a body that the route reads by itself, within its limits."""
    return {
        "requestBody": {
            "required": True,
            "content": {"application/json": {"schema": model.model_json_schema()}},
        }
    }
