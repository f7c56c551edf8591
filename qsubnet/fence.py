"""The fence around our five import names: nobody else may serve a module of ours.

`circuits`, `providers` and `validator` are also names of foreign projects on the public package
index. Whichever is installed last overwrites the other's files without a word, and a folder of the
same name in the working directory can hide a whole package. A service that judges or signs with
half of somebody else's modules is worse than one that does not start, so miners and validators
call `require_own_names` first, and a test calls it in every set-up.

Assumes that a package is a folder with an `__init__.py` and that the five lie side by side, as in
the checkout and in the wheel. Blind spot: software that replaces modules after this ran, and a
foreign package installed without metadata INTO our own folders.
"""

from __future__ import annotations

from dataclasses import dataclass
from importlib.metadata import packages_distributions
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Final

from qsubnet.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

DISTRIBUTION: Final = "qsubnet"
NAMES: Final = ("attestations", "circuits", "providers", "qsubnet", "validator")


@dataclass(frozen=True, slots=True)
class Trespass:
    """One of our names that is not ours alone.

    Attributes:
        name: The import name.
        owners: Foreign distributions that also install it, sorted; may be empty.
        served_from: Folder that `import name` would really read, where that is not our own;
            None where the folder is ours, or where nothing can be imported under the name.
        missing: Nothing can be imported under the name.
    """

    name: str
    owners: tuple[str, ...] = ()
    served_from: Path | None = None
    missing: bool = False

    def __str__(self) -> str:
        """Say in one clause who holds the name."""
        if self.missing:
            return f"`{self.name}` is not installed"
        held = [f"by the distribution {owner}" for owner in self.owners]
        if self.served_from is not None:
            held.append(f"from {self.served_from}")
        return f"`{self.name}` is also served " + " and ".join(held)


def trespasses(
    owners: Mapping[str, Iterable[str]],
    folders: Mapping[str, Path | None],
    *,
    home: Path,
) -> tuple[Trespass, ...]:
    """Find the names among `NAMES` that are not served by our distribution alone.

    Pure: what is installed comes in as arguments.

    Args:
        owners: Distributions that install each import name. An editable install declares
            none, so an absent name is no fault.
        folders: The folder that importing each name would read; None or absent: nothing there.
        home: The folder in which our five packages lie side by side.

    Returns:
        One entry for each name at fault, in the order of `NAMES`; empty when all is well.

    Example:
        >>> here = Path("site-packages")
        >>> ours = {name: here / name for name in NAMES}
        >>> trespasses({"circuits": ["qsubnet"]}, ours, home=here)
        ()
        >>> print(*trespasses({"circuits": ["qsubnet", "circuits"]}, ours, home=here))
        `circuits` is also served by the distribution circuits
    """
    found = []
    for name in NAMES:
        foreign = tuple(sorted({o for o in owners.get(name, ()) if o.lower() != DISTRIBUTION}))
        folder = folders.get(name)
        elsewhere = folder if folder is not None and folder != home / name else None
        if foreign or elsewhere is not None or folder is None:
            found.append(Trespass(name, foreign, elsewhere, missing=folder is None))
    return tuple(found)


def require_own_names() -> None:
    """Refuse to go on unless this process's five import names are ours alone.

    Reads the metadata of everything installed (tens of milliseconds) and imports nothing.
    Miners, validators and gateways call it before anything else.

    Raises:
        qsubnet.errors.ConfigurationError: A name is missing or has another owner. The message
            names every owner and the way out; a retry does not help.

    Example:
        >>> require_own_names()
    """
    home = Path(__file__).resolve().parent.parent
    folders = {name: _folder(name) for name in NAMES}
    faults = trespasses(packages_distributions(), folders, home=home)
    if faults:
        raise ConfigurationError(
            f"need the import names {', '.join(NAMES)} for {DISTRIBUTION} (in {home}) alone, "
            f"got: {'; '.join(map(str, faults))}. Uninstall the other owner, or rename the folder "
            f"that hides ours, then reinstall {DISTRIBUTION} in an environment of its own"
        )


def _folder(name: str) -> Path | None:
    """Say which folder `import name` would read, without importing it."""
    spec = find_spec(name)
    if spec is None or not spec.submodule_search_locations:
        return Path(spec.origin).resolve() if spec is not None and spec.origin else None
    return Path(next(iter(spec.submodule_search_locations))).resolve()
