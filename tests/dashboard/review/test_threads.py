"""Threads: begun, answered, tagged, resolved and opened again; found by what they are on; hidden where they must be."""

from __future__ import annotations

import pytest

from dashboard import links
from dashboard.access import NotAllowed, Reader
from dashboard.review.threads.changing import begin_thread, comment, resolve, set_tags
from dashboard.review.threads.reading import (
    Anchor,
    NoSuchThread,
    Thread,
    ThreadFilter,
    find_threads,
    last_change,
    notes_on_samples,
    on_message,
    on_point,
    on_reply,
    on_sample,
    people_and_tags,
    thread,
    threads_in_sample,
    threads_on,
)
from loaders.errors import DriftlineError
from tests.builders import StoreBuilder, log, sample, score
from tests.reviewing import ANN, BEN, OUTSIDER, VIEWER, key_of, reviewed

POINT = on_point("blackmail | misaligned | open@100", "open", 100)


@pytest.fixture
def store() -> StoreBuilder:
    return reviewed()


def begin(
    store: StoreBuilder, anchor: Anchor = POINT, text: str = "Look", tags: tuple[str, ...] = (), who: Reader = ANN,
    **address: list[str],
) -> str:  # fmt: skip
    return begin_thread(
        store.store, who, anchor, page=links.CURVES, address=address, as_of=store.batch, text=text, tags=tags
    )


def found(
    store: StoreBuilder, hidden: tuple[str, ...] = (), as_of: int | None = None, **wanted: object
) -> list[Thread]:
    with store.store.cursor(hidden=hidden) as cursor:
        return find_threads(cursor, ThreadFilter(**wanted), as_of or store.batch)  # type: ignore[arg-type]


def test_a_thread_comes_back_with_its_comments_tags_and_place(store: StoreBuilder) -> None:
    name = begin(store, text="First\r\nline", tags=("judge wrong", " judge  wrong ", "own"), run=["open"])
    comment(store.store, BEN, name, "Second")
    with store.cursor() as cursor:
        (one,) = threads_on(cursor, [POINT])
        assert threads_on(cursor, [on_point("other", "open", 100)]) == []
        assert threads_on(cursor, []) == []
    assert [(said.author, said.text) for said in one.comments] == [("ann", "First\nline"), ("ben", "Second")]
    assert (one.tags, one.resolved, one.page, one.address) == (
        ("judge wrong", "own"), False, links.CURVES, {"run": ["open"]},
    )  # fmt: skip


def test_resolving_and_reopening_say_who_did_it(store: StoreBuilder) -> None:
    name = begin(store)
    resolve(store.store, BEN, name)
    resolve(store.store, ANN, name)
    (one,) = found(store)
    assert (one.resolved, one.resolved_by) == (True, "ben")
    resolve(store.store, ANN, name, resolved=False)
    (one,) = found(store)
    assert (one.resolved, one.resolved_by) == (False, "ann")
    assert len(store.execute("FROM thread_marks")) == 2


def test_tags_are_added_and_taken_off(store: StoreBuilder) -> None:
    name = begin(store, tags=("bug", "own"))
    set_tags(store.store, BEN, name, ["own", "interesting"])
    set_tags(store.store, BEN, name, ["own", "interesting"])
    (one,) = found(store)
    assert one.tags == ("interesting", "own")
    assert len(store.execute("FROM thread_marks")) == 4
    with store.cursor() as cursor:
        assert people_and_tags(cursor) == (["ann"], ["interesting", "own"])


def test_threads_are_found_by_state_kind_tag_author_and_text(store: StoreBuilder) -> None:
    key = key_of(store, "open", 0)
    first = begin(store, text="100% <b>Needle</b>", tags=("bug",))
    second = begin(store, on_sample(key, "1", 1), "hay", who=BEN)
    resolve(store.store, ANN, second)
    comment(store.store, BEN, first, "more")

    def names(**wanted: object) -> list[str]:
        return [one.thread_id for one in found(store, **wanted)]

    assert names() == [first, second]
    assert names(resolved=True) == [second]
    assert names(resolved=False) == [first]
    assert names(kind="sample") == [second]
    assert names(tag="bug") == [first]
    assert names(author="ben") == [first, second]
    assert names(author="ann") == [first]
    assert names(text="needle</b>") == [first]
    assert names(text="BUG") == [first]
    assert names(text="_") == []
    assert names(text="nothing") == []


def test_a_sample_has_its_own_threads_and_those_on_its_messages(store: StoreBuilder) -> None:
    key = key_of(store, "open", 0)
    for anchor in (on_sample(key, "1", 1), on_message(key, "1", 1, 1), on_sample(key, "1", 2), on_sample(key, "2", 1)):
        begin(store, anchor)
    with store.cursor() as cursor:
        kinds = [one.anchor.kind for one in threads_in_sample(cursor, key, "1", 1)]
        counts = notes_on_samples(cursor, [key])
    assert kinds == ["sample", "message"]
    assert counts == {(key, "1", 1): 2, (key, "1", 2): 1, (key, "2", 1): 1}


@pytest.mark.slow
@pytest.mark.parametrize("name", ["a/b", "é, 日本", "%2F?#", '"; DROP TABLE threads; --', "<script>"])
def test_any_id_can_have_a_note(store: StoreBuilder, name: str) -> None:
    store.add(log([sample(name, score(1.0))], log_eval_id="odd"), run="open", step=7)
    key = key_of(store, "open", 7)
    begin(store, on_sample(key, name, 1))
    with store.cursor() as cursor:
        (one,) = threads_in_sample(cursor, key, name, 1)
    assert one.anchor == on_sample(key, name, 1)
    assert [one.there for one in found(store)] == [True]


def test_what_is_gone_is_said_and_its_threads_stay(store: StoreBuilder) -> None:
    key = key_of(store, "open", 0)
    for anchor in (
        on_sample(key, "1", 1), on_sample(key, "gone", 1), on_message(key, "1", 1, 1), on_message(key, "1", 1, 2),
        POINT, on_point("x", "open", 300), on_reply("no-probe", 1),
    ):  # fmt: skip
        begin(store, anchor)
    there = {(one.anchor.kind, one.anchor.text): one.there for one in found(store)}
    assert [there[(anchor.kind, anchor.text)] for anchor in (
        on_sample(key, "1", 1), on_sample(key, "gone", 1), on_message(key, "1", 1, 1), on_message(key, "1", 1, 2),
        POINT, on_point("x", "open", 300), on_reply("no-probe", 1),
    )] == [True, False, True, False, True, False, False]  # fmt: skip
    store.next_batch()
    store.add(log([sample(9, score(1.0))], log_eval_id="new"), run="open", step=0, path="open/0.eval")
    assert [one.there for one in found(store, text='"sample": "1"', kind="sample")] == [False]
    assert [one.there for one in found(store, text='"sample": "1"', kind="sample", as_of=1)] == [True]


def test_a_thread_on_something_of_a_hidden_run_is_not_there(store: StoreBuilder) -> None:
    key = key_of(store, "secret", 100)
    names = [
        begin(store, on_sample(key, "1", 1), tags=("hush",)),
        begin(store, on_message(key, "1", 1, 0)),
        begin(store, on_point("blackmail | misaligned | secret@100", "secret", 100)),
    ]
    assert found(store, OUTSIDER.hidden) == []
    with store.store.cursor(hidden=OUTSIDER.hidden) as cursor:
        assert threads_in_sample(cursor, key, "1", 1) == []
        assert notes_on_samples(cursor, [key]) == {}
        assert people_and_tags(cursor) == ([], [])
        with pytest.raises(NoSuchThread):
            thread(cursor, names[0])
    for write in (
        lambda: comment(store.store, OUTSIDER, names[0], "x"),
        lambda: resolve(store.store, OUTSIDER, names[0]),
        lambda: set_tags(store.store, OUTSIDER, names[0], ["x"]),
    ):
        with pytest.raises(NoSuchThread):
            write()
    assert len(found(store)) == 3


def test_a_note_on_a_public_point_is_seen_by_all_without_the_hidden_runs_of_its_address(store: StoreBuilder) -> None:
    begin(store, run=["open", "secret"], eval=["blackmail"])
    (one,) = found(store, OUTSIDER.hidden)
    assert one.address == {"run": ["open"], "eval": ["blackmail"]}
    (one,) = found(store)
    assert one.address == {"run": ["open", "secret"], "eval": ["blackmail"]}


def test_a_comment_that_names_a_hidden_run_is_not_there(store: StoreBuilder) -> None:
    name = begin(store, text="Public", tags=("secret",))
    comment(store.store, BEN, name, "As secret@100 does")
    begin(store, text="secret is worse")
    (one,) = found(store, OUTSIDER.hidden)
    assert [said.text for said in one.comments] == ["Public"]
    assert one.tags == ()
    assert len(found(store)) == 2


@pytest.mark.parametrize(
    ("bad", "told"),
    [
        ({"text": " \n "}, "comment is empty"),
        ({"text": "x" * 20_001}, "20,001 characters"),
        ({"tags": ("x" * 41,)}, "41 characters"),
        ({"tags": tuple(map(str, range(13)))}, "13 tags"),
    ],
)
def test_what_is_wrong_with_a_note_is_said(store: StoreBuilder, bad: dict[str, object], told: str) -> None:
    with pytest.raises(DriftlineError, match=told):
        begin(store, **bad)  # type: ignore[arg-type]
    assert store.execute("FROM threads") == []
    assert store.execute("FROM comments") == []


def test_viewers_read_only(store: StoreBuilder) -> None:
    name = begin(store)
    for write in (
        lambda: begin(store, who=VIEWER),
        lambda: comment(store.store, VIEWER, name, "x"),
        lambda: resolve(store.store, VIEWER, name),
        lambda: set_tags(store.store, VIEWER, name, ["x"]),
    ):
        with pytest.raises(NotAllowed, match="vera may not write notes"):
            write()
    (one,) = found(store)
    assert (len(one.comments), one.tags, one.resolved) == (1, (), False)


def test_every_write_changes_the_number_that_is_watched_and_is_in_the_audit_log(store: StoreBuilder) -> None:
    def number() -> int:
        with store.cursor() as cursor:
            return last_change(cursor)

    seen = [number()]
    name = begin(store)
    seen.append(number())
    for write in (
        lambda: comment(store.store, BEN, name, "x"),
        lambda: set_tags(store.store, BEN, name, ["x"]),
        lambda: resolve(store.store, BEN, name),
    ):
        write()
        seen.append(number())
    assert seen == sorted(set(seen))
    rows = store.execute("SELECT who, action, subject, runs FROM audit ORDER BY happened_at")
    assert [(who, action, runs) for who, action, _, runs in rows] == [("ann", "note", ["open"])] + [
        ("ben", "note", ["open"])
    ] * 3
