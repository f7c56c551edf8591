from __future__ import annotations

from typing import Any

import pytest

from qsubnet.chain.calls import (
    AddStake,
    Announcement,
    Call,
    Commitment,
    Deregister,
    Register,
    RemoveStake,
    Target,
    WeightIntent,
    decode,
)
from qsubnet.chain.canonical import canonical

WEIGHTS = WeightIntent(
    validator="va", mechanism=1, epoch=3, targets=(Target("m2", 0.1, 4), Target("m1", 1, 2))
)


@pytest.mark.parametrize(
    "url",
    [
        "ftp://127.0.0.1:1",
        "http://127.0.0.1",
        "http://127.0.0.1:0",
        "http://127.0.0.1:70000",
        "http://:80",
        "http://127.0.0.1:80/",
        "http://127.0.0.1:80/path?x=1",
        "http://user:word@127.0.0.1:80",
        "http://127.0.0.1:80#x",
        "http://[::1:80",
        "http://127.0.0.1:80\n",
        "HTTP://127.0.0.1:80",
        "http://ex\u00e4mple.org:80",
        "http://" + "a" * 200 + ":80",
        "",
    ],
)
def test_an_endpoint_is_scheme_host_and_port_only(url: str) -> None:
    with pytest.raises(ValueError, match="an endpoint is"):
        Announcement(url)


@pytest.mark.parametrize(
    "url", ["http://127.0.0.1:8091", "https://[::1]:1", "http://a.example:65535"]
)
def test_a_plain_endpoint_is_taken(url: str) -> None:
    assert Announcement(url).url == url


@pytest.mark.parametrize(
    ("topic", "digest"),
    [("", "0" * 64), ("A", "0" * 64), ("a" * 65, "0" * 64), ("a", "0" * 63), ("a", "F" * 64)],
)
def test_a_commitment_has_one_spelling(topic: str, digest: str) -> None:
    with pytest.raises(ValueError, match=r"a topic|a digest"):
        Commitment(topic, digest)


@pytest.mark.parametrize(
    "change",
    [
        {"validator": "not an address"},
        {"mechanism": -1},
        {"epoch": -1},
        {"targets": (Target("m1", -1.0, 1),)},
        {"targets": (Target("m1", float("nan"), 1),)},
        {"targets": (Target("m1", float("inf"), 1),)},
        {"targets": (Target("m1", 1.0, -1),)},
        {"targets": (Target("m1", 1.0, 1), Target("m1", 2.0, 1))},
        {"targets": tuple(Target(f"m{i}", 1.0, 1) for i in range(4097))},
    ],
)
def test_an_intent_that_makes_no_sense_can_not_be_made(change: dict[str, Any]) -> None:
    fields: dict[str, Any] = {"validator": "va", "mechanism": 0, "epoch": 0, "targets": ()}
    with pytest.raises(ValueError, match=r"need|at most|each hotkey|a validator is"):
        WeightIntent(**(fields | change))


@pytest.mark.parametrize(
    "call",
    [
        WEIGHTS,
        Announcement("http://127.0.0.1:9"),
        Commitment("evidence/1", "0" * 64),
        Register("a"),
        Deregister("a"),
        AddStake("a", 3),
        RemoveStake("a", 3),
    ],
)
def test_a_call_reads_back_as_it_was_written(call: Call) -> None:
    again = decode(call.kind, call.arguments())
    assert type(again) is type(call)
    assert again.arguments() == call.arguments()


def test_what_an_intent_says_is_fixed_to_the_byte() -> None:
    # Golden: an intent's name must not change, or a repeated intent counts as another.
    expected = '{"epoch":3,"mechanism":1,"targets":[["m1",1.0,2],["m2",0.1,4]],"validator":"va"}'
    assert canonical(WEIGHTS.arguments()) == expected
    assert WEIGHTS.digest == "95a7d38a3a80050e2695130be360448d6c23dd6829eda2379a929dbf5dcd27d1"


def test_an_unknown_call_is_refused() -> None:
    for kind, arguments in (("transfer", {}), ("register", {"hotkey": 3}), ("weights", {})):
        with pytest.raises(ValueError, match="no call"):
            decode(kind, arguments)
