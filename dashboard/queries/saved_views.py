"""Saved views as they are now: the last version of each, with who made the first."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import duckdb

from loaders.errors import DriftlineError
from loaders.store.sql import records


@dataclass(frozen=True)
class SavedView:
    """A page with its address, under a name.

    Attributes:
        view_id: What names it in links.
        version: From 1; each edit makes one more.
        page: Name of the page.
        address: Its query parameters, without the batch.
        as_of: The batch that it is pinned to; None for always the newest.
        runs: Runs that it tells of.
        archived: Whether it was put away.
        author, created_at: Who saved it first, and when (UTC).
        edited_by, edited_at: Of the last version; the same where it was never edited.
    """

    view_id: str
    version: int
    title: str
    note: str
    page: str
    address: dict[str, list[str]]
    as_of: int | None
    runs: list[str]
    archived: bool
    author: str
    created_at: datetime
    edited_by: str
    edited_at: datetime


class NoSuchView(DriftlineError):
    """A link to a view that isn't in the store, or that the reader may not see."""


VIEWS = """
FROM seen_saved_views()
WHERE ($view IS NULL OR view_id = $view)
  AND ($text = '' OR contains(lower(concat_ws(chr(10), title, note, author, edited_by)), lower($text)))
ORDER BY created_at DESC, view_id
"""


def saved_views(con: duckdb.DuckDBPyConnection, text: str = "") -> list[SavedView]:
    """Every view that a cursor may see, the newest first, archived ones among them.

    Args:
        con: A cursor, with what it may not see.
        text: Only those whose title, note or author holds it, upper and lower case alike.
    """
    return [_view(row) for row in records(con, VIEWS, {"view": None, "text": text})]


def saved_view(con: duckdb.DuckDBPyConnection, view_id: str) -> SavedView:
    """One view.

    Raises:
        NoSuchView: There is none of this name, or none that the cursor may see: that is told apart by nothing.
    """
    found = records(con, VIEWS, {"view": view_id, "text": ""})
    if not found:
        raise NoSuchView(f"There is no saved view {view_id} here.")
    return _view(found[0])


def _view(row: dict[str, Any]) -> SavedView:
    address = json.loads(row.pop("address_json"))
    return SavedView(**row, address=address)
