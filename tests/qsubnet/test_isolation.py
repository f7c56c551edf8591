"""The isolation that every test relies on: no network, no home, no settings from outside."""

from __future__ import annotations

import os
import socket
from pathlib import Path

import pytest
from pytest_socket import SocketConnectBlockedError


def test_nothing_beyond_loopback_can_be_reached() -> None:
    # 192.0.2.0/24 is set aside for documentation (RFC 5737) and never routed.
    with socket.socket() as outside, pytest.raises(SocketConnectBlockedError):
        outside.connect(("192.0.2.1", 9))


def test_loopback_can_be_reached() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        socket.create_connection(server.getsockname(), timeout=5).close()


def test_home_is_a_folder_of_this_run(tmp_path_factory: pytest.TempPathFactory) -> None:
    assert Path.home().is_relative_to(tmp_path_factory.getbasetemp())


def test_settings_of_the_caller_are_not_seen() -> None:
    ours = {name for name in os.environ if name.startswith("QSUBNET_")}
    assert ours <= {"QSUBNET_REFERENCE_DATA"}
