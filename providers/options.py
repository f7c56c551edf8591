"""Options of an adapter: read from a settings file once, each checked, none unknown.

An adapter names its options by reading them; `done` then refuses what nobody read, so that a
misspelt option ends in a sentence and never in a silent default.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from providers.errors import Rejected

if TYPE_CHECKING:
    from providers.base import Json


class Options:
    """The options that one adapter was given.

    Args:
        adapter: Its name, for messages.
        given: The options as they were written.

    Example:
        >>> options = Options("aer", {"num_qubits": 20})
        >>> options.whole("num_qubits", 24, low=1, high=30), options.text("device", "aer")
        (20, 'aer')
        >>> options.done()
        >>> Options("aer", {"qubits": 20}).done()
        Traceback (most recent call last):
        ...
        providers.errors.Rejected: adapter 'aer' has no option 'qubits', allowed are none
    """

    def __init__(self, adapter: str, given: Mapping[str, Json]) -> None:
        self._adapter = adapter
        self._given = given
        self._read: list[str] = []

    def text(self, name: str, default: str) -> str:
        """Read a text.

        Raises:
            Rejected: It is no text.
        """
        value = self._get(name, default)
        if not isinstance(value, str):
            raise self._wrong(name, "a text", value)
        return value

    def word(self, name: str, default: str, allowed: Iterable[str]) -> str:
        """Read one of the `allowed` words.

        Raises:
            Rejected: It is none of them.
        """
        words = sorted(allowed)
        value = self._get(name, default)
        if not isinstance(value, str) or value not in words:
            raise self._wrong(name, f"one of {', '.join(words)}", value)
        return value

    def whole(self, name: str, default: int, *, low: int, high: int) -> int:
        """Read a whole number in `low` .. `high`.

        Raises:
            Rejected: It is no whole number or out of range.
        """
        value = self._get(name, default)
        if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
            raise self._wrong(name, f"a whole number in {low} .. {high}", value)
        return value

    def real(self, name: str, default: float, *, low: float, high: float) -> float:
        """Read a number in `low` .. `high`.

        Raises:
            Rejected: It is no number or out of range.
        """
        value = self._get(name, default)
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise self._wrong(name, f"a number in {low} .. {high}", value)
        if not low <= value <= high:
            raise self._wrong(name, f"a number in {low} .. {high}", value)
        return float(value)

    def done(self) -> None:
        """Refuse options that nothing has read.

        Raises:
            Rejected: There is one; the message names those allowed.
        """
        unknown = sorted(set(self._given) - set(self._read))
        if unknown:
            allowed = ", ".join(sorted(self._read)) or "none"
            raise Rejected(
                f"adapter {self._adapter!r} has no option {unknown[0][:80]!r}, "
                f"allowed are {allowed}"
            )

    def _get(self, name: str, default: Json) -> Json:
        self._read.append(name)
        return self._given.get(name, default)

    def _wrong(self, name: str, allowed: str, got: Json) -> Rejected:
        return Rejected(f"option {name!r} of {self._adapter!r} is {allowed}, got {str(got)[:80]!r}")
