"""Threads of comments: begun, answered, tagged, resolved and opened again. Rows are only ever added."""

from __future__ import annotations

import json
import secrets
from collections.abc import Mapping, Sequence
from typing import Any

import duckdb

from dashboard import links
from dashboard.access import Reader
from dashboard.pages import NAMED
from dashboard.queries.named_runs import runs_named
from dashboard.review import audit
from dashboard.review.threads import reading
from dashboard.review.threads.reading import KINDS, Anchor, Thread
from dashboard.review.writing import BadText, after, checked, now, require, transaction, turn
from loaders.errors import DriftlineError
from loaders.store import Store
from loaders.store.columns import add

LONGEST_COMMENT, LONGEST_TAG, MOST_TAGS = 20_000, 40, 12

SUGGESTED_TAGS = ("eval-aware", "judge wrong", "interesting", "bug")

WRITE = "write notes"

LAST_COMMENT = "SELECT max(created_at) FROM seen_comments() WHERE thread_id = ?"
LAST_MARK = "SELECT max(marked_at) FROM seen_thread_marks() WHERE thread_id = ?"

OWN_RUN = """
SELECT run FROM seen_placements() JOIN seen_evals() USING (eval_id) WHERE eval_key = $log AND run IS NOT NULL
UNION SELECT run FROM seen_probe_columns() WHERE probe_id = $probe AND run IS NOT NULL
"""


def begin_thread(
    store: Store,
    reader: Reader,
    anchor: Anchor,
    *,
    page: str,
    address: Mapping[str, Sequence[str]],
    as_of: int,
    text: str,
    tags: Sequence[str] = (),
) -> str:
    """Begin a thread with its first comment.

    Args:
        store: Where.
        reader: Who.
        anchor: What it is on.
        page: Name of the page that leads to it.
        address: That page's query parameters.
        as_of: The batch that the reader saw.
        text: The comment.
        tags: What it is about, in a word or two each.

    Returns:
        What names the thread.

    Raises:
        NotAllowed: The reader may not.
        BadText: No comment, or a text that is too long.
        DriftlineError: No such page or kind of thing.
    """
    require(reader, "editor", WRITE)
    if page not in NAMED or anchor.kind not in KINDS:
        raise DriftlineError(f'There is no {anchor.kind} on a page "{page}" that could have a note.')
    comment = checked("A comment", text, LONGEST_COMMENT, needed=True)
    wanted = _checked_tags(tags)
    thread_id, at = secrets.token_hex(6), now()
    with transaction(store) as cursor:
        runs = _runs_of(cursor, anchor)
        add(
            cursor,
            "threads",
            {
                "thread_id": thread_id,
                "kind": anchor.kind,
                "anchor_json": anchor.text,
                "page": page,
                "address_json": json.dumps({name: list(values) for name, values in address.items()}),
                "as_of": as_of,
                "runs": runs,
                "author": reader.name,
                "created_at": at,
            },
        )
        _add_comment(cursor, reader, thread_id, comment)
        for tag in wanted:
            _add_mark(cursor, reader, thread_id, "tagged", tag)
        where = f"{page}?{links.query({name: list(values) for name, values in address.items()})}"
        audit.add_row(cursor, reader.name, "note", f"began a note on a {anchor.kind}", address=where, runs=runs)
    return thread_id


def comment(store: Store, reader: Reader, thread_id: str, text: str) -> None:
    """Add a comment to a thread.

    Raises:
        NotAllowed: The reader may not.
        NoSuchThread: There is none that the reader may see.
        BadText: No comment, or one that is too long.
    """
    require(reader, "editor", WRITE)
    clean = checked("A comment", text, LONGEST_COMMENT, needed=True)
    found = _find(store, reader, thread_id)
    with transaction(store) as cursor:
        _add_comment(cursor, reader, thread_id, clean)
        _record(cursor, reader, found, "commented on a note")


def resolve(store: Store, reader: Reader, thread_id: str, *, resolved: bool = True) -> None:
    """Settle a thread, or open it again. What is already so stays so.

    Raises:
        NotAllowed: The reader may not.
        NoSuchThread: There is none that the reader may see.
    """
    require(reader, "editor", WRITE)
    with turn(store):
        found = _find(store, reader, thread_id)
        if found.resolved != resolved:
            mark = "resolved" if resolved else "reopened"
            with transaction(store) as cursor:
                _add_mark(cursor, reader, thread_id, mark, None)
                _record(cursor, reader, found, f"{mark} a note")


def set_tags(store: Store, reader: Reader, thread_id: str, tags: Sequence[str]) -> None:
    """Give a thread exactly these tags.

    Raises:
        NotAllowed: The reader may not.
        NoSuchThread: There is none that the reader may see.
        BadText: Too many tags, or one that is too long.
    """
    require(reader, "editor", WRITE)
    wanted = _checked_tags(tags)
    with turn(store):
        found = _find(store, reader, thread_id)
        changes = [("tagged", tag) for tag in wanted if tag not in found.tags]
        changes += [("untagged", tag) for tag in found.tags if tag not in wanted]
        if changes:
            with transaction(store) as cursor:
                for mark, tag in changes:
                    _add_mark(cursor, reader, thread_id, mark, tag)
                _record(cursor, reader, found, "tagged a note")


def _runs_of(cursor: duckdb.DuckDBPyConnection, anchor: Anchor) -> list[str]:
    """The runs that a thread tells of by what it is on. Its address is shown to each reader without the others."""
    names = anchor.names
    of_point = runs_named(cursor, {"run": [str(names["run"])]}) if anchor.kind == "point" else []
    rows = cursor.execute(OWN_RUN, {"log": names.get("log"), "probe": names.get("probe")}).fetchall()
    return sorted({*of_point, *(row[0] for row in rows)})


def _checked_tags(tags: Sequence[str]) -> list[str]:
    clean = [checked("A tag", " ".join(tag.split()), LONGEST_TAG) for tag in tags]
    found = list(dict.fromkeys(tag for tag in clean if tag))
    if len(found) > MOST_TAGS:
        raise BadText(f"{len(found)} tags are too many (allowed: at most {MOST_TAGS}).")
    return found


def _add_comment(cursor: duckdb.DuckDBPyConnection, reader: Reader, thread_id: str, text: str) -> None:
    row = {"comment_id": secrets.token_hex(6), "thread_id": thread_id, "author": reader.name, "text": text}
    add(cursor, "comments", row | {"created_at": after(cursor, LAST_COMMENT, [thread_id])})


def _add_mark(
    cursor: duckdb.DuckDBPyConnection, reader: Reader, thread_id: str, mark: str, subject: str | None
) -> None:
    row: dict[str, Any] = {"thread_id": thread_id, "mark": mark, "subject": subject, "author": reader.name}
    row["marked_at"] = after(cursor, LAST_MARK, [thread_id])
    add(cursor, "thread_marks", row)


def _find(store: Store, reader: Reader, thread_id: str) -> Thread:
    with store.cursor(hidden=reader.hidden) as cursor:
        return reading.thread(cursor, thread_id)


def _record(cursor: duckdb.DuckDBPyConnection, reader: Reader, found: Thread, subject: str) -> None:
    runs = _runs_of(cursor, found.anchor)
    address = f"{found.page}?{links.query(found.address)}"
    audit.add_row(cursor, reader.name, "note", f"{subject} on a {found.anchor.kind}", address=address, runs=runs)
