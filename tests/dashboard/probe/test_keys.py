"""A key stays in the process: no store, export, page, address or log has it, whatever a server sends back."""

from __future__ import annotations

import base64
import io
import json
import logging
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from streamlit.testing.v1 import AppTest

from dashboard.probe.asked import Column, ProtocolName, Sampling
from dashboard.probe.endpoints import Declared
from dashboard.probe.export import export
from dashboard.probe.judge import Judge
from dashboard.probe.service import ProbeService
from dashboard.queries.probes import SavedProbe, read_probe
from loaders.store import Store
from tests.pages import opened, shown
from tests.probe_server import (
    Close,
    Drop,
    End,
    Fault,
    Pause,
    ProbeServer,
    Raw,
    Refusal,
    Text,
    free_port,
)
from tests.probing import BARE, endpoint, until

KEYS = {"OPENAI_LIKE": "sk-zqj-41TestKeyOpenAI-77", "ANTHROPIC_LIKE": "K/zqj+odd=chars%88-Anthropic"}
PROTOCOLS: tuple[ProtocolName, ...] = ("openai", "anthropic")
CASES = {
    "well": [Text("Well."), End()],
    "dropped": [Text("a"), Drop()],
    "closed": [Text("a"), Close()],
    "told": [Text("a"), Fault()],
    "told_first": [Fault("authentication_error", "bad key")],
    "silent": [Text("a"), Pause(20), End()],
    "garbled": [Raw(b"data: {KEY\n\n")],
    "no_utf8": [Raw(b"data: KEY \xff\xfe\n\n")],
    "no_stream": Refusal(200, body=b'{"error": {"message": "you sent KEY"}}'),
    **{f"e{status}": Refusal(status, {"retry-after": "0"}) for status in (400, 401, 403, 404, 429, 500, 529)},
    "redirect": Refusal(302, {"location": "http://127.0.0.1:9/KEY"}),
}


def forms(key: str) -> list[bytes]:
    """The key as it may stand somewhere: itself, in JSON, in an address, in base64, and its larger half."""
    plain = key.encode()
    coded = [base64.b64encode(plain).rstrip(b"=")[:-2], quote(key, safe="").encode(), quote(key).encode()]
    return [plain, json.dumps(key)[1:-1].encode(), *coded, plain[: len(plain) * 2 // 3], plain[len(plain) // 3 :]]


def assert_no_key(data: bytes, where: str) -> None:
    for name, key in KEYS.items():
        for form in forms(key):
            at = data.find(form)
            assert at < 0, f"{name} stands in {where}: {data[max(0, at - 120) : at + 60]!r}"


def messages_of(app: AppTest) -> bytes:
    """All that a page sent to the browser, and its address."""

    def walk(node: Any) -> Iterator[bytes]:
        proto = getattr(node, "proto", None)
        if hasattr(proto, "SerializeToString"):
            yield proto.SerializeToString()
        for child in getattr(node, "children", {}).values():
            yield from walk(child)

    return b"\n".join([*walk(app._tree), repr(dict(app.query_params)).encode(), repr(app.session_state).encode()])


def unpacked(data: bytes) -> Iterator[bytes]:
    """A file, and all that is in it where it is a zip."""
    yield data
    if zipfile.is_zipfile(io.BytesIO(data)):
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            for name in archive.namelist():
                yield name.encode()
                yield from unpacked(archive.read(name))


def asked(service: ProbeService, server: ProbeServer) -> list[SavedProbe]:
    """Every case by both protocols, with judges, another turn, a retry, likelihoods."""
    found = []
    names = list(CASES)
    for at in range(0, len(names), 6):
        for protocol in PROTOCOLS:
            some = [Column(protocol, protocol, name) for name in names[at : at + 6]]
            judge = Judge(Column(protocol, protocol, ("well", "e401")[at % 4 // 2]))
            probe_id = service.engine.start(some, [BARE], Sampling(max_tokens=20), title=f"Cases {at}", judge=judge)
            until(lambda probe_id=probe_id: not service.engine.active(probe_id), "all is asked")  # type: ignore[misc]
            service.engine.measure(probe_id, [" yes"])
            if at == 0:
                service.engine.follow_up(probe_id, "Why?")
            until(lambda probe_id=probe_id: not service.engine.active(probe_id), "all is asked")  # type: ignore[misc]
            with service.engine._store.cursor() as cursor:
                found.append(read_probe(cursor, probe_id))
    return found


@pytest.mark.slow
def test_no_key_gets_anywhere(server: ProbeServer, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    server.echoing, server.scripts = True, dict(CASES)  # type: ignore[arg-type]
    caplog.set_level(logging.DEBUG)
    here = [
        endpoint(server, "openai", key="OPENAI_LIKE", silence_s=0.5),
        endpoint(server, "anthropic", "anthropic", key="ANTHROPIC_LIKE", silence_s=0.5),
        endpoint(ProbeServer(port=free_port()), "down", key="OPENAI_LIKE"),
    ]
    store = Store.open(tmp_path / "store.duckdb")
    pages = b""
    with shown(store, Declared(tuple(here)), KEYS) as service:
        service.standings()
        probes = asked(service, server)
        kinds = {reply.error_kind for probe in probes for reply in probe.replies}
        assert kinds >= {
            None, "broken", "overloaded", "timeout", "bad_data", "unauthorised", "bad_request", "not_found",
            "rate_limited", "server_error",
        }  # fmt: skip
        keys_seen = {seen.headers.get("authorization", "") for seen in server.seen}
        assert keys_seen == {f"Bearer {key}" for key in KEYS.values()}
        for probe in probes:
            assert_no_key(repr(probe).encode(), "a probe as it is read")
            for data in unpacked(export(probe).data):
                assert_no_key(data, "an export")
        assert "[key]" in repr(probes)
        for view in ("Replies", "Mark", "Differences", "Likelihoods"):
            pages += messages_of(opened("probe", probe=probes[0].probe_id, view=view))
        pages += messages_of(opened("probe", probe=probes[1].probe_id)) + messages_of(opened("probe"))
        assert b"Well." in pages
        assert b"model-[key]" in pages
    store.close()
    assert_no_key(pages, "a page")
    for path in tmp_path.rglob("*"):
        assert_no_key(path.read_bytes(), str(path))
    logged = "\n".join([caplog.text, *(repr(record.__dict__) for record in caplog.records)])
    assert_no_key(logged.encode(), "the log")
