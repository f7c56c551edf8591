"""The text of a new `miner.toml`, with a comment at every word."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qsubnet.onboarding.toml_text import toml_key, toml_value

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pydantic import JsonValue

    from qsubnet.miner.configuration import Window

CREDENTIALS: dict[str, str] = {
    "azure": "the environment: AZURE_QUANTUM_CONNECTION_STRING, AZURE_QUANTUM_TOKEN or AZURE_...",
    "braket": "AWS's own places (only in the cloud): environment, ~/.aws, or the machine's role",
    "cirq": "Google's Application Default Credentials (only in the cloud)",
    "ibm": "what QiskitRuntimeService.save_account wrote, or QISKIT_IBM_TOKEN",
    "ionq": "the environment: IONQ_API_KEY",
    "openquantum": "the environment: OPENQUANTUM_SDK_KEY or OPENQUANTUM_TOKEN",
}
"""Where the vendor's own tools look, by adapter; see also docs/providers."""

_LOCAL = frozenset({"aer", "cheats", "exec", "standin"})

_TEMPLATE = """\
# A qsubnet miner. Read by: qsubnet miner check | serve | status --config miner.toml
# Paths are relative to this file. No credentials in here:
# {credentials}.

# The adapter by its name; a wrong one is answered with those that exist.
adapter = {adapter}

# The miner's hotkey (mode 0600). Whoever has this file is this miner; back it up.
key_file = {key_file}

# The chain: the file of the local ledger.
ledger = {ledger}

# Where the miner keeps accepted jobs, so that a restart loses none and runs none twice.
state = {state}

# Where validators and gateways reach this miner; port 0 takes a free one at every start.
host = {host}
port = {port}

# Root of a simulator's random numbers: any text that others do not know. Real devices ignore it.
seed = {seed}

# Jobs that run at the backend at the same time; the others wait their turn.
max_concurrent = {max_concurrent}

# The adapter's own options.
[options]
{options}
{maintenance}"""

_WINDOW = """
# No jobs are taken in this time. Announce it early: what is open at its start runs to its end.
[[maintenance]]
start = {start}
end = {end}
reason = {reason}
"""

_NO_WINDOW = """
# Times in which no jobs are taken, announced in advance; one such table each.
# [[maintenance]]
# start = 2030-01-05T08:00:00Z
# end = 2030-01-05T12:00:00Z
# reason = "recalibration"
"""


def miner_toml(
    *,
    adapter: str,
    options: Mapping[str, JsonValue],
    places: Mapping[str, str],
    host: str,
    port: int,
    seed: str,
    max_concurrent: int,
    maintenance: Sequence[Window] = (),
) -> str:
    """Write the file's text.

    Args:
        adapter: Its name.
        options: The adapter's own; no credential among them.
        places: `key_file`, `ledger` and `state`, as they shall stand in the file.
        host: Where to listen.
        port: 0 for a free one.
        seed: Any text.
        max_concurrent: Jobs at the same time.
        maintenance: Windows.

    Raises:
        BadInput: An option cannot be written as TOML.
    """
    lines = [f"{toml_key(name)} = {toml_value(value)}" for name, value in options.items()]
    windows = [
        _WINDOW.format(
            start=window.start.isoformat().replace("+00:00", "Z"),
            end=window.end.isoformat().replace("+00:00", "Z"),
            reason=toml_value(window.reason),
        )
        for window in maintenance
    ]
    return _TEMPLATE.format(
        credentials=_credentials(adapter),
        adapter=toml_value(adapter),
        host=toml_value(host),
        port=port,
        seed=toml_value(seed),
        max_concurrent=max_concurrent,
        options="\n".join(lines) or "# none",
        maintenance="".join(windows) or _NO_WINDOW,
        **{name: toml_value(place) for name, place in places.items()},
    )


def _credentials(adapter: str) -> str:
    where = CREDENTIALS.get(adapter)
    if where is not None:
        return f"this adapter finds them where the vendor's tools do: {where}"
    if adapter in _LOCAL:
        return "this adapter needs none"
    return "they stay where the backend's own tools look for them"
