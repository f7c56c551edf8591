"""The command line: thin commands over public functions, results on stdout, progress on stderr."""

from __future__ import annotations

from qsubnet.cli.main import main

__all__ = ["main"]
