"""Where run cards and study files lie: what is said of files is added to one of them."""

from __future__ import annotations

import duckdb

CARDS = "SELECT DISTINCT root, path FROM live_cards($as_of) ORDER BY root, path"


def card_places(con: duckdb.DuckDBPyConnection, as_of: int) -> list[tuple[str, str]]:
    """Root and path of every run card and study file as of a batch; one given with --study is `given:FILE`.

    Args:
        con: A connection or cursor that this thread has to itself.
        as_of: The batch.
    """
    return [(str(root), str(path)) for root, path in con.execute(CARDS, {"as_of": as_of}).fetchall()]
