"""Every write by every role, on open and private runs, in a store and in one that was restored from its backup."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from dashboard.access import NotAllowed, Reader
from dashboard.access.reader import ROLES, Role
from dashboard.queries.saved_views import NoSuchView, saved_view
from dashboard.queries.transcript import NoSuchSample, transcript
from dashboard.queries.verdicts import verdicts_on
from dashboard.review.threads.changing import begin_thread, comment, resolve, set_tags
from dashboard.review.threads.reading import NoSuchThread, on_sample, thread
from dashboard.review.verdicts import give_verdict
from dashboard.review.views import archive_view, duplicate_view, edit_view, save_view
from loaders.errors import DriftlineError
from loaders.store import Store, restore
from tests.builders import StoreBuilder
from tests.reviewing import ANN, filled

HIDDEN = ("secret*",)
WRITTEN = ("threads", "comments", "thread_marks", "saved_views", "sample_verdicts", "audit")


class Place:
    """A store with a note, a view and a log on an open run, and on a private one."""

    def __init__(self, path: Path) -> None:
        store = filled(StoreBuilder(path)).store
        self.logs: dict[str, str] = {}
        self.notes: dict[str, str] = {}
        self.views: dict[str, str] = {}
        with store.cursor() as cursor:
            for run in ("open", "secret"):
                sql = "SELECT eval_key FROM evals JOIN placements USING (eval_id) WHERE run = ? AND step = 0"
                self.logs[run] = cursor.execute(sql, [run]).fetchall()[0][0]
        for run, log in self.logs.items():
            on = on_sample(log, "1", 1)
            address = {"log": [log], "sample": ["1"], "epoch": ["1"]}
            self.notes[run] = begin_thread(
                store, ANN, on, page="transcript", address=address, as_of=1, text=f"of {run}", tags=["bug"]
            )
            self.views[run] = save_view(store, ANN, page="curves", address={"run": [run]}, title=f"A view of {run}")
        self.store = store


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Place:
    return Place(tmp_path_factory.mktemp("place") / "store.duckdb")


@pytest.fixture(scope="module", params=["store", "restored"])
def store(request: pytest.FixtureRequest, place: Place, tmp_path_factory: pytest.TempPathFactory) -> Store:
    if request.param == "store":
        return place.store
    path = tmp_path_factory.mktemp("restored") / "again.duckdb"
    place.store.backup(kept := path.with_name("kept"))
    restore(kept, path, replace=False)
    return Store.open(path)


Write = Callable[[Store, Reader, Place, str], object]
WRITES: dict[str, Write] = {
    "comment": lambda store, who, at, run: comment(store, who, at.notes[run], "Seen"),
    "resolve": lambda store, who, at, run: resolve(store, who, at.notes[run]),
    "tags": lambda store, who, at, run: set_tags(store, who, at.notes[run], [f"of {who.role}"]),
    "edit": lambda store, who, at, run: edit_view(store, who, at.views[run], title=f"By {who.role}", note=""),
    "duplicate": lambda store, who, at, run: duplicate_view(store, who, at.views[run]),
    "archive": lambda store, who, at, run: archive_view(store, who, at.views[run]),
    "verdict": lambda store, who, at, run: give_verdict(
        store, who, log=at.logs[run], sample="1", epoch=1, metric="misaligned", verdict="aligned", as_of=1
    ),
}


def rows(store: Store) -> list[int]:
    with store.cursor() as cursor:
        return [cursor.execute(f"SELECT count(*) FROM {table}").fetchall()[0][0] for table in WRITTEN]


@pytest.mark.parametrize("run", ["open", "secret"])
@pytest.mark.parametrize("hidden", [(), HIDDEN], ids=["insider", "outsider"])
@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize("write", WRITES)
def test_who_may_not_writes_nothing_and_learns_nothing(
    store: Store, place: Place, write: str, role: Role, hidden: tuple[str, ...], run: str
) -> None:
    who, before = Reader("otto", role, hidden), rows(store)
    refused: type[DriftlineError] | None = None
    told = ""
    try:
        WRITES[write](store, who, place, run)
    except DriftlineError as error:
        refused, told = type(error), str(error)
    if role in ("viewer", "prober"):
        assert refused is NotAllowed
    elif hidden and run == "secret":
        assert refused in (NoSuchThread, NoSuchView, NoSuchSample)
    else:
        assert refused is None
    assert "secret" not in told.replace(place.logs[run], "")  # which it was asked by
    assert (rows(store) == before) or refused is None


@pytest.mark.parametrize("run", ["open", "secret"])
@pytest.mark.parametrize("hidden", [(), HIDDEN], ids=["insider", "outsider"])
def test_who_may_not_reads_nothing(store: Store, place: Place, hidden: tuple[str, ...], run: str) -> None:
    reads: list[Callable[[], object]] = [
        lambda: thread(cursor, place.notes[run]),
        lambda: saved_view(cursor, place.views[run]),
        lambda: transcript(cursor, place.logs[run], "1", 1, 1),
    ]
    with store.cursor(hidden=hidden) as cursor:
        for read in reads:
            if hidden and run == "secret":
                with pytest.raises((NoSuchThread, NoSuchView, NoSuchSample)):
                    read()
            else:
                assert read()
        if hidden:
            assert not verdicts_on(cursor, "misaligned", place.logs["secret"], "1", 1)
            said = cursor.execute(
                "SELECT count(*) FROM seen_audit() WHERE contains(runs::VARCHAR, 'secret')"
            ).fetchall()
            assert said == [(0,)]
