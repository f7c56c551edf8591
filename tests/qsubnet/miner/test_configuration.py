"""The miner's file: read whole, checked whole, and never a place for a secret."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from qsubnet.errors import ConfigurationError
from qsubnet.miner.configuration import Window, load_miner_config

WHOLE = """
adapter = "exec"
key_file = "keys/miner.key"
ledger = "/var/lib/qsubnet/ledger.db"
state = "~/state"
host = "0.0.0.0"
port = 8091
seed = "any text"
max_concurrent = 2

[options]
command = "python device.py"
timeout_s = 5.5
nested = {deep = [1, "a"]}

[[maintenance]]
start = 2027-02-05T10:00:00+02:00
end = 2027-02-05T12:00:00Z
reason = "later"

[[maintenance]]
start = 2027-01-05T08:00:00Z
end = 2027-01-05T12:00:00Z
"""


MOMENT = "2027-01-05T08:00:00Z"


def _write(folder: Path, text: str) -> Path:
    path = folder / "miner.toml"
    path.write_text(text)
    return path


def test_every_word_of_the_file_is_read_and_paths_start_at_the_file(tmp_path: Path) -> None:
    found = load_miner_config(_write(tmp_path, WHOLE))
    assert (found.adapter, found.seed, found.host, found.port) == (
        "exec",
        "any text",
        "0.0.0.0",  # noqa: S104 - nothing is bound here
        8091,
    )
    assert found.options == {
        "command": "python device.py",
        "timeout_s": 5.5,
        "nested": {"deep": [1, "a"]},
    }
    assert found.key_file == tmp_path / "keys" / "miner.key"
    assert found.ledger == Path("/var/lib/qsubnet/ledger.db")
    assert found.state == Path.home() / "state"
    assert found.max_concurrent == 2


def test_windows_are_in_utc_and_in_order(tmp_path: Path) -> None:
    first, second = load_miner_config(_write(tmp_path, WHOLE)).maintenance
    assert (first.start, first.reason) == (datetime(2027, 1, 5, 8, tzinfo=UTC), "maintenance")
    assert (second.start.isoformat(), second.reason) == ("2027-02-05T08:00:00+00:00", "later")


def test_a_window_holds_its_first_moment_and_not_its_last() -> None:
    start, end = datetime(2027, 1, 5, tzinfo=UTC), datetime(2027, 1, 6, tzinfo=UTC)
    window = Window(start=start, end=end)
    assert (window.covers(start), window.covers(end)) == (True, False)


def test_an_adapter_alone_is_enough(tmp_path: Path) -> None:
    found = load_miner_config(_write(tmp_path, 'adapter = "aer"'))
    assert (found.options, found.maintenance, found.max_concurrent) == ({}, (), 4)
    assert (found.host, found.port) == ("127.0.0.1", 0)
    assert {found.key_file.parent, found.ledger.parent, found.state.parent} == {tmp_path}


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", "adapter: Field required"),
        ('adapter = "aer"\nprot = 1', "prot: Extra inputs are not permitted"),
        ('adapter = "aer"\nport = 70000', "port: Input should be less than or equal to 65535"),
        ('adapter = "aer"\nport = "80"', "port: Input should be a valid integer"),
        ('adapter = "aer"\nmax_concurrent = 0', "max_concurrent: Input should be greater"),
        ('adapter = "aer"\n[options]\nday = 2027-01-01', "options.day"),
        ('adapter = "aer', "is no TOML"),
        (
            'adapter = "aer"\n[[maintenance]]\nstart = 2027-01-05T08:00:00\nend = 2027-01-06',
            "maintenance.0.start: Input should have timezone info",
        ),
        (
            'adapter = "aer"\n[[maintenance]]\nstart = 2027-01-05\nend = 2027-01-04T08:00:00Z',
            "maintenance.0.start: Input should have timezone info",
        ),
        (
            f'adapter = "aer"\n[[maintenance]]\nstart = {MOMENT}\nend = {MOMENT}',
            "maintenance.0: need start before end",
        ),
    ],
)
def test_a_wrong_word_is_named_with_what_is_allowed(
    tmp_path: Path, text: str, sentence: str
) -> None:
    path = _write(tmp_path, text)
    with pytest.raises(ConfigurationError) as caught:
        load_miner_config(path)
    assert str(caught.value).startswith(str(path))
    assert sentence in str(caught.value)


@pytest.mark.parametrize("name", ["token", "api_key", "aws_secret_access_key", "Password"])
def test_a_credential_is_refused_and_its_value_is_in_no_message(tmp_path: Path, name: str) -> None:
    path = _write(tmp_path, f'adapter = "ionq"\n[options]\n{name} = "planted-7f3a"')
    with pytest.raises(ConfigurationError, match="vendor's own tools") as caught:
        load_miner_config(path)
    assert name in str(caught.value)
    assert "planted" not in repr(caught.value)


def test_the_name_of_a_variable_is_no_credential(tmp_path: Path) -> None:
    path = _write(tmp_path, 'adapter = "ionq"\n[options]\ntoken_env = "IONQ_API_KEY"')
    assert load_miner_config(path).options == {"token_env": "IONQ_API_KEY"}


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"cannot read .*nowhere\.toml: No such file"):
        load_miner_config(tmp_path / "nowhere.toml")
