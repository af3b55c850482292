"""One more protocol is one entry: nobody else tells one from another by its name."""

from __future__ import annotations

import ast
import asyncio
from pathlib import Path

import msgspec
import pytest

import dashboard
from dashboard.probe.addresses import usual
from dashboard.probe.asked import Column
from dashboard.probe.clients.client import Client
from dashboard.probe.endpoints import Endpoint
from dashboard.probe.models_file import FORMS, parse_endpoint
from dashboard.probe.protocols import BY_NAME, PROTOCOLS, USUAL, KnownProtocol, named_in, open_client

ROOT = Path(dashboard.__file__).parent
OWN = ("probe/protocols.py", "probe/clients/")


@pytest.mark.slow
def test_nobody_else_compares_the_names_of_protocols() -> None:
    compared = []
    for path in ROOT.rglob("*.py"):
        if path.relative_to(ROOT).as_posix().startswith(OWN):
            continue
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Compare | ast.MatchValue | ast.Dict):
                texts = {each.value for each in ast.walk(node) if isinstance(each, ast.Constant)}
                compared += [f"{path}:{node.lineno}"] * bool(texts & {*BY_NAME})
    assert compared == []


@pytest.mark.slow
@pytest.mark.parametrize("known", PROTOCOLS, ids=lambda known: known.name)
def test_each_opens_a_client_of_its_own_and_is_declared_by_a_flag_and_a_name(known: KnownProtocol) -> None:
    prefix = "" if known is USUAL else f"{known.name}:"
    endpoint = parse_endpoint(f"mine={prefix}http://localhost:8000")
    assert endpoint == Endpoint("mine", known.name, known.base("http://localhost:8000"))
    assert usual(f"{endpoint.url}/", known.name) == endpoint.url

    async def opened() -> type[Client]:
        client = open_client(endpoint, None)
        await client.close()
        return type(client)

    assert asyncio.run(opened()).__module__.startswith(f"dashboard.probe.clients.{known.name}")
    assert msgspec.convert({"endpoint": "mine", "protocol": known.name, "model": "m"}, Column).protocol == known.name
    if known.maker:
        assert parse_endpoint(known.name) == Endpoint(known.name, known.name, known.maker.url, known.maker.key)
        assert known.name in FORMS


def test_a_protocol_that_nobody_knows_is_no_protocol() -> None:
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert({"endpoint": "mine", "protocol": "grpc", "model": "m"}, Column)
    assert named_in("grpc:http://x") == (USUAL, "grpc:http://x")
    assert FORMS.startswith("NAME=URL for the openai protocol (vLLM and others), NAME=anthropic:URL, or anthropic;")
