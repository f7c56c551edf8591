"""A new miner's file: commented, complete, never written over, and never with a secret in it."""

from __future__ import annotations

import asyncio
import stat
import tomllib
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from qsubnet.chain.errors import LedgerMissing
from qsubnet.chain.genesis import Genesis
from qsubnet.chain.local import create_local, open_local
from qsubnet.errors import BadInput, NotFound
from qsubnet.miner.configuration import load_miner_config
from qsubnet.onboarding.founding import Wish, found_miner, read_window, take_seat
from qsubnet.onboarding.miner_toml import miner_toml
from qsubnet.wire.keys import Sr25519Verifier, create_key_file, load_key_file, new_seed

characters = st.characters(exclude_categories=["Cs"])
values = st.recursive(
    st.booleans()
    | st.integers(-(2**63), 2**63 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(characters),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(characters), inner, max_size=3)
    ),
    max_leaves=8,
)


def _wish(folder: Path, **changed: Any) -> Wish:
    given: dict[str, Any] = {
        "path": folder / "miner.toml",
        "adapter": "aer",
        "options": {"num_qubits": 5},
        "ledger": folder / "ledger.db",
    }
    return Wish(**{**given, **changed})


def test_the_file_reads_back_as_it_was_wished(tmp_path: Path) -> None:
    window = read_window("2030-01-05T08:00Z/2030-01-05T12:00+02:00 new fridge")
    wish = _wish(tmp_path, host="::1", port=8091, max_concurrent=2, maintenance=[window])
    founded = found_miner(wish, replace=False)
    found = load_miner_config(founded.path)
    assert (found.adapter, found.options) == ("aer", {"num_qubits": 5})
    assert (found.host, found.port, found.max_concurrent) == ("::1", 8091, 2)
    assert (found.ledger, found.state) == (tmp_path / "ledger.db", tmp_path / "state")
    assert found.maintenance == (window,)
    assert load_key_file(found.key_file).identity == founded.hotkey
    assert len(found.seed) == 32


@settings(max_examples=60)
@given(st.dictionaries(st.text(characters), values, max_size=4))
def test_any_option_that_json_has_comes_back_from_the_file(options: dict[str, Any]) -> None:
    text = miner_toml(
        adapter="aer",
        options=options,
        places={"key_file": "k", "ledger": "l", "state": "s"},
        host="h",
        port=0,
        seed="",
        max_concurrent=1,
    )
    assert tomllib.loads(text)["options"] == options


@pytest.mark.parametrize("value", [None, float("nan"), 2**63, "\ud800"])
def test_what_toml_has_no_word_for_is_refused(tmp_path: Path, value: Any) -> None:
    with pytest.raises(BadInput, match="TOML"):
        found_miner(_wish(tmp_path, options={"x": value}), replace=False)
    assert list(tmp_path.iterdir()) == []


def test_every_word_of_the_file_has_a_comment(tmp_path: Path) -> None:
    lines = found_miner(_wish(tmp_path), replace=False).path.read_text().splitlines()
    words = [number for number, line in enumerate(lines) if line and line[0] not in "#["]
    for number in words:
        above = [line for line in lines[:number] if line != ""]
        assert any(line.startswith("#") for line in above[-3:]), lines[number]
    assert any("credentials" in line.lower() for line in lines)


def test_file_and_key_are_for_their_owner_alone(tmp_path: Path) -> None:
    founded = found_miner(_wish(tmp_path), replace=False)
    modes = {stat.S_IMODE(path.stat().st_mode) for path in (founded.path, founded.key_file)}
    assert modes == {0o600}


def test_a_file_is_replaced_only_when_told_and_a_key_never(tmp_path: Path) -> None:
    first = found_miner(_wish(tmp_path), replace=False)
    before = first.path.read_text()
    with pytest.raises(BadInput, match="--force"):
        found_miner(_wish(tmp_path, adapter="standin"), replace=False)
    assert first.path.read_text() == before
    again = found_miner(_wish(tmp_path, adapter="standin", options={}), replace=True)
    assert load_miner_config(again.path).adapter == "standin"
    assert (again.hotkey, again.made_key) == (first.hotkey, False)


def test_a_named_key_is_used_and_has_to_be_there(tmp_path: Path) -> None:
    key = tmp_path / "elsewhere" / "mine.key"
    with pytest.raises(NotFound, match=r"mine\.key"):
        found_miner(_wish(tmp_path / "new", key_file=key), replace=False)
    key.parent.mkdir()
    hotkey = create_key_file(key, seed=new_seed()).identity
    founded = found_miner(_wish(tmp_path / "new", key_file=key), replace=False)
    assert (founded.hotkey, founded.made_key) == (hotkey, False)
    assert load_miner_config(founded.path).key_file == key
    assert not (tmp_path / "new" / "miner.key").exists()


def test_a_credential_never_gets_into_the_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("IONQ_API_KEY", "planted-51c0ffee")
    with pytest.raises(BadInput, match="credential") as caught:
        found_miner(_wish(tmp_path, options={"token": "planted-51c0ffee"}), replace=False)
    assert "planted" not in str(caught.value)
    assert list(tmp_path.iterdir()) == []
    found_miner(_wish(tmp_path), replace=False)
    assert all(b"planted" not in path.read_bytes() for path in tmp_path.iterdir())


def test_an_unknown_adapter_is_answered_with_those_that_exist(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match=r"no adapter 'areo'; there are .*aer"):
        found_miner(_wish(tmp_path, adapter="areo"), replace=False)


@pytest.mark.parametrize(
    "text",
    ["", "tomorrow", "2030-01-05T08:00/2030-01-05T09:00 x", "2030-01-06T08:00Z/2030-01-05T08:00Z"],
)
def test_a_window_that_is_none_is_refused_with_an_example(text: str) -> None:
    with pytest.raises(BadInput, match="START/END and a reason"):
        read_window(text)


def test_a_seat_is_taken_once_by_a_coldkey_that_stays(tmp_path: Path) -> None:
    ledger, coldkey = tmp_path / "ledger.db", tmp_path / "coldkey.key"
    verify = Sr25519Verifier().verify
    create_local(ledger, Genesis(seed=1), verify=verify).close()
    hotkey = found_miner(_wish(tmp_path), replace=False).hotkey
    assert asyncio.run(take_seat(ledger, hotkey=hotkey, coldkey_file=coldkey))
    assert not asyncio.run(take_seat(ledger, hotkey=hotkey, coldkey_file=coldkey))

    async def owner() -> str:
        async with open_local(ledger, verify=verify) as chain:
            neuron = (await chain.metagraph()).neuron(hotkey)
            assert neuron is not None
            return neuron.coldkey

    assert asyncio.run(owner()) == load_key_file(coldkey).identity


def test_without_a_ledger_there_is_no_seat_and_no_coldkey(tmp_path: Path) -> None:
    with pytest.raises(LedgerMissing):
        asyncio.run(
            take_seat(tmp_path / "no.db", hotkey="x", coldkey_file=tmp_path / "coldkey.key")
        )
    assert list(tmp_path.iterdir()) == []
