#!/usr/bin/env python3
"""Cut the lock down to the packages that one role needs, hashes and all.

    uv pip compile pyproject.toml --extra miner -c requirements.lock -o names
    python subset.py requirements.lock < names > miner.lock

Reads `name==version` lines on stdin, as a resolver names them, and prints the blocks that the lock
has for them. The resolver only chooses names: versions and hashes are the lock's, and a package
that the lock does not have in that version ends this with an error. Standard library only.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable
from pathlib import Path

_BLOCK = re.compile(r"^(?P<name>[a-z0-9._-]+)(?:\[[^\]]*\])?==(?P<version>[^\s;\\]+)")


def blocks(lock: str) -> dict[tuple[str, str], str]:
    r"""Cut a lock into its requirements, by name and version.

    Example:
        >>> list(blocks("# made\na==1 \\\n    --hash=sha256:00\nb==2 \\\n    --hash=sha256:11\n"))
        [('a', '1'), ('b', '2')]
    """
    found: dict[tuple[str, str], str] = {}
    for part in re.split(r"\n(?=[a-z0-9])", "\n".join(_without_comments(lock))):
        if matched := _BLOCK.match(part):
            found[matched["name"], matched["version"]] = part.rstrip("\n")
    return found


def subset(lock: str, wanted: Iterable[str]) -> str:
    r"""Give the lock's blocks of what is wanted.

    Raises:
        SystemExit: The lock has no such package in that version.

    Example:
        >>> subset("a==1 \\\n    --hash=sha256:00\nb==2 \\\n    --hash=sha256:11\n", ["b==2"])
        'b==2 \\\n    --hash=sha256:11\n'
    """
    known = blocks(lock)
    chosen: list[str] = []
    for line in _without_comments("\n".join(wanted)):
        matched = _BLOCK.match(line.strip())
        key = (matched["name"], matched["version"]) if matched else (line.strip(), "")
        if key not in known:
            raise SystemExit(f"the lock has no {line.strip()!r}: make it anew (make lock)")
        chosen.append(known[key])
    return "".join(f"{block}\n" for block in chosen)


def _without_comments(text: str) -> list[str]:
    return [line for line in text.splitlines() if line.strip() and not line.startswith("#")]


if __name__ == "__main__":
    sys.stdout.write(subset(Path(sys.argv[1]).read_text(), sys.stdin))
