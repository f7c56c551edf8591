"""A lock file that says which process does a job; the kernel drops it with the process.

Assumes a local filesystem with `flock`. The file stays and means nothing by itself.
"""

from __future__ import annotations

import contextlib
import fcntl
from typing import TYPE_CHECKING

from qsubnet.errors import Busy

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@contextlib.contextmanager
def sole(path: Path, *, role: str) -> Iterator[None]:
    """Hold an exclusive lock on `path` inside the block; the file is made if missing.

    Args:
        path: The lock file.
        role: Who holds it, for the message: "validator", "miner".

    Raises:
        Busy: Another process holds it.
    """
    with path.open("a") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise Busy(f"another {role} holds {path}; it does the work") from error
        yield
