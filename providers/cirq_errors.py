"""What Google's SDK raises, as errors of ours, without what it tells of the machine it runs on.

Messages of credentials name accounts and files, and an error's cause names them again in a
traceback. So ours are raised outside of the handler and carry no cause; account names, tokens and
the path of the credentials' file are cut out of the engine's own words.

Blind spot: a secret of another shape that the service itself repeats; the miner masks those that
it knows (`qsubnet.miner.redaction`).
Source: HTTP status codes of `EngineException` in cirq_google 1.7; `google.api_core.exceptions`,
where Aborted and AlreadyExists are both 409; `google.auth.exceptions`.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from typing import Final, TypeVar

from providers.errors import (
    AdapterFault,
    OutcomeUnknown,
    ProviderError,
    Rejected,
    RetryLater,
    UnknownHandle,
)

_T = TypeVar("_T")

_MASK: Final = "[removed]"
_PRIVATE: Final = re.compile(
    r"\bya29\.[\w.-]+"  # an access token
    r"|\bBearer\s+[^\s\"',;]+"
    r"|[\w.+-]+@[\w-]+(?:\.[\w-]+)+",  # an account
    re.IGNORECASE,
)
_PLUGIN: Final = "Getting metadata from plugin failed"
"""How gRPC says that it got no credentials for a request, which it then does not send."""


def asked(call: Callable[[], _T], *, sending: bool = False) -> _T:
    """Call the SDK; whatever it raises comes out as one of our errors.

    Args:
        call: One or more requests.
        sending: They create a job, so what may have arrived is OutcomeUnknown.

    Raises:
        Rejected: 4xx, or no credentials.
        UnknownHandle: 404.
        RetryLater: 429; and 5xx or no connection, where no job is created.
        OutcomeUnknown: 5xx, or a connection lost, where one is.
        AdapterFault: Anything else.

    Example:
        >>> from cirq_google.engine.engine_client import EngineException
        >>> def ask():
        ...     raise EngineException("me@example.org may not", 403)
        >>> asked(ask)
        Traceback (most recent call last):
        providers.errors.Rejected: Google: 403 [removed] may not
    """
    try:
        return call()
    except ProviderError:
        raise
    except Exception as error:  # noqa: BLE001 - the SDK raises what it likes
        wrong = _named(error, sending=sending)
    raise wrong


def status(error: BaseException) -> int | None:
    """The HTTP status of an engine's error, as far as it has one."""
    code = getattr(error, "code", None)
    return int(code) if isinstance(code, int) else None


def _named(error: Exception, *, sending: bool) -> ProviderError:
    from google.auth.exceptions import GoogleAuthError, TransportError

    code, words = status(error), _clean(str(error))[:300]
    if isinstance(error, TransportError) or _PLUGIN in words:
        return RetryLater("Google gives no access token at the moment; nothing was sent")
    if isinstance(error, GoogleAuthError):
        return Rejected("Google's credentials: run gcloud auth application-default login")
    if code == 404:
        return UnknownHandle(f"Google: 404 {words}")
    if code == 429:
        return RetryLater(f"Google: 429 {words}")
    if code is not None and 400 <= code < 499:
        return Rejected(f"Google: {code} {words}")
    if code is not None or isinstance(error, ConnectionError | TimeoutError):
        kind = OutcomeUnknown if sending else RetryLater
        return kind(f"Google: {code or type(error).__name__} {words}")
    return AdapterFault(f"Google's SDK raised {type(error).__name__}: {words}")


def _clean(text: str) -> str:
    path = os.environ.get("GOOGLE_APPLICATION_CREDENTIALS")
    return _PRIVATE.sub(_MASK, text.replace(path, _MASK) if path else text)
