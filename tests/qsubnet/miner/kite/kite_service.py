"""The invented cloud itself, a process of its own that outlives any miner.

    POST /jobs {token, ...} -> {id}       GET /jobs?token=T -> {id | null}
    GET /jobs/ID -> {state, detail}       POST /jobs/ID/cancel
    POST /control {word: value}           GET /control?sent=N -> {tokens}, once N were sent

It takes the same token twice, as clouds without idempotency do. Words of /control: `finish` ends
every job as it says (completed, failed), `hold` keeps the answers of POST /jobs back, `refuse` is a
status that POST /jobs answers with. Refusals and failures repeat the caller's credentials.
"""

from __future__ import annotations

import json
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

CHANGED = threading.Condition()
TOKENS: list[str] = []
JOBS: dict[str, dict[str, str]] = {}
WORDS: dict[str, Any] = {"finish": "", "hold": False, "refuse": 0}


class Handler(BaseHTTPRequestHandler):
    """Answers one request."""

    protocol_version = "HTTP/1.1"

    def log_message(self, *_: object) -> None:
        """Stay silent."""

    def do_GET(self) -> None:
        path, query = urlsplit(self.path).path, parse_qs(urlsplit(self.path).query)
        with CHANGED:
            if path == "/control":
                CHANGED.wait_for(lambda: len(TOKENS) >= int(query["sent"][0]), timeout=180)
                self._send(200, {"tokens": TOKENS})
            elif path == "/jobs":
                token = query["token"][0]
                known = [job for job, of in JOBS.items() if of["token"] == token]
                self._send(200, {"id": known[0] if known else None})
            elif (job := path.removeprefix("/jobs/")) in JOBS:
                state = JOBS[job]["state"] or WORDS["finish"] or "running"
                detail = f"failed for {dict(self.headers)}" if state == "failed" else ""
                self._send(200, {"state": state, "detail": detail})
            else:
                self._send(404, {})

    def do_POST(self) -> None:
        length = int(self.headers.get("content-length") or 0)
        body = json.loads(self.rfile.read(length) or b"{}")
        with CHANGED:
            if self.path == "/control":
                WORDS.update(body)
                CHANGED.notify_all()
                self._send(200, {})
            elif self.path == "/jobs":
                self._take(body)
            else:
                JOBS[self.path.split("/")[2]]["state"] = "cancelled"
                self._send(200, {})

    def _take(self, body: dict[str, Any]) -> None:
        if WORDS["refuse"]:
            self._send(WORDS["refuse"], {"error": f"refused, you sent {dict(self.headers)}"})
            return
        TOKENS.append(body["token"])
        job = f"kite-{len(TOKENS)}"
        JOBS[job] = {"token": body["token"], "state": ""}
        CHANGED.notify_all()
        CHANGED.wait_for(lambda: not WORDS["hold"], timeout=180)
        self._send(200, {"id": job})

    def _send(self, status: int, content: object) -> None:
        raw = json.dumps(content).encode()
        self.send_response(status)
        self.send_header("content-length", str(len(raw)))
        self.end_headers()
        try:
            self.wfile.write(raw)
        except OSError:
            self.close_connection = True


def main() -> None:
    """Serve until stdin closes, so that no test leaves it behind."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    sys.stdout.write(f"http://127.0.0.1:{server.server_port}\n")
    sys.stdout.flush()
    sys.stdin.read()


if __name__ == "__main__":
    main()
