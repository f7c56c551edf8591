"""A miner's AWS account: boto3's clients of Braket and S3, without retries.

Credentials are boto3's own (environment, shared files of a profile, instance role); they are read
here only to blank them out of messages. `BRAKET_ENDPOINT`, as in Braket's SDK, and boto3's own
`AWS_ENDPOINT_URL_S3` lead elsewhere.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import Any

from providers.errors import Rejected

TIMEOUT_S = 60.0
CONNECT_TIMEOUT_S = 10.0


@dataclass(frozen=True, slots=True, repr=False)
class Account:
    """How to reach AWS. It has no repr, so that nobody prints it.

    Attributes:
        braket: boto3's client of Braket, which is made at run time and has no type.
        storage: boto3's client of S3.
        bucket: Where results go.
        prefix: The beginning of their keys.
        secrets: Texts that no message may show.
    """

    braket: Any
    storage: Any
    bucket: str
    prefix: str
    secrets: tuple[str, ...] = ()


def open_account(
    arn: str,
    *,
    bucket: str,
    prefix: str,
    region: str = "",
    profile: str = "",
    timeout_s: float = TIMEOUT_S,
) -> Account:
    """Make the clients for one device; nothing is asked yet.

    Args:
        arn: The device. A machine's names its region, a managed simulator's none.
        bucket: An S3 bucket of the account in that region; "" takes what
            `AMZN_BRAKET_OUT_S3_BUCKET` says, as Braket's SDK does.
        prefix: The beginning of the results' keys.
        region: For a simulator; "" is the session's own.
        profile: Of the shared files; "" is boto3's choice.
        timeout_s: Seconds until an answer counts as lost.

    Raises:
        Rejected: The ARN is no device's, there is no bucket, profile or region, or no credentials.

    Example:
        >>> open_account("sv1", bucket="b", prefix="p")
        Traceback (most recent call last):
        ...
        providers.errors.Rejected: need an ARN like arn:aws:braket:<region>::device/..., got 'sv1'
    """
    import boto3
    from botocore.config import Config
    from botocore.exceptions import BotoCoreError

    named = _region(arn, region)
    place = bucket or os.environ.get("AMZN_BRAKET_OUT_S3_BUCKET", "")
    if not place:
        raise Rejected("Braket writes results to S3: name a bucket by the option 's3_bucket'")
    config = Config(
        retries={"total_max_attempts": 1, "mode": "standard"},
        connect_timeout=min(CONNECT_TIMEOUT_S, timeout_s),
        read_timeout=timeout_s,
        user_agent_extra="qsubnet",
    )
    try:
        session = boto3.Session(profile_name=profile or None, region_name=named or None)
        held = session.get_credentials()
        if held is None:
            raise Rejected("boto3 finds no AWS credentials in its usual places")
        keys = held.get_frozen_credentials()
        endpoint = os.environ.get("BRAKET_ENDPOINT")
        braket = session.client("braket", config=config, endpoint_url=endpoint)
        storage = session.client("s3", config=config)
    except BotoCoreError as error:
        raise Rejected(f"AWS: {error}") from None
    secrets = tuple(filter(None, (keys.secret_key, keys.token, keys.access_key)))
    return Account(braket, storage, place, prefix, secrets)


def _region(arn: str, region: str) -> str:
    """The region to ask, from the ARN or the option."""
    parts = arn.split(":")
    if parts[:1] + parts[2:3] != ["arn", "braket"] or len(parts) != 6:
        raise Rejected(f"need an ARN like arn:aws:braket:<region>::device/..., got {arn[:80]!r}")
    if len(parts[5].split("/")) < 4 or not parts[5].startswith("device/"):
        raise Rejected(f"need an ARN that ends in device/<kind>/<maker>/<name>, got {arn[:80]!r}")
    if parts[3] and region and parts[3] != region:
        raise Rejected(f"the device is in region {parts[3]}, the option 'region' says {region!r}")
    return parts[3] or region
