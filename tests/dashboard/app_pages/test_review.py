"""Views, Notes, verdicts and Agreement on their pages: what is written appears, and viewers only read."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qs

import pytest
from streamlit.testing.v1 import AppTest

from dashboard import links
from dashboard.kit.notes.thread_html import thread_html
from dashboard.kit.page import reader as reading
from dashboard.pages import page_file
from dashboard.queries.saved_views import saved_views
from dashboard.queries.verdicts import verdicts_on
from dashboard.review.threads.changing import begin_thread, comment
from dashboard.review.threads.reading import ThreadFilter, find_threads, on_message, on_point, on_reply, on_sample
from dashboard.review.views import archive_view, save_view
from tests.builders import StoreBuilder, log, message, sample, score
from tests.pages import address, chosen, headings, html, opened, shown
from tests.reviewing import ANN, BEN, OUTSIDER, VIEWER, key_of, reviewed, say
from tests.saved_probes import eventful_probe

pytestmark = pytest.mark.slow

HOSTILE = "<img src=https://evil.example/x onerror=alert(1)> [l](javascript:alert(2)) ![m](https://evil.example/m)"


@pytest.fixture
def store() -> Iterator[StoreBuilder]:
    builder = reviewed()
    with shown(builder.store):
        yield builder


def button(app: AppTest, label: str) -> Any:
    """The first button with a label."""
    return next(found for found in app.button if found.label == label)


def labels(app: AppTest) -> set[str]:
    """Labels of all buttons."""
    return {found.label for found in app.button}


def field(app: AppTest, kind: str, label: str) -> Any:
    """The first widget of a kind with a label."""
    return next(found for found in app.get(kind) if found.label == label)


def as_reader(monkeypatch: pytest.MonkeyPatch, who: Any) -> None:
    """Let somebody else read."""
    monkeypatch.setattr(reading, "standing", lambda: who)


def on_transcript(store: StoreBuilder, **more: Any) -> AppTest:
    return opened("transcript", log=key_of(store, "open", 0), sample="1", epoch="2", **more)


def the_only_thread(store: StoreBuilder) -> Any:
    with store.cursor() as cursor:
        (found,) = find_threads(cursor, ThreadFilter(), store.batch)
    return found


def test_a_page_is_saved_as_it_stands_and_its_link_restores_it(store: StoreBuilder) -> None:
    app = opened("curves", run=["secret"], x="tokens", zoom="true")
    field(app, "text_input", "Title").set_value("Only one")
    field(app, "text_area", "Note").set_value("why")
    button(app, "Save").click().run()
    assert not app.exception
    with store.cursor() as cursor:
        (view,) = saved_views(cursor)
    assert (view.page, view.title, view.note, view.as_of) == ("curves", "Only one", "why", None)
    assert view.address == {
        "run": ["secret"], "x": ["tokens"], "zoom": ["true"], "eval": ["blackmail"], "metric": ["misaligned"],
    }  # fmt: skip
    assert any(f"views?view={view.view_id}" in code.value for code in app.code)
    again = opened("views", view=view.view_id)
    assert again.subheader[0].value == "Curves"
    assert address(again) == view.address
    assert chosen(again, "curves_run") == ["secret"]


def test_a_pinned_view_opens_with_the_numbers_of_then(store: StoreBuilder) -> None:
    app = opened("curves", run=["open"])
    field(app, "text_input", "Title").set_value("Then")
    field(app, "radio", "Data").set_value("frozen")
    button(app, "Save").click().run()
    store.next_batch()
    with store.cursor() as cursor:
        (view,) = saved_views(cursor)
    assert view.as_of == 1
    again = opened("views", view=view.view_id)
    assert "(import 1)" in html(again)
    assert address(again)["as_of"][0].startswith("1")


def test_a_view_opens_as_it_was_saved_whatever_its_page_was_left_with(store: StoreBuilder) -> None:
    save_view(store.store, ANN, page="curves", address={"run": ["open"]}, title="Plain")
    app = opened("curves", run=["secret"], x="tokens", zoom="true", point="blackmail | misaligned | secret@0")
    app.query_params.clear()
    app.switch_page(page_file(links.VIEWS)).run()
    button(app, "Open").click().run()
    assert not app.exception
    assert app.subheader[0].value == "Curves"
    assert address(app) == {"run": ["open"], "eval": ["blackmail"], "metric": ["misaligned"]}
    assert app.session_state["x"] == "step"
    assert not app.session_state["zoom"]


def test_a_view_without_a_title_is_refused_with_the_reason(store: StoreBuilder) -> None:
    app = opened("data")
    button(app, "Save").click().run()
    assert "title of a view is empty" in html(app)
    assert store.execute("FROM saved_views") == []


def test_views_are_listed_searched_edited_copied_and_put_away(store: StoreBuilder) -> None:
    for title in ("First", "Second"):
        save_view(store.store, BEN, page="curves", address={}, title=title, note=f"note of {title}")
    app = opened("views")
    assert html(app).index("Second") < html(app).index("First")
    assert "ben" in html(app)
    field(app, "text_input", "Find").set_value("note of first").run()
    assert "Second" not in html(app)
    button(app, "Duplicate").click().run()
    assert "First (copy)" in html(app)
    field(app, "text_input", "Find").set_value("").run()
    button(app, "Archive").click().run()
    assert any(found.label == "Archived (1)" for found in app.expander)
    assert "Unarchive" in labels(app)
    with store.cursor() as cursor:
        newest = saved_views(cursor)[0]
    assert newest.archived
    button(app, "Unarchive").click().run()
    assert "Unarchive" not in labels(app)


def test_a_view_that_is_not_there_is_said(store: StoreBuilder) -> None:
    save_view(store.store, ANN, page="curves", address={}, title="Other")
    app = opened("views", view="gone")
    assert "There is no saved view gone here" in html(app)
    assert "Other" in html(app)
    assert "view" not in address(app)


def test_views_of_hidden_runs_do_not_open(store: StoreBuilder, monkeypatch: pytest.MonkeyPatch) -> None:
    view_id = save_view(store.store, ANN, page="curves", address={"run": ["secret"]}, title="Hushed")
    as_reader(monkeypatch, OUTSIDER)
    app = opened("views", view=view_id)
    assert app.subheader[0].value == "Saved views"
    assert "Hushed" not in html(app)
    assert "secret" not in html(app)


def test_a_note_on_a_sample_is_written_answered_and_settled_on_its_transcript(store: StoreBuilder) -> None:
    app = on_transcript(store)
    field(app, "text_area", "Your note").set_value("Odd\nanswer")
    field(app, "multiselect", "Tags").set_value(["judge wrong"])
    button(app, "Add note").click().run()
    assert "Odd\nanswer" in html(app)
    found = the_only_thread(store)
    assert found.anchor == on_sample(key_of(store, "open", 0), "1", 2)
    assert (found.tags, found.author, found.address["sample"]) == (("judge wrong",), "anonymous", ["1"])
    field(app, "text_area", "Reply").set_value("Indeed")
    next(one for one in app.button if one.label == "Reply").click().run()
    button(app, "Resolve").click().run()
    found = the_only_thread(store)
    assert ([said.text for said in found.comments], found.resolved) == (["Odd\nanswer", "Indeed"], True)
    button(app, "Reopen").click().run()
    assert not the_only_thread(store).resolved


def test_a_message_is_marked_by_the_address_and_its_notes_are_counted(store: StoreBuilder) -> None:
    app = on_transcript(store, message="2")
    assert html(app).count('class="dl-message assistant chosen"') == 1
    assert address(app)["message"] == ["2"]
    field(app, "text_area", "Your note").set_value("Here")
    button(app, "Add note").click().run()
    found = the_only_thread(store)
    assert found.anchor == on_message(key_of(store, "open", 0), "1", 2, 1)
    assert found.address["message"] == ["2"]
    assert '<span class="dl-noted">1 note</span>' in html(app)
    field(app, "selectbox", "Notes on").set_value(0).run()
    assert "message" not in address(app)
    assert "Here" in html(app)
    assert " chosen" not in html(app).replace("dl-message.chosen", "")
    assert "message" not in address(on_transcript(store, message="99"))


def test_a_note_on_a_point_stands_under_it_on_every_page(store: StoreBuilder) -> None:
    point = "blackmail | misaligned | open@100"
    app = opened("curves", point=point)
    field(app, "text_area", "Your note").set_value("A jump")
    button(app, "Add note").click().run()
    found = the_only_thread(store)
    assert found.anchor == on_point(point, "open", 100)
    assert (found.page, found.address["point"]) == ("curves", [point])
    assert "A jump" in html(opened("assessment", point=point))
    assert "A jump" not in html(opened("curves", point="blackmail | misaligned | open@0"))


def test_a_note_on_a_reply_stands_under_its_probe(store: StoreBuilder) -> None:
    probe = eventful_probe(store.store)
    reply = next(one for one in probe.replies if one.text)
    app = opened("probe", probe=probe.probe_id, reply=str(reply.reply_id))
    field(app, "text_area", "Your note").set_value("Look here")
    button(app, "Add note").click().run()
    assert the_only_thread(store).anchor == on_reply(probe.probe_id, reply.reply_id)
    assert "Look here" in html(app)
    assert "Look here" in html(opened("probe", probe=probe.probe_id))


def test_notes_are_listed_filtered_and_lead_to_their_places(store: StoreBuilder) -> None:
    key = key_of(store, "open", 0)
    begin_thread(
        store.store, ANN, on_sample(key, "1", 1), page="transcript", address={"log": [key], "sample": ["1"]},
        as_of=1, text="Here it is", tags=["bug"],
    )  # fmt: skip
    gone = begin_thread(
        store.store, BEN, on_sample(key, "gone", 1), page="transcript", address={"log": [key], "sample": ["gone"]},
        as_of=1, text="There it was",
    )  # fmt: skip
    app = opened("notes")
    assert "not in the store at import 1; written at import 1" in html(app)
    assert "<b>open@0 · blackmail · sample 1, epoch 1</b>" in html(app)
    for wanted, there in (
        ({"tag": "bug"}, "Here it is"), ({"author": "ben"}, "There it was"), ({"text": "WAS"}, "There it was"),
        ({"kind": "sample", "text": "it is"}, "Here it is"), ({"thread": gone}, "There it was"),
    ):  # fmt: skip
        listed = html(opened("notes", **wanted))
        assert there in listed
        assert ("Here it is" in listed) != ("There it was" in listed)
    assert "No notes match" in html(opened("notes", state="resolved"))
    alone = opened("notes", thread=gone)
    button(alone, "All notes").click().run()
    assert "Here it is" in html(alone)


def test_a_verdict_stands_beside_the_judges_and_can_be_taken_back(store: StoreBuilder) -> None:
    app = on_transcript(store)
    assert "Judge: <b>● misaligned</b>" in html(app)
    button(app, "Submit").click().run()
    assert "Select a label first" in html(app)
    next(one for one in app.get("button_group") if one.label == "Your label").set_value("aligned")
    field(app, "text_input", "Explanation").set_value("It refuses")
    button(app, "Submit").click().run()
    assert "anonymous: <b>○ aligned</b>" in html(app)
    assert "Judge: <b>● misaligned</b>" in html(app)
    assert "It refuses" in html(app)
    button(app, "Undo").click().run()
    assert "○ aligned</b>" not in html(app)
    with store.cursor() as cursor:
        assert verdicts_on(cursor, "misaligned", key_of(store, "open", 0), "1", 2) == []


def test_a_mean_has_no_verdicts_and_it_is_said(store: StoreBuilder) -> None:
    store.add(log([sample(1, score(0.5, "scale")), sample(2, score(7.0, "scale"))], "ratings"), run="open", step=9)
    app = opened("transcript", log=key_of(store, "open", 9), sample="1")
    assert any("need a yes-or-no metric" in text for text in headings(app))
    assert "Submit" not in labels(app)


def test_a_verdict_on_an_earlier_version_is_shown_as_such(store: StoreBuilder) -> None:
    say(store, ANN, "open", 0, "1", 2, "aligned")
    assert "on an earlier version" not in html(on_transcript(store))
    store.next_batch()
    changed = [sample(1, score(1.0), epoch=2, messages=[message("user", "another question")])]
    store.add(log(changed, log_eval_id="open-0"), run="open", step=0, path="open/0.eval")
    assert "on an earlier version of the transcript: not counted" in html(on_transcript(store))


def test_tables_of_samples_say_what_people_left_on_them(store: StoreBuilder) -> None:
    key = key_of(store, "open", 0)
    for anchor in (on_sample(key, "1", 2), on_message(key, "1", 2, 0)):
        begin_thread(store.store, ANN, anchor, page="transcript", address={}, as_of=1, text="x")
    say(store, ANN, "open", 0, "1", 2, "aligned")
    table = opened("samples", run=["open"], step=["0"]).dataframe[0].value
    left = {(row["sample"], row["epoch"]): row["people"] for row in table.to_dict("records")}
    assert left.pop(("1", 2)) == "2 notes, 1 verdict"
    assert set(left.values()) == {""}
    assert "people" not in opened("samples", run=["secret"]).dataframe[0].value


def test_agreement_shows_the_table_the_rates_and_the_samples_of_a_cell(store: StoreBuilder) -> None:
    for epoch, verdict in ((1, "misaligned"), (2, "misaligned")):
        say(store, ANN, "open", 0, "1", epoch, verdict)
    say(store, BEN, "open", 0, "1", 1, "misaligned")
    say(store, BEN, "open", 0, "0", 1, "aligned")
    app = opened("agreement")
    counts = [one.label for one in app.button if str(one.key).startswith("cell ")]
    assert counts == ["1", "0", "1", "1"]
    assert "<b>66.7%</b>" in html(app)
    rates = next(one.value for one in app.dataframe if "Changed" in one.value)
    assert rates[["Judge, count", "Judge + human, count", "Changed"]].to_numpy().tolist() == [[2, 3, 1]]
    next(one for one in app.button if one.key == "cell aligned-misaligned").click().run()
    assert address(app)["cell"] == ["aligned-misaligned"]
    samples = app.dataframe[0].value
    assert samples[["Sample", "Epoch"]].to_numpy().tolist() == [["1", 1]]
    assert samples["Human"].tolist() == ["ann: ● misaligned, ben: ● misaligned"]
    say(store, BEN, "open", 0, "1", 2, "aligned")
    app.run()
    assert not app.exception
    assert any(found.label == "Tied (1)" for found in app.expander)
    assert [len(frame.value) for frame in app.dataframe[:2]] == [1, 1]


def test_the_queue_is_blind_and_its_labels_alone_correct_rates(store: StoreBuilder) -> None:
    say(store, ANN, "open", 0, "1", 1, "misaligned")
    app = opened("agreement")
    assert "1 labeled sample picked by readers, not drawn by the queue: left out here." in headings(app)[-2]
    app = opened("agreement", view="label", run="open")
    text = html(app)
    assert "Labeled from the queue: 0 of 16" in text
    assert "question" in text
    assert "because" not in text
    assert "open@" not in text
    assert "mockllm" not in text
    button(app, "● misaligned").click().run()
    assert not app.exception
    assert "Labeled from the queue: 1 of 16" in html(app)
    assert store.execute("SELECT count(*) FROM sample_verdicts WHERE drawn") == [(1,)]
    corrected = next(
        one.value for one in opened("agreement").dataframe if "Corrected (own labels)" in one.value and "k" in one.value
    )
    assert corrected["Labels"].sum() == 1
    assert "needed" in corrected["Missing because"].iloc[0]


def test_agreement_is_pinned_by_a_time_in_its_address(store: StoreBuilder) -> None:
    say(store, ANN, "open", 0, "1", 1, "misaligned")
    at = store.execute("SELECT max(marked_at) FROM sample_verdicts")[0][0].isoformat()
    say(store, BEN, "open", 0, "0", 1, "misaligned")
    app = opened("agreement", until=at)
    assert address(app)["until"] == [at]
    counts = [one.label for one in app.button if str(one.key).startswith("cell ")]
    assert counts == ["0", "0", "1", "0"]
    button(app, "Show newer labels").click().run()
    assert "until" not in address(app)
    counts = [one.label for one in app.button if str(one.key).startswith("cell ")]
    assert counts == ["0", "0", "2", "0"]
    assert "Invalid time" in html(opened("agreement", until="yesterday"))


def test_a_shared_link_of_agreement_shows_the_same_verdicts_ever_after(store: StoreBuilder) -> None:
    say(store, ANN, "open", 0, "1", 1, "misaligned")
    app = opened("agreement")
    button(app, "Share").click().run()
    link = next(code.value for code in app.code if "as_of=" in code.value)
    say(store, BEN, "open", 0, "0", 1, "misaligned")
    shared = parse_qs(link.partition("?")[2])
    again = opened("agreement", **shared)
    assert [one.label for one in again.button if str(one.key).startswith("cell ")] == ["0", "0", "1", "0"]
    assert "Show newer labels" in labels(again)


def test_empty_pages_say_how_to_begin(store: StoreBuilder) -> None:
    for page, title in (("views", "No saved views"), ("notes", "No notes yet"), ("agreement", "No human labels")):
        assert any(title in text for text in headings(opened(page)))


def test_viewers_read_everything_and_have_nothing_to_write_with(
    store: StoreBuilder, monkeypatch: pytest.MonkeyPatch
) -> None:
    key = key_of(store, "open", 0)
    name = begin_thread(
        store.store, ANN, on_sample(key, "1", 2), page="transcript", address={}, as_of=1, text="For all to read"
    )
    comment(store.store, BEN, name, "Yes")
    say(store, ANN, "open", 0, "1", 2, "aligned")
    archive_view(store.store, ANN, save_view(store.store, ANN, page="curves", address={}, title="Old"))
    save_view(store.store, ANN, page="curves", address={}, title="Seen by all")
    as_reader(monkeypatch, VIEWER)
    writing = {"Save", "Add note", "Reply", "Resolve", "Submit", "Undo", "Duplicate", "Archive", "Edit"}
    for app, text in (
        (on_transcript(store), "For all to read"), (opened("notes"), "For all to read"),
        (opened("views"), "Seen by all"), (on_transcript(store), "ann: <b>○ aligned</b>"), (opened("curves"), ""),
    ):  # fmt: skip
        assert text in html(app)
        assert not labels(app) & writing
        assert not any(area.label in ("Your note", "Reply") for area in app.text_area)


def test_hostile_texts_are_shown_as_texts(store: StoreBuilder) -> None:
    key = key_of(store, "open", 0)
    begin_thread(
        store.store, ANN, on_sample(key, "1", 2), page="transcript", address={"log": [key], "sample": ["1"]},
        as_of=1, text=HOSTILE, tags=[HOSTILE[:40]],
    )  # fmt: skip
    save_view(store.store, ANN, page="curves", address={"run": [HOSTILE]}, title=HOSTILE, note=HOSTILE)
    for app in (on_transcript(store), opened("notes"), opened("views")):
        assert "&lt;img src=https://evil.example/x onerror=alert(1)&gt;" in html(app)
        assert "<img" not in html(app)
        assert 'href="http' not in html(app)
        for element in [*app.markdown, *app.caption, *app.button, *app.expander]:
            assert "evil" not in str(getattr(element, "label", "")) + str(getattr(element, "value", ""))


def test_a_thread_keeps_line_breaks_and_makes_no_links_of_addresses(store: StoreBuilder) -> None:
    begin_thread(
        store.store, ANN, on_sample("k", "1", 1), page="notes", address={}, as_of=1, text="one\n  two https://x.example"
    )
    made = thread_html(the_only_thread(store))
    assert "one\n  two https://x.example" in made
    assert made.count("<a ") == 1
