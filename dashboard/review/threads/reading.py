"""Threads of comments: on a point, a sample, a message or a probe's reply; as they are now, whoever wrote them."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Literal

import duckdb

from dashboard.queries.known_logs import live_logs
from dashboard.queries.named_runs import hidden_names, without
from dashboard.queries.rows import checkpoint_name
from loaders.errors import DriftlineError
from loaders.store.sql import among_logs, records

Kind = Literal["point", "sample", "message", "reply"]
KINDS: tuple[Kind, ...] = ("point", "sample", "message", "reply")

Value = str | int | None


@dataclass(frozen=True)
class Anchor:
    """What a thread is on. Two anchors are the same thing where kind and text are equal.

    Attributes:
        kind: Of thing.
        names: What names it: of a point its name with run and step, of a sample its log, sample and epoch, of a message
            also its index from 0, of a reply its probe and number.
    """

    kind: Kind
    names: Mapping[str, Value]

    @property
    def text(self) -> str:
        """The names as they are stored: equal for equal things."""
        return json.dumps(dict(self.names), sort_keys=True, ensure_ascii=False)


def on_point(point: str, run: str, step: int | str | None) -> Anchor:
    """A point of any chart; the same row of rates is the same point on every page.

    Args:
        point: Its name (`dashboard.charts.points.point_id`).
        run: Its run.
        step: Its step, or the label that stands for it.
    """
    return Anchor("point", {"point": point, "run": run, "step": step})


def on_sample(log: str, sample: str, epoch: int) -> Anchor:
    """A sample: key of its log, its id as text, its epoch."""
    return Anchor("sample", {"log": log, "sample": sample, "epoch": epoch})


def on_message(log: str, sample: str, epoch: int, message: int) -> Anchor:
    """A message of a sample, by its index from 0."""
    return Anchor("message", {"log": log, "sample": sample, "epoch": epoch, "message": message})


def on_reply(probe: str, reply: int) -> Anchor:
    """A reply of a probe."""
    return Anchor("reply", {"probe": probe, "reply": reply})


@dataclass(frozen=True)
class Comment:
    """What somebody wrote."""

    comment_id: str
    author: str
    text: str
    created_at: datetime


@dataclass(frozen=True)
class Thread:
    """Comments on one thing.

    Attributes:
        thread_id: What names it.
        anchor: What it is on.
        page, address: Lead to it, without what the reader may not see.
        as_of: The batch that was shown when it was begun.
        comments: Oldest first; at least one.
        tags: In alphabetical order.
        resolved: Whether it is settled; by whom and when (UTC), where it is.
        there: Whether the thing is in the store as of the batch that was asked about; None where that was not asked.
        belongs_to: Checkpoint and eval of a sample or message that is there, for people; else nothing.
    """

    thread_id: str
    anchor: Anchor
    page: str
    address: dict[str, list[str]]
    as_of: int
    author: str
    created_at: datetime
    comments: tuple[Comment, ...]
    tags: tuple[str, ...]
    resolved: bool
    resolved_by: str | None
    resolved_at: datetime | None
    there: bool | None = None
    belongs_to: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ThreadFilter:
    """Which threads. An empty text or None means any."""

    resolved: bool | None = None
    kind: str = ""
    tag: str = ""
    author: str = ""
    """Who wrote any comment of it."""
    text: str = ""
    """In any comment or tag, or in what it is on; upper and lower case alike."""


class NoSuchThread(DriftlineError):
    """A thread that isn't in the store, or that the reader may not see."""


SEEN = """
WITH said AS (
    SELECT thread_id, list({'id': comment_id, 'author': author, 'text': text, 'at': created_at}
                           ORDER BY created_at, comment_id) AS comments, max(created_at) AS last_at
    FROM seen_comments() GROUP BY thread_id
),
states AS (
    SELECT thread_id, author, marked_at, mark = 'resolved' AS resolved
    FROM seen_thread_marks() WHERE mark IN ('resolved', 'reopened')
    QUALIFY row_number() OVER (PARTITION BY thread_id ORDER BY marked_at DESC) = 1
),
tagged AS (
    SELECT thread_id, list(subject ORDER BY subject) AS tags FROM (
        SELECT thread_id, subject, mark FROM seen_thread_marks()
        WHERE mark IN ('tagged', 'untagged')
        QUALIFY row_number() OVER (PARTITION BY thread_id, subject ORDER BY marked_at DESC) = 1
    ) WHERE mark = 'tagged' GROUP BY thread_id
),
found AS (
    SELECT t.*, s.comments, s.last_at, coalesce(g.tags, []) AS tags, coalesce(r.resolved, false) AS resolved,
           r.author AS resolved_by, r.marked_at AS resolved_at
    FROM seen_threads() t JOIN said s USING (thread_id) LEFT JOIN states r USING (thread_id)
    LEFT JOIN tagged g USING (thread_id)
)
"""
ON_THINGS = """
SELECT * FROM found WHERE (kind, anchor_json) IN (
    SELECT (kind, anchor) FROM (SELECT unnest($kinds::VARCHAR[]) AS kind, unnest($anchors::VARCHAR[]) AS anchor)
) ORDER BY created_at, thread_id
"""
BY_FILTER = """
SELECT * FROM found
WHERE ($resolved IS NULL OR resolved = $resolved) AND ($kind = '' OR kind = $kind)
  AND ($tag = '' OR list_contains(tags, $tag))
  AND ($author = '' OR list_contains(list_transform(comments, lambda c: c.author), $author))
  AND ($text = '' OR contains(lower(concat_ws(chr(10), anchor_json, array_to_string(tags, chr(10)),
           array_to_string(list_transform(comments, lambda c: c.text), chr(10)))), lower($text)))
ORDER BY last_at DESC, thread_id
"""
ONE = "SELECT * FROM found WHERE thread_id = $thread"
PEOPLE = "SELECT DISTINCT author FROM (SELECT unnest(comments).author AS author FROM found) ORDER BY author"
TAGS = "SELECT DISTINCT unnest(tags) AS tag FROM found ORDER BY tag"
LAST_CHANGE = "SELECT changes FROM all_changes()"
IN_SAMPLE = """
SELECT * FROM found
WHERE kind IN ('sample', 'message') AND json_extract_string(anchor_json, '$.log') = $log
  AND json_extract_string(anchor_json, '$.sample') = $sample
  AND json_extract_string(anchor_json, '$.epoch')::BIGINT = $epoch
ORDER BY created_at, thread_id
"""
ON_SAMPLES = """
SELECT json_extract_string(anchor_json, '$.log') AS log, json_extract_string(anchor_json, '$.sample') AS sample,
       json_extract_string(anchor_json, '$.epoch')::BIGINT AS epoch, count(*) AS n
FROM found
WHERE kind IN ('sample', 'message')
  AND json_extract_string(anchor_json, '$.log') IN (SELECT unnest($logs::VARCHAR[]))
GROUP BY ALL
"""
THERE_SAMPLES = """
SELECT eval_id, sample_key AS sample, epoch, max(n_messages) AS messages
FROM {samples} WHERE eval_id IN (SELECT unnest($eval_ids::BIGINT[])) GROUP BY ALL
"""
THERE_REPLIES = """
SELECT DISTINCT probe_id AS probe, reply_id AS reply FROM seen_probe_replies()
WHERE probe_id IN (SELECT unnest($probes::VARCHAR[]))
"""


def threads_on(con: duckdb.DuckDBPyConnection, anchors: Sequence[Anchor]) -> list[Thread]:
    """The threads on some things, the oldest first.

    Args:
        con: A cursor, with what it may not see.
        anchors: The things.
    """
    asked = {"kinds": [anchor.kind for anchor in anchors], "anchors": [anchor.text for anchor in anchors]}
    return _threads(con, records(con, SEEN + ON_THINGS, asked)) if anchors else []


def threads_in_sample(con: duckdb.DuckDBPyConnection, log: str, sample: str, epoch: int) -> list[Thread]:
    """The threads on a sample and on its messages, the oldest first.

    Args:
        con: A cursor, with what it may not see.
        log: Key of the log.
        sample: The sample's id as text.
        epoch: From 1.
    """
    rows = records(con, SEEN + IN_SAMPLE, {"log": log, "sample": sample, "epoch": epoch})
    return _threads(con, rows)


def find_threads(con: duckdb.DuckDBPyConnection, wanted: ThreadFilter, as_of: int) -> list[Thread]:
    """The threads that are wanted, those with the newest comment first, and whether what they are on is there.

    Args:
        con: A cursor, with what it may not see.
        wanted: Which.
        as_of: The batch as of which things are there or not.
    """
    asked = {name: getattr(wanted, name) for name in ("resolved", "kind", "tag", "author", "text")}
    found = _threads(con, records(con, SEEN + BY_FILTER, asked))
    return _with_there(con, found, as_of)


def thread(con: duckdb.DuckDBPyConnection, thread_id: str) -> Thread:
    """One thread.

    Raises:
        NoSuchThread: There is none of this name, or none that the cursor may see: that is told apart by nothing.
    """
    found = records(con, SEEN + ONE, {"thread": thread_id})
    if not found:
        raise NoSuchThread(f"There is no note {thread_id} here.")
    return _threads(con, found)[0]


def people_and_tags(con: duckdb.DuckDBPyConnection) -> tuple[list[str], list[str]]:
    """Who has written comments, and the tags in use; both in alphabetical order."""
    return [row["author"] for row in records(con, SEEN + PEOPLE)], [row["tag"] for row in records(con, SEEN + TAGS)]


def last_change(con: duckdb.DuckDBPyConnection) -> int:
    """A number that grows with every comment, mark and verdict. It is cheap to ask, and tells only that one came."""
    return int(records(con, LAST_CHANGE)[0]["changes"])


def notes_on_samples(con: duckdb.DuckDBPyConnection, logs: Sequence[str]) -> dict[tuple[str, str, int], int]:
    """How many threads there are on the samples of some logs and on their messages, by log, sample and epoch.

    Args:
        con: A cursor, with what it may not see.
        logs: Keys of logs.
    """
    rows = records(con, SEEN + ON_SAMPLES, {"logs": list(logs)})
    return {(row["log"], row["sample"], row["epoch"]): row["n"] for row in rows}


def _threads(con: duckdb.DuckDBPyConnection, rows: Sequence[dict[str, Any]]) -> list[Thread]:
    hidden = hidden_names(con) if rows else []
    return [_thread(row, hidden) for row in rows]


def _thread(row: dict[str, Any], hidden: Sequence[str]) -> Thread:
    return Thread(
        thread_id=row["thread_id"],
        anchor=Anchor(row["kind"], json.loads(row["anchor_json"])),
        page=row["page"],
        address=without(json.loads(row["address_json"]), hidden),
        as_of=row["as_of"],
        author=row["author"],
        created_at=row["created_at"],
        comments=tuple(Comment(c["id"], c["author"], c["text"], c["at"]) for c in row["comments"]),
        tags=tuple(row["tags"]),
        resolved=row["resolved"],
        resolved_by=row["resolved_by"],
        resolved_at=row["resolved_at"],
    )


def _with_there(con: duckdb.DuckDBPyConnection, threads: Sequence[Thread], as_of: int) -> list[Thread]:
    """Say of threads whether what they are on is in the store as of a batch."""
    names = [thread.anchor.names for thread in threads]
    known = live_logs(con, as_of)
    keys = {of.get("log") for of in names}
    logs = {log["eval_id"]: log for log in known if log["eval_key"] in keys}
    probes = [probe for probe in {of.get("probe") for of in names} if probe is not None]
    samples = {}
    if logs:
        sql = THERE_SAMPLES.format(samples=among_logs("live_samples($as_of)", "$eval_ids", len(logs)))
        for row in records(con, sql, {"as_of": as_of, "eval_ids": list(logs)}):
            log = logs[row["eval_id"]]
            samples[log["eval_key"], row["sample"], row["epoch"]] = log | {"messages": row["messages"]}
    checkpoints = {(log["run"], log["step_label"] if log["step"] is None else log["step"]) for log in known}
    replies = {(row["probe"], row["reply"]) for row in records(con, THERE_REPLIES, {"probes": probes})}

    def with_there(thread: Thread) -> Thread:
        of = thread.anchor.names
        match thread.anchor.kind:
            case "point":
                return replace(thread, there=(of["run"], of["step"]) in checkpoints)
            case "reply":
                return replace(thread, there=(of["probe"], of["reply"]) in replies)
            case "sample" | "message":
                row = samples.get((of["log"], of["sample"], of["epoch"]))
                if row is None:
                    return replace(thread, there=False)
                there = thread.anchor.kind == "sample" or int(of["message"] or 0) < (row["messages"] or 0)
                return replace(thread, there=there, belongs_to=(checkpoint_name(row), row["eval"]))

    return [with_there(thread) for thread in threads]
