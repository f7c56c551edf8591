"""The way into Open Quantum, or into whatever speaks its wire: three doors and a token.

Addresses and credentials come from where its own SDK looks: `OPENQUANTUM_SCHEDULER_URL`,
`OPENQUANTUM_MANAGEMENT_URL`, `OPENQUANTUM_KEYCLOAK_BASE`, `OPENQUANTUM_KEYCLOAK_REALM`; the file of
`OPENQUANTUM_SDK_KEY`, else `OPENQUANTUM_TOKEN`, else `OPENQUANTUM_CLIENT_ID` and
`OPENQUANTUM_CLIENT_SECRET`.

There is no clock here: a token that is refused is replaced once by a new one, which is safe,
because what is refused for its token started nothing.

Source: openquantum-sdk 1.0.0 (`auth`, `credentials`, `session`).
"""

from __future__ import annotations

import json
import os
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote, urlencode

from providers.errors import Rejected
from providers.rest import Answer, Rest, text

if TYPE_CHECKING:
    from providers.base import Json

_DOORS = {
    "scheduler": ("OPENQUANTUM_SCHEDULER_URL", "https://scheduler.openquantum.com"),
    "management": ("OPENQUANTUM_MANAGEMENT_URL", "https://management.openquantum.com"),
    "keycloak": ("OPENQUANTUM_KEYCLOAK_BASE", "https://id.openquantum.com"),
}


@dataclass(slots=True)
class Access:
    """Signed calls to the scheduler and the management interface.

    Attributes:
        scheduler: Address of the one.
        management: Address of the other.
        tokens: Where tokens are made.
        client: An SDK key's id and secret; two empty texts where a token was given.
        timeout_s: Longest wait of a call.
        token: The one in use; '' until one is needed.
    """

    scheduler: str
    management: str
    tokens: str
    client: tuple[str, str] = field(repr=False)
    timeout_s: float
    token: str = field(default="", repr=False)

    @property
    def rest(self) -> Rest:
        """Calls that know which secrets to hide."""
        return Rest("openquantum", self.timeout_s, (self.client[1], self.token))

    async def call(
        self,
        method: str,
        url: str,
        *,
        query: Mapping[str, str] | None = None,
        body: Json = None,
        starts: bool = False,
        known: Collection[int] = (),
    ) -> Answer:
        """Make a signed call; a token that has expired is renewed once.

        Raises:
            ProviderError: As `providers.rest.Rest.call`, like `starts` and `known`.
        """
        content = None if body is None else json.dumps(body).encode()
        renewable = bool(self.client[1])

        async def once(*statuses: int) -> Answer:
            if not self.token:
                await self._renew()
            headers = {"Authorization": f"Bearer {self.token}", "Content-Type": "application/json"}
            return await self.rest.call(
                method,
                url,
                headers=headers,
                query=query,
                content=content,
                starts=starts,
                known=statuses,
            )

        answer = await once(401, *known) if renewable else await once(*known)
        if answer.status == 401:
            self.token = ""
            answer = await once(*known)
        return answer

    async def _renew(self) -> None:
        form = {
            "grant_type": "client_credentials",
            "client_id": self.client[0],
            "client_secret": self.client[1],
        }
        kind = {"Content-Type": "application/x-www-form-urlencoded"}
        answer = await self.rest.call(
            "POST", self.tokens, headers=kind, content=urlencode(form).encode()
        )
        self.token = text(answer.json("openquantum"), "access_token", vendor="openquantum")


def found(timeout_s: float) -> Access:
    """Find addresses and credentials in the environment.

    Raises:
        Rejected: There are no credentials; the message says what to set.
    """
    doors = {
        name: (os.environ.get(variable, "").strip() or usual).rstrip("/")
        for name, (variable, usual) in _DOORS.items()
    }
    realm = os.environ.get("OPENQUANTUM_KEYCLOAK_REALM", "").strip() or "platform"
    tokens = f"{doors['keycloak']}/realms/{quote(realm, safe='')}/protocol/openid-connect/token"
    client, token = _credentials()
    return Access(doors["scheduler"], doors["management"], tokens, client, timeout_s, token)


def _credentials() -> tuple[tuple[str, str], str]:
    """((client id, secret), token), with one of the two empty."""
    path = os.environ.get("OPENQUANTUM_SDK_KEY", "").strip()
    if path:
        return _from_file(path), ""
    token = os.environ.get("OPENQUANTUM_TOKEN", "").strip()
    if token:
        return ("", ""), token
    names = ("OPENQUANTUM_CLIENT_ID", "OPENQUANTUM_CLIENT_SECRET")
    client, secret = (os.environ.get(name, "").strip() for name in names)
    if not client or not secret:
        raise Rejected(
            "openquantum needs its credentials in the environment: OPENQUANTUM_SDK_KEY (a file), "
            "OPENQUANTUM_TOKEN, or OPENQUANTUM_CLIENT_ID and OPENQUANTUM_CLIENT_SECRET"
        )
    return (client, secret), ""


def _from_file(path: str) -> tuple[str, str]:
    try:
        content = json.loads(Path(path).read_text())
        client, secret = content["client_id"], content["client_secret"]
    except (OSError, ValueError, KeyError, TypeError):
        raise Rejected(
            "the file of OPENQUANTUM_SDK_KEY is no JSON object with client_id and client_secret"
        ) from None
    return str(client), str(secret)
