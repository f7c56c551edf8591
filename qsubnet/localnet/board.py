"""The board: every device with its claim, what was measured, the verdict and the pay."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from qsubnet.localnet.cast import VALIDATORS
from qsubnet.store import evaluation
from qsubnet.store.database import Store, sqlite_url

if TYPE_CHECKING:
    from qsubnet.chain.base import Chain
    from qsubnet.localnet.place import Place
    from qsubnet.localnet.users import Tally

_MECHANISM = {"qpu": 0, "simulator": 1}


@dataclass(frozen=True, slots=True)
class Line:
    """One device on the board; the fields are the keys of `--json`.

    Attributes:
        name: Of the device.
        honest: The truth, known to localnet only.
        device_class: `qpu` or `simulator`; key `class` in JSON.
        num_qubits: Claimed width.
        fidelity: estimate, low, high and the estimator; None before the first verdict.
        verdict: The first validator's; None before.
        grade: S0 .. S3.
        reason: The sentence.
        weight: Share within its mechanism by consensus, 0 .. 1.
        emission: Rao earned in this network.
        verdicts: Every validator's, by name.
        hotkey: The miner's.
    """

    name: str
    honest: bool
    device_class: str | None
    num_qubits: int | None
    fidelity: dict[str, Any] | None
    verdict: str | None
    grade: str | None
    reason: str
    weight: float
    emission: int
    verdicts: dict[str, str]
    hotkey: str


async def read_board(place: Place, chain: Chain) -> list[Line]:
    """Read the board from the validators' stores and the chain."""
    documents = [_newest(place, name) for name in VALIDATORS]
    neurons = {neuron.hotkey: neuron for neuron in (await chain.metagraph()).neurons}
    lines = []
    for miner in place.miners:
        hotkey = place.signer(miner.name).ss58_address
        found = [table.get((hotkey, miner.name), {}) for table in documents]
        first, neuron = found[0], neurons.get(hotkey)
        mechanism = _MECHANISM.get(str(first.get("class")), 0)
        lines.append(
            Line(
                name=miner.name,
                honest=miner.honest,
                device_class=first.get("class"),
                num_qubits=first.get("num_qubits"),
                fidelity=first.get("fidelity"),
                verdict=first.get("verdict"),
                grade=first.get("grade"),
                reason=str(first.get("reason", "not judged yet")),
                weight=neuron.standing(mechanism).incentive_ppb / 1e9 if neuron else 0.0,
                emission=neuron.earned_rao if neuron else 0,
                verdicts={
                    name: str(document["verdict"])
                    for name, document in zip(VALIDATORS, found, strict=True)
                    if document
                },
                hotkey=hotkey,
            )
        )
    return lines


def _newest(place: Place, operator: str) -> dict[tuple[str, str], dict[str, Any]]:
    path = place.operator(operator) / "operator.db"
    if not path.exists():
        return {}
    store = Store(sqlite_url(path))
    try:
        with store.read() as connection:
            return evaluation.newest_verdicts(connection)
    finally:
        store.close()


def document(lines: list[Line], tally: Tally, **facts: object) -> dict[str, Any]:
    """Write the board as the object that `--json` prints."""
    miners = []
    for line in lines:
        fields = asdict(line)
        fields["class"] = fields.pop("device_class")
        miners.append(fields)
    jobs = {
        "submitted": tally.submitted,
        "completed": tally.completed,
        "lost": tally.lost,
        "wrong": tally.wrong,
        "notes": tally.notes,
    }
    return {**facts, "miners": miners, "user_jobs": jobs}
