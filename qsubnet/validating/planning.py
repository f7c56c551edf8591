"""Plan an epoch: draw every device's cases and put the jobs in the table, held back.

Who is tested is the pinned picture at the block that opened the epoch. A miner that does not answer
is tested on the claims it made last; one that was never heard of waits for the next epoch. What is
written stands: the commitment that the chain gets is the written one, whatever is killed between.

Blind spot: a miner may claim as many devices as it likes; the first ones by name are tested, up to
a number and a size.
"""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING

from providers.base import Job
from qsubnet.errors import QsubnetError
from qsubnet.store import dispatches, evaluation
from qsubnet.store.dispatches import Dispatch, DispatchState
from qsubnet.store.evaluation import CaseRow, EpochRow
from qsubnet.wire import peer
from qsubnet.wire.domain import couplings, device_from_claim, request_from_job
from validator.plan import case_key, commitment, draw, plan
from validator.score import Grade

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping, Sequence

    from providers.base import Device
    from qsubnet.directory import ChainDirectory
    from qsubnet.store.database import Store
    from qsubnet.wire.miner_port import MinerPort
    from validator.plan import Assignment, PlannedCase

log = logging.getLogger(__name__)

CLAIMS_WAIT_S = 5.0
MAX_DEVICES_TESTED = 16


@dataclass(frozen=True, slots=True)
class DrawnEpoch:
    """An epoch's tests before anything is written."""

    row: EpochRow
    jobs: tuple[Dispatch, ...]
    secrets: tuple[CaseRow, ...]


async def ask_claims(
    directory: ChainDirectory,
    store: Store,
    *,
    hotkeys: Collection[str],
    wait_s: float = CLAIMS_WAIT_S,
) -> dict[str, list[peer.DeviceClaim]]:
    """Ask miners what they offer, all at once; by ascending hotkey.

    Args:
        directory: Finds them.
        store: Has the claims of those that do not answer now.
        hotkeys: Whom to ask.
        wait_s: For how long.
    """
    with store.read() as connection:
        known = evaluation.latest_claims(connection)
    ports = {hotkey: port for hotkey, port in directory.ports().items() if hotkey in hotkeys}
    answers = await asyncio.gather(*(_claims(port, wait_s) for port in ports.values()))
    claims: dict[str, list[peer.DeviceClaim]] = {}
    for hotkey, answer in zip(ports, answers, strict=True):
        texts = [text for (owner, _), text in sorted(known.items()) if owner == hotkey]
        claims[hotkey] = (
            [peer.DeviceClaim.model_validate_json(text) for text in texts]
            if answer is None
            else answer
        )
    return claims


async def _claims(port: MinerPort, wait_s: float) -> list[peer.DeviceClaim] | None:
    """Ask one miner; None where it does not say."""
    try:
        async with asyncio.timeout(wait_s):
            return await port.devices()
    except (TimeoutError, QsubnetError) as error:
        log.warning("no claims", extra={"miner": port.hotkey, "error": str(error)[:500]})
        return None


def draw_epoch(
    claims: Mapping[str, list[peer.DeviceClaim]],
    *,
    secret: bytes,
    epoch: int,
    block: int,
    block_hash: str,
    reached: Mapping[tuple[str, str], Grade] = MappingProxyType({}),
) -> DrawnEpoch:
    """Draw every job of an epoch.

    Args:
        claims: By hotkey; a claim that contradicts itself is skipped and logged.
        secret: The validator's own.
        epoch: Number.
        block: The block that opened it.
        block_hash: Its hash.
        reached: The grade of the newest verdict by (hotkey, device); what is planned follows it.
    """
    jobs: list[Dispatch] = []
    secrets: list[CaseRow] = []
    for hotkey in sorted(claims):
        for claim in _testable(hotkey, claims[hotkey]):
            try:
                grade = reached.get((hotkey, claim.name), Grade.S0)
                moment = _Moment(secret, epoch, block_hash)
                drawn = list(_draw_device(hotkey, claim, moment=moment, reached=grade))
            except Exception as error:  # noqa: BLE001 - border: what one miner claims must not stop the plan
                _skip(hotkey, claim, f"{type(error).__name__}: {error}")
                continue
            for job, rows in drawn:
                jobs.append(job)
                secrets.extend(rows)
    keys = [bytes.fromhex(row.case_key) for row in secrets]
    row = EpochRow(epoch, block, block_hash, commitment(keys) if keys else "")
    return DrawnEpoch(row, tuple(jobs), tuple(secrets))


def _testable(hotkey: str, claims: Sequence[peer.DeviceClaim]) -> Iterator[peer.DeviceClaim]:
    """Leave out names that are claimed twice and what is beyond the limits, by name."""
    times = Counter(claim.name for claim in claims)
    tested, size = 0, 0
    for claim in sorted(claims, key=lambda one: one.name):
        if times[claim.name] > 1:
            _skip(hotkey, claim, "its name is claimed twice")
        elif tested == MAX_DEVICES_TESTED:
            _skip(hotkey, claim, f"at most {MAX_DEVICES_TESTED} devices of a miner are tested")
        elif size + couplings(claim) > peer.MAX_COUPLINGS:
            _skip(hotkey, claim, f"at most {peer.MAX_COUPLINGS} couplings in all are tested")
        else:
            tested, size = tested + 1, size + couplings(claim)
            yield claim


def _skip(hotkey: str, claim: peer.DeviceClaim, reason: str) -> None:
    fields = {"miner": hotkey, "device": claim.name, "error": reason[:500]}
    log.warning("device not testable", extra=fields)


@dataclass(frozen=True, slots=True)
class _Moment:
    """Whose epoch, which and since which block."""

    secret: bytes
    epoch: int
    block_hash: str


def _draw_device(
    hotkey: str, claim: peer.DeviceClaim, *, moment: _Moment, reached: Grade
) -> Iterator[tuple[Dispatch, list[CaseRow]]]:
    device = device_from_claim(claim)
    secret, hash_ = moment.secret, moment.block_hash
    text = claim.model_dump_json()
    for place, assignment in enumerate(plan(device, reached=reached)):
        planned = draw(assignment, device, secret=secret, block_hash=hash_, hotkey=hotkey)
        for start in range(0, len(planned), device.max_programs):
            part = planned[start : start + device.max_programs]
            job_key = case_key(secret, "job", hash_, hotkey, device.name, place, start).hex()
            job = Dispatch(
                job_key=job_key,
                purpose="test",
                miner_hotkey=hotkey,
                device=device.name,
                claim=text,
                request=_request(job_key, device, part, shots=assignment.shots),
                epoch=moment.epoch,
                state=DispatchState.HELD,
            )
            yield job, [_secret(job, index, one, assignment) for index, one in enumerate(part)]


def _request(key: str, device: Device, part: Sequence[PlannedCase], *, shots: int) -> str:
    programs = tuple(one.case.program for one in part)
    return request_from_job(Job(key, device.name, programs, shots)).model_dump_json()


def _secret(job: Dispatch, place: int, one: PlannedCase, assignment: Assignment) -> CaseRow:
    return CaseRow(
        job_key=job.job_key,
        place=place,
        epoch=job.epoch,
        family=assignment.family,
        width=assignment.width,
        depth=assignment.depth,
        case_key=one.key.hex(),
    )


def write_epoch(store: Store, drawn: DrawnEpoch) -> None:
    """Write an epoch's row, held jobs and secrets in one transaction, once."""
    with store.write() as connection:
        if evaluation.epoch(connection, drawn.row.epoch) is None:
            dispatches.add(connection, drawn.jobs)
            evaluation.add_epoch(connection, drawn.row, drawn.secrets)


def permutation_key(secret: bytes, hotkey: str, device: str) -> bytes:
    """Derive the key that seeds permutation tests of one device; revealed with the case keys."""
    return case_key(secret, "permutations", hotkey, device)
