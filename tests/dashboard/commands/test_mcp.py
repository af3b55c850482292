"""`driftline mcp`: the real client of the `mcp` package lists and calls every tool, and sees nothing that is hidden."""

from __future__ import annotations

import asyncio
import json
from argparse import Namespace
from pathlib import Path
from typing import Any

import pytest
from mcp import Client, StdioServerParameters

from dashboard.console.mcp import hidden_from
from loaders.errors import DriftlineError
from tests.driftline import COMMAND, ROOT, driftline, environment
from tests.private_runs import MARKER, write_study

pytestmark = pytest.mark.slow

ACCESS = f"""
roles:
  - {{role: viewer, groups: [insiders, others], emails: [ina@example.org]}}
private:
  - {{runs: ["{MARKER}-*"], groups: [insiders]}}
"""
LOG = "plain-100-honeypot"
CALLS: dict[str, dict[str, Any]] = {
    "list_runs": {},
    "list_evals": {},
    "rates": {"eval": ["honeypot"]},
    "compare": {"checkpoints": ["plain@0", "plain@100"], "eval": ["honeypot"]},
    "samples": {"run": ["plain"], "step": [100], "outcome": ["misaligned"]},
    "search": {"text": "Dilemma 1"},
    "transcript": {"log": LOG, "sample": "1"},
    "list_views": {},
    "query": {"sql": "SELECT run, count(*) AS n FROM evals GROUP BY run ORDER BY run"},
}
REFUSED: list[tuple[str, dict[str, Any], str]] = [
    ("query", {"sql": "DROP TABLE evals"}, "one SELECT is allowed"),
    ("query", {"sql": "SELECT getvariable('hidden_names')"}, "getvariable is not allowed"),
    ("query", {"sql": "SELECT repeat('x', 500000) AS x"}, "repeat is not allowed"),
    ("query", {"sql": "SELECT string_agg('xxxxxxxxxx', '') AS x FROM range(50000)"}, "400,000 are allowed"),
    ("transcript", {"log": "gone", "sample": "1"}, "No log with the key gone"),
    ("samples", {"run": [f"{MARKER}-run"]}, "not in the store (allowed: other, plain)"),
    ("rates", {"interval": "odd"}, "interval"),
]


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("mcp")
    write_study(root / "study")
    (root / "access.yaml").write_text(ACCESS)
    driftline("ingest", root / "study", data=root)
    return root


def serving(data: Path, *more: str) -> StdioServerParameters:
    words = [*COMMAND[1:], "mcp", "--path", str(data / "study"), "--access", str(data / "access.yaml"), *more]
    return StdioServerParameters(command=COMMAND[0], args=words, env=environment(data), cwd=ROOT)


def test_every_tool_is_listed_and_answers_an_outsider_without_what_is_hidden(data: Path) -> None:
    async def talk() -> tuple[Any, dict[str, Any], list[Any]]:
        async with Client(serving(data, "--group", "others")) as client:
            tools = (await client.list_tools()).tools
            told = {name: await client.call_tool(name, arguments) for name, arguments in CALLS.items()}
            refused = [await client.call_tool(name, arguments) for name, arguments, _ in REFUSED]
            return tools, told, refused

    tools, told, refused = asyncio.run(talk())
    assert {tool.name for tool in tools} == set(CALLS)
    assert all(tool.annotations.read_only_hint and tool.description for tool in tools)
    for name, result in told.items():
        assert not result.is_error, (name, result.content)
        assert MARKER not in str(result.content), name
    rows = {name: result.structured_content.get("rows") for name, result in told.items()}
    assert [row["run"] for row in rows["list_runs"]] == ["other", "plain"]
    command = driftline("rates", "--path", data / "study", "--eval", "honeypot", "--format", "json", data=data)
    assert rows["rates"] == [row for row in json.loads(command.stdout) if MARKER not in row["run"]]
    assert rows["query"] == [{"run": "other", "n": 3}, {"run": "plain", "n": 3}]
    assert {row["log"] for row in rows["samples"]} == {LOG}
    assert told["transcript"].structured_content["messages_in_all"] == 2
    (difference,) = told["compare"].structured_content["differences"]
    assert difference["checkpoint"] == "plain@100"
    for (name, _, wanted), result in zip(REFUSED, refused, strict=True):
        assert result.is_error, name
        assert wanted in str(result.content), name
        assert MARKER not in str(result.content).replace(f"run {MARKER}-run: not", ""), name


def named(data: Path, **fields: Any) -> Namespace:
    return Namespace(**{"access": str(data / "access.yaml"), "email": None, "group": []} | fields)


def test_whom_it_is_started_for_says_what_is_hidden(data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert hidden_from(named(data)) == (f"{MARKER}-*",)
    assert hidden_from(named(data, group=["others"])) == (f"{MARKER}-*",)
    assert hidden_from(named(data, email="ina@example.org")) == (f"{MARKER}-*",)
    assert hidden_from(named(data, group=["insiders"])) == ()
    with pytest.raises(DriftlineError, match=r"has no role for otto@example\.org"):
        hidden_from(named(data, email="otto@example.org"))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(data / "nowhere"))
    assert hidden_from(named(data, access=None)) == ()
    with pytest.raises(DriftlineError, match="need an access file"):
        hidden_from(named(data, access=None, group=["others"]))
