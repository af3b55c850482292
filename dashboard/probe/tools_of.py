"""Tool calls and tools as logs of several formats keep them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import msgspec

from dashboard.probe.asked import Tool, ToolCall
from dashboard.queries.transcript import Transcript
from loaders.errors import RejectedFile
from loaders.inspect.offered import offered_tools

NO_SCHEMA: dict[str, Any] = {"type": "object", "properties": {}}

TYPES: dict[type, str] = {
    str: "string", bool: "boolean", int: "integer", float: "number", list: "array", dict: "object",
}  # fmt: skip


def tool_calls(calls: Any, parts: Sequence[dict[str, Any]] = ()) -> tuple[ToolCall, ...]:
    """The calls of a message.

    Args:
        calls: As Inspect writes them ({id, function: "ls", arguments: {...}}), or OpenAI
            ({id, function: {name, arguments: "..."}}).
        parts: The parts of its content: Anthropic's `tool_use` ({id, name, input}) counts where `calls` has none.
    """
    listed = [call for call in calls if isinstance(call, dict)] if isinstance(calls, list) else []
    return tuple(_call(call) for call in listed or [part for part in parts if part.get("type") == "tool_use"])


def tools_of(transcript: Transcript) -> tuple[tuple[Tool, ...], list[str]]:
    """The tools that a model could call, as far as the log tells, and remarks on what it doesn't.

    From the first that has any: a list `tools` in the metadata of sample or log (as Driftline's own exports keep it),
    then the calls that were made, with the tools that the solvers' steps name.
    """
    for source in (transcript.sample, transcript.log):
        listed = tools_listed((source.get("metadata") or {}).get("tools"))
        if listed:
            return listed, []
    seen: dict[str, dict[str, set[str]]] = {}
    for message in transcript.messages:
        if message["role"] == "assistant":
            parts = message.get("content")
            for call in tool_calls(message.get("tool_calls"), parts if isinstance(parts, list) else ()):
                _note(seen.setdefault(call.name, {}), call.arguments)
    named = list(dict.fromkeys(_named(transcript.log.get("solver"))))
    tools = [Tool(name, parameters=_schema(arguments)) for name, arguments in seen.items()]
    uncalled = [name for name in named if name not in seen]
    tools += [Tool(name) for name in uncalled]
    remarks = []
    if seen:
        remarks.append(
            f"How its tools were described is not known: {', '.join(seen)} are offered as far as their calls show them."
        )
    if uncalled:
        remarks.append(f"Offered and never called, their parameters unknown: {', '.join(uncalled)}.")
    return tuple(tools), remarks


def offered_in_file(transcript: Transcript) -> tuple[Tool, ...] | None:
    """The tools as the transcript's own log file describes them: an Inspect log's, while it is where it was ingested.

    None where it doesn't tell; an empty list in it tells nothing, for some agents have ways of their own to call.
    """
    log, sample = transcript.log, transcript.sample
    if not (log.get("root") and log.get("path") and log.get("format") == "inspect"):
        return None
    try:
        listed = offered_tools(Path(log["root"], log["path"]), sample["sample_key"], sample["epoch"])
    except RejectedFile:
        return None
    return tools_listed(listed) or None


def tools_listed(listed: Any) -> tuple[Tool, ...]:
    """Tools as OpenAI ({type, function: {...}}), Anthropic (input_schema) or Inspect (parameters) list them."""
    if not isinstance(listed, list):
        return ()
    tools = []
    for entry in listed:
        inner = entry.get("function") if isinstance(entry, dict) else None
        tool = inner if isinstance(inner, dict) else entry
        if not isinstance(tool, dict) or not isinstance(tool.get("name"), str):
            continue
        schema = tool.get("parameters") or tool.get("input_schema")
        tools.append(
            Tool(tool["name"], str(tool.get("description") or ""), schema if isinstance(schema, dict) else NO_SCHEMA)
        )
    return tuple(tools)


def _call(call: dict[str, Any]) -> ToolCall:
    function = call.get("function")
    inner = function if isinstance(function, dict) else call
    name = inner.get("name") if isinstance(function, dict) else function or call.get("name")
    arguments = inner.get("arguments", inner.get("input"))
    text = arguments if isinstance(arguments, str) else msgspec.json.encode(arguments or {}).decode()
    return ToolCall(str(call.get("id") or ""), str(name or ""), text)


def _note(arguments: dict[str, set[str]], text: str) -> None:
    """Add the names and JSON types of a call's arguments."""
    try:
        given = msgspec.json.decode(text)
    except msgspec.DecodeError:
        return
    for name, value in given.items() if isinstance(given, dict) else ():
        kinds = arguments.setdefault(name, set())
        if type(value) in TYPES:
            kinds.add(TYPES[type(value)])


def _schema(arguments: dict[str, set[str]]) -> dict[str, Any]:
    properties = {name: {"type": next(iter(kinds))} if len(kinds) == 1 else {} for name, kinds in arguments.items()}
    return {"type": "object", "properties": properties}


def _named(solver: Any) -> Iterator[str]:
    """The tools that solvers' steps name: {type: tool, name, params}, at any depth."""
    if isinstance(solver, dict):
        if solver.get("type") == "tool" and isinstance(solver.get("name"), str):
            yield solver["name"]
            return
        yield from _in(value for key, value in solver.items() if key != "params_passed")
    elif isinstance(solver, list):
        yield from _in(solver)


def _in(values: Iterable[Any]) -> Iterator[str]:
    for value in values:
        yield from _named(value)
