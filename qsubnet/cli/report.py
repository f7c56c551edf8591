"""`qsubnet report`: one HTML page on a device, from a validator's stored records."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from qsubnet.cli.places import default_state
from qsubnet.cli.printing import print_json, say
from qsubnet.cli.services import Database, State, settings
from qsubnet.errors import BadInput

if TYPE_CHECKING:
    from qsubnet.judging.live import Judged
    from validator.references.reference import Reference


def report(
    device: Annotated[str, typer.Argument(help="The device's name.")],
    out: Annotated[Path, typer.Option(help="The HTML file to write.")],
    hotkey: Annotated[
        str, typer.Option(help="Its miner, where several have a device of that name.")
    ] = "",
    epoch: Annotated[
        int | None, typer.Option(min=0, help="Up to this epoch; all that is stored unless told.")
    ] = None,
    state: State = None,
    database: Database = None,
    json_: Annotated[bool, typer.Option("--json", help="Print where it is as JSON.")] = False,
) -> None:
    """Write a report on one device from the records of this machine's validator.

    Example: qsubnet report hanoi --out hanoi.html
    """
    writable(out)
    from qsubnet.reporting.stored import stored_material
    from qsubnet.store.database import sqlite_url

    chosen = settings()
    root = state or (chosen.state or default_state()) / "validator"
    url = database or chosen.database or sqlite_url(root / "operator.db")
    material = stored_material(
        url, secret_file=root / "case-secret", device=device, hotkey=hotkey, up_to_epoch=epoch
    )
    from qsubnet.reporting.page import report_page

    write_page(out, report_page(material))
    if json_:
        verdict = material.verdict
        print_json(
            {
                "report": str(out),
                "device": device,
                "hotkey": material.records[0].hotkey,
                "verdict": verdict.outcome.value,
                "grade": verdict.grade.value,
            }
        )


def report_judged(path: Path, judged: Judged, *, secret: bytes, reference: Reference) -> None:
    """Write the report of `qsubnet judge --report`.

    Raises:
        BadInput: The file cannot be written.
    """
    from qsubnet.judging.live import HOTKEY
    from qsubnet.reporting.material import gather
    from qsubnet.reporting.page import report_page
    from validator.plan import case_key

    say("writing the report")
    material = gather(
        judged.records,
        device=judged.device,
        verdict=judged.verdict,
        reference=reference,
        permutation_key=case_key(secret, "permutations", HOTKEY, judged.device.name),
        trusted=judged.trusted,
        failures=sorted(judged.failures.items(), key=lambda item: (-item[1], item[0])),
        source="Judged outside the network by whoever ran qsubnet judge, who knows the secret.",
    )
    write_page(path, report_page(material))


def writable(path: Path) -> None:
    """Refuse a place where no file can be, before long work begins.

    Raises:
        BadInput: It is a directory, or its directory is missing.
    """
    if path.is_dir():
        raise BadInput(f"need a file to write to, got the directory {path}")
    if not path.parent.is_dir():
        raise BadInput(f"there is no directory {path.parent} to write to")


def write_page(path: Path, page: str) -> None:
    """Write a page and say where it is.

    Raises:
        BadInput: The file cannot be written.
    """
    try:
        path.write_text(page, encoding="utf-8", newline="\n")
    except OSError as error:
        raise BadInput(f"cannot write {path}: {error.strerror}") from None
    say(f"report in {path}")
