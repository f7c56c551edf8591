"""A lock file: one process at a time, free again as soon as that one is gone."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from qsubnet.errors import Busy
from qsubnet.lock import sole

_HOLDER = """
import sys, pathlib
from qsubnet.lock import sole
with sole(pathlib.Path(sys.argv[1]), role="miner"):
    print("held", flush=True)
    sys.stdin.read()
"""


def test_a_second_holder_is_told_and_a_killed_one_leaves_no_lock(tmp_path: Path) -> None:
    path = tmp_path / "a.lock"
    process = subprocess.Popen(
        [sys.executable, "-c", _HOLDER, str(path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env=dict(os.environ),
    )
    try:
        assert process.stdout is not None
        assert process.stdout.readline() == b"held\n"
        with pytest.raises(Busy, match="another miner holds"), sole(path, role="miner"):
            pass
    finally:
        process.kill()
        process.communicate()
    with sole(path, role="miner"):
        pass
    with sole(path, role="miner"):
        pass
