"""The documents against the code: what they promise by name has to be there."""

from __future__ import annotations

import re
from pathlib import Path

from qsubnet import errors

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text()


def test_the_readme_lists_each_exit_code_with_its_errors() -> None:
    rows = re.findall(r"^\| (\d+) \| (`[^|]*`) \|", README, re.MULTILINE)
    told = {(name, int(code)) for code, cell in rows for name in re.findall(r"`(\w+)`", cell)}
    kinds = [kind for kind in vars(errors).values() if isinstance(kind, type)]
    ours = {(k.__name__, k.exit_code) for k in kinds if issubclass(k, errors.QsubnetError)}
    assert told == ours


def test_every_file_that_a_document_links_to_exists() -> None:
    for document in ROOT.glob("*.md"):
        targets = re.findall(r"\]\((?!http)([^)#]+)\)", document.read_text())
        assert [target for target in targets if not (ROOT / target).exists()] == []


def test_every_target_that_a_document_names_is_in_the_makefile() -> None:
    makefile = (ROOT / "Makefile").read_text()
    known = set(re.findall(r"^([a-z]+):.*## ", makefile, re.MULTILINE))
    for document in ROOT.glob("*.md"):
        named = set(re.findall(r"(?:`|^)make ([a-z]+)", document.read_text(), re.MULTILINE))
        assert named <= known
