"""How a running miner is doing: asked of itself, of its store, of the chain and of a gateway.

Each of the four is looked at alone, so that one that is down hides none of the others; what could
not be seen is null, with a sentence among the `problems`. The store is opened for reading only.

Blind spot: verdicts are what one gateway's operator found; other validators may judge otherwise.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from qsubnet.errors import QsubnetError
from qsubnet.onboarding.standing import look

if TYPE_CHECKING:
    from collections.abc import Mapping

    from qsubnet.client import Connection
    from qsubnet.miner.configuration import MinerFile
    from qsubnet.onboarding.standing import Picture

_TIMEOUT_S = 5.0
_MOST_BYTES = 1_000_000
_NAMES = {0: "qpu", 1: "simulator"}


@dataclass(frozen=True, slots=True)
class Miner:
    """Whose status is asked for.

    Attributes:
        hotkey: Its address.
        state: Directory of its store.
        ledger: The local ledger's file.
        url: Where it serves; '' for where the ledger or the file says.
    """

    hotkey: str
    state: Path
    ledger: Path
    url: str = ""


def miner_of(file: MinerFile, *, url: str = "") -> Miner:
    """Take a miner's file; its own address is used where the port is fixed.

    Raises:
        KeyFileError: The hotkey's file is missing, unsafe or damaged.
    """
    from qsubnet.wire.keys import load_key_file

    own = f"http://{_reachable(file.host)}:{file.port}" if file.port else ""
    hotkey = load_key_file(file.key_file).identity
    return Miner(hotkey, file.state, file.ledger, url or own)


def _reachable(host: str) -> str:
    """Turn "listens everywhere" into this machine."""
    own = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(host, host)  # noqa: S104 - compared, not bound
    return f"[{own}]" if ":" in own and not own.startswith("[") else own


async def status_of(miner: Miner, *, gateway: Connection | None) -> dict[str, Any]:
    """Look everywhere, and write what `miner status --json` prints."""
    problems: list[str] = []
    picture = None
    try:
        picture = await look(miner.ledger)
    except QsubnetError as error:
        problems.append(f"ledger: {error}")
    chain = chain_of(picture, miner.hotkey) if picture else None
    url = miner.url or ((chain or {}).get("endpoint") or "")
    service = await _service(url, problems)
    if service and service.get("hotkey") != miner.hotkey:
        problems.append(f"another miner serves at {url}: {service.get('hotkey')}")
    return {
        "hotkey": miner.hotkey,
        "url": url or None,
        "running": service is not None,
        "service": service,
        "jobs": await asyncio.to_thread(jobs_by_state, miner.state / "miner.db"),
        "chain": chain,
        "verdicts": await _verdicts(miner.hotkey, gateway, problems),
        "problems": problems,
    }


def chain_of(picture: Picture, hotkey: str) -> dict[str, Any]:
    """Write where a hotkey stands on the chain."""
    found: dict[str, Any] = {
        "block": picture.metagraph.block.number,
        "epoch": picture.metagraph.epoch,
        "registered": False,
    }
    neuron = picture.neuron(hotkey)
    if neuron is None:
        return found
    return {
        **found,
        "registered": True,
        "uid": neuron.uid,
        "registered_block": neuron.registered_block,
        "endpoint": neuron.endpoint,
        "emission_rao": neuron.emission_rao,
        "earned_rao": neuron.earned_rao,
        "mechanisms": [
            {
                "mechanism": standing.mechanism,
                "name": _NAMES.get(standing.mechanism, str(standing.mechanism)),
                "weight": standing.consensus_ppb / 1e9,
                "share": standing.incentive_ppb / 1e9,
                "emission_rao": standing.emission_rao,
            }
            for standing in neuron.standings
        ],
    }


async def _service(url: str, problems: list[str]) -> dict[str, Any] | None:
    """Ask the miner itself; None where it does not answer."""
    import httpx

    if not url:
        problems.append("miner: nobody knows its address; it has not announced itself yet")
        return None
    try:
        async with httpx.AsyncClient(trust_env=False, timeout=_TIMEOUT_S) as http:
            health = _object(await http.get(f"{url}/v1/health"))
            ready = _object(await http.get(f"{url}/v1/ready"))
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        problems.append(f"miner: no answer from {url}: {type(error).__name__}")
        return None
    if "hotkey" not in health:
        problems.append(f"miner: what answers at {url} is no miner")
        return None
    words = ("hotkey", "devices", "jobs_waiting", "accepting", "maintenance")
    return {
        **{word: health.get(word) for word in words},
        "ready": ready.get("ready"),
        "reasons": ready.get("reasons", []),
    }


def _object(reply: Any) -> dict[str, Any]:  # noqa: ANN401 - an httpx.Response, imported lazily
    from pydantic import TypeAdapter, ValidationError

    if len(reply.content) > _MOST_BYTES:
        return {}
    try:
        return TypeAdapter(dict[str, Any]).validate_json(reply.content)
    except ValidationError:
        return {}


def jobs_by_state(path: Path) -> dict[str, int] | None:
    """Count a miner's jobs by state, without changing its store; None where there is none yet."""
    from sqlalchemy import create_engine, func, select
    from sqlalchemy.exc import DBAPIError

    from providers.base import JobState
    from qsubnet.store.tables import miner_jobs

    if not path.exists():
        return None
    engine = create_engine(f"sqlite:///file:{path.absolute()}?mode=ro&uri=true")
    query = select(miner_jobs.c.state, func.count()).group_by(miner_jobs.c.state)
    try:
        with engine.connect() as connection:
            found = {state: int(count) for state, count in connection.execute(query)}
    except DBAPIError:
        return None
    finally:
        engine.dispose()
    return {state.value: found.get(state.value, 0) for state in JobState}


async def _verdicts(
    hotkey: str, gateway: Connection | None, problems: list[str]
) -> list[dict[str, Any]] | None:
    """Ask a gateway what its validator found of this miner's devices."""
    if gateway is None:
        return None
    from qsubnet.client import AsyncClient

    try:
        async with AsyncClient(gateway.gateway, gateway.api_key) as client:
            devices = await client.devices()
    except QsubnetError as error:
        problems.append(f"gateway: {error}")
        return None
    return [
        {
            "device": device.name,
            "verdict": device.verdict,
            "grade": device.grade,
            "reason": device.reason,
            "fidelity": device.fidelity.model_dump() if device.fidelity else None,
            "weight": device.weight,
        }
        for device in devices
        if device.miner == hotkey
    ]


def status_in_words(document: Mapping[str, Any]) -> str:
    """Tell a status to a person."""
    lines = [f"miner {document['hotkey']}", *_service_lines(document), *_job_lines(document)]
    lines += [*_chain_lines(document["chain"]), *_verdict_lines(document["verdicts"])]
    return "\n".join([*lines, *(f"  ! {problem}" for problem in document["problems"])])


def _service_lines(document: Mapping[str, Any]) -> list[str]:
    service = document["service"]
    if service is None:
        return ["  not running"]
    if service["ready"] is None:
        state = "runs"
    else:
        state = "ready" if service["ready"] else f"not ready: {'; '.join(service['reasons'])}"
    return [
        f"  {state} at {document['url']}, {service['jobs_waiting']} jobs waiting",
        f"  devices: {', '.join(service['devices'] or []) or 'none'}",
    ]


def _job_lines(document: Mapping[str, Any]) -> list[str]:
    jobs = document["jobs"]
    if jobs is None:
        return ["  jobs: no store yet"]
    return ["  jobs: " + ", ".join(f"{count} {state}" for state, count in jobs.items())]


def _chain_lines(chain: Mapping[str, Any] | None) -> list[str]:
    if chain is None:
        return []
    if not chain["registered"]:
        return [f"  epoch {chain['epoch']}: the hotkey has no seat on the subnet"]
    parts = [
        f"{one['name']} share {one['share']:.2%}, {one['emission_rao']} rao"
        for one in chain["mechanisms"]
    ]
    return [
        f"  epoch {chain['epoch']}, uid {chain['uid']}: {'; '.join(parts)} in the last epoch",
        f"  earned so far: {chain['earned_rao']} rao",
    ]


def _verdict_lines(verdicts: list[dict[str, Any]] | None) -> list[str]:
    if verdicts is None:
        return ["  verdicts: no gateway to ask"]
    return [
        f"  {one['device']}: {one['verdict'] or 'not judged yet'} {one['grade'] or ''} "
        f"{one['reason'] or ''}".rstrip()
        for one in verdicts
    ]
