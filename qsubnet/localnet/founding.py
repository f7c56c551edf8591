"""Found a localnet's chain: register everybody, stake the validators, and open epoch 1.

Every step looks first whether it was done, so a start that was killed goes on.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from qsubnet.chain.genesis import ChainParams, Genesis
from qsubnet.chain.local import LocalChain, create_local
from qsubnet.localnet.cast import VALIDATORS
from qsubnet.wire.keys import Sr25519Verifier

if TYPE_CHECKING:
    from qsubnet.localnet.place import Place

TEMPO = 20
_STAKE_RAO = 1_000_000_000_000


async def found(place: Place) -> LocalChain:
    """Open the chain of `place` with everybody registered and the first testing epoch open."""
    balances = sorted((place.coldkey(name).ss58_address, _STAKE_RAO) for name in VALIDATORS)
    genesis = Genesis(seed=place.seed, params=ChainParams(tempo=TEMPO), balances=tuple(balances))
    chain = create_local(place.ledger, genesis, verify=Sr25519Verifier().verify)
    known = {neuron.hotkey: neuron for neuron in (await chain.metagraph()).neurons}
    for name in (*VALIDATORS, *(miner.name for miner in place.miners)):
        hotkey = place.signer(name).ss58_address
        registrar = chain.registrar(place.coldkey(name))
        if hotkey not in known:
            await registrar.register(hotkey)
        if name in VALIDATORS and await registrar.balance() > 0:
            await registrar.add_stake(hotkey, await registrar.balance())
    if (await chain.head()).number < TEMPO:
        await chain.advance_to(TEMPO)
    return chain
