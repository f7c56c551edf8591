"""The researcher's side: submit programs to a gateway, get counts with a receipt.

    from qsubnet.client import Client

    with Client("http://127.0.0.1:8080", "the-api-key") as client:
        result = client.run(open("bell.qasm").read(), shots=1000)
        print(result.results[0].counts)

`AsyncClient` has the same methods as coroutines. Light on purpose: httpx and pydantic, no SDK.
"""

from __future__ import annotations

from qsubnet.client.asynchronous import AsyncClient
from qsubnet.client.connection import Connection, find_connection, from_state_file, write_state_file
from qsubnet.client.sync import Client
from qsubnet.wire.research import DeviceView, JobList, JobView, ProgramResultView, ResultView

__all__ = [
    "AsyncClient",
    "Client",
    "Connection",
    "DeviceView",
    "JobList",
    "JobView",
    "ProgramResultView",
    "ResultView",
    "find_connection",
    "from_state_file",
    "write_state_file",
]
