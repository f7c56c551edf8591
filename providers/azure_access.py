"""The way into an Azure Quantum workspace: where it is, and how a call is signed.

Credentials come from where Azure's own tools look, in this order:

- `AZURE_QUANTUM_CONNECTION_STRING`, with its key and its workspace;
- `AZURE_QUANTUM_TOKEN`, or the file that `AZURE_QUANTUM_TOKEN_FILE` names: a token made elsewhere;
- `AZURE_TENANT_ID`, `AZURE_CLIENT_ID` and `AZURE_CLIENT_SECRET`: an application's own.

A token lives about an hour. There is no clock here: when one is refused, a new one is fetched and
the call made once more, which is safe, because what is refused for its token started nothing.

Source: azure-quantum 3.13.0 (`_workspace_connection_params`, `_constants`), Microsoft's OAuth 2.0
client credentials flow.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote, urlencode

from providers.errors import Rejected
from providers.rest import Answer, Rest, item, text

if TYPE_CHECKING:
    from providers.base import Json

API_VERSION = "2026-01-15-preview"
_SCOPE = "https://quantum.microsoft.com/.default"
_NAME = r"[^/\s;]+"
_RESOURCE = re.compile(
    rf"/subscriptions/(?P<subscription>{_NAME})/resourceGroups/(?P<group>{_NAME})"
    rf"/providers/Microsoft\.Quantum/Workspaces/(?P<workspace>{_NAME})/?\Z",
    re.IGNORECASE,
)
_PARTS = {
    "subscription": "AZURE_QUANTUM_SUBSCRIPTION_ID",
    "group": "AZURE_QUANTUM_WORKSPACE_RG",
    "workspace": "AZURE_QUANTUM_WORKSPACE_NAME",
    "location": "AZURE_QUANTUM_WORKSPACE_LOCATION",
}


@dataclass(frozen=True, slots=True)
class Workspace:
    """Where the workspace is.

    Attributes:
        subscription: Azure's subscription id.
        group: Its resource group.
        workspace: Its name.
        endpoint: Its door, without a slash at the end.
    """

    subscription: str
    group: str
    workspace: str
    endpoint: str

    @property
    def url(self) -> str:
        """The address below which everything of the workspace is."""
        parts = [quote(part, safe="") for part in (self.subscription, self.group, self.workspace)]
        return (
            f"{self.endpoint}/subscriptions/{parts[0]}/resourceGroups/{parts[1]}"
            f"/providers/Microsoft.Quantum/workspaces/{parts[2]}"
        )


@dataclass(slots=True)
class Pass:
    """What a call is signed with.

    Attributes:
        key: A workspace's key; '' where a token is used.
        token: The token in use; '' until one is needed.
        file: Where a token is read from, again and again.
        client: tenant, client id and secret of an application.
        authority: Who makes its tokens.
    """

    key: str = field(default="", repr=False)
    token: str = field(default="", repr=False)
    file: str = ""
    client: tuple[str, str, str] = field(default=("", "", ""), repr=False)
    authority: str = "https://login.microsoftonline.com"

    @property
    def secrets(self) -> tuple[str, ...]:
        """What must not be printed, as far as it is known."""
        return tuple(secret for secret in (self.key, self.token, self.client[2]) if secret)

    @property
    def renewable(self) -> bool:
        """True where another token can be had."""
        return bool(self.file or self.client[2])

    async def headers(self, rest: Rest) -> dict[str, str]:
        """Sign a call."""
        if self.key:
            return {"x-ms-quantum-api-key": self.key}
        if self.file:
            self.token = _from_file(self.file)
        elif not self.token:
            self.token = await self._fetched(rest)
        return {"Authorization": f"Bearer {self.token}"}

    async def _fetched(self, rest: Rest) -> str:
        tenant, client, secret = self.client
        form = {
            "grant_type": "client_credentials",
            "client_id": client,
            "client_secret": secret,
            "scope": _SCOPE,
        }
        kind = {"Content-Type": "application/x-www-form-urlencoded"}
        url = f"{self.authority.rstrip('/')}/{quote(tenant, safe='')}/oauth2/v2.0/token"
        quiet = Rest(rest.vendor, rest.timeout_s, self.secrets)
        answer = await quiet.call("POST", url, headers=kind, content=urlencode(form).encode())
        return text(answer.json("azure"), "access_token", vendor="azure")


@dataclass(slots=True)
class Door:
    """Signed calls to one workspace."""

    workspace: Workspace
    given: Pass
    timeout_s: float

    @property
    def rest(self) -> Rest:
        """Calls that know which secrets to hide."""
        return Rest("azure", self.timeout_s, self.given.secrets)

    async def call(
        self,
        method: str,
        path: str,
        *,
        body: Json = None,
        starts: bool = False,
        known: Collection[int] = (),
    ) -> Answer:
        """Call the workspace; a token that has expired is renewed once.

        Raises:
            ProviderError: As `providers.rest.Rest.call`, like `starts` and `known`.
        """
        content = None if body is None else json.dumps(body).encode()

        async def once(*statuses: int) -> Answer:
            headers = {**await self.given.headers(self.rest), "Content-Type": "application/json"}
            return await self.rest.call(
                method,
                f"{self.workspace.url}/{path}",
                headers=headers,
                query={"api-version": API_VERSION},
                content=content,
                starts=starts,
                known=statuses,
            )

        answer = await once(401, *known) if self.given.renewable else await once(*known)
        if answer.status == 401:
            self.given.token = ""
            answer = await once(*known)
        return answer


def found(*, resource_id: str, location: str, endpoint: str, timeout_s: float) -> Door:
    """Find workspace and credentials by the options and the environment.

    Args:
        resource_id: `/subscriptions/.../Workspaces/...`, or '' to look into the environment.
        location: Azure's name of the region, or ''.
        endpoint: The door itself, or '' to make it of the location.
        timeout_s: Longest wait of a call.

    Raises:
        Rejected: Something is missing; the message says what to set.
    """
    string = os.environ.get("AZURE_QUANTUM_CONNECTION_STRING", "").strip()
    if string:
        return _by_string(string, endpoint, timeout_s)
    match = _RESOURCE.match(resource_id)
    if resource_id and not match:
        raise Rejected(
            "option 'resource_id' of 'azure' is /subscriptions/.../resourceGroups/.../providers/"
            f"Microsoft.Quantum/Workspaces/..., got {resource_id[:120]!r}"
        )
    parts = {name: os.environ.get(variable, "").strip() for name, variable in _PARTS.items()}
    parts |= match.groupdict() if match else {}
    parts["location"] = location or parts["location"]
    missing = [name for name, value in parts.items() if not value]
    if endpoint and missing == ["location"]:
        missing = []
    if missing:
        raise Rejected(
            "azure needs a workspace: set AZURE_QUANTUM_CONNECTION_STRING, or the options "
            f"resource_id and location, or {', '.join(_PARTS[name] for name in missing)}"
        )
    door = (endpoint or f"https://{parts['location']}.quantum.azure.com").rstrip("/")
    workspace = Workspace(parts["subscription"], parts["group"], parts["workspace"], door)
    return Door(workspace, _by_environment(), timeout_s)


def _by_string(string: str, endpoint: str, timeout_s: float) -> Door:
    pairs = dict(part.partition("=")[::2] for part in string.split(";") if part)
    names = ("SubscriptionId", "ResourceGroupName", "WorkspaceName", "ApiKey", "QuantumEndpoint")
    missing = [name for name in names if not pairs.get(name)]
    if missing:
        raise Rejected(f"AZURE_QUANTUM_CONNECTION_STRING has no {', '.join(missing)}")
    door = (endpoint or pairs["QuantumEndpoint"]).rstrip("/")
    workspace = Workspace(
        pairs["SubscriptionId"], pairs["ResourceGroupName"], pairs["WorkspaceName"], door
    )
    return Door(workspace, Pass(key=pairs["ApiKey"]), timeout_s)


def _by_environment() -> Pass:
    values = {name: os.environ.get(name, "").strip() for name in _NAMES}
    if values["AZURE_QUANTUM_TOKEN"]:
        return Pass(token=values["AZURE_QUANTUM_TOKEN"])
    if values["AZURE_QUANTUM_TOKEN_FILE"]:
        return Pass(file=values["AZURE_QUANTUM_TOKEN_FILE"])
    client = (
        values["AZURE_TENANT_ID"],
        values["AZURE_CLIENT_ID"],
        values["AZURE_CLIENT_SECRET"],
    )
    if not all(client):
        raise Rejected(
            "azure needs its credentials in the environment: AZURE_QUANTUM_CONNECTION_STRING, "
            "AZURE_QUANTUM_TOKEN, AZURE_QUANTUM_TOKEN_FILE, or AZURE_TENANT_ID, AZURE_CLIENT_ID "
            "and AZURE_CLIENT_SECRET"
        )
    authority = values["AZURE_AUTHORITY_HOST"] or "login.microsoftonline.com"
    return Pass(client=client, authority=_address(authority))


_NAMES = (
    "AZURE_AUTHORITY_HOST",
    "AZURE_CLIENT_ID",
    "AZURE_CLIENT_SECRET",
    "AZURE_QUANTUM_TOKEN",
    "AZURE_QUANTUM_TOKEN_FILE",
    "AZURE_TENANT_ID",
)


def _address(host: str) -> str:
    """Azure's tools take a host with or without its scheme."""
    return host if "://" in host else f"https://{host}"


def _from_file(path: str) -> str:
    """Read a token that another tool keeps fresh: {"access_token": "...", ...}."""
    try:
        content: Json = json.loads(Path(path).read_text())
    except (OSError, ValueError):
        raise Rejected("the file of AZURE_QUANTUM_TOKEN_FILE cannot be read as JSON") from None
    token = item(content, "access_token", vendor="azure") if isinstance(content, Mapping) else None
    if not isinstance(token, str) or not token:
        raise Rejected("the file of AZURE_QUANTUM_TOKEN_FILE has no access_token")
    return token
