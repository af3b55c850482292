"""The rows of `samples_TASK_DATE.jsonl`: one a document and filter. Before 0.4.3 they stood in one JSON list."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from loaders.chat import chat_messages, joined_text
from loaders.errors import RejectedFile
from loaders.json_text import clean, decode, json_text
from loaders.packed import READ_ERRORS, open_plain, plain_lines, read_plain, read_whole
from loaders.records import MessageRecord, SampleRecord, ScoreRecord

NO_FILTER = "none"
KEPT = ("doc", "doc_hash", "prompt_hash", "target_hash")
"""Fields that become metadata of the sample as they are."""

ROW_FIELDS = frozenset({
    "doc_id", "doc", "target", "arguments", "resps", "filtered_resps", "filter", "metrics",
    "doc_hash", "prompt_hash", "target_hash",
})  # fmt: skip


@dataclass
class TaskSamples:
    """The samples of one task, in the order of their first rows."""

    records: list[SampleRecord] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


def read_rows(path: Path, filters: Sequence[str] = ()) -> TaskSamples:
    """Read a samples file: an object a line, or one list of them all.

    Args:
        path: The file.
        filters: The task's filters in their order, where its results tell them.

    Raises:
        RejectedFile: A line or entry is no JSON object with a `doc_id`; the reason names it.
    """
    try:
        start = read_plain(path, 64).removeprefix(b"\xef\xbb\xbf").lstrip()
        with open_plain(path) as lines:
            rows = _listed(path, read_whole(lines)) if start.startswith(b"[") else _lines(path, plain_lines(lines))
    except READ_ERRORS as error:
        raise RejectedFile(path, f"can't be read: {error}") from error
    return join_filters(rows, path.name, filters)


def _lines(path: Path, lines: Iterable[bytes]) -> list[dict[str, Any]]:
    rows = []
    for number, line in enumerate(lines, start=1):
        if line.strip():
            try:
                row = decode(line)
            except ValueError as error:
                raise RejectedFile(path, f"line {number} is no JSON: {error}") from error
            rows.append(_row(path, f"line {number}", row))
    return rows


def _listed(path: Path, raw: bytes) -> list[dict[str, Any]]:
    try:
        entries = decode(raw)
    except ValueError as error:
        raise RejectedFile(path, f"is no JSON list: {error}") from error
    return [_row(path, f"entry {number}", entry) for number, entry in enumerate(entries, start=1)]


def _row(path: Path, where: str, row: Any) -> dict[str, Any]:
    if not isinstance(row, dict) or not isinstance(row.get("doc_id"), int | str):
        raise RejectedFile(path, f"{where} is no JSON object with a `doc_id`")
    return row


def join_filters(rows: Iterable[dict[str, Any]], where: str, filters: Sequence[str] = ()) -> TaskSamples:
    """Make one sample of the rows that several filters gave one document.

    A filter that stands twice for one document opens a further epoch of it, and a note says so.

    Args:
        rows: As the harness writes them.
        where: Names the rows' origin in notes.
        filters: The task's filters in their order. Before 0.4.5 rows didn't name theirs: where each document has as
            many rows as there are filters, they are told apart by their order.
    """
    rows = _with_filters(list(rows), filters)
    several = len({_filter(row) for row in rows}) > 1
    groups: dict[tuple[str, int], list[dict[str, Any]]] = {}
    seen: dict[tuple[str, str], int] = {}
    for row in rows:
        key = str(row["doc_id"])
        epoch = seen[key, _filter(row)] = seen.get((key, _filter(row)), 0) + 1
        groups.setdefault((key, epoch), []).append(row)
    samples = TaskSamples([_sample(key, epoch, group, several) for (key, epoch), group in groups.items()])
    repeated = sum(epoch > 1 for _, epoch in groups)
    if repeated:
        samples.notes.append(f"{where}: {repeated} documents stand there again, kept as further epochs")
    return samples


def _with_filters(rows: list[dict[str, Any]], filters: Sequence[str]) -> list[dict[str, Any]]:
    counts = Counter(str(row["doc_id"]) for row in rows)
    if len(filters) < 2 or set(counts.values()) != {len(filters)} or any("filter" in row for row in rows):
        return rows
    seen: Counter[str] = Counter()
    named = []
    for row in rows:
        key = str(row["doc_id"])
        named.append({**row, "filter": filters[seen[key]]})
        seen[key] += 1
    return named


def _filter(row: dict[str, Any]) -> str:
    return str(row.get("filter", NO_FILTER))


def _sample(key: str, epoch: int, rows: list[dict[str, Any]], several: bool) -> SampleRecord:
    first = rows[0]
    requests = _requests(first.get("arguments"))
    generated = any(len(request) > 1 and isinstance(request[1], dict) for request in requests)
    reply = _first_text(first.get("resps")) if generated else None
    target = first.get("target")
    sample = SampleRecord(
        sample_key=clean(key),
        epoch=epoch,
        id_is_number=isinstance(first["doc_id"], int),
        target=target if isinstance(target, str) or target is None else json_text(target),
        reply=reply,
    )
    _prompt(sample, requests)
    if reply is not None:
        sample.messages.append(MessageRecord("assistant", reply))
    metadata: dict[str, Any] = {name: first[name] for name in KEPT if first.get(name) is not None}
    if first.get("resps") not in (None, [[reply]]):
        metadata["resps"] = first["resps"]
    filtered = {_filter(row): row.get("filtered_resps") for row in rows}
    metadata["filtered_resps"] = filtered if several else first.get("filtered_resps")
    parts: dict[str, Any] = {}
    for row in rows:
        _scores(sample, row, _filter(row) if several else None, parts)
    if parts:
        metadata["metric_parts"] = parts
    sample.metadata_json = json_text(metadata)
    return sample


def _requests(arguments: Any) -> list[list[Any]]:
    """The requests' arguments: today `{"gen_args_0": {"arg_0": ...}}`, in early 2024 a list of lists.

    The first is the context. The second is a continuation where likelihoods were asked for, and the settings
    (an object) where text was generated.
    """
    if isinstance(arguments, dict):
        arguments = list(arguments.values())
    if not isinstance(arguments, list):
        return []
    return [list(a.values()) if isinstance(a, dict) else a if isinstance(a, list) else [a] for a in arguments]


def _first_text(resps: Any) -> str | None:
    """The first reply to the first request."""
    for _ in range(2):
        resps = resps[0] if isinstance(resps, list) and resps else None
    return resps if isinstance(resps, str) else None


def _prompt(sample: SampleRecord, requests: list[list[Any]]) -> None:
    """Set input, choices and the prompt's messages.

    Requests of a multiple choice share their context, and their continuations are the choices; where the
    contexts differ (winogrande), each choice is a context with its continuation.
    """
    contexts = [request[0] for request in requests if request]
    chat = _chat(contexts[0]) if len(contexts) == 1 else None
    texts = [_text(context) for context in contexts]
    distinct = list(dict.fromkeys(texts))
    continuations = [r[1] for r in requests if len(r) > 1 and isinstance(r[1], str)]
    if len(continuations) == len(requests) > 1:
        alike = len(distinct) == 1
        choices = continuations if alike else [t + c for t, c in zip(texts, continuations, strict=True)]
        sample.choices_json = json_text(choices)
    if chat:
        sample.messages = chat
        sample.input = joined_text(chat)
        return
    sample.input = "\n".join(text for text in distinct if text) or None
    if sample.input:
        sample.messages = [MessageRecord("user", sample.input)]


def _text(context: Any) -> str:
    return context if isinstance(context, str) else json_text(context)


def _chat(context: Any) -> list[MessageRecord] | None:
    """The messages of a chat, which API models get as JSON text within a list of one."""
    if not (isinstance(context, list) and len(context) == 1 and isinstance(context[0], str)):
        return None
    try:
        turns = decode(context[0].encode())
    except ValueError:
        return None
    return chat_messages(turns)


def _scores(sample: SampleRecord, row: dict[str, Any], filter_name: str | None, parts: dict[str, Any]) -> None:
    """Add a row's metrics as scores.

    A list is no score of this sample but its part in a metric of the whole corpus (BLEU's reference and
    reply, a perplexity's likelihood and length), and goes to the metadata.
    """
    listed = row.get("metrics")
    metrics = listed if isinstance(listed, list) else [name for name in row if name not in ROW_FIELDS]
    replies = row.get("filtered_resps")
    answer = replies[0] if isinstance(replies, list) and len(replies) == 1 and sample.reply is not None else None
    for metric in map(str, metrics):
        value = row.get(metric)
        if isinstance(value, list):
            parts[metric if filter_name is None else f"{metric},{filter_name}"] = value
            continue
        items = value.items() if isinstance(value, dict) else [(None, value)]
        for key, item in items:
            names = [part for part in (filter_name, key) if part is not None]
            score = _score(metric, ".".join(names) or None, item)
            score.answer = answer if isinstance(answer, str) else None
            sample.scores.append(score)


def _score(scorer: str, key: str | None, value: Any) -> ScoreRecord:
    if isinstance(value, bool):
        return ScoreRecord(scorer, key, value_num=float(value), value_type="bool")
    if isinstance(value, int | float):
        if value != value:
            return ScoreRecord(scorer, key, value_type="nan")
        if value in (float("inf"), float("-inf")):
            return ScoreRecord(scorer, key, value_text=str(value), value_type="infinite")
        return ScoreRecord(scorer, key, value_num=float(value), value_type="number")
    if value is None:
        return ScoreRecord(scorer, key)
    return ScoreRecord(scorer, key, value_text=_text(value), value_type="text")
