"""Addresses in the storage of an Azure workspace, signed by Azure and told without signature.

Whoever has a signed address can use it, so that none is ever kept or shown.

Example:
    >>> bare("https://a.blob.core.windows.net/job-1/inputData?sig=SECRET")
    'https://a.blob.core.windows.net/job-1/inputData'
    >>> beside("https://a.blob.core.windows.net/job-1?sig=SECRET", "inputData")
    'https://a.blob.core.windows.net/job-1/inputData?sig=SECRET'
"""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import quote, urlsplit

if TYPE_CHECKING:
    from providers.base import Json


def blob_name(job: Json, job_id: str) -> str:
    """The output's name within the job's container."""
    given = job.get("outputDataUri") if isinstance(job, dict) else None
    path = urlsplit(given).path if isinstance(given, str) else ""
    _, _, blob = path.partition(f"/job-{job_id}/")
    return blob or "outputData"


def beside(container: str, blob: str) -> str:
    """The signed address of a blob, by its container's."""
    parts = urlsplit(container)
    return parts._replace(path=f"{parts.path.rstrip('/')}/{quote(blob)}").geturl()


def bare(url: str) -> str:
    """The address without its signature."""
    return urlsplit(url)._replace(query="", fragment="").geturl()


def unsigned(value: Json) -> Json:
    """Take the signatures off every address in a record."""
    if isinstance(value, dict):
        return {key: unsigned(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [unsigned(inner) for inner in value]
    return bare(value) if isinstance(value, str) and "://" in value else value
