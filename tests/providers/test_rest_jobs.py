"""Jobs over REST: which answers leave a doubt, and which ids are no way into another path."""

from __future__ import annotations

import pytest

from circuits.program import Operation, Program, measure
from providers.errors import (
    AdapterFault,
    JobFailed,
    OutcomeUnknown,
    ProviderError,
    Rejected,
    RetryLater,
    UnknownHandle,
)
from providers.rest import Answer
from providers.rest_jobs import created_id, in_doubt, path_step, placed
from providers.vendor import Task


@pytest.mark.parametrize("kind", [AdapterFault, JobFailed, Rejected, RetryLater, UnknownHandle])
def test_any_error_of_ours_leaves_the_doubt_and_its_words(kind: type[ProviderError]) -> None:
    with pytest.raises(OutcomeUnknown, match=r"them .* went wrong"), in_doubt("them"):
        raise kind("this went wrong")


def test_a_doubt_stays_as_it_is_and_a_mistake_of_another_kind_too() -> None:
    first = OutcomeUnknown("cut")
    with pytest.raises(OutcomeUnknown) as caught, in_doubt("them"):
        raise first
    assert caught.value is first
    with pytest.raises(ZeroDivisionError), in_doubt("them"):
        _ = 1 // 0


@pytest.mark.parametrize("content", [b"", b"<p>", b"[]", b"{}", b'{"id": 3}', b'{"id": ""}'])
def test_an_answer_without_an_id_may_still_have_started_the_job(content: bytes) -> None:
    with pytest.raises(OutcomeUnknown, match="them"):
        created_id(Answer(200, content, {}), vendor="them")


def test_a_created_job_has_the_id_of_its_answer() -> None:
    assert created_id(Answer(201, b'{"id": "a-1"}', {}), vendor="them") == "a-1"


@pytest.mark.parametrize("stray", ["", "-", "..", "a/b", "a?b", "a b", "a%2f", "é", "a" * 129])
def test_a_stray_id_is_no_step_of_a_path(stray: str) -> None:
    with pytest.raises(UnknownHandle, match="them"):
        path_step(stray, vendor="them")


@pytest.mark.parametrize("plain", ["0197379a-c3b8-7548", "A_b-9", "a" * 128])
def test_a_plain_id_is_taken_as_it_is(plain: str) -> None:
    assert path_step(plain, vendor="them") == plain


def test_a_verbatim_program_keeps_its_qubits_and_another_is_moved_together() -> None:
    program = Program(5, 1, (Operation("x", (3,)), measure(3, 0)))
    kept, moved = (
        placed(Task("0" * 64, "d", (program,), 1, verbatim=verbatim, memory=False))
        for verbatim in (True, False)
    )
    assert kept is program
    assert moved.num_qubits == 1
