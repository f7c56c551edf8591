"""A backend that quotes its credential: the judge prints, exports and reports nothing of it."""

from __future__ import annotations

import gzip
import os
import shlex
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[3]
PLANTED = "planted-7f3a91c2-credential"

# Every second job fails and says why, with the credential in it; the others are coin flips.
LEAKING = """
import json, os, sys
key = os.environ["IONQ_API_KEY"]
for number, line in enumerate(sys.stdin):
    job = json.loads(line)
    if number % 2:
        print(json.dumps({"id": job["id"], "error": f"401: apiKey {key} was refused"}), flush=True)
    else:
        width = job["program"]["source"].count(" = measure ")
        counts = {"0" * width: job["shots"]}
        print(json.dumps({"id": job["id"], "counts": counts}), flush=True)
"""
SHEET = """{"name": "leaky", "class": "simulator", "num_qubits": 3, "native_gates": ["u"],
 "two_qubit_gate": "cx", "coupling": "all"}"""


def test_nothing_that_a_judge_writes_holds_a_planted_credential(tmp_path: Path) -> None:
    (tmp_path / "dev.py").write_text(LEAKING)
    (tmp_path / "sheet.json").write_text(SHEET)
    command = shlex.join([sys.executable, str(tmp_path / "dev.py")])
    asked = ["judge", "--provider", "exec", "--command", command, "--sheet", "sheet.json"]
    written = ["--epochs", "1", "--export", "all.jsonl.gz", "--report", "page.html"]
    done = subprocess.run(
        [sys.executable, "-m", "qsubnet.cli", *asked, *written],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT), "IONQ_API_KEY": PLANTED},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "401: apiKey" in done.stderr  # the reason is told, without the credential
    exported = gzip.decompress((tmp_path / "all.jsonl.gz").read_bytes()).decode()
    page = (tmp_path / "page.html").read_text()
    for text in (done.stdout, done.stderr, exported, page):
        assert PLANTED not in text
