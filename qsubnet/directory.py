"""Who is on the subnet right now: endpoints, permits and the epoch, as the chain showed them last.

The picture is refreshed by its owner, so that one step of work sees one picture.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from qsubnet.wire.miner_port import MinerPort

if TYPE_CHECKING:
    from qsubnet.chain.base import Chain
    from qsubnet.chain.genesis import ChainParams
    from qsubnet.chain.model import Metagraph, Neuron
    from qsubnet.wire.signed_client import SignedClient


class ChainDirectory:
    """Finds miners by hotkey in the newest picture of the chain.

    Args:
        chain: Read from.
        client: Signs what the ports ask.
    """

    def __init__(self, chain: Chain, client: SignedClient) -> None:
        self._chain = chain
        self._client = client
        self._neurons: dict[str, Neuron] = {}

    async def refresh(self) -> Metagraph:
        """Look at the chain again and return the picture."""
        picture = await self._chain.metagraph()
        self._neurons = {neuron.hotkey: neuron for neuron in picture.neurons}
        return picture

    def port(self, hotkey: str) -> MinerPort | None:
        """Give the port of a miner that has announced where it serves; else None."""
        neuron = self._neurons.get(hotkey)
        if neuron is None or neuron.endpoint is None:
            return None
        return MinerPort(self._client, endpoint=neuron.endpoint, hotkey=hotkey)

    def ports(self) -> dict[str, MinerPort]:
        """Give the ports of everybody who serves, by ascending hotkey."""
        found = ((hotkey, self.port(hotkey)) for hotkey in sorted(self._neurons))
        return {hotkey: port for hotkey, port in found if port}


class EpochClock:
    """The current epoch by the chain, for devices that age; `refresh` before a job starts."""

    def __init__(self, chain: Chain) -> None:
        self._chain = chain
        self._epoch = 0
        self._params: ChainParams | None = None

    @property
    def epoch(self) -> int:
        """The epoch at the last refresh."""
        return self._epoch

    async def refresh(self) -> None:
        """Look at the chain's head.

        Raises:
            ChainError: It cannot be read now; the epoch stays as it was.
        """
        if self._params is None:
            self._params = await self._chain.params()
        self._epoch = self._params.epoch_at((await self._chain.head()).number)
