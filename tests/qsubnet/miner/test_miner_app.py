"""The miner over signed HTTP: who may ask what, and what an error looks like."""

from __future__ import annotations

import json
from typing import Any

import pytest

from qsubnet.errors import QsubnetError, Refused
from qsubnet.wire.miner_port import MinerPort

URN = "urn:qsubnet:problem:"


async def _ask(
    town: Any, hotkey: str, method: str, path: str, body: bytes = b"", *, by: str = "val"
) -> tuple[int, dict[str, Any]]:
    reply = await town.client(by).exchange(
        method, f"http://m.test:80{path}", server=hotkey, body=body
    )
    return reply.status, json.loads(reply.body)


def test_errors_are_signed_problems_with_stable_types(town: Any, tools: Any) -> None:
    async def story() -> None:
        await town.settle_in(miners=["m"])
        home = town.home("m", tools.backend(tools.device()).provider)
        good = json.loads(tools.dispatch_to(home.hotkey).request)
        key = good["key"]
        cases: list[tuple[str, str, Any, int, str]] = [
            ("GET", "/v1/nothing", None, 404, "not-found"),
            ("PUT", "/v1/jobs", None, 405, "method-not-allowed"),
            ("GET", f"/v1/jobs/{'1' * 64}", None, 404, "not-found"),
            ("GET", "/v1/jobs/%2e%2e", None, 404, "not-found"),
            ("POST", "/v1/jobs", b"{", 400, "malformed-body"),
            ("POST", "/v1/jobs", b"", 400, "malformed-body"),
            ("POST", "/v1/jobs", {}, 422, "malformed-body"),
            ("POST", "/v1/jobs", good | {"shots": "10"}, 422, "malformed-body"),
            ("POST", "/v1/jobs", good | {"shots": True}, 422, "malformed-body"),
            ("POST", "/v1/jobs", good | {"callback": "http://x"}, 422, "malformed-body"),
            ("POST", "/v1/jobs", good | {"device": "other"}, 422, "bad-input"),
            ("POST", "/v1/jobs", good | {"programs": ["h q;"]}, 422, "bad-program"),
            ("GET", f"/v1/jobs/{key}/result", None, 409, "conflict"),
            ("POST", "/v1/jobs", good | {"shots": 11}, 409, "conflict"),
            ("POST", f"/v1/jobs/{key}/receipt", {"receipt": {}}, 409, "conflict"),
        ]
        await home.start()
        port = MinerPort(town.client("val"), endpoint="http://m.test:80", hotkey=home.hotkey)
        sent = False
        for method, path, content, status, word in cases:
            if word == "conflict" and not sent:
                from qsubnet.wire.peer import JobRequest

                await port.submit(JobRequest.model_validate(good))
                sent = True
            raw = content if isinstance(content, bytes) else json.dumps(content).encode()
            body = b"" if content is None else raw
            got, problem = await _ask(town, home.hotkey, method, path, body)
            assert (got, problem["type"]) == (status, URN + word), (path, content, problem)
            assert problem["detail"]

    tools.run(story())


def test_only_validators_may_send_jobs_and_everybody_may_look(town: Any, tools: Any) -> None:
    async def story() -> None:
        await town.settle_in(miners=["m", "stranger"])
        home = town.home("m", tools.backend(tools.device()).provider)
        await home.start()
        body = tools.dispatch_to(home.hotkey).request.encode()
        status, problem = await _ask(town, home.hotkey, "POST", "/v1/jobs", body, by="stranger")
        assert (status, problem["type"]) == (403, URN + "not-admitted")
        status, found = await _ask(town, home.hotkey, "GET", "/v1/devices", by="stranger")
        assert (status, [one["name"] for one in found["devices"]]) == (200, ["toy"])

    tools.run(story())


def test_health_is_open_and_unsigned(town: Any, tools: Any) -> None:
    import httpx

    async def story() -> None:
        await town.settle_in(miners=["m"])
        home = town.home("m", tools.backend(tools.device()).provider)
        await home.start()
        async with httpx.AsyncClient(transport=town.streets) as http:
            reply = await http.get("http://m.test/v1/health")
            assert reply.json() == {
                "hotkey": home.hotkey,
                "devices": ["toy"],
                "jobs_waiting": 0,
                "accepting": True,
                "maintenance": [],
            }
            unsigned = await http.get("http://m.test/v1/devices")
            assert unsigned.status_code == 401

    tools.run(story())


def test_a_fault_of_ours_is_a_problem_that_tells_nothing(
    town: Any, tools: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def story() -> None:
        await town.settle_in(miners=["m"])
        home = town.home("m", tools.backend(tools.device()).provider)
        service = await home.start()

        def broken(*_: Any, **__: Any) -> Any:
            raise RuntimeError("secret inside")

        monkeypatch.setattr(service, "status", broken)
        status, problem = await _ask(town, home.hotkey, "GET", "/v1/jobs/x")
        assert (status, problem["type"]) == (500, URN + "internal")
        assert "secret" not in json.dumps(problem)

    tools.run(story())


def test_a_validator_is_admitted_as_soon_as_it_has_its_permit(town: Any, tools: Any) -> None:
    """The picture of the last seconds must not turn away whoever just got a permit."""
    from qsubnet.miner.admission import Permits

    async def story() -> None:
        await town.settle_in(validators=["val"], miners=["m"])
        permits = Permits(town.chain("m"), now_s=lambda: 0.0)
        late = tools.signer_of("late").identity
        assert await permits.admits(tools.signer_of("val").identity)
        assert not await permits.admits(late)
        registrar = town.ledger.registrar(town.cold)
        await registrar.register(late)
        await registrar.add_stake(late, 1_000)
        await town.ledger.advance_to(40)
        assert await permits.admits(late)

    tools.run(story())


def test_a_chain_that_cannot_be_read_is_unavailable_and_no_refusal(
    town: Any, tools: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    from qsubnet.chain.errors import LedgerBusy
    from qsubnet.errors import Unreachable

    async def story() -> None:
        await town.settle_in(miners=["m"])
        home = town.home("m", tools.backend(tools.device()).provider)

        async def busy(*_: Any) -> Any:
            raise LedgerBusy("held")

        monkeypatch.setattr("qsubnet.chain.local.LocalChain.metagraph", busy)
        await home.start()
        port = MinerPort(town.client("val"), endpoint="http://m.test:80", hotkey=home.hotkey)
        with pytest.raises(Unreachable, match="cannot be read now"):
            await port.status("x")

    tools.run(story())


def test_a_refusal_carries_the_miner_s_sentence(town: Any, tools: Any) -> None:
    from qsubnet.wire.peer import JobRequest

    async def story() -> None:
        await town.settle_in(miners=["m"])
        home = town.home("m", tools.backend(tools.device()).provider)
        await home.start()
        port = MinerPort(town.client("val"), endpoint="http://m.test:80", hotkey=home.hotkey)
        request = JobRequest.model_validate_json(tools.dispatch_to(home.hotkey).request)
        with pytest.raises(Refused, match="no device 'other' here") as refused:
            await port.submit(request.model_copy(update={"device": "other"}))
        assert refused.value.status == 422
        assert isinstance(refused.value, QsubnetError)

    tools.run(story())


def test_a_closed_miner_says_why_and_when_to_come_back_and_goes_on_answering(
    town: Any, tools: Any
) -> None:
    import httpx

    from qsubnet.wire.peer import JobRequest

    async def story() -> None:
        await town.settle_in(miners=["m"])
        home = town.home("m", tools.backend(tools.device()).provider)
        service = await home.start()
        port = MinerPort(town.client("val"), endpoint="http://m.test:80", hotkey=home.hotkey)
        known = JobRequest.model_validate_json(tools.dispatch_to(home.hotkey).request)
        assert (await port.submit(known)).queue_position == 0
        service.gate.drain()
        assert (await port.submit(known)).state == "queued"
        fresh = tools.dispatch_to(home.hotkey, number=1).request.encode()
        status, problem = await _ask(town, home.hotkey, "POST", "/v1/jobs", fresh)
        assert (status, problem["type"]) == (503, URN + "draining")
        async with httpx.AsyncClient(transport=town.streets) as http:
            ready = await http.get("http://m.test/v1/ready")
            assert (ready.status_code, ready.json()["reasons"]) == (503, ["this miner ends now"])
            health = await http.get("http://m.test/v1/health")
            assert (health.status_code, health.json()["accepting"]) == (200, False)
            windows = await http.get("http://m.test/v1/maintenance")
            assert windows.json() == {"windows": []}

    tools.run(story())


def test_a_refusal_for_a_time_carries_its_seconds_in_a_header_and_is_counted(
    town: Any, tools: Any
) -> None:
    import httpx

    from qsubnet.miner.app import miner_app
    from qsubnet.miner.gate import RESTART_S

    refused: list[str] = []

    async def story() -> None:
        await town.settle_in(miners=["m"])
        home = town.home("m", tools.backend(tools.device()).provider)
        service = await home.start()

        async def admit(hotkey: str) -> bool:
            return hotkey == "known"

        inner = miner_app(service, admit=admit, refused=refused.append)

        async def named(scope: Any, receive: Any, send: Any) -> None:
            scope["state"] = {"caller_hotkey": dict(scope["headers"])[b"x-caller"].decode()}
            await inner(scope, receive, send)

        service.gate.drain()
        async with httpx.AsyncClient(
            transport=httpx.ASGITransport(named), base_url="http://m"
        ) as http:
            body = tools.dispatch_to(home.hotkey).request
            for caller, content in (("known", body), ("stranger", body), ("known", "{}")):
                reply = await http.post("/v1/jobs", content=content, headers={"x-caller": caller})
                if reply.status_code == 503:
                    assert reply.headers["retry-after"] == str(RESTART_S)

    tools.run(story())
    assert refused == ["draining", "not-admitted", "malformed-body"]


def test_a_permit_with_too_little_stake_is_refused_with_both_numbers(town: Any, tools: Any) -> None:
    from qsubnet.miner.admission import NotAdmitted, Permits

    async def story() -> None:
        await town.settle_in(validators=["val"], miners=["m"])  # with a stake of 1000 rao
        val = tools.signer_of("val").identity
        for least, admitted in ((0, True), (1_000, True), (1_001, False)):
            permits = Permits(town.chain("m"), now_s=lambda: 0.0, min_stake_rao=least)
            if admitted:
                assert await permits.admits(val)
            else:
                with pytest.raises(NotAdmitted, match=r"has 1000 rao of stake.* asks for 1001"):
                    await permits.admits(val)
            assert not await permits.admits(tools.signer_of("m").identity)

    tools.run(story())
