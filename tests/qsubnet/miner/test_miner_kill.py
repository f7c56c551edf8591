"""A miner killed between submission and result: after its restart the vendor got each job once."""

from __future__ import annotations

import signal
from typing import Any


def test_jobs_outlive_a_killed_miner_with_one_submission_each(site: Any) -> None:
    """Of one job the miner knows the cloud's id; the answer about the other is still under way."""
    noted, in_flight = site.request(0), site.request(1)
    first = site.serve()
    site.ask(lambda port: port.submit(noted))
    assert site.state_of(noted.key, "running").queue_position is None
    site.control(hold=True)
    site.ask(lambda port: port.submit(in_flight))
    tokens = site.sent(at_least=2)
    first.kill()
    site.control(hold=False)

    second = site.serve("--drain-s", "0.1")
    site.state_of(in_flight.key, "running")
    site.control(finish="completed")
    for number, request in enumerate((noted, in_flight), 1):
        assert site.state_of(request.key, "completed").detail == ""
        answer = site.ask(lambda port, key=request.key: port.answer(key))
        assert answer.results[0].counts == {"00": 10}
        assert answer.backend_job_id == f"kite-{number}"
    assert site.sent(at_least=2) == tokens
    assert len(set(tokens)) == 2

    site.control(finish="")
    third = site.request(2)
    site.ask(lambda port: port.submit(third))
    site.state_of(third.key, "running")
    assert second.end(signal.SIGTERM) == 0
    assert "jobs stay for the next start" in "\n".join(second.said)
