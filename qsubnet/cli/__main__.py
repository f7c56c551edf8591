"""`python -m qsubnet.cli`: the same as the `qsubnet` command."""

from __future__ import annotations

from qsubnet.cli.main import main

if __name__ == "__main__":
    main()
