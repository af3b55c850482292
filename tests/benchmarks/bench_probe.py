"""What the engine adds: eight streams in parallel through it, saving to a real store, against a bare asyncio client.

The same requests to the same server, which is a process of its own; a ratio in one run.
"""

from __future__ import annotations

import asyncio
import json
import time
from pathlib import Path

import httpx2
import pytest
from openai import AsyncOpenAI

from dashboard.app_pages.probe.stream import LONGEST_LOOK, LONGEST_UNREAD, SHORTEST_LOOK
from dashboard.probe.asked import Column, Sampling
from dashboard.probe.endpoints import Endpoint
from dashboard.queries.probes import read_probe
from loaders.store import Store
from tests import real_parts
from tests.driftline import environment
from tests.probe_server import End, Pause, Text, probe_server, server_process
from tests.probing import BARE, Probing, probing, until
from tests.serving import notes_left, serving

SERVED = "smollm2-135m-instruct@0"
STREAMS = 8
ROUNDS = 3
MOST_ROUNDS = 40
"""A machine that does other things at the same time slows a round; the fastest of more rounds is nearer the truth."""
MOST = 1.15
"""Times the bare client's, where a model takes its time for a token."""
MOST_OF_MAKERS = 0.6
"""Times the maker's client's, where tokens come as fast as a process can write them: then what counts is the computing
alone, and whether server and client have a core each. A client that parses and throws away is no measure of that."""


def body(model: str, tokens: int) -> dict[str, object]:
    """The request that the engine makes for BARE."""
    turns = [{"role": "system", "content": BARE.prompt.system}, {"role": "user", "content": BARE.prompt.turns[0].text}]
    return {
        "model": model, "messages": turns, "max_tokens": tokens, "seed": 1, "temperature": 0.0, "stream": True,
        "stream_options": {"include_usage": True},
    }  # fmt: skip


async def bare(url: str, models: list[str], tokens: int, key: str) -> list[int]:
    """The characters of each reply, by the HTTP client alone: no typed events, no store, nobody who looks on."""

    async def one(client: httpx2.AsyncClient, model: str) -> int:
        length = 0
        async with client.stream("POST", f"{url}/chat/completions", json=body(model, tokens)) as answer:
            assert answer.status_code == 200
            async for line in answer.aiter_lines():
                if line.startswith("data: {"):
                    choices = json.loads(line[6:])["choices"]
                    length += len(choices[0]["delta"].get("content") or "") if choices else 0
        return length

    headers = {"authorization": f"Bearer {key}"}
    async with httpx2.AsyncClient(timeout=120, headers=headers, trust_env=False) as client:
        return await asyncio.gather(*(one(client, model) for model in models))


async def by_openai(url: str, models: list[str], tokens: int, key: str) -> list[int]:
    """The same by the maker's client, as one would write it."""

    async def one(client: AsyncOpenAI, model: str) -> int:
        length = 0
        stream = await client.chat.completions.create(**body(model, tokens))  # type: ignore[call-overload]
        async for chunk in stream:
            length += len(chunk.choices[0].delta.content or "") if chunk.choices else 0
        return length

    async with AsyncOpenAI(api_key=key, base_url=url, max_retries=0) as client:
        return await asyncio.gather(*(one(client, model) for model in models))


def by_engine(lab: Probing, models: list[str], tokens: int) -> list[int]:
    """The same as a page asks, until the last end is in the store."""
    asked = [Column("lab", "openai", model) for model in models]
    probe_id = lab.engine.start(asked, [BARE], Sampling(1, 0.0, tokens, 1), title="bench")
    with lab.store.cursor() as cursor:
        probe = read_probe(cursor, probe_id)
    seen, looks = 0, 0
    while lab.engine.active(probe_id):  # somebody looks on, as a page does
        seen, looks = lab.engine.changes.wait(probe_id, seen, LONGEST_LOOK), looks + 1
        if looks % (LONGEST_UNREAD // SHORTEST_LOOK) == 0:
            with lab.store.cursor() as cursor:
                probe = read_probe(cursor, probe_id)
        lab.engine.replies(probe)
        for _ in range(int(SHORTEST_LOOK / 0.005)):
            if lab.engine.active(probe_id):
                time.sleep(0.005)
    return [len(reply.text) for reply in lab.done(probe_id).replies]


def seconds(
    url: str,
    models: list[str],
    tokens: int,
    folder: Path,
    key: str = "none",
    *,
    off: float = 0.0,
    most: int = MOST_ROUNDS,
) -> dict[str, float]:
    """The fastest of some rounds of each, in turns; of more where the engine seems slow.

    `off`: the part by which the lengths of all replies may differ between the three. A real server's batches are never
    the same twice, and where two tokens are as likely the last bit of a sum decides. `most`: rounds.
    """
    fastest: dict[str, float] = {}
    store = Store.open(folder / "store.duckdb")
    endpoint = Endpoint("lab", "openai", url, key="KEY", in_flight=STREAMS)
    with probing(endpoint, store=store, keys={"KEY": key}) as lab:
        by_engine(lab, models, 2)  # connections, imports and the store are there before either is timed
        lengths = None
        for at in range(most):
            if at >= ROUNDS and fastest["engine"] <= MOST * fastest["bare"]:
                break
            for name, work in (
                # What no bound is set on is not measured again and again.
                *((("openai", lambda: asyncio.run(by_openai(url, models, tokens, key))),) if at < ROUNDS else ()),
                ("bare", lambda: asyncio.run(bare(url, models, tokens, key))),
                ("engine", lambda: by_engine(lab, models, tokens)),
            ):
                begun = time.perf_counter()
                came = work()
                fastest[name] = min(fastest.get(name, 1e9), time.perf_counter() - begun)
                lengths = lengths or came
                assert len(came) == len(lengths), f"{name} got another number of replies"
                assert came == pytest.approx(lengths, rel=off, abs=0), f"{name} got another reply"
    store.close()
    return fastest


def of_server(words: int, pause: float, folder: Path, most: int = MOST_ROUNDS) -> dict[str, float]:
    """As `seconds`, of a small server in a process of its own that pauses before each word."""
    with server_process(words, pause) as (port, _):
        return seconds(f"http://127.0.0.1:{port}/v1", [f"m{at}" for at in range(STREAMS)], 10_000, folder, most=most)


def told(what: str, took: dict[str, float]) -> float:
    ratio = took["engine"] / took["bare"]
    print(
        f"\n{what}: engine {took['engine']:.2f} s, bare httpx2 {took['bare']:.2f} s (ratio {ratio:.3f}), "
        f"bare openai {took['openai']:.2f} s (ratio {took['engine'] / took['openai']:.3f})"
    )
    return ratio


@pytest.mark.parametrize(("words", "pause"), [(200, 0.02), (400, 0.01)])
def test_eight_streams_at_once(tmp_path: Path, words: int, pause: float) -> None:
    """20 ms a token, as a model of some size takes; and 10 ms, as a small one: 800 tokens a second together."""
    took = of_server(words, pause, tmp_path)
    ratio = told(f"{STREAMS} streams of {words} tokens, {1000 * pause:g} ms each", took)
    assert ratio <= MOST, f"the engine takes {ratio:.2f} times the time of a bare client"


def test_eight_streams_as_fast_as_they_can(tmp_path: Path) -> None:
    took = of_server(3000, 0.0, tmp_path, most=ROUNDS)
    told(f"{STREAMS} streams of 3000 tokens at once", took)
    ratio = took["engine"] / took["openai"]
    assert ratio <= MOST_OF_MAKERS, f"the engine takes {ratio:.2f} times the time of the maker's client"


def test_eight_streams_of_a_real_vllm(tmp_path: Path) -> None:
    """The base of the small study, as `driftline serve` serves it."""
    real_parts.server("DRIFTLINE_VLLM")
    env = environment(tmp_path)
    with serving(f"smol/{SERVED}", "--engine", "vllm", "--max-model-len", "1024", env=env, seconds=400):
        (note,) = notes_left(env)
        took = seconds(note["url"], [SERVED] * STREAMS, 120, tmp_path, note["key"], off=0.05, most=10)
    ratio = told(f"{STREAMS} streams of 120 tokens of a real vLLM", took)
    assert ratio <= MOST, f"the engine takes {ratio:.2f} times the time of a bare client"


def test_first_words_are_there_at_once(tmp_path: Path) -> None:
    """From the moment that the server sends a word until a reader of the engine is told of it."""
    waited = []
    with probe_server() as server:
        endpoint = Endpoint("lab", "openai", server.url("openai"))
        store = Store.open(tmp_path / "store.duckdb")
        with probing(endpoint, store=store) as lab:
            for at in range(20):
                model = f"m{at}"
                server.scripts[model] = [Pause(0.05), Text("x"), End()]
                probe_id = lab.engine.start([Column("lab", "openai", model)], [BARE], Sampling(), title="x")
                until(lambda probe_id=probe_id: lab.live(probe_id)[0].text, "the word is there")  # type: ignore[misc]
                waited.append(time.time() - server.first_sent[model])
                lab.done(probe_id)
        store.close()
    median = sorted(waited)[len(waited) // 2]
    print(
        f"\nfirst words: a reader has them {1000 * median:.1f} ms after the server sent them (median of {len(waited)})"
    )
    assert median < 0.1
