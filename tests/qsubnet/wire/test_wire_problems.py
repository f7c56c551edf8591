"""Expected members: RFC 9457, section 3.1."""

from __future__ import annotations

import json

import pytest

from qsubnet.wire.problems import PROBLEM_MEDIA_TYPE, Problem, ProblemType


def test_a_problem_has_the_members_of_the_standard_and_its_reason() -> None:
    problem = Problem(ProblemType.UNAUTHENTICATED, "No", 401, "got é\ud800", reason="stale")
    assert json.loads(problem.to_bytes()) == {
        "type": "urn:qsubnet:problem:unauthenticated",
        "title": "No",
        "status": 401,
        "detail": "got é\ud800",
        "reason": "stale",
    }
    assert PROBLEM_MEDIA_TYPE == "application/problem+json"


def test_types_are_stable_urns_and_never_renamed() -> None:
    assert {str(one).removeprefix("urn:qsubnet:problem:") for one in ProblemType} >= {
        "unauthenticated",
        "body-too-large",
        "body-timeout",
        "malformed-body",
        "reply-too-large",
        "unavailable",
        "internal",
    }


@pytest.mark.parametrize("status", [200, 399, 600])
def test_only_errors_are_problems(status: int) -> None:
    with pytest.raises(ValueError, match=f"got status={status}"):
        Problem("urn:x", title="x", status=status, detail="x")
