"""The gateway over HTTP: what goes in, what comes out, and what each mistake is answered with."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any, Protocol, TypeVar

import httpx
import pytest

from providers.base import Device
from qsubnet.errors import ConfigurationError
from qsubnet.gateway.accounts import Accounts, key_digest, new_api_key
from qsubnet.gateway.app import gateway_app
from qsubnet.gateway.errors import UnknownKey
from qsubnet.gateway.serve import Gateway
from qsubnet.wire.limits import MAX_REQUEST_BYTES
from qsubnet.wire.refusals import KINDS

T = TypeVar("T")
Line = Callable[..., Device]

KEY = "a-key-of-ada"
QASM2 = (
    'OPENQASM 2.0; include "qelib1.inc"; qreg a[1]; qreg b[1]; creg m[2];\n'
    "u2(0, pi) a[0]; cx a[0], b[0]; measure a[0] -> m[1]; measure b[0] -> m[0];\n"
)


class Subnet(Protocol):
    """What the `subnet` fixture lends; see conftest."""

    miners: dict[str, Any]

    async def found(self, *devices: Device, permitted: bool = True) -> None: ...

    def mining(self) -> AbstractAsyncContextManager[None]: ...

    def gateway(self, workshop: Any = None) -> AbstractAsyncContextManager[Gateway]: ...

    async def settle(self, gateway: Gateway) -> None: ...

    def judge(self, device: str, verdict: str = "verified", *, score: float = 10.0) -> None: ...

    def run(self, work: Coroutine[Any, Any, T]) -> T: ...


@asynccontextmanager
async def _http(gateway: Gateway) -> AsyncIterator[httpx.AsyncClient]:
    accounts = Accounts({key_digest(KEY): "ada", key_digest("other"): "bob"})
    app = gateway_app(gateway.service, accounts=accounts)
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    async with httpx.AsyncClient(
        transport=transport,
        base_url="http://gateway.test",
        headers={"authorization": f"Bearer {KEY}"},
    ) as http:
        yield http


def _problem(response: httpx.Response, word: str) -> str:
    """Check that a response is the problem of that word, and give its sentence."""
    kind = KINDS[word]
    assert response.headers["content-type"] == "application/problem+json"
    content = response.json()
    assert (content["type"], content["status"]) == (kind.type, kind.status)
    assert (response.status_code, content["title"]) == (kind.status, kind.title)
    assert content["detail"]
    return str(content["detail"])


def test_a_submission_in_a_rich_language_travels_to_counts(subnet: Subnet, make_line: Line) -> None:
    from qsubnet.gateway.preparing import Workshop

    async def story() -> None:
        await subnet.found(make_line("line", 5))
        subnet.judge("line")
        async with (
            subnet.mining(),
            subnet.gateway(Workshop()) as gateway,
            _http(gateway) as http,
        ):
            made = await http.post("/v1/jobs", json={"program": QASM2, "shots": 100})
            assert made.status_code == 202, made.text
            path = made.headers["location"]
            waiting = await http.get(f"{path}/result")
            assert "queued" in _problem(waiting, "not-finished")
            await subnet.settle(gateway)
            assert (await http.get(path)).json()["state"] == "completed"
            result = (await http.get(f"{path}/result")).json()
            assert set(result["results"][0]["counts"]) <= {"00", "11"}
            assert result["results"][0]["shots_returned"] == 100
            listed = (await http.get("/v1/jobs")).json()["jobs"]
            assert [job["job_id"] for job in listed] == [path.rpartition("/")[2]]

    subnet.run(story())


def test_devices_show_claim_and_verdict_side_by_side(subnet: Subnet, make_line: Line) -> None:
    async def story() -> None:
        await subnet.found(make_line("judged", 3), make_line("new", 4))
        subnet.judge("judged")
        async with subnet.mining(), subnet.gateway() as gateway, _http(gateway) as http:
            judged, new = (await http.get("/v1/devices")).json()["devices"]
        assert (judged["name"], judged["verdict"], judged["grade"]) == ("judged", "verified", "S1")
        assert judged["weight"] == 1.0
        assert judged["fidelity"]["low"] == 0.8
        assert judged["errors"] == {"one_qubit": 0.001, "two_qubit": 0.01, "readout": 0.02}
        assert (judged["two_qubit_gate"], judged["edges"]) == ("cz", [[0, 1], [1, 2]])
        assert (new["name"], new["verdict"], new["weight"], new["reachable"]) == (
            "new",
            None,
            None,
            True,
        )

    subnet.run(story())


BAD: list[tuple[str, Any, str, str]] = [
    ("no JSON", b"nonsense", "malformed-body", "no JSON"),
    ("not UTF-8", b'{"program": "\xff"}', "malformed-body", "UTF-8"),
    ("a list", [], "bad-input", "body"),
    ("nothing to run", {}, "bad-input", "need either 'program'"),
    ("both", {"program": "x", "programs": ["y"]}, "bad-input", "need either 'program'"),
    ("an unknown field", {"program": "x", "shot": 5}, "bad-input", "shot"),
    ("no shots", {"program": "x", "shots": 0}, "bad-input", "got 0"),
    ("negative shots", {"program": "x", "shots": -5}, "bad-input", "got -5"),
    ("shots as text", {"program": "x", "shots": "5"}, "bad-input", "got '5'"),
    ("too many shots", {"program": "x", "shots": 10**9}, "bad-input", "100000"),
    ("an empty text", {"program": ""}, "bad-input", "program"),
    ("no program", {"program": "x"}, "bad-program", "line 1"),
    ("no such device", {"program": "BELL", "device": "qpu9"}, "unknown-device", "line (5 qubits)"),
    ("a path as device", {"program": "x", "device": "../etc"}, "bad-input", "device"),
    ("an unknown gate", {"program": "FOO"}, "bad-program", "line 5: unknown gate 'foo'"),
    ("too wide", {"program": "WIDE", "device": "line"}, "too-wide", "uses 6 qubits"),
    ("nobody verified", {"program": "BELL"}, "unavailable", "no device is verified"),
]


@pytest.mark.parametrize(("body", "word", "said"), [b[1:] for b in BAD], ids=[b[0] for b in BAD])
def test_bad_input_is_answered_with_a_sentence_and_leaves_nothing(
    subnet: Subnet, make_line: Line, bell: str, body: Any, word: str, said: str
) -> None:
    texts = {
        "BELL": bell,
        "FOO": bell.replace("h q", "foo q"),
        "WIDE": bell.replace("qubit[2]", "qubit[6]") + "".join(f"x q[{q}];\n" for q in range(6)),
    }
    if isinstance(body, dict) and body.get("program") in texts:
        body = body | {"program": texts[body["program"]]}
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()

    async def story() -> None:
        await subnet.found(make_line("line", 5))
        async with subnet.mining(), subnet.gateway() as gateway, _http(gateway) as http:
            answer = await http.post("/v1/jobs", content=raw)
            assert said in _problem(answer, word)
            assert (await http.get("/v1/jobs")).json() == {"jobs": [], "next": None}

    subnet.run(story())


def test_who_shows_no_known_key_is_turned_away_everywhere_but_at_health(
    subnet: Subnet, make_line: Line
) -> None:
    async def story() -> None:
        await subnet.found(make_line("line", 5))
        async with subnet.mining(), subnet.gateway() as gateway, _http(gateway) as http:
            for given in ("", "Bearer nonsense", "Basic YTpi", f"Bearer {KEY}x"):
                headers = {"authorization": given}
                for method, path in (
                    ("POST", "/v1/jobs"),
                    ("GET", "/v1/jobs"),
                    ("GET", "/v1/jobs/job-0"),
                    ("DELETE", "/v1/jobs/job-0"),
                    ("GET", "/v1/devices"),
                ):
                    answer = await http.request(method, path, headers=headers)
                    _problem(answer, "unauthenticated")
                    assert answer.headers["www-authenticate"] == "Bearer"
                assert (await http.get("/v1/health", headers=headers)).json()["status"] == "ok"

    subnet.run(story())


def test_one_account_cannot_see_or_cancel_another_s_jobs(
    subnet: Subnet, make_line: Line, bell: str
) -> None:
    async def story() -> None:
        await subnet.found(make_line("line", 5))
        bob = {"authorization": "Bearer other"}
        async with subnet.mining(), subnet.gateway() as gateway, _http(gateway) as http:
            body = {"program": bell, "shots": 1, "device": "line"}
            path = (await http.post("/v1/jobs", json=body)).headers["location"]
            for method in ("GET", "DELETE"):
                _problem(await http.request(method, path, headers=bob), "not-found")
            _problem(await http.get(f"{path}/result", headers=bob), "not-found")
            assert (await http.get("/v1/jobs", headers=bob)).json()["jobs"] == []
            cancelled = await http.delete(path)
            assert cancelled.json()["state"] == "cancelled"
            assert "cancelled" in _problem(await http.get(f"{path}/result"), "no-result")

    subnet.run(story())


def test_an_idempotency_key_is_one_submission(subnet: Subnet, make_line: Line, bell: str) -> None:
    async def story() -> None:
        await subnet.found(make_line("line", 5))
        async with subnet.mining(), subnet.gateway() as gateway, _http(gateway) as http:
            body = {"program": bell, "shots": 1, "device": "line"}
            headers = {"Idempotency-Key": "one"}
            first = await http.post("/v1/jobs", json=body, headers=headers)
            again = await http.post("/v1/jobs", json=body, headers=headers)
            assert (first.status_code, first.json()) == (again.status_code, again.json())
            other = await http.post("/v1/jobs", json=body | {"shots": 2}, headers=headers)
            assert first.json()["job_id"] in _problem(other, "idempotency-conflict")
            bad = {"Idempotency-Key": "x" * 200}
            _problem(await http.post("/v1/jobs", json=body, headers=bad), "bad-input")

    subnet.run(story())


def test_a_body_is_refused_once_it_is_too_large_before_it_was_read_to_its_end(
    subnet: Subnet, make_line: Line
) -> None:
    async def story() -> None:
        await subnet.found(make_line("line", 5))
        sent = 0

        async def endless() -> AsyncIterator[bytes]:
            nonlocal sent
            for _ in range(1000):
                sent += 2**20
                yield b" " * 2**20

        async with subnet.mining(), subnet.gateway() as gateway, _http(gateway) as http:
            # ASGITransport reads an announced body whole; the announcement alone is refused.
            headers = {"content-length": str(10**12)}
            announced = await http.post("/v1/jobs", content=b"{}", headers=headers)
            assert str(MAX_REQUEST_BYTES) in _problem(announced, "body-too-large")
            streamed = await http.post("/v1/jobs", content=endless())
            _problem(streamed, "body-too-large")
            assert sent <= MAX_REQUEST_BYTES + 2**21

    subnet.run(story())


def test_unknown_paths_methods_and_queries_are_problems_too(
    subnet: Subnet, make_line: Line
) -> None:
    async def story() -> None:
        await subnet.found(make_line("line", 5))
        async with subnet.mining(), subnet.gateway() as gateway, _http(gateway) as http:
            nothing = await http.get("/v1/nothing")
            _problem(nothing, "not-found")
            assert "/v1/nothing" in nothing.json()["detail"]
            put = await http.put("/v1/jobs")
            _problem(put, "method-not-allowed")
            assert put.headers["allow"] == "GET, POST"
            assert "got PUT" in put.json()["detail"]
            _problem(await http.get("/v1/jobs?limit=0"), "bad-input")
            _problem(await http.get("/v1/jobs?limit=x"), "bad-input")
            _problem(await http.get("/v1/jobs?after=job-0"), "not-found")
            _problem(await http.get("/v1/jobs/%00"), "not-found")

    subnet.run(story())


def test_a_bug_is_answered_as_internal_without_its_words(subnet: Subnet, make_line: Line) -> None:
    async def story() -> None:
        await subnet.found(make_line("line", 5))
        async with subnet.mining(), subnet.gateway() as gateway:

            def broken() -> Any:
                raise RuntimeError("a secret of the inside")

            gateway.service.devices = broken  # type: ignore[method-assign]
            async with _http(gateway) as http:
                detail = _problem(await http.get("/v1/devices"), "internal")
        assert "secret" not in detail

    subnet.run(story())


def test_the_interface_is_documented_with_schemas_examples_and_every_problem(
    subnet: Subnet, make_line: Line
) -> None:
    async def story() -> None:
        await subnet.found(make_line("line", 5))
        async with subnet.mining(), subnet.gateway() as gateway, _http(gateway) as http:
            document = (await http.get("/openapi.json")).json()
        assert set(document["paths"]) == {
            "/v1/jobs",
            "/v1/jobs/{job_id}",
            "/v1/jobs/{job_id}/result",
            "/v1/devices",
            "/v1/health",
            "/v1/ready",
        }
        post = document["paths"]["/v1/jobs"]["post"]
        schema = post["requestBody"]["content"]["application/json"]["schema"]
        assert schema["properties"]["shots"]["maximum"] == 100_000
        assert schema["examples"][0]["program"].startswith("OPENQASM 3.0;")
        assert post["security"] == [{"HTTPBearer": []}]
        assert {"202", "400", "401", "404", "409", "413", "422", "429", "503"} <= set(
            post["responses"]
        )
        for status, answer in post["responses"].items():
            kind = "application/json" if status == "202" else "application/problem+json"
            assert list(answer["content"]) == [kind]
        assert all(kind.type in document["info"]["description"] for kind in KINDS.values())
        assert "ProblemView" in document["components"]["schemas"]

    subnet.run(story())


def test_keys_are_kept_as_digests_and_compared_whole() -> None:
    key = new_api_key()
    accounts = Accounts({key_digest(key): "ada"})
    assert accounts.account_of(key) == "ada"
    for wrong in (None, "", key[:-1], key + "x", key_digest(key)):
        with pytest.raises(UnknownKey):
            accounts.account_of(wrong)
    for entries in ({}, {"short": "ada"}, {key_digest(key): ""}):
        with pytest.raises(ConfigurationError):
            Accounts(entries)


def test_forty_submissions_at_once_all_arrive(subnet: Subnet, make_line: Line, bell: str) -> None:
    async def story() -> None:
        await subnet.found(make_line("line", 5))
        async with subnet.mining(), subnet.gateway() as gateway, _http(gateway) as http:
            body = {"program": bell, "shots": 1, "device": "line"}
            made = await asyncio.gather(*(http.post("/v1/jobs", json=body) for _ in range(40)))
            assert {one.status_code for one in made} == {202}
            await subnet.settle(gateway)
            states = [(await http.get(one.headers["location"])).json()["state"] for one in made]
        assert states == ["completed"] * 40

    subnet.run(story())
