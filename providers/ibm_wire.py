"""How IBM's SDK speaks to its service, bounded: one try, a timeout, errors in our words.

The SDK posts again by itself after a 5xx, waits 15 minutes for an answer and never gives up on
some reads. A submission must go out once, so its sessions get an adapter without retries and with
timeouts, which also notes whether a job was posted: whatever fails after that is OutcomeUnknown,
unless the service itself said no.

The SDK has no public way to its sessions, so this module reaches for private names; a test drives
the real client through it and fails when they move. Source: qiskit-ibm-runtime 0.51, `api/`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextvars import ContextVar
from typing import Any, TypeVar

from providers.errors import (
    AdapterFault,
    OutcomeUnknown,
    ProviderError,
    Rejected,
    RetryLater,
    UnknownHandle,
)
from providers.masking import masked

CONNECT_S = 10.0
_POSTED: ContextVar[str] = ContextVar("posted", default="")
"""How far the running call's submission is: '' (not posted), `sent`, `accepted` (answered 2xx)."""

_T = TypeVar("_T")


def service_type(*, timeout_s: float) -> Any:  # noqa: ANN401 - the SDK has no types
    """The SDK's `QiskitRuntimeService`, whose sessions try once and wait `timeout_s` at most."""
    from qiskit_ibm_runtime import QiskitRuntimeService

    class Bounded(QiskitRuntimeService):  # type: ignore[misc]
        def _create_new_cloud_api_client(self, instance: str) -> Any:  # noqa: ANN401 - as above
            return _bound(super()._create_new_cloud_api_client(instance), timeout_s)

        def _discover_backends_from_instance(self, instance: str) -> Any:  # noqa: ANN401 - as above
            _bound(self._active_api_client, timeout_s)
            return super()._discover_backends_from_instance(instance)

    return Bounded


def _bound(client: Any, timeout_s: float) -> Any:  # noqa: ANN401 - the SDK has no types
    """Give a client's session an adapter that tries once."""
    from requests.adapters import HTTPAdapter

    class OneTry(HTTPAdapter):
        def send(self, request: Any, *args: Any, **kwargs: Any) -> Any:  # noqa: ANN401 - as the base
            kwargs["timeout"] = (CONNECT_S, timeout_s)
            posts = request.method == "POST" and request.path_url.endswith("/jobs")
            if posts:
                _POSTED.set("sent")
            response = super().send(request, *args, **kwargs)
            if posts and response.ok:
                _POSTED.set("accepted")
            return response

    for prefix in ("http://", "https://"):
        client._session.mount(prefix, OneTry(max_retries=0))  # noqa: SLF001 - see the module's text
    return client


def asked(call: Callable[[], _T], *, secrets: Callable[[], tuple[str, ...]]) -> _T:
    """Call the SDK; whatever it raises comes out as one of our errors, without the secrets.

    Raises:
        Rejected: 4xx, or an account, instance or option that the SDK refuses.
        UnknownHandle: The service does not know the job.
        RetryLater: 429; and 5xx, a timeout or no connection before a job was posted.
        OutcomeUnknown: A job was posted, and no clear no came back.
        AdapterFault: An answer of unknown shape.
    """
    _POSTED.set("")
    try:
        return call()
    except ProviderError:
        raise
    except Exception as error:  # noqa: BLE001 - the SDK raises what it likes
        wrong = _translated(error)
    # Raised outside of the handler, so that no traceback carries the SDK's error and its headers.
    raise type(wrong)(masked(str(wrong), secrets())[:600])


def posted() -> bool:
    """True once the running call has posted a job."""
    return bool(_POSTED.get())


def status_of(error: BaseException) -> int:
    """The HTTP status behind an error of the SDK; 0 where there is none."""
    for link in _chain(error):
        for value in (
            getattr(getattr(link, "response", None), "status_code", None),
            getattr(link, "status_code", None),
        ):
            if isinstance(value, int) and value > 0:
                return value
    return 0


def _translated(error: Exception) -> ProviderError:
    status, text, stage = status_of(error), f"{type(error).__name__}: {error}", _POSTED.get()
    if stage == "accepted":
        return OutcomeUnknown(f"IBM took a job, and then: {text}")
    if status == 404 and not stage and any("/jobs/" in str(link) for link in _chain(error)):
        return UnknownHandle(f"IBM: {text}")
    if status == 429:
        return RetryLater(f"IBM is busy (429{_retry_after(error)}): {text}")
    if 400 <= status < 500 and status != 408:
        return Rejected(f"IBM refuses ({status}): {text}")
    if status or _is_transport(error):
        if stage and not _never_connected(error):
            return OutcomeUnknown(f"IBM did not answer a submission: {text}")
        return RetryLater(f"IBM is out of reach: {text}")
    if _is_refusal(error):
        return Rejected(f"IBM: {text}")
    return AdapterFault(f"IBM: {text}")


def _chain(error: BaseException) -> Iterator[BaseException]:
    """An error and what it came from, also where `from None` hides that from tracebacks."""
    link: BaseException | None = error
    while link is not None:
        yield link
        link = link.__cause__ or link.__context__


def _retry_after(error: BaseException) -> str:
    for link in _chain(error):
        headers = getattr(getattr(link, "response", None), "headers", None) or {}
        if "retry-after" in headers:
            return f", retry after {headers['retry-after']} s"
    return ""


def _is_transport(error: BaseException) -> bool:
    from requests import RequestException

    return any(isinstance(link, RequestException | OSError) for link in _chain(error))


def _never_connected(error: BaseException) -> bool:
    """True where the request certainly never left: no connection was made."""
    from requests import ConnectTimeout
    from urllib3.exceptions import ConnectTimeoutError, NewConnectionError

    kinds = (ConnectTimeout, ConnectTimeoutError, NewConnectionError)
    for link in _chain(error):
        cause = link.args[0] if link.args else None
        if isinstance(link, kinds) or isinstance(getattr(cause, "reason", None), kinds):
            return True
    return False


def _is_refusal(error: BaseException) -> bool:
    """The SDK itself says no: an account, an instance, a backend, an option."""
    from qiskit.providers.exceptions import QiskitBackendNotFoundError
    from qiskit_ibm_runtime.accounts.exceptions import AccountsError
    from qiskit_ibm_runtime.exceptions import IBMInputValueError

    return isinstance(error, QiskitBackendNotFoundError | AccountsError | IBMInputValueError)
