"""A validator's store, read for a report: a real round is played and then told."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from qsubnet.errors import BadInput, NotFound
from qsubnet.reporting.page import report_page
from qsubnet.reporting.stored import stored_material
from qsubnet.store import evaluation
from qsubnet.store.database import sqlite_url
from qsubnet.validating.secret import create_secret


async def _rounds(town: Any, tools: Any, *miners: str) -> Any:
    await town.settle_in(miners=miners)
    homes = [town.home(name, tools.backend(tools.device()).provider) for name in miners]
    services = [home.running() for home in homes]
    for service in services:
        await service.__aenter__()
    validator = await town.validator()
    for _ in range(400):
        if (await validator.round()).closed:
            break
    for service in services:
        await service.__aexit__(None, None, None)
    create_secret(town.folder / "case-secret", validator.secret)
    return validator


def _where(town: Any) -> tuple[str, Path]:
    return sqlite_url(town.folder / "val-operator.db"), town.folder / "case-secret"


def test_the_report_judges_as_the_validator_did(town: Any, tools: Any) -> None:
    async def story() -> None:
        validator = await _rounds(town, tools, "m")
        with validator.store.read() as connection:
            ((owner, name), document), *_ = evaluation.newest_verdicts(connection).items()
        url, secret = _where(town)
        material = stored_material(url, secret_file=secret, device=name)
        assert material.records[0].hotkey == owner
        assert material.verdict.outcome == document["verdict"]
        assert material.verdict.reason == document["reason"]
        assert material.verdict.evidence.programs_answered == document["programs_answered"]
        assert owner in report_page(material)

    tools.run(story())


def test_two_miners_with_one_name_are_told_apart_by_hotkey(town: Any, tools: Any) -> None:
    async def story() -> None:
        await _rounds(town, tools, "m", "n")
        url, secret = _where(town)
        hotkey = town.home("n", None).hotkey
        with pytest.raises(BadInput, match="give --hotkey, one of"):
            stored_material(url, secret_file=secret, device="toy")
        material = stored_material(url, secret_file=secret, device="toy", hotkey=hotkey)
        assert {record.hotkey for record in material.records} == {hotkey}

    tools.run(story())


def test_what_is_not_there_is_named_and_never_made(town: Any, tools: Any) -> None:
    async def story() -> None:
        await _rounds(town, tools, "m")
        url, secret = _where(town)
        with pytest.raises(NotFound, match="no records of a device 'toyota'; there are toy"):
            stored_material(url, secret_file=secret, device="toyota")
        with pytest.raises(NotFound, match="of the miner 5Else"):
            stored_material(url, secret_file=secret, device="toy", hotkey="5Else")
        with pytest.raises(NotFound, match="there are none"):
            stored_material(url, secret_file=secret, device="toy", up_to_epoch=0)
        absent = town.folder / "absent"
        with pytest.raises(NotFound, match="no validator's store"):
            stored_material(sqlite_url(absent), secret_file=secret, device="toy")
        with pytest.raises(NotFound, match="no validator's secret"):
            stored_material(url, secret_file=absent, device="toy")
        assert not absent.exists()

    tools.run(story())
