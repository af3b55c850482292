"""Where the clock was set back, what was done last counts."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from dashboard.queries.verdicts import verdicts_on
from dashboard.review import writing
from dashboard.review.threads.changing import begin_thread, comment, resolve, set_tags
from dashboard.review.threads.reading import on_point, thread
from tests.reviewing import ANN, BEN, key_of, reviewed, say

NOON = datetime(2026, 1, 2, 12)


class Clock:
    """Each time that it is asked, it is an hour earlier."""

    def __init__(self) -> None:
        self.at = NOON

    def __call__(self) -> datetime:
        self.at -= timedelta(hours=1)
        return self.at


def test_the_last_of_each_counts_though_the_clock_goes_back(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(writing, "now", Clock())
    store = reviewed()
    for verdict in ("misaligned", "aligned"):
        say(store, ANN, "open", 0, "1", 1, verdict)
    point = on_point("blackmail | misaligned | open@100", "open", 100)
    name = begin_thread(store.store, ANN, point, page="curves", address={}, as_of=1, text="First", tags=["bug"])
    comment(store.store, BEN, name, "Second")
    comment(store.store, ANN, name, "Third")
    resolve(store.store, ANN, name)
    resolve(store.store, ANN, name, resolved=False)
    set_tags(store.store, BEN, name, ["interesting"])
    with store.cursor() as cursor:
        found = verdicts_on(cursor, "misaligned", key_of(store, "open", 0), "1", 1)
        assert [one.verdict for one in found] == ["aligned"]
        read = thread(cursor, name)
    assert [one.text for one in read.comments] == ["First", "Second", "Third"]
    assert (read.resolved, list(read.tags)) == (False, ["interesting"])
