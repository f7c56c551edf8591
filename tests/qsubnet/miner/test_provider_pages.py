"""The examples on the adapters' pages are what a miner can copy: files that load, options that are.

Every example is read off the page, checked by the reader of `miner.toml`, and its adapter is opened
with it; no adapter asks its service for anything before the first question.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import providers
from providers.base import Context
from providers.local import LocalProvider
from qsubnet.miner.configuration import load_miner_config

PAGES = Path(__file__).parents[3] / "docs" / "providers"
FENCED = re.compile(r"^```toml\n(.*?)^```", re.MULTILINE | re.DOTALL)
INDENTED = re.compile(r"^(?: {4}.*\n|\n)*^ {4}adapter = .*\n(?:(?: {4}.*)?\n)*", re.MULTILINE)
COMMAND = re.compile(r"--provider (\w+) --options '(\{.*?\})'")

# What stands outside of a file: where each vendor's own tools look for credentials.
ENVIRONMENT = {
    "AWS_ACCESS_KEY_ID": "AKIAEXAMPLEEXAMPLE12",
    "AWS_SECRET_ACCESS_KEY": "example",
    "AWS_DEFAULT_REGION": "eu-north-1",
    "AWS_EC2_METADATA_DISABLED": "true",
    "IONQ_API_KEY": "example-key",
    "AZURE_QUANTUM_CONNECTION_STRING": "SubscriptionId=s;ResourceGroupName=g;WorkspaceName=w;"
    "ApiKey=example;QuantumEndpoint=http://127.0.0.1:9",
    "OPENQUANTUM_TOKEN": "example",
    "OPENQUANTUM_SCHEDULER_URL": "http://127.0.0.1:9",
    "OPENQUANTUM_MANAGEMENT_URL": "http://127.0.0.1:9",
    "OPENQUANTUM_KEYCLOAK_BASE": "http://127.0.0.1:9",
}
SHEET = {
    "name": "h2-1",
    "class": "qpu",
    "num_qubits": 3,
    "native_gates": ["prx", "rz"],
    "two_qubit_gate": "rzz",
    "coupling": [[0, 1], [0, 2], [1, 2]],
    "errors": {"one_qubit": 0.001, "two_qubit": 0.01, "readout": 0.02},
}


def settings() -> Iterator[Any]:
    """Every example of a miner's file, with the page that has it."""
    for page in sorted(PAGES.glob("*.md")):
        text = page.read_text()
        indented = [
            "".join(line.removeprefix("    ") for line in block.splitlines(keepends=True))
            for block in INDENTED.findall(text)
        ]
        for index, block in enumerate([*FENCED.findall(text), *indented]):
            yield pytest.param(page.stem, block, id=f"{page.stem}-{index}")


def commands() -> Iterator[Any]:
    """Every example of options on a command line."""
    for page in sorted(PAGES.glob("*.md")):
        for index, (name, options) in enumerate(COMMAND.findall(page.read_text())):
            yield pytest.param(page.stem, name, options, id=f"{page.stem}-{index}")


def opens(name: str, options: dict[str, Any]) -> None:
    provider = providers.create(name, options, Context(b"seed", lambda: 0))
    assert provider.name == name
    if isinstance(provider, LocalProvider):
        provider.close()


@pytest.mark.parametrize(("page", "text"), list(settings()))
def test_an_example_of_a_miners_file_loads_and_opens_its_adapter(
    page: str, text: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for variable, value in ENVIRONMENT.items():
        monkeypatch.setenv(variable, value)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "h2-1.json").write_text(json.dumps(SHEET))
    (tmp_path / "miner.toml").write_text(text)
    config = load_miner_config(tmp_path / "miner.toml")
    assert config.adapter == page
    assert config.options
    opens(config.adapter, config.options)


@pytest.mark.parametrize(("page", "name", "options"), list(commands()))
def test_options_on_a_command_line_open_their_adapter(page: str, name: str, options: str) -> None:
    assert name == page
    opens(name, json.loads(options))


def test_every_page_of_an_adapter_has_an_example() -> None:
    shown = {example.values[0] for example in (*settings(), *commands())}
    assert {page.stem for page in PAGES.glob("*.md")} & set(providers.ADAPTERS) == shown
