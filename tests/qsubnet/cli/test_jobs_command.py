"""`qsubnet run` and `jobs` against a client that follows a script."""

from __future__ import annotations

import time
from typing import Any

import pytest

from qsubnet.cli import jobs
from qsubnet.client import JobView
from qsubnet.errors import Unreachable

JOB = JobView(
    job_id="job-" + "0" * 32,
    state="queued",
    device="aer",
    miner="5D9rjBmxQxt51SWDjUdPkdpzjhQ8YRh8WsDwD4P1qLnkdVqR",
    shots_asked=10,
    programs=1,
    created_ms=0,
)


class Scripted:
    """Answers submissions in order; keeps the key of each."""

    def __init__(self, *answers: JobView | Unreachable) -> None:
        self.answers = list(answers)
        self.keys: list[str] = []

    def submit(self, _text: str, **asked: Any) -> JobView:
        self.keys.append(asked["idempotency_key"])
        answer = self.answers.pop(0)
        if isinstance(answer, Unreachable):
            raise answer
        return answer


def test_every_try_of_one_run_carries_the_same_key_so_that_no_job_runs_twice(
    capsys: pytest.CaptureFixture[str],
) -> None:
    lost = Unreachable("the gateway does not answer")
    client: Any = Scripted(lost, lost, JOB)
    assert jobs._submit(client, "x", 10, None, time.monotonic() + 60, pause_s=0.0) is JOB
    assert len(client.keys) == 3
    assert len(set(client.keys)) == 1
    assert capsys.readouterr().err == "waiting: the gateway does not answer\n"


def test_another_run_carries_another_key() -> None:
    client: Any = Scripted(JOB, JOB)
    for _ in range(2):
        jobs._submit(client, "x", 10, None, time.monotonic() + 60, pause_s=0.0)
    assert len(set(client.keys)) == 2


def test_a_job_is_printed_without_what_is_unknown_and_with_its_counts_below(
    capsys: pytest.CaptureFixture[str],
) -> None:
    jobs._print_job({**JOB.model_dump(mode="json"), "counts": {"01": 3, "10": 7}})
    text = capsys.readouterr().out
    assert "created: 1970-01-01 00:00:00 UTC\n" in text
    assert text.endswith("counts:\n  10 7\n  01 3\n")
    assert "None" not in text
    assert "ended" not in text
