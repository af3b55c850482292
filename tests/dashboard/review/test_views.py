"""Saved views: written, found, edited as further versions, put away; and hidden from who may not see their runs."""

from __future__ import annotations

import pytest

from dashboard import links
from dashboard.access import NotAllowed
from dashboard.pages import NAMED
from dashboard.queries.named_runs import hidden_names, mentions, runs_named, without
from dashboard.queries.saved_views import NoSuchView, saved_view, saved_views
from dashboard.review.views import archive_view, duplicate_view, edit_view, save_view
from dashboard.review.writing import BadText
from loaders.errors import DriftlineError
from tests.builders import StoreBuilder
from tests.reviewing import ANN, BEN, OUTSIDER, VIEWER, key_of, reviewed

ADDRESS = {"eval": ["blackmail"], "run": ["open"], "metric": ["misaligned"]}


@pytest.fixture
def store() -> StoreBuilder:
    return reviewed()


def titles(store: StoreBuilder, text: str = "") -> list[str]:
    with store.cursor() as cursor:
        return [view.title for view in saved_views(cursor, text)]


def save(store: StoreBuilder, title: str = "A view", page: str = links.CURVES, **address: list[str]) -> str:
    return save_view(store.store, ANN, page=page, address=address or ADDRESS, title=title, note="why")


def test_a_view_comes_back_as_it_was_saved(store: StoreBuilder) -> None:
    view_id = save_view(
        store.store, ANN, page=links.CURVES, address=ADDRESS, title=" Two lines ", note="one\r\ntwo", as_of=1
    )
    with store.cursor() as cursor:
        view = saved_view(cursor, view_id)
    assert (view.title, view.note, view.page, view.address, view.as_of) == (
        "Two lines", "one\ntwo", links.CURVES, ADDRESS, 1,
    )  # fmt: skip
    assert (view.author, view.edited_by, view.version, view.archived, view.runs) == ("ann", "ann", 1, False, ["open"])
    assert len(view_id) <= 8


def test_the_newest_is_first_and_text_is_found_in_title_note_and_author(store: StoreBuilder) -> None:
    save(store, "First 100% <b>")
    save_view(store.store, BEN, page=links.DATA, address={}, title="Second", note="a Needle in it")
    assert titles(store) == ["Second", "First 100% <b>"]
    assert titles(store, "needle") == ["Second"]
    assert titles(store, "100%") == ["First 100% <b>"]
    assert titles(store, "BEN") == ["Second"]
    assert titles(store, "_") == []


def test_an_edit_is_a_further_version_and_the_first_stays_in_the_store(store: StoreBuilder) -> None:
    view_id = save(store)
    edit_view(store.store, BEN, view_id, title="Better", note="")
    edit_view(store.store, BEN, view_id, title="Better", note="")
    with store.cursor() as cursor:
        view = saved_view(cursor, view_id)
    assert (view.title, view.note, view.version, view.author, view.edited_by) == ("Better", "", 2, "ann", "ben")
    assert view.address == ADDRESS
    assert view.edited_at > view.created_at
    assert store.execute("SELECT title FROM saved_views ORDER BY version") == [("A view",), ("Better",)]


def test_a_copy_belongs_to_who_made_it(store: StoreBuilder) -> None:
    view_id = save(store)
    copy = duplicate_view(store.store, BEN, view_id)
    with store.cursor() as cursor:
        view = saved_view(cursor, copy)
    assert (view.title, view.author, view.address, view.version) == ("A view (copy)", "ben", ADDRESS, 1)
    assert copy != view_id


def test_archiving_twice_is_no_error_and_adds_nothing(store: StoreBuilder) -> None:
    view_id = save(store)
    archive_view(store.store, ANN, view_id)
    archive_view(store.store, ANN, view_id)
    with store.cursor() as cursor:
        assert saved_view(cursor, view_id).archived
        assert saved_view(cursor, view_id).version == 2
    archive_view(store.store, ANN, view_id, archived=False)
    with store.cursor() as cursor:
        assert not saved_view(cursor, view_id).archived


@pytest.mark.slow
@pytest.mark.parametrize(
    ("bad", "told"),
    [
        ({"title": "  "}, "title of a view is empty"),
        ({"title": "x" * 201}, "201 characters"),
        ({"note": "x" * 20_001}, "20,001 characters"),
        ({"page": "nowhere"}, 'no page "nowhere"'),
        ({"address": {"evil": ["1"]}}, "no parameter evil"),
        ({"address": {"run": ["x" * 200_000]}}, "allowed: at most 100,000"),
    ],
)
def test_what_is_wrong_with_a_view_is_said(store: StoreBuilder, bad: dict[str, object], told: str) -> None:
    good: dict[str, object] = {"page": links.CURVES, "address": ADDRESS, "title": "A view", "note": ""}
    with pytest.raises(DriftlineError, match=told) as error:
        save_view(store.store, ANN, **(good | bad))  # type: ignore[arg-type]
    assert "allowed" in str(error.value) or isinstance(error.value, BadText)
    assert titles(store) == []


def test_viewers_save_and_change_nothing(store: StoreBuilder) -> None:
    view_id = save(store)
    for write in (
        lambda: save_view(store.store, VIEWER, page=links.DATA, address={}, title="mine"),
        lambda: edit_view(store.store, VIEWER, view_id, title="mine", note=""),
        lambda: duplicate_view(store.store, VIEWER, view_id),
        lambda: archive_view(store.store, VIEWER, view_id),
    ):
        with pytest.raises(NotAllowed, match="editor"):
            write()
    assert titles(store) == ["A view"]


@pytest.mark.slow
@pytest.mark.parametrize(
    "telling",
    [
        {"run": ["open", "secret"]},
        {"checkpoint": ["open@0", "secret@100"]},
        {"baseline": ["secret"]},
        {"point": ["blackmail | misaligned | secret@100"]},
        {"pair": ["open@0 | secret@0"]},
    ],
)
def test_a_view_that_tells_of_a_hidden_run_is_not_there(store: StoreBuilder, telling: dict[str, list[str]]) -> None:
    page = links.CURVES if set(telling) <= NAMED[links.CURVES].parameters else links.COMPARE
    page = links.MIXES if "baseline" in telling else page
    view_id = save(store, "Secret", page, **telling)
    with store.store.cursor(hidden=OUTSIDER.hidden) as cursor:
        assert saved_views(cursor) == []
        assert saved_views(cursor, "secret") == []
        with pytest.raises(NoSuchView):
            saved_view(cursor, view_id)
    for write in (
        lambda: edit_view(store.store, OUTSIDER, view_id, title="x", note=""),
        lambda: duplicate_view(store.store, OUTSIDER, view_id),
        lambda: archive_view(store.store, OUTSIDER, view_id),
    ):
        with pytest.raises(NoSuchView):
            write()
    assert titles(store) == ["Secret"]


def test_a_view_of_a_transcript_tells_of_its_run(store: StoreBuilder) -> None:
    log = [key_of(store, "secret", 100)]
    save(store, "Sample", links.TRANSCRIPT, log=log, sample=["1"])
    save(store, "Logs", links.SAMPLES, in_log=log)
    with store.store.cursor(hidden=OUTSIDER.hidden) as cursor:
        assert saved_views(cursor) == []
    assert titles(store) == ["Logs", "Sample"]


def test_a_view_whose_words_name_a_hidden_run_is_not_there(store: StoreBuilder) -> None:
    save(store, "Look at secret@100")
    save(store, "A secretary")
    with store.store.cursor(hidden=("secret",)) as cursor:
        assert [view.title for view in saved_views(cursor)] == ["A secretary"]


def test_each_write_is_in_the_audit_log_with_its_runs(store: StoreBuilder) -> None:
    view_id = save(store)
    edit_view(store.store, BEN, view_id, title="Better", note="")
    archive_view(store.store, ANN, view_id)
    rows = store.execute("SELECT who, action, subject, runs FROM audit ORDER BY happened_at")
    assert [(who, action, runs) for who, action, _, runs in rows] == [
        ("ann", "view", ["open"]), ("ben", "view", ["open"]), ("ann", "view", ["open"]),
    ]  # fmt: skip
    assert "archived" in rows[2][2]


def test_a_run_is_mentioned_as_a_word_of_its_own() -> None:
    assert mentions("a@160", "a")
    assert mentions("eval | metric | a@160", "a")
    assert mentions("with/slash@1", "with/slash")
    assert not mentions("a-2@160", "a")
    assert not mentions("aa", "a")
    assert mentions("é, 日本 & more@1", "é, 日本 & more")


def test_an_address_loses_what_tells_of_hidden_runs(store: StoreBuilder) -> None:
    address = {"run": ["open", "secret"], "baseline": ["secret"], "eval": ["blackmail"]}
    with store.store.cursor(hidden=OUTSIDER.hidden) as cursor:
        assert without(address, hidden_names(cursor)) == {"run": ["open"], "eval": ["blackmail"]}
    with store.cursor() as cursor:
        assert without(address, hidden_names(cursor)) == address
        assert runs_named(cursor, address | {"run": ["gone"]}) == ["gone", "secret"]
