"""Errors of attestations: one tree, leaves named by what is wrong, branches by what to do.

AttestationError
├── AskAgain             nothing false was said yet: ask the other side for what is missing
│   └── SignatureMissing
└── Reject               never retry: what this came with does not count
    ├── Malformed        not one canonical envelope or statement, or over a limit
    │   └── UnknownField a field that this version does not know
    ├── WrongType        a statement of another kind
    ├── WrongSigner      not signed by whom it must be
    ├── WrongJob         true, but about another job
    ├── WrongDigest      about other bytes than ours
    └── WrongValue       a plain value differs from what was asked or received

Mistakes of our own calls are `ValueError`, not in this tree.
"""

from __future__ import annotations

__all__ = [
    "AskAgain",
    "AttestationError",
    "Malformed",
    "Reject",
    "SignatureMissing",
    "UnknownField",
    "WrongDigest",
    "WrongJob",
    "WrongSigner",
    "WrongType",
    "WrongValue",
]


class AttestationError(Exception):
    """An attestation does not prove what it should."""


class AskAgain(AttestationError):
    """Something is missing and can still be sent."""


class SignatureMissing(AskAgain):
    """A party that must sign has not signed."""


class Reject(AttestationError):
    """What came with this attestation must not count."""


class Malformed(Reject):
    """The bytes are no canonical envelope or statement."""


class UnknownField(Malformed):
    """A field that this version does not know, so that its meaning can not be judged."""


class WrongType(Reject):
    """The payload type is another statement's."""


class WrongSigner(Reject):
    """A signature is not by the party, over this payload, under this type."""


class WrongJob(Reject):
    """The statement is about another job."""


class WrongDigest(Reject):
    """A digest differs from the one of our own bytes."""


class WrongValue(Reject):
    """A plain value differs from what was asked or received."""
