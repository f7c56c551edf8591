"""Plan an epoch: draw every device's cases, commit to their keys, and put the jobs in the table.

Who is tested is the pinned picture at the block that opened the epoch. A miner that does not answer
is tested on the claims it made last; one that was never heard of waits for the next epoch.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING

from circuits.errors import CircuitError
from providers.base import Job
from qsubnet.errors import PeerFault, Refused, Unreachable
from qsubnet.store import dispatches, evaluation
from qsubnet.store.dispatches import Dispatch
from qsubnet.store.evaluation import CaseRow, EpochRow
from qsubnet.wire import peer
from qsubnet.wire.domain import device_from_claim, request_from_job
from validator.plan import case_key, commitment, draw, plan

if TYPE_CHECKING:
    from collections.abc import Mapping

    from qsubnet.directory import ChainDirectory
    from qsubnet.store.database import Store

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class DrawnEpoch:
    """An epoch's tests before anything is written."""

    row: EpochRow
    jobs: tuple[Dispatch, ...]
    secrets: tuple[CaseRow, ...]


async def ask_claims(directory: ChainDirectory, store: Store) -> dict[str, list[peer.DeviceClaim]]:
    """Ask every miner what it offers, all at once; by ascending hotkey."""
    with store.read() as connection:
        known = evaluation.latest_claims(connection)
    ports = directory.ports()
    answers = await asyncio.gather(
        *(port.devices() for port in ports.values()), return_exceptions=True
    )
    claims: dict[str, list[peer.DeviceClaim]] = {}
    for hotkey, answer in zip(ports, answers, strict=True):
        if isinstance(answer, Unreachable | Refused | PeerFault):
            log.warning("no claims", extra={"miner": hotkey, "error": str(answer)})
            texts = [text for (owner, _), text in sorted(known.items()) if owner == hotkey]
            claims[hotkey] = [peer.DeviceClaim.model_validate_json(text) for text in texts]
        elif isinstance(answer, BaseException):
            raise answer
        else:
            claims[hotkey] = answer
    return claims


def draw_epoch(
    claims: Mapping[str, list[peer.DeviceClaim]],
    *,
    secret: bytes,
    epoch: int,
    block: int,
    block_hash: str,
) -> DrawnEpoch:
    """Draw every job of an epoch.

    Args:
        claims: By hotkey; a claim that contradicts itself is skipped and logged.
        secret: The validator's own.
        epoch: Number.
        block: The block that opened it.
        block_hash: Its hash.
    """
    jobs: list[Dispatch] = []
    secrets: list[CaseRow] = []
    for hotkey in sorted(claims):
        for claim in sorted(claims[hotkey], key=lambda one: one.name):
            try:
                drawn = _draw_device(hotkey, claim, secret=secret, epoch=epoch, hash_=block_hash)
            except (ValueError, CircuitError) as error:
                log.warning(
                    "device not testable",
                    extra={"miner": hotkey, "device": claim.name, "error": str(error)},
                )
                continue
            for job, rows in drawn:
                jobs.append(job)
                secrets.extend(rows)
    keys = [bytes.fromhex(row.case_key) for row in secrets]
    row = EpochRow(epoch, block, block_hash, commitment(keys) if keys else "")
    return DrawnEpoch(row, tuple(jobs), tuple(secrets))


def _draw_device(
    hotkey: str, claim: peer.DeviceClaim, *, secret: bytes, epoch: int, hash_: str
) -> list[tuple[Dispatch, list[CaseRow]]]:
    device = device_from_claim(claim)
    drawn = []
    for place, assignment in enumerate(plan(device)):
        planned = draw(assignment, device, secret=secret, block_hash=hash_, hotkey=hotkey)
        job_key = case_key(secret, "job", hash_, hotkey, device.name, place).hex()
        programs = tuple(one.case.program for one in planned)
        request = request_from_job(Job(job_key, device.name, programs, assignment.shots))
        job = Dispatch(
            job_key=job_key,
            purpose="test",
            miner_hotkey=hotkey,
            device=device.name,
            claim=claim.model_dump_json(),
            request=request.model_dump_json(),
            epoch=epoch,
        )
        rows = [
            CaseRow(
                job_key,
                index,
                epoch,
                assignment.family,
                assignment.width,
                assignment.depth,
                one.key.hex(),
            )
            for index, one in enumerate(planned)
        ]
        drawn.append((job, rows))
    return drawn


def write_epoch(store: Store, drawn: DrawnEpoch) -> None:
    """Write an epoch's row, jobs and secrets in one transaction, once."""
    with store.write() as connection:
        if evaluation.epoch(connection, drawn.row.epoch) is None:
            dispatches.add(connection, drawn.jobs)
            evaluation.add_epoch(connection, drawn.row, drawn.secrets)


def permutation_key(secret: bytes, hotkey: str, device: str) -> bytes:
    """Derive the key that seeds permutation tests of one device; revealed with the case keys."""
    text = json.dumps(["permutations", hotkey, device], separators=(",", ":"))
    return hashlib.sha256(secret + text.encode()).digest()
