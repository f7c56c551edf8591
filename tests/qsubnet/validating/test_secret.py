"""The validator's secret: made once, whole, and for its owner's eyes only."""

from __future__ import annotations

from pathlib import Path

import pytest

from qsubnet.errors import ConfigurationError
from qsubnet.validating.secret import create_secret, load_secret


def test_a_secret_is_made_once_and_stays(tmp_path: Path) -> None:
    path = tmp_path / "case-secret"
    first = load_secret(path)
    assert len(first) == 32
    assert load_secret(path) == first
    create_secret(path, bytes(32))  # an existing one stays
    assert load_secret(path) == first
    assert path.stat().st_mode & 0o777 == 0o600
    assert [one.name for one in tmp_path.iterdir()] == ["case-secret"]


def test_a_secret_that_others_may_read_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "case-secret"
    load_secret(path)
    path.chmod(0o640)
    with pytest.raises(ConfigurationError, match="chmod 600"):
        load_secret(path)


@pytest.mark.parametrize("content", ["", "zz" * 32, "00" * 31])
def test_a_damaged_secret_is_refused_and_not_replaced(content: str, tmp_path: Path) -> None:
    path = tmp_path / "case-secret"
    path.write_text(content)
    path.chmod(0o600)
    with pytest.raises(ConfigurationError, match="damaged"):
        load_secret(path)
    assert path.read_text() == content


def test_a_secret_of_another_length_is_never_written(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="need 32 bytes, got 5"):
        create_secret(tmp_path / "case-secret", b"short")
    assert not list(tmp_path.iterdir())
