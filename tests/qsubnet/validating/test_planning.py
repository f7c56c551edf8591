"""The plan of an epoch: every honest device tested, no claim able to stop it."""

from __future__ import annotations

import json
from typing import Any

import pytest

from qsubnet.store import dispatches, evaluation
from qsubnet.store.dispatches import DispatchState
from qsubnet.store.evaluation import EpochState
from qsubnet.validating.planning import (
    MAX_DEVICES_TESTED,
    DrawnEpoch,
    ask_claims,
    draw_epoch,
    permutation_key,
    write_epoch,
)
from qsubnet.wire import peer
from qsubnet.wire.domain import claim_from_device
from validator.plan import commitment, plan

SECRET = b"s" * 32


def _claim(tools: Any, name: str = "toy", **changes: Any) -> peer.DeviceClaim:
    return claim_from_device(tools.device(name)).model_copy(update=changes)


def _draw(claims: dict[str, list[peer.DeviceClaim]], **changes: Any) -> DrawnEpoch:
    values: dict[str, Any] = {"secret": SECRET, "epoch": 3, "block": 60, "block_hash": "ab"}
    return draw_epoch(claims, **(values | changes))


def test_every_assignment_of_a_device_becomes_one_held_job(tools: Any) -> None:
    drawn = _draw({"m": [_claim(tools)]})
    assignments = plan(tools.device())
    assert len(drawn.jobs) == len(assignments)
    for job, assignment in zip(drawn.jobs, assignments, strict=True):
        request = peer.JobRequest.model_validate_json(job.request)
        assert (job.state, job.purpose, job.epoch) == (DispatchState.HELD, "test", 3)
        assert (len(request.programs), request.shots) == (assignment.circuits, assignment.shots)
    assert drawn.row.state is EpochState.DRAWN
    assert drawn.row.commitment == commitment(
        [bytes.fromhex(secret.case_key) for secret in drawn.secrets]
    )


def test_the_same_secret_draws_the_same_epoch_and_another_shares_nothing(tools: Any) -> None:
    claims = {"m": [_claim(tools)], "n": [_claim(tools)]}
    assert _draw(claims) == _draw(claims)
    for changes in ({"secret": b"t" * 32}, {"block_hash": "cd"}):
        other = _draw(claims, **changes)
        assert not {job.job_key for job in other.jobs} & {job.job_key for job in _draw(claims).jobs}
        texts = {secret.case_key for secret in _draw(claims).secrets}
        assert not {secret.case_key for secret in other.secrets} & texts
    keys = [job.job_key for job in _draw(claims).jobs]
    assert len(set(keys)) == len(keys)


def test_a_device_that_takes_few_programs_gets_them_in_several_jobs(tools: Any) -> None:
    whole = _draw({"m": [_claim(tools)]})
    parts = _draw({"m": [_claim(tools, max_programs=1)]})
    assert {len(json.loads(job.request)["programs"]) for job in parts.jobs} == {1}
    assert sorted(one.case_key for one in parts.secrets) == sorted(
        one.case_key for one in whole.secrets
    )
    assert {one.place for one in parts.secrets} == {0}


def test_no_claim_keeps_the_others_from_being_tested(tools: Any) -> None:
    """Names claimed twice once broke the key of the table, and with it the whole round."""
    good = _claim(tools)
    hostile: dict[str, list[peer.DeviceClaim]] = {
        "twice": [_claim(tools, "a"), _claim(tools, "a", fee_rao_per_shot=1)],
        "qpu without rates": [_claim(tools, device_class="qpu")],
        "edges outside": [_claim(tools, edges=[[0, 7]])],
        "loop": [_claim(tools, edges=[[1, 1]])],
        "no gates": [_claim(tools, native_gates=[])],
        "unknown gate": [_claim(tools, native_gates=["warp"])],
        "no edges": [_claim(tools, num_qubits=6, edges=[])],
        "too large": [_claim(tools, num_qubits=1_024)],
        "wrong sheet": [
            _claim(tools, errors=peer.ErrorSheet(one_qubit=[0.1], two_qubit=[], readout=[]))
        ],
        "nothing": [],
    }
    drawn = _draw(hostile | {"honest": [good]})
    assert {job.miner_hotkey for job in drawn.jobs} == {"honest"}
    assert drawn.jobs == _draw({"honest": [good]}).jobs


def test_one_miner_cannot_make_the_validator_test_without_end(tools: Any) -> None:
    claims = [_claim(tools, f"d{number:02}") for number in range(64)]
    drawn = _draw({"m": claims})
    tested = sorted({job.device for job in drawn.jobs})
    assert tested == [f"d{number:02}" for number in range(MAX_DEVICES_TESTED)]


def test_an_epoch_is_written_once_and_whole(town: Any, tools: Any) -> None:
    store = town.store()
    first, second = _draw({"m": [_claim(tools)]}), _draw({"n": [_claim(tools)]})
    for drawn in (first, second, first):
        write_epoch(store, drawn)
    with store.read() as connection:
        assert evaluation.epoch(connection, 3) == first.row
        assert {one.miner_hotkey for one in dispatches.of_epoch(connection, "test", 3)} == {"m"}
    broken = _draw({"m": [_claim(tools)]}, epoch=4)  # its keys are those of epoch 3
    with pytest.raises(Exception, match="UNIQUE"):
        write_epoch(store, broken)
    with store.read() as connection:
        assert evaluation.epoch(connection, 4) is None


def test_who_does_not_answer_is_tested_on_the_last_claims(town: Any, tools: Any) -> None:
    import asyncio

    async def hang(*_: Any) -> None:
        await asyncio.Event().wait()

    async def story() -> None:
        await town.settle_in(miners=["m", "dead", "tar", "new"])
        hotkey = {n: tools.signer_of(n).identity for n in ("m", "dead", "tar", "new", "val")}
        store = town.store()
        write_epoch(store, _draw({hotkey["dead"]: [_claim(tools, "a"), _claim(tools, "b")]}))
        write_epoch(store, _draw({hotkey["tar"]: [_claim(tools, "t")]}, epoch=4, block_hash="x"))
        home = town.home("m", tools.backend(tools.device()).provider)
        tar = town.home("tar", tools.backend(tools.device()).provider)
        await home.start()
        await tar.start()
        tar.serve(hang)
        directory = await town.directory("val")
        found = await ask_claims(
            directory, store, hotkeys=set(hotkey.values()) - {hotkey["val"]}, wait_s=0.3
        )
        names = {owner: [one.name for one in claims] for owner, claims in found.items()}
        assert names == {
            hotkey["m"]: ["toy"],
            hotkey["dead"]: ["a", "b"],
            hotkey["tar"]: ["t"],
            hotkey["new"]: [],
        }
        assert await ask_claims(directory, store, hotkeys=[]) == {}

    tools.run(story())


def test_permutation_keys_differ_by_device_and_owner() -> None:
    keys = {permutation_key(SECRET, h, d) for h in ("a", "b") for d in ("c", "d")}
    assert len(keys) == 4
