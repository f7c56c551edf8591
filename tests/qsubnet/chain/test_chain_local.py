from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from qsubnet.chain import errors
from qsubnet.chain.base import Chain, Registrar
from qsubnet.chain.calls import Announcement, Commitment, Target, WeightIntent
from qsubnet.chain.events import check_signatures
from qsubnet.chain.genesis import ChainParams, Genesis
from qsubnet.chain.local import create_local, open_local
from qsubnet.chain.model import Dropped, DropReason, Inclusion, WeightState

INTENT = WeightIntent(
    validator="va", mechanism=0, epoch=1, targets=(Target("m1", 2.0, 1), Target("m2", 1.0, 1))
)


@pytest.fixture
def subnet(bench: Any) -> Any:
    bench.seat("va", stake=60)
    bench.seat("vb", stake=40)
    bench.seat("m1")
    bench.seat("m2")
    bench.run(bench.chain().advance_to(10))
    return bench


def test_the_local_ledger_fits_both_protocols(bench: Any, key: Any) -> None:
    assert isinstance(bench.chain().registrar(key("cold")), Registrar)
    assert isinstance(bench.chain(), Chain)


def test_a_block_hash_depends_on_seed_and_number_alone(make_bench: Callable[..., Any]) -> None:
    quiet, busy, other = (make_bench(f"{i}.db", seed=seed) for i, seed in enumerate((7, 7, 8)))
    busy.seat("m1")
    heads = [bench.run(bench.chain().advance_to(10)) for bench in (quiet, busy, other)]
    assert heads[0] == heads[1]
    assert heads[0].number == heads[2].number
    assert heads[0].hash != heads[2].hash


def test_blocks_are_made_on_request_and_once(bench: Any) -> None:
    chain = bench.chain()
    assert bench.run(chain.produce(3)).number == 3
    assert bench.run(chain.advance_to(2)).number == 3
    assert bench.run(bench.chain().head()).number == 3
    with pytest.raises(ValueError, match="need blocks >= 1, got 0"):
        bench.run(chain.produce(0))


def test_an_endpoint_is_seen_at_once_and_pinned_pictures_stay(bench: Any) -> None:
    bench.seat("m1")
    bench.run(bench.chain().produce(2))
    found = bench.run(bench.chain("m1").announce(Announcement("http://127.0.0.1:9001")))
    assert found == Inclusion(3)
    now, pinned = (bench.run(bench.chain().metagraph(block)) for block in (None, 2))
    assert now.neurons[0].endpoint == "http://127.0.0.1:9001"
    assert (now.block.number, now.pending) == (2, 1)
    assert pinned.neurons[0].endpoint is None
    assert (pinned.block.number, pinned.pending) == (2, 0)
    bench.run(bench.chain().produce(30))
    assert bench.run(bench.chain().metagraph(2)) == pinned
    assert bench.run(bench.chain().metagraph(7)).neurons[0].endpoint == "http://127.0.0.1:9001"
    assert bench.run(bench.chain().metagraph(0)).neurons == ()


def test_a_block_of_the_future_can_not_be_pinned(bench: Any) -> None:
    bench.run(bench.chain().produce(2))
    for block in (3, -1):
        with pytest.raises(errors.BlockNotFound, match=f"got {block}"):
            bench.run(bench.chain().metagraph(block))


def test_the_same_announcement_is_written_once(bench: Any) -> None:
    bench.seat("m1")
    miner = bench.chain("m1")
    bench.run(miner.announce(Announcement("http://127.0.0.1:9001")))
    before = bench.run(miner.events())
    again = bench.run(bench.chain("m1").announce(Announcement("http://127.0.0.1:9001")))
    assert again == Inclusion(1, repeated=True)
    assert bench.run(miner.events()) == before


def test_a_hotkey_without_a_seat_can_neither_announce_nor_commit(bench: Any) -> None:
    stranger = bench.chain("stranger")
    with pytest.raises(errors.HotKeyNotRegisteredInSubNet):
        bench.run(stranger.announce(Announcement("http://127.0.0.1:9001")))
    with pytest.raises(errors.AccountNotAllowedCommit):
        bench.run(stranger.commit(Commitment("evidence/1", "0" * 64)))


def test_a_reader_can_not_write(bench: Any) -> None:
    with pytest.raises(errors.NoSigner):
        bench.run(bench.chain().announce(Announcement("http://127.0.0.1:9001")))


def test_a_commitment_can_not_be_exchanged_for_another(bench: Any) -> None:
    bench.seat("va")
    validator = bench.chain("va")
    assert bench.run(validator.commit(Commitment("case-keys/1", "a" * 64))) == Inclusion(1)
    bench.run(validator.produce())
    again = bench.run(validator.commit(Commitment("case-keys/1", "a" * 64)))
    assert again == Inclusion(1, repeated=True)
    with pytest.raises(errors.CommitmentTaken, match=r"got b{64}"):
        bench.run(validator.commit(Commitment("case-keys/1", "b" * 64)))
    bench.run(validator.commit(Commitment("case-keys/2", "b" * 64)))
    published = bench.run(bench.chain().commitments("va"))
    assert [(p.topic, p.digest[0], p.block) for p in published] == [
        ("case-keys/1", "a", 1),
        ("case-keys/2", "b", 2),
    ]


def test_weights_are_scaled_to_u16_and_followed_up_to_the_count(subnet: Any) -> None:
    validator = subnet.chain("va")

    def state() -> WeightState:
        found: WeightState = subnet.run(validator.weight_status("va", mechanism=0, epoch=1)).state
        return found

    assert state() is WeightState.MISSING
    receipt = subnet.run(validator.submit_weights(INTENT))
    # round(1 / 2 * 65535) is 32768: halves go to the even neighbour.
    assert receipt.units == (("m1", 65_535), ("m2", 32_768))
    assert (receipt.block, receipt.dropped, receipt.already_set) == (11, (), False)
    assert state() is WeightState.PENDING
    subnet.run(validator.advance_to(11))
    assert state() is WeightState.INCLUDED
    subnet.run(validator.advance_to(20))
    assert state() is WeightState.COUNTED


def test_the_same_weights_again_are_answered_with_the_first_receipt(subnet: Any) -> None:
    first = subnet.run(subnet.chain("va").submit_weights(INTENT))
    subnet.run(subnet.chain().advance_to(25))
    turned = replace(INTENT, targets=INTENT.targets[::-1])
    before = subnet.run(subnet.chain().events())
    again = subnet.run(subnet.chain("va").submit_weights(turned))
    assert again == replace(first, already_set=True)
    assert subnet.run(subnet.chain().events()) == before


def test_other_weights_in_the_same_epoch_come_too_fast(subnet: Any) -> None:
    validator = subnet.chain("va")
    subnet.run(validator.submit_weights(INTENT))
    other = replace(INTENT, targets=(Target("m1", 1.0, 1),))
    with pytest.raises(errors.SettingWeightsTooFast, match="wait for the next epoch"):
        subnet.run(validator.submit_weights(other))
    subnet.run(validator.submit_weights(replace(other, mechanism=1)))
    subnet.run(validator.advance_to(20))
    subnet.run(validator.submit_weights(replace(other, epoch=2)))


def test_hotkeys_that_are_not_who_was_judged_get_nothing(subnet: Any, key: Any) -> None:
    registrar = subnet.chain().registrar(key("cold"))
    subnet.run(registrar.deregister("m2"))
    subnet.run(subnet.chain().produce())
    subnet.seat("m2")
    targets = (
        Target("va", 9.0, 1),
        Target("m1", 1.0, 1),
        Target("m2", 8.0, 1),
        Target("vb", 1e-9, 1),
        Target("gone", 8.0, 1),
        Target("cheat", 0.0, 1),
    )
    receipt = subnet.run(subnet.chain("va").submit_weights(replace(INTENT, targets=targets)))
    assert receipt.units == (("m1", 65_535),)
    assert receipt.dropped == (
        Dropped("gone", DropReason.NOT_REGISTERED),
        Dropped("m2", DropReason.REGISTERED_AGAIN),
        Dropped("va", DropReason.OWN_HOTKEY),
        Dropped("vb", DropReason.ROUNDED_TO_ZERO),
    )


def test_weights_for_nobody_are_accepted(subnet: Any) -> None:
    receipt = subnet.run(subnet.chain("va").submit_weights(replace(INTENT, targets=())))
    assert receipt.units == ()


@pytest.mark.parametrize(
    ("change", "error"),
    [
        ({"epoch": 0}, errors.EpochClosed),
        ({"epoch": 2}, errors.EpochNotOpen),
        ({"mechanism": 2}, errors.MechanismDoesNotExist),
        ({"validator": "m1"}, errors.NotEnoughStakeToSetWeights),
        ({"validator": "stranger"}, errors.HotKeyNotRegisteredInSubNet),
    ],
)
def test_weights_that_the_rules_refuse_leave_no_trace(
    subnet: Any, change: dict[str, Any], error: type[errors.ChainError]
) -> None:
    wrong = replace(INTENT, **change)
    validator = subnet.chain(wrong.validator)
    before = subnet.run(validator.events()), subnet.run(validator.state_digest())
    with pytest.raises(error):
        subnet.run(validator.submit_weights(wrong))
    assert (subnet.run(validator.events()), subnet.run(validator.state_digest())) == before


def test_a_new_validator_waits_for_its_permit(subnet: Any) -> None:
    subnet.seat("vc", stake=100)
    late = replace(INTENT, validator="vc")
    with pytest.raises(errors.NeuronNoValidatorPermit, match="given in block 20"):
        subnet.run(subnet.chain("vc").submit_weights(late))
    subnet.run(subnet.chain().advance_to(20))
    subnet.run(subnet.chain("vc").submit_weights(replace(late, epoch=2)))


def test_weights_of_another_validator_are_not_signed(subnet: Any) -> None:
    for signer in ("vb", None):
        with pytest.raises(errors.NoSigner):
            subnet.run(subnet.chain(signer).submit_weights(INTENT))


def test_a_wrong_signature_is_refused(subnet: Any, key: Any, verify: Any) -> None:
    class Forger:
        ss58_address = "va"

        def sign(self, message: bytes, /) -> bytes:
            signature: bytes = key("vb").sign(message)
            return signature

    chain = open_local(subnet.path, verify=verify, signer=Forger())
    with pytest.raises(errors.BadProof):
        subnet.run(chain.submit_weights(INTENT))
    chain.close()
    assert (
        subnet.run(subnet.chain().weight_status("va", mechanism=0, epoch=1)).state
        is WeightState.MISSING
    )


def test_a_hotkey_of_the_wire_signs_for_the_ledger(bench: Any) -> None:
    keys = pytest.importorskip("qsubnet.wire.keys", reason="needs the wire's keys")
    pytest.importorskip("bittensor", reason="needs Bittensor's SDK")
    signer = keys.Sr25519Signer(bytes(range(32)))
    verify = keys.Sr25519Verifier().verify
    bench.seat(signer.ss58_address)
    chain = open_local(bench.path, verify=verify, signer=signer)
    assert not bench.run(chain.announce(Announcement("http://127.0.0.1:9001"))).repeated
    events = bench.run(chain.events())
    assert check_signatures([events[0], events[-1]], verify=verify) == 1
    chain.close()


def test_the_lowest_free_uid_is_given_away_again(bench: Any, key: Any) -> None:
    registrar = bench.chain().registrar(key("cold"))
    for hotkey in ("a", "b", "c"):
        bench.seat(hotkey)
    bench.run(registrar.deregister("b"))
    with pytest.raises(errors.TooManyRegistrationsThisBlock):
        bench.run(registrar.register("b"))
    bench.run(bench.chain().produce(5))
    assert bench.seat("d") == 6
    assert bench.seat("b") == 6
    graph = bench.run(bench.chain().metagraph())
    assert [(n.uid, n.hotkey, n.registered_block) for n in graph.neurons] == [
        (0, "a", 1),
        (1, "d", 6),
        (2, "c", 1),
        (3, "b", 6),
    ]


def test_a_full_subnet_replaces_the_least_paid_that_is_not_immune(
    make_bench: Callable[..., Any], key: Any
) -> None:
    bench = make_bench(max_uids=3, immunity_blocks=15)
    bench.seat("va", stake=1)
    bench.seat("m1")
    bench.seat("m2")
    registrar = bench.chain().registrar(key("cold"))
    bench.run(bench.chain().advance_to(10))
    with pytest.raises(errors.NoNeuronIdAvailable):
        bench.run(registrar.register("m3"))
    bench.run(bench.chain("va").submit_weights(replace(INTENT, targets=(Target("m1", 1.0, 1),))))
    bench.run(bench.chain().advance_to(20))
    assert bench.seat("m3") == 21
    graph = bench.run(bench.chain().metagraph())
    assert [neuron.hotkey for neuron in graph.neurons] == ["va", "m1", "m3"]


def test_stake_moves_between_balance_and_hotkey(bench: Any, key: Any) -> None:
    bench.seat("va")
    registrar = bench.chain().registrar(key("cold"))
    bench.run(registrar.add_stake("va", 70))
    bench.run(registrar.remove_stake("va", 30))
    assert bench.run(registrar.balance()) == 10**12 - 40
    assert bench.run(bench.chain().metagraph()).neurons[0].stake_rao == 40
    with pytest.raises(errors.NotEnoughStakeToWithdraw):
        bench.run(registrar.remove_stake("va", 41))
    with pytest.raises(errors.NotEnoughBalanceToStake):
        bench.run(registrar.add_stake("va", 10**12))
    with pytest.raises(errors.HotKeyAlreadyRegisteredInSubNet):
        bench.run(registrar.register("va"))
    with pytest.raises(ValueError, match="need amount_rao > 0"):
        bench.run(registrar.add_stake("va", 0))


def test_a_hotkey_belongs_to_the_coldkey_that_registered_it(bench: Any, key: Any) -> None:
    bench.seat("va")
    other = bench.chain().registrar(key("other"))
    for work in (other.deregister("va"), other.add_stake("va", 1), other.remove_stake("va", 1)):
        with pytest.raises(errors.NonAssociatedColdKey, match="belongs to cold"):
            bench.run(work)
    bench.run(bench.chain().registrar(key("cold")).deregister("va"))
    bench.run(bench.chain().produce())
    with pytest.raises(errors.NonAssociatedColdKey):
        bench.run(other.register("va"))


def test_a_second_start_resumes_and_another_genesis_is_refused(tmp_path: Path, verify: Any) -> None:
    path = tmp_path / "ledger.db"
    genesis = Genesis(seed=1, params=ChainParams(tempo=5), balances=(("cold", 3),))
    with pytest.raises(errors.LedgerMissing):
        open_local(path, verify=verify)
    create_local(path, genesis, verify=verify).close()
    create_local(path, genesis, verify=verify).close()
    open_local(path, verify=verify).close()
    with pytest.raises(errors.LedgerMismatch):
        create_local(path, replace(genesis, seed=2), verify=verify)


@pytest.mark.parametrize("content", [b"not a database" * 100, b""])
def test_a_file_that_is_no_ledger_is_refused(tmp_path: Path, verify: Any, content: bytes) -> None:
    path = tmp_path / "ledger.db"
    path.write_bytes(content)
    with pytest.raises((errors.LedgerMismatch, errors.LedgerMissing)):
        open_local(path, verify=verify)
    assert path.read_bytes() == content
