"""What goes wrong at AWS, in our words: by what the caller should do.

One table for the service's own errors, by their code; what has none is judged by its HTTP status,
and a broken connection by whether the request may have gone out. Messages are AWS's own, without
the credentials of this process.

Source: the `braket` service model 2019-09-01 of botocore (its errors and their status);
`botocore.exceptions`.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import TYPE_CHECKING, TypeVar

from providers.errors import (
    OutcomeUnknown,
    ProviderError,
    Rejected,
    RetryLater,
    UnknownHandle,
)
from providers.masking import masked

if TYPE_CHECKING:
    from botocore.exceptions import BotoCoreError, ClientError


class Ended(Rejected):
    """A task can not be cancelled, because it has ended."""


ERRORS: dict[str, type[ProviderError]] = {
    "AccessDeniedException": Rejected,
    "ConflictException": Ended,
    "DeviceOfflineException": RetryLater,
    "DeviceRetiredException": Rejected,
    "InternalServiceException": OutcomeUnknown,
    "ResourceNotFoundException": UnknownHandle,
    "ServiceQuotaExceededException": RetryLater,
    "ThrottlingException": RetryLater,
    "ValidationException": Rejected,
    # S3's, which come with the results.
    "NoSuchKey": RetryLater,
    "SlowDown": RetryLater,
}
"""Braket's error codes, each with what it means here."""

_BUSY = frozenset({408, 425, 429, 503})
_LONGEST = 500

_T = TypeVar("_T")


def asked(call: Callable[[], _T], *, secrets: Collection[str] = (), sending: bool = False) -> _T:
    """Ask AWS, once.

    Args:
        call: Asks, and blocks.
        secrets: Texts that no message may show.
        sending: The call starts something: where it may have arrived, its outcome is unknown.

    Raises:
        ProviderError: In AWS's words; which one says what to do.
    """
    from botocore.exceptions import BotoCoreError, ClientError
    from botocore.parsers import ResponseParserError

    try:
        return call()
    except ClientError as error:
        kind, words = _of_service(error)
    except ResponseParserError:
        kind, words = OutcomeUnknown, "an answer that is not of the service's form"
    except BotoCoreError as error:
        kind, words = _of_connection(error)
    if kind is OutcomeUnknown and not sending:
        kind = RetryLater
    raise kind(f"Braket: {masked(words, secrets)[:_LONGEST]}")


def _of_service(error: ClientError) -> tuple[type[ProviderError], str]:
    told = error.response.get("Error", {})
    meta = error.response.get("ResponseMetadata", {})
    code, status = str(told.get("Code", "")), int(meta.get("HTTPStatusCode", 0))
    words = f"{code}: {told.get('Message', '')}"
    wait = meta.get("HTTPHeaders", {}).get("retry-after")
    if wait:
        words += f" (retry after {wait} s)"
    if code in ERRORS:
        return ERRORS[code], words
    if status in _BUSY:
        return RetryLater, words
    return (Rejected if 400 <= status < 500 else OutcomeUnknown), words


def _of_connection(error: BotoCoreError) -> tuple[type[ProviderError], str]:
    from botocore import exceptions as of

    words = f"{type(error).__name__}: {error}"
    before = (of.EndpointConnectionError, of.ConnectTimeoutError, of.ProxyConnectionError)
    after = (of.HTTPClientError, of.SSLError, of.IncompleteReadError)
    if isinstance(error, before):
        return RetryLater, words
    if isinstance(error, after):
        return OutcomeUnknown, words
    return Rejected, words
