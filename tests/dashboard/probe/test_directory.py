"""Who can be asked: health and models of declared endpoints, and no way to any other address."""

from __future__ import annotations

import asyncio
import socket
import threading
import time
from collections.abc import Coroutine
from typing import Any

import pytest

from dashboard.probe.asked import Prompt, Request, Turn
from dashboard.probe.clients.client import ServedModel
from dashboard.probe.directory import Directory, Standing
from dashboard.probe.endpoints import Declared, Endpoint
from dashboard.probe.replies import ClientError
from loaders.errors import DriftlineError
from tests.probe_server import ProbeServer, Refusal, free_port, probe_server

KEY = "sk-test-q7Zw3xV9rT2mKp5L"
KEYS = {"A_KEY": KEY, "B_KEY": "other-key-0123456789"}


def directory(*endpoints: Endpoint, **more: Any) -> Directory:
    return Directory(Declared(endpoints), KEYS.get, **more)


def openai(server: ProbeServer, name: str = "here", **more: Any) -> Endpoint:
    return Endpoint(name, "openai", server.url("openai"), **({"key": "A_KEY"} | more))


def refreshed(of: Directory) -> dict[str, Standing]:
    run(of, of.refresh())
    return {standing.name: standing for standing in of.snapshot()}


def run(of: Directory, *work: Coroutine[Any, Any, Any]) -> None:
    async def all_of_it() -> None:
        for each in work:
            await each
        await of.close()

    asyncio.run(all_of_it())


def test_health_and_models_of_both_protocols(server: ProbeServer) -> None:
    server.models = [{"id": "base", "root": "/w"}, {"id": "rl@400", "parent": "base", "root": "/w/rl/400"}]
    both = directory(openai(server), Endpoint("there", "anthropic", server.root, "A_KEY"))
    before = both.snapshot()
    assert [(standing.health, standing.models, standing.checked_at) for standing in before] == [
        ("unasked", (), None)
    ] * 2
    for standing in refreshed(both).values():
        assert standing.health == "ok"
        assert standing.message == "2 models"
        assert standing.models == (ServedModel("base", None, "/w"), ServedModel("rl@400", "base", "/w/rl/400"))
        assert standing.checked_at is not None
        assert standing.model("rl@400") == standing.models[1]
        assert standing.model("nope") is None
    assert [standing.name for standing in both.snapshot()] == ["here", "there"]


def test_only_models_that_may_be_asked(server: ProbeServer) -> None:
    server.models = [{"id": "base"}, {"id": "rl-1"}, {"id": "rl-2"}]
    known = refreshed(directory(openai(server, models=("rl-*",)), openai(server, "none", models=("x*",))))
    assert [model.id for model in known["here"].models] == ["rl-1", "rl-2"]
    assert known["none"].models == ()
    assert "none of its 3 models" in known["none"].message


def test_a_server_that_does_not_list_its_models(server: ProbeServer) -> None:
    server.listing = Refusal(404)
    known = refreshed(
        directory(openai(server, models=("a", "b-*")), openai(server, "bare"), openai(server, "x", models=("x*",)))
    )
    assert (known["here"].health, known["here"].models) == ("ok", (ServedModel("a"),))
    assert known["bare"].health == known["x"].health == "not_found"
    assert "`models`" in known["bare"].message


def test_a_key_that_is_not_set(server: ProbeServer) -> None:
    unset = directory(openai(server, key="UNSET_KEY"))
    standing = refreshed(unset)["here"]
    assert standing.health == "no_key"
    assert "UNSET_KEY" in standing.message
    with pytest.raises(ClientError) as caught:
        unset.client("here")
    assert caught.value.kind == "unauthorised"
    assert not server.seen


def test_what_is_wrong_with_each(server: ProbeServer) -> None:
    server.listing = Refusal(401, message=f"bad key {KEY}")
    known = refreshed(directory(openai(server), Endpoint("dead", "openai", f"http://127.0.0.1:{free_port()}/v1")))
    assert (known["here"].health, known["dead"].health) == ("unauthorised", "refused")
    assert "A_KEY" in known["here"].message
    assert KEY not in repr(known)


@pytest.mark.slow
def test_a_dead_endpoint_delays_no_other(server: ProbeServer) -> None:
    with socket.socket() as deaf, probe_server() as slow:
        deaf.bind(("127.0.0.1", 0))
        deaf.listen()  # takes connections, and never says anything
        slow.listing_pause = 20
        silent = Endpoint("deaf", "openai", f"http://127.0.0.1:{deaf.getsockname()[1]}/v1")
        many = directory(silent, openai(slow, "slow"), openai(server), check_s=2.0)
        done: dict[str, float] = {}

        async def watched() -> None:
            start = time.monotonic()
            refreshing = asyncio.ensure_future(many.refresh())
            while not refreshing.done():
                for standing in many.snapshot():
                    if standing.health != "unasked":
                        done.setdefault(standing.name, time.monotonic() - start)
                await asyncio.sleep(0.01)
            done["all"] = time.monotonic() - start

        run(many, _warm(many), watched())
        known = {standing.name: standing.health for standing in many.snapshot()}
    assert known == {"deaf": "timeout", "slow": "timeout", "here": "ok"}
    assert done["here"] < 1.5
    assert done["all"] < 4


async def _warm(of: Directory) -> None:
    await asyncio.to_thread(of.client, "here")  # loads the protocol's package


def test_models_stay_known_while_a_server_does_not_answer(server: ProbeServer) -> None:
    here = directory(openai(server))
    assert refreshed(here)["here"].health == "ok"
    server.listing = Refusal(503)
    standing = refreshed(here)["here"]
    assert standing.health == "overloaded"
    assert standing.models == (ServedModel("base"),)


def test_a_change_of_what_an_endpoint_serves_is_counted_and_the_same_again_is_not(server: ProbeServer) -> None:
    server.listing = Refusal(503)
    of = directory(openai(server))
    counts = []
    for change in (None, "the same", "it serves", "the same", "another model"):
        if change == "it serves":
            server.listing = None
        if change == "another model":
            server.models.append({"id": "late"})
        refreshed(of)
        counts.append(of.changes)
    assert counts[0] == counts[1] < counts[2] == counts[3] < counts[4]


def test_no_client_for_what_is_not_declared(server: ProbeServer) -> None:
    here = directory(openai(server))
    for name in ("nowhere", server.url("openai"), ""):
        with pytest.raises(DriftlineError, match="allowed: here"):
            here.client(name)
    assert not server.seen


def test_a_client_is_made_once(server: ProbeServer) -> None:
    here = directory(openai(server))
    made: list[Any] = []
    threads = [threading.Thread(target=lambda: made.append(here.client("here"))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(made) == 8
    assert len({id(client) for client in made}) == 1
    run(here)


def test_a_key_that_changes_makes_a_new_client(server: ProbeServer) -> None:
    keys = {"A_KEY": KEY}
    here = Directory(Declared((openai(server),)), keys.get)

    async def use() -> None:
        first = here.client("here")
        keys["A_KEY"] = "another-key-987654"
        second = here.client("here")
        assert second is not first
        assert [part async for part in second.stream(Request("m", Prompt((Turn("user", "Hi"),)), 5))]

    run(here, use())
    assert server.seen[-1].headers["authorization"] == "Bearer another-key-987654"
    assert here.redact(f"{KEY} another-key-987654") == "[key] [key]"


def test_endpoints_come_and_go(server: ProbeServer) -> None:
    here = directory(openai(server))
    first = here.client("here")
    assert refreshed(here)["here"].health == "ok"
    with probe_server() as other:
        other.models = [{"id": "served"}]
        here.update(Declared((openai(server), openai(other, "serve", key="B_KEY"))))
        assert [standing.health for standing in here.snapshot()] == ["ok", "unasked"]  # what is known stays
        assert refreshed(here)["serve"].models == (ServedModel("served"),)
    here.update(Declared((openai(server, in_flight=2),)))
    assert [standing.name for standing in here.snapshot()] == ["here"]
    assert here.declared.endpoints[0].in_flight == 2
    with pytest.raises(DriftlineError):
        here.client("serve")
    assert here.client("here") is not first
    assert here.redact("other-key-0123456789") == "[key]"  # a reply may still hold it
    run(here)


@pytest.mark.slow
def test_an_answer_for_an_endpoint_that_went_meanwhile_is_dropped(server: ProbeServer) -> None:
    server.listing_pause = 1.0
    here = directory(openai(server), openai(server, "gone"))

    async def use() -> None:
        refreshing = asyncio.ensure_future(here.refresh())
        await asyncio.sleep(0.2)
        here.update(Declared((openai(server),)))
        await refreshing

    run(here, _warm(here), use())
    assert [(standing.name, standing.health) for standing in here.snapshot()] == [("here", "ok")]


def test_an_endpoint_that_changes_makes_a_new_client(server: ProbeServer) -> None:
    here = directory(openai(server), openai(server, "other"))
    first, other = here.client("here"), here.client("other")
    here.update(Declared((openai(server, in_flight=2), openai(server, "other"))))
    assert here.client("here") is not first
    assert here.client("other") is other
    run(here)


def test_an_answer_of_the_address_before_is_dropped(server: ProbeServer) -> None:
    server.listing_pause = 1.0
    here = directory(openai(server))

    async def use() -> None:
        refreshing = asyncio.ensure_future(here.refresh())
        await asyncio.sleep(0.2)
        here.update(Declared((openai(server, models=("other",)),)))
        await refreshing

    run(here, _warm(here), use())
    assert [standing.health for standing in here.snapshot()] == ["unasked"]


def test_two_endpoints_of_one_name(server: ProbeServer) -> None:
    with pytest.raises(DriftlineError, match='called "here"'):
        directory(openai(server), openai(server))
    here = directory(openai(server))
    with pytest.raises(DriftlineError):
        here.update(Declared((openai(server), openai(server))))
    assert [standing.name for standing in here.snapshot()] == ["here"]


def test_redact_takes_out_every_key(server: ProbeServer) -> None:
    both = directory(openai(server), openai(server, "there", key="B_KEY"))
    assert both.redact(f"a {KEY} b {KEYS['B_KEY']} c") == "a [key] b [key] c"
    assert both.redact("Authorization: Bearer abcdefgh1234") == "Authorization: Bearer [key]"
    assert both.redact("words stay as they are") == "words stay as they are"
