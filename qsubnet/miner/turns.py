"""Whose job goes to the backend next: requesters take turns, each with its oldest job first.

Nobody waits longer because somebody else sent much: a requester with one job waits for at most one
job of every other requester. Requesters are hotkeys. Tests of a validator and jobs of users come
from the same hotkeys and look alike, so an order that knew one from the other would itself tell a
miner which is which.

Assumes that hotkeys are dear (a permit, a stake): whoever has many has many turns. Blind spot:
turns count jobs, not their length. Source: round-robin fair queueing, J. Nagle, RFC 970 (1985).
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping


@dataclass(frozen=True, slots=True)
class Waiting:
    """A job that waits.

    Attributes:
        key: Names it.
        requester: Whose turn it takes.
        accepted_ms: Since when, Unix time in milliseconds.
    """

    key: str
    requester: str
    accepted_ms: int


def in_turn(waiting: Iterable[Waiting], *, last_turn: Mapping[str, int]) -> list[str]:
    """Order jobs as they go to the backend.

    In every round each requester with jobs left gives one, its oldest. Within a round comes first
    whose last turn is longest ago, then who never had one by the age of its job.

    Args:
        waiting: In any order.
        last_turn: Number of the last turn of a requester, ascending with time; none if it had none.

    Returns:
        Every key, next first.

    Example:
        >>> jobs = [Waiting("a1", "a", 1), Waiting("a2", "a", 2), Waiting("b1", "b", 9)]
        >>> in_turn(jobs, last_turn={})
        ['a1', 'b1', 'a2']
        >>> in_turn(jobs, last_turn={"a": 4})
        ['b1', 'a1', 'a2']
    """
    queues: defaultdict[str, list[Waiting]] = defaultdict(list)
    for job in sorted(waiting, key=lambda job: (job.accepted_ms, job.key)):
        queues[job.requester].append(job)
    placed = [
        (number, last_turn.get(job.requester, -1), job.accepted_ms, job.key)
        for queue in queues.values()
        for number, job in enumerate(queue)
    ]
    return [key for _, _, _, key in sorted(placed)]
