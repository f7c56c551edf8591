"""Where miners and validators are registered, and where weights become emission.

Nothing is imported here; take what you need from its own module:

- `qsubnet.chain.base`: the protocols `Chain` (hotkey side) and `Registrar` (coldkey side).
- `qsubnet.chain.model`: what a chain shows, such as `Block`, `Metagraph`, `WeightReceipt`.
- `qsubnet.chain.genesis`: `ChainParams`, and `Genesis`, all that a local ledger starts from.
- `qsubnet.chain.calls`: what is sent to it: `Announcement`, `WeightIntent`, `Commitment`.
- `qsubnet.chain.errors`: one tree, whose branches say what the caller should do next.
- `qsubnet.chain.local`: the ledger in one SQLite file, `create_local` and `open_local`.
- `qsubnet.chain.consensus`: stake-weighted median consensus, a pure function.
- `qsubnet.chain.replay`: the state of a ledger recomputed from its events alone.

How the local ledger counts time. Blocks are made only on request (`produce`, `advance_to`), never
by a clock. A call made while block n is the newest goes into block n + 1, the open block. Epoch k
is open while `k * tempo <= head < (k + 1) * tempo`: its tests are keyed by the hash of block
`k * tempo`, its weights are counted when block `(k + 1) * tempo` is made. Validator permits are
given at the end of an epoch for the next one, so nobody may set weights in epoch 0.

What a block hash is here. It depends on the genesis seed and the block number alone, so that two
runs with one seed test the same circuits although concurrent processes write in another order.
Whoever knows the seed knows every hash beforehand: a local ledger is no randomness beacon. The
order and content of what was written is bound by the events' own hash chain and the state digest.

Blind spot. The file is trusted: signatures keep one key from acting for another, and let a
stranger re-check who said what, but whoever can write to the file can start another ledger.
"""
