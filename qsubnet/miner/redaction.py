"""Credentials cut out of texts: the border where words of adapters enter our store, logs and wire.

An SDK's error often repeats the request that failed, its key included. Two nets catch that: the
values of variables of the environment that are called like credentials, in every form in which they
travel (as they stand, percent-encoded, base64), and the shapes that credentials have (bearer
tokens, cloud access keys, signed URLs, JSON web tokens), for those that come from a vendor's own
files.

Blind spots: a credential from a file whose shape nobody knows, one of fewer than eight characters,
and one that a text breaks into parts.

Source: shapes as the vendors document them: RFC 6750 section 2.1, RFC 7519 section 3.1, AWS IAM
"unique identifiers" and Signature Version 4 query parameters, Azure "shared access signature".
"""

from __future__ import annotations

import base64
import re
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Final
from urllib.parse import quote, quote_plus

if TYPE_CHECKING:
    from providers.base import Json

MASK: Final = "[redacted]"

_LEAST_CHARS: Final = 8
_SECRET_NAMES: Final = re.compile(
    r"(?:^|_)(?:API_?KEY|ACCESS_?KEY|ACCOUNT_?KEY|PRIVATE_?KEY|SECRET(?:_?KEY)?|TOKEN|"
    r"PASS(?:WORD|WD|PHRASE)?|CREDENTIALS?|CONNECTION_STRING|SAS|AUTH|BEARER|COOKIE|SEED|MNEMONIC|"
    r"KEY)(?:_|$|\d)",
    re.IGNORECASE,
)
_POINTER_NAMES: Final = re.compile(
    r"_(?:FILE|PATH|NAME|PROFILE|DIR|URI|URL|ENV|SOCK)$", re.IGNORECASE
)
_PREFIX: Final = r"(?P<before>"
_NAMED: Final = (
    r"(?:x[-_])?(?:api[-_ ]?key|subscription[-_]key|access[-_ ]?token|refresh[-_]token|"
    r"auth[-_]?token|client[-_]secret|secret[-_ ]?(?:access[-_ ]?)?key|account[-_]?key|"
    r"shared[-_]?access[-_]?key|password|passwd|passphrase|token)"
)
_SIGNED: Final = r"x-amz-(?:signature|security-token|credential)|x-goog-signature|signature|sig"
_SHAPES: Final = tuple(
    re.compile(pattern, re.IGNORECASE)
    for pattern in (
        # An authorization header, and what stands after the name of a scheme anywhere.
        rf"{_PREFIX}\bauthorization[\"']?\s*[:=]\s*[\"']?(?:[a-z][a-z0-9-]*\s+)?)[^\s\"',;<>\\]{{4,}}",
        rf"{_PREFIX}\b(?:bearer|apikey)\s+)[^\s\"',;<>\\]{{8,}}",
        rf"{_PREFIX}\b(?:basic|negotiate)\s+)(?=\S*\d)[^\s\"',;<>\\]{{8,}}",
        # name=value, name: value, "name": "value", with the value in quotes or up to a delimiter.
        rf"{_PREFIX}(?<![a-z0-9]){_NAMED}[\"']?\s*(?:=|:)\s*[\"']?)(?!\[redacted\])[^\s\"',;&<>\\]{{8,}}",
        # Signed URLs: AWS, Azure and Google.
        rf"{_PREFIX}[?&;,\s](?:{_SIGNED})=)[^\s\"'&<>\\]{{4,}}",
        # A user's password inside a URL.
        rf"{_PREFIX}\b[a-z][a-z0-9+.-]*://[^\s/:@\"']*:)[^\s/@\"']+(?=@)",
    )
)
_BARE: Final = tuple(
    re.compile(pattern)
    for pattern in (
        r"\b(?:AKIA|ASIA)[A-Z0-9]{16}\b",  # AWS access key ids, of users and of sessions
        r"\beyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}(?:\.[A-Za-z0-9_-]*)?",  # JSON web tokens
        r"\bya29\.[A-Za-z0-9._-]{16,}",  # Google OAuth access tokens
        r"-----BEGIN [A-Z ]*PRIVATE KEY-----[\s\S]*?(?:-----END [A-Z ]*PRIVATE KEY-----|$)",
    )
)


class Redactor:
    """Masks credentials.

    Args:
        values: Known credentials; those of fewer than eight characters are left out, because they
            would tear ordinary words apart.

    Example:
        >>> redactor = Redactor(["hunter2-hunter2"])
        >>> redactor.text("401 for key hunter2-hunter2, header 'Authorization: Bearer abcdefgh12'")
        "401 for key [redacted], header 'Authorization: Bearer [redacted]'"
    """

    def __init__(self, values: Iterable[str] = ()) -> None:
        forms = {form for value in values for form in _forms(value.strip())}
        # The longest first: a form may be a part of another.
        ordered = sorted(forms, key=lambda form: (-len(form), form))
        self._known = re.compile("|".join(map(re.escape, ordered))) if ordered else None

    def __repr__(self) -> str:
        """Show nothing of what is masked."""
        return "Redactor()"

    def text(self, text: str) -> str:
        """Mask every credential in a text."""
        if self._known is not None:
            text = self._known.sub(MASK, text)
        for shape in _SHAPES:
            text = shape.sub(rf"\g<before>{MASK}", text)
        for bare in _BARE:
            text = bare.sub(MASK, text)
        return text

    def json(self, value: Json) -> Json:
        """Mask every credential in a JSON value; members that are called like one lose theirs.

        Example:
            >>> Redactor().json({"headers": {"X-Api-Key": "12345678"}, "shots": 10})
            {'headers': {'X-Api-Key': '[redacted]'}, 'shots': 10}
        """
        if isinstance(value, str):
            return self.text(value)
        if isinstance(value, list):
            return [self.json(item) for item in value]
        if isinstance(value, dict):
            return {self.text(name): self._member(name, item) for name, item in value.items()}
        return value

    def _member(self, name: str, value: Json) -> Json:
        if isinstance(value, str) and (_MEMBER.fullmatch(name) or name.lower() in _HEADERS):
            return MASK if value else value
        return self.json(value)


_MEMBER: Final = re.compile(_NAMED, re.IGNORECASE)
_HEADERS: Final = frozenset({"authorization", "proxy-authorization", "cookie", "set-cookie"})


def credentials_in(
    environment: Mapping[str, str], *, options: Mapping[str, Json] | None = None
) -> frozenset[str]:
    """Find the values of variables that are called like credentials.

    A variable that says where a credential is (`..._FILE`, `..._PATH`) holds none itself. Of a
    connection string the parts that are called like credentials count alone, too.

    Args:
        environment: Variables and their values.
        options: An adapter's own; one that ends in `_env` names a variable that holds a credential.

    Example:
        >>> found = credentials_in({"IONQ_API_KEY": "k" * 9, "AWS_PROFILE": "work", "HOME": "/"})
        >>> found == {"k" * 9}
        True
        >>> credentials_in({"MINE": "s" * 9}, options={"token_env": "MINE"}) == {"s" * 9}
        True
    """
    named = {str(value) for name, value in (options or {}).items() if name.endswith("_env")}
    values = {
        value
        for name, value in environment.items()
        if value and (name in named or _is_secret(name))
    }
    parts = (part.partition("=") for value in values for part in value.split(";"))
    inside = {value for name, _, value in parts if value and _MEMBER.fullmatch(name.strip())}
    return frozenset(values | inside)


def _is_secret(name: str) -> bool:
    return bool(_SECRET_NAMES.search(name)) and not _POINTER_NAMES.search(name)


def _forms(value: str) -> Iterable[str]:
    """Every way in which a value travels."""
    if len(value) < _LEAST_CHARS:
        return ()
    raw = value.encode("utf-8", "surrogateescape")
    encoded = base64.b64encode(raw).decode().rstrip("=")
    escaped = value.encode("unicode_escape").decode()
    return {
        value,
        quote(raw, safe=""),
        quote_plus(raw),
        encoded,
        escaped,
        escaped.replace('"', '\\"'),
    }
