"""The market as the gateway sees it: who offers which device now, and what verdicts say of it.

Claims are asked for again and again and kept for a few seconds; a miner that does not answer keeps
its devices, marked as unreachable, so that a name does not vanish while its miner restarts. After
a restart the claims that were tested last stand in until the miner answers.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterable, Sequence
from statistics import median
from typing import TYPE_CHECKING, Any, Final

from qsubnet.errors import PeerFault, Refused, Unreachable
from qsubnet.gateway.router import Offer, Verdicts, document_of
from qsubnet.store import evaluation
from qsubnet.wire import peer
from qsubnet.wire.domain import device_from_claim
from qsubnet.wire.research import DeviceView, ErrorSummary, FidelityView
from validator.weights import shares

if TYPE_CHECKING:
    from providers.base import ErrorRates
    from qsubnet.directory import ChainDirectory
    from qsubnet.store.database import Store
    from qsubnet.wire.miner_port import MinerPort

log = logging.getLogger(__name__)

ASK_S: Final = 5.0
"""How long one miner may take to say what it offers."""


class Market:
    """Keeps the newest picture of offers.

    Args:
        directory: Finds miners; refreshed here.
        store: The operator's, for verdicts and the claims that were tested.
        hotkey: The operator's own, to see whether it may send jobs.
    """

    def __init__(self, directory: ChainDirectory, *, store: Store, hotkey: str) -> None:
        self._directory = directory
        self._store = store
        self._hotkey = hotkey
        self._claims: dict[str, list[peer.DeviceClaim]] = {}
        self._answering: frozenset[str] = frozenset()
        self._offers: tuple[Offer, ...] = ()
        self.epoch = 0
        self.permitted = False

    @property
    def silent(self) -> int:
        """How many miners have announced themselves and never said what they offer."""
        return sum(not claims for claims in self._claims.values())

    @property
    def offers(self) -> tuple[Offer, ...]:
        """Everything on offer, by hotkey and device name."""
        return self._offers

    async def refresh(self) -> None:
        """Look at the chain and ask every miner what it offers, all at once.

        Raises:
            ChainError: The chain is out of reach; the last picture stays.
        """
        picture = await self._directory.refresh()
        me = picture.neuron(self._hotkey)
        ports = self._directory.ports()
        answers = await asyncio.gather(*(_claims(port) for port in ports.values()))
        tested = self._tested()
        claims: dict[str, list[peer.DeviceClaim]] = {}
        for hotkey, answer in zip(ports, answers, strict=True):
            known = self._claims.get(hotkey) or tested.get(hotkey, [])
            claims[hotkey] = known if answer is None else answer
        # All at once and last: until then a gateway that has just started takes no job.
        self.epoch, self.permitted = picture.epoch, me is not None and me.validator_permit
        self._claims = claims
        self._answering = frozenset(
            hotkey for hotkey, answer in zip(ports, answers, strict=True) if answer is not None
        )
        self._offers = tuple(self._read(claims))

    def verdicts(self) -> Verdicts:
        """Read the newest verdicts of this operator's validator."""
        with self._store.read() as connection:
            return evaluation.newest_verdicts(connection)

    def views(self) -> list[DeviceView]:
        """Show every device beside its verdict, by name, then by miner."""
        verdicts = self.verdicts()
        weights = _weights(verdicts)
        views = [_view(offer, verdicts, weights) for offer in self._offers]
        return sorted(views, key=lambda view: (view.name, view.miner))

    def _read(self, claims: dict[str, list[peer.DeviceClaim]]) -> Iterable[Offer]:
        for hotkey in sorted(claims):
            for claim in sorted(claims[hotkey], key=lambda one: one.name):
                try:
                    device = device_from_claim(claim)
                except ValueError as error:
                    log.warning(
                        "claim contradicts itself",
                        extra={"miner": hotkey, "device": claim.name, "error": str(error)},
                    )
                    continue
                yield Offer(hotkey, claim, device, hotkey in self._answering)

    def _tested(self) -> dict[str, list[peer.DeviceClaim]]:
        with self._store.read() as connection:
            known = evaluation.latest_claims(connection)
        found: dict[str, list[peer.DeviceClaim]] = {}
        for (hotkey, _), text in sorted(known.items()):
            found.setdefault(hotkey, []).append(peer.DeviceClaim.model_validate_json(text))
        return found


async def _claims(port: MinerPort) -> list[peer.DeviceClaim] | None:
    """Ask one miner; None where it does not say."""
    try:
        async with asyncio.timeout(ASK_S):
            return await port.devices()
    except (Unreachable, Refused, PeerFault, TimeoutError) as error:
        log.info("no claims", extra={"miner": port.hotkey, "error": str(error)})
        return None


def _weights(verdicts: Verdicts) -> dict[tuple[str, str], float]:
    """Share each miner's scores within each class, as weights are made."""
    scores: dict[str, dict[str, float]] = {}
    for (hotkey, _), document in sorted(verdicts.items()):
        mine = scores.setdefault(str(document["class"]), {})
        mine[hotkey] = mine.get(hotkey, 0.0) + float(document["score"])
    return {
        (name, hotkey): share
        for name, mine in scores.items()
        for hotkey, share in shares(mine).items()
    }


def _view(offer: Offer, verdicts: Verdicts, weights: dict[tuple[str, str], float]) -> DeviceView:
    claim, device = offer.claim, offer.device
    document = document_of(offer, verdicts)
    return DeviceView(
        name=device.name,
        miner=offer.hotkey,
        device_class=claim.device_class,
        num_qubits=claim.num_qubits,
        native_gates=list(device.topology.native_gates),
        two_qubit_gate=device.topology.two_qubit_gate,
        edges="all" if claim.edges == "all" else [list(edge) for edge in device.topology.edges],
        errors=_summary(device.errors),
        max_shots=device.max_shots,
        max_programs=device.max_programs,
        fee_rao_per_shot=device.fee_rao_per_shot,
        reachable=offer.reachable,
        verdict=document["verdict"] if document else None,
        grade=document["grade"] if document else None,
        reason=document["reason"] if document else None,
        fidelity=_fidelity(document["fidelity"]) if document else None,
        weight=weights.get((claim.device_class, offer.hotkey)) if document else None,
    )


def _summary(sheet: ErrorRates | None) -> ErrorSummary | None:
    if sheet is None:
        return None

    def middle(rates: Sequence[float]) -> float | None:
        return median(rates) if rates else None

    return ErrorSummary(
        one_qubit=middle(sheet.one_qubit),
        two_qubit=middle(sheet.two_qubit),
        readout=middle(sheet.readout),
    )


def _fidelity(document: Any) -> FidelityView:  # noqa: ANN401 - JSON that we wrote
    return FidelityView(
        estimate=float(document["estimate"]),
        low=float(document["low"]),
        high=float(document["high"]),
        estimator=str(document["estimator"]),
    )
