"""A vendor's HTTP door: one call, its answer as JSON, and every failure as the error it means.

What may have started something is never repeated here: after a cut or a server's error the caller
gets `OutcomeUnknown` and looks its work up first. Secrets (keys, tokens, the signed part of an
address) stay out of messages, of `repr` and of httpx's own log lines.

Blind spot: a gateway that answers 4xx after the vendor has accepted the work.
Source: RFC 9110 section 15 (status codes), section 10.2.3 (Retry-After).
"""

from __future__ import annotations

import json
import os
import re
import ssl
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from functools import lru_cache
from typing import TYPE_CHECKING

import httpx

from providers.errors import (
    AdapterFault,
    OutcomeUnknown,
    ProviderError,
    Rejected,
    RetryLater,
    UnknownHandle,
)
from providers.masking import MASK, masked

if TYPE_CHECKING:
    from providers.base import Json

MOST_BYTES = 256_000_000
"""Of one answer, before anything in it is read."""

_NOTHING_SENT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout)
_SIGNATURE = re.compile(r"((?:sig|signature|token)=)[^&\s\"'<>]+", re.IGNORECASE)
_WORDS = ("message", "detail", "error_description", "error", "title")


class _Quiet(httpx.URL):
    """An address that prints without its query, which is where signatures are."""

    def __str__(self) -> str:
        return f"{self.scheme}://{self.netloc.decode()}{self.path}"


class SecretUrl(httpx.URL):
    """An address that is a secret itself, such as an upload's: it prints as its host alone."""

    def __str__(self) -> str:
        return f"{self.scheme}://{self.netloc.decode()}/..."


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back, with a status below 300 or one that the caller knows."""

    status: int
    content: bytes
    headers: Mapping[str, str]

    def json(self, vendor: str) -> Json:
        """Read the content as JSON.

        Raises:
            AdapterFault: It is none.
        """
        try:
            content: Json = json.loads(self.content)
        except (ValueError, RecursionError):
            raise AdapterFault(f"{vendor} answered with something that is no JSON") from None
        return content


@dataclass(frozen=True, slots=True)
class Rest:
    """Calls to one vendor.

    Attributes:
        vendor: Its name, for messages.
        timeout_s: Longest wait for a connection, and for each part of an answer.
        secrets: What must never be printed.
    """

    vendor: str
    timeout_s: float = 30.0
    secrets: Sequence[str] = field(default=(), repr=False)

    async def call(
        self,
        method: str,
        url: str | SecretUrl,
        *,
        headers: Mapping[str, str] | None = None,
        query: Mapping[str, str] | None = None,
        content: bytes | None = None,
        starts: bool = False,
        known: Collection[int] = (),
    ) -> Answer:
        """Make one call, once.

        Args:
            method: HTTP's word.
            url: The whole address; its query is never printed.
            headers: Added to httpx's own.
            query: Added to the address.
            content: The body.
            starts: The call may start work that costs money.
            known: Statuses of 300 and above that the caller makes sense of itself.

        Raises:
            Rejected: Refused for good; UnknownHandle where the vendor has no such thing.
            RetryLater: Busy, or out of reach; nothing was started.
            OutcomeUnknown: `starts`, and no telling whether it did.
            AdapterFault: An answer that HTTP does not foresee here.
        """
        where = url if isinstance(url, SecretUrl) else _Quiet(url)
        said = f"{self.vendor}: {method} {where}"
        try:
            answer = await self._exchange(method, where, headers, query, content)
        except _NOTHING_SENT as error:
            raise RetryLater(f"{said} found no way there ({type(error).__name__})") from None
        except (httpx.TransportError, httpx.DecodingError) as error:
            cut = f"{said} was cut ({type(error).__name__})"
            raise (OutcomeUnknown(cut) if starts else RetryLater(cut)) from None
        except AdapterFault as error:
            if starts:
                raise OutcomeUnknown(str(error)) from None
            raise
        if answer.status < 300 or answer.status in known:
            return answer
        raise self._refusal(answer, said, starts=starts)

    async def _exchange(
        self,
        method: str,
        where: httpx.URL,
        headers: Mapping[str, str] | None,
        query: Mapping[str, str] | None,
        content: bytes | None,
    ) -> Answer:
        full = where.copy_merge_params(query) if query else where
        request = httpx.Request(method, full, headers=headers, content=content)
        request.extensions = {"timeout": httpx.Timeout(self.timeout_s).as_dict()}
        request.url = type(where)(full)
        async with httpx.AsyncClient(verify=_trust(), follow_redirects=False) as client:
            response = await client.send(request, stream=True)
            try:
                body = await self._body(response)
                return Answer(response.status_code, body, response.headers)
            finally:
                await response.aclose()

    async def _body(self, response: httpx.Response) -> bytes:
        parts: list[bytes] = []
        size = 0
        async for part in response.aiter_bytes():
            parts.append(part)
            size += len(part)
            if size > MOST_BYTES:
                raise AdapterFault(f"{self.vendor} answered with more than {MOST_BYTES} bytes")
        return b"".join(parts)

    def _refusal(self, answer: Answer, said: str, *, starts: bool) -> ProviderError:
        """Turn a status of 300 and above into the error that says what to do."""
        status = answer.status
        words = self.words(answer)
        told = f"{said} answered {status}: {words}" if words else f"{said} answered {status}"
        if status == 429:
            wait = answer.headers.get("retry-after", "")
            return RetryLater(f"{told}; it asks to wait {wait[:40]} s" if wait else told)
        if status in (408, 409, 425) or status >= 500:
            return OutcomeUnknown(told) if starts else RetryLater(told)
        if status in (401, 403):
            return Rejected(f"{told}; look at the credentials and what they allow")
        if status in (404, 410):
            return Rejected(told) if starts else UnknownHandle(told)
        if status < 400:
            told = f"{told}; no redirection is followed"
            return OutcomeUnknown(told) if starts else AdapterFault(told)
        return Rejected(told)

    def words(self, answer: Answer) -> str:
        """Find the vendor's own sentence in an error's body, and take our secrets out of it."""
        try:
            content = json.loads(answer.content)
        except (ValueError, RecursionError):
            content = answer.content[:2_000].decode(errors="replace")
        return self.hidden(_sentence(content))[:400]

    def hidden(self, text: str) -> str:
        """Take the secrets, and the signatures of addresses, out of a text that a vendor wrote.

        Example:
            >>> Rest("ionq", secrets=("s3cret-key",)).hidden("no user has key s3cret-key")
            'no user has key ***'
        """
        return _SIGNATURE.sub(rf"\g<1>{MASK}", masked(text, self.secrets))


def _sentence(content: object) -> str:
    """Look for the words of an error, as vendors nest them: {"error": {"message": "..."}}."""
    if isinstance(content, Mapping):
        found = [_sentence(content[word]) for word in _WORDS if word in content]
        return next((words for words in found if words), "")
    if isinstance(content, list):
        return "; ".join(filter(None, map(_sentence, content)))
    return " ".join(content.split()) if isinstance(content, str) else ""


def credential(name: str, *, vendor: str) -> str:
    """Read a secret from the environment.

    Raises:
        Rejected: There is none; the message names the variable.
    """
    value = os.environ.get(name, "").strip()
    if not value:
        raise Rejected(f"{vendor} needs its credentials in the environment: set {name}")
    return value


def item(content: Json, name: str, *, vendor: str) -> Json:
    """Take one member of an answer.

    Raises:
        AdapterFault: The answer is no object or has no such member.

    Example:
        >>> item({"id": "a1"}, "id", vendor="ionq")
        'a1'
    """
    if not isinstance(content, dict) or name not in content:
        raise AdapterFault(f"{vendor} answered without {name!r}: {str(content)[:120]}")
    return content[name]


def text(content: Json, name: str, *, vendor: str) -> str:
    """Take one member of an answer that is a text.

    Raises:
        AdapterFault: It is missing or something else.
    """
    value = item(content, name, vendor=vendor)
    if not isinstance(value, str):
        raise AdapterFault(f"{vendor} answered with {name} = {str(value)[:80]!r}, need a text")
    return value


def entries(content: Json, *, vendor: str) -> list[Json]:
    """Take a list.

    Raises:
        AdapterFault: It is none.
    """
    if not isinstance(content, list):
        raise AdapterFault(f"{vendor} answered with {str(content)[:80]!r}, need a list")
    return content


def amount(value: float) -> str:
    """Write a sum of money as a plain decimal.

    Example:
        >>> amount(24.83), amount(1e-07), amount(12.0)
        ('24.83', '0.0000001', '12')
    """
    plain = format(Decimal(repr(float(value))), "f")
    return plain.rstrip("0").rstrip(".") if "." in plain else plain


@lru_cache(maxsize=1)
def _trust() -> ssl.SSLContext:
    """Load the trusted roots once: it takes as long as the rest of a call."""
    return httpx.create_ssl_context()
