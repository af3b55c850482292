"""Saved views: written, edited, copied and put away, each time as a further version; nothing is ever changed."""

from __future__ import annotations

import json
import secrets
from collections.abc import Mapping, Sequence
from typing import Any

from dashboard import links, numerals
from dashboard.access import Reader
from dashboard.pages import NAMED
from dashboard.queries.named_runs import runs_named
from dashboard.queries.saved_views import SavedView, saved_view
from dashboard.review import audit
from dashboard.review.writing import checked, now, require, transaction, turn
from loaders.errors import DriftlineError
from loaders.store import Store
from loaders.store.columns import add

LONGEST_TITLE, LONGEST_NOTE = 200, 20_000
LONGEST_ADDRESS = 100_000
"""Characters of an address: more than a browser takes."""

WRITE = "save or change views"


def save_view(
    store: Store,
    reader: Reader,
    *,
    page: str,
    address: Mapping[str, Sequence[str]],
    title: str,
    note: str = "",
    as_of: int | None = None,
) -> str:
    """Save a page as it stands.

    Args:
        store: Where.
        reader: Who.
        page: Name of the page.
        address: Its query parameters, without the batch.
        title: What it is called.
        note: What it shows, and why.
        as_of: The batch that it is pinned to; None for always the newest.

    Returns:
        What names it in links.

    Raises:
        NotAllowed: The reader may not.
        BadText: No title, or a text that is too long.
        DriftlineError: No page of this name, or a parameter that the page doesn't have.
    """
    require(reader, "editor", WRITE)
    _check_address(page, address)
    with store.cursor() as everything:
        runs = runs_named(everything, address)
    row = {
        "view_id": secrets.token_hex(4),
        "version": 1,
        "title": checked("The title of a view", title, LONGEST_TITLE, needed=True),
        "note": checked("The note of a view", note, LONGEST_NOTE),
        "page": page,
        "address_json": json.dumps({name: list(values) for name, values in address.items()}),
        "as_of": as_of,
        "runs": runs,
        "archived": False,
        "author": reader.name,
        "saved_at": now(),
    }
    _add(store, reader, row, f'saved the view "{row["title"]}"')
    return str(row["view_id"])


def edit_view(store: Store, reader: Reader, view_id: str, *, title: str, note: str) -> None:
    """Give a view another title and note: a further version.

    Raises:
        NotAllowed: The reader may not.
        NoSuchView: There is none that the reader may see.
        BadText: No title, or a text that is too long.
    """
    require(reader, "editor", WRITE)
    changed = {
        "title": checked("The title of a view", title, LONGEST_TITLE, needed=True),
        "note": checked("The note of a view", note, LONGEST_NOTE),
    }
    with turn(store):
        found = _find(store, reader, view_id)
        if (found.title, found.note) != (changed["title"], changed["note"]):
            _add(store, reader, _next(found, reader) | changed, f'edited the view "{changed["title"]}"')


def duplicate_view(store: Store, reader: Reader, view_id: str) -> str:
    """Save a copy of a view, as the reader's own.

    Returns:
        What names the copy in links.

    Raises:
        NotAllowed: The reader may not.
        NoSuchView: There is none that the reader may see.
    """
    require(reader, "editor", WRITE)
    found = _find(store, reader, view_id)
    title = f"{found.title[: LONGEST_TITLE - 7]} (copy)"
    row = _next(found, reader) | {"view_id": secrets.token_hex(4), "version": 1, "title": title, "archived": False}
    _add(store, reader, row, f'copied the view "{found.title}"')
    return str(row["view_id"])


def archive_view(store: Store, reader: Reader, view_id: str, *, archived: bool = True) -> None:
    """Put a view away, or take it out again. What is already so stays so.

    Raises:
        NotAllowed: The reader may not.
        NoSuchView: There is none that the reader may see.
    """
    require(reader, "editor", WRITE)
    with turn(store):
        found = _find(store, reader, view_id)
        if found.archived != archived:
            did = "archived" if archived else "took out of the archive"
            _add(store, reader, _next(found, reader) | {"archived": archived}, f'{did} the view "{found.title}"')


def _check_address(page: str, address: Mapping[str, Sequence[str]]) -> None:
    if page not in NAMED:
        raise DriftlineError(f'There is no page "{page}" to save (allowed: {", ".join(sorted(NAMED))}).')
    allowed = NAMED[page].parameters
    unknown = sorted(set(address) - allowed)
    if unknown:
        raise DriftlineError(
            f"The page {page} has no parameter {', '.join(unknown)} (allowed: {', '.join(sorted(allowed))})."
        )
    size = len(links.query({name: list(values) for name, values in address.items()}))
    if size > LONGEST_ADDRESS:
        raise DriftlineError(
            f"The address has {numerals.count(size)} characters (allowed: at most {numerals.count(LONGEST_ADDRESS)})."
        )


def _find(store: Store, reader: Reader, view_id: str) -> SavedView:
    with store.cursor(hidden=reader.hidden) as cursor:
        return saved_view(cursor, view_id)


def _next(found: SavedView, reader: Reader) -> dict[str, Any]:
    """The row of the version after one, with nothing changed yet."""
    return {
        "view_id": found.view_id,
        "version": found.version + 1,
        "title": found.title,
        "note": found.note,
        "page": found.page,
        "address_json": json.dumps(found.address),
        "as_of": found.as_of,
        "runs": found.runs,
        "archived": found.archived,
        "author": reader.name,
        "saved_at": now(),
    }


def _add(store: Store, reader: Reader, row: dict[str, Any], subject: str) -> None:
    address = f"{row['page']}?{links.query(json.loads(row['address_json']))}"
    with transaction(store) as cursor:
        add(cursor, "saved_views", row)
        audit.add_row(cursor, reader.name, "view", subject, address=address, runs=row["runs"])
