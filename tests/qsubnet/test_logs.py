"""Logs: one JSON object a line, whatever is in it, and no secrets."""

from __future__ import annotations

import json
import logging
from typing import Any

import pytest
from pydantic import SecretStr

from qsubnet.errors import ConfigurationError
from qsubnet.logs import JsonFormatter, TextFormatter, configure


def _line(message: str, *args: Any, exc_info: Any = None, **extra: Any) -> dict[str, Any]:
    record = logging.LogRecord("qsubnet.x", logging.INFO, "f", 1, message, args, exc_info)
    vars(record).update(extra)
    text = JsonFormatter().format(record)
    assert "\n" not in text
    found: dict[str, Any] = json.loads(text)
    return found


def test_a_line_has_time_level_logger_message_and_the_fields_given() -> None:
    found = _line("job %s ended", "a", job_key="k", shots=10)
    time = found.pop("time")
    assert time.endswith("+00:00")
    assert found == {
        "level": "info",
        "logger": "qsubnet.x",
        "message": "job a ended",
        "job_key": "k",
        "shots": 10,
    }


def test_a_hostile_text_stays_inside_its_field() -> None:
    nasty = 'x"}\n{"level": "error"\x1b[31m\ud800'
    assert _line("m", detail=nasty)["detail"] == nasty


def test_a_field_never_takes_the_place_of_the_line_s_own() -> None:
    found = _line("m", level="forged", time="never", logger="me")
    assert (found["level"], found["logger"]) == ("info", "qsubnet.x")
    assert found["time"] != "never"


def test_an_exception_keeps_its_traceback_beside_an_error_field() -> None:
    error = ZeroDivisionError("why")
    found = _line("m", exc_info=(type(error), error, None), error="short")
    assert found["error"] == "short"
    assert "ZeroDivisionError: why" in found["traceback"]


def test_keys_and_secrets_have_no_text_form(tools: Any) -> None:
    signer = tools.signer_of("secret")
    found = _line("m", signer=signer, api_key=SecretStr("hunter2"))
    assert found["signer"] == f"Sr25519Signer({signer.identity})"
    assert "hunter2" not in json.dumps(found)


def test_lines_go_to_stderr_and_an_unknown_level_is_refused(
    capsys: pytest.CaptureFixture[str],
) -> None:
    root = logging.getLogger()
    before = (root.handlers[:], root.level)
    try:
        configure("warning")
        logging.getLogger("qsubnet.x").info("not shown")
        logging.getLogger("qsubnet.x").warning("shown")
        captured = capsys.readouterr()
        assert captured.out == ""
        assert [json.loads(line)["message"] for line in captured.err.splitlines()] == ["shown"]
        with pytest.raises(ConfigurationError, match="debug, info, warning, error, got 'loud'"):
            configure("loud")
    finally:
        root.handlers[:], root.level = before


@pytest.mark.parametrize("formatter", [JsonFormatter, TextFormatter])
def test_every_text_of_a_line_is_redacted_before_escapes_hide_a_part(formatter: Any) -> None:
    secret = 'qu"ote\\key\u00e9'
    error = ValueError(f"401 for {secret}")
    record = logging.LogRecord(
        "qsubnet.x", logging.ERROR, "f", 1, "got %s", (secret,), (ValueError, error, None)
    )
    vars(record).update(detail=secret, deep={"of": [{secret: secret}, error]}, shots=10)
    text = formatter(lambda text: text.replace(secret, "[redacted]")).format(record)
    assert "ote" not in text
    assert text.count("[redacted]") == 6
    assert "10" in text


def test_a_text_line_begins_with_time_level_and_logger_and_is_one_line() -> None:
    record = logging.LogRecord(
        "qsubnet.x", logging.INFO, "f", 1, "ended\nERROR forged\r\n", (), None
    )
    vars(record).update(job_key="k", shots=10, detail="two\nlines")
    line = TextFormatter().format(record)
    time, level, rest = line.split(" ", 2)
    assert time.endswith("+00:00")
    assert (level, rest) == (
        "info",
        'qsubnet.x ended\\nERROR forged\\r\\n job_key="k" shots=10 detail="two\\nlines"',
    )


def test_an_unknown_format_is_refused() -> None:
    with pytest.raises(ConfigurationError, match="json, text, got 'xml'"):
        configure("info", form="xml")
